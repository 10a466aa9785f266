package redisstore_test

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/redisstore"
	"github.com/more-retail/moresso-go/redisstore/redistest"
)

// slack is what a machine with other work adds to a lookup that ends within 100 ms.
const slack = 150 * time.Millisecond

// timed is how long a check takes, and what comes of it.
func timed(t *testing.T, store *redisstore.Store, user, id string) (time.Duration, string) {
	t.Helper()
	begun := time.Now()
	err := store.Check(t.Context(), session(user, id))
	return time.Since(begun), outcome(err)
}

func TestAnOutageIsShortForEachRequestAndOverWhenRedisIsBack(t *testing.T) {
	for name, fault := range map[string]struct{ begin, end func(*redistest.Server) }{
		"killed": {(*redistest.Server).Kill, (*redistest.Server).Restart},
		"hung":   {(*redistest.Server).Hang, (*redistest.Server).Resume},
	} {
		t.Run(name, func(t *testing.T) {
			server := redistest.Start(t, redistest.Durable())
			leavesNothing(t, server)
			server.Do("SET", "api:u1", "s1")
			store := ready(t, at(server.Address))
			wants(t, store, session("u1", "s1"), "lives")
			fault.begin(server)
			for range 3 {
				if took, got := timed(t, store, "u1", "s1"); got != "unavailable" || took > 100*time.Millisecond+slack {
					t.Errorf("%s after %v", got, took)
				}
			}
			quick := 0
			for range 1000 {
				took, got := timed(t, store, "u1", "s1")
				if got != "unavailable" {
					t.Fatal(got)
				}
				if took < time.Millisecond {
					quick++
				}
			}
			if quick < 990 { // the others were held up by the machine
				t.Errorf("only %d of 1000 answers came within a millisecond", quick)
			}
			fault.end(server)
			begun := time.Now()
			becomes(t, store, session("u1", "s1"), "lives")
			fmt.Printf("redisstore: %s, and back: sessions known again after %v\n", name, time.Since(begun).Round(time.Millisecond))
		})
	}
}

func TestAServiceThatWasIdleFindsRedisByItself(t *testing.T) {
	server := redistest.Start(t, redistest.Durable())
	leavesNothing(t, server)
	server.Do("SET", "api:u1", "s1")
	store := ready(t, at(server.Address))
	server.Kill()
	for range 5 {
		wants(t, store, session("u1", "s1"), "unavailable")
	}
	server.Restart()
	<-time.After(1100 * time.Millisecond) // real time: no request until then, and Redis has a clock of its own
	wants(t, store, session("u1", "s1"), "lives")
}

func TestARedisThatIsNotThereYetIsFoundLater(t *testing.T) {
	server := redistest.Start(t)
	leavesNothing(t, server)
	server.Kill()
	store := open(t, at(server.Address))
	for range 5 {
		wants(t, store, session("u1", "s1"), "unavailable")
	}
	server.Restart()
	becomes(t, store, session("u1", "s1"), "ended")
}

func TestHotSessionsCostNoRoundTrip(t *testing.T) {
	server := redistest.Start(t)
	leavesNothing(t, server)
	server.Do("SET", "api:u1", "s1")
	store := ready(t, at(server.Address), cached, func(o *redisstore.Options) { o.MaxStale = 30 * time.Second })
	for range 10_000 {
		wants(t, store, session("u1", "s1"), "lives")
	}
	if got := calls(server, "get"); got > 3 {
		t.Errorf("%d GETs for 10,000 lookups", got)
	}
	for range 1000 {
		wants(t, store, session("u9", "s1"), "ended")
	}
	if got := calls(server, "get"); got > 4 {
		t.Errorf("%d GETs", got)
	}
}

// calls is how often a server has carried a command out.
func calls(server *redistest.Server, command string) int {
	_, rest, _ := strings.Cut(server.Do("INFO", "commandstats"), "cmdstat_"+command+":calls=")
	number, _, _ := strings.Cut(rest, ",")
	n, err := strconv.Atoi(number)
	if err != nil {
		return 0
	}
	return n
}

func TestARevocationReachesCachesAtOnce(t *testing.T) {
	server := redistest.Start(t)
	leavesNothing(t, server)
	change := func(o *redisstore.Options) { cached(o); o.MaxStale = 30 * time.Second } // only Redis can tell
	here, there := ready(t, at(server.Address), change), ready(t, at(server.Address), change)
	for i := range 50 {
		id := fmt.Sprint("s", i)
		do(t, there.Login(t.Context(), "u1", id, time.Hour))
		becomes(t, here, session("u1", id), "lives")
		wants(t, there, session("u1", id), "lives")
		do(t, there.Revoke(t.Context(), "u1"))
		wants(t, there, session("u1", id), "ended") // one's own needs no telling
		begun := time.Now()
		becomes(t, here, session("u1", id), "ended")
		if took := time.Since(begun); took > time.Second {
			t.Errorf("it took %v", took)
		}
	}
}

// Once the connection has ended nobody would tell of a revocation.
func TestACachedAnswerDoesNotOutliveItsConnection(t *testing.T) {
	server := redistest.Start(t)
	leavesNothing(t, server)
	server.Do("SET", "api:u1", "s1")
	store := ready(t, at(server.Address), cached, func(o *redisstore.Options) { o.MaxStale = 30 * time.Second }) // longer than is waited for below
	wants(t, store, session("u1", "s1"), "lives")
	server.Kill()
	becomes(t, store, session("u1", "s1"), "unavailable")
	server.Restart()
}

// Neither a Redis that hangs nor a network that swallows what it says makes a cached answer
// older than the cap; after that the store is unavailable.
func TestNoCachedAnswerIsOlderThanTheCap(t *testing.T) {
	for name, fault := range map[string]func(*redistest.Server, *network){
		"hung":        func(s *redistest.Server, _ *network) { s.Hang() },
		"partitioned": func(_ *redistest.Server, n *network) { n.deaf.Store(true) },
	} {
		for _, stale := range []time.Duration{300 * time.Millisecond, redisstore.DefaultMaxStale} {
			t.Run(fmt.Sprint(name, " ", stale), func(t *testing.T) {
				server := redistest.Start(t)
				leavesNothing(t)
				server.Do("SET", "api:u1", "s1")
				between := newNetwork(t, server.Address)
				store := ready(t, at(between.address), cached, func(o *redisstore.Options) { o.MaxStale = stale })
				wants(t, store, session("u1", "s1"), "lives") // and is cached
				fault(server, between)
				begun := time.Now() // nothing that was said later is heard
				if name == "partitioned" {
					server.Do("DEL", "api:u1")
				}
				var last atomic.Int64
				var wg sync.WaitGroup
				for range 4 {
					wg.Go(func() {
						for at := time.Duration(0); at < stale+time.Second; at = time.Since(begun) {
							if outcome(store.Check(t.Context(), session("u1", "s1"))) == "lives" {
								for { // at is from before the check, which may take its time on a busy machine
									if old := last.Load(); int64(at) <= old || last.CompareAndSwap(old, int64(at)) {
										break
									}
								}
							}
						}
					})
				}
				wg.Wait()
				if got := time.Duration(last.Load()); got > stale {
					t.Errorf("let pass %v after the fault", got)
				}
				wants(t, store, session("u1", "s1"), "unavailable")
				if name == "hung" {
					server.Resume()
				}
				between.deaf.Store(false)
				becomes(t, store, session("u1", "s1"), map[string]string{"hung": "lives", "partitioned": "ended"}[name])
			})
		}
	}
}

func TestACacheHasABound(t *testing.T) {
	server := redistest.Start(t)
	leavesNothing(t, server)
	store := ready(t, at(server.Address), cached, func(o *redisstore.Options) { o.CacheEntries, o.MaxStale = 10, 30*time.Second })
	for i := range 1000 {
		user := fmt.Sprint("u", i%100)
		wants(t, store, session(user, "s1"), "ended")
	}
	if got := calls(server, "get"); got < 800 {
		t.Errorf("%d GETs: more than 10 answers are kept", got)
	}
}
