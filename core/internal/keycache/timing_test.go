package keycache_test

import (
	"context"
	"crypto/elliptic"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/more-retail/moresso-go/core/devissuer"
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
		{"none", -1, false},
		{"due", 0, false},
		{"idle", 40 * time.Minute, false},
		{"stale", 2 * time.Hour, false},
		{"unknown key", time.Minute, true},
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
					if _, err := p.cache.FindAgain(t.Context(), match, keycache.Ref{KeyID: p.KeyID()}, alg); !errors.Is(err, keycache.ErrUnknownKey) {
						t.Fatal(err)
					}
					fetches(t, p, want+1)
				})
			})
		}
	}
}

// A token with an unknown key is answered by one fetch within 3 s, however old the set is. An ETag that does
// not change with the keys does not hide a new key.
func TestCache_UnknownKeyAtAnyAge(t *testing.T) {
	for _, inline := range []bool{false, true} {
		for state, age := range map[string]time.Duration{
			"no set": -1, "a fresh set": time.Minute, "a due set": 0, "an idle set": 40 * time.Minute, "a stale set": 2 * time.Hour,
		} {
			for _, slow := range []time.Duration{500 * time.Millisecond, 1500 * time.Millisecond, 2500 * time.Millisecond, 5 * time.Second} {
				for _, forged := range []bool{false, true} {
					t.Run(fmt.Sprintf("inline %v/%s/%v/forged %v", inline, state, slow, forged), func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) {
							issuer := newIssuer(t)
							source, err := keys.URL(issuer.JWKSURL(), keys.Options{HTTPClient: sameETag(issuer)})
							if err != nil {
								t.Fatal(err)
							}
							cache := newCache(t, source, keycache.Options{Inline: inline})
							if age >= 0 {
								if err := cache.Ready(t.Context()); err != nil {
									t.Fatal(err)
								}
								time.Sleep(age)
								if state == "a due set" {
									time.Sleep(time.Until(cache.Status().RefreshDue))
								}
							}
							before := cache.Status().Fetches
							kid := issuer.Rotate()
							if forged {
								kid = "forged"
							}
							issuer.Slow(slow)

							_, took, err := find(cache, kid)
							if took != min(slow, callerWait) {
								t.Errorf("waited %v", took)
							}
							switch {
							case slow > callerWait:
								unavailable(t, err)
							case forged && !errors.Is(err, keycache.ErrUnknownKey), !forged && err != nil:
								t.Errorf("%v", err)
							}
							if n := cache.Status().Fetches - before; n != 1 {
								t.Errorf("%d fetches", n)
							}
							time.Sleep(fetchLimit)
						})
					})
				}
			}
		}
	}
}

// sameETag returns a client of an issuer whose answers all have one ETag.
func sameETag(issuer *devissuer.Issuer) *http.Client {
	client := issuer.Client()
	next := client.Transport
	client.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		condition := r.Header.Get("If-None-Match")
		r.Header.Del("If-None-Match")
		response, err := next.RoundTrip(r)
		if err == nil && condition != "" {
			_ = response.Body.Close()
			response.StatusCode, response.Body = http.StatusNotModified, http.NoBody
		}
		if err == nil {
			response.Header.Set("ETag", `"v1"`)
		}
		return response, err
	})
	return client
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// If the refresh that a cached token waited for shows that its key was removed, that set answers.
func TestConfirm_RemovedKey(t *testing.T) {
	for _, inline := range []bool{false, true} {
		for state, age := range map[string]time.Duration{"idle": 40 * time.Minute, "stale": 2 * time.Hour} {
			t.Run(fmt.Sprintf("inline %v/%s", inline, state), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p := newProvider(t, keycache.Options{Inline: inline}).warm(t)
					kid := p.KeyID()
					match := served(t, p.cache, kid, 0)
					time.Sleep(age)
					p.Rotate()
					p.Retire()
					p.Slow(700 * time.Millisecond)
					if _, ok, err := p.cache.Confirm(t.Context(), time.Now(), match, keycache.Ref{KeyID: kid}, alg); ok || err != nil {
						t.Fatalf("the removed key: %v, %v", ok, err)
					}
					if _, took, err := find(p.cache, kid); !errors.Is(err, keycache.ErrUnknownKey) || took != 0 {
						t.Errorf("%v after %v", err, took)
					}
					fetches(t, p, 2)
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
		if _, err := cache.FindAgain(t.Context(), last, keycache.Ref{KeyID: "a"}, alg); !errors.Is(err, keycache.ErrUnknownKey) {
			t.Fatalf("unchanged: %v", err)
		}
		for range 100 { // forged tokens
			_, _ = cache.FindAgain(t.Context(), last, keycache.Ref{KeyID: "a"}, alg)
		}
		if n := cache.Status().Fetches; n != 2 {
			t.Fatalf("%d fetches; want the first and one for a hundred forged tokens", n)
		}

		source.list = []keys.Key{ecKey("a")}
		time.Sleep(cooldown)
		again, err := cache.FindAgain(t.Context(), last, keycache.Ref{KeyID: "a"}, alg)
		if err != nil || again.Keys[0].Thumbprint() == key.Thumbprint() {
			t.Fatalf("%+v, %v; want the new key", again, err)
		}
	})
}

// A forged signature under a known id is refused by the fetch that its call began.
func TestFindAgain_OneFetch(t *testing.T) {
	for _, slow := range []time.Duration{500 * time.Millisecond, 1500 * time.Millisecond, 2500 * time.Millisecond} {
		t.Run(slow.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newProvider(t, keycache.Options{}).warm(t)
				time.Sleep(40 * time.Minute)
				p.Slow(slow)
				began := time.Now()
				match := served(t, p.cache, p.KeyID(), idleWait)
				if _, err := p.cache.FindAgain(t.Context(), match, keycache.Ref{KeyID: p.KeyID()}, alg); !errors.Is(err, keycache.ErrUnknownKey) {
					t.Error(err)
				}
				if took := time.Since(began); took != slow {
					t.Errorf("waited %v", took)
				}
				fetches(t, p, 2)
			})
		})
	}
}

// A provider whose answers alternate, as those of several nodes can, does not give forged tokens more fetches.
func TestFindAgain_AlternatingSets(t *testing.T) {
	a, b := ecKey("a"), ecKey("b")
	for name, other := range map[string][]keys.Key{"another key beside it": {a, b}, "without the key": {b}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := 0
				cache := newCache(t, sourceFunc(func(context.Context, *keys.Set) (*keys.Set, error) {
					n++
					if n%2 == 0 {
						return keys.NewSet(other...)
					}
					return keys.NewSet(a)
				}), keycache.Options{})
				served(t, cache, "a", 0)
				for range 100 {
					if match, err := cache.Find(t.Context(), keycache.Ref{KeyID: "a"}, alg); err == nil {
						_, _ = cache.FindAgain(t.Context(), match, keycache.Ref{KeyID: "a"}, alg)
					}
				}
				if n := cache.Status().Fetches; n != 2 {
					t.Errorf("%d fetches; want the first and one for a hundred forged tokens", n)
				}
			})
		})
	}
}

// A fetch outlives the request that began it, whose memory is then reused.
func TestFind_CopiesToken(t *testing.T) {
	for id, memory := range map[string][]byte{"b": []byte("b"), "": []byte("ES384")} { // the key id, the algorithm
		t.Run(string(memory), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source := &published{list: []keys.Key{{ID: strings.Replace(id, "b", "a", 1), Public: ecPublic(elliptic.P256())}}}
				cache := newCache(t, sourceFunc(func(ctx context.Context, last *keys.Set) (*keys.Set, error) {
					time.Sleep(time.Second)
					return source.Fetch(ctx, last)
				}), keycache.Options{})
				if err := cache.Ready(t.Context()); err != nil {
					t.Fatal(err)
				}
				source.list = append(source.list, keys.Key{ID: id, Public: ecPublic(elliptic.P384())})
				reused, ctx := unsafe.String(&memory[0], len(memory)), canceled(t)
				ref, algorithm := keycache.Ref{KeyID: reused}, "ES384"
				if id == "" {
					ref, algorithm = keycache.Ref{}, reused
				}
				_, err := cache.Find(ctx, ref, algorithm)
				unavailable(t, err)
				copy(memory, map[string]string{"b": "a", "": "ES256"}[id])
				time.Sleep(time.Second)
				synctest.Wait()
				// The budget is spent, because the fetch was for what the first set lacks.
				_, _ = cache.Find(t.Context(), keycache.Ref{KeyID: id}, "ES512")
				_, _ = cache.Find(t.Context(), keycache.Ref{KeyID: "c"}, "ES512")
				if n := cache.Status().Fetches; n != 2 {
					t.Errorf("%d fetches", n)
				}
			})
		})
	}
}

func canceled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// Inline, a refresh has a second. A token that needs a new key waits on, and does not wait for its back-off.
func TestInline_NewKeyDuringRefresh(t *testing.T) {
	for name, old := range map[string]func(func()){
		"beside it": func(refresh func()) { go refresh(); time.Sleep(10 * time.Millisecond) },
		"after it":  func(refresh func()) { refresh() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newProvider(t, keycache.Options{Inline: true}).warm(t)
				before := p.KeyID()
				p.Rotate()
				p.Slow(1500 * time.Millisecond)
				time.Sleep(time.Until(p.cache.Status().RefreshDue) + time.Second)
				old(func() { _, _, _ = find(p.cache, before) })
				served(t, p.cache, p.KeyID(), 3*time.Second)
			})
		})
	}
}
