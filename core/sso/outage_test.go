package sso_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/internal/keycache"
	"github.com/more-retail/moresso-go/core/keys"
	"github.com/more-retail/moresso-go/core/sso"
)

// newProvider returns a provider in memory, an authenticator for it, and the clock of both.
func newProvider(t *testing.T, change ...func(*devissuer.Issuer, *sso.Config)) (*devissuer.Issuer, *sso.Authenticator, *clock) {
	t.Helper()
	now := newClock()
	issuer, err := devissuer.New(devissuer.WithAlgorithm("EdDSA"), devissuer.WithClock(now.Now))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { issuer.Close() }) //nolint:errcheck // the end of a test server
	return issuer, newAuth(t, func(c *sso.Config) {
		c.Keys, c.PublicKeyURI, c.Issuer, c.HTTPClient, c.Now = nil, issuer.JWKSURL(), issuer.URL(), issuer.Client(), now.Now
		for _, change := range change {
			change(issuer, c)
		}
	}), now
}

// answer returns the status and Retry-After of the response to a token.
func answer(t *testing.T, a *sso.Authenticator, token string) (status int, retryAfter string, err error) {
	t.Helper()
	if _, err = a.Authenticate(t.Context(), bearer(token)); err == nil {
		return http.StatusOK, "", nil
	}
	d := sso.DenialOf(err)
	return d.Status, d.Header.Get("Retry-After"), err
}

func TestOutage_FromStart(t *testing.T) {
	for name, where := range map[string]func(*devissuer.Issuer, *sso.Config){
		"a JWK Set":            func(i *devissuer.Issuer, c *sso.Config) { c.PublicKeyURI = i.JWKSURL() },
		"a PEM":                func(i *devissuer.Issuer, c *sso.Config) { c.PublicKeyURI = i.URL() + "/key.pem" },
		"a discovery document": func(i *devissuer.Issuer, c *sso.Config) { c.PublicKeyURI, c.Issuer = i.DiscoveryURL(), "" },
		"an issuer":            func(i *devissuer.Issuer, c *sso.Config) { c.PublicKeyURI = "" },
		"inline refresh":       func(_ *devissuer.Issuer, c *sso.Config) { c.RefreshInline = true },
	} {
		t.Run(name, func(t *testing.T) {
			issuer, a, now := newProvider(t, where)
			issuer.Down()
			valid := issuer.MustToken()
			if err := a.Ready(t.Context()); class(err) != "unavailable" {
				t.Errorf("Ready: %v", err)
			}
			for range 3 {
				status, retryAfter, err := answer(t, a, valid)
				seconds, convErr := strconv.Atoi(retryAfter)
				if status != http.StatusServiceUnavailable || convErr != nil || seconds < 1 || seconds > 30 || class(err) != "unavailable" {
					t.Fatalf("%d, Retry-After %q, %v", status, retryAfter, err)
				}
			}
			for name, invalid := range map[string]string{
				"an expired token":               issuer.MustToken(devissuer.Expired()),
				"a token for another audience":   issuer.MustToken(devissuer.WrongAudience()),
				"a token without expiry":         issuer.MustToken(devissuer.WithoutClaim("exp")),
				"a token with another algorithm": issuer.MustToken(devissuer.Header("alg", "none")),
				"a word":                         "swordfish",
			} {
				if status, _, err := answer(t, a, invalid); status != http.StatusUnauthorized || class(err) != "invalid token" {
					t.Errorf("%s in the outage: %d, %v", name, status, err)
				}
			}
			if status, _, err := answer(t, a, issuer.MustToken(devissuer.UnknownKey())); status != http.StatusServiceUnavailable {
				t.Errorf("an unknown key in the outage: %d, %v", status, err)
			}
			if status, _, err := answer(t, a, issuer.MustToken(devissuer.BadSignature())); status != http.StatusServiceUnavailable {
				t.Errorf("an unverifiable signature: %d, %v", status, err)
			}
			issuer.Up()
			now.Advance(31 * time.Second)
			if status, _, err := answer(t, a, valid); status != http.StatusOK {
				t.Errorf("after the outage: %d, %v", status, err)
			}
			if err := a.Ready(t.Context()); err != nil {
				t.Errorf("Ready after the outage: %v", err)
			}
			if status, _, err := answer(t, a, issuer.MustToken(devissuer.BadSignature())); status != http.StatusUnauthorized {
				t.Errorf("an invalid signature after the outage: %d, %v", status, err)
			}
		})
	}
}

func TestOutage_Later(t *testing.T) {
	issuer, a, now := newProvider(t)
	valid := issuer.MustToken(devissuer.ValidFor(3 * time.Hour))
	if status, _, err := answer(t, a, valid); status != http.StatusOK {
		t.Fatal(err)
	}
	if status, _, err := answer(t, a, issuer.MustToken(devissuer.UnknownKey())); status != http.StatusUnauthorized || reasonIn(err) != sso.ReasonUnknownKey {
		t.Errorf("an unknown key while the provider is up: %d, %v", status, err)
	}
	issuer.Down()
	if status, _, err := answer(t, a, issuer.MustToken(devissuer.UnknownKey())); status != http.StatusUnauthorized {
		t.Errorf("an unknown key again: %d, %v", status, err)
	}
	now.Advance(time.Minute)
	if status, _, err := answer(t, a, issuer.MustToken(devissuer.UnknownKey())); status != http.StatusServiceUnavailable {
		t.Errorf("an unknown key in the outage: %d, %v", status, err)
	}
	for name, want := range map[string]int{
		valid: http.StatusOK,
		issuer.MustToken(devissuer.BadSignature()): http.StatusUnauthorized,
		issuer.MustToken(devissuer.Expired()):      http.StatusUnauthorized,
	} {
		if status, _, err := answer(t, a, name); status != want {
			t.Errorf("a cached key in the outage: %d, want %d (%v)", status, want, err)
		}
	}
	now.Advance(2 * time.Hour)
	if status, retryAfter, err := answer(t, a, valid); status != http.StatusServiceUnavailable || retryAfter == "" {
		t.Errorf("keys two hours old: %d, %v", status, err)
	}
	issuer.Up()
	now.Advance(time.Minute)
	if status, _, err := answer(t, a, issuer.MustToken()); status != http.StatusOK {
		t.Errorf("after the outage: %d, %v", status, err)
	}
}

func TestRotation(t *testing.T) {
	issuer, a, _ := newProvider(t)
	before := issuer.MustToken()
	if status, _, err := answer(t, a, before); status != http.StatusOK {
		t.Fatal(err)
	}
	issuer.Rotate()
	if status, _, err := answer(t, a, issuer.MustToken()); status != http.StatusOK {
		t.Errorf("a token by the new key: %d, %v", status, err)
	}
	if status, _, err := answer(t, a, before); status != http.StatusOK {
		t.Errorf("a token by the old key: %d, %v", status, err)
	}
}

func TestRotation_NoKeyID(t *testing.T) {
	issuer, a, _ := newProvider(t, func(i *devissuer.Issuer, c *sso.Config) { c.PublicKeyURI = i.URL() + "/key.pem" })
	before := issuer.MustToken()
	if status, _, err := answer(t, a, before); status != http.StatusOK {
		t.Fatal(err)
	}
	issuer.Rotate()
	if status, _, err := answer(t, a, issuer.MustToken()); status != http.StatusOK {
		t.Errorf("a token by the new key: %d, %v", status, err)
	}
	if status, _, err := answer(t, a, before); status != http.StatusUnauthorized || reasonIn(err) != sso.ReasonBadSignature {
		t.Errorf("a token by the old key: %d, %v", status, err)
	}
}

// A token that was forged before a rotation is not verified by the new key.
func TestRotation_ForgedToken(t *testing.T) {
	issuer, a, _ := newProvider(t, func(i *devissuer.Issuer, c *sso.Config) { c.PublicKeyURI = i.URL() + "/key.pem" })
	if err := a.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	issuer.Rotate()
	forged := signed(mallory, headerWith("kid", ""), claimsWith("iss", strconv.Quote(issuer.URL())))
	if status, _, err := answer(t, a, forged); status != http.StatusUnauthorized || reasonIn(err) != sso.ReasonBadSignature {
		t.Errorf("%d, %v", status, err)
	}
	if status, _, err := answer(t, a, issuer.MustToken()); status != http.StatusOK {
		t.Errorf("a token by the new key: %d, %v", status, err)
	}
}

func TestOutage_RetryAfter(t *testing.T) {
	issuer, a, now := newProvider(t)
	issuer.Down()
	longest := 0
	for range 8 {
		_, after, _ := answer(t, a, issuer.MustToken())
		seconds, err := strconv.Atoi(after)
		if err != nil {
			t.Fatal(err)
		}
		longest = max(longest, seconds)
		now.Advance(time.Duration(seconds) * time.Second)
	}
	if longest < 5 {
		t.Errorf("never longer than %d s", longest)
	}
}

func TestOutage_SignatureOfNewKey(t *testing.T) {
	issuer, a, now := newProvider(t, func(i *devissuer.Issuer, c *sso.Config) { c.PublicKeyURI = i.URL() + "/key.pem" })
	if err := a.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	issuer.Down()
	issuer.Rotate()
	now.Advance(time.Minute)
	if status, _, err := answer(t, a, issuer.MustToken()); status != http.StatusServiceUnavailable {
		t.Errorf("in the outage: %d, %v", status, err)
	}
	issuer.Up()
	now.Advance(time.Minute)
	if status, _, err := answer(t, a, issuer.MustToken()); status != http.StatusOK {
		t.Errorf("after it: %d, %v", status, err)
	}
}

func TestValidateToken_DiscoveredIssuer(t *testing.T) {
	issuer, a, _ := newProvider(t, func(i *devissuer.Issuer, c *sso.Config) { c.PublicKeyURI, c.Issuer = i.DiscoveryURL(), "" })
	for _, test := range []struct {
		name, token string
		reason      sso.Reason
	}{
		{"its own", issuer.MustToken(), ""},
		{"another", issuer.MustToken(devissuer.IssuedBy("https://other.example")), sso.ReasonWrongIssuer},
		{"its own with a slash", issuer.MustToken(devissuer.IssuedBy(issuer.URL() + "/")), sso.ReasonWrongIssuer},
		{"none", issuer.MustToken(devissuer.WithoutClaim("iss")), sso.ReasonWrongIssuer},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := a.ValidateToken(t.Context(), test.token); (err == nil) != (test.reason == "") || (err != nil && reasonIn(err) != test.reason) {
				t.Errorf("%v, want %q", err, test.reason)
			}
		})
	}
	t.Run("a document with another issuer than the configured", func(t *testing.T) {
		issuer, a, _ := newProvider(t, func(i *devissuer.Issuer, c *sso.Config) {
			c.PublicKeyURI, c.Issuer = i.DiscoveryURL(), "https://other.example"
		})
		if status, _, err := answer(t, a, issuer.MustToken(devissuer.IssuedBy("https://other.example"))); status != http.StatusServiceUnavailable {
			t.Errorf("%d, %v", status, err)
		}
	})
}

// A provider that is slow but healthy serves every request, and its removed keys are refused in time.
func TestAuthenticate_SlowProvider(t *testing.T) {
	type slow struct {
		delay, timeout time.Duration // of each answer, and KeyFetchTimeout
		inline         bool
		attempts       int // requests until the first keys, half a minute apart
	}
	for _, c := range []slow{
		{500 * time.Millisecond, 0, false, 1},
		{1200 * time.Millisecond, 0, false, 1},
		{1600 * time.Millisecond, 0, false, 2}, // the discovery document and the keys
		{4 * time.Second, 0, false, 2},
		{6 * time.Second, 0, false, 3}, // the document serves the second attempt, whose keys the third request gets
		{14 * time.Second, 30 * time.Second, false, 2},
		{1600 * time.Millisecond, 2 * time.Second, false, 2},
		{500 * time.Millisecond, 0, true, 1},
		{1200 * time.Millisecond, 0, true, 1},
		{1600 * time.Millisecond, 0, true, 2},
		{2500 * time.Millisecond, 0, true, 2},
	} {
		t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				issuer, a, _ := newProvider(t, func(_ *devissuer.Issuer, cfg *sso.Config) {
					cfg.PublicKeyURI, cfg.RefreshInline, cfg.KeyFetchTimeout, cfg.Now = "", c.inline, c.timeout, time.Now
				})
				issuer.Slow(c.delay)
				var token string
				n := 0
				request := func(bound time.Duration) int {
					t.Helper()
					began := time.Now()
					status, _, err := answer(t, a, token)
					if took := time.Since(began); took > bound {
						t.Fatalf("waited %v, %d: %v", took, status, err)
					}
					time.Sleep(30*time.Second - time.Since(began))
					return status
				}
				valid := func() string { // none is cached
					n++
					return issuer.MustToken(devissuer.Subject(strconv.Itoa(n)), devissuer.IssuedAt(time.Now()), devissuer.ValidFor(3*time.Hour))
				}
				token = valid()
				attempts := 1
				for request(3*time.Second) != http.StatusOK {
					attempts++
					if attempts > c.attempts {
						t.Fatalf("no keys after %d attempts", attempts)
					}
				}
				for began := time.Now(); time.Since(began) < 2*time.Hour; {
					if token = valid(); request(3*time.Second) != http.StatusOK {
						t.Fatalf("refused after %v", time.Since(began))
					}
				}
				issuer.Rotate()
				issuer.Retire()
				began := time.Now()
				for request(3*time.Second) == http.StatusOK {
					if time.Since(began) > 8*time.Minute {
						t.Fatal("the removed key is accepted after 8 min")
					}
				}
				if token = valid(); request(3*time.Second) != http.StatusOK {
					t.Error("a token of the new key")
				}
			})
		})
	}
}

// Some providers give a new key the id of the old one.
func TestValidateToken_ReplacedKey(t *testing.T) {
	keySet := func(i *devissuer.Issuer) string {
		return strings.ReplaceAll(string(i.JWKS()), `"`+i.KeyID()+`"`, `"default"`)
	}
	named := devissuer.Header("kid", "default")
	clock := newClock()
	issuer, a, _ := newProvider(t, func(_ *devissuer.Issuer, c *sso.Config) { c.Now = clock.Now })
	token := func(opts ...devissuer.TokenOption) string {
		return issuer.MustToken(append(opts, named, devissuer.IssuedAt(clock.Now()), devissuer.ValidFor(2*time.Hour))...)
	}
	issuer.SetJWKS(keySet(issuer))
	old := token()
	if _, err := a.ValidateToken(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	issuer.SetJWKS("")
	issuer.Rotate()
	issuer.Retire()
	issuer.SetJWKS(keySet(issuer))
	for _, later := range []time.Duration{0, time.Minute, 4 * time.Minute} {
		clock.Advance(later)
		if _, err := a.ValidateToken(t.Context(), token(devissuer.Subject(later.String()))); err != nil {
			t.Errorf("a token of the new key after %v: %v", later, err)
		}
		if _, err := a.ValidateToken(t.Context(), old); reasonIn(err) != sso.ReasonBadSignature {
			t.Errorf("a token of the old key after %v: %v", later, err)
		}
	}
}

// alternating is a source whose answers differ in turn, as those of several nodes do.
type alternating struct {
	fetches atomic.Int64
	sets    [2][]keys.Key
}

func (s *alternating) Fetch(context.Context, *keys.Set) (*keys.Set, error) {
	return keys.NewSet(s.sets[s.fetches.Add(1)%2]...)
}
func (*alternating) String() string { return "nodes that differ" }

// Forged tokens cause one fetch in ten seconds, even if the provider's answers alternate.
func TestValidateToken_AlternatingSets(t *testing.T) {
	bob, eve := ed25519.NewKeyFromSeed([]byte("bob's key for tests: 32 bytes ok")), ed25519.NewKeyFromSeed([]byte("eve's key for tests: 32 bytes ok"))
	key := func(id string, private ed25519.PrivateKey) keys.Key {
		return keys.Key{ID: id, Public: private.Public()}
	}
	for name, c := range map[string]struct {
		sets [2][]keys.Key
		kid  string
	}{
		"another order, no kid":            {[2][]keys.Key{{key("a", ada), key("b", bob)}, {key("b", bob), key("a", ada)}}, ""},
		"another order, one kid":           {[2][]keys.Key{{key("a", ada), key("a", bob)}, {key("a", bob), key("a", ada)}}, `"a"`},
		"a key more, no kid":               {[2][]keys.Key{{key("a", ada)}, {key("a", ada), key("b", bob)}}, ""},
		"another key under the kid":        {[2][]keys.Key{{key("a", ada)}, {key("a", bob)}}, `"a"`},
		"other keys without ids":           {[2][]keys.Key{{key("", ada)}, {key("", bob)}}, `"a"`},
		"another id, a kid that is in one": {[2][]keys.Key{{key("a", ada)}, {key("b", ada)}}, `"a"`},
	} {
		t.Run(name, func(t *testing.T) {
			source := &alternating{sets: c.sets}
			clock := newClock()
			auth := newAuth(t, func(cfg *sso.Config) { cfg.Keys, cfg.Now = source, clock.Now })
			if err := auth.Ready(t.Context()); err != nil {
				t.Fatal(err)
			}
			for i := range 100 {
				forged := signed(eve, headerWith("kid", c.kid), claimsWith("jti", fmt.Sprintf(`"%d"`, i)))
				if _, err := auth.ValidateToken(t.Context(), forged); err == nil {
					t.Fatal("accepted")
				}
			}
			if n := source.fetches.Load(); n > 2 {
				t.Errorf("%d fetches; want the first and one for a hundred forged tokens", n)
			}
			clock.Advance(11 * time.Second)
			_, _ = auth.ValidateToken(t.Context(), signed(eve, headerWith("kid", c.kid), claimsWith()))
			if n := source.fetches.Load(); n > 3 {
				t.Errorf("%d fetches after 11 s", n)
			}
		})
	}
}

// A client that hangs up, or a token that is refused before its signature, does not save the budget.
func TestValidateToken_AlternatingSetsRefused(t *testing.T) {
	bob, eve := ed25519.NewKeyFromSeed([]byte("bob's key for tests: 32 bytes ok")), ed25519.NewKeyFromSeed([]byte("eve's key for tests: 32 bytes ok"))
	parsed := func(members ...string) []keys.Key {
		source, err := keys.JWKS(`{"keys":[` + strings.Join(members, ",") + `]}`)
		if err != nil {
			t.Fatal(err)
		}
		set, err := source.Fetch(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		return set.Keys
	}
	jwk := func(kid, x5t string, private ed25519.PrivateKey) string {
		return jwkOf(t, private.Public(), map[string]any{"kid": kid, "x5t": x5t})
	}
	kids := []string{`"a"`, `"b"`}
	for name, c := range map[string]struct {
		sets     [2][]keys.Key
		header   func(i int) string
		canceled bool
	}{
		"the client hangs up": {[2][]keys.Key{parsed(jwk("a", "", ada)), parsed(jwk("a", "", bob))}, func(int) string { return headerWith("kid", `"a"`) }, true},
		"x5t of another key": {
			[2][]keys.Key{parsed(jwk("a", "xa", ada), jwk("c", "xc", bob)), parsed(jwk("b", "xb", ada), jwk("c", "xc", bob))},
			func(i int) string { return headerWith("kid", kids[i%2], "x5t", `"xc"`) }, false,
		},
		"another algorithm": {[2][]keys.Key{parsed(jwk("a", "", ada)), parsed(jwk("b", "", ada))}, func(i int) string { return headerWith("kid", kids[i%2], "alg", `"ES256"`) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source := &alternating{sets: c.sets}
				auth := newAuth(t, func(cfg *sso.Config) {
					cfg.Keys, cfg.Now, cfg.Algorithms = &delayed{source}, time.Now, []string{"EdDSA", "ES256"}
				})
				if err := auth.Ready(t.Context()); err != nil {
					t.Fatal(err)
				}
				before := source.fetches.Load()
				for i := range 90 {
					ctx, cancel := t.Context(), func() {}
					if c.canceled {
						ctx, cancel = context.WithTimeout(ctx, 10*time.Millisecond)
					}
					_, _ = auth.ValidateToken(ctx, signed(eve, c.header(i), claimsWith("iat", "", "jti", fmt.Sprintf(`"%d"`, i))))
					cancel()
					time.Sleep(50 * time.Millisecond)
				}
				if n := source.fetches.Load() - before; n > 1 {
					t.Errorf("%d fetches in less than ten seconds", n)
				}
			})
		})
	}
}

// delayed is a source that needs 20 ms.
type delayed struct{ keys.Source }

func (s *delayed) Fetch(ctx context.Context, last *keys.Set) (*keys.Set, error) {
	time.Sleep(20 * time.Millisecond)
	return s.Source.Fetch(ctx, last)
}

// Some providers do not change their ETag together with their keys.
func TestValidateToken_SameETag(t *testing.T) {
	for _, inline := range []bool{false, true} {
		for _, idle := range []time.Duration{0, time.Minute} {
			t.Run(fmt.Sprint(inline, idle), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					issuer, a, _ := newProvider(t, func(_ *devissuer.Issuer, c *sso.Config) { c.Now, c.RefreshInline = time.Now, inline })
					issuer.Fault(func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
						if r.Header.Get("If-None-Match") == `"v1"` {
							w.WriteHeader(http.StatusNotModified)
							return
						}
						w.Header().Set("ETag", `"v1"`)
						_, _ = w.Write(issuer.JWKS())
					})
					token := func() string {
						return issuer.MustToken(devissuer.WithoutHeader("kid"), devissuer.IssuedAt(time.Now()))
					}
					if _, err := a.ValidateToken(t.Context(), token()); err != nil {
						t.Fatal(err)
					}
					issuer.Rotate()
					time.Sleep(time.Until(a.Status()[0].RefreshDue) + time.Second + idle)
					if _, err := a.ValidateToken(t.Context(), token()); err != nil {
						t.Error(err)
					}
				})
			})
		}
	}
}

func TestValidateToken_NoFetchByToken(t *testing.T) {
	issuer, a, _ := newProvider(t)
	if err := a.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := issuer.Stats().Fetches
	for _, opts := range [][]devissuer.TokenOption{
		{devissuer.Header("jku", "https://evil.example/jwks.json")},
		{devissuer.Header("x5u", "https://evil.example/cert.pem")},
		{devissuer.UnknownKey(), devissuer.Header("jwk", map[string]string{"kty": "oct", "k": "AAAA"}), devissuer.Header("kid", issuer.KeyID())},
		{devissuer.BadSignature()},
		{devissuer.IssuedBy("https://other.example"), devissuer.UnknownKey()},
		{devissuer.Expired(), devissuer.UnknownKey()},
		{devissuer.WrongAudience(), devissuer.UnknownKey()},
	} {
		_, _ = a.ValidateToken(t.Context(), issuer.MustToken(opts...))
	}
	// The signature of a named key may be by a key that has replaced it: one fetch in ten seconds.
	if n := issuer.Stats().Fetches - before; n != 1 || len(issuer.Stats().Strays) != 0 {
		t.Errorf("%d fetches, and %q", n, issuer.Stats().Strays)
	}
}

func TestAuthenticate_CanceledRequest(t *testing.T) {
	issuer, a, _ := newProvider(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.Authenticate(ctx, bearer(issuer.MustToken())); err != nil && class(err) != "unavailable" {
		t.Errorf("cancelled: %v", err)
	}
	if status, _, err := answer(t, a, issuer.MustToken()); status != http.StatusOK {
		t.Errorf("the next: %d, %v", status, err)
	}
}

// A client that disconnects while keys are fetched, or while a permission works, is not an outage.
func TestAuthenticate_Disconnected(t *testing.T) {
	for name, cause := range map[string]error{"as net/http does": nil, "with a cause": errors.New("the connection is closed")} {
		t.Run(name, func(t *testing.T) {
			var seen events
			var log lines
			issuer, a, _ := newProvider(t, func(_ *devissuer.Issuer, c *sso.Config) {
				c.Observe, c.Logger = seen.Observe, log.logger(slog.LevelDebug)
			})
			asked, answered := make(chan struct{}), make(chan struct{})
			once := sync.OnceFunc(func() { close(asked) })
			issuer.Fault(func(w http.ResponseWriter, r *http.Request, healthy http.Handler) {
				once()
				<-answered
				healthy.ServeHTTP(w, r)
			})
			ctx, cancel := context.WithCancelCause(t.Context())
			go func() { <-asked; cancel(cause) }()
			if _, err := a.Authenticate(ctx, bearer(issuer.MustToken())); class(err) != "unavailable" {
				t.Fatal(err)
			}
			close(answered)
			ctx, cancel = context.WithCancelCause(t.Context())
			_, err := a.Authorize(ctx, bearer(issuer.MustToken()), permit(func(ctx context.Context, _ sso.Access) sso.Decision {
				cancel(cause)
				return sso.Fail(context.Cause(ctx))
			}))
			if err == nil {
				t.Fatal("granted")
			}
			if seen.count(sso.EventCanceled) != 2 || seen.count(sso.EventRefused) != 0 {
				t.Errorf("%+v", seen.list)
			}
			for _, e := range log.entries(t) {
				if e["msg"] == "sso: refused" && (e["level"] != "INFO" || e["reason"] != "canceled") {
					t.Errorf("%v", e)
				}
			}
		})
	}
	t.Run("a deadline is an outage", func(t *testing.T) {
		var seen events
		issuer, a, _ := newProvider(t, func(_ *devissuer.Issuer, c *sso.Config) { c.Observe = seen.Observe })
		issuer.Fault(func(_ http.ResponseWriter, r *http.Request, _ http.Handler) { <-r.Context().Done() })
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := a.Authenticate(ctx, bearer(issuer.MustToken())); class(err) != "unavailable" || seen.count(sso.EventRefused) != 1 {
			t.Errorf("%v: %+v", err, seen.list)
		}
	})
}

func TestAuthenticator_Closed(t *testing.T) {
	issuer, a, _ := newProvider(t)
	if err := errors.Join(a.Close(), a.Close()); err != nil {
		t.Fatal(err)
	}
	if status, retryAfter, err := answer(t, a, issuer.MustToken()); status != http.StatusServiceUnavailable || retryAfter == "" {
		t.Errorf("a valid token: %d, %q, %v", status, retryAfter, err)
	}
	if status, _, err := answer(t, a, issuer.MustToken(devissuer.Expired())); status != http.StatusUnauthorized {
		t.Errorf("an expired token: %d, %v", status, err)
	}
	if err := a.Ready(t.Context()); class(err) != "unavailable" {
		t.Errorf("Ready: %v", err)
	}
}

// fails is a source whose error belongs to a class of this package.
type fails struct{ err error }

func (s fails) Fetch(context.Context, *keys.Set) (*keys.Set, error) { return nil, s.err }
func (s fails) String() string                                      { return "a source that fails" }

func TestValidateToken_KeySourceError(t *testing.T) {
	for _, err := range []error{
		errors.New("away"), keycache.ErrUnknownKey, keycache.ErrOtherCertificate, keycache.ErrWrongAlgorithm,
		sso.ErrNoToken, sso.ErrInvalidRequest, sso.ErrInvalidToken, sso.ErrAccessDenied,
		&sso.TokenError{Reason: sso.ReasonExpired}, &sso.AccessDeniedError{},
	} {
		t.Run(err.Error(), func(t *testing.T) {
			var seen events
			a := newAuth(t, func(c *sso.Config) { c.Keys, c.Observe = fails{fmt.Errorf("source: %w", err)}, seen.Observe })
			if status, retryAfter, err := answer(t, a, token()); status != http.StatusServiceUnavailable || retryAfter == "" {
				t.Errorf("%d, %q, %v", status, retryAfter, err)
			}
			if last := seen.list[len(seen.list)-1]; last.Kind != sso.EventRefused || last.Code != sso.CodeUnavailable || last.Reason != sso.ReasonKeysUnavailable {
				t.Errorf("observed %+v", last)
			}
		})
	}
}

func TestConfig_ObserveFetches(t *testing.T) {
	var seen events
	issuer, a, now := newProvider(t, func(_ *devissuer.Issuer, c *sso.Config) {
		c.Observe, c.RefreshInline, c.Logger = seen.Observe, true, slog.New(slog.DiscardHandler)
	})
	issuer.Down()
	_, _, _ = answer(t, a, issuer.MustToken())
	issuer.Up()
	now.Advance(time.Minute)
	_, _, _ = answer(t, a, issuer.MustToken())
	if failed, fetched := seen.count(sso.EventKeysFailed), seen.count(sso.EventKeysFetched); failed != 1 || fetched != 1 {
		t.Errorf("%d failed, %d fetched", failed, fetched)
	}
	for _, event := range seen.list {
		isFetch := event.Kind == sso.EventKeysFailed || event.Kind == sso.EventKeysFetched
		if isFetch != (event.Source == issuer.JWKSURL()) || (event.Kind == sso.EventKeysFailed) != (isFetch && event.Err != nil) {
			t.Errorf("%+v", event)
		}
	}
	if status := a.Status()[0]; status.Source != issuer.JWKSURL() || len(status.KeyIDs) != 1 {
		t.Errorf("%+v", status)
	}
}
