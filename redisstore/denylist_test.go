package redisstore_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/redisstore"
	"github.com/more-retail/moresso-go/redisstore/redistest"
)

func TestDenylist_Revoke(t *testing.T) {
	server := redistest.Start(t)
	for name, change := range map[string]change{"uncached": unchanged, "cached": cached} {
		t.Run(name, func(t *testing.T) {
			leavesNothing(t, server)
			server.Do("FLUSHALL")
			store := begunDenylist(t, at(server.Address), change)
			ada := session("ada", "s1")
			for range 2 {
				wants(t, store, ada, "lives")
			}
			do(t, store.RevokeToken(t.Context(), ada.TokenID, ada.ExpiresAt))
			wants(t, store, ada, "ended")
			ada.TokenID = "another"
			wants(t, store, ada, "lives")
			do(t, store.RevokeSession(t.Context(), "s1"))
			wants(t, store, ada, "ended")
			ada.ID = "s2"
			wants(t, store, ada, "lives")
			do(t, store.RevokeIssuedBefore(t.Context(), "ada", ada.IssuedAt))
			wants(t, store, ada, "ended")
			do(t, store.RevokeIssuedBefore(t.Context(), "ada", ada.IssuedAt.Add(-time.Minute)))
			wants(t, store, ada, "ended") // an earlier moment changes nothing
			ada.IssuedAt = ada.IssuedAt.Add(time.Second)
			wants(t, store, ada, "lives")
			wants(t, store, session("bob", "s3"), "lives")
		})
	}
}

func TestDenylist_MissingClaims(t *testing.T) {
	server := redistest.Start(t)
	leavesNothing(t, server)
	store := begunDenylist(t, at(server.Address))
	for name, change := range map[string]func(*sso.Session){
		"no jti": func(s *sso.Session) { s.TokenID = "" }, "no session": func(s *sso.Session) { s.ID = "" }, "no subject": func(s *sso.Session) { s.Subject = "" },
		"no iat": func(s *sso.Session) { s.IssuedAt = time.Time{} }, "too long": func(s *sso.Session) { s.ExpiresAt = s.ExpiresAt.Add(time.Second) },
		"another issuer": func(s *sso.Session) { s.Issuer += "/" },
	} {
		s := session("ada", "s1")
		change(&s)
		if err := store.Check(t.Context(), s); outcome(err) != "ended" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDenylist_LostData(t *testing.T) {
	server := redistest.Start(t)
	for name, change := range map[string]change{"uncached": unchanged, "cached": cached} {
		t.Run(name, func(t *testing.T) {
			leavesNothing(t, server)
			server.Do("FLUSHALL")
			store := openDenylist(t, at(server.Address), rules(redisstore.ByTokenID), change)
			do(t, store.Ready(t.Context()))
			ada := session("ada", "s1")
			wants(t, store, ada, "unavailable") // not begun
			do(t, store.Begin(t.Context()))
			becomes(t, store, ada, "lives")
			do(t, store.RevokeToken(t.Context(), ada.TokenID, time.Time{}))
			wants(t, store, ada, "ended")
			server.Kill()
			server.Restart() // without its data
			becomes(t, store, ada, "unavailable")
			if err := store.Check(t.Context(), ada); !strings.Contains(err.Error(), "epoch") {
				redistest.Wait(t, limit, "the reason", func() bool { return strings.Contains(store.Check(t.Context(), ada).Error(), "epoch") })
			}
		})
	}
}

func TestDenylist_Retention(t *testing.T) {
	server := redistest.Start(t)
	leavesNothing(t, server)
	store := begunDenylist(t, at(server.Address), leeway(2*time.Minute))
	now := time.Now()
	do(t, store.RevokeToken(t.Context(), "a", now.Add(10*time.Minute)))
	do(t, store.RevokeToken(t.Context(), "b", time.Time{}))
	do(t, store.RevokeToken(t.Context(), "c", now.Add(100*time.Hour))) // no such token would pass
	do(t, store.RevokeToken(t.Context(), "d", now.Add(-time.Hour)))    // it has expired, or a clock is wrong
	do(t, store.RevokeSession(t.Context(), "s"))
	do(t, store.RevokeIssuedBefore(t.Context(), "ada", now.Add(-30*time.Minute)))
	do(t, store.RevokeIssuedBefore(t.Context(), "bob", now.Add(-2*time.Hour)))
	got := map[string]time.Duration{}
	for key := range strings.FieldsSeq(server.Do("KEYS", "*")) {
		if strings.HasSuffix(key, "epoch") {
			continue
		}
		parts := strings.Split(key, ":")
		ms, err := strconv.Atoi(server.Do("PTTL", key))
		do(t, err)
		got[parts[len(parts)-1]] = time.Duration(ms) * time.Millisecond
		if !strings.Contains(key, issuer) {
			t.Errorf("the key %s lacks the issuer", key)
		}
	}
	for value, want := range map[string]time.Duration{
		"a": 13 * time.Minute, "b": 65 * time.Minute, "c": 65 * time.Minute, "s": 65 * time.Minute, "ada": 33 * time.Minute,
		"d": 65 * time.Minute, "bob": 65 * time.Minute,
	} {
		if diff := got[value] - want; diff > time.Second || diff < -limit {
			t.Errorf("%s is kept for %v, want %v", value, got[value], want)
		}
	}
}

func TestDenylist_InvalidTime(t *testing.T) {
	server := redistest.Start(t)
	leavesNothing(t, server)
	store := begunDenylist(t, at(server.Address))
	do(t, store.RevokeIssuedBefore(t.Context(), "ada", time.Now().Add(-time.Minute)))
	key := server.Do("KEYS", "*:issued_at:*:ada")
	for _, text := range []string{"", "soon", "1.5", "99999999999999999999"} {
		server.Do("SET", key, text)
		if err := store.Check(t.Context(), session("ada", "s1")); outcome(err) != "unavailable" || !strings.Contains(err.Error(), key) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// The keys of one token are in several slots, and so on several nodes.
func TestDenylist_Cluster(t *testing.T) {
	c := redistest.StartCluster(t)
	leavesNothing(t, c.Nodes[0], c.Nodes[2]) // the other is killed below
	store := begunDenylist(t, at(c.Nodes[0].Address), cluster)
	revoke := map[string]func(sso.Session) error{
		"the token":   func(s sso.Session) error { return store.RevokeToken(t.Context(), s.TokenID, s.ExpiresAt) },
		"the session": func(s sso.Session) error { return store.RevokeSession(t.Context(), s.ID) },
		"the user":    func(s sso.Session) error { return store.RevokeIssuedBefore(t.Context(), s.Subject, s.IssuedAt) },
	}
	for what, revoke := range revoke {
		for i := range 10 {
			s := session(what+strconv.Itoa(i), what+strconv.Itoa(i))
			wants(t, store, s, "lives")
			do(t, revoke(s))
			wants(t, store, s, "ended")
		}
	}
	c.Nodes[1].Kill()
	counts := map[string]int{}
	for i := range 60 {
		counts[outcome(store.Check(t.Context(), session("new"+strconv.Itoa(i), "new"+strconv.Itoa(i))))]++
	}
	// Most tokens have one of their three slots on the stopped node.
	if counts["unavailable"] <= 30 || counts["lives"] == 0 || counts["lives"]+counts["unavailable"] != 60 {
		t.Errorf("with one of three nodes stopped: %v", counts)
	}
}

// The records that a node has lost are unavailable. The other nodes still answer.
func TestDenylist_ClusterLostData(t *testing.T) {
	c := redistest.StartCluster(t)
	leavesNothing(t, c.Nodes...)
	for name, change := range map[string]change{"uncached": unchanged, "cached": cached} {
		t.Run(name, func(t *testing.T) {
			for _, node := range c.Nodes {
				node.Do("FLUSHALL")
			}
			store := begunDenylist(t, at(c.Nodes[0].Address), rules(redisstore.ByTokenID), cluster, change)
			const many = 60
			for i := range many {
				id := strconv.Itoa(i)
				wants(t, store, session("ada", id), "lives")
				do(t, store.RevokeToken(t.Context(), "jti-"+id, time.Time{}))
				wants(t, store, session("ada", id), "ended")
			}
			c.Nodes[1].Kill()
			c.Nodes[1].Restart()
			redistest.Wait(t, limit, "every answer is from Redis", func() bool {
				counts := map[string]int{}
				for i := range many {
					err := store.Check(t.Context(), session("ada", strconv.Itoa(i)))
					counts[outcome(err)]++
					if outcome(err) == "lives" {
						t.Fatalf("%d was accepted", i)
					}
					if outcome(err) == "unavailable" && strings.Contains(err.Error(), "epoch") {
						counts["lost"]++
					}
				}
				return counts["ended"] > many/3 && counts["lost"] > many/10 && counts["ended"]+counts["lost"] == many
			})
		})
	}
}
