package sso_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/sso"
)

// living is a store in memory that has the current session of each user.
type living struct {
	mu      sync.Mutex
	current map[string]string
	calls   []sso.Session
	fail    error
	panics  bool
	policy  sso.SessionPolicy
	reads   bool // exactly what the policy says
}

// SessionPolicy returns the policy; by default the claims user_id and session_id.
func (l *living) SessionPolicy() sso.SessionPolicy {
	if l.policy.UserClaim == "" && l.policy.SessionClaim == "" && !l.reads {
		p := l.policy
		p.UserClaim, p.SessionClaim = "user_id", "session_id"
		return p
	}
	return l.policy
}

func (l *living) Check(_ context.Context, s sso.Session) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls = append(l.calls, s)
	switch {
	case l.panics:
		panic("in the store")
	case l.fail != nil:
		return l.fail
	case !s.Is(l.current[s.User]):
		return fmt.Errorf("%w: another is the user's", sso.ErrSessionEnded)
	}
	return nil
}

func (l *living) set(user, session string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.current[user] = session
}

func (l *living) times() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.calls)
}

// withSessions is a provider, an authenticator with a store, and a clock.
func withSessions(t *testing.T, change ...func(*devissuer.Issuer, *sso.Config)) (*devissuer.Issuer, *sso.Authenticator, *living, *clock) {
	t.Helper()
	store := &living{current: map[string]string{"u1": "s1"}}
	issuer, a, now := newProvider(t, append([]func(*devissuer.Issuer, *sso.Config){func(_ *devissuer.Issuer, c *sso.Config) { c.Sessions = store }}, change...)...)
	return issuer, a, store, now
}

func inSession(issuer *devissuer.Issuer, opts ...devissuer.TokenOption) string {
	return issuer.MustToken(append([]devissuer.TokenOption{devissuer.Claim("user_id", "u1"), devissuer.Claim("session_id", "s1")}, opts...)...)
}

func TestSessions_Ended(t *testing.T) {
	for _, size := range []int{0, -1} {
		t.Run(fmt.Sprint("TokenCache ", size), func(t *testing.T) {
			issuer, a, store, _ := withSessions(t, func(_ *devissuer.Issuer, c *sso.Config) { c.TokenCache = size })
			token := inSession(issuer)
			for range 3 {
				if _, err := a.ValidateToken(t.Context(), token); err != nil {
					t.Fatal(err)
				}
			}
			if store.times() != 3 {
				t.Errorf("the store was called %d times for 3 requests", store.times())
			}
			store.set("u1", "s2") // signed in elsewhere
			for range 2 {
				status, _, err := answer(t, a, token)
				if status != http.StatusUnauthorized || reasonIn(err) != sso.ReasonSessionEnded || sso.DenialOf(err).Code != sso.CodeInvalidToken {
					t.Errorf("%d, %v", status, err)
				}
			}
			if _, err := a.ValidateToken(t.Context(), inSession(issuer, devissuer.Claim("session_id", "s2"))); err != nil {
				t.Errorf("the new session: %v", err)
			}
		})
	}
}

func TestSessions_Argument(t *testing.T) {
	issuer, a, store, _ := withSessions(t)
	token := inSession(issuer, devissuer.Subject("ada"), devissuer.Claim("jti", "t1"), devissuer.ValidFor(time.Hour))
	if _, err := a.ValidateToken(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	want := sso.Session{
		Issuer: issuer.URL(), Audience: "api", Subject: "ada", User: "u1", ID: "s1", TokenID: "t1",
		IssuedAt: T, ExpiresAt: T.Add(time.Hour), GoodUntil: T.Add(time.Hour + 60*time.Second),
	}
	got := store.calls[0]
	if !got.IssuedAt.Equal(want.IssuedAt) || !got.ExpiresAt.Equal(want.ExpiresAt) || !got.GoodUntil.Equal(want.GoodUntil) {
		t.Errorf("%+v", got)
	}
	got.IssuedAt, got.ExpiresAt, got.GoodUntil = want.IssuedAt, want.ExpiresAt, want.GoodUntil
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestSessions_MissingClaims(t *testing.T) {
	issuer, a, store, _ := withSessions(t)
	store.set("", "")
	for name, opt := range map[string]devissuer.TokenOption{
		"no user": devissuer.WithoutClaim("user_id"), "no session": devissuer.WithoutClaim("session_id"),
		"a null session": devissuer.Claim("session_id", nil), "a null user": devissuer.Claim("user_id", nil),
		"an empty session": devissuer.Claim("session_id", ""), "an empty user": devissuer.Claim("user_id", ""),
		"a number": devissuer.Claim("session_id", 1), "a list": devissuer.Claim("session_id", []string{"s1"}), "an object": devissuer.Claim("user_id", map[string]string{"u1": "s1"}),
		"true": devissuer.Claim("session_id", true),
	} {
		refusedFor(t, a, inSession(issuer, opt), sso.ReasonNoSession)
		refusedFor(t, a, inSession(issuer, opt), sso.ReasonNoSession)
		_ = name
	}
	if store.times() > 0 {
		t.Error("the store was called without a session")
	}
}

func TestSessions_Claims(t *testing.T) {
	for name, test := range map[string]struct {
		policy sso.SessionPolicy
		opts   []devissuer.TokenOption
		want   string // user and session
	}{
		"OpenID Connect's":  {sso.SessionPolicy{UserClaim: "sub", SessionClaim: "sid"}, []devissuer.TokenOption{devissuer.Subject("ada"), devissuer.Claim("sid", "x")}, "ada x"},
		"a path":            {sso.SessionPolicy{UserClaim: "sub", SessionClaim: `ses.id`}, []devissuer.TokenOption{devissuer.Subject("ada"), devissuer.Claim("ses", map[string]string{"id": "y"})}, "ada y"},
		"none for the user": {sso.SessionPolicy{UserClaim: "", SessionClaim: "sid"}, []devissuer.TokenOption{devissuer.Claim("sid", "z")}, " z"},
		"none":              {sso.SessionPolicy{UserClaim: "", SessionClaim: ""}, nil, " "},
	} {
		t.Run(name, func(t *testing.T) {
			store := &living{fail: sso.ErrSessionEnded, policy: test.policy, reads: true}
			issuer, a, _ := newProvider(t, func(_ *devissuer.Issuer, c *sso.Config) { c.Sessions = store })
			refusedFor(t, a, issuer.MustToken(test.opts...), sso.ReasonSessionEnded)
			if got := store.calls[0].User + " " + store.calls[0].ID; got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

func TestSessions_Outage(t *testing.T) {
	issuer, a, store, _ := withSessions(t)
	token := inSession(issuer)
	for name, test := range map[string]struct {
		fail       error
		retryAfter string
	}{
		"any error":                 {errors.New("connection refused"), "1"},
		"one that says when":        {&sso.UnavailableError{RetryAfter: 7 * time.Second, Err: errors.New("loading")}, "7"},
		"one of an invalid token's": {&sso.TokenError{Reason: sso.ReasonExpired, Err: errors.New("who said that")}, "1"},
		"one that is access denied": {&sso.AccessDeniedError{}, "1"},
	} {
		t.Run(name, func(t *testing.T) {
			store.fail = test.fail
			status, retryAfter, err := answer(t, a, token)
			if status != http.StatusServiceUnavailable || retryAfter != test.retryAfter || class(err) != "unavailable" {
				t.Errorf("%d, %q, %v (%s)", status, retryAfter, err, class(err))
			}
		})
	}
	t.Run("a panic", func(t *testing.T) {
		store.panics = true
		if status, _, err := answer(t, a, token); status != http.StatusInternalServerError {
			t.Errorf("%d, %v", status, err)
		}
	})
}

func TestSessions_OutageLogged(t *testing.T) {
	var log lines
	var seen events
	issuer, a, store, _ := withSessions(t, func(_ *devissuer.Issuer, c *sso.Config) {
		c.Logger, c.Observe = log.logger(slog.LevelInfo), seen.Observe
	})
	store.fail = errors.New("connection refused")
	_, _, _ = answer(t, a, inSession(issuer))
	if !strings.Contains(log.String(), `"reason":"sessions_unavailable"`) || !strings.Contains(log.String(), "connection refused") {
		t.Error(log.String())
	}
	if seen.count(sso.EventAuthenticated) > 0 || seen.count(sso.EventRefused) != 1 {
		t.Errorf("%+v", seen.list)
	}
}

func TestSessions_IgnoreOutage(t *testing.T) {
	var log lines
	var seen events
	issuer, a, store, _ := withSessions(t, func(_ *devissuer.Issuer, c *sso.Config) {
		c.Sessions.(*living).policy.InsecureIgnoreOutage = true //nolint:errcheck // by withSessions
		c.Logger, c.Observe = log.logger(slog.LevelWarn), seen.Observe
	})
	token := inSession(issuer)
	store.fail = errors.New("connection refused")
	if status, _, err := answer(t, a, token); status != http.StatusOK {
		t.Errorf("in the outage: %d, %v", status, err)
	}
	if !strings.Contains(log.String(), "InsecureIgnoreOutage") || strings.Contains(log.String(), token) || seen.count(sso.EventSessionUnknown) != 1 {
		t.Errorf("%s\n%+v", log.String(), seen.list)
	}
	store.fail = sso.ErrSessionEnded
	if status, _, _ := answer(t, a, token); status != http.StatusUnauthorized {
		t.Errorf("a session that has ended: %d", status)
	}
	for name, err := range map[string]error{
		"a configuration":           &sso.ConfigError{},
		"a wrapped one":             fmt.Errorf("wrong password: %w", &sso.ConfigError{}),
		"one that names an outage":  &sso.UnavailableError{Err: &sso.ConfigError{}},
		"one of several causes":     errors.Join(errors.New("connection refused"), &sso.ConfigError{}),
		"an outage, and a password": fmt.Errorf("%w: %w", context.DeadlineExceeded, &sso.ConfigError{}),
	} {
		store.fail = err
		if status, _, _ := answer(t, a, token); status != http.StatusServiceUnavailable {
			t.Errorf("%s: %d", name, status)
		}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	store.fail = context.Canceled
	if _, err := a.ValidateToken(gone, token); err == nil {
		t.Error("a canceled request passed")
	}
	refusedFor(t, a, inSession(issuer, devissuer.WithoutClaim("session_id")), sso.ReasonNoSession)
}

func TestSessions_OncePerRequest(t *testing.T) {
	issuer, a, store, now := withSessions(t)
	r := bearer(inSession(issuer))
	ctx := must(t)(a.Authenticate(t.Context(), r))
	ctx = must(t)(a.Authorize(ctx, r, granting))
	ctx = must(t)(a.AuthenticateOptional(ctx, r))
	if store.times() != 1 {
		t.Errorf("called %d times", store.times())
	}
	now.Advance(time.Second)
	store.set("u1", "s2")
	if _, err := a.Authorize(ctx, r, granting); reasonIn(err) != sso.ReasonSessionEnded {
		t.Errorf("a second check: %v", err)
	}
	if _, err := a.Authenticate(t.Context(), r); reasonIn(err) != sso.ReasonSessionEnded {
		t.Errorf("another request: %v", err)
	}
}

// The age of a session lookup counts from the first guard's lookup, not from the last guard's check.
func TestSessions_CheckedAgain(t *testing.T) {
	issuer, a, store, now := withSessions(t)
	r := bearer(inSession(issuer))
	ctx := must(t)(a.Authenticate(t.Context(), r))
	now.Advance(600 * time.Millisecond)
	ctx = must(t)(a.Authorize(ctx, r, granting))
	if store.times() != 1 {
		t.Errorf("after 0.6 s called %d times", store.times())
	}
	now.Advance(600 * time.Millisecond)
	must(t)(a.Authorize(ctx, r, granting))
	if store.times() != 2 {
		t.Errorf("after 1.2 s called %d times", store.times())
	}
}

// A recent call of the store does not prove the token.
func TestSessions_ExpiryBetweenGuards(t *testing.T) {
	issuer, a, _, now := withSessions(t, func(_ *devissuer.Issuer, c *sso.Config) { c.Leeway = -1 })
	r := bearer(inSession(issuer, devissuer.ValidFor(time.Minute)))
	now.Advance(time.Minute - time.Millisecond)
	ctx := must(t)(a.Authenticate(t.Context(), r))
	now.Advance(time.Millisecond)
	if _, err := a.Authorize(ctx, r, granting); reasonIn(err) != sso.ReasonExpired {
		t.Errorf("%v", err)
	}
}

func TestSessions_InvalidToken(t *testing.T) {
	issuer, a, store, _ := withSessions(t)
	for _, opt := range []devissuer.TokenOption{devissuer.BadSignature(), devissuer.Expired(), devissuer.WrongAudience()} {
		if status, _, err := answer(t, a, inSession(issuer, opt)); status != http.StatusUnauthorized {
			t.Errorf("%d, %v", status, err)
		}
	}
	if ctx := must(t)(a.AuthenticateOptional(t.Context(), request{})); subject(ctx) != "" {
		t.Error("an invalid token has a principal")
	}
	if store.times() > 0 {
		t.Error("the store was called")
	}
}

func TestSessions_Join(t *testing.T) {
	issuer, a, store, _ := withSessions(t)
	other := &living{fail: sso.ErrSessionEnded}
	second, err := devissuer.New(devissuer.WithAlgorithm("EdDSA"), devissuer.WithIssuer("https://second.example"), devissuer.WithClock(newClock().Now))
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close() //nolint:errcheck // the end of a test server
	_, b, _ := newProvider(t, func(_ *devissuer.Issuer, c *sso.Config) {
		c.PublicKeyURI, c.Issuer, c.HTTPClient, c.Sessions = second.JWKSURL(), second.URL(), second.Client(), other
	})
	joined, err := sso.Join(a, b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := joined.ValidateToken(t.Context(), inSession(issuer)); err != nil || store.times() != 1 {
		t.Errorf("%v, called %d times", err, store.times())
	}
	refusedFor(t, joined, inSession(second), sso.ReasonSessionEnded)
}

func TestSession_Is(t *testing.T) {
	for _, test := range []struct {
		mine, other string
		want        bool
	}{{"s1", "s1", true}, {"s1", "s2", false}, {"s1", "s1 ", false}, {"s1", "s", false}, {"", "", false}, {"s1", "", false}, {"", "s1", false}} {
		if got := (sso.Session{ID: test.mine}).Is(test.other); got != test.want {
			t.Errorf("%q is %q: %v", test.mine, test.other, got)
		}
	}
}

func TestConfig_MaxTokenAge(t *testing.T) {
	issuer, a, _ := newProvider(t, func(_ *devissuer.Issuer, c *sso.Config) { c.MaxTokenAge = time.Hour })
	if _, err := a.ValidateToken(t.Context(), issuer.MustToken(devissuer.ValidFor(time.Hour))); err != nil {
		t.Error(err)
	}
	refusedFor(t, a, issuer.MustToken(devissuer.ValidFor(time.Hour+time.Second)), sso.ReasonTooLongLived)
	refusedFor(t, a, issuer.MustToken(devissuer.ValidFor(time.Minute), devissuer.WithoutClaim("iat")), sso.ReasonTooLongLived)
}

func TestNew_SessionSettings(t *testing.T) {
	var none *living
	for name, test := range map[string]struct {
		change func(*sso.Config)
		want   string
	}{
		"a nil store":              {func(c *sso.Config) { c.Sessions = none }, "Sessions holds a nil"},
		"several audiences":        {func(c *sso.Config) { c.Sessions, c.Audience = &living{}, []string{"api", "web"} }, ""},
		"an audience of others":    {func(c *sso.Config) { c.Sessions = &living{policy: sso.SessionPolicy{Audience: "web"}} }, `Sessions has the audience "web"`},
		"a claim with white space": {func(c *sso.Config) { c.Sessions = &living{policy: sso.SessionPolicy{SessionClaim: " sid"}} }, `Sessions reads the claim " sid"`},
		"a negative age":           {func(c *sso.Config) { c.MaxTokenAge = -time.Second }, "MaxTokenAge holds -1s"},
		"one of several audiences": {func(c *sso.Config) {
			c.Sessions, c.Audience = &living{policy: sso.SessionPolicy{Audience: "web"}}, []string{"api", "web"}
		}, ""},
		"a store and nothing besides": {func(c *sso.Config) { c.Sessions = &living{} }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := sso.Config{Keys: static(t, "ada", "", ada.Public()), Audience: []string{"api"}, Issuer: issuerID, Logger: slog.New(slog.DiscardHandler)}
			test.change(&cfg)
			_, err := sso.New(cfg)
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}
