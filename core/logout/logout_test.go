package logout_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/logout"
	"github.com/more-retail/moresso-go/core/sso"
)

const logoutMember = `{"http://schemas.openid.net/event/backchannel-logout":{}}`

// logoutClaims returns the claims of a valid logout token with changes.
func logoutClaims(changes ...string) string {
	return object([]string{
		"iss", `"` + issuerID + `"`, "aud", `"web"`, "sub", `"ada"`, "sid", `"s1"`, "jti", `"l1"`,
		"iat", fmt.Sprint(T.Unix()), "exp", fmt.Sprint(T.Add(2 * time.Minute).Unix()), "events", logoutMember,
	}, changes)
}

func logoutHeader(changes ...string) string {
	return headerWith(append([]string{"typ", `"logout+jwt"`}, changes...)...)
}

// logoutToken returns a valid logout token for ada with changes to its claims.
func logoutToken(changes ...string) string {
	return signed(ada, logoutHeader(), logoutClaims(changes...))
}

func at(d time.Duration) string { return fmt.Sprint(T.Add(d).Unix()) }

// logoutCases are logout tokens for the client "web". Each is valid except for what its name says.
var logoutCases = []struct {
	name   string
	header []string // changes
	claims []string
	reason sso.Reason // none: accepted
}{
	{"one as the specification shows it", nil, nil, ""},
	{"typ JWT", []string{"typ", `"JWT"`}, nil, ""},
	{"typ in capitals", []string{"typ", `"LOGOUT+JWT"`}, nil, ""},
	{"typ as a whole media type", []string{"typ", `"application/logout+jwt"`}, nil, ""},
	{"no typ", []string{"typ", ""}, nil, ""},
	{"typ of an access token", []string{"typ", `"at+jwt"`}, nil, sso.ReasonTokenType},
	{"typ of an access token, whole", []string{"typ", `"application/at+jwt"`}, nil, sso.ReasonTokenType},
	{"typ of a security event", []string{"typ", `"secevent+jwt"`}, nil, sso.ReasonTokenType},
	{"typ null", []string{"typ", `null`}, nil, ""},
	{"typ empty", []string{"typ", `""`}, nil, ""},
	{"crit", []string{"crit", `["exp"]`}, nil, sso.ReasonCriticalHeader},
	{"crit empty", []string{"crit", `[]`}, nil, sso.ReasonCriticalHeader},
	{"b64", []string{"b64", `false`}, nil, sso.ReasonUnsupportedHeader},
	{"zip", []string{"zip", `"DEF"`}, nil, sso.ReasonUnsupportedHeader},
	{"cty", []string{"cty", `"JWT"`}, nil, sso.ReasonTokenType},
	{"alg none", []string{"alg", `"none"`}, nil, sso.ReasonAlgorithm},
	{"alg missing", []string{"alg", ""}, nil, sso.ReasonAlgorithm},
	{"alg symmetric", []string{"alg", `"HS256"`}, nil, sso.ReasonAlgorithm},
	{"alg that is not configured", []string{"alg", `"RS256"`}, nil, sso.ReasonAlgorithm},
	{"no kid, where one key fits", []string{"kid", ""}, nil, ""},
	{"an unknown kid", []string{"kid", `"eve"`}, nil, sso.ReasonUnknownKey},
	{"a kid that is a number", []string{"kid", `1`}, nil, sso.ReasonKeyID},
	{"a header name in another case", []string{"TYP", `"JWT"`}, nil, sso.ReasonMalformed},

	{"no iss", nil, []string{"iss", ""}, sso.ReasonWrongIssuer},
	{"another's iss", nil, []string{"iss", `"https://impostor.example"`}, sso.ReasonWrongIssuer},
	{"iss with a slash more", nil, []string{"iss", `"` + issuerID + `/"`}, sso.ReasonWrongIssuer},
	{"iss null", nil, []string{"iss", `null`}, sso.ReasonMalformedClaim},
	{"iss a list", nil, []string{"iss", `["` + issuerID + `"]`}, sso.ReasonMalformedClaim},

	{"aud a list", nil, []string{"aud", `["web"]`}, ""},
	{"aud a list with others", nil, []string{"aud", `["app","web"]`}, ""},
	{"aud of the other client", nil, []string{"aud", `"phone"`}, ""},
	{"no aud", nil, []string{"aud", ""}, sso.ReasonWrongAudience},
	{"aud of the API, which is not the client", nil, []string{"aud", `"api"`}, sso.ReasonWrongAudience},
	{"aud of another client", nil, []string{"aud", `"app"`}, sso.ReasonWrongAudience},
	{"aud in another case", nil, []string{"aud", `"WEB"`}, sso.ReasonWrongAudience},
	{"aud empty", nil, []string{"aud", `""`}, sso.ReasonWrongAudience},
	{"aud an empty list", nil, []string{"aud", `[]`}, sso.ReasonWrongAudience},
	{"aud null", nil, []string{"aud", `null`}, sso.ReasonWrongAudience},
	{"aud a list with a number", nil, []string{"aud", `["web",1]`}, sso.ReasonMalformedClaim},

	{"no iat", nil, []string{"iat", ""}, sso.ReasonMissingClaim},
	{"iat null", nil, []string{"iat", `null`}, sso.ReasonMissingClaim},
	{"iat a string", nil, []string{"iat", `"` + at(0) + `"`}, sso.ReasonMalformedClaim},
	{"iat ahead by the leeway", nil, []string{"iat", at(time.Minute)}, ""},
	{"iat ahead by more than the leeway", nil, []string{"iat", at(time.Minute + time.Second)}, sso.ReasonIssuedInFuture},
	{"exp just within the leeway", nil, []string{"exp", at(-59 * time.Second)}, ""},
	{"exp past the leeway", nil, []string{"exp", at(-time.Minute)}, sso.ReasonExpired},
	{"exp null", nil, []string{"exp", `null`}, sso.ReasonMalformedClaim},
	{"exp zero", nil, []string{"exp", `0`}, sso.ReasonMalformedClaim},
	{"no exp, fresh", nil, []string{"exp", ""}, ""},
	{"no exp, of ten minutes ago", nil, []string{"exp", "", "iat", at(-10 * time.Minute)}, ""},
	{"no exp, older than ten minutes and the leeway", nil, []string{"exp", "", "iat", at(-11 * time.Minute)}, sso.ReasonExpired},
	{"no exp, from the beginning of time", nil, []string{"exp", "", "iat", `0`}, sso.ReasonExpired},
	{"nbf ahead", nil, []string{"nbf", at(2 * time.Minute)}, sso.ReasonNotYetValid},
	{"valid for longer than an access token may be", nil, []string{"exp", at(100 * time.Hour)}, ""},

	{"no jti", nil, []string{"jti", ""}, sso.ReasonMissingClaim},
	{"jti empty", nil, []string{"jti", `""`}, sso.ReasonMissingClaim},
	{"jti null", nil, []string{"jti", `null`}, sso.ReasonMissingClaim},
	{"jti a number", nil, []string{"jti", `1`}, sso.ReasonMalformedClaim},

	{"no events", nil, []string{"events", ""}, sso.ReasonTokenKind},
	{"events null", nil, []string{"events", `null`}, sso.ReasonTokenKind},
	{"events empty", nil, []string{"events", `{}`}, sso.ReasonTokenKind},
	{"events a list", nil, []string{"events", `["http://schemas.openid.net/event/backchannel-logout"]`}, sso.ReasonTokenKind},
	{"events a string", nil, []string{"events", `"http://schemas.openid.net/event/backchannel-logout"`}, sso.ReasonTokenKind},
	{"another event", nil, []string{"events", `{"http://schemas.openid.net/event/backchannel-login":{}}`}, sso.ReasonTokenKind},
	{"the event over https", nil, []string{"events", `{"https://schemas.openid.net/event/backchannel-logout":{}}`}, sso.ReasonTokenKind},
	{"the event in another case", nil, []string{"events", `{"http://schemas.openid.net/event/backchannel-LOGOUT":{}}`}, sso.ReasonTokenKind},
	{"the event null", nil, []string{"events", `{"http://schemas.openid.net/event/backchannel-logout":null}`}, sso.ReasonTokenKind},
	{"the event true", nil, []string{"events", `{"http://schemas.openid.net/event/backchannel-logout":true}`}, sso.ReasonTokenKind},
	{"the event a list", nil, []string{"events", `{"http://schemas.openid.net/event/backchannel-logout":[]}`}, sso.ReasonTokenKind},
	{"the event with members", nil, []string{"events", `{"http://schemas.openid.net/event/backchannel-logout":{"reason":"x"}}`}, ""},
	{"the event beside another", nil, []string{"events", `{"urn:x":{},"http://schemas.openid.net/event/backchannel-logout":{}}`}, ""},
	{"the event twice", nil, []string{"events", `{"http://schemas.openid.net/event/backchannel-logout":1,"http://schemas.openid.net/event/backchannel-logout":{}}`}, sso.ReasonMalformed},
	{"the event at the top", nil, []string{"events", "", "http://schemas.openid.net/event/backchannel-logout", `{}`}, sso.ReasonTokenKind},

	{"nonce", nil, []string{"nonce", `"n"`}, sso.ReasonTokenKind},
	{"nonce empty", nil, []string{"nonce", `""`}, ""},
	{"nonce null", nil, []string{"nonce", `null`}, ""},
	{"nonce beside a scope", nil, []string{"nonce", `"n"`, "scope", `"a"`}, sso.ReasonTokenKind},
	{"Nonce", nil, []string{"Nonce", `"n"`}, sso.ReasonMalformed},
	{"at_hash of an ID token", nil, []string{"at_hash", `"x"`}, sso.ReasonTokenKind},
	{"a payload typ of ID", nil, []string{"typ", `"ID"`}, sso.ReasonTokenKind},
	{"a payload typ of Refresh", nil, []string{"typ", `"Refresh"`}, sso.ReasonTokenKind},
	{"a payload typ of Logout", nil, []string{"typ", `"Logout"`}, ""},

	{"sid alone", nil, []string{"sub", ""}, ""},
	{"sub alone", nil, []string{"sid", ""}, ""},
	{"neither sid nor sub", nil, []string{"sid", "", "sub", ""}, sso.ReasonMissingClaim},
	{"sid null", nil, []string{"sid", `null`}, ""},
	{"sid null, without a sub", nil, []string{"sid", `null`, "sub", ""}, sso.ReasonMissingClaim},
	{"sid empty", nil, []string{"sid", `""`}, ""},
	{"sid a number, beside a sub", nil, []string{"sid", `1`}, sso.ReasonMalformedClaim},
	{"sid a list", nil, []string{"sid", `["s1"]`}, sso.ReasonMalformedClaim},
	{"sub null, beside a sid", nil, []string{"sub", `null`}, sso.ReasonMalformedClaim},
	{"sub empty", nil, []string{"sub", `""`}, ""},
	{"sub and sid empty", nil, []string{"sub", `""`, "sid", `""`}, sso.ReasonMissingClaim},
	{"Sid", nil, []string{"Sid", `"s2"`}, sso.ReasonMalformed},
	{"SUB", nil, []string{"SUB", `"eve"`}, sso.ReasonMalformed},

	{"cnf, which a logout does not care for", nil, []string{"cnf", `{"jkt":"x"}`}, ""},
	{"another client_id than those whose access tokens are accepted", nil, []string{"client_id", `"app"`}, ""},
}

// receive processes a logout token and returns what was revoked.
func receive(t testing.TB, a *sso.Authenticator, token string, clientIDs ...string) (logout.Revocation, error) {
	t.Helper()
	store := newSignedOut()
	receiver, err := logout.New(a, store, clientIDs...)
	if err != nil {
		t.Fatal(err)
	}
	err = receiver.Receive(t.Context(), token)
	return store.last, err
}

func TestReceive_Specification(t *testing.T) {
	a := newAuth(t, func(c *sso.Config) { c.ClientIDs, c.TokenType = []string{"api-client"}, sso.StrictAccessToken })
	for _, test := range logoutCases {
		t.Run(test.name, func(t *testing.T) {
			token := signed(ada, logoutHeader(test.header...), logoutClaims(test.claims...))
			revoked, err := receive(t, a, token, "phone", "web")
			if (revoked.Issuer == "") == (err == nil) || (err == nil) != (test.reason == "") || err != nil && reasonIn(err) != test.reason {
				t.Fatalf("%v, want %q", err, test.reason)
			}
			if err == nil {
				return
			}
			if d := sso.DenialOf(err); d.Status != http.StatusBadRequest || string(d.Body) != `{"error":"invalid_request"}` || d.Header.Get("Cache-Control") != "no-store" || d.Header.Get("WWW-Authenticate") != "" {
				t.Errorf("%d %v %s", d.Status, d.Header, d.Body)
			}
			if class(err) != "invalid token" {
				t.Errorf("%s", class(err))
			}
		})
	}
}

func TestReceive_UntrustedToken(t *testing.T) {
	a := newAuth(t)
	for name, test := range map[string]struct {
		token  string
		reason sso.Reason
	}{
		"by another's key":        {signed(mallory, logoutHeader(), logoutClaims()), sso.ReasonBadSignature},
		"by another's, no kid":    {signed(mallory, logoutHeader("kid", ""), logoutClaims()), sso.ReasonBadSignature},
		"altered":                 {altered(logoutToken(), logoutClaims("sid", `"s2"`)), sso.ReasonBadSignature},
		"without a signature":     {strings.Join(strings.Split(logoutToken(), ".")[:2], ".") + ".", sso.ReasonMalformed},
		"empty":                   {"", sso.ReasonMalformed},
		"encrypted":               {"a.b.c.d.e", sso.ReasonEncrypted},
		"longer than is read":     {logoutToken("x", `"`+strings.Repeat("x", 16<<10)+`"`), sso.ReasonTooLarge},
		"a claim twice":           {signed(ada, logoutHeader(), strings.Replace(logoutClaims(), `"sid"`, `"sid":"s0","sid"`, 1)), sso.ReasonMalformed},
		"with a key of its own":   {signed(mallory, logoutHeader("jwk", `{"kty":"OKP","crv":"Ed25519","x":"`+b64(mallory[32:])+`"}`), logoutClaims()), sso.ReasonBadSignature},
		"a line break at its end": {logoutToken() + "\n", sso.ReasonMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := receive(t, a, test.token, "web"); reasonIn(err) != test.reason {
				t.Errorf("%v, want %q", err, test.reason)
			}
		})
	}
}

// altered is a token with other claims under its old signature.
func altered(token, claims string) string {
	parts := strings.Split(token, ".")
	return parts[0] + "." + b64([]byte(claims)) + "." + parts[2]
}

func TestValidateToken_LogoutToken(t *testing.T) {
	a := newAuth(t)
	both := []string{"aud", `["api","web"]`, "exp", at(time.Hour), "scope", `"read"`}
	for _, typ := range []string{"", `"JWT"`, `"logout+jwt"`, `"at+jwt"`} {
		for range 2 { // the second time it could be cached
			token := signed(ada, logoutHeader("typ", typ), logoutClaims(both...))
			if _, err := receive(t, a, token, "web"); (err == nil) != (typ != `"at+jwt"`) {
				t.Fatalf("typ %s: %v", typ, err)
			}
			if p, err := a.ValidateToken(t.Context(), token); p != nil || reasonIn(err) != sso.ReasonTokenKind && reasonIn(err) != sso.ReasonTokenType {
				t.Errorf("typ %s opened a route: %v", typ, err)
			}
		}
		// A cached header does not help a token without events.
		plain := signed(ada, logoutHeader("typ", `"logout+jwt"`), claimsWith())
		if _, err := a.ValidateToken(t.Context(), plain); reasonIn(err) != sso.ReasonTokenType {
			t.Errorf("an access token of typ logout+jwt: %v", err)
		}
	}
}

func TestReceive_AccessToken(t *testing.T) {
	a := newAuth(t)
	for typ, reason := range map[string]sso.Reason{"": sso.ReasonTokenKind, `"JWT"`: sso.ReasonTokenKind, `"at+jwt"`: sso.ReasonTokenType} {
		token := signed(ada, headerWith("typ", typ), claimsWith("aud", `["api","web"]`, "sid", `"s1"`, "jti", `"t1"`))
		for range 2 { // the second time it is cached, as an access token
			if _, err := a.ValidateToken(t.Context(), token); err != nil {
				t.Fatal(err)
			}
			if _, err := receive(t, a, token, "web", "api"); reasonIn(err) != reason {
				t.Errorf("typ %s: %v, want %q", typ, err, reason)
			}
		}
	}
	for name, claims := range map[string][]string{
		"an ID token":               {"nonce", `"n"`, "aud", `"web"`},
		"an ID token with an event": {"nonce", `"n"`, "aud", `"web"`, "events", logoutMember, "jti", `"x"`},
		"a refresh token":           {"typ", `"Refresh"`, "aud", `"web"`, "jti", `"x"`},
	} {
		if _, err := receive(t, a, token(claims...), "web"); reasonIn(err) != sso.ReasonTokenKind {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// issuedLogout is a development issuer's logout token for the client "web".
func issuedLogout(issuer *devissuer.Issuer, opts ...devissuer.TokenOption) string {
	return issuer.MustToken(append([]devissuer.TokenOption{
		devissuer.Header("typ", "logout+jwt"), devissuer.Audience("web"), devissuer.Subject("ada"), devissuer.Claim("sid", "s1"),
		devissuer.ValidFor(2 * time.Minute), devissuer.Claim("events", map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}),
	}, opts...)...)
}

// signedOut is a store of what was revoked, in memory.
type signedOut struct {
	mu       sync.Mutex
	sessions map[[2]string]time.Time // issuer and session: until
	subjects map[[2]string]time.Time // issuer and subject: issued before
	recorded map[[2]string]time.Time
	calls    []string
	last     logout.Revocation
	fail     map[string]error // by the name of the method
	panics   bool
	during   func()
	policy   sso.SessionPolicy
	issuers  []string // it revokes for; nil: all
}

func (s *signedOut) SessionPolicy() sso.SessionPolicy { return s.policy }

func (s *signedOut) RevokesFor(issuer string) bool {
	return s.issuers == nil || slices.Contains(s.issuers, issuer)
}

func newSignedOut() *signedOut {
	return &signedOut{sessions: map[[2]string]time.Time{}, subjects: map[[2]string]time.Time{}, recorded: map[[2]string]time.Time{}, fail: map[string]error{}, policy: sso.SessionPolicy{UserClaim: "sub", SessionClaim: "sid"}}
}

func (s *signedOut) call(ctx context.Context, name string) error {
	s.calls = append(s.calls, name)
	if s.during != nil {
		s.during()
	}
	if s.panics {
		panic("in the store")
	}
	return errors.Join(s.fail[name], ctx.Err())
}

func (s *signedOut) Check(_ context.Context, session sso.Session) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ended := s.sessions[[2]string{session.Issuer, session.ID}]; ended {
		return sso.ErrSessionEnded
	}
	if before, ended := s.subjects[[2]string{session.Issuer, session.Subject}]; ended && session.IssuedAt.Before(before) {
		return sso.ErrSessionEnded
	}
	return nil
}

func (s *signedOut) RevokeSession(ctx context.Context, r logout.Revocation) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = r
	if err := s.call(ctx, "session"); err != nil {
		return err
	}
	s.sessions[[2]string{r.Issuer, r.SessionID}] = r.Until
	return nil
}

func (s *signedOut) RevokeSubject(ctx context.Context, r logout.Revocation) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = r
	if err := s.call(ctx, "subject"); err != nil {
		return err
	}
	s.subjects[[2]string{r.Issuer, r.Subject}] = r.IssuedBefore
	return nil
}

func (s *signedOut) LogoutRecorded(ctx context.Context, issuer, id string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.call(ctx, "recorded"); err != nil {
		return false, err
	}
	_, ok := s.recorded[[2]string{issuer, id}]
	return ok, nil
}

func (s *signedOut) RecordLogout(ctx context.Context, issuer, id string, until time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.call(ctx, "record"); err != nil {
		return err
	}
	s.recorded[[2]string{issuer, id}] = until
	return nil
}

// withLogout returns an authenticator that looks sessions up by sid and sub, its receiver and its store.
func withLogout(t testing.TB, change ...func(*sso.Config)) (*sso.Authenticator, *logout.Receiver, *signedOut) {
	t.Helper()
	store := newSignedOut()
	a := newAuth(t, append([]func(*sso.Config){func(c *sso.Config) { c.Sessions, c.MaxTokenAge = store, time.Hour }}, change...)...)
	receiver, err := logout.New(a, store, "web")
	if err != nil {
		t.Fatal(err)
	}
	return a, receiver, store
}

func ofSession(sid string, changes ...string) string {
	return token(append([]string{"sid", `"` + sid + `"`, "exp", at(30 * time.Minute)}, changes...)...)
}

// lives reports whether a token is accepted; any other refusal than that its session ended fails
// the test.
func lives(t *testing.T, a *sso.Authenticator, token string) bool {
	t.Helper()
	_, err := a.ValidateToken(t.Context(), token)
	if err != nil && reasonIn(err) != sso.ReasonSessionEnded {
		t.Fatal(err)
	}
	return err == nil
}

func TestReceive_BySession(t *testing.T) {
	a, receiver, store := withLogout(t)
	old, newer := ofSession("s1"), ofSession("s2")
	if !lives(t, a, old) || !lives(t, a, newer) {
		t.Fatal("no session lives")
	}
	if err := receiver.Receive(t.Context(), logoutToken()); err != nil {
		t.Fatal(err)
	}
	if lives(t, a, old) {
		t.Error("the session has not ended")
	}
	if !lives(t, a, newer) {
		t.Error("another session of the user ended with it")
	}
	want := logout.Revocation{Issuer: issuerID, Audience: "api", SessionID: "s1", Subject: "ada", User: "ada", Until: T.Add(time.Hour + 60*time.Second + time.Minute)}
	if got := store.last; !got.Until.Equal(want.Until) || !got.IssuedBefore.IsZero() || got.Issuer != want.Issuer || got.Audience != want.Audience || got.SessionID != want.SessionID || got.Subject != want.Subject || got.User != want.User {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if until := store.recorded[[2]string{issuerID, "l1"}]; !until.Equal(T.Add(2*time.Minute + 60*time.Second + time.Minute)) {
		t.Errorf("the jti is recorded until %v", until)
	}
	if !slices.Equal(store.calls, []string{"recorded", "session", "record"}) {
		t.Errorf("%v", store.calls)
	}
}

func TestReceive_BySubject(t *testing.T) {
	a, receiver, store := withLogout(t)
	if err := receiver.Receive(t.Context(), logoutToken("sid", "")); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		token string
		lives bool
	}{
		"issued before":                 {ofSession("s1", "iat", at(-time.Minute)), false},
		"issued within the same second": {ofSession("s2"), false},
		"issued a second later":         {ofSession("s3", "iat", at(time.Second)), true},
		"issued to another user":        {ofSession("s4", "sub", `"bob"`, "iat", at(-time.Minute)), true},
	} {
		if got := lives(t, a, test.token); got != test.lives {
			t.Errorf("%s: lives %t", name, got)
		}
	}
	if !store.last.IssuedBefore.Equal(T.Add(time.Second)) || store.last.SessionID != "" || store.last.Subject != "ada" {
		t.Errorf("%+v", store.last)
	}
	// A date with a fraction counts for the second that it is in, no more.
	if err := receiver.Receive(t.Context(), logoutToken("sid", "", "jti", `"l2"`, "iat", at(-2*time.Second)+".75")); err != nil || !store.last.IssuedBefore.Equal(T.Add(-time.Second)) {
		t.Errorf("%v, %v", store.last.IssuedBefore, err)
	}
}

func TestReceive_Until(t *testing.T) {
	_, receiver, store := withLogout(t)
	for name, test := range map[string]struct {
		iat  time.Duration
		want time.Duration
	}{
		"one issued a minute ago":                 {-time.Minute, 0},
		"one by a provider whose clock is faster": {30 * time.Second, 30 * time.Second},
	} {
		if err := receiver.Receive(t.Context(), logoutToken("iat", at(test.iat), "jti", `"`+name+`"`)); err != nil {
			t.Fatal(err)
		}
		if want := T.Add(test.want + time.Hour + 60*time.Second + time.Minute); !store.last.Until.Equal(want) {
			t.Errorf("%s: until %v, want %v", name, store.last.Until, want)
		}
	}
}

func TestReceive_Replay(t *testing.T) {
	_, receiver, store := withLogout(t)
	token := logoutToken()
	if err := receiver.Receive(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	err := receiver.Receive(t.Context(), token)
	if reasonIn(err) != sso.ReasonReplayed || sso.DenialOf(err).Status != http.StatusBadRequest {
		t.Errorf("%v", err)
	}
	if !slices.Equal(store.calls, []string{"recorded", "session", "record", "recorded"}) {
		t.Errorf("%v", store.calls)
	}
	if err := receiver.Receive(t.Context(), logoutToken("jti", `"l2"`)); err != nil {
		t.Errorf("a session that has ended ends again: %v", err)
	}
}

func TestReceive_Retry(t *testing.T) {
	for _, step := range []string{"recorded", "session", "record"} {
		t.Run(step, func(t *testing.T) {
			_, receiver, store := withLogout(t)
			store.fail[step] = &sso.TokenError{Reason: sso.ReasonExpired, Err: errors.New("who says that")}
			err := receiver.Receive(t.Context(), logoutToken())
			d := sso.DenialOf(err)
			if class(err) != "unavailable" || d.Status != http.StatusServiceUnavailable || d.Header.Get("Retry-After") != "1" || d.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%d, %v (%s)", d.Status, err, class(err))
			}
			if len(store.recorded) > 0 {
				t.Error("the jti was recorded")
			}
			if step == "session" && slices.Contains(store.calls, "record") {
				t.Error("a record was attempted before the revocation had succeeded")
			}
			delete(store.fail, step)
			if err := receiver.Receive(t.Context(), logoutToken()); err != nil {
				t.Errorf("again: %v", err)
			}
		})
	}
}

// A logout by sub follows if the revoker cannot end the session.
func TestReceive_Unsupported(t *testing.T) {
	unsupported, down := fmt.Errorf("sessions by their user only: %w", errors.ErrUnsupported), errors.New("connection refused")
	for name, test := range map[string]struct {
		user             string // the user claim of the policy
		changes          []string
		session, subject error
		calls            []string
		status           int
	}{
		"by sub":                {"sub", nil, unsupported, nil, []string{"recorded", "session", "subject", "record"}, http.StatusOK},
		"neither":               {"sub", nil, unsupported, unsupported, []string{"recorded", "session", "subject"}, http.StatusBadRequest},
		"by sub, which is down": {"sub", nil, unsupported, down, []string{"recorded", "session", "subject"}, http.StatusServiceUnavailable},
		"the session is down":   {"sub", nil, down, nil, []string{"recorded", "session"}, http.StatusServiceUnavailable},
		"without sub":           {"sub", []string{"sub", ""}, unsupported, nil, []string{"recorded", "session"}, http.StatusBadRequest},
		"sub is not looked up":  {"", nil, unsupported, nil, []string{"recorded", "session"}, http.StatusBadRequest},
		"the session":           {"sub", nil, nil, unsupported, []string{"recorded", "session", "record"}, http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			_, receiver, store := withLogout(t, func(c *sso.Config) {
				c.Sessions.(*signedOut).policy = sso.SessionPolicy{UserClaim: test.user, SessionClaim: "sid"} //nolint:errcheck // by withLogout
			})
			store.fail["session"], store.fail["subject"] = test.session, test.subject
			err := receiver.Receive(t.Context(), logoutToken(test.changes...))
			status := http.StatusOK
			if err != nil {
				status = sso.DenialOf(err).Status
			}
			if status != test.status || !slices.Equal(store.calls, test.calls) || (len(store.recorded) > 0) != (err == nil) {
				t.Errorf("%d, %v: %v", status, store.calls, err)
			}
			if bySubject := store.last.SessionID == ""; bySubject != slices.Contains(store.calls, "subject") || bySubject == store.last.IssuedBefore.IsZero() {
				t.Errorf("%+v", store.last)
			}
		})
	}
}

func TestReceive_RevokerPanic(t *testing.T) {
	_, receiver, store := withLogout(t)
	store.panics = true
	if err := receiver.Receive(t.Context(), logoutToken()); err == nil || sso.DenialOf(err).Status != http.StatusInternalServerError || len(store.recorded) > 0 {
		t.Errorf("%v", err)
	}
}

func TestReceive_ClientGone(t *testing.T) {
	a, receiver, store := withLogout(t)
	ctx, cancel := context.WithCancel(t.Context())
	store.during = cancel
	if err := receiver.Receive(ctx, logoutToken()); err != nil || lives(t, a, ofSession("s1")) {
		t.Errorf("%v", err)
	}
	bounded := false
	receiver, err := logout.New(a, revokerFunc(func(ctx context.Context) error {
		_, bounded = ctx.Deadline()
		return nil
	}), "web")
	if err != nil || receiver.Receive(t.Context(), logoutToken()) != nil || !bounded {
		t.Errorf("the revocation has no bound: %v", err)
	}
}

// revokerFunc handles every call.
type revokerFunc func(context.Context) error

func (revokerFunc) RevokesFor(string) bool { return true }

func (f revokerFunc) RevokeSession(ctx context.Context, _ logout.Revocation) error { return f(ctx) }
func (f revokerFunc) RevokeSubject(ctx context.Context, _ logout.Revocation) error { return f(ctx) }
func (f revokerFunc) LogoutRecorded(ctx context.Context, _, _ string) (bool, error) {
	return false, f(ctx)
}

func (f revokerFunc) RecordLogout(ctx context.Context, _, _ string, _ time.Time) error { return f(ctx) }

func TestReceive_InvalidToken(t *testing.T) {
	_, receiver, store := withLogout(t)
	for _, test := range logoutCases {
		token := signed(ada, logoutHeader(test.header...), logoutClaims(test.claims...))
		if err := receiver.Receive(t.Context(), token); test.reason != "" && reasonIn(err) != test.reason {
			t.Errorf("%s: %v", test.name, err)
		}
		if test.reason != "" && len(store.calls) > 0 {
			t.Fatalf("%s: the store was called", test.name)
		}
		store.calls, store.recorded = nil, map[[2]string]time.Time{}
	}
	if err := receiver.Receive(t.Context(), signed(mallory, logoutHeader(), logoutClaims())); reasonIn(err) != sso.ReasonBadSignature || len(store.calls) > 0 {
		t.Errorf("%v, %v", err, store.calls)
	}
}

// A logout must name a claim that the policy reads. Otherwise it would be answered with 200 and end
// nothing.
func TestReceive_SessionPolicy(t *testing.T) {
	for name, test := range map[string]struct {
		user, session string
		changes       []string
		want          string // the call; empty: refused
	}{
		"both, by both":                  {"sub", "sid", nil, "session"},
		"both, by the session alone":     {"", "sid", nil, "session"},
		"both, by the user alone":        {"sub", "", nil, "subject"},
		"both, by sessions of others":    {"sub", "session_id", nil, "subject"},
		"sid, by both":                   {"sub", "sid", []string{"sub", ""}, "session"},
		"sid, by the user alone":         {"sub", "", []string{"sub", ""}, ""},
		"sub, by both":                   {"sub", "sid", []string{"sid", ""}, "subject"},
		"sub, by the session alone":      {"", "sid", []string{"sid", ""}, ""},
		"sub, by users of another claim": {"user_id", "sid", []string{"sid", ""}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, receiver, store := withLogout(t, func(c *sso.Config) {
				c.Sessions.(*signedOut).policy = sso.SessionPolicy{UserClaim: test.user, SessionClaim: test.session} //nolint:errcheck // by withLogout
			})
			err := receiver.Receive(t.Context(), logoutToken(test.changes...))
			if test.want == "" {
				names := fmt.Sprintf("sid %t, sub %t", !slices.Contains(test.changes, "sid"), !slices.Contains(test.changes, "sub"))
				if reasonIn(err) != sso.ReasonNoSession || !strings.Contains(err.Error(), names) || len(store.calls) > 0 || sso.DenialOf(err).Status != http.StatusBadRequest {
					t.Errorf("%v, %v", err, store.calls)
				}
				return
			}
			if err != nil || !slices.Contains(store.calls, test.want) || len(store.calls) != 3 {
				t.Errorf("%v, %v", err, store.calls)
			}
			// A user by another claim is not whom the token calls sub.
			if test.user != "sub" && store.last.User != "" || test.user == "sub" && store.last.User != store.last.Subject {
				t.Errorf("%+v", store.last)
			}
		})
	}
}

// reading returns a store whose tokens name user and session by these claims.
func reading(user, session string) *signedOut {
	s := newSignedOut()
	s.policy = sso.SessionPolicy{UserClaim: user, SessionClaim: session}
	return s
}

func TestNew_Errors(t *testing.T) {
	var none *signedOut
	for name, test := range map[string]struct {
		change  func(*sso.Config)
		revoker logout.Revoker
		clients []string
		want    string
	}{
		"no sessions":               {func(c *sso.Config) { c.Sessions = nil }, newSignedOut(), []string{"web"}, "Sessions reads neither sid nor sub"},
		"no claims":                 {func(c *sso.Config) { c.Sessions = reading("", "") }, newSignedOut(), []string{"web"}, "Sessions reads neither sid nor sub"},
		"sid as a user":             {func(c *sso.Config) { c.Sessions = reading("sid", "") }, newSignedOut(), []string{"web"}, "Sessions reads neither sid nor sub"},
		"no issuer":                 {func(c *sso.Config) { c.Issuer, c.SkipIssuerCheck = "", true }, newSignedOut(), []string{"web"}, "Issuer is not set"},
		"no age":                    {func(c *sso.Config) { c.MaxTokenAge = 0 }, newSignedOut(), []string{"web"}, "MaxTokenAge is not set"},
		"no revoker":                {nil, nil, []string{"web"}, "revoker is nil"},
		"a nil revoker":             {nil, none, []string{"web"}, "revoker is nil"},
		"no client":                 {nil, newSignedOut(), nil, "clientIDs is empty"},
		"an empty client":           {nil, newSignedOut(), []string{"web", ""}, `clientIDs holds ""`},
		"a client with white space": {nil, newSignedOut(), []string{"web "}, `clientIDs holds "web "`},
		"sid alone":                 {func(c *sso.Config) { c.Sessions = reading("user_id", "sid") }, newSignedOut(), []string{"web"}, ""},
		"sub alone":                 {func(c *sso.Config) { c.Sessions = reading("sub", "") }, newSignedOut(), []string{"web", "app"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAuth(t, func(c *sso.Config) {
				c.Sessions, c.MaxTokenAge = newSignedOut(), time.Hour
				if test.change != nil {
					test.change(c)
				}
			})
			receiver, err := logout.New(a, test.revoker, test.clients...)
			if (err == nil) != (test.want == "") || (receiver == nil) != (err != nil) || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
	t.Run("all problems at once", func(t *testing.T) {
		_, err := logout.New(newAuth(t, func(c *sso.Config) { c.Sessions = nil }), nil)
		var all *sso.ConfigError
		if !errors.As(err, &all) || len(all.Problems) != 3 {
			t.Error(err)
		}
	})
	for _, a := range []*sso.Authenticator{nil, {}} {
		if receiver, err := logout.New(a, newSignedOut(), "web"); err == nil || receiver != nil {
			t.Error("an authenticator that New did not make")
		}
	}
	for _, receiver := range []*logout.Receiver{nil, {}} {
		if err := receiver.Receive(t.Context(), logoutToken()); err == nil || sso.DenialOf(err).Status != http.StatusInternalServerError {
			t.Errorf("one that was not made: %v", err)
		}
	}
}

func TestReceive_JoinRules(t *testing.T) {
	store := newSignedOut()
	reading := newAuth(t, func(c *sso.Config) { c.Sessions, c.MaxTokenAge = store, time.Hour })
	second, err := devissuer.New(devissuer.WithAlgorithm("EdDSA"), devissuer.WithIssuer("https://second.example"), devissuer.WithClock(newClock().Now))
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close() //nolint:errcheck // the end of a test server
	_, other := newProvider(t, func(_ *devissuer.Issuer, c *sso.Config) {
		c.PublicKeyURI, c.Issuer, c.HTTPClient, c.Sessions = second.JWKSURL(), second.URL(), second.Client(), nil
	})
	joined, err := sso.Join(reading, other)
	if err != nil {
		t.Fatal(err)
	}
	receiver, err := logout.New(joined, store, "web")
	if err != nil {
		t.Fatal(err)
	}
	if err := receiver.Receive(t.Context(), logoutToken()); err != nil {
		t.Error(err)
	}
	store.calls = nil
	for name, test := range map[string]struct {
		token  string
		reason sso.Reason
	}{
		"of an issuer without sessions": {issuedLogout(second), sso.ReasonNoSession},
		"of another issuer":             {logoutToken("iss", `"https://stranger.example"`), sso.ReasonWrongIssuer},
		"of one by the other's key":     {signed(ada, logoutHeader(), logoutClaims("iss", `"https://second.example"`)), sso.ReasonUnknownKey},
		"without issuer":                {logoutToken("iss", ""), sso.ReasonWrongIssuer},
	} {
		if err := receiver.Receive(t.Context(), test.token); reasonIn(err) != test.reason || len(store.calls) > 0 {
			t.Errorf("%s: %v, want %q", name, err, test.reason)
		}
	}
	if _, err := logout.New(other, store, "web"); err == nil {
		t.Error("one that looks at no sessions")
	}
}

func TestReceive_KeysUnavailable(t *testing.T) {
	store := newSignedOut()
	issuer, a := newProvider(t, func(i *devissuer.Issuer, c *sso.Config) {
		c.Sessions, c.MaxTokenAge = store, time.Hour
	})
	receiver, err := logout.New(a, store, "web")
	if err != nil {
		t.Fatal(err)
	}
	issuer.Down()
	err = receiver.Receive(t.Context(), issuedLogout(issuer))
	if d := sso.DenialOf(err); d.Status != http.StatusServiceUnavailable || class(err) != "unavailable" || d.Header.Get("Retry-After") == "" {
		t.Errorf("%d, %v", d.Status, err)
	}
	if err := receiver.Receive(t.Context(), issuedLogout(issuer, devissuer.Audience("others"))); sso.DenialOf(err).Status != http.StatusBadRequest {
		t.Errorf("what needs no key to be refused: %v", err)
	}
	if len(store.calls) > 0 {
		t.Error("the store was called")
	}
}

func TestReceive_Observed(t *testing.T) {
	var log lines
	var seen events
	_, receiver, store := withLogout(t, func(c *sso.Config) { c.Logger, c.Observe = log.logger(slog.LevelDebug), seen.Observe })
	valid, invalid := logoutToken(), logoutToken("nonce", `"n"`)
	for _, token := range []string{valid, valid, invalid, signed(mallory, logoutHeader(), logoutClaims())} {
		_ = receiver.Receive(t.Context(), token)
	}
	store.fail["recorded"] = errors.New("connection refused")
	_ = receiver.Receive(t.Context(), valid)
	if seen.count(sso.EventSessionRevoked) != 1 || seen.count(sso.EventRefused) != 4 || seen.count(sso.EventAuthenticated) > 0 {
		t.Errorf("%+v", seen.list)
	}
	text := log.String()
	for _, token := range []string{valid, invalid} {
		for part := range strings.SplitSeq(token, ".") {
			if strings.Contains(text, part) {
				t.Errorf("the log has a part of the token: %s", text)
			}
		}
	}
	for _, want := range []string{`"reason":"replayed"`, `"reason":"token_kind"`, `"reason":"bad_signature"`, `"reason":"sessions_unavailable"`, "logout token: ", `"status":400`, `"status":503`} {
		if !strings.Contains(text, want) {
			t.Errorf("the log has no %s: %s", want, text)
		}
	}
}

// FuzzLogoutToken signs any header and claims, and holds what is accepted
// against what the standard library reads.
func FuzzLogoutToken(f *testing.F) {
	for _, test := range logoutCases {
		f.Add(logoutHeader(test.header...), logoutClaims(test.claims...), "")
	}
	f.Add(headerWith(), claimsWith(), "")
	f.Add(logoutHeader(), logoutClaims(), "\n")
	for _, name := range []string{"aud", "events", "exp", "iat", "iss", "jti", "nonce", "sid", "sub"} {
		for _, spelling := range spellings(name) {
			f.Add(logoutHeader(), logoutClaims(spelling, `"x"`), "")
		}
	}
	a, receiver, store := withLogout(f)
	f.Fuzz(func(t *testing.T, header, claims, behind string) {
		token := signed(ada, header, claims) + behind
		store.calls, store.recorded = nil, map[[2]string]time.Time{}
		err := receiver.Receive(t.Context(), token)
		if err != nil {
			if class(err) != "invalid token" || reasonIn(err) == "none" || reasonIn(err) == sso.ReasonBadSignature && behind == "" {
				t.Fatalf("%s, %v", class(err), err)
			}
			if len(store.calls) > 0 {
				t.Fatalf("what is refused with %v ended a session", err)
			}
			return
		}
		if _, err := a.ValidateToken(t.Context(), token); err == nil {
			t.Fatalf("an access token and a logout token: %s", claims)
		}
		if len(store.calls) != 3 {
			t.Fatalf("%v", store.calls)
		}
		h, ok := members([]byte(header))
		c, ok2 := members([]byte(claims))
		if !ok || !ok2 || behind != "" {
			t.Fatalf("accepted %q.%q%q", header, claims, behind)
		}
		typ, ok := text(h["typ"])
		if h["typ"] != nil && string(h["typ"]) != "null" && (!ok || typ != "" && !slices.Contains([]string{"jwt", "logout+jwt", "jose"}, strings.TrimPrefix(strings.ToLower(typ), "application/"))) || h["crit"] != nil {
			t.Fatalf("accepted the header %s", header)
		}
		if name := folded(c, "aud", "events", "exp", "iat", "iss", "jti", "nonce", "sid", "sub"); name != "" || c["nonce"] != nil && string(c["nonce"]) != "null" && string(c["nonce"]) != `""` {
			t.Fatalf("accepted %q in %s", name, claims)
		}
		events, ok := members(c["events"])
		if _, ok2 := members(events["http://schemas.openid.net/event/backchannel-logout"]); !ok || !ok2 {
			t.Fatalf("accepted the events %s", c["events"])
		}
		jti, _ := text(c["jti"])
		_, recorded := store.recorded[[2]string{issuerID, jti}]
		sid, _ := text(c["sid"])
		sub, _ := text(c["sub"])
		if revoked := store.last; revoked.Issuer != issuerID || revoked.SessionID != sid || revoked.Subject != sub || sid+sub == "" || !recorded || jti == "" {
			t.Fatalf("accepted %s as %+v", claims, revoked)
		}
		if _, ok := number(c["iat"]); !ok {
			t.Fatalf("accepted the dates of %s", claims)
		}
	})
}

// forIssuers is a revoker of some issuers.
type forIssuers struct {
	*signedOut
	issuers []string
}

func (r forIssuers) RevokesFor(issuer string) bool { return slices.Contains(r.issuers, issuer) }

func TestReceive_JoinRevoker(t *testing.T) {
	second, err := devissuer.New(devissuer.WithAlgorithm("EdDSA"), devissuer.WithIssuer("https://second.example"), devissuer.WithClock(newClock().Now))
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close() //nolint:errcheck // the end of a test server
	one, two := newSignedOut(), newSignedOut()
	first := ""
	a := newAuth(t, func(c *sso.Config) {
		c.Sessions, c.MaxTokenAge, first = one, time.Hour, c.Issuer
	})
	_, b := newProvider(t, func(_ *devissuer.Issuer, c *sso.Config) {
		c.PublicKeyURI, c.Issuer, c.HTTPClient = second.JWKSURL(), second.URL(), second.Client()
		c.Sessions, c.MaxTokenAge = two, time.Hour
	})
	joined, err := sso.Join(a, b)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		revoker logout.Revoker
		want    string // empty: none
	}{
		"one for another issuer": {forIssuers{one, []string{"https://stranger.example"}}, "revoker is for none of the issuers"},
		"one for both":           {forIssuers{one, []string{first, second.URL()}}, ""},
	} {
		if receiver, err := logout.New(joined, test.revoker, "web"); (err == nil) != (test.want == "") || (receiver == nil) != (err != nil) || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
	plain := newAuth(t, func(c *sso.Config) { c.Issuer, c.Sessions = "https://plain.example", nil })
	behind, err := sso.Join(plain, a)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := logout.New(behind, one, "web"); err != nil {
		t.Errorf("with an issuer without sessions first: %v", err)
	}
	if _, err := logout.New(a, forIssuers{one, []string{second.URL()}}, "web"); err == nil {
		t.Error("a revoker for another issuer than the only one was taken")
	}
	receiver, err := logout.New(joined, forIssuers{one, []string{first}}, "web")
	if err != nil {
		t.Fatal(err)
	}
	if err := receiver.Receive(t.Context(), issuedLogout(second)); reasonIn(err) != sso.ReasonNoSession || sso.DenialOf(err).Status != http.StatusBadRequest || len(one.calls) > 0 {
		t.Errorf("the second's: %v, %v", err, one.calls)
	}
	if err := receiver.Receive(t.Context(), logoutToken()); err != nil || len(one.sessions)+len(one.subjects) != 1 || len(two.calls) > 0 {
		t.Errorf("the first's: %v, %v", err, one.calls)
	}
}
