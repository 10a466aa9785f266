package redisstore_test

import (
	"errors"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/redisstore"
	"github.com/more-retail/moresso-go/redisstore/redistest"
)

// bucket is the bucket of a value.
func bucket(value string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(value))
	return h.Sum32() % 64
}

// beside returns values of the bucket of another value.
func beside(value string, n int) (values []string) {
	for i := 0; len(values) < n; i++ {
		if v := "beside" + strconv.Itoa(i); bucket(v) == bucket(value) {
			values = append(values, v)
		}
	}
	return values
}

// Redis starts again from a snapshot, without the latest revocation.
func TestDenylist_Rollback(t *testing.T) {
	for name, change := range map[string]change{"uncached": unchanged, "cached": cached} {
		t.Run(name, func(t *testing.T) {
			server := redistest.Start(t)
			leavesNothing(t, server)
			store := begunDenylist(t, at(server.Address), rules(redisstore.BySession), change)
			others := beside("s1", 5)
			do(t, store.RevokeSession(t.Context(), others[0]))
			wants(t, store, session("ada", "s1"), "lives")
			server.Do("SAVE")
			do(t, store.RevokeSession(t.Context(), "s1"))
			wants(t, store, session("ada", "s1"), "ended")
			server.Kill()
			server.Restart()
			reason := func() bool {
				err := store.Check(t.Context(), session("ada", "s1"))
				if err == nil {
					t.Fatal("the revoked session was accepted")
				}
				return strings.Contains(err.Error(), "gone back")
			}
			redistest.Wait(t, limit, "the reason", reason)
			for _, id := range others[1:4] { // more writes than were lost
				do(t, store.RevokeSession(t.Context(), id))
				becomes(t, store, session("ada", id), "ended")
			}
			redistest.Wait(t, limit, "the reason", reason)
			wants(t, store, session("ada", others[4]), "unavailable")
			refusesEpoch(t, store.Check(t.Context(), session("ada", others[4])))
			do(t, store.RevokeSession(t.Context(), "s1")) // again
			do(t, store.Begin(t.Context()))
			becomes(t, store, session("ada", others[4]), "lives")
			wants(t, store, session("ada", "s1"), "ended")
		})
	}
}

// refusesEpoch requires that InsecureIgnoreOutage does not apply to an error.
func refusesEpoch(t *testing.T, err error) {
	t.Helper()
	var misconfigured *sso.ConfigError
	if !errors.As(err, &misconfigured) || !strings.Contains(err.Error(), "epoch") {
		t.Error(err)
	}
}

// Begin of another denylist on the same Redis does not hide that this one has lost its revocations.
func TestDenylist_EpochOfOthers(t *testing.T) {
	server := redistest.Start(t)
	leavesNothing(t, server)
	for name, other := range map[string]change{
		"another issuer":      func(c *config) { c.denylist.Issuer += "/" },
		"an issuer in front":  func(c *config) { c.denylist.Issuer = issuer + ":epoch" },
		"fewer rules":         rules(redisstore.BySession),
		"more rules":          rules(everyRule...),
		"other rules":         rules(redisstore.ByIssuedAt),
		"another MaxTokenAge": func(c *config) { c.denylist.MaxTokenAge *= 2 },
		"another Leeway":      leeway(2 * time.Minute),
	} {
		t.Run(name, func(t *testing.T) {
			server.Do("FLUSHALL")
			two := rules(redisstore.BySession, redisstore.ByTokenID)
			ours := begunDenylist(t, at(server.Address), two)
			wants(t, ours, session("ada", "s1"), "lives")
			do(t, ours.RevokeSession(t.Context(), "s1"))
			wants(t, ours, session("ada", "s1"), "ended")
			server.Do("FLUSHALL")
			theirs := begunDenylist(t, at(server.Address), two, other)
			for _, id := range []string{"s1", "s2"} {
				wants(t, ours, session("ada", id), "unavailable")
				wants(t, openDenylist(t, at(server.Address), two), session("ada", id), "unavailable") // a new process
			}
			refusesEpoch(t, ours.Check(t.Context(), session("ada", "s1")))
			s := session("ada", "s1")
			s.Issuer = map[string]string{"another issuer": issuer + "/", "an issuer in front": issuer + ":epoch"}[name]
			if s.Issuer == "" {
				s.Issuer = issuer
			}
			wants(t, theirs, s, "lives")
		})
	}
}

// The same options in another order, or repeated, are the same denylist.
func TestDenylist_EpochOfEquals(t *testing.T) {
	server := redistest.Start(t)
	leavesNothing(t, server)
	_ = begunDenylist(t, at(server.Address), rules(redisstore.BySession, redisstore.ByTokenID))
	equal := openDenylist(t, at(server.Address), rules(redisstore.ByTokenID, redisstore.BySession, redisstore.ByTokenID), leeway(time.Minute))
	wants(t, equal, session("ada", "s1"), "lives")
	do(t, equal.RevokeSession(t.Context(), "s1"))
	wants(t, equal, session("ada", "s1"), "ended")
}

// A revocation by a program with other options could be kept too short, or by a rule that the services do not have.
func TestDenylist_RevokeWithOtherOptions(t *testing.T) {
	server := redistest.Start(t)
	leavesNothing(t, server)
	services := begunDenylist(t, at(server.Address), rules(redisstore.BySession))
	for name, other := range map[string]change{
		"another rule": rules(redisstore.ByTokenID),
		"more rules":   rules(redisstore.BySession, redisstore.ByTokenID),
		"a shorter age": func(c *config) {
			c.denylist.Rules = []redisstore.Rule{redisstore.BySession}
			c.denylist.MaxTokenAge /= 2
		},
		"a smaller leeway": func(c *config) {
			c.denylist.Rules = []redisstore.Rule{redisstore.BySession}
			c.denylist.Leeway = time.Second
		},
	} {
		program := openDenylist(t, at(server.Address), other)
		err := program.RevokeToken(t.Context(), "j1", time.Time{})
		if errors.Is(err, errors.ErrUnsupported) {
			err = program.RevokeSession(t.Context(), "other")
		}
		var misconfigured *sso.ConfigError
		if !errors.As(err, &misconfigured) || outcome(err) == "unavailable" {
			t.Errorf("%s: %v", name, err)
		}
		do(t, program.Begin(t.Context())) // an operator accepts it
		if errors.Is(program.RevokeToken(t.Context(), "j1", time.Time{}), errors.ErrUnsupported) {
			do(t, program.RevokeSession(t.Context(), "other"))
		}
	}
	wants(t, services, session("ada", "s1"), "lives")
	// Before Begin, after a loss, revocations can be written again.
	server.Do("FLUSHALL")
	do(t, services.RevokeSession(t.Context(), "s1"))
	wants(t, services, session("ada", "s2"), "unavailable")
	do(t, services.Begin(t.Context()))
	wants(t, services, session("ada", "s1"), "ended")
	wants(t, services, session("ada", "s2"), "lives")
}

// Lookups that overtake each other see no rollback, with and without a cache.
func TestDenylist_NoFalseRollback(t *testing.T) {
	server := redistest.Start(t)
	leavesNothing(t, server)
	for name, change := range map[string]change{"uncached": unchanged, "cached": cached} {
		t.Run(name, func(t *testing.T) {
			server.Do("FLUSHALL")
			store := begunDenylist(t, at(server.Address), rules(redisstore.BySession), change)
			writer := openDenylist(t, at(server.Address), rules(redisstore.BySession))
			var done atomic.Bool
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() {
					for !done.Load() {
						if err := store.Check(t.Context(), session("ada", "s1")); err != nil && strings.Contains(err.Error(), "epoch") {
							t.Error(err)
							return
						}
					}
				})
			}
			for _, id := range beside("s1", 300) {
				do(t, writer.RevokeSession(t.Context(), id))
			}
			done.Store(true)
			wg.Wait()
		})
	}
}

func TestDenylist_InvalidEpoch(t *testing.T) {
	server := redistest.Start(t)
	leavesNothing(t, server)
	store := begunDenylist(t, at(server.Address), rules(redisstore.BySession))
	key := fmt.Sprintf("moresso:denied:{%d}:%d:%s:epoch", bucket("s1"), len(issuer), issuer)
	for field := range strings.SplitSeq(server.Do("HKEYS", key), "\n") {
		for _, value := range []string{"", "0", "-1", "soon", "1e9"} {
			server.Do("HSET", key, field, value)
			wants(t, store, session("ada", "s1"), "unavailable")
		}
	}
	server.Do("SET", key, "1")
	wants(t, store, session("ada", "s1"), "unavailable")
}
