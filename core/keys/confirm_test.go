package keys_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/keys"
)

// published is a source whose keys a test exchanges.
type published struct {
	list []keys.Key
	err  error
}

func (p *published) Fetch(context.Context, *keys.Set) (*keys.Set, error) {
	if p.err != nil {
		return nil, p.err
	}
	return keys.NewSet(p.list...)
}

func (*published) String() string { return "what is published" }

// A token that was verified before is good for as long as the very key is in force that verified it.
func TestAMatchIsConfirmedForAsLongAsItsKeyIsInForce(t *testing.T) {
	a, b, unnamed := ecKey("a"), ecKey("b"), ecKey("")
	for name, c := range map[string]struct {
		before, after []keys.Key
		kid           string
		confirmed     bool
	}{
		"nothing has changed":                         {[]keys.Key{a}, []keys.Key{a}, "a", true},
		"another key has come":                        {[]keys.Key{a}, []keys.Key{a, b}, "a", true},
		"the others stand in another order":           {[]keys.Key{a, b}, []keys.Key{b, a}, "a", true},
		"the key has gone":                            {[]keys.Key{a}, []keys.Key{b}, "a", false},
		"another key goes by its id":                  {[]keys.Key{a}, []keys.Key{ecKey("a")}, "a", false},
		"the key has another algorithm now":           {[]keys.Key{a}, []keys.Key{{ID: "a", Algorithm: "ES256", Public: a.Public}}, "a", true},
		"a key without id is still there":             {[]keys.Key{unnamed}, []keys.Key{ecKey(""), unnamed}, "", true},
		"a key without id has gone":                   {[]keys.Key{unnamed}, []keys.Key{ecKey("")}, "", false},
		"a key without id is one of several too many": {[]keys.Key{unnamed}, []keys.Key{ecKey(""), ecKey(""), ecKey(""), ecKey(""), unnamed}, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source := &published{list: c.before}
				cache := newCache(t, source, keys.CacheOptions{})
				match, err := cache.Find(t.Context(), c.kid, alg)
				if err != nil {
					t.Fatal(err)
				}
				source.list = c.after
				time.Sleep(shortest - 1)
				if _, ok, err := cache.Confirm(t.Context(), time.Now(), match, c.kid, alg); !ok || err != nil {
					t.Fatalf("before the refresh: %v, %v", ok, err)
				}
				time.Sleep(longest - shortest + 1)
				if err := cache.Ready(t.Context()); err != nil { // starts the refresh
					t.Fatal(err)
				}
				synctest.Wait()
				again, ok, err := cache.Confirm(t.Context(), time.Now(), match, c.kid, alg)
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

// Confirm is asked on every request.
func TestToConfirmByTheSameSetAllocatesNothing(t *testing.T) {
	cache := newCache(t, having(ecKey("a")), keys.CacheOptions{})
	match, now := served(t, cache, "a", fetchLimit), time.Now()
	if n := testing.AllocsPerRun(100, func() { _, _, _ = cache.Confirm(context.Background(), now, match, "a", alg) }); n > 0 {
		t.Fatalf("%v allocations; want none", n)
	}
}

func TestNothingIsConfirmedWithoutKeysThatMayBeUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t, keys.CacheOptions{}).warm(t)
		match := served(t, p.cache, p.KeyID(), 0)
		p.Down()
		time.Sleep(longest + staleFor)
		_, ok, err := p.cache.Confirm(t.Context(), time.Now(), match, p.KeyID(), alg)
		unavailable(t, err)
		if ok {
			t.Error("confirmed")
		}
	})
}

// Several keys that a token without key id may mean say nothing of the one that verified it.
func TestAMatchOfSeveralKeysIsNotConfirmedByAnotherSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &published{list: []keys.Key{ecKey(""), ecKey("")}}
		cache := newCache(t, source, keys.CacheOptions{})
		match, err := cache.Find(t.Context(), "", alg)
		if err != nil || len(match.Keys) != 2 {
			t.Fatalf("%+v, %v", match, err)
		}
		source.list = append(source.list, ecKey(""))
		time.Sleep(longest + fetchLimit + time.Second)
		if err := cache.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, ok, err := cache.Confirm(t.Context(), time.Now(), match, "", alg); ok || err != nil {
			t.Errorf("%v, %v", ok, err)
		}
	})
}

func TestTheGenerationGrowsWithEveryExchangeOfKeys(t *testing.T) {
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
				var last keys.FetchEvent
				cache := newCache(t, source, keys.CacheOptions{OnFetch: func(e keys.FetchEvent) { last = e }})
				before, err := cache.Find(t.Context(), step.before[0].ID, alg)
				if err != nil {
					t.Fatal(err)
				}
				source.list = step.after
				time.Sleep(longest + fetchLimit + time.Second) // an idle set waits for its refresh
				after, err := cache.Find(t.Context(), step.after[0].ID, alg)
				if err != nil || (after.Generation > before.Generation) != step.grows || last.Changed != step.grows {
					t.Errorf("from %d to %d, %v; %+v", before.Generation, after.Generation, err, last)
				}
			})
		})
	}
}

func TestLacksIsSaidOfASetThatCannotChangeAndOfNoneThatIsDue(t *testing.T) {
	fixed, err := keys.Static(ecKey("a"))
	if err != nil {
		t.Fatal(err)
	}
	cache := newCache(t, fixed, keys.CacheOptions{})
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
	p := newProvider(t, keys.CacheOptions{Now: clock.Now, Interval: cooldown / 2}).warm(t)
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

// The second of two who look for a new key has it from the fetch that the first one began.
func TestTwoWhoLookForTheSameNewKeyShareOneFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t, keys.CacheOptions{}).warm(t)
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

// A set that came in between may have been asked for before the key was published, so it is asked for once more.
func TestASetThatCameInBetweenIsNotTheLastWordOnANewKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &published{list: []keys.Key{ecKey("a")}}
		asked := &recorder{Source: sourceFunc(func(ctx context.Context, last *keys.Set) (*keys.Set, error) {
			defer func() { source.list = append(source.list, ecKey("b")) }()
			return source.Fetch(ctx, last)
		})}
		slow := false
		cache := newCache(t, asked, keys.CacheOptions{Now: func() time.Time {
			if slow {
				synctest.Wait() // whatever goes on meanwhile ends before this look at the clock does
			}
			return time.Now()
		}})
		served(t, cache, "a", 0)
		source.list = source.list[:1] // the refresh comes too early for the new key as well
		time.Sleep(time.Until(cache.Status().RefreshDue))
		slow = true
		served(t, cache, "b", 0)
		if n := asked.count(); n != 3 {
			t.Errorf("%d fetches; want the first, the refresh and one for the new key", n)
		}
	})
}

// calling is a context that calls a function when somebody begins to wait for its end.
type calling struct {
	context.Context
	call func()
}

func (c calling) Done() <-chan struct{} {
	c.call()
	return c.Context.Done()
}

func TestWhoeverWaitsForKeysWhileTheCacheIsClosedIsToldSo(t *testing.T) {
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
				p := newProvider(t, keys.CacheOptions{})
				if c.age > 0 {
					p.warm(t)
					time.Sleep(c.age)
				}
				if !c.ends {
					p.Fault(devissuer.Hang())
				}
				_, err := p.cache.Find(calling{t.Context(), func() {
					synctest.Wait()
					_ = p.cache.Close()
				}}, c.kid, alg)
				unavailable(t, err)
				if err.Error() != "keys unavailable: the key cache is closed" {
					t.Error(err)
				}
			})
		})
	}
}

func TestWhoeverHasWaitedDoesNotFillTheWaitingRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t, keys.CacheOptions{})
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

// Otherwise every request of a service would wait a second for a provider that is away.
func TestAnIdleSetIsNotWaitedForWithinTheTimeThatAFailureTells(t *testing.T) {
	for name, c := range map[string]struct {
		since time.Duration
		waits bool
	}{
		"as long as a back-off and a fetch take": {maxRetry + fetchLimit, false},
		"longer":                                 {maxRetry + fetchLimit + 1, true},
		"the clock was set back behind it":       {-maxRetry - time.Second, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				clock := newClock()
				p := newProvider(t, keys.CacheOptions{Now: clock.Now}).warm(t)
				p.Down()
				clock.Advance(longest + 2*maxRetry)
				served(t, p.cache, p.KeyID(), 0) // the failure
				p.Up()
				p.Slow(idleWait / 2)
				clock.Advance(c.since)
				_, took, err := find(p.cache, p.KeyID())
				if waited := took == idleWait/2; waited != c.waits || err != nil {
					t.Errorf("it took %v; %v", took, err)
				}
				time.Sleep(idleWait) // until the fetch has ended
			})
		})
	}
}

// Budget and back-off are two things: with the budget spent and the last attempt failed, nobody knows and nobody asks.
func TestAnUnknownKeyIsNotAskedForOnASpentBudgetThoughTheBackOffIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t, keys.CacheOptions{Interval: cooldown / 5}).warm(t)
		unknown(t, p.cache, "forged")
		p.Down()
		time.Sleep(time.Until(p.cache.Status().RefreshDue))
		served(t, p.cache, p.KeyID(), 0)
		synctest.Wait()
		time.Sleep(time.Until(p.cache.Status().NextAttempt))
		before := p.asked.count()
		_, _, err := find(p.cache, "forged")
		unavailable(t, err)
		if n := p.asked.count() - before; n > 1 { // the refresh that is due, behind the caller's back
			t.Errorf("%d attempts", n)
		}
	})
}

// The budget is for keys that nobody may have; it holds up nothing else.
func TestASpentBudgetDoesNotHoldUpTheRecovery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t, keys.CacheOptions{Interval: cooldown / 10, StaleFor: cooldown / 20}).warm(t)
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

func TestWhatWasCutOffIsToldToNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var events []keys.FetchEvent
		lines := &logbook{}
		o := keys.CacheOptions{OnFetch: func(e keys.FetchEvent) { events = append(events, e) }, Logger: newLogger(lines)}
		p := newProvider(t, o)
		p.Fault(devissuer.Hang())
		var wg sync.WaitGroup
		wg.Go(func() { _, _, _ = find(p.cache, p.KeyID()) })
		synctest.Wait()
		_ = p.cache.Close()
		wg.Wait()

		o.Inline = true
		p = newProvider(t, o)
		p.Slow(idleWait / 2)
		ctx, cancel := context.WithTimeout(t.Context(), idleWait/4)
		defer cancel()
		_, err := p.cache.Find(ctx, p.KeyID(), alg)
		unavailable(t, err)
		synctest.Wait()
		if len(events) != 0 || lines.lines() != 0 {
			t.Errorf("%+v\n%s", events, lines.text.String())
		}
	})
}

func TestTheLogTellsFailuresAndKeysInForce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lines := &logbook{}
		p := newProvider(t, keys.CacheOptions{Logger: newLogger(lines)}).warm(t)
		if lines.lines("could not be fetched") != 0 || lines.lines("keys in force", p.KeyID()) != 1 {
			t.Errorf("after a success:\n%s", lines.text.String())
		}
		p.Down()
		time.Sleep(longest)
		served(t, p.cache, p.KeyID(), 0)
		synctest.Wait()
		if lines.lines("level=WARN", "could not be fetched", p.JWKSURL()) != 1 || lines.lines("keys in force") != 1 {
			t.Errorf("after a failure:\n%s", lines.text.String())
		}
	})
}

func TestTheStatusTellsWhetherTokensCanBeVerifiedNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProvider(t, keys.CacheOptions{})
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

// A set of whose origin nothing is known any more would be transferred whole at each refresh.
func TestACacheAsksForChangesOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := newIssuer(t)
		wire := &statuses{RoundTripper: issuer.Client().Transport}
		client := issuer.Client()
		client.Transport = wire
		source, err := keys.URL(issuer.JWKSURL(), keys.Options{HTTPClient: client})
		if err != nil {
			t.Fatal(err)
		}
		cache := newCache(t, source, keys.CacheOptions{})
		for range 3 {
			served(t, cache, issuer.KeyID(), 0)
			time.Sleep(longest + fetchLimit + 1)
		}
		if want := []int{200, 304, 304}; !slices.Equal(wire.list, want) {
			t.Errorf("answered %v; want %v", wire.list, want)
		}
	})
}

func TestASnapshotThatCannotBeUsedIsPassedOver(t *testing.T) {
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
				p := newProvider(t, keys.CacheOptions{})
				source := keys.WithSnapshot(snapshot, p.asked)
				served(t, newCache(t, source, keys.CacheOptions{}), p.KeyID(), 0)
				if needs, ok := source.(interface{ RequiresIssuer() bool }); !ok || !needs.RequiresIssuer() {
					t.Error("it does not say that it tells no issuer")
				}
			})
		})
	}
}
