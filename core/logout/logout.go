// Package logout ends sessions when the identity provider says so (OpenID Connect Back-Channel
// Logout 1.0).
//
// A [Receiver] verifies a logout token with the keys and rules of an [sso.Authenticator]. It ends
// sessions through a [Revoker], which works on the store of [sso.Config].Sessions. Module redisstore
// has both. The handler for HTTP is httpsso.BackChannelLogout:
//
//	mux.Handle("/logout/backchannel", httpsso.BackChannelLogout(auth, sessions.Revoker(), "web-shop"))
package logout

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"time"

	"github.com/more-retail/moresso-go/core/internal/configerr"
	"github.com/more-retail/moresso-go/core/internal/protect"
	"github.com/more-retail/moresso-go/core/internal/verify"
	"github.com/more-retail/moresso-go/core/sso"
)

// Revoker ends sessions for the identity provider, and records which logout tokens were processed.
// It works on what a [sso.SessionStore] looks at.
//
// An implementation must be safe for concurrent use, return within a bounded time, and be
// idempotent: the provider repeats a logout token whose record failed. A nil error means that the
// revocation applies in every instance that shares the store. An error that matches
// [errors.ErrUnsupported] means that the revoker cannot end what is named (400); any other, that it
// is unavailable (503).
type Revoker interface {
	// RevokesFor reports whether the revoker can end sessions of this issuer. A logout of any other is
	// refused (400), and [New] refuses a revoker without an issuer. The answer must not change.
	RevokesFor(issuer string) bool

	// RevokeSession ends the session r.SessionID of r.Issuer and no other. A store that keeps the
	// current session of each user must compare: a newer session has another id and does not end.
	RevokeSession(ctx context.Context, r Revocation) error

	// RevokeSubject ends the sessions of r.Subject of r.Issuer whose tokens were issued before
	// r.IssuedBefore. Those of later tokens do not end.
	RevokeSubject(ctx context.Context, r Revocation) error

	// LogoutRecorded reports whether RecordLogout was called for this issuer and `jti`. Services that
	// share a store and keep their sessions apart, such as by audience, must not share the records: each
	// of them receives the token.
	LogoutRecorded(ctx context.Context, issuer, tokenID string) (bool, error)

	// RecordLogout records that a logout token was processed, until the given time.
	RecordLogout(ctx context.Context, issuer, tokenID string, until time.Time) error
}

// Revocation says what must end. It comes from a verified logout token.
type Revocation struct {
	Issuer    string // `iss`, never empty
	Audience  string // under which the store keeps the sessions: [sso.SessionPolicy.Audience]
	SessionID string // `sid`; empty for RevokeSubject
	Subject   string // `sub`; may be empty for RevokeSession
	// User is `sub` if [sso.SessionPolicy.UserClaim] is "sub", for stores that keep sessions by
	// their user; empty otherwise.
	User string
	// IssuedBefore is the end of the second in which the logout token was issued, since dates of
	// tokens are mostly truncated to the second; zero for RevokeSession.
	IssuedBefore time.Time
	// Until is when all tokens of the revocation have expired. The store may delete it then.
	Until time.Time
}

const (
	// clockSkew is added to the lifetime of records, since the clocks of instances differ.
	clockSkew = time.Minute
	// revokeTimeout bounds a revocation; see [Receiver.Receive].
	revokeTimeout = 10 * time.Second
)

var errNotCreated = errors.New("logout: the Receiver was not created by New")

// Receiver processes logout tokens. Create it with [New]. It is safe for concurrent use. A nil or
// zero Receiver ends nothing and refuses with 500.
type Receiver struct {
	auth      sso.Extension
	engine    *verify.Engine
	revoker   Revoker
	clientIDs []string
}

// New checks that logout tokens for these OAuth clients can end sessions that a looks at. It returns
// all problems in one [sso.ConfigError]. It requires a client, a revoker for at least one of the
// issuers, and a session store that reads `sid` as session or `sub` as user. The issuers of the
// revoker need [sso.Config.Issuer], which distinguishes sessions, and [sso.Config.MaxTokenAge],
// after which revocations may be deleted.
//
// For several issuers ([sso.Join]), create a Receiver with each issuer's revoker and give each an
// address of its own.
func New(a *sso.Authenticator, revoker Revoker, clientIDs ...string) (*Receiver, error) {
	engine := a.Extension().Engine()
	if engine == nil {
		return nil, errors.New("logout: the Authenticator was not created by sso.New")
	}
	l := &configerr.List{}
	if len(clientIDs) == 0 {
		l.Add("clientIDs", "is empty", "write the client ids of this service at the identity provider: they are the aud of its logout tokens")
	}
	l.CheckList("clientIDs", clientIDs, "write each client as in the logout tokens' aud, without empty ones and surrounding white space")
	if v := reflect.ValueOf(revoker); revoker == nil || v.Kind() == reflect.Pointer && v.IsNil() {
		l.Add("revoker", "is nil", "set the revoker of the store in Config.Sessions")
		revoker = nil
	}
	checkIssuers(l, engine, revoker)
	if problems := l.Problems(); len(problems) > 0 {
		e := &sso.ConfigError{}
		for _, p := range problems {
			e.Problems = append(e.Problems, sso.ConfigProblem(p))
		}
		return nil, e
	}
	return &Receiver{a.Extension(), engine, revoker, slices.Clone(clientIDs)}, nil
}

// checkIssuers reports what keeps logout tokens from ending sessions of the revoker's issuers.
func checkIssuers(l *configerr.List, engine *verify.Engine, revoker Revoker) {
	read, ends := 0, 0
	for _, r := range engine.Issuers() {
		if !readsSession(r) && !readsSubject(r) {
			continue
		}
		read++
		if revoker != nil && r.Issuer != "" && !revoker.RevokesFor(r.Issuer) {
			continue
		}
		ends++
		if r.Issuer == "" {
			l.Add("Issuer", "is not set, and logout tokens end the sessions of an issuer", "write it exactly as in the tokens' iss, e.g. https://login.example.com")
		}
		if r.MaxAge == 0 {
			l.Add("MaxTokenAge", "is not set, so logouts would be stored forever", "write the longest lifetime of an access token, e.g. 1 h")
		}
	}
	switch {
	case read == 0:
		l.Add("Sessions", "reads neither sid nor sub, so a logout would end nothing", `set a session store with the user claim "sub" or the session claim "sid"`)
	case ends == 0:
		l.Add("revoker", "is for none of the issuers whose sessions are checked", "set that of the store in Config.Sessions, with the same Issuer; a store that looks up neither sid nor sub has none")
	}
}

// readsSession reports whether `sid` names sessions that are checked.
func readsSession(r *verify.Rules) bool { return r.Sessions != nil && r.Sessions.SessionClaim == "sid" }

// readsSubject reports whether `sub` names users whose sessions are checked.
func readsSubject(r *verify.Rules) bool { return r.Sessions != nil && r.Sessions.UserClaim == "sub" }

// Receive verifies a logout token and ends what it names. With `sid` it ends that session, and no
// newer one of the same user. Without `sid`, or if the store does not read it or the revoker cannot end
// it, it ends all sessions of `sub` whose tokens were issued before the logout. A token that was
// processed before is refused. Its `jti` is recorded only after the revocation has succeeded, so the provider can try again until
// then.
//
// Nil means that the session has ended. [sso.DenialOf] returns the response to an error (section
// 2.8): 400 for a token that is empty, invalid or ends nothing here, 503 if keys or the store are
// unavailable. A client that disconnects does not stop the revocation, which takes at most 10 s.
func (l *Receiver) Receive(ctx context.Context, token string) error {
	if l == nil || l.engine == nil {
		return errNotCreated
	}
	err := protect.Call(func() error { return l.receive(ctx, token) })
	if err == nil {
		return nil
	}
	return l.auth.Refuse(ctx, "logout token", err, func(d sso.Denial) sso.Denial {
		if d.Status >= http.StatusInternalServerError {
			return d
		}
		return sso.Denial{ // as in RFC 6749, section 5.2
			Status: http.StatusBadRequest,
			Code:   sso.CodeInvalidRequest,
			Header: http.Header{"Content-Type": {"application/json"}, "Cache-Control": {"no-store"}},
			Body:   []byte(`{"error":"` + sso.CodeInvalidRequest + `"}`),
		}
	})
}

// ReceiveForm is [Receiver.Receive] for the body of a request, a form with exactly one logout_token.
func (l *Receiver) ReceiveForm(ctx context.Context, contentType, body string) error {
	media, _, err := mime.ParseMediaType(contentType)
	form, invalid := url.ParseQuery(body)
	tokens := form["logout_token"]
	if err != nil || media != "application/x-www-form-urlencoded" || invalid != nil || len(tokens) != 1 {
		tokens = []string{""}
	}
	return l.Receive(ctx, tokens[0])
}

func (l *Receiver) receive(ctx context.Context, token string) error {
	var (
		ends       []Revocation
		id         string
		until      time.Time
		unreadable error
	)
	err := l.engine.Verify(ctx, token, verify.LogoutToken, l.clientIDs, nil, func(t *verify.Token) {
		ends, unreadable = revocations(t)
		id, _ = t.Claims().Get("jti").Text()
		until = t.Times.Expires.Add(t.Leeway + clockSkew)
	})
	if err != nil {
		return err
	}
	if unreadable != nil {
		return unreadable
	}
	issuer := ends[0].Issuer
	if !l.revoker.RevokesFor(issuer) {
		return noSession("the revoker is not for the issuer %q", verify.Clip(issuer))
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), revokeTimeout)
	defer cancel()
	before, err := l.revoker.LogoutRecorded(ctx, issuer, id)
	if err != nil {
		return l.auth.SessionsUnavailable(err)
	}
	if before {
		return &sso.TokenError{Name: "jti", Reason: sso.ReasonReplayed, Err: errors.New("the logout token was processed before")}
	}
	for _, r := range ends { // the next, if the revoker cannot end this one
		revoke := l.revoker.RevokeSession
		if r.SessionID == "" {
			revoke = l.revoker.RevokeSubject
		}
		if err = revoke(ctx, r); !errors.Is(err, errors.ErrUnsupported) {
			break
		}
	}
	if errors.Is(err, errors.ErrUnsupported) {
		return noSession("the store cannot end what the logout token names: %v", err)
	} else if err != nil {
		return l.auth.SessionsUnavailable(err)
	}
	if err := l.revoker.RecordLogout(ctx, issuer, id, until); err != nil {
		return l.auth.SessionsUnavailable(err)
	}
	l.auth.Observe(sso.Event{Kind: sso.EventSessionRevoked, Context: ctx})
	return nil
}

func noSession(format string, args ...any) error {
	return &sso.TokenError{Name: "sid", Reason: sso.ReasonNoSession, Err: fmt.Errorf(format, args...)}
}

// revocations returns what a logout token can end under the session policy of its issuer, narrowest
// first.
func revocations(t *verify.Token) (ends []Revocation, err error) {
	latest := slices.MaxFunc([]time.Time{t.Now(), t.Times.Issued}, time.Time.Compare)
	sub, _ := t.Claims().Get("sub").Text()
	sid, _ := t.Claims().Get("sid").Text()
	r := Revocation{Issuer: t.Issuer, Subject: sub, Until: latest.Add(t.MaxAge + t.Leeway + clockSkew)}
	if t.Sessions != nil {
		r.Audience = t.Sessions.Audience
	}
	if readsSubject(t.Rules) {
		r.User = sub
	}
	if sid != "" && readsSession(t.Rules) {
		r.SessionID = sid
		ends = append(ends, r)
	}
	if sub != "" && readsSubject(t.Rules) {
		r.SessionID, r.IssuedBefore = "", t.Times.Issued.Truncate(time.Second).Add(time.Second)
		ends = append(ends, r)
	}
	if len(ends) == 0 {
		return nil, noSession("no session store reads what the logout token names: sid %t, sub %t", sid != "", sub != "")
	}
	return ends, nil
}
