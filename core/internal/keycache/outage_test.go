package keycache_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/internal/keycache"
	"github.com/more-retail/moresso-go/core/keys"
)

// outages are the ways in which a provider fails. Callers must see the same for all of them.
var outages = map[string]func(*devissuer.Issuer){
	"down":                 (*devissuer.Issuer).Down,
	"hangs":                func(i *devissuer.Issuer) { i.Fault(hang) },
	"hangs for 30 s":       func(i *devissuer.Issuer) { i.Slow(30 * time.Second) },
	"drips 1 byte/s":       func(i *devissuer.Issuer) { i.Fault(drip) },
	"500":                  func(i *devissuer.Issuer) { i.Fault(status(500)) },
	"404":                  func(i *devissuer.Issuer) { i.Fault(status(404)) },
	"204":                  func(i *devissuer.Issuer) { i.Fault(status(204)) },
	"429 with Retry-After": func(i *devissuer.Issuer) { i.Fault(status(429, "Retry-After", "3600")) },
	"HTML":                 func(i *devissuer.Issuer) { i.Fault(webPage) },
	"truncated JSON":       func(i *devissuer.Issuer) { i.Fault(truncate) },
	"no keys":              func(i *devissuer.Issuer) { i.SetJWKS(`{"keys":[]}`) },
	"no usable key":        func(i *devissuer.Issuer) { i.SetJWKS(`{"keys":[{"kty":"AKP","kid":"x"}]}`) },
	"redirect to itself":   func(i *devissuer.Issuer) { i.Fault(status(302, "Location", i.DiscoveryURL())) },
	"redirect elsewhere":   func(i *devissuer.Issuer) { i.Fault(status(302, "Location", "https://evil.example/jwks.json")) },
}

func repair(i *devissuer.Issuer) {
	i.Up()
	i.Slow(0)
	i.Fault(nil)
	i.SetJWKS("")
}

func TestOutage_LastSetServesAnHour(t *testing.T) {
	for name, fail := range outages {
		if name == "no keys" || name == "no usable key" { // which says that they are withdrawn
			continue
		}
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newProvider(t, keycache.Options{}).warm(t)
				due := p.cache.Status().RefreshDue
				kid := p.KeyID()
				fail(p.Issuer)
				for bound := due.Add(staleFor); time.Now().Before(bound); time.Sleep(time.Second) {
					served(t, p.cache, kid, idleWait)
				}
				time.Sleep(2 * time.Second)
				for range 100 {
					_, took, err := find(p.cache, kid)
					unavailable(t, err)
					if took > callerWait {
						t.Fatalf("a caller waited %v for nothing", took)
					}
					unavailable(t, p.cache.Ready(t.Context()))
					time.Sleep(time.Second)
				}

				attempts := p.asked.all()[1:]
				for i, a := range attempts {
					if a.err == nil || a.took > fetchLimit {
						t.Fatalf("attempt %d ended after %v: %v", i, a.took, a.err)
					}
					if i == 0 {
						continue
					}
					backOff := a.began.Sub(attempts[i-1].began) - attempts[i-1].took
					if backOff < 900*time.Millisecond || backOff > maxRetry+2*time.Second {
						t.Fatalf("attempt %d came after %v", i, backOff)
					}
					if i > 5 && backOff < 27*time.Second {
						t.Fatalf("attempt %d came after %v; want 30s by then", i, backOff)
					}
				}
				if strays := p.Stats().Strays; len(strays) > 0 {
					t.Fatalf("other hosts were contacted: %v", strays)
				}

				repair(p.Issuer)
				repaired := time.Now()
				for {
					if _, _, err := find(p.cache, kid); err == nil {
						break
					}
					if time.Since(repaired) > fetchLimit+maxRetry { // an attempt may be in flight
						t.Fatalf("no recovery seen after %v", time.Since(repaired))
					}
					time.Sleep(time.Second)
				}
				if s := p.cache.Status(); s.LastError != "" || !s.NextAttempt.IsZero() {
					t.Fatalf("the status still has the error: %+v", s)
				}
			})
		})
	}
}

func TestOutage_AtStart(t *testing.T) {
	for name, fail := range outages {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newProvider(t, keycache.Options{})
				kid := p.KeyID()
				fail(p.Issuer)
				for range 30 {
					_, took, err := find(p.cache, kid)
					unavailable(t, err)
					if took > callerWait {
						t.Fatalf("a cold caller waited %v", took)
					}
					time.Sleep(time.Second)
				}
				repair(p.Issuer)
				s := p.cache.Status()
				if s.LastError == "" || s.LastErrorAt.IsZero() || time.Until(s.NextAttempt) > maxRetry {
					t.Fatalf("the status lacks the error: %+v", s)
				}
				time.Sleep(time.Until(s.NextAttempt))
				served(t, p.cache, kid, 0)
			})
		})
	}
}

func TestOutage_BackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t, keycache.Options{})
		p.Down()
		for range 2000 {
			_, _, err := find(p.cache, "a")
			unavailable(t, err)
			time.Sleep(100 * time.Millisecond)
		}
		all := p.asked.all()
		for i, want := range []float64{1, 2, 4, 8, 16, 30, 30, 30} {
			want := time.Duration(want * float64(time.Second))
			got := all[i+1].began.Sub(all[i].began)
			if got < want*9/10 || got > want*11/10+100*time.Millisecond {
				t.Errorf("pause %d lasts %v; want %v ± 10 %%", i, got, want)
			}
		}
	})
}

// Retry-After is honored up to 30 s, and not passed on to callers.
func TestOutage_RetryAfter(t *testing.T) {
	for value, want := range map[string][2]time.Duration{
		"":                               {900 * time.Millisecond, 1100 * time.Millisecond},
		"0":                              {900 * time.Millisecond, 1100 * time.Millisecond},
		"-7":                             {900 * time.Millisecond, 1100 * time.Millisecond},
		"soon":                           {900 * time.Millisecond, 1100 * time.Millisecond},
		"17":                             {17 * time.Second, 17 * time.Second},
		"30":                             {maxRetry, maxRetry},
		"3600":                           {maxRetry, maxRetry},
		"99999999999999999999":           {maxRetry, maxRetry},
		"Sat, 01 Jan 2000 00:00:20 GMT":  {20 * time.Second, 20 * time.Second}, // the bubble's clock starts at midnight
		"Sun, 01 Jan 2040 00:00:00 GMT":  {maxRetry, maxRetry},
		"Fri, 31 Dec 1999 23:00:00 GMT":  {900 * time.Millisecond, 1100 * time.Millisecond},
		"Sat, 01 Jan 2000 00:00:20 CEST": {900 * time.Millisecond, 1100 * time.Millisecond},
	} {
		t.Run(value, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newProvider(t, keycache.Options{})
				p.Fault(status(429, "Retry-After", value))
				_, _, err := find(p.cache, "a")
				if after := unavailable(t, err); after > 1100*time.Millisecond {
					t.Errorf("callers get RetryAfter %v", after)
				}
				_, _, err = find(p.cache, "a")
				if after := unavailable(t, err); after > 1100*time.Millisecond {
					t.Errorf("callers get RetryAfter %v", after)
				}
				s := p.cache.Status()
				if got := s.NextAttempt.Sub(s.LastErrorAt); got < want[0] || got > want[1] {
					t.Errorf("the next attempt is made after %v; want %v", got, want)
				}
				fetches(t, p, 1)
			})
		})
	}
}

func TestOutage_TLSFailure(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	source, err := keys.URL(server.URL, keys.Options{}) // whose certificate is unknown
	if err != nil {
		t.Fatal(err)
	}
	unavailable(t, newCache(t, source, keycache.Options{}).Ready(t.Context()))
}

// At most 1024 callers wait at once, and none during back-off.
func TestOutage_Waiters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t, keycache.Options{})
		p.Fault(hang)
		var waited, turnedAway, odd atomic.Int64
		var wg sync.WaitGroup
		for range 2 * maxWaiters {
			wg.Go(func() {
				_, took, err := find(p.cache, "a")
				if !isUnavailable(err) {
					t.Error(err)
				}
				switch took {
				case callerWait:
					waited.Add(1)
				case 0:
					turnedAway.Add(1)
				default:
					odd.Add(1)
				}
			})
		}
		wg.Wait()
		if waited.Load() != maxWaiters || turnedAway.Load() != maxWaiters || odd.Load() != 0 {
			t.Fatalf("%d waited, %d did not, %d waited in between", waited.Load(), turnedAway.Load(), odd.Load())
		}
		time.Sleep(fetchLimit - callerWait)
		synctest.Wait()
		for range 10 {
			if _, took, err := find(p.cache, "a"); !isUnavailable(err) || took > 0 {
				t.Fatalf("during back-off: %v after %v", err, took)
			}
		}
		fetches(t, p, 1)

		p.Fault(nil) // and the places are free again
		time.Sleep(maxRetry)
		for range 2 * maxWaiters {
			served(t, p.cache, p.KeyID(), 0)
		}
	})
}

// A flood of unknown ids that fills the waiting room takes nothing from known keys.
func TestOutage_WaitersDoNotDelayKnownKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t, keycache.Options{}).warm(t)
		p.Fault(hang)
		time.Sleep(longest + fetchLimit + time.Second)
		var wg sync.WaitGroup
		for range maxWaiters {
			wg.Go(func() { _, _, _ = find(p.cache, "forged") })
		}
		synctest.Wait()
		served(t, p.cache, p.KeyID(), 0)
		wg.Wait()
	})
}

func TestInline_RefreshWithinRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t, keycache.Options{Inline: true})
		p.Slow(300 * time.Millisecond)
		old := p.KeyID()
		served(t, p.cache, old, 300*time.Millisecond)
		for _, frozen := range []time.Duration{longest + time.Second, 30 * time.Minute, 2 * time.Hour} {
			time.Sleep(frozen)
			before := p.asked.count()
			served(t, p.cache, p.KeyID(), 300*time.Millisecond)
			fetches(t, p, before+1)
			served(t, p.cache, p.KeyID(), 0)
			fetches(t, p, before+1)
		}

		p.Rotate()
		p.Retire()
		time.Sleep(2 * time.Hour)
		unknown(t, p.cache, old) // a frozen process does not trust a removed key either
	})
}

// A frozen process waits for the fetch that it makes, and leaves nothing running.
func TestInline_LeavesNothingRunning(t *testing.T) {
	for name, fail := range outages {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newProvider(t, keycache.Options{Inline: true}).warm(t)
				kid := p.KeyID()
				alone(t)
				fail(p.Issuer)

				time.Sleep(30 * time.Minute) // frozen, within the bound
				served(t, p.cache, kid, idleWait)
				alone(t)
				served(t, p.cache, kid, 0) // during back-off
				alone(t)

				time.Sleep(2 * time.Hour) // beyond it
				_, took, err := find(p.cache, kid)
				unavailable(t, err)
				if took > callerWait {
					t.Fatalf("waited %v", took)
				}
				alone(t)

				repair(p.Issuer)
				time.Sleep(2 * time.Hour)
				served(t, p.cache, kid, 0)
				alone(t)
			})
		})
	}
}

// A canceled request does not end the fetch that it began, so it saves an attacker no budget.
func TestInline_CanceledCaller(t *testing.T) {
	disconnect := func(t *testing.T, p provider, kid string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err := p.cache.Find(ctx, keycache.Ref{KeyID: kid}, alg)
		unavailable(t, err)
		alone(t)
	}
	t.Run("the first set", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := newProvider(t, keycache.Options{Inline: true})
			p.Slow(500 * time.Millisecond)
			disconnect(t, p, p.KeyID())
			served(t, p.cache, p.KeyID(), 0)
			fetches(t, p, 1)
		})
	})
	t.Run("an unknown key", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := newProvider(t, keycache.Options{Inline: true}).warm(t)
			p.Slow(500 * time.Millisecond)
			disconnect(t, p, "forged 1")
			for range 50 {
				_, took, err := find(p.cache, "forged 2")
				if !errors.Is(err, keycache.ErrUnknownKey) || took != 0 {
					t.Fatalf("%v after %v", err, took)
				}
			}
			fetches(t, p, 2)
		})
	})
	t.Run("an outage", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := newProvider(t, keycache.Options{Inline: true})
			p.Fault(hang)
			disconnect(t, p, "a")
			for range 50 {
				if _, took, err := find(p.cache, "a"); !isUnavailable(err) || took != 0 {
					t.Fatalf("%v after %v", err, took)
				}
			}
			fetches(t, p, 1)
		})
	})
}

func TestInline_OtherCallerIsServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t, keycache.Options{Inline: true})
		p.Slow(500 * time.Millisecond)
		kid := p.KeyID()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := p.cache.Find(ctx, keycache.Ref{KeyID: kid}, alg)
			unavailable(t, err)
		})
		synctest.Wait()
		wg.Go(func() { served(t, p.cache, kid, 500*time.Millisecond) })
		wg.Wait()
		fetches(t, p, 1)
	})
}

func TestClose_WaitsForFetch(t *testing.T) {
	for _, inline := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) { // which fails if a goroutine is left
			var ended atomic.Bool
			source := sourceFunc(func(ctx context.Context, _ *keys.Set) (*keys.Set, error) {
				<-ctx.Done()
				time.Sleep(500 * time.Millisecond) // it takes its time to tidy up
				ended.Store(true)
				return keys.NewSet(ecKey("a"))
			})
			cache := keycache.New(source, keycache.Options{Inline: inline})
			var wg sync.WaitGroup
			wg.Go(func() {
				_, took, err := find(cache, "a")
				unavailable(t, err)
				if took != 500*time.Millisecond || errors.Is(err, context.Canceled) {
					t.Errorf("a waiting caller returned after %v: %v", took, err)
				}
			})
			synctest.Wait()
			began := time.Now()
			for range 2 {
				if err := cache.Close(); err != nil {
					t.Fatal(err)
				}
			}
			if !ended.Load() || time.Since(began) != 500*time.Millisecond {
				t.Fatalf("Close did not wait: %v", time.Since(began))
			}
			wg.Wait()

			_, took, err := find(cache, "a")
			unavailable(t, err)
			if took > 0 || err.Error() != "keys unavailable: the key cache is closed" {
				t.Fatalf("after Close: %v after %v", err, took)
			}
			_, err = cache.FindAgain(t.Context(), keycache.Match{}, keycache.Ref{KeyID: "a"}, alg)
			unavailable(t, err)
			unavailable(t, cache.Ready(t.Context()))
			if s := cache.Status(); len(s.KeyIDs) > 0 {
				t.Fatalf("keys in use after Close: %+v", s)
			}
		})
	}
}

func TestClose_EndsHangingFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t, keycache.Options{})
		p.Fault(hang)
		var wg sync.WaitGroup
		wg.Go(func() {
			_, took, err := find(p.cache, p.KeyID())
			unavailable(t, err)
			if took > 0 || errors.Is(err, context.Canceled) { // the caller did not cancel
				t.Errorf("a waiting caller returned after %v: %v", took, err)
			}
		})
		synctest.Wait()
		began := time.Now()
		_ = p.cache.Close()
		if took := time.Since(began); took > 0 {
			t.Fatalf("Close took %v", took)
		}
		wg.Wait()
		alone(t)
	})
}

func TestClose_NoKeysInForce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t, keycache.Options{}).warm(t)
		match, _, err := find(p.cache, p.KeyID())
		if err != nil {
			t.Fatal(err)
		}
		_ = p.cache.Close()
		_, _, err = find(p.cache, p.KeyID())
		unavailable(t, err)
		_, confirmed, err := p.cache.Confirm(t.Context(), time.Now(), match, keycache.Ref{KeyID: p.KeyID()}, alg)
		unavailable(t, err)
		if confirmed {
			t.Error("a token that was verified before is confirmed")
		}
	})
}

// A clock set back neither freezes the keys nor stops the service.
func TestClock_SetBackByAYear(t *testing.T) {
	const year = 365 * 24 * time.Hour
	for _, inline := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var back atomic.Bool
			now := func() time.Time {
				if back.Load() {
					return time.Now().Add(-year)
				}
				return time.Now()
			}
			p := newProvider(t, keycache.Options{Now: now, Inline: inline}).warm(t)
			unknown(t, p.cache, "forged") // so that there is a budget spent in the future
			p.Down()
			time.Sleep(longest)
			served(t, p.cache, p.KeyID(), 0) // and a failure
			synctest.Wait()

			back.Store(true)
			old := p.KeyID()
			served(t, p.cache, old, 0)
			synctest.Wait()
			// The provider is down still: the set must not serve for a year.
			for until := time.Now().Add(staleFor); time.Now().Before(until); time.Sleep(time.Minute) {
				served(t, p.cache, old, 0)
			}
			time.Sleep(time.Minute)
			_, _, err := find(p.cache, old)
			unavailable(t, err)

			p.Up()
			p.Rotate()
			p.Retire()
			time.Sleep(maxRetry)
			served(t, p.cache, p.KeyID(), 0)
			unknown(t, p.cache, old)
			time.Sleep(shortest - time.Second)
			before := p.asked.count()
			served(t, p.cache, p.KeyID(), 0)
			fetches(t, p, before)
		})
	}
}

func TestClock_SetBackRefreshesOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := newClock()
		p := newProvider(t, keycache.Options{Now: clock.Now}).warm(t)
		unknown(t, p.cache, "forged")
		clock.Advance(-24 * time.Hour)
		for range 10 {
			served(t, p.cache, p.KeyID(), 0)
			synctest.Wait()
		}
		fetches(t, p, 3)
		clock.Advance(-30 * time.Second) // as time servers do
		served(t, p.cache, p.KeyID(), 0)
		synctest.Wait()
		fetches(t, p, 3)
		served(t, p.cache, p.Rotate(), 0) // the budget was not spent until tomorrow
	})
}

func TestCache_SetTooOldAfterWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t, keycache.Options{}).warm(t)
		p.Fault(hang)
		time.Sleep(time.Until(p.cache.Status().RefreshDue.Add(staleFor - idleWait/2)))
		_, took, err := find(p.cache, p.KeyID())
		unavailable(t, err)
		if took != idleWait {
			t.Fatalf("waited %v", took)
		}
	})
}

func TestCache_SourcePanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sane atomic.Bool
		source := sourceFunc(func(context.Context, *keys.Set) (*keys.Set, error) {
			if !sane.Load() {
				panic("a bug in the source")
			}
			return keys.NewSet(ecKey("a"))
		})
		cache := newCache(t, source, keycache.Options{})
		_, _, err := find(cache, "a")
		unavailable(t, err)
		sane.Store(true)
		time.Sleep(2 * time.Second)
		served(t, cache, "a", 0)
	})
}

// panicking is a slog.Handler's writer with a bug.
type panicking struct{}

func (panicking) Write([]byte) (int, error) { panic("a bug in the logger") }

func TestCache_LoggerAndOnFetchPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		p := newProvider(t, keycache.Options{
			Logger: newLogger(panicking{}),
			OnFetch: func(keycache.FetchEvent) {
				calls++
				panic("a bug in OnFetch")
			},
		})
		p.Down()
		_, _, err := find(p.cache, "a")
		unavailable(t, err)
		p.Up()
		time.Sleep(2 * time.Second)
		served(t, p.cache, p.KeyID(), 0)
		if calls != 2 {
			t.Fatalf("OnFetch was called %d times; want 2", calls)
		}
	})
}

func TestOnFetch_EveryAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var events []keycache.FetchEvent
		p := newProvider(t, keycache.Options{OnFetch: func(e keycache.FetchEvent) { events = append(events, e) }}).warm(t)
		time.Sleep(2 * longest)
		served(t, p.cache, p.KeyID(), 0)
		next := p.Rotate()
		served(t, p.cache, next, 0)
		p.Down()
		time.Sleep(2 * longest)
		served(t, p.cache, next, 0)
		if len(events) != 4 {
			t.Fatalf("%d events; want 4", len(events))
		}
		for i, changed := range []bool{true, false, true, false} {
			e := events[i]
			if e.Changed != changed || e.Source != p.JWKSURL() || (e.Err == nil) != (i < 3) || (len(e.KeyIDs) > 0) != (i < 3) {
				t.Errorf("event %d: %+v", i, e)
			}
		}
	})
}

// An error of a source must not count as an answer of the cache.
func TestCache_SourceErrorsAreNotAnswers(t *testing.T) {
	for _, err := range []error{keycache.ErrUnknownKey, keycache.ErrOtherCertificate, keycache.ErrWrongAlgorithm} {
		cache := newCache(t, sourceFunc(func(context.Context, *keys.Set) (*keys.Set, error) { return nil, err }), keycache.Options{})
		_, _, got := find(cache, "a")
		unavailable(t, got)
		if errors.Is(got, err) {
			t.Errorf("%v is passed on", err)
		}
	}
}

// A set that NewSet did not make is checked.
func TestCache_ChecksSets(t *testing.T) {
	weak, good := keys.Key{ID: "weak", Public: rsaPublic(1024)}, ecKey("good")
	cache := newCache(t, sourceFunc(func(context.Context, *keys.Set) (*keys.Set, error) {
		return &keys.Set{Keys: []keys.Key{weak, good, {ID: "nothing"}}, Issuer: "https://issuer.example"}, nil
	}), keycache.Options{})
	if match := served(t, cache, "good", fetchLimit); match.Issuer != "https://issuer.example" {
		t.Errorf("the issuer was lost: %+v", match)
	}
	if _, err := cache.Find(t.Context(), keycache.Ref{KeyID: "weak"}, "RS256"); !errors.Is(err, keycache.ErrUnknownKey) {
		t.Errorf("a weak key: %v", err)
	}
	exchanged, err := keys.NewSet(good)
	if err != nil {
		t.Fatal(err)
	}
	exchanged.Keys = []keys.Key{weak} // as many as before
	for says, set := range map[string]*keys.Set{
		"returned no set": nil, "no key in the set": {}, "1024 bits": {Keys: []keys.Key{weak}}, "of 1024 bits": exchanged,
	} {
		cache := newCache(t, sourceFunc(func(context.Context, *keys.Set) (*keys.Set, error) { return set, nil }), keycache.Options{})
		err := cache.Ready(t.Context())
		unavailable(t, err)
		if !strings.Contains(err.Error(), says) {
			t.Errorf("%v; want %q", err, says)
		}
	}
}

func TestStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t, keycache.Options{})
		if s := p.cache.Status(); s.Source != p.JWKSURL() || s.Fetches != 0 || !s.FetchedAt.IsZero() || !s.RefreshDue.IsZero() {
			t.Fatalf("before the first fetch: %+v", s)
		}
		addKey(p.Issuer, `{"kty":"AKP","kid":"future"}`)
		began := time.Now()
		p.warm(t)
		s := p.cache.Status()
		if len(s.KeyIDs) != 1 || s.KeyIDs[0] != p.KeyID() || !s.FetchedAt.Equal(began) || s.Fetches != 1 {
			t.Fatalf("%+v", s)
		}
		if len(s.Skipped) != 1 || s.Skipped[0].ID != "future" || s.Skipped[0].Reason == "" {
			t.Fatalf("%+v", s.Skipped)
		}
		p.Down()
		time.Sleep(longest)
		served(t, p.cache, p.KeyID(), 0)
		synctest.Wait()
		s = p.cache.Status()
		if s.LastError == "" || !s.LastErrorAt.Equal(time.Now()) || !s.NextAttempt.After(time.Now()) || s.Fetches != 2 || len(s.KeyIDs) != 1 {
			t.Fatalf("%+v", s)
		}
	})
}

// calling is a context that calls a function when Done is called.
type calling struct {
	context.Context
	call func()
}

func (c calling) Done() <-chan struct{} {
	c.call()
	return c.Context.Done()
}

func TestClose_WaitingCallers(t *testing.T) {
	for name, c := range map[string]struct {
		kid  string
		age  time.Duration
		ends bool // the fetch, before the cache is closed
	}{
		"for the first set":                  {"a", 0, true},
		"for the refresh of an idle set":     {"a", longest + fetchLimit + 1, true},
		"for a refresh that is cut off":      {"a", longest + fetchLimit + 1, false},
		"for an unknown key":                 {"b", minRefresh, true},
		"for an unknown key, and is cut off": {"b", minRefresh, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newProvider(t, keycache.Options{})
				if c.age > 0 {
					p.warm(t)
					time.Sleep(c.age)
				}
				if !c.ends {
					p.Fault(hang)
				}
				_, err := p.cache.Find(calling{t.Context(), func() {
					synctest.Wait()
					_ = p.cache.Close()
				}}, keycache.Ref{KeyID: c.kid}, alg)
				unavailable(t, err)
				if err.Error() != "keys unavailable: the key cache is closed" {
					t.Error(err)
				}
			})
		})
	}
}

// Otherwise every request would wait a second for a provider that is down.
func TestOutage_IdleWaitAfterFailure(t *testing.T) {
	for name, c := range map[string]struct {
		since time.Duration
		waits bool
	}{
		"as long as a back-off and a fetch take": {maxRetry + fetchLimit, false},
		"longer":                                 {maxRetry + fetchLimit + 1, true},
		"the clock was set back to before it":    {-maxRetry - time.Second, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				clock := newClock()
				p := newProvider(t, keycache.Options{Now: clock.Now}).warm(t)
				p.Down()
				clock.Advance(longest + 2*maxRetry)
				served(t, p.cache, p.KeyID(), 0) // the failure
				p.Up()
				p.Slow(idleWait / 2)
				clock.Advance(c.since)
				_, took, err := find(p.cache, p.KeyID())
				if waited := took == idleWait/2; waited != c.waits || err != nil {
					t.Errorf("Find took %v; %v", took, err)
				}
				time.Sleep(idleWait) // until the fetch has ended
			})
		})
	}
}

// Budget and back-off are independent: with the budget spent and the last attempt failed, the source is not queried.
func TestOutage_UnknownKeyBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t, keycache.Options{Interval: cooldown / 5}).warm(t)
		unknown(t, p.cache, "forged")
		p.Down()
		time.Sleep(time.Until(p.cache.Status().RefreshDue))
		served(t, p.cache, p.KeyID(), 0)
		synctest.Wait()
		time.Sleep(time.Until(p.cache.Status().NextAttempt))
		before := p.asked.count()
		_, _, err := find(p.cache, "forged")
		unavailable(t, err)
		if n := p.asked.count() - before; n > 1 { // the due refresh, in the background
			t.Errorf("%d attempts", n)
		}
	})
}

// Only unknown keys use the budget.
func TestOutage_RecoveryWithoutBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t, keycache.Options{Interval: cooldown / 10, StaleFor: cooldown / 20}).warm(t)
		unknown(t, p.cache, "forged")
		p.Down()
		time.Sleep(time.Until(p.cache.Status().RefreshDue))
		served(t, p.cache, p.KeyID(), 0)
		synctest.Wait()
		time.Sleep(time.Until(p.cache.Status().NextAttempt)) // by then the set is too old
		p.Up()
		served(t, p.cache, p.KeyID(), 0)
	})
}

// A canceled fetch is neither logged nor reported.
func TestOnFetch_CanceledFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var events []keycache.FetchEvent
		lines := &logbook{}
		o := keycache.Options{OnFetch: func(e keycache.FetchEvent) { events = append(events, e) }, Logger: newLogger(lines)}
		p := newProvider(t, o)
		p.Fault(hang)
		var wg sync.WaitGroup
		wg.Go(func() { _, _, _ = find(p.cache, p.KeyID()) })
		synctest.Wait()
		_ = p.cache.Close()
		wg.Wait()
		if len(events) != 0 || lines.lines() != 0 {
			t.Errorf("%+v\n%s", events, lines.text.String())
		}
	})
}

func TestCache_Log(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lines := &logbook{}
		p := newProvider(t, keycache.Options{Logger: newLogger(lines)}).warm(t)
		if lines.lines("fetching keys failed") != 0 || lines.lines("keys changed", p.KeyID()) != 1 {
			t.Errorf("after a success:\n%s", lines.text.String())
		}
		p.Down()
		time.Sleep(longest)
		served(t, p.cache, p.KeyID(), 0)
		synctest.Wait()
		if lines.lines("level=WARN", "fetching keys failed", p.JWKSURL()) != 1 || lines.lines("keys changed") != 1 {
			t.Errorf("after a failure:\n%s", lines.text.String())
		}
	})
}

func TestStatus_Usable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t, keycache.Options{})
		usable := func(when string, want bool) {
			t.Helper()
			if got := p.cache.Status().Usable; got != want {
				t.Errorf("%s: %v", when, got)
			}
		}
		usable("before the first fetch", false)
		p.warm(t)
		usable("after it", true)
		due := p.cache.Status().RefreshDue
		p.Down()
		time.Sleep(time.Until(due.Add(staleFor)))
		usable("at the end of the hour", true)
		time.Sleep(time.Nanosecond)
		usable("past it", false)
		p.Up()
		time.Sleep(maxRetry)
		p.warm(t)
		usable("with a new set", true)
		_ = p.cache.Close()
		usable("closed", false)
	})
}
