package keycache_test

import (
	"context"
	"crypto/elliptic"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/more-retail/moresso-go/core/internal/keycache"
	"github.com/more-retail/moresso-go/core/keys"
)

func TestCache_ColdCallersShareFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t, keycache.Options{})
		p.Slow(100 * time.Millisecond)
		kid := p.KeyID()
		var wg sync.WaitGroup
		for range 1000 {
			wg.Go(func() {
				if _, took, err := find(p.cache, kid); err != nil || took > 100*time.Millisecond {
					t.Errorf("refused after %v: %v", took, err)
				}
			})
		}
		wg.Wait()
		fetches(t, p, 1)
		if n := p.Stats().Fetches; n != 1 {
			t.Fatalf("the provider saw %d requests; want 1", n)
		}
	})
}

// Between a caller's look at the cache and its turn, another caller's fetch may begin and end.
func TestCache_NoSecondFetch(t *testing.T) {
	for name, past := range map[string]time.Duration{"cold": -1, "due": 0, "idle": time.Minute, "past all bounds": 2 * staleFor} {
		for _, inline := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, inline %t", name, inline), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var between func()
					asked := &recorder{Source: having(ecKey("a"))}
					cache := newCache(t, asked, keycache.Options{Inline: inline, Now: func() time.Time {
						if f := between; f != nil { // the clock is read after the set has been looked at
							between = nil
							f()
						}
						return time.Now()
					}})
					if past >= 0 {
						served(t, cache, "a", 0)
						time.Sleep(time.Until(cache.Status().RefreshDue.Add(past)))
					}
					before := asked.count()
					between = func() {
						served(t, cache, "a", 0)
						synctest.Wait()
					}
					served(t, cache, "a", 0)
					synctest.Wait()
					if n := asked.count() - before; n != 1 {
						t.Fatalf("%d fetches; want 1", n)
					}
				})
			})
		}
	}
}

// If the first caller cancels, the others are served.
func TestCache_CanceledCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t, keycache.Options{})
		p.Slow(2 * time.Second)
		kid := p.KeyID()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() {
			began := time.Now()
			_, err := p.cache.Find(ctx, keycache.Ref{KeyID: kid}, alg)
			if took := time.Since(began); took != time.Second {
				t.Errorf("a caller with a second to live waited %v", took)
			}
			unavailable(t, err)
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v does not say that the caller's time ran out", err)
			}
		})
		synctest.Wait()
		for range 10 {
			wg.Go(func() { served(t, p.cache, kid, 2*time.Second) })
		}
		wg.Wait()
		fetches(t, p, 1)
	})
}

func TestCache_FetchOutlivesCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t, keycache.Options{})
		p.Slow(2 * time.Second)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := p.cache.Find(ctx, keycache.Ref{KeyID: p.KeyID()}, alg)
		unavailable(t, err)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		served(t, p.cache, p.KeyID(), 0)
		fetches(t, p, 1)
	})
}

func TestCache_FreshSetIsLockFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t, keycache.Options{}).warm(t)
		p.Down()
		for range 100 {
			time.Sleep(shortest / 100)
			p.cache.WhileLocked(func() { served(t, p.cache, p.KeyID(), 0) }) // would block forever
		}
		fetches(t, p, 1)
		if n := p.Stats().Refused; n != 0 {
			t.Fatalf("%d connections; want none", n)
		}
	})
}

func TestCache_FindAllocations(t *testing.T) {
	cache := newCache(t, having(ecKey("a")), keycache.Options{})
	served(t, cache, "a", fetchLimit)
	if n := testing.AllocsPerRun(100, func() { _, _ = cache.Find(context.Background(), keycache.Ref{KeyID: "a"}, alg) }); n > 0 {
		t.Fatalf("%v allocations; want none", n)
	}
}

// The request that notices a due set starts its refresh and does not wait.
func TestCache_RefreshWithoutWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t, keycache.Options{}).warm(t)
		p.Slow(2 * time.Second)
		old := p.KeyID()
		next := p.Publish()
		until := time.Now().Add(30 * time.Minute)
		for time.Now().Before(until) {
			served(t, p.cache, old, 0)
			time.Sleep(100 * time.Millisecond)
		}
		served(t, p.cache, next, 0)
		all := p.asked.all()
		if len(all) < 6 || len(all) > 7 {
			t.Fatalf("%d fetches in 30 minutes; want one every 5 minutes", len(all))
		}
		for i := 1; i < len(all); i++ {
			if d := all[i].began.Sub(all[i-1].began); d < shortest || d > longest+100*time.Millisecond {
				t.Errorf("%v between two refreshes; want 5 min ± 10 %%", d)
			}
		}
	})
}

func TestCache_RefreshJitter(t *testing.T) {
	clock := newClock()
	var first, last time.Duration
	for i := range 100 {
		cache := newCache(t, having(ecKey("a")), keycache.Options{Now: clock.Now})
		served(t, cache, "a", fetchLimit)
		due := cache.Status().RefreshDue.Sub(clock.Now())
		if due < shortest || due > longest {
			t.Fatalf("the refresh is due after %v; want 5 min ± 10 %%", due)
		}
		if first = min(first, due); i == 0 {
			first = due
		}
		last = max(last, due)
	}
	if last-first < 30*time.Second {
		t.Fatalf("100 instances refresh within %v", last-first)
	}
}

func TestCache_IdleWaitsForRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t, keycache.Options{}).warm(t)
		p.Slow(300 * time.Millisecond)
		old := p.KeyID()
		p.Rotate()
		p.Retire()
		time.Sleep(longest + fetchLimit + time.Millisecond)
		_, took, err := find(p.cache, old)
		if !errors.Is(err, keycache.ErrUnknownKey) || took > 2*300*time.Millisecond {
			t.Fatalf("after %v: %v; the removed key must be refused by the refreshed set", took, err)
		}
		served(t, p.cache, p.KeyID(), 0)
	})
}

// After one second the old set serves.
func TestCache_IdleWaitsOneSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t, keycache.Options{}).warm(t)
		p.Fault(hang)
		time.Sleep(30 * time.Minute)
		_, took, err := find(p.cache, p.KeyID())
		if err != nil || took != idleWait {
			t.Fatalf("after %v: %v; want the stale set after 1s", took, err)
		}
		fetches(t, p, 1) // the second is still under way
		time.Sleep(fetchLimit - idleWait)
		synctest.Wait()
		fetches(t, p, 2)
	})
}

// A busy service waits once; later attempts run in the background.
func TestCache_BusyDoesNotWaitInOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t, keycache.Options{}).warm(t)
		p.Fault(hang)
		kid := p.KeyID()
		var waited time.Duration
		for until := time.Now().Add(staleFor); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
			_, took, err := find(p.cache, kid)
			if err != nil {
				t.Fatal(err)
			}
			waited += took
		}
		if waited > idleWait {
			t.Fatalf("requests with a known key waited %v in all", waited)
		}
		if n := p.asked.count(); n < 80 {
			t.Fatalf("only %d attempts in an hour", n)
		}
	})
}

func TestCache_SlowProviderAfterIdleTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t, keycache.Options{}).warm(t)
		p.Slow(2 * time.Second)
		time.Sleep(8 * time.Hour)
		served(t, p.cache, p.KeyID(), 2*time.Second) // as after a cold start
		fetches(t, p, 2)
	})
}

// max-age shortens the interval, to at least a minute.
func TestCache_MaxAge(t *testing.T) {
	for header, want := range map[string][2]time.Duration{
		"":                              {shortest, longest},
		"max-age=3283200":               {shortest, longest}, // 38 days, as providers send
		"max-age=99999999999999999999":  {shortest, longest},
		"max-age=120":                   {108 * time.Second, 132 * time.Second},
		"public, MAX-AGE=\"120\", x":    {108 * time.Second, 132 * time.Second},
		"max-age=60":                    {minRefresh, 66 * time.Second},
		"max-age=1":                     {minRefresh, minRefresh},
		"no-store, max-age=0":           {minRefresh, minRefresh},
		"no-cache":                      {shortest, longest},
		"max-age=-5":                    {shortest, longest},
		"max-age=soon":                  {shortest, longest},
		"s-maxage=60, x-max-age=60":     {shortest, longest},
		"max-age=60, max-age=120":       {minRefresh, 66 * time.Second},
		"stale-while-revalidate=300000": {shortest, longest},
	} {
		t.Run(header, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for range 20 { // the spread is random
					p := newProvider(t, keycache.Options{})
					p.Fault(cacheControl(header))
					p.warm(t)
					s := p.cache.Status()
					if due := s.RefreshDue.Sub(s.FetchedAt); due < want[0] || due > want[1] {
						t.Fatalf("due after %v; want from %v to %v", due, want[0], want[1])
					}
				}
			})
		})
	}
}

// statuses notes what a provider answered.
type statuses struct {
	http.RoundTripper
	mu   sync.Mutex
	list []int
}

func (s *statuses) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := s.RoundTripper.RoundTrip(r)
	if err == nil {
		s.mu.Lock()
		s.list = append(s.list, response.StatusCode)
		s.mu.Unlock()
	}
	return response, err
}

func TestCache_NewKeyIsFetched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t, keycache.Options{}).warm(t)
		p.Slow(200 * time.Millisecond)
		old := p.KeyID()
		for range 3 {
			time.Sleep(time.Second)
			before := p.asked.count()
			kid := p.Rotate()
			served(t, p.cache, kid, 200*time.Millisecond)
			fetches(t, p, before+1)
			served(t, p.cache, old, 0)
		}
	})
}

// A key that is published one interval ahead is never refused.
func TestCache_KeyPublishedAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t, keycache.Options{}).warm(t)
		p.Slow(time.Second)
		forger, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			for i := 0; forger.Err() == nil; i++ {
				_, _ = p.cache.Find(forger, keycache.Ref{KeyID: fmt.Sprint("forged", i)}, alg)
				time.Sleep(time.Second)
			}
		})
		for range 5 {
			next := p.Publish()
			for until := time.Now().Add(longest + fetchLimit); time.Now().Before(until); time.Sleep(time.Second) {
				served(t, p.cache, p.KeyID(), 0)
			}
			p.Use(next)
			served(t, p.cache, next, 0)
		}
		stop()
		wg.Wait()
	})
}

// A fetch that had begun before the key was published cannot answer for it.
func TestCache_NewKeyDuringFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		list := []keys.Key{ecKey("a")}
		asked := &recorder{Source: sourceFunc(func(ctx context.Context, _ *keys.Set) (*keys.Set, error) {
			set, _ := keys.NewSet(list...) // what was published when the request arrived
			return set, sleep(ctx, time.Second)
		})}
		cache := newCache(t, asked, keycache.Options{})
		served(t, cache, "a", time.Second)
		time.Sleep(time.Until(cache.Status().RefreshDue))
		served(t, cache, "a", 0) // starts a refresh
		synctest.Wait()
		list = append(list, ecKey("b"))
		served(t, cache, "b", 2*time.Second)
		if n := asked.count(); n != 3 {
			t.Fatalf("%d fetches; want 3", n)
		}
	})
}

// A removed key is refused after one interval and a fetch.
func TestCache_RemovedKey(t *testing.T) {
	for name, pause := range map[string]time.Duration{"busy": 100 * time.Millisecond, "idle": longest + fetchLimit + time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newProvider(t, keycache.Options{}).warm(t)
				p.Slow(900 * time.Millisecond)
				old := p.KeyID()
				p.Rotate()
				p.Retire()
				removed := time.Now()
				for {
					time.Sleep(pause)
					if _, _, err := find(p.cache, old); err != nil {
						if !errors.Is(err, keycache.ErrUnknownKey) {
							t.Fatal(err)
						}
						return
					}
					if time.Since(removed) > longest+fetchLimit {
						t.Fatalf("the removed key still serves after %v", time.Since(removed))
					}
				}
			})
		})
	}
}

// Unknown key ids cause one fruitless fetch in ten seconds.
func TestCache_UnknownKeyFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const latency = 50 * time.Millisecond
		p := newProvider(t, keycache.Options{}).warm(t)
		p.Slow(latency)
		known := p.KeyID()
		end := time.Now().Add(time.Minute)
		flooded := func() bool { return time.Now().Before(end) }

		var wg sync.WaitGroup
		var forged atomic.Int64
		for range 20 {
			wg.Go(func() { // 10,000 a second in all
				for flooded() {
					for range 25 {
						kid := fmt.Sprint("forged", forged.Add(1))
						if _, _, err := find(p.cache, kid); !errors.Is(err, keycache.ErrUnknownKey) {
							t.Errorf("a forged key id: %v; want ErrUnknownKey", err)
						}
					}
					time.Sleep(50 * time.Millisecond)
				}
			})
		}
		wg.Go(func() {
			for flooded() {
				if _, took, err := find(p.cache, known); err != nil || took > 0 {
					t.Errorf("a known key in the flood: %v after %v", err, took)
				}
				time.Sleep(10 * time.Millisecond)
			}
		})
		var kid string
		wg.Go(func() {
			time.Sleep(27 * time.Second)
			published := time.Now()
			kid = p.Rotate()
			for {
				_, _, err := find(p.cache, kid)
				switch after := time.Since(published); {
				case err == nil && after <= cooldown+latency:
					return
				case err == nil || after > cooldown+latency:
					t.Errorf("a real key was refused for %v: %v", after, err)
					return
				}
				time.Sleep(10 * time.Millisecond)
			}
		})
		wg.Wait()

		if n := forged.Load(); n < 500_000 {
			t.Errorf("a flood of only %d", n)
		}
		fruitless := p.asked.all()[1:]
		if i := slices.IndexFunc(fruitless, func(a attempt) bool { return slices.Contains(a.ids, kid) }); i >= 0 {
			fruitless = slices.Delete(fruitless, i, i+1) // it brought a key that was wanted
		}
		if n := len(fruitless); n == 0 || n > 6 {
			t.Errorf("%d fruitless fetches in a minute", n)
		}
		for i := 1; i < len(fruitless); i++ {
			if d := fruitless[i].began.Sub(fruitless[i-1].began); d < cooldown {
				t.Errorf("%v between two fruitless fetches", d)
			}
		}
	})
}

// However the flood's callers interleave, one budget holds for all of them.
func TestCache_UnknownKeyBudgetIsShared(t *testing.T) {
	asked := &recorder{Source: having(ecKey("a"))}
	cache := newCache(t, asked, keycache.Options{Now: newClock().Now})
	served(t, cache, "a", fetchLimit)
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			for j := range 100 {
				_, _ = cache.Find(context.Background(), keycache.Ref{KeyID: fmt.Sprint(i, "-", j)}, alg)
			}
		})
	}
	wg.Wait()
	if n := asked.count(); n != 2 {
		t.Fatalf("%d fetches; want the first and one fruitless one", n)
	}
}

func TestCache_FruitfulFetchIsFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t, keycache.Options{}).warm(t)
		for n := range 10 {
			served(t, p.cache, p.Rotate(), 0)
			fetches(t, p, 2+n)
		}
		unknown(t, p.cache, "forged")
		fetches(t, p, 12)
		unknown(t, p.cache, "forged too")
		fetches(t, p, 12)
		time.Sleep(cooldown)
		unknown(t, p.cache, "forged")
		fetches(t, p, 13)
	})
}

func TestCache_UnknownKeyInOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t, keycache.Options{}).warm(t)
		p.Down()
		_, _, err := find(p.cache, "new")
		unavailable(t, err)
		_, took, err := find(p.cache, "new") // during back-off
		unavailable(t, err)
		if took > 0 || p.Stats().Refused != 1 {
			t.Fatalf("%d attempts, %v", p.Stats().Refused, took)
		}
		served(t, p.cache, p.KeyID(), 0)
		p.Up()
		time.Sleep(2 * time.Second)
		unknown(t, p.cache, "new") // now we do know
		p.Down()
		unknown(t, p.cache, "new") // and for ten seconds
		time.Sleep(cooldown)
		_, _, err = find(p.cache, "new")
		unavailable(t, err)
	})
}

// After a failed refresh an unknown key is unavailable, not unknown.
func TestCache_UnknownKeyAfterFailedRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t, keycache.Options{Interval: cooldown / 2}).warm(t)
		unknown(t, p.cache, "forged")
		p.Down()
		time.Sleep(time.Until(p.cache.Status().RefreshDue))
		served(t, p.cache, p.KeyID(), 0)
		synctest.Wait()
		_, _, err := find(p.cache, "forged")
		unavailable(t, err)
		if p.Stats().Refused != 1 {
			t.Fatalf("%d attempts; want 1", p.Stats().Refused)
		}
	})
}

func TestCache_KnownKeyFetchesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t, keycache.Options{}).warm(t)
		for range 1000 {
			if served(t, p.cache, p.KeyID(), 0).Guessed {
				t.Fatal("Guessed is set, so the caller would query again")
			}
			if _, err := p.cache.Find(t.Context(), keycache.Ref{KeyID: p.KeyID()}, "RS256"); !errors.Is(err, keycache.ErrWrongAlgorithm) {
				t.Fatalf("another algorithm: %v; want ErrWrongAlgorithm", err)
			}
		}
		fetches(t, p, 1)
	})
}

func TestCache_NoKeyIDOneKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t, keycache.Options{})
		addKey(p.Issuer, fmt.Sprintf(`{"kty":"RSA","kid":"rsa","e":"AQAB","n":%q}`, base64.RawURLEncoding.EncodeToString(rsaPublic(2048).N.Bytes())))
		p.warm(t)
		match, err := p.cache.Find(t.Context(), keycache.Ref{KeyID: ""}, alg)
		if err != nil || len(match.Keys) != 1 || match.Keys[0].ID != p.KeyID() || !match.Guessed {
			t.Fatalf("%+v, %v", match, err)
		}
		if _, err := p.cache.FindAgain(t.Context(), match, keycache.Ref{KeyID: ""}, alg); !errors.Is(err, keycache.ErrUnknownKey) {
			t.Fatalf("the keys have not changed: %v", err)
		}
		fetches(t, p, 2)

		p.Rotate()
		p.Retire()
		p.SetJWKS("")
		time.Sleep(cooldown)
		again, err := p.cache.FindAgain(t.Context(), match, keycache.Ref{KeyID: ""}, alg)
		if err != nil || len(again.Keys) != 1 || again.Keys[0].ID != p.KeyID() || again.Generation <= match.Generation {
			t.Fatalf("%+v, %v", again, err)
		}
		fetches(t, p, 3)
	})
}

func TestCache_NoKeyIDSeveralKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t, keycache.Options{})
		p.Publish()
		p.warm(t)
		old := p.KeyID()
		match, err := p.cache.Find(t.Context(), keycache.Ref{}, alg)
		if err != nil || len(match.Keys) != 2 || !match.Guessed {
			t.Fatalf("%+v, %v; want both keys", match, err)
		}
		p.Publish()
		p.Publish()
		p.Publish()
		served(t, p.cache, p.Rotate(), 0)
		if match, err = p.cache.Find(t.Context(), keycache.Ref{}, alg); err != nil || len(match.Keys) != 4 {
			t.Fatalf("%d keys, %v; want four of six", len(match.Keys), err)
		}
		match.Keys = match.Keys[:1] // that verified the token
		if _, ok, err := p.cache.Confirm(t.Context(), time.Now(), match, keycache.Ref{}, alg); !ok || err != nil || match.Keys[0].ID != old {
			t.Fatalf("the key %q is not confirmed: %v", match.Keys[0].ID, err)
		}
		if _, err := p.cache.Find(t.Context(), keycache.Ref{KeyID: ""}, "ES384"); !errors.Is(err, keycache.ErrWrongAlgorithm) {
			t.Fatalf("%v; want ErrWrongAlgorithm", err)
		}
	})
}

func TestCache_PEMIgnoresKeyID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := newIssuer(t)
		p := providerAt(t, issuer, issuer.URL()+"/key.pem", keycache.Options{}).warm(t)
		for _, kid := range []string{"", "any", p.KeyID()} {
			match, err := p.cache.Find(t.Context(), keycache.Ref{KeyID: kid}, alg)
			if err != nil || len(match.Keys) != 1 || match.Keys[0].Thumbprint() != p.KeyID() || !match.Guessed {
				t.Fatalf("kid %q: %+v, %v", kid, match, err)
			}
		}
		fetches(t, p, 1)
	})
}

// At most four keys without id are tried.
func TestCache_FourCandidates(t *testing.T) {
	list := []keys.Key{{Public: rsaPublic(2048)}}
	for range 6 {
		list = append(list, ecKey(""))
	}
	source, err := keys.Static(list...)
	if err != nil {
		t.Fatal(err)
	}
	match, err := newCache(t, source, keycache.Options{}).Find(t.Context(), keycache.Ref{KeyID: "x"}, alg)
	if err != nil || len(match.Keys) != 4 {
		t.Fatalf("%d keys, %v; want 4", len(match.Keys), err)
	}
	for i, key := range match.Keys {
		if key.Thumbprint() != list[i+1].Thumbprint() {
			t.Errorf("key %d is not the source's compatible key %d", i, i)
		}
	}
}

func TestCache_ReplacedPEM(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := newIssuer(t)
		p := providerAt(t, issuer, issuer.URL()+"/key.pem", keycache.Options{}).warm(t)
		last, err := p.cache.Find(t.Context(), keycache.Ref{KeyID: "x"}, alg)
		if err != nil {
			t.Fatal(err)
		}
		next := p.Rotate()
		match, err := p.cache.FindAgain(t.Context(), last, keycache.Ref{KeyID: "x"}, alg)
		if err != nil || len(match.Keys) != 1 || match.Keys[0].Thumbprint() != next {
			t.Fatalf("%+v, %v", match, err)
		}
		p.cache.Fruitful(match)
		fetches(t, p, 2)

		// A caller with the old match needs no fetch.
		if match, err = p.cache.FindAgain(t.Context(), last, keycache.Ref{KeyID: "x"}, alg); err != nil || match.Keys[0].Thumbprint() != next {
			t.Fatalf("%+v, %v", match, err)
		}
		fetches(t, p, 2)

		// Forged signatures buy one fetch in ten seconds.
		for range 100 {
			if _, err := p.cache.FindAgain(t.Context(), match, keycache.Ref{KeyID: "x"}, alg); !errors.Is(err, keycache.ErrUnknownKey) {
				t.Fatalf("%v; want ErrUnknownKey", err)
			}
		}
		fetches(t, p, 3)
		next = p.Rotate()
		time.Sleep(cooldown)
		if match, err = p.cache.FindAgain(t.Context(), match, keycache.Ref{KeyID: "x"}, alg); err != nil || match.Keys[0].Thumbprint() != next {
			t.Fatalf("%+v, %v", match, err)
		}

		match, _, _ = find(p.cache, "x") // another call
		p.Down()
		time.Sleep(cooldown)
		_, err = p.cache.FindAgain(t.Context(), match, keycache.Ref{KeyID: "x"}, alg)
		unavailable(t, err)
	})
}

func TestCache_ReplacedPEMOfOtherType(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before, after := keys.Key{Public: rsaPublic(2048)}, keys.Key{Public: ecPublic(elliptic.P256())}
		now := before
		asked := &recorder{Source: sourceFunc(func(context.Context, *keys.Set) (*keys.Set, error) { return keys.NewSet(now) })}
		cache := newCache(t, asked, keycache.Options{})
		if _, err := cache.Find(t.Context(), keycache.Ref{KeyID: "x"}, "RS256"); err != nil {
			t.Fatal(err)
		}
		now = after
		match, err := cache.Find(t.Context(), keycache.Ref{KeyID: "x"}, alg)
		if err != nil || len(match.Keys) != 1 {
			t.Fatalf("%+v, %v", match, err)
		}
		cache.Fruitful(match)
		for range 10 { // on the same budget
			if _, err = cache.Find(t.Context(), keycache.Ref{KeyID: "x"}, "RS256"); !errors.Is(err, keycache.ErrWrongAlgorithm) {
				t.Fatalf("%v; want ErrWrongAlgorithm", err)
			}
		}
		if n := asked.count(); n != 3 {
			t.Fatalf("%d fetches; want 3", n)
		}
	})
}

func TestCache_FixedSource(t *testing.T) {
	source, err := keys.Static(ecKey("a"))
	if err != nil {
		t.Fatal(err)
	}
	clock, asked := newClock(), &recorder{Source: source}
	cache := newCache(t, asked, keycache.Options{Now: clock.Now})
	for range 3 {
		match := served(t, cache, "a", fetchLimit)
		unknown(t, cache, "b")
		if _, err := cache.FindAgain(t.Context(), match, keycache.Ref{KeyID: "a"}, alg); !errors.Is(err, keycache.ErrUnknownKey) {
			t.Fatal(err)
		}
		clock.Advance(365 * 24 * time.Hour)
	}
	if n := asked.count(); n != 1 {
		t.Fatalf("%d fetches; want 1", n)
	}
	if due := cache.Status().RefreshDue; !due.IsZero() {
		t.Fatalf("a refresh is due at %v", due)
	}
}

func TestCache_GenerationOfSameKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t, keycache.Options{}).warm(t)
		first := served(t, p.cache, p.KeyID(), 0).Generation
		time.Sleep(2 * longest)
		if again := served(t, p.cache, p.KeyID(), 0).Generation; again != first || p.asked.count() != 2 {
			t.Fatalf("generation %d after %d without a change", again, first)
		}
		if next := served(t, p.cache, p.Rotate(), 0).Generation; next <= first {
			t.Fatalf("generation %d after %d", next, first)
		}
	})
}

// A confirmation under one issuer does not apply to another.
func TestConfirm_OtherIssuer(t *testing.T) {
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	issuer := "https://idp.example"
	key := ecKey("a")
	cache := keycache.New(sourceFunc(func(context.Context, *keys.Set) (*keys.Set, error) {
		set, err := keys.NewSet(key)
		if err == nil {
			set.Issuer = issuer
		}
		return set, err
	}), keycache.Options{Now: func() time.Time { return now }})
	t.Cleanup(func() { _ = cache.Close() })
	match, err := cache.Find(t.Context(), keycache.Ref{KeyID: "a"}, "ES256")
	if err != nil {
		t.Fatal(err)
	}
	if again, ok, err := cache.Confirm(t.Context(), now, match, keycache.Ref{KeyID: "a"}, "ES256"); !ok || err != nil || again.Generation != match.Generation {
		t.Errorf("%+v, %v, %v", again, ok, err)
	}
	issuer = "https://idp.example/"
	now = now.Add(10 * time.Minute)
	if err := cache.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := cache.Confirm(t.Context(), now, match, keycache.Ref{KeyID: "a"}, "ES256"); ok || err != nil {
		t.Errorf("%v, %v", ok, err)
	}
}

// In an outage a key is not known to be missing, however recent the last fetch is.
func TestLacks_Outage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t, keycache.Options{}).warm(t)
		if p.cache.Lacks("forged") {
			t.Error("before the first question")
		}
		p.cache.Find(t.Context(), keycache.Ref{KeyID: "forged"}, alg) //nolint:errcheck // ErrUnknownKey
		if !p.cache.Lacks("forged") || p.cache.Lacks(p.KeyID()) || p.cache.Lacks("") {
			t.Error("a moment after the source said so")
		}
		time.Sleep(cooldown)
		if p.cache.Lacks("forged") {
			t.Error("after ten seconds")
		}
		p.Down()
		p.cache.Find(t.Context(), keycache.Ref{KeyID: "forged"}, alg) //nolint:errcheck // the outage
		if p.cache.Lacks("forged") {
			t.Error("in the outage")
		}
	})
}

// A source of the user's own may change a set that has been checked.
func TestCache_ChecksChangedSet(t *testing.T) {
	for name, change := range map[string]func(*keys.Set){
		"a weak key instead": func(set *keys.Set) { set.Keys[0] = keys.Key{ID: "a", Public: rsaPublic(1024)} },
		"another's id":       func(set *keys.Set) { set.Keys[0].ID = "b" },
		"a weak key more":    func(set *keys.Set) { set.Keys = append(set.Keys[1:], keys.Key{ID: "a", Public: rsaPublic(1024)}) },
	} {
		cache := newCache(t, sourceFunc(func(context.Context, *keys.Set) (*keys.Set, error) {
			set, err := keys.NewSet(ecKey("a"), ecKey("b"), ecKey("c"))
			if err == nil {
				change(set)
			}
			return set, err
		}), keycache.Options{})
		served(t, cache, "c", fetchLimit)
		for _, algorithm := range []string{alg, "RS256"} {
			if match, err := cache.Find(t.Context(), keycache.Ref{KeyID: "a"}, algorithm); err == nil {
				t.Errorf("%s: %+v", name, match)
			}
		}
	}
}

func TestCache_GenerationOfChangedKeys(t *testing.T) {
	a, b, c, d := ecKey("a"), ecKey("b"), ecKey(""), ecKey("")
	for name, step := range map[string]struct {
		before, after []keys.Key
		grows         bool
	}{
		"as many, but others":             {[]keys.Key{a}, []keys.Key{b}, true},
		"another key under the same id":   {[]keys.Key{a}, []keys.Key{ecKey("a")}, true},
		"the same key under another id":   {[]keys.Key{a}, []keys.Key{{ID: "b", Public: a.Public}}, true},
		"named ones in another order":     {[]keys.Key{a, b}, []keys.Key{b, a}, false},
		"unnamed ones in the same order":  {[]keys.Key{c, d}, []keys.Key{c, d}, false},
		"unnamed ones in another order":   {[]keys.Key{c, d}, []keys.Key{d, c}, true}, // only so many are tried
		"an unnamed one instead of named": {[]keys.Key{a}, []keys.Key{{Public: a.Public}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source := &published{list: step.before}
				var last keycache.FetchEvent
				cache := newCache(t, source, keycache.Options{OnFetch: func(e keycache.FetchEvent) { last = e }})
				before, err := cache.Find(t.Context(), keycache.Ref{KeyID: step.before[0].ID}, alg)
				if err != nil {
					t.Fatal(err)
				}
				source.list = step.after
				time.Sleep(longest + fetchLimit + time.Second) // an idle set waits for its refresh
				after, err := cache.Find(t.Context(), keycache.Ref{KeyID: step.after[0].ID}, alg)
				if err != nil || (after.Generation > before.Generation) != step.grows || last.Changed != step.grows {
					t.Errorf("from %d to %d, %v; %+v", before.Generation, after.Generation, err, last)
				}
			})
		})
	}
}

func TestLacks_FixedAndDueSets(t *testing.T) {
	fixed, err := keys.Static(ecKey("a"))
	if err != nil {
		t.Fatal(err)
	}
	cache := newCache(t, fixed, keycache.Options{})
	if cache.Lacks("b") {
		t.Error("before there is a set")
	}
	served(t, cache, "a", fetchLimit)
	if !cache.Lacks("b") || cache.Lacks("a") || cache.Lacks("") {
		t.Error("of a set that cannot change")
	}
	if err := cache.Close(); err != nil || cache.Lacks("b") {
		t.Errorf("of a closed cache; %v", err)
	}

	clock := newClock()
	p := newProvider(t, keycache.Options{Now: clock.Now, Interval: cooldown / 2}).warm(t)
	clock.Advance(cooldown / 4)
	unknown(t, p.cache, "b")
	if !p.cache.Lacks("b") {
		t.Error("a moment after the source said so")
	}
	clock.Advance(cooldown * 3 / 4)
	if p.cache.Lacks("b") {
		t.Error("of a set that is due, whose refresh may bring it")
	}
	clock.Advance(-2 * time.Hour)
	if p.cache.Lacks("b") {
		t.Error("of a set from the future")
	}
}

// The second of two callers that look for a new key gets it from the fetch that the first one started.
func TestCache_NewKeySharedFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t, keycache.Options{}).warm(t)
		p.Slow(time.Second)
		next := p.Rotate()
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() { served(t, p.cache, next, time.Second) })
		}
		wg.Wait()
		fetches(t, p, 2)
	})
}

// A refresh that another request began may have been sent before the key was published, so the set is requested again.
func TestCache_NewKeyAfterRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &published{list: []keys.Key{ecKey("a")}}
		asked := &recorder{Source: sourceFunc(func(ctx context.Context, last *keys.Set) (*keys.Set, error) {
			defer func() { source.list = append(source.list, ecKey("b")) }()
			return source.Fetch(ctx, last)
		})}
		cache := newCache(t, asked, keycache.Options{})
		served(t, cache, "a", 0)
		source.list = source.list[:1] // the refresh comes too early for the new key as well
		time.Sleep(time.Until(cache.Status().RefreshDue))
		served(t, cache, "a", 0) // begins the refresh
		served(t, cache, "b", 0)
		if n := asked.count(); n != 3 {
			t.Errorf("%d fetches; want the first, the refresh and one for the new key", n)
		}
	})
}

func TestCache_WaitersAreReleased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t, keycache.Options{})
		p.Down()
		for range 2 * maxWaiters {
			_, _, err := find(p.cache, p.KeyID())
			unavailable(t, err)
			time.Sleep(maxRetry)
		}
		p.Up()
		served(t, p.cache, p.KeyID(), 0)
	})
}

// A set of whose origin nothing is known any more would be transferred whole at each refresh.
func TestCache_ConditionalRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := newIssuer(t)
		wire := &statuses{RoundTripper: issuer.Client().Transport}
		client := issuer.Client()
		client.Transport = wire
		source, err := keys.URL(issuer.JWKSURL(), keys.Options{HTTPClient: client})
		if err != nil {
			t.Fatal(err)
		}
		cache := newCache(t, source, keycache.Options{})
		for range 3 {
			served(t, cache, issuer.KeyID(), 0) // in the background, if a refresh is due
			synctest.Wait()
			time.Sleep(time.Until(cache.Status().RefreshDue))
		}
		if want := []int{200, 304, 304}; !slices.Equal(wire.list, want) {
			t.Errorf("answered %v; want %v", wire.list, want)
		}
	})
}

func TestCache_OneIDSeveralAlgorithms(t *testing.T) {
	rs, ec := rsaPublic(2048), ecPublic(elliptic.P256())
	source, err := keys.Static(keys.Key{ID: "a", Algorithm: "RS256", Public: rs}, keys.Key{ID: "a", Algorithm: "PS256", Public: rs}, keys.Key{ID: "a", Public: ec})
	if err != nil {
		t.Fatal(err)
	}
	cache := newCache(t, source, keycache.Options{})
	for _, a := range []string{"RS256", "PS256", "ES256"} {
		match, err := cache.Find(t.Context(), keycache.Ref{KeyID: "a"}, a)
		if err != nil || len(match.Keys) != 1 || !match.Keys[0].Fits(a) {
			t.Errorf("%s: %+v, %v", a, match, err)
		}
	}
	if _, err := cache.Find(t.Context(), keycache.Ref{KeyID: "a"}, "RS512"); err == nil {
		t.Error("an algorithm that no key was published for is accepted")
	}
}

func TestCache_ProviderWithoutKeyIDs(t *testing.T) {
	p := newProvider(t, keycache.Options{})
	if err := withoutKeyIDs(p.Issuer); err != nil {
		t.Fatal(err)
	}
	p.warm(t)
	for _, kid := range []string{"", "any"} {
		if match, err := p.cache.Find(t.Context(), keycache.Ref{KeyID: kid}, alg); err != nil || !match.Guessed || len(match.Keys) != 1 {
			t.Errorf("kid %q: %+v, %v", kid, match, err)
		}
	}
	if ids := p.cache.Status().KeyIDs; len(ids) != 1 || ids[0] != p.KeyID() {
		t.Errorf("shown as %v; want the thumbprint %s", ids, p.KeyID())
	}
}

func TestCache_SkippedKeyIsLoggedOnce(t *testing.T) {
	var log logbook
	clock := newClock()
	p := newProvider(t, keycache.Options{Logger: newLogger(&log), Now: clock.Now})
	p.warm(t)
	addKey(p.Issuer, `{"kty":"AKP","kid":"bad"}`) // it comes later, and changes no key in use
	for range 3 {
		clock.Advance(2 * longest)
		served(t, p.cache, p.KeyID(), fetchLimit)
	}
	if _, err := p.cache.Find(t.Context(), keycache.Ref{KeyID: "bad"}, alg); err == nil {
		t.Error("the bad key is in use")
	}
	if s := p.cache.Status(); len(s.KeyIDs) != 1 || len(s.Skipped) != 1 || s.Skipped[0].ID != "bad" || s.Skipped[0].Reason == "" {
		t.Errorf("in use %v, skipped %+v", s.KeyIDs, s.Skipped)
	}
	if n, all := log.lines("key_id=bad"), log.lines("key skipped"); n != 1 || all != 1 {
		t.Errorf("%d log lines name the key, of %d\n%s", n, all, &log.text)
	}
}
