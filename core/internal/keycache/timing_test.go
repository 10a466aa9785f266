package keycache_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/more-retail/moresso-go/core/internal/keycache"
	"github.com/more-retail/moresso-go/core/keys"
)

// A slow provider costs a caller 3 s at most, 1 s if an old set can serve, and is not an outage.
func TestCache_SlowProvider(t *testing.T) {
	type state struct {
		name string
		age  time.Duration // of the set; negative: none
		new  bool          // the token names a key that the set lacks
	}
	states := []state{
		{"none", -1, false}, {"due", 0, false}, {"idle", 40 * time.Minute, false},
		{"stale", 2 * time.Hour, false}, {"unknown key", time.Minute, true},
	}
	for _, inline := range []bool{false, true} {
		for _, s := range states {
			for _, slow := range []time.Duration{500 * time.Millisecond, 1500 * time.Millisecond, 2500 * time.Millisecond, 5 * time.Second} {
				t.Run(fmt.Sprintf("inline %v/%s/%v", inline, s.name, slow), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						p := newProvider(t, keycache.Options{Inline: inline})
						old := p.KeyID()
						if s.age >= 0 {
							p.warm(t)
							time.Sleep(s.age)
							if s.name == "due" {
								time.Sleep(time.Until(p.cache.Status().RefreshDue) + time.Second)
							}
						}
						p.Slow(slow)
						p.Rotate()
						if !s.new {
							p.Retire()
						}
						kid, serves := p.KeyID(), false
						if s.name == "due" || s.name == "idle" {
							kid, serves = old, true
						}

						_, took, err := find(p.cache, kid)
						bound := callerWait
						if serves {
							bound = idleWait
						}
						if s.name == "due" && !inline {
							bound = 0
						}
						switch {
						case took != min(slow, bound):
							t.Fatalf("the first request took %v: %v", took, err)
						case serves && slow <= bound: // refreshed in time
							if !errors.Is(err, keycache.ErrUnknownKey) {
								t.Fatalf("the removed key after a refresh: %v", err)
							}
						case serves && err != nil, !serves && slow <= bound && err != nil:
							t.Fatalf("the first request: %v", err)
						case !serves && slow > bound:
							unavailable(t, err)
						}

						// Later requests: in the background the fetch has ended by itself. Inline the
						// next attempt has the whole wait.
						time.Sleep(slow + 2*time.Second)
						_, took, err = find(p.cache, p.KeyID())
						switch {
						case !inline || slow <= bound:
							if err != nil || took != 0 {
								t.Fatalf("the next request took %v: %v", took, err)
							}
						case slow <= callerWait:
							if err != nil || took != slow {
								t.Fatalf("the next request took %v: %v", took, err)
							}
						case took > callerWait:
							t.Fatalf("the next request waited %v: %v", took, err)
						}
					})
				})
			}
		}
	}
}

// The set that a call has fetched answers: for an unknown key, and for a signature that it does not verify.
func TestCache_OneFetchAnswers(t *testing.T) {
	for _, inline := range []bool{false, true} {
		for name, age := range map[string]time.Duration{"no set": -1, "a stale set": 2 * time.Hour, "an idle set": 40 * time.Minute} {
			t.Run(fmt.Sprintf("%s/inline %v", name, inline), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p := newProvider(t, keycache.Options{Inline: inline})
					want := 1
					if age >= 0 {
						p.warm(t)
						time.Sleep(age)
						want = 2
					}
					p.Slow(700 * time.Millisecond)
					_, took, err := find(p.cache, "forged")
					if !errors.Is(err, keycache.ErrUnknownKey) || took != 700*time.Millisecond {
						t.Fatalf("%v after %v", err, took)
					}
					fetches(t, p, want)

					time.Sleep(2 * time.Hour)
					match, _, err := find(p.cache, p.KeyID())
					if err != nil {
						t.Fatal(err)
					}
					if _, err := p.cache.FindAgain(t.Context(), match, p.KeyID(), alg); !errors.Is(err, keycache.ErrUnknownKey) {
						t.Fatal(err)
					}
					fetches(t, p, want+1)
				})
			})
		}
	}
}

// One deadline covers a call that waits for the fetch of another and then for one of its own.
func TestCache_OneDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t, keycache.Options{}).warm(t)
		p.Slow(2 * time.Second)
		time.Sleep(time.Until(p.cache.Status().RefreshDue) + time.Second)
		served(t, p.cache, p.KeyID(), 0) // begins a refresh
		_, took, err := find(p.cache, "forged")
		if took > callerWait {
			t.Fatalf("waited %v: %v", took, err)
		}
		time.Sleep(fetchLimit)
	})
}

// A key that was replaced under its id is found after one fetch on the budget for unknown keys.
func TestFindAgain_ReplacedUnderItsID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := ecKey("a")
		source := &published{list: []keys.Key{key}}
		cache := newCache(t, source, keycache.Options{})
		served(t, cache, "a", 0)
		last := served(t, cache, "a", 0) // without a fetch of its own
		if _, err := cache.FindAgain(t.Context(), last, "a", alg); !errors.Is(err, keycache.ErrUnknownKey) {
			t.Fatalf("unchanged: %v", err)
		}
		for range 100 { // forged tokens
			_, _ = cache.FindAgain(t.Context(), last, "a", alg)
		}
		if n := cache.Status().Fetches; n != 2 {
			t.Fatalf("%d fetches; want the first and one for a hundred forged tokens", n)
		}

		source.list = []keys.Key{ecKey("a")}
		time.Sleep(cooldown)
		again, err := cache.FindAgain(t.Context(), last, "a", alg)
		if err != nil || again.Keys[0].Thumbprint() == key.Thumbprint() {
			t.Fatalf("%+v, %v; want the new key", again, err)
		}
	})
}
