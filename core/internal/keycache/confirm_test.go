package keycache_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/more-retail/moresso-go/core/internal/keycache"
	"github.com/more-retail/moresso-go/core/keys"
)

// A cached token is valid while the key that verified it is in use.
func TestConfirm_KeyInForce(t *testing.T) {
	a, b, unnamed := ecKey("a"), ecKey("b"), ecKey("")
	for name, c := range map[string]struct {
		before, after []keys.Key
		kid           string
		confirmed     bool
	}{
		"nothing has changed":                 {[]keys.Key{a}, []keys.Key{a}, "a", true},
		"another key is added":                {[]keys.Key{a}, []keys.Key{a, b}, "a", true},
		"the other keys change their order":   {[]keys.Key{a, b}, []keys.Key{b, a}, "a", true},
		"the key is removed":                  {[]keys.Key{a}, []keys.Key{b}, "a", false},
		"another key has its id":              {[]keys.Key{a}, []keys.Key{ecKey("a")}, "a", false},
		"the key has another algorithm now":   {[]keys.Key{a}, []keys.Key{{ID: "a", Algorithm: "ES256", Public: a.Public}}, "a", true},
		"a key without id is still there":     {[]keys.Key{unnamed}, []keys.Key{ecKey(""), unnamed}, "", true},
		"a key without id is removed":         {[]keys.Key{unnamed}, []keys.Key{ecKey("")}, "", false},
		"a key without id, after four others": {[]keys.Key{unnamed}, []keys.Key{ecKey(""), ecKey(""), ecKey(""), ecKey(""), unnamed}, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source := &published{list: c.before}
				cache := newCache(t, source, keycache.Options{})
				match, err := cache.Find(t.Context(), keycache.Ref{KeyID: c.kid}, alg)
				if err != nil {
					t.Fatal(err)
				}
				source.list = c.after
				time.Sleep(shortest - 1)
				if _, ok, err := cache.Confirm(t.Context(), time.Now(), match, keycache.Ref{KeyID: c.kid}, alg); !ok || err != nil {
					t.Fatalf("before the refresh: %v, %v", ok, err)
				}
				time.Sleep(longest - shortest + 1)
				if err := cache.Ready(t.Context()); err != nil { // starts the refresh
					t.Fatal(err)
				}
				synctest.Wait()
				again, ok, err := cache.Confirm(t.Context(), time.Now(), match, keycache.Ref{KeyID: c.kid}, alg)
				if ok != c.confirmed || err != nil {
					t.Fatalf("confirmed: %v, %v", ok, err)
				}
				if ok && (len(again.Keys) != 1 || again.Keys[0].Thumbprint() != match.Keys[0].Thumbprint()) {
					t.Errorf("confirmed by %+v", again)
				}
			})
		})
	}
}

// Confirm is called on every request.
func TestConfirm_Allocations(t *testing.T) {
	cache := newCache(t, having(ecKey("a")), keycache.Options{})
	match, now := served(t, cache, "a", fetchLimit), time.Now()
	if n := testing.AllocsPerRun(100, func() { _, _, _ = cache.Confirm(context.Background(), now, match, keycache.Ref{KeyID: "a"}, alg) }); n > 0 {
		t.Fatalf("%v allocations; want none", n)
	}
}

func TestConfirm_Unavailable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t, keycache.Options{}).warm(t)
		match := served(t, p.cache, p.KeyID(), 0)
		p.Down()
		time.Sleep(longest + staleFor)
		_, ok, err := p.cache.Confirm(t.Context(), time.Now(), match, keycache.Ref{KeyID: p.KeyID()}, alg)
		unavailable(t, err)
		if ok {
			t.Error("confirmed")
		}
	})
}

// Several keys that a token without key id may mean say nothing of the one that verified it.
func TestConfirm_SeveralKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &published{list: []keys.Key{ecKey(""), ecKey("")}}
		cache := newCache(t, source, keycache.Options{})
		match, err := cache.Find(t.Context(), keycache.Ref{KeyID: ""}, alg)
		if err != nil || len(match.Keys) != 2 {
			t.Fatalf("%+v, %v", match, err)
		}
		source.list = append(source.list, ecKey(""))
		time.Sleep(longest + fetchLimit + time.Second)
		if err := cache.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, ok, err := cache.Confirm(t.Context(), time.Now(), match, keycache.Ref{KeyID: ""}, alg); ok || err != nil {
			t.Errorf("%v, %v", ok, err)
		}
	})
}
