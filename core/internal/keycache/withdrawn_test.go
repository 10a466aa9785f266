package keycache_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/internal/keycache"
	"github.com/more-retail/moresso-go/core/keys"
)

// withdrawals are answers of a provider without a usable key.
var withdrawals = map[string]func(*devissuer.Issuer){
	"an empty set":        func(i *devissuer.Issuer) { i.SetJWKS(`{"keys":[]}`) },
	"keys that are weak":  func(i *devissuer.Issuer) { i.SetJWKS(`{"keys":[{"kty":"RSA","kid":"x","n":"AQAB","e":"AQAB"}]}`) },
	"keys of other types": func(i *devissuer.Issuer) { i.SetJWKS(`{"keys":[{"kty":"AKP","kid":"x"}]}`) },
	"410": func(i *devissuer.Issuer) {
		i.Fault(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { w.WriteHeader(http.StatusGone) })
	},
}

// Two definite answers, 30 s apart, end the last set. One does not: providers make mistakes.
func TestCache_Withdrawn(t *testing.T) {
	for name, withdraw := range withdrawals {
		for _, inline := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/inline %v", name, inline), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					lines := &logbook{}
					p := newProvider(t, keycache.Options{Inline: inline, Logger: newLogger(lines)}).warm(t)
					kid := p.KeyID()
					match := served(t, p.cache, kid, 0)
					time.Sleep(time.Until(p.cache.Status().RefreshDue) + time.Second)
					withdraw(p.Issuer)
					began := time.Now()
					for time.Since(began) < 30*time.Second {
						served(t, p.cache, kid, 0) // after one
						time.Sleep(time.Second)
					}
					for p.cache.Status().Usable && time.Since(began) < 2*time.Minute {
						_, _, _ = find(p.cache, kid)
						time.Sleep(time.Second)
					}
					_, _, err := find(p.cache, kid)
					unavailable(t, err)
					if _, ok, err := p.cache.Confirm(t.Context(), time.Now(), match, keycache.Ref{KeyID: kid}, alg); ok || err == nil {
						t.Error("a cached token is confirmed")
					}
					if took := time.Since(began); took > 70*time.Second {
						t.Errorf("withdrawn after %v", took)
					}
					if lines.lines("withdrawn") != 1 {
						t.Errorf("%s", lines.text.String())
					}
					repair(p.Issuer)
					time.Sleep(maxRetry)
					served(t, p.cache, kid, 0)
				})
			})
		}
	}
}

// A set in between, or an answer that is not definite, does not count.
func TestCache_NotWithdrawn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t, keycache.Options{}).warm(t)
		kid := p.KeyID()
		for range 10 {
			time.Sleep(time.Until(p.cache.Status().RefreshDue) + time.Second)
			p.SetJWKS(`{"keys":[]}`)
			served(t, p.cache, kid, 0)
			synctest.Wait()
			p.SetJWKS("")
			time.Sleep(2 * time.Second)
			served(t, p.cache, kid, 0)
			synctest.Wait()
		}
		time.Sleep(time.Until(p.cache.Status().RefreshDue) + time.Second)
		p.Fault(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { w.WriteHeader(http.StatusNotFound) })
		for range 1000 {
			served(t, p.cache, kid, 0)
			time.Sleep(time.Second)
		}
	})
}

// Withdrawn keys do not come back if the clock is set back, nor if it is set far ahead.
func TestCache_WithdrawnClock(t *testing.T) {
	for _, step := range []time.Duration{-8 * time.Minute, -8760 * time.Hour, 8760 * time.Hour} {
		t.Run(step.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				clock := newClock()
				p := newProvider(t, keycache.Options{Now: clock.Now, Inline: true}).warm(t)
				kid := p.KeyID()
				p.SetJWKS(`{"keys":[]}`)
				for _, later := range []time.Duration{6 * time.Minute, 35 * time.Second, time.Second} {
					clock.Advance(later)
					_, _, _ = find(p.cache, kid)
				}
				if p.cache.Status().Usable {
					t.Fatal("not withdrawn")
				}
				for _, later := range []time.Duration{step, 10 * time.Second, 35 * time.Second} {
					clock.Advance(later)
					if _, _, err := find(p.cache, kid); err == nil {
						t.Fatalf("%v later: the withdrawn key is back", later)
					}
				}
			})
		})
	}
}

// A PEM text that was cut short does not say that there is no key.
func TestCache_TruncatedPEM(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := newIssuer(t)
		p := providerAt(t, issuer, issuer.URL()+"/key.pem", keycache.Options{}).warm(t)
		p.Fault(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			_, _ = w.Write(p.PublicPEM()[:60])
		})
		time.Sleep(time.Until(p.cache.Status().RefreshDue))
		for range 300 {
			if _, _, err := find(p.cache, p.KeyID()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
	})
}

// gone is an error of a source that knows that its key is gone.
type gone struct{ error }

func (gone) Gone() bool { return true }

// A key source of one's own says so by a method, and a snapshot does not bring withdrawn keys back.
func TestCache_WithdrawnSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := sourceFunc(func(context.Context, *keys.Set) (*keys.Set, error) {
			return nil, fmt.Errorf("wrapped: %w", gone{errors.New("disabled")})
		})
		snapshot, err := keys.Static(ecKey("a"))
		if err != nil {
			t.Fatal(err)
		}
		cache := newCache(t, keys.WithSnapshot(snapshot, source), keycache.Options{})
		served(t, cache, "a", 0)
		for range 150 {
			time.Sleep(time.Second)
			_, _, _ = find(cache, "a")
		}
		if _, _, err := find(cache, "a"); err == nil {
			t.Error("the snapshot's key is back")
		}
	})
}

func TestCache_StaleFor(t *testing.T) {
	for _, c := range []struct{ set, serves time.Duration }{{-1, 0}, {0, staleFor}, {3 * time.Minute, 3 * time.Minute}} {
		t.Run(c.set.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newProvider(t, keycache.Options{StaleFor: c.set}).warm(t)
				due := p.cache.Status().RefreshDue
				p.Down()
				time.Sleep(time.Until(due.Add(c.serves)))
				if c.serves > 0 {
					served(t, p.cache, p.KeyID(), idleWait)
				}
				time.Sleep(time.Second)
				_, _, err := find(p.cache, p.KeyID())
				unavailable(t, err)
			})
		})
	}
}

// A clock that is set back does not make a set too old that may not serve in an outage.
func TestCache_NotStaleClockBack(t *testing.T) {
	for range 20 {
		clock := newClock()
		offset := time.Duration(0)
		now := func() time.Time { clock.Advance(time.Microsecond); return clock.Now().Add(offset) }
		cache := newCache(t, having(ecKey("a")), keycache.Options{Now: now, StaleFor: -1})
		served(t, cache, "a", time.Second)
		offset = -2 * time.Minute
		served(t, cache, "a", time.Second)
	}
}
