package keycache_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/internal/keycache"
	"github.com/more-retail/moresso-go/core/keys"
)

// The contract's figures, written out so that a change of the code's constants is noticed.
const (
	alg        = "ES256"
	interval   = 5 * time.Minute
	longest    = interval + interval/10 // between two refreshes
	shortest   = interval - interval/10
	minRefresh = time.Minute
	fetchLimit = 10 * time.Second
	callerWait = 3 * time.Second // where no set can serve
	idleWait   = time.Second
	cooldown   = 10 * time.Second
	staleFor   = time.Hour
	maxRetry   = 30 * time.Second
	maxWaiters = 1024
)

// newIssuer makes a provider in memory, whose keys are quickly made.
func newIssuer(t testing.TB) *devissuer.Issuer {
	t.Helper()
	issuer, err := devissuer.New(devissuer.WithAlgorithm(alg))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = issuer.Close() })
	return issuer
}

// provider is an issuer with a cache over its key set and a record of its calls.
type provider struct {
	*devissuer.Issuer
	cache *keycache.Cache
	asked *recorder
}

func newProvider(t testing.TB, o keycache.Options) provider {
	t.Helper()
	issuer := newIssuer(t)
	return providerAt(t, issuer, issuer.JWKSURL(), o)
}

func providerAt(t testing.TB, issuer *devissuer.Issuer, address string, o keycache.Options) provider {
	t.Helper()
	source, err := keys.URL(address, keys.Options{HTTPClient: issuer.Client()})
	if err != nil {
		t.Fatal(err)
	}
	asked := &recorder{Source: source}
	return provider{issuer, newCache(t, asked, o), asked}
}

func newCache(t testing.TB, source keys.Source, o keycache.Options) *keycache.Cache {
	t.Helper()
	cache := keycache.New(source, o)
	t.Cleanup(func() {
		if err := cache.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return cache
}

// warm fetches the first set.
func (p provider) warm(t testing.TB) provider {
	t.Helper()
	if err := p.cache.Ready(t.Context()); err != nil {
		t.Fatalf("the first fetch: %v", err)
	}
	return p
}

// attempt is one call of a source.
type attempt struct {
	began time.Time
	took  time.Duration
	ids   []string
	err   error
}

// recorder notes every attempt that a cache makes.
type recorder struct {
	keys.Source
	mu       sync.Mutex
	attempts []attempt
}

func (r *recorder) Fetch(ctx context.Context, previous *keys.Set) (*keys.Set, error) {
	began := time.Now()
	set, err := r.Source.Fetch(ctx, previous)
	r.mu.Lock()
	defer r.mu.Unlock()
	a := attempt{began: began, took: time.Since(began), err: err}
	if set != nil {
		a.ids = ids(set)
	}
	r.attempts = append(r.attempts, a)
	return set, err
}

func (r *recorder) all() []attempt {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.attempts)
}

func (r *recorder) count() int { return len(r.all()) }

// sourceFunc is a source of a test's own.
type sourceFunc func(ctx context.Context, previous *keys.Set) (*keys.Set, error)

func (f sourceFunc) Fetch(ctx context.Context, previous *keys.Set) (*keys.Set, error) {
	return f(ctx, previous)
}
func (sourceFunc) String() string { return "a source of the test's" }

// having is a source that has these keys at once.
func having(list ...keys.Key) sourceFunc {
	return func(context.Context, *keys.Set) (*keys.Set, error) { return keys.NewSet(list...) }
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// alone says that no goroutine but the test's own is left in its bubble.
func alone(t testing.TB) {
	t.Helper()
	synctest.Wait()
	all := make([]byte, 1<<20)
	all = all[:runtime.Stack(all, true)]
	if n := strings.Count(string(all), "synctest bubble"); n > 3 { // synctest itself has two
		t.Fatalf("%d goroutines are left\n%s", n-3, all)
	}
}

// clock is one that a test sets.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// find looks a key up and returns how long that took.
func find(c *keycache.Cache, kid string) (keycache.Match, time.Duration, error) {
	began := time.Now()
	match, err := c.Find(context.Background(), keycache.Ref{KeyID: kid}, alg)
	return match, time.Since(began), err
}

// served says that a key is found, after a wait of at most limit, and that it verifies the token.
func served(t testing.TB, c *keycache.Cache, kid string, limit time.Duration) keycache.Match {
	t.Helper()
	match, took, err := find(c, kid)
	if err != nil {
		t.Fatalf("the key %q was refused after %v: %v", kid, took, err)
	}
	if took > limit {
		t.Fatalf("the key %q took %v; at most %v was promised", kid, took, limit)
	}
	if len(match.Keys) == 0 || match.Keys[0].ID != kid {
		t.Fatalf("asked for the key %q, got %v", kid, match.Keys)
	}
	c.Fruitful(match)
	return match
}

// unknown checks that a key is refused for good.
func unknown(t testing.TB, c *keycache.Cache, kid string) {
	t.Helper()
	if _, _, err := find(c, kid); !errors.Is(err, keycache.ErrUnknownKey) || isUnavailable(err) {
		t.Fatalf("the key %q: %v; want ErrUnknownKey", kid, err)
	}
}

// unavailable requires an UnavailableError and returns its RetryAfter.
func unavailable(t testing.TB, err error) time.Duration {
	t.Helper()
	var u *keycache.UnavailableError
	if !errors.As(err, &u) || errors.Is(err, keycache.ErrUnknownKey) {
		t.Fatalf("got %v; want an UnavailableError and nothing else", err)
	}
	if u.RetryAfter < time.Second || u.RetryAfter > maxRetry {
		t.Fatalf("RetryAfter is %v; want from 1s to 30s", u.RetryAfter)
	}
	return u.RetryAfter
}

func isUnavailable(err error) bool {
	var u *keycache.UnavailableError
	return errors.As(err, &u)
}

func fetches(t testing.TB, p provider, want int) {
	t.Helper()
	if got := p.asked.count(); got != want {
		t.Fatalf("%d fetches; want %d", got, want)
	}
}

func ecPublic(curve elliptic.Curve) *ecdsa.PublicKey {
	private, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		panic(err)
	}
	return &private.PublicKey
}

// rsaPublic returns a random modulus of this length, without known factors.
func rsaPublic(bits int) *rsa.PublicKey {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), uint(bits-1)))
	if err != nil {
		panic(err)
	}
	return &rsa.PublicKey{N: n.SetBit(n, bits-1, 1).SetBit(n, 0, 1), E: 65537}
}

func ecKey(kid string) keys.Key { return keys.Key{ID: kid, Public: ecPublic(elliptic.P256())} }

// ids are the ids of the keys of a set.
func ids(set *keys.Set) []string {
	var list []string
	for _, k := range set.Keys {
		list = append(list, k.ID)
	}
	return list
}

// logbook is a logger whose lines can be counted.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logbook) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func newLogger(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }

// lines are those that hold all of these words.
func (l *logbook) lines(words ...string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for line := range strings.Lines(l.text.String()) {
		if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(line, w) }) {
			n++
		}
	}
	return n
}

// published is a source whose keys a test exchanges.
type published struct{ list []keys.Key }

func (p *published) Fetch(context.Context, *keys.Set) (*keys.Set, error) {
	return keys.NewSet(p.list...)
}

func (*published) String() string { return "what is published" }
