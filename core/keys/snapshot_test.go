package keys_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/keys"
)

func TestASnapshotServesAtOnceAndTheProviderIsAskedWithinAMinute(t *testing.T) {
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
		cache := keys.NewCache(keys.WithSnapshot(snapshot, provider), keys.CacheOptions{})
		defer func() { _ = cache.Close() }()
		old := iss.KeyID()

		iss.Down()
		if _, err := cache.Find(t.Context(), old, "ES256"); err != nil {
			t.Fatalf("while the provider is down: %v", err)
		}
		if iss.Refused() != 0 {
			t.Errorf("%d attempts for a key that the snapshot has", iss.Refused())
		}
		iss.Up()
		next := iss.Rotate()
		if _, err := cache.Find(t.Context(), next, "ES256"); err != nil || iss.Fetches() != 1 {
			t.Errorf("a key that the snapshot lacks: %v, %d fetches", err, iss.Fetches())
		}
	})
}

func TestASnapshotIsRefreshedAfterAMinuteAndARemovedKeyThenRefused(t *testing.T) {
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
		cache := keys.NewCache(keys.WithSnapshot(snapshot, provider), keys.CacheOptions{})
		defer func() { _ = cache.Close() }()
		removed := iss.KeyID()
		iss.Rotate()
		iss.RetireOld()
		if _, err := cache.Find(t.Context(), removed, "ES256"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(67 * time.Second)
		_, _ = cache.Find(t.Context(), removed, "ES256") // notices that a refresh is due
		synctest.Wait()
		if _, err := cache.Find(t.Context(), removed, "ES256"); !errors.Is(err, keys.ErrUnknownKey) {
			t.Errorf("the removed key: %v", err)
		}
	})
}
