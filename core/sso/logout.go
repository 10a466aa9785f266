package sso

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/more-retail/moresso-go/core/internal/jsondoc"
)

// SessionRevoker ends sessions on behalf of the identity provider, and remembers which logout
// tokens it has done that for. It works on what a [SessionStore] looks at.
//
// An implementation of your own must be safe for concurrent use, answer within a bound of its
// own, and be idempotent: a logout token whose record failed comes again. Nil means that the
// revocation holds in every instance which shares the store, as soon as the store promises at
// all; an error that matches [errors.ErrUnsupported], that it cannot end what is asked for (400);
// any other, that it cannot be had (503).
type SessionRevoker interface {
	// RevokeSession ends the session r.SessionID of r.Issuer and no other, whoever's it is. Where
	// the store keeps the current session of each user, it has to compare: a session that was
	// begun since has another id, and lives on.
	RevokeSession(ctx context.Context, r Revocation) error

	// RevokeSubject ends the sessions of r.Subject of r.Issuer as far as their tokens were issued
	// before r.IssuedBefore. Those of later tokens live on.
	RevokeSubject(ctx context.Context, r Revocation) error

	// LogoutRecorded reports whether RecordLogout was called for a logout token of this issuer
	// with this `jti`.
	LogoutRecorded(ctx context.Context, issuer, tokenID string) (bool, error)

	// RecordLogout remembers, until then, that a logout token has done its work.
	RecordLogout(ctx context.Context, issuer, tokenID string, until time.Time) error
}

// IssuerRevoker is a [SessionRevoker] that tells whose sessions it ends. Where several issuers'
// sessions are looked at, by [Join], it has to: `sid` and `sub` are told apart within one issuer
// only, and a store of another's sessions would end somebody else's, or nobody's.
type IssuerRevoker interface {
	SessionRevoker

	// RevokesFor reports whether the sessions of this issuer are among those it ends. A logout of
	// any other is refused (400). Its answer must not change.
	RevokesFor(issuer string) bool
}

// Revocation says what has to end. It is made of a logout token that has proven itself.
type Revocation struct {
	Issuer    string // `iss`, never empty
	Audience  string // under which the store keeps the sessions: [SessionPolicy.Audience]
	SessionID string // `sid`; empty for RevokeSubject
	Subject   string // `sub`; for RevokeSession it may be empty
	// User is `sub` where that is what [SessionPolicy.UserClaim] reads, for stores that keep
	// sessions by their user; empty otherwise.
	User string
	// IssuedBefore is the end of the second in which the logout token was issued, since dates of
	// tokens are mostly cut to the second; zero for RevokeSession.
	IssuedBefore time.Time
	// Until is when no token can be good any more that this is about: the revocation has to be
	// remembered for so long, and may be forgotten then.
	Until time.Time
}

// Bounds of back-channel logout.
const (
	// logoutEvent is the member of `events` that makes a token a logout token (OpenID Connect
	// Back-Channel Logout 1.0, section 2.4).
	logoutEvent = "http://schemas.openid.net/event/backchannel-logout"
	// logoutGoodFor is for how long a logout token without `exp` is good. The specification
	// recommends two minutes to those that have one; providers that deliver late get some more.
	logoutGoodFor = 10 * time.Minute
	// rememberedLonger is added to whatever has to be remembered until some moment, since the
	// clocks of several instances differ.
	rememberedLonger = time.Minute
	// revokeLimit bounds a revocation. It is not the request's: see [BackChannelLogout.Receive].
	revokeLimit = 10 * time.Second
)

// logoutTypes are what `typ` may say in the header of a logout token (OpenID Connect
// Back-Channel Logout 1.0, section 2.4): providers differ, and most write JWT or nothing.
var logoutTypes = tokenTypes{"a logout token", []string{"JWT", "logout+jwt", "application/logout+jwt"}}

// logoutNames are the claims of a logout token that are read.
var logoutNames = claimNames.with("sid")

// LogoutToken is what an identity provider sends when somebody has signed out (OpenID Connect
// Back-Channel Logout 1.0, section 2.4), proven. It is immutable and safe for concurrent use.
// It speaks for nobody: no route opens to it.
type LogoutToken struct {
	claims   jsondoc.Value
	times    times
	verifier *verifier
}

func (t *LogoutToken) text(claim string) string {
	s, _ := t.Claims().Get(claim).Text()
	return s
}

// Issuer returns `iss`.
func (t *LogoutToken) Issuer() string { return t.text("iss") }

// Subject returns `sub`, whose sessions are to end; empty if the token names a session alone.
func (t *LogoutToken) Subject() string { return t.text("sub") }

// SessionID returns `sid`, the one session that is to end; empty if the token is about all
// sessions of its subject.
func (t *LogoutToken) SessionID() string { return t.text("sid") }

// TokenID returns `jti`, by which a token that comes twice is known.
func (t *LogoutToken) TokenID() string { return t.text("jti") }

// Audience returns `aud` as a list.
func (t *LogoutToken) Audience() []string {
	list, _ := t.Claims().Get("aud").Strings()
	return list
}

// IssuedAt returns `iat`.
func (t *LogoutToken) IssuedAt() time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.times.issued
}

// ExpiresAt returns `exp`; where the token has none, the moment ten minutes after `iat`.
func (t *LogoutToken) ExpiresAt() time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.times.expires
}

// Claims returns the object of all claims.
func (t *LogoutToken) Claims() Value {
	if t == nil {
		return Value{}
	}
	return Value{t.claims}
}

// LogValue tells logs who signed out, and nothing else of the token.
func (t *LogoutToken) LogValue() slog.Value {
	return slog.GroupValue(slog.String("subject", t.Subject()), slog.String("issuer", t.Issuer()))
}

// ValidateLogoutToken proves a logout token as OpenID Connect Back-Channel Logout 1.0, section
// 2.6, says: signature, algorithm and keys as for access tokens; `iss`; `aud`, which must name
// one of clientIDs, since the token is for the OAuth client and not for the API; `iat`, and
// `exp` and `nbf` where present, with [Config.Leeway]; `jti`; `events`; `sid`, `sub` or both; no
// `nonce`; and a `typ` that is absent, JWT or logout+jwt. An access token never passes, as a
// logout token never does for [Authenticator.ValidateToken].
//
// It ends no session and does not look whether the token has come before: that is what
// [BackChannelLogout] is for. Its error matches [ErrInvalidToken] or [ErrUnavailable], and
// [DenialOf] knows the answer that section 2.8 demands: 400 where requests get 401.
func (a *Authenticator) ValidateLogoutToken(ctx context.Context, token string, clientIDs ...string) (t *LogoutToken, err error) {
	err = a.guardLogout(ctx, func() error {
		t, err = a.readLogout(ctx, token, clientIDs)
		return err
	})
	if err != nil {
		return nil, err
	}
	return t, nil
}

// guardLogout draws the refusal of whatever goes wrong in do, panics included.
func (a *Authenticator) guardLogout(ctx context.Context, do func() error) (err error) {
	if !a.made() {
		return errNotMade
	}
	done := false // as in guard
	defer func() {
		if v := recover(); !done {
			err = a.refuseLogout(ctx, fmt.Errorf("sso: panic: %v", v))
		}
	}()
	if err = do(); err != nil {
		err = a.refuseLogout(ctx, err)
	}
	done = true
	return err
}

// readLogout makes a logout token prove itself, rule by rule.
func (a *Authenticator) readLogout(ctx context.Context, token string, clientIDs []string) (*LogoutToken, error) {
	if len(clientIDs) == 0 || slices.Contains(clientIDs, "") {
		return nil, errors.New("sso: a logout token was to be validated for no client: give the client ids that the identity provider knows this service by")
	}
	var c candidate
	if err := a.checkLength(token); err != nil {
		return nil, err
	}
	if err := c.open(token); err != nil {
		return nil, err
	}
	defer c.token.Release()
	if err := c.readBody(); err != nil {
		return nil, err
	}
	v := a.verifiers[0]
	if a.byIssuer != nil {
		issuer, _ := c.token.Claims.Get("iss").Text()
		if v = a.byIssuer[issuer]; v == nil {
			return nil, badToken(ReasonWrongIssuer, "iss is %q, which is none of the trusted ones", clipped(issuer))
		}
	}
	if v.takesEvents() {
		return nil, errors.New("sso: SkipTokenKindChecks names event, so that a logout token could pass as an access token: take it out")
	}
	// Not by way of v.headers: what is remembered there was good for an access token.
	if err := v.rules.readHeader(&c, &logoutTypes); err != nil {
		return nil, err
	}
	if err := v.rules.readLogoutClaims(&c, clientIDs); err != nil {
		return nil, err
	}
	match, err := v.prove(ctx, &c)
	if err != nil {
		return nil, err
	}
	if v.rules.issuer == "" && match.Issuer == "" {
		return nil, errors.New("sso: a logout token cannot be validated where no issuer is trusted: set Issuer")
	}
	return &LogoutToken{c.token.Claims, c.times, v}, nil
}

// takesEvents reports whether tokens of logouts are taken for access tokens by configuration.
func (v *verifier) takesEvents() bool { return slices.Contains(v.rules.otherKinds, KindEvent) }

// readLogoutClaims applies the rules about claims of logout tokens (OpenID Connect Back-Channel
// Logout 1.0, sections 2.4 and 2.6).
func (r *rules) readLogoutClaims(c *candidate, clientIDs []string) (err error) {
	if name := logoutNames.find(c.token.Claims, c.claims[:]); name != "" {
		return badToken(ReasonMalformed, "the payload has %s in other letters", name)
	}
	if err := r.logoutDates(c); err != nil {
		return err
	}
	if c.issuer, err = c.identifier(claimIss); err != nil {
		return err
	}
	if r.issuer != "" && c.issuer != r.issuer {
		return badToken(ReasonWrongIssuer, "iss is %q where %q is trusted", clipped(c.issuer), r.issuer)
	}
	if err := forAnyOf(Value{c.claims[claimAud]}, clientIDs); err != nil {
		return err
	}
	if err := logoutKind(c); err != nil {
		return err
	}
	for _, place := range []int{claimSub, claimJti} {
		if _, err := c.identifier(place); err != nil {
			return err
		}
	}
	if c.claims[claimJti].Kind() == jsondoc.Absent {
		return badToken(ReasonMissingClaim, "jti is missing, by which the token is known if it comes again")
	}
	sid := Value{c.token.Claims}.Get("sid")
	if text, ok := sid.Text(); sid.Exists() && (!ok || text == "") {
		return badToken(ReasonMalformedClaim, "sid is not a non-empty string")
	}
	if !sid.Exists() && c.claims[claimSub].Kind() == jsondoc.Absent {
		return badToken(ReasonMissingClaim, "sid and sub are missing: nobody is to be signed out")
	}
	return nil
}

// logoutDates checks `iat`, and `exp` and `nbf` where a token has them.
func (r *rules) logoutDates(c *candidate) error {
	if err := c.readDates(); err != nil {
		return err
	}
	if c.claims[claimIat].Kind() == jsondoc.Absent {
		return badToken(ReasonMissingClaim, "iat is missing, without which nobody knows which sessions are older")
	}
	if c.claims[claimExp].Kind() == jsondoc.Absent {
		c.times.expires = c.times.issued.Add(logoutGoodFor)
	}
	return r.judgeDates(c.times)
}

// logoutKind tells logout tokens from all else that the same keys sign.
func logoutKind(c *candidate) error {
	for _, kind := range kindsOf(&c.claims) {
		if kind != KindEvent {
			return badToken(ReasonTokenKind, "by its claims it is of the kind %s, not a logout token", kind)
		}
	}
	if c.claims[claimNonce].Kind() != jsondoc.Absent {
		return badToken(ReasonTokenKind, "nonce is present, which must not be, so that no ID token passes as a logout token")
	}
	events := Value{c.claims[claimEvents]}
	if event := events.Get(logoutEvent); event.v.Kind() != jsondoc.Object {
		return badToken(ReasonTokenKind, "events is a JSON %s, and a logout in it a JSON %s, not an object: no logout token", events.Kind(), event.Kind())
	}
	return nil
}

// refuseLogout turns a cause into an error with the answer to a logout request (OpenID Connect
// Back-Channel Logout 1.0, section 2.8), and tells the operator.
func (a *Authenticator) refuseLogout(ctx context.Context, cause error) error {
	cause = fmt.Errorf("a logout token: %w", cause)
	denial := draw(cause, "", false)
	if denial.Status < http.StatusInternalServerError {
		denial = badLogoutRequest()
	}
	a.tell(ctx, nil, cause, denial.Code, denial.Status)
	return &refusal{cause: cause, denial: denial}
}

// badLogoutRequest is how a request for a logout is refused that holds no good logout token: 400
// and an error as in RFC 6749, section 5.2, never to be kept (OpenID Connect Back-Channel Logout
// 1.0, section 2.8).
func badLogoutRequest() Denial {
	return Denial{
		Status: http.StatusBadRequest,
		Code:   CodeInvalidRequest,
		Header: http.Header{"Content-Type": {"application/json"}, "Cache-Control": {"no-store"}},
		Body:   []byte(`{"error":"` + CodeInvalidRequest + `"}`),
	}
}

// BackChannelLogout ends sessions when the identity provider says so (OpenID Connect Back-Channel
// Logout 1.0). It is made by [NewBackChannelLogout] and safe for concurrent use. A nil or zero
// one ends none and answers with 500.
type BackChannelLogout struct {
	auth      *Authenticator
	revoker   SessionRevoker
	clientIDs []string
}

// NewBackChannelLogout checks that logout tokens for these OAuth clients can end sessions which
// this authenticator looks at. All that keeps them from it comes back in one [ConfigError]: no
// client, no revoker, no session policy that reads `sid` as its session or `sub` as its user
// ([SessionPolicy]); and in a configuration which has such a policy, a missing [Config.Issuer],
// by which sessions are told apart, or [Config.MaxTokenAge], without which nobody knows when a
// revocation may be forgotten, and logout tokens that pass as access tokens
// ([Config.SkipTokenKindChecks]).
//
// An [IssuerRevoker] has to be for an issuer whose sessions are looked at; what is said above goes
// for the issuers that it is for. For an authenticator of several such issuers ([Join]) the
// revoker must be one: make a BackChannelLogout with each issuer's, and give each issuer an
// address of its own.
func NewBackChannelLogout(a *Authenticator, revoker SessionRevoker, clientIDs ...string) (*BackChannelLogout, error) {
	if !a.made() {
		return nil, errNotMade
	}
	f := &faults{name: func(field string) string { return field }}
	if len(clientIDs) == 0 {
		f.add("clientIDs", "is empty", "write the client ids by which the identity provider knows this service: they are the aud of its logout tokens")
	}
	for _, id := range clientIDs {
		if id == "" || strings.TrimSpace(id) != id {
			f.add("clientIDs", "holds "+held(id), "write each client as it stands in the logout tokens' aud, without white space around it")
		}
	}
	if v := reflect.ValueOf(revoker); revoker == nil || v.Kind() == reflect.Pointer && v.IsNil() {
		f.add("revoker", "is nil", "give what ends sessions in the store that Config.Sessions asks")
		revoker = nil
	}
	a.checkLogout(f, revoker)
	if err := f.err(); err != nil {
		return nil, err
	}
	return &BackChannelLogout{a, revoker, slices.Clone(clientIDs)}, nil
}

// checkLogout finds what keeps logout tokens of each issuer, or of those that the revoker is for,
// from ending sessions.
func (a *Authenticator) checkLogout(f *faults, revoker SessionRevoker) {
	knowing, knows := revoker.(IssuerRevoker)
	read, ends := 0, false
	for _, v := range a.verifiers {
		if !v.sessions.readsSession() && !v.sessions.readsSubject() {
			continue
		}
		read++
		if !knows || v.rules.issuer == "" || knowing.RevokesFor(v.rules.issuer) {
			ends = true
			v.checkLogout(f)
		}
	}
	switch {
	case read == 0:
		f.add("SessionPolicy", "reads neither sid nor sub, so that a logout would end nothing", `give Sessions, and write UserClaim "sub" and SessionClaim "sid"`)
	case !ends:
		f.add("revoker", "is for none of the issuers whose sessions are looked at", "give that of the store which Config.Sessions asks, and write its issuer as in Config.Issuer")
	case read > 1 && !knows && revoker != nil:
		f.add("revoker", "does not tell whose sessions it ends, while those of several issuers are looked at", "give an IssuerRevoker, and make a logout for each issuer with its own")
	}
}

// checkLogout finds what keeps logout tokens from ending sessions for good.
func (v *verifier) checkLogout(f *faults) {
	if v.rules.issuer == "" {
		f.add("Issuer", "is not set, while logout tokens end the sessions of an issuer", "write it exactly as it stands in the tokens' iss, e.g. https://login.example.com")
	}
	if v.rules.maxAge == 0 {
		f.add("MaxTokenAge", "is not set, so that nobody knows for how long a logout has to be remembered", "write for how long an access token may be good, e.g. 1 h")
	}
	if v.takesEvents() {
		f.add("SkipTokenKindChecks", `holds "event", by which a logout token could pass as an access token`, "take it out")
	}
}

// readsSession reports whether a `sid` names sessions that are looked at. A policy has a store.
func (s *sessions) readsSession() bool { return s.policy.SessionClaim == "sid" }

// readsSubject reports whether a `sub` names users whose sessions are looked at.
func (s *sessions) readsSubject() bool { return s.policy.UserClaim == "sub" }

// Receive validates a logout token by [Authenticator.ValidateLogoutToken] and ends what it names:
// by `sid` that one session, and no newer one of the same user; by `sub` alone, or where the
// policy does not read `sid`, all whose tokens were issued before the logout. A token that has
// done its work before is refused; its `jti` is recorded only once the revocation has succeeded,
// so that the provider can try again until it has.
//
// Nil means that the session has ended, or had before. An error has its answer by [DenialOf]:
// 400 for a token that is empty, not good or ends nothing here, 503 where keys or the store cannot
// be had. A client that goes away, having got impatient, does not keep a session alive: what has
// been validated is carried out, within ten seconds.
func (l *BackChannelLogout) Receive(ctx context.Context, token string) error {
	if l == nil {
		return errNotMade
	}
	return l.auth.guardLogout(ctx, func() error { return l.receive(ctx, token) })
}

func (l *BackChannelLogout) receive(ctx context.Context, token string) error {
	t, err := l.auth.readLogout(ctx, token, l.clientIDs)
	if err != nil {
		return err
	}
	r, err := t.revocation()
	if err != nil {
		return err
	}
	if knowing, ok := l.revoker.(IssuerRevoker); ok && !knowing.RevokesFor(r.Issuer) {
		return badToken(ReasonNoSession, "what ends sessions here is not for those of %q", clipped(r.Issuer))
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), revokeLimit)
	defer cancel()
	before, err := l.revoker.LogoutRecorded(ctx, r.Issuer, t.TokenID())
	if err != nil {
		return &sessionsUnavailableError{unavailableSessions(err)}
	}
	if before {
		return badToken(ReasonReplayed, "its jti has done its work before")
	}
	revoke := l.revoker.RevokeSession
	if r.SessionID == "" {
		revoke = l.revoker.RevokeSubject
	}
	if err := revoke(ctx, r); errors.Is(err, errors.ErrUnsupported) {
		return badToken(ReasonNoSession, "the store cannot end what it names: %v", err)
	} else if err != nil {
		return &sessionsUnavailableError{unavailableSessions(err)}
	}
	until := t.times.expires.Add(t.verifier.rules.leeway + rememberedLonger)
	if err := l.revoker.RecordLogout(ctx, r.Issuer, t.TokenID(), until); err != nil {
		return &sessionsUnavailableError{unavailableSessions(err)}
	}
	l.auth.observe(Event{Kind: EventSessionRevoked})
	return nil
}

// revocation says what a logout token ends under the policy of its issuer.
func (t *LogoutToken) revocation() (Revocation, error) {
	s, rules := &t.verifier.sessions, &t.verifier.rules
	latest := rules.now()
	if t.times.issued.After(latest) {
		latest = t.times.issued
	}
	r := Revocation{
		Issuer: t.Issuer(), Audience: s.policy.Audience, Subject: t.Subject(),
		Until: latest.Add(rules.maxAge + rules.leeway + rememberedLonger),
	}
	if s.readsSubject() {
		r.User = r.Subject
	}
	switch sid := t.SessionID(); {
	case sid != "" && s.readsSession():
		r.SessionID = sid
	case r.Subject != "" && s.readsSubject():
		r.IssuedBefore = t.times.issued.Truncate(time.Second).Add(time.Second)
	default:
		return Revocation{}, badToken(ReasonNoSession, "no session policy reads what it names: sid %t, sub %t", sid != "", r.Subject != "")
	}
	return r, nil
}
