package redisstore_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/redisstore/redistest"
)

func allowingEviction(c *config) { c.InsecureAllowEviction = true }

// refuses checks that an error names what an operator must change.
func refuses(t *testing.T, err error, text string) {
	t.Helper()
	var misconfigured *sso.ConfigError
	if outcome(err) != "unavailable" || !errors.As(err, &misconfigured) || !strings.Contains(err.Error(), text) {
		t.Errorf("%v, want %q", err, text)
	}
}

// Only noeviction keeps revocations. volatile policies drop them, and keep the epochs.
func TestConn_Eviction(t *testing.T) {
	server := redistest.Start(t)
	leavesNothing(t, server)
	for _, policy := range []string{
		"volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl", "allkeys-lru", "allkeys-lfu", "allkeys-random",
	} {
		server.Do("CONFIG", "SET", "maxmemory-policy", policy)
		server.Do("FLUSHALL")
		list := openDenylist(t, at(server.Address))
		refuses(t, list.Begin(t.Context()), policy)
		refuses(t, list.Ready(t.Context()), policy)
		if keys := server.Do("KEYS", "*"); keys != "" {
			t.Errorf("%s: %s was written", policy, keys)
		}
		allowed := begunDenylist(t, at(server.Address), allowingEviction)
		do(t, allowed.RevokeSession(t.Context(), "s1"))
		wants(t, allowed, session("ada", "s1"), "ended")
		wants(t, list, session("ada", "s2"), "unavailable") // without Ready
		refuses(t, openSessions(t, at(server.Address)).Ready(t.Context()), policy)
		readySessions(t, at(server.Address), allowingEviction)
	}
}

func TestConn_EvictionLater(t *testing.T) {
	server := redistest.Start(t)
	leavesNothing(t, server)
	list := begunDenylist(t, at(server.Address))
	server.Do("CONFIG", "SET", "maxmemory-policy", "volatile-ttl")
	refuses(t, list.Ready(t.Context()), "volatile-ttl")
	refuses(t, list.Begin(t.Context()), "InsecureAllowEviction")
	server.Do("CONFIG", "SET", "maxmemory-policy", "noeviction")
	do(t, list.Ready(t.Context()))
}

func TestConn_EvictionUnknown(t *testing.T) {
	server := redistest.Start(t)
	leavesNothing(t, server)
	for _, user := range []string{"checks", "writes"} {
		rules := append([]string{"ACL", "SETUSER", user}, checks...)
		if user == "writes" {
			rules = append(rules, writes...)
		}
		server.Do(append(rules, "-info")...)
		list := openDenylist(t, at(server.Address), as(user, "secret"))
		refuses(t, list.Ready(t.Context()), "maxmemory-policy is unknown")
		refuses(t, list.Begin(t.Context()), "NOPERM")
	}
	readySessions(t, at(server.Address), as("checks", "secret"), allowingEviction)
	begunDenylist(t, at(server.Address), as("writes", "secret"), allowingEviction)
}

func TestConn_EvictionInCluster(t *testing.T) {
	c := redistest.StartCluster(t)
	leavesNothing(t)
	store := readySessions(t, at(c.Nodes[0].Address), cluster)
	c.Nodes[1].Do("CONFIG", "SET", "maxmemory-policy", "volatile-lru")
	refuses(t, store.Ready(t.Context()), c.Nodes[1].Address)
	refuses(t, openDenylist(t, at(c.Nodes[0].Address), cluster).Begin(t.Context()), c.Nodes[1].Address)
	// The keys of a node that is down are unavailable. Those of the others are not.
	c.Nodes[1].Do("CONFIG", "SET", "maxmemory-policy", "noeviction")
	slot, err := strconv.Atoi(c.Nodes[0].Do("CLUSTER", "KEYSLOT", "moresso:probe"))
	do(t, err)
	c.Nodes[(slot*3/16384+1)%3].Kill()
	redistest.Wait(t, limit, "ready without one node", func() bool { return store.Ready(t.Context()) == nil })
}

func TestConn_AppendOnly(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		want int // warnings
	}{"no": {nil, 1}, "yes": {redistest.Durable(), 0}} {
		t.Run(name, func(t *testing.T) {
			server := redistest.Start(t, test.args...)
			leavesNothing(t, server)
			var log bytes.Buffer
			logging := func(c *config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) }
			store := begunDenylist(t, at(server.Address), logging)
			do(t, store.Ready(t.Context()))
			do(t, store.RevokeToken(t.Context(), "j1", time.Time{}))
			do(t, store.Close())
			if got := strings.Count(log.String(), "appendonly=no"); got != test.want {
				t.Errorf("%d warnings: %s", got, log.String())
			}
		})
	}
}
