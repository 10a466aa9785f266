// Package bench measures how many tokens a machine verifies.
package bench

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/pem"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/keys"
	"github.com/more-retail/moresso-go/core/sso"
)

// Kind is a kind of key: tokens of keys of one kind take equally long to verify.
type Kind struct {
	Algorithm string `json:"algorithm"`
	Bits      int    `json:"bits,omitempty"` // of RSA keys
}

func (k Kind) String() string {
	if k.Bits == 0 {
		return k.Algorithm
	}
	return fmt.Sprintf("%s, %d bits", k.Algorithm, k.Bits)
}

// Usual are the kinds that providers have.
func Usual() []Kind {
	return []Kind{{"RS256", 2048}, {"RS256", 4096}, {"PS256", 2048}, {"ES256", 0}, {"EdDSA", 0}}
}

// KindsOf are the kinds of the keys that a source has, as far as the algorithms are accepted.
func KindsOf(ctx context.Context, source keys.Source, algorithms []string) ([]Kind, error) {
	set, err := source.Fetch(ctx, nil)
	if err != nil {
		return nil, err
	}
	var kinds []Kind
	for _, key := range set.Keys {
		for _, algorithm := range algorithms {
			kind := Kind{Algorithm: algorithm}
			switch public := key.Public.(type) {
			case *rsa.PublicKey:
				kind.Bits = public.N.BitLen()
			case *ecdsa.PublicKey, ed25519.PublicKey:
			}
			if key.Fits(algorithm) && !slices.Contains(kinds, kind) {
				kinds = append(kinds, kind)
			}
		}
	}
	return kinds, nil
}

// Result is how fast tokens of a kind were verified.
type Result struct {
	Kind
	OneCore  int `json:"one_core"`  // tokens a second
	AllCores int `json:"all_cores"` // tokens a second
	Known    int `json:"known"`     // tokens a second on one core that were verified before
	Cores    int `json:"cores"`
}

// Nanoseconds that one token takes on one core.
func (r Result) Nanoseconds() int {
	if r.OneCore == 0 {
		return 0
	}
	return int(time.Second) / r.OneCore
}

// batch is how many tokens are minted for a kind.
const batch = 128

// Measure verifies tokens of a kind for about a duration: without remembering any on one core and
// on all, and then such as are remembered.
func Measure(ctx context.Context, kind Kind, d time.Duration, now func() time.Time) (Result, error) {
	opts := []devissuer.Option{devissuer.WithAlgorithm(kind.Algorithm), devissuer.WithClock(now)}
	if kind.Bits != 0 {
		opts = append(opts, devissuer.WithRSABits(kind.Bits))
	}
	issuer, err := devissuer.New(opts...)
	if err != nil {
		return Result{}, err
	}
	defer issuer.Close() //nolint:errcheck // it never served
	tokens := make([]string, batch)
	for i := range tokens {
		if tokens[i], err = issuer.Token(devissuer.Permission("orders.role", "clerk"), devissuer.Scope("orders:read", "orders:write")); err != nil {
			return Result{}, err
		}
	}
	block, _ := pem.Decode(issuer.PublicPEM())
	cfg := sso.Config{
		PublicKeyURI: string(pem.EncodeToMemory(block)),
		Issuer:       issuer.URL(),
		Audience:     []string{"api"},
		Algorithms:   []string{kind.Algorithm},
		Now:          now,
		Logger:       slog.New(slog.DiscardHandler),
	}
	cores := runtime.GOMAXPROCS(0)
	r := Result{Kind: kind, Cores: cores}
	for _, figure := range []struct {
		into         *int
		cache, cores int
	}{{&r.OneCore, sso.NoTokenCache, 1}, {&r.AllCores, sso.NoTokenCache, cores}, {&r.Known, 0, 1}} {
		cfg.TokenCache = figure.cache
		if *figure.into, err = rate(ctx, cfg, tokens, figure.cores, d/3, now); err != nil {
			return r, err
		}
	}
	return r, nil
}

// rate runs workers side by side and counts what they verify in a second.
func rate(ctx context.Context, cfg sso.Config, tokens []string, workers int, d time.Duration, now func() time.Time) (int, error) {
	auth, err := sso.New(cfg) //nolint:contextcheck // New takes none: it reads a key file at once, for no request
	if err != nil {
		return 0, err
	}
	defer auth.Close()                                //nolint:errcheck // nothing is in flight
	if err := verify(ctx, auth, tokens); err != nil { // once for the caches of all sorts
		return 0, err
	}
	var (
		all   sync.WaitGroup
		done  atomic.Int64
		fault atomic.Pointer[error]
	)
	began := now()
	for range workers {
		all.Go(func() {
			// The first round is always run, so that the shortest duration gives a figure too.
			for fault.Load() == nil {
				if err := verify(ctx, auth, tokens); err != nil {
					fault.Store(&err)
					return
				}
				done.Add(int64(len(tokens)))
				if now().Sub(began) >= d {
					return
				}
			}
		})
	}
	all.Wait()
	if err := fault.Load(); err != nil {
		return 0, *err
	}
	took := max(now().Sub(began), time.Nanosecond)
	return int(float64(done.Load()) / took.Seconds()), nil
}

func verify(ctx context.Context, auth *sso.Authenticator, tokens []string) error {
	for _, token := range tokens {
		if _, err := auth.ValidateToken(ctx, token); err != nil {
			return err
		}
	}
	return ctx.Err()
}
