package keycache_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/internal/keycache"
	"github.com/more-retail/moresso-go/core/keys"
)

func TestSnapshot_ServesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iss, err := devissuer.New(devissuer.WithAlgorithm("ES256"))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = iss.Close() }()
		snapshot, err := keys.JWKS(string(iss.JWKS()))
		if err != nil {
			t.Fatal(err)
		}
		provider, err := keys.URL(iss.JWKSURL(), keys.Options{HTTPClient: iss.Client()})
		if err != nil {
			t.Fatal(err)
		}
		cache := keycache.New(keys.WithSnapshot(snapshot, provider), keycache.Options{})
		defer func() { _ = cache.Close() }()
		old := iss.KeyID()

		iss.Down()
		if _, err := cache.Find(t.Context(), keycache.Ref{KeyID: old}, "ES256"); err != nil {
			t.Fatalf("while the provider is down: %v", err)
		}
		if iss.Stats().Refused != 0 {
			t.Errorf("%d attempts for a key that the snapshot has", iss.Stats().Refused)
		}
		iss.Up()
		next := iss.Rotate()
		if _, err := cache.Find(t.Context(), keycache.Ref{KeyID: next}, "ES256"); err != nil || iss.Stats().Fetches != 1 {
			t.Errorf("a key that the snapshot lacks: %v, %d fetches", err, iss.Stats().Fetches)
		}
	})
}

// A snapshot is due at once: the second call finds what was published since.
func TestSnapshot_DueAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		iss, err := devissuer.New(devissuer.WithAlgorithm("ES256"))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = iss.Close() }()
		snapshot, err := keys.JWKS(string(iss.JWKS()))
		if err != nil {
			t.Fatal(err)
		}
		provider, err := keys.URL(iss.JWKSURL(), keys.Options{HTTPClient: iss.Client()})
		if err != nil {
			t.Fatal(err)
		}
		cache := keycache.New(keys.WithSnapshot(snapshot, provider), keycache.Options{})
		defer func() { _ = cache.Close() }()
		removed := iss.KeyID()
		iss.Rotate()
		iss.Retire()
		if _, err := cache.Find(t.Context(), keycache.Ref{KeyID: removed}, "ES256"); err != nil {
			t.Fatal(err)
		}
		_, _ = cache.Find(t.Context(), keycache.Ref{KeyID: removed}, "ES256") // notices that a refresh is due
		synctest.Wait()
		if _, err := cache.Find(t.Context(), keycache.Ref{KeyID: removed}, "ES256"); !errors.Is(err, keycache.ErrUnknownKey) {
			t.Errorf("the removed key: %v", err)
		}
	})
}

func TestSnapshot_Unusable(t *testing.T) {
	for name, snapshot := range map[string]keys.Source{
		"an error":     &published{},
		"no set":       sourceFunc(func(context.Context, *keys.Set) (*keys.Set, error) { return nil, nil }),
		"an empty set": sourceFunc(func(context.Context, *keys.Set) (*keys.Set, error) { return &keys.Set{}, nil }),
		"a weak key": sourceFunc(func(context.Context, *keys.Set) (*keys.Set, error) {
			return &keys.Set{Keys: []keys.Key{{Public: rsaPublic(1024)}}}, nil
		}),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newProvider(t, keycache.Options{})
				source := keys.WithSnapshot(snapshot, p.asked)
				served(t, newCache(t, source, keycache.Options{}), p.KeyID(), 0)
			})
		})
	}
}

// The snapshot is not the provider's answer: it neither refuses a newer key nor spends the budget for unknown ones.
func TestSnapshot_NewKeyAtOnce(t *testing.T) {
	for _, inline := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			issuer := newIssuer(t)
			snapshot, err := keys.JWKS(string(issuer.JWKS()))
			if err != nil {
				t.Fatal(err)
			}
			issuer.Rotate()
			provider, err := keys.URL(issuer.JWKSURL(), keys.Options{HTTPClient: issuer.Client()})
			if err != nil {
				t.Fatal(err)
			}
			cache := newCache(t, keys.WithSnapshot(snapshot, provider), keycache.Options{Inline: inline})
			served(t, cache, issuer.KeyID(), 0)
			if n := issuer.Stats().Fetches; n != 1 {
				t.Errorf("%d fetches", n)
			}
		})
	}
}

func TestSnapshot_Ready(t *testing.T) {
	for _, inline := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			issuer := newIssuer(t)
			snapshot, err := keys.JWKS(string(issuer.JWKS()))
			if err != nil {
				t.Fatal(err)
			}
			provider, err := keys.URL(issuer.JWKSURL(), keys.Options{HTTPClient: issuer.Client()})
			if err != nil {
				t.Fatal(err)
			}
			cache := newCache(t, keys.WithSnapshot(snapshot, provider), keycache.Options{Inline: inline})
			issuer.Down()
			if err := cache.Ready(t.Context()); err != nil || issuer.Stats().Refused != 1 {
				t.Errorf("while the provider is down: %v, %d requests", err, issuer.Stats().Refused)
			}
			issuer.Up()
			next := issuer.Rotate()
			time.Sleep(2 * time.Second) // the back-off
			if err := cache.Ready(t.Context()); err != nil || issuer.Stats().Fetches != 1 {
				t.Errorf("with a provider: %v, %d fetches", err, issuer.Stats().Fetches)
			}
			issuer.Down()
			served(t, cache, next, 0)
			if err := cache.Ready(t.Context()); err != nil || issuer.Stats().Refused != 1 {
				t.Errorf("with the provider's keys: %v, %d requests", err, issuer.Stats().Refused)
			}
		})
	}
}

// decorated is a source with methods of its own, such as metrics.
type decorated struct{ keys.Source }

func TestSnapshot_Decorated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := newIssuer(t)
		snapshot, err := keys.JWKS(string(issuer.JWKS()))
		if err != nil {
			t.Fatal(err)
		}
		issuer.Rotate()
		provider, err := keys.URL(issuer.JWKSURL(), keys.Options{HTTPClient: issuer.Client()})
		if err != nil {
			t.Fatal(err)
		}
		served(t, newCache(t, decorated{keys.WithSnapshot(snapshot, provider)}, keycache.Options{}), issuer.KeyID(), 0)
	})
}

func TestSnapshot_UnusableAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t, keycache.Options{})
		cache := newCache(t, keys.WithSnapshot(&published{}, p.asked), keycache.Options{})
		_, _, _ = find(cache, "forged")
		fetches(t, p, 1) // the provider has answered
	})
}
