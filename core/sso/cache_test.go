package sso_test

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/golang-jwt/jwt/v5"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/internal/keycache"
	"github.com/more-retail/moresso-go/core/keys"
	"github.com/more-retail/moresso-go/core/sso"
)

// cachingAuth returns a provider, an authenticator, their clock, and a function that reports whether
// the last valid token was cached.
func cachingAuth(t *testing.T, change ...func(*devissuer.Issuer, *sso.Config)) (issuer *devissuer.Issuer, a *sso.Authenticator, now *clock, cached func() bool) {
	t.Helper()
	var last atomic.Bool
	issuer, a, now = newProvider(t, append(change, func(_ *devissuer.Issuer, c *sso.Config) {
		c.Observe = func(e sso.Event) {
			if e.Kind == sso.EventAuthenticated {
				last.Store(e.Cached)
			}
		}
	})...)
	return issuer, a, now, last.Load
}

// accepted requires a token to be valid, and cached to be want.
func accepted(t *testing.T, a *sso.Authenticator, token string, cached func() bool, want bool) *sso.Principal {
	t.Helper()
	p, err := a.ValidateToken(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	if cached() != want {
		t.Fatalf("cached is %v", cached())
	}
	return p
}

// refusedFor requires a token to be refused for a reason.
func refusedFor(t *testing.T, a *sso.Authenticator, token string, want sso.Reason) {
	t.Helper()
	if _, err := a.ValidateToken(t.Context(), token); reasonIn(err) != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestCache_RepeatedToken(t *testing.T) {
	issuer, a, _, cached := cachingAuth(t)
	token := issuer.MustToken()
	first := accepted(t, a, token, cached, false)
	for range 3 {
		if accepted(t, a, token, cached, true) != first {
			t.Error("another principal")
		}
	}
	ctx := must(t)(a.Authenticate(t.Context(), bearer(token)))
	if p, _ := sso.FromContext(ctx); p != first || !cached() {
		t.Error("a request with it is not")
	}
	derived := a.TokenFrom(sso.TokenFromHeader("X-Token"))
	accepted(t, derived, token, cached, true)
	accepted(t, a, issuer.MustToken(devissuer.Subject("bob")), cached, false)
}

func TestCache_Clock(t *testing.T) {
	issuer, a, now, cached := cachingAuth(t, func(_ *devissuer.Issuer, c *sso.Config) { c.Leeway = 5 * time.Second })
	token := issuer.MustToken(devissuer.Claim("nbf", T.Unix()), devissuer.ValidFor(time.Minute))
	accepted(t, a, token, cached, false)
	now.Advance(time.Minute + 5*time.Second - 1)
	accepted(t, a, token, cached, true)
	now.Advance(1)
	refusedFor(t, a, token, sso.ReasonExpired)
	now.Advance(-time.Minute - 10*time.Second)
	accepted(t, a, token, cached, true)
	now.Advance(-1)
	refusedFor(t, a, token, sso.ReasonNotYetValid)
	noNBF := issuer.MustToken(devissuer.Subject("bob"), devissuer.WithoutClaim("nbf"))
	now.Advance(time.Minute)
	accepted(t, a, noNBF, cached, false)
	now.Advance(-time.Hour)
	refusedFor(t, a, noNBF, sso.ReasonIssuedInFuture)
}

func TestCache_KeyRemoved(t *testing.T) {
	refetch := func(t *testing.T, a *sso.Authenticator, now *clock) {
		t.Helper()
		now.Advance(10 * time.Minute) // a refresh is due, and long enough for a request to wait for it
		if err := a.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("another key is added", func(t *testing.T) {
		issuer, a, now, cached := cachingAuth(t)
		token := issuer.MustToken()
		accepted(t, a, token, cached, false)
		issuer.Rotate()
		refetch(t, a, now)
		accepted(t, a, token, cached, true)
		accepted(t, a, token, cached, true)
	})
	t.Run("the key is removed", func(t *testing.T) {
		issuer, a, now, cached := cachingAuth(t)
		token := issuer.MustToken()
		accepted(t, a, token, cached, false)
		issuer.Rotate()
		issuer.Retire()
		refetch(t, a, now)
		refusedFor(t, a, token, sso.ReasonUnknownKey)
	})
	t.Run("another key gets its id", func(t *testing.T) {
		issuer, a, now, cached := cachingAuth(t)
		token := issuer.MustToken()
		accepted(t, a, token, cached, false)
		issuer.SetJWKS(strings.ReplaceAll(string(another(t).JWKS()), another(t).KeyID(), issuer.KeyID()))
		refetch(t, a, now)
		refusedFor(t, a, token, sso.ReasonBadSignature)
	})
	t.Run("the key gets another id", func(t *testing.T) {
		issuer, a, now, cached := cachingAuth(t)
		token := issuer.MustToken()
		accepted(t, a, token, cached, false)
		issuer.SetJWKS(strings.ReplaceAll(string(issuer.JWKS()), issuer.KeyID(), "renamed"))
		refetch(t, a, now)
		refusedFor(t, a, token, sso.ReasonUnknownKey)
	})
	t.Run("the key is declared for another algorithm", func(t *testing.T) {
		source := changing{now: newClock()}
		a := newAuth(t, func(c *sso.Config) {
			c.Keys, c.Algorithms = &source, []string{"RS256", "PS256"}
			c.Now = source.now.Now
		})
		source.set(t, keys.Key{ID: "k", Algorithm: "RS256", Public: rsaKey().Public()})
		valid := signedWith(t, jwt.SigningMethodRS256, rsaKey(), headerWith("alg", `"RS256"`, "kid", `"k"`), claimsWith())
		if _, err := a.ValidateToken(t.Context(), valid); err != nil {
			t.Fatal(err)
		}
		source.set(t, keys.Key{ID: "k", Algorithm: "PS256", Public: rsaKey().Public()})
		source.now.Advance(10 * time.Minute)
		refusedFor(t, a, valid, sso.ReasonKeyAlgorithm)
	})
	t.Run("a key without an id is replaced", func(t *testing.T) {
		issuer, a, now, cached := cachingAuth(t, func(i *devissuer.Issuer, c *sso.Config) { c.PublicKeyURI = i.URL() + "/key.pem" })
		token := issuer.MustToken()
		accepted(t, a, token, cached, false)
		accepted(t, a, token, cached, true)
		issuer.Rotate()
		refetch(t, a, now)
		refusedFor(t, a, token, sso.ReasonBadSignature)
	})
	t.Run("the provider changes its issuer", func(t *testing.T) {
		issuer, a, now, cached := cachingAuth(t, func(i *devissuer.Issuer, c *sso.Config) { c.PublicKeyURI, c.Issuer = i.DiscoveryURL(), "" })
		token := issuer.MustToken()
		accepted(t, a, token, cached, false)
		accepted(t, a, token, cached, true)
		issuer.Rotate() // the key stays
		refetch(t, a, now)
		accepted(t, a, token, cached, true)
	})
}

// changing is a source whose key a test changes, and its clock.
type changing struct {
	mu  sync.Mutex
	key *keys.Set
	now *clock
}

func (c *changing) set(t *testing.T, key keys.Key) {
	t.Helper()
	set, err := keys.NewSet(key)
	if err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.key = set
}

func (c *changing) String() string { return "a source that changes" }

func (c *changing) Fetch(context.Context, *keys.Set) (*keys.Set, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.key, nil
}

var otherIssuer = sync.OnceValues(func() (*devissuer.Issuer, error) {
	return devissuer.New(devissuer.WithAlgorithm("EdDSA"))
})

func another(t *testing.T) *devissuer.Issuer {
	t.Helper()
	issuer, err := otherIssuer()
	if err != nil {
		t.Fatal(err)
	}
	return issuer
}

func TestCache_KeysTooOld(t *testing.T) {
	issuer, a, now, cached := cachingAuth(t)
	token := issuer.MustToken(devissuer.ValidFor(24 * time.Hour))
	accepted(t, a, token, cached, false)
	issuer.Down()
	now.Advance(time.Hour)
	accepted(t, a, token, cached, true)
	now.Advance(time.Hour)
	if _, err := a.ValidateToken(t.Context(), token); class(err) != "unavailable" {
		t.Errorf("past the bound: %v", err)
	}
	issuer.Up()
	now.Advance(time.Minute)
	accepted(t, a, token, cached, true)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := a.ValidateToken(t.Context(), token); class(err) != "unavailable" {
		t.Errorf("after Close: %v", err)
	}
}

func TestCache_RefreshesKeys(t *testing.T) {
	issuer, a, now, cached := cachingAuth(t)
	token := issuer.MustToken(devissuer.ValidFor(24 * time.Hour))
	accepted(t, a, token, cached, false)
	before := issuer.Stats().Fetches
	now.Advance(time.Hour)
	accepted(t, a, token, cached, true)
	if n := issuer.Stats().Fetches - before; n != 1 {
		t.Errorf("%d fetches within an hour of use of a cached token", n)
	}
}

func TestCache_WholeToken(t *testing.T) {
	issuer, a, _, cached := cachingAuth(t)
	token := issuer.MustToken()
	accepted(t, a, token, cached, false)
	last := strings.LastIndexByte(token, '.')
	for i := 0; i < len(token); i += 7 {
		if token[i] == '.' {
			continue
		}
		other := byte('A')
		if token[i] == other {
			other = 'Q'
		}
		forged := token[:i] + string(other) + token[i+1:]
		if _, err := a.ValidateToken(t.Context(), forged); err == nil {
			t.Errorf("a token of the same length with another byte at %d of %d is accepted", i, len(token))
		}
	}
	for name, forged := range map[string]string{
		"the same prefix":     token[:last+1] + strings.Repeat("A", len(token)-last-1),
		"cut short by one":    token[:len(token)-1],
		"longer by one":       token + "A",
		"a line break":        token + "\n",
		"padding":             token + "=",
		"another's signature": token[:last] + issuer.MustToken(devissuer.Subject("bob"))[strings.LastIndexByte(issuer.MustToken(devissuer.Subject("bob")), '.'):],
		"the token twice":     token + "." + token,
	} {
		if _, err := a.ValidateToken(t.Context(), forged); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	accepted(t, a, token, cached, true)
}

func TestCache_RefusedTokens(t *testing.T) {
	issuer, a, now, cached := cachingAuth(t)
	early := issuer.MustToken(devissuer.Claim("nbf", T.Add(10*time.Minute).Unix()), devissuer.ValidFor(time.Hour))
	for range 3 {
		refusedFor(t, a, early, sso.ReasonNotYetValid)
		refusedFor(t, a, issuer.MustToken(devissuer.BadSignature()), sso.ReasonBadSignature)
		refusedFor(t, a, issuer.MustToken(devissuer.WrongAudience()), sso.ReasonWrongAudience)
	}
	now.Advance(10 * time.Minute)
	accepted(t, a, early, cached, false)
}

func TestCache_OtherAuthenticator(t *testing.T) {
	issuer, a, _, cached := cachingAuth(t)
	token := issuer.MustToken(devissuer.Claim("aud", []string{"api", "partners"}))
	accepted(t, a, token, cached, false)
	for name, test := range map[string]struct {
		change func(*sso.Config)
		want   sso.Reason
	}{
		"another audience": {func(c *sso.Config) { c.Audience = []string{"billing"} }, sso.ReasonWrongAudience},
		"another issuer":   {func(c *sso.Config) { c.Issuer = "https://other.example" }, sso.ReasonWrongIssuer},
		"another client":   {func(c *sso.Config) { c.ClientIDs = []string{"batch"} }, sso.ReasonWrongClient},
		"RFC 9068 alone":   {func(c *sso.Config) { c.TokenType = sso.StrictAccessToken }, sso.ReasonTokenType},
		"other algorithms": {func(c *sso.Config) { c.Algorithms = []string{"ES256"} }, sso.ReasonAlgorithm},
		"shorter tokens":   {func(c *sso.Config) { c.MaxTokenBytes = len(token) - 1 }, sso.ReasonTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			_, b, _ := newProvider(t, func(_ *devissuer.Issuer, c *sso.Config) {
				c.PublicKeyURI, c.Issuer, c.HTTPClient = issuer.JWKSURL(), issuer.URL(), issuer.Client()
				test.change(c)
			})
			refusedFor(t, b, token, test.want)
			refusedFor(t, b, token, test.want)
		})
	}
}

func TestCache_Join(t *testing.T) {
	var last sso.Event
	observe := func(_ *devissuer.Issuer, c *sso.Config) { c.Observe = func(e sso.Event) { last = e } }
	first, a, _ := newProvider(t, observe)
	second, err := devissuer.New(devissuer.WithAlgorithm("EdDSA"), devissuer.WithIssuer("https://second.example"), devissuer.WithClock(newClock().Now))
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close() //nolint:errcheck // the end of a test server
	_, b, _ := newProvider(t, observe, func(_ *devissuer.Issuer, c *sso.Config) {
		c.PublicKeyURI, c.Issuer, c.HTTPClient, c.TokenCache = second.JWKSURL(), second.URL(), second.Client(), -1
	})
	joined, err := sso.Join(a, b)
	if err != nil {
		t.Fatal(err)
	}
	other, err := sso.Join(b, a)
	if err != nil {
		t.Fatal(err)
	}
	for name, joined := range map[string]*sso.Authenticator{"one order": joined, "the other": other} {
		for token, want := range map[string]bool{first.MustToken(devissuer.Subject(name)): true, second.MustToken(): false} {
			accepted(t, joined, token, func() bool { return last.Cached }, false)
			accepted(t, joined, token, func() bool { return last.Cached }, want)
			ctx := must(t)(joined.Authenticate(t.Context(), bearer(token)))
			must(t)(joined.Authorize(ctx, bearer(token), granting))
		}
	}
	// A part by itself does not rely on the tokens that the other cached.
	alone := first.MustToken(devissuer.Subject("bob"))
	accepted(t, joined, alone, func() bool { return last.Cached }, false)
	accepted(t, a, alone, func() bool { return last.Cached }, false)
}

func TestCache_Size(t *testing.T) {
	for name, test := range map[string]struct{ size, kept int }{
		"switched off": {-1, 0}, "one": {1, 1}, "ten": {10, 10}, "the default": {0, 50},
	} {
		t.Run(name, func(t *testing.T) {
			issuer, a, _, cached := cachingAuth(t, func(_ *devissuer.Issuer, c *sso.Config) { c.TokenCache = test.size })
			var tokens []string
			for i := range 50 {
				tokens = append(tokens, issuer.MustToken(devissuer.Subject(fmt.Sprint("user ", i))))
				accepted(t, a, tokens[i], cached, false)
			}
			kept := 0
			for i := range tokens { // the last one first, because an uncached token replaces others
				if _, err := a.ValidateToken(t.Context(), tokens[len(tokens)-1-i]); err != nil {
					t.Fatal(err)
				}
				if !cached() {
					break
				}
				kept++
			}
			if kept != test.kept {
				t.Errorf("%d of %d tokens are cached", kept, len(tokens))
			}
		})
	}
	for _, size := range []int{1_000_001} {
		_, err := sso.New(sso.Config{Keys: static(t, "ada", "", ada.Public()), Audience: []string{"api"}, TokenCache: size, Logger: slog.New(slog.DiscardHandler)})
		if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("TokenCache holds %d", size)) {
			t.Errorf("%d: %v", size, err)
		}
	}
}

// Tokens with different headers, such as a nonce in each, are cached.
func TestCache_DifferentHeaders(t *testing.T) {
	issuer, a, _, cached := cachingAuth(t)
	var tokens []string
	for i := range 100 {
		tokens = append(tokens, issuer.MustToken(devissuer.Header("nonce", fmt.Sprint("n", i))))
		accepted(t, a, tokens[i], cached, false)
		accepted(t, a, tokens[i], cached, true)
	}
	for _, token := range tokens {
		accepted(t, a, token, cached, true)
	}
	spaced := signedBy(t, issuer, ` {"alg":"EdDSA"}`)
	accepted(t, a, spaced, cached, false)
	accepted(t, a, spaced, cached, true)
}

// A header that begins like a cached one is not that header.
func TestCache_WholeHeader(t *testing.T) {
	a := newAuth(t)
	header := headerWith()
	header += strings.Repeat(" ", 2-(len(header)+2)%3) // whole groups of base64, so that text can be appended
	if _, err := a.ValidateToken(t.Context(), signed(ada, header, claimsWith())); err != nil {
		t.Fatal(err)
	}
	refusedFor(t, a, signed(ada, header+"???", claimsWith()), sso.ReasonMalformed)
}

// signedBy seals a valid token's claims under a header of any text.
func signedBy(t *testing.T, issuer *devissuer.Issuer, header string) string {
	t.Helper()
	return issuer.MustToken(devissuer.Raw(strings.Replace(header, "{", `{"kid":"`+issuer.KeyID()+`",`, 1), ""))
}

func TestCache_Concurrent(t *testing.T) {
	issuer, a, now, _ := cachingAuth(t, func(_ *devissuer.Issuer, c *sso.Config) { c.TokenCache = 8 })
	var tokens []string
	for i := range 16 {
		tokens = append(tokens, issuer.MustToken(devissuer.Subject(fmt.Sprint("user ", i)), devissuer.ValidFor(24*time.Hour)))
	}
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			for i := range 300 {
				n := (i*3 + worker) % len(tokens)
				p, err := a.ValidateToken(t.Context(), tokens[n])
				if err != nil || p.Subject() != fmt.Sprint("user ", n) {
					t.Errorf("%v, %v", p, err)
					return
				}
				if i%100 == 0 {
					issuer.Publish()
					now.Advance(6 * time.Minute)
				}
			}
		})
	}
	all.Wait()
}

// viewing is a request whose strings are views of reused memory, as in Fiber.
type viewing struct {
	request
	memory []byte
}

func (v viewing) HeaderView(string) (string, int) {
	return unsafe.String(unsafe.SliceData(v.memory), len(v.memory)), 1
}

// A framework may reuse the memory of a request before its middleware has ended. Even then, the cached
// token must be the verified one.
func TestCache_ReusedMemory(t *testing.T) {
	valid := "Bearer " + token()
	evil := "Bearer " + strings.Repeat("A", len(valid)-7)
	memory := []byte(valid)
	var a *sso.Authenticator
	calls := 0
	a = newAuth(t, func(c *sso.Config) {
		c.Now = func() time.Time { // called while the token is verified
			calls++
			if calls == 1 {
				copy(memory, evil)
			}
			return T
		}
	})
	if _, err := a.Authenticate(t.Context(), viewing{memory: memory}); err != nil {
		t.Fatal(err)
	}
	if string(memory) != evil {
		t.Fatal("the memory was not used again")
	}
	for name, r := range map[string]sso.Request{"in the same memory": viewing{memory: memory}, "by itself": request{evil}} {
		if _, err := a.Authenticate(t.Context(), r); err == nil {
			t.Errorf("%s: an unsigned token was cached", name)
		}
	}
	if _, err := a.Authenticate(t.Context(), request{valid}); err != nil {
		t.Error(err)
	}
}

// gone is a source that hangs after its first answer.
type gone struct {
	changing
	away atomic.Bool
}

// Fetch runs in a bubble.
func (g *gone) Fetch(ctx context.Context, previous *keys.Set) (*keys.Set, error) {
	if g.away.Load() {
		<-ctx.Done()
		time.Sleep(time.Hour) // and ignores ctx
	}
	return g.changing.Fetch(ctx, previous)
}

func TestCache_HangingKeySource(t *testing.T) {
	for _, size := range []int{0, -1} {
		synctest.Test(t, func(t *testing.T) {
			source := &gone{}
			source.set(t, keys.Key{ID: "ada", Public: ada.Public()})
			a := newAuth(t, func(c *sso.Config) { c.Keys, c.Now, c.TokenCache = source, time.Now, size })
			now := time.Now()
			valid := signed(ada, headerWith(), claimsWith("iat", fmt.Sprint(now.Unix()), "exp", fmt.Sprint(now.Add(24*time.Hour).Unix())))
			ctx := must(t)(a.Authenticate(t.Context(), bearer(valid)))
			source.away.Store(true)
			time.Sleep(3 * time.Hour)
			for name, ctx := range map[string]context.Context{"a request": t.Context(), "a second guard": ctx} {
				begun := time.Now()
				if _, err := a.Authenticate(ctx, bearer(valid)); class(err) != "unavailable" {
					t.Errorf("%v", err)
				}
				if took := time.Since(begun); took > keycache.DefaultFetchTimeout {
					t.Errorf("TokenCache %d: %s waited %v", size, name, took)
				}
				time.Sleep(2 * time.Hour)
			}
		})
	}
}

// A forged token with many members must not cost much.
func TestValidateToken_ManyMembers(t *testing.T) {
	for member, of := range map[string]string{"EXP": "exp", "Iſſ": "iss", "ſub": "sub", "token_uſe": "token_use", "\u212aid": ""} {
		var b strings.Builder
		for i := range 500 {
			fmt.Fprintf(&b, `"é%d":%d,`, i, i)
		}
		payload := "{" + b.String() + `"` + member + `":1,` + claimsWith()[1:]
		_, err := newAuth(t).ValidateToken(t.Context(), signed(ada, headerWith(), payload))
		if of == "" {
			if err != nil {
				t.Errorf("%q: %v", member, err)
			}
		} else if reasonIn(err) != sso.ReasonMalformed || !strings.Contains(err.Error(), "differs from "+of+" by letter case alone") {
			t.Errorf("%q: %v", member, err)
		}
	}
}

// A cached login does not keep the token's header in memory: [Config.TokenCache] does not count it.
func TestCache_KeepsNoHeader(t *testing.T) {
	auth := newAuth(t, func(c *sso.Config) { c.TokenCache, c.MaxTokenBytes = 1000, 1<<20 })
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	const tokens, header = 200, 100_000
	for i := range tokens {
		token := signed(ada, headerWith("x5c", `"`+strings.Repeat("x", header)+`"`), claimsWith("jti", fmt.Sprintf(`"%d"`, i)))
		if _, err := auth.ValidateToken(t.Context(), token); err != nil {
			t.Fatal(err)
		}
	}
	if after := heap(); after > before+tokens*header/4 {
		t.Errorf("%d tokens keep %d kB", tokens, (after-before)/1000)
	}
	runtime.KeepAlive(auth)
}
