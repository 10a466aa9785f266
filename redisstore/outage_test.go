package redisstore_test

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/redisstore/redistest"
)

// slack allows for a busy machine, in addition to the 100 ms of a lookup.
const slack = 150 * time.Millisecond

// timed returns how long a check takes, and its outcome.
func timed(t *testing.T, store sso.SessionStore, user, id string) (time.Duration, string) {
	t.Helper()
	begun := time.Now()
	err := store.Check(t.Context(), session(user, id))
	return time.Since(begun), outcome(err)
}

func TestSessions_Outage(t *testing.T) {
	for name, fault := range map[string]struct{ begin, end func(*redistest.Server) }{
		"killed": {(*redistest.Server).Kill, (*redistest.Server).Restart},
		"hung":   {(*redistest.Server).Hang, (*redistest.Server).Resume},
	} {
		t.Run(name, func(t *testing.T) {
			server := redistest.Start(t, redistest.Durable()...)
			leavesNothing(t, server)
			put(server, "u1", "s1")
			store := readySessions(t, at(server.Address))
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
			fmt.Printf("redisstore: %s: available again after %v\n", name, time.Since(begun).Round(time.Millisecond))
		})
	}
}

func TestSessions_OutageWhileIdle(t *testing.T) {
	server := redistest.Start(t, redistest.Durable()...)
	leavesNothing(t, server)
	put(server, "u1", "s1")
	store := readySessions(t, at(server.Address))
	server.Kill()
	for range 5 {
		wants(t, store, session("u1", "s1"), "unavailable")
	}
	server.Restart()
	<-time.After(1100 * time.Millisecond) // real time: Redis has its own clock
	wants(t, store, session("u1", "s1"), "lives")
}

func TestSessions_OutageAtStart(t *testing.T) {
	server := redistest.Start(t)
	leavesNothing(t, server)
	server.Kill()
	store := openSessions(t, at(server.Address))
	for range 5 {
		wants(t, store, session("u1", "s1"), "unavailable")
	}
	server.Restart()
	becomes(t, store, session("u1", "s1"), "ended")
}

func TestCache_NoRoundTrip(t *testing.T) {
	server := redistest.Start(t)
	leavesNothing(t, server)
	put(server, "u1", "s1")
	store := readySessions(t, at(server.Address), cachedFor(30*time.Second))
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

// calls returns how often a server has run a command.
func calls(server *redistest.Server, command string) int {
	_, rest, _ := strings.Cut(server.Do("INFO", "commandstats"), "cmdstat_"+command+":calls=")
	number, _, _ := strings.Cut(rest, ",")
	n, err := strconv.Atoi(number)
	if err != nil {
		return 0
	}
	return n
}

func TestCache_Invalidation(t *testing.T) {
	server := redistest.Start(t)
	leavesNothing(t, server)
	long := cachedFor(30 * time.Second) // so that only an invalidation removes the answer
	here, there := readySessions(t, at(server.Address), long), readySessions(t, at(server.Address), long)
	for i := range 50 {
		id := fmt.Sprint("s", i)
		do(t, there.Login(t.Context(), "u1", id, time.Hour))
		becomes(t, here, session("u1", id), "lives")
		becomes(t, there, session("u1", id), "lives")
		do(t, there.Revoke(t.Context(), "u1"))
		wants(t, there, session("u1", id), "ended") // at once, in the instance that revoked it
		begun := time.Now()
		becomes(t, here, session("u1", id), "ended")
		if took := time.Since(begun); took > time.Second {
			t.Errorf("the invalidation took %v", took)
		}
	}
}

// Redis reports changes on the connection only.
func TestCache_ConnectionEnds(t *testing.T) {
	server := redistest.Start(t)
	leavesNothing(t, server)
	put(server, "u1", "s1")
	store := readySessions(t, at(server.Address), cachedFor(30*time.Second)) // longer than becomes waits
	wants(t, store, session("u1", "s1"), "lives")
	server.Kill()
	becomes(t, store, session("u1", "s1"), "unavailable")
	server.Restart()
}

// A revocation takes effect within two seconds, even if nothing is heard of Redis: the answer expires, or
// the silent connection is closed.
func TestCache_StalenessIsBounded(t *testing.T) {
	for name, fault := range map[string]func(*redistest.Server, *network){
		"hung":        func(s *redistest.Server, _ *network) { s.Hang() },
		"partitioned": func(_ *redistest.Server, n *network) { n.deaf.Store(true) },
	} {
		for ttl, most := range map[time.Duration]time.Duration{
			300 * time.Millisecond: 300 * time.Millisecond,
			2 * time.Second:        2 * time.Second,
			30 * time.Second:       2 * time.Second,
		} {
			t.Run(fmt.Sprint(name, " ", ttl), func(t *testing.T) {
				server := redistest.Start(t)
				leavesNothing(t)
				put(server, "u1", "s1")
				between := newNetwork(t, server.Address)
				store := readySessions(t, at(between.address), cachedFor(ttl))
				wants(t, store, session("u1", "s1"), "lives") // and is cached
				fault(server, between)
				begun := time.Now()
				if name == "partitioned" {
					server.Do("DEL", key("u1"))
				}
				var last atomic.Int64
				var wg sync.WaitGroup
				for range 4 {
					wg.Go(func() {
						for at := time.Duration(0); at < most+time.Second; at = time.Since(begun) {
							if outcome(store.Check(t.Context(), session("u1", "s1"))) == "lives" {
								for { // at is from before the check, which can take long on a busy machine
									if old := last.Load(); int64(at) <= old || last.CompareAndSwap(old, int64(at)) {
										break
									}
								}
							}
						}
					})
				}
				wg.Wait()
				if got := time.Duration(last.Load()); got > most {
					t.Errorf("accepted %v after the fault", got)
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

// A stall of Redis does not reject sessions that are in the cache.
func TestCache_ServesWhileRedisStalls(t *testing.T) {
	server := redistest.Start(t)
	leavesNothing(t, server)
	put(server, "u1", "s1")
	store := readySessions(t, at(server.Address), cached)
	wants(t, store, session("u1", "s1"), "lives")
	server.Hang()
	begun := time.Now()
	wants(t, store, session("u2", "s1"), "unavailable") // not in the cache
	for range 1000 {
		wants(t, store, session("u1", "s1"), "lives")
	}
	if took := time.Since(begun); took > time.Second {
		t.Skipf("the machine is too busy: %v", took)
	}
	server.Resume()
}
