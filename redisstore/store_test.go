package redisstore_test

import (
	"context"
	"crypto/tls"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/redisstore"
	"github.com/more-retail/moresso-go/redisstore/redistest"
)

// more-sso-auth writes redis.set(f"{audience}:{user_id}", session_id).
func TestSessions_KeysOfMoreSSOAuth(t *testing.T) {
	server := redistest.Start(t)
	for name, change := range map[string]change{"uncached": unchanged, "cached": cached} {
		t.Run(name, func(t *testing.T) {
			leavesNothing(t, server)
			server.Do("FLUSHALL")
			server.Do("SET", "api:u1", "s1")
			server.Do("SET", "api:u2", "")
			store := readySessions(t, at(server.Address), compatible, change)
			for range 2 {
				wants(t, store, session("u1", "s1"), "lives")
				wants(t, store, session("u1", "s"), "ended")
				wants(t, store, session("u1", "s12"), "ended")
				wants(t, store, session("u2", "s1"), "ended")
				wants(t, store, session("u3", "s1"), "ended")
				wants(t, store, session("u2", ""), "ended")
				wants(t, store, session("", "s1"), "ended")
			}
			server.Do("SET", "api:u1", "s2") // signed in elsewhere
			becomes(t, store, session("u1", "s1"), "ended")
			becomes(t, store, session("u1", "s2"), "lives")
			do(t, store.Login(t.Context(), "u1", "s3", time.Hour))
			if got := server.Do("GET", "api:u1"); got != "s3" {
				t.Errorf("more-sso-auth reads %q", got)
			}
		})
	}
}

func TestSessions_SignInReplaces(t *testing.T) {
	server := redistest.Start(t)
	leavesNothing(t, server)
	for _, change := range []change{unchanged, compatible, cached} {
		server.Do("FLUSHALL")
		store := readySessions(t, at(server.Address), change)
		do(t, store.Login(t.Context(), "u1", "s1", time.Hour))
		wants(t, store, session("u1", "s1"), "lives")
		do(t, store.Login(t.Context(), "u1", "s2", time.Hour))
		wants(t, store, session("u1", "s1"), "ended")
		wants(t, store, session("u1", "s2"), "lives")
		do(t, store.RevokeSession(t.Context(), "u1", "s1"))
		wants(t, store, session("u1", "s2"), "lives")
		do(t, store.RevokeSession(t.Context(), "u1", "s2"))
		wants(t, store, session("u1", "s2"), "ended")
		do(t, store.RevokeSession(t.Context(), "u1", "s2"))
		do(t, store.Revoke(t.Context(), "u1"))
		if keys := server.Do("KEYS", "*"); keys != "" {
			t.Errorf("left behind: %s", keys)
		}
	}
}

func TestSessions_Expire(t *testing.T) {
	server := redistest.Start(t)
	leavesNothing(t, server)
	for _, change := range []change{unchanged, several, cached} {
		server.Do("FLUSHALL")
		store := readySessions(t, at(server.Address), change)
		do(t, store.Login(t.Context(), "u1", "s1", time.Second))
		wants(t, store, session("u1", "s1"), "lives")
		begun := time.Now()
		becomes(t, store, session("u1", "s1"), "ended")
		if took := time.Since(begun); took > 2*time.Second {
			t.Errorf("the lookup took %v", took)
		}
		redistest.Wait(t, limit, "nothing is left", func() bool { return server.Do("KEYS", "*") == "" })
	}
}

func TestSessions_Several(t *testing.T) {
	server := redistest.Start(t)
	for name, change := range map[string]change{"uncached": several, "cached": func(c *config) { several(c); cached(c) }} {
		t.Run(name, func(t *testing.T) {
			leavesNothing(t, server)
			server.Do("FLUSHALL")
			store := readySessions(t, at(server.Address), change)
			for _, id := range []string{"s1", "s2", "s3"} {
				do(t, store.Login(t.Context(), "u1", id, time.Hour))
			}
			do(t, store.RevokeSession(t.Context(), "u1", "s2"))
			do(t, store.RevokeSession(t.Context(), "u1", "s9"))
			for range 2 {
				wants(t, store, session("u1", "s1"), "lives")
				wants(t, store, session("u1", "s2"), "ended")
				wants(t, store, session("u1", "s3"), "lives")
			}
			do(t, store.Revoke(t.Context(), "u1"))
			wants(t, store, session("u1", "s1"), "ended")
			wants(t, store, session("u1", "s3"), "ended")
			if keys := server.Do("KEYS", "*"); keys != "" {
				t.Errorf("left behind: %s", keys)
			}
		})
	}
}

func TestSessions_AtMostHundred(t *testing.T) {
	server := redistest.Start(t)
	leavesNothing(t, server)
	store := readySessions(t, at(server.Address), several)
	do(t, store.Login(t.Context(), "u1", "first", time.Minute))
	for i := range 100 {
		do(t, store.Login(t.Context(), "u1", "s"+strings.Repeat("x", i), time.Hour))
	}
	if n := server.Do("ZCARD", key("u1")); n != "100" {
		t.Errorf("%s sessions", n)
	}
	wants(t, store, session("u1", "first"), "ended")
	wants(t, store, session("u1", "s"), "lives")
}

func TestSessions_KeysDoNotCollide(t *testing.T) {
	server := redistest.Start(t)
	leavesNothing(t, server)
	a := readySessions(t, at(server.Address), audience("a"))
	ab := readySessions(t, at(server.Address), audience("a:b"))
	do(t, a.Login(t.Context(), "b:c", "s1", time.Hour))
	s := session("c", "s1")
	s.Audience = "a:b"
	wants(t, ab, s, "ended")
	braces := readySessions(t, at(server.Address), audience("a:{b}"))
	do(t, a.Login(t.Context(), "b}:{c", "s1", time.Hour))
	s.Audience = "a:{b}"
	wants(t, braces, s, "ended")
	do(t, a.Login(t.Context(), "}{\x00\n", "s1", time.Hour))
	s = session("}{\x00\n", "s1")
	s.Audience = "a"
	wants(t, a, s, "lives")
}

func TestSessions_OtherAudience(t *testing.T) {
	server := redistest.Start(t)
	leavesNothing(t, server)
	put(server, "u1", "s1")
	store := readySessions(t, at(server.Address))
	s := session("u1", "s1")
	s.Audience = "web"
	wants(t, store, s, "unavailable")
}

func TestSessions_WrongType(t *testing.T) {
	server := redistest.Start(t)
	leavesNothing(t, server)
	server.Do("SADD", key("u1"), "s1")
	put(server, "u2", "s2")
	for _, change := range []change{unchanged, cached} {
		store := readySessions(t, at(server.Address), change)
		for range 10 {
			wants(t, store, session("u1", "s1"), "unavailable")
		}
		wants(t, store, session("u2", "s2"), "lives") // the breaker has not opened
		if err := store.Check(t.Context(), session("u1", "s1")); !strings.Contains(err.Error(), "SeveralSessions differs") {
			t.Error(err)
		}
	}
}

// The lists are those of docs/SESSIONS.md.
var (
	checks = strings.Fields("on >secret ~moresso:* resetchannels -@all +hello +auth +ping +role +info +get +hmget +zscore +pttl +multi +exec +client|tracking +client|caching")
	writes = strings.Fields("+eval +set +del +exists +hget +hset +hexists +hincrby +zadd +zrem +zrange +zremrangebyscore +zremrangebyrank +pexpireat +time +wait")
)

func as(user, password string) change {
	return func(c *config) { c.Username, c.Password = user, password }
}

func TestConn_ACL(t *testing.T) {
	server := redistest.Start(t, "--requirepass", "root")
	leavesNothing(t, server)
	server.Do(append([]string{"ACL", "SETUSER", "orders"}, checks...)...)
	server.Do(append(append([]string{"ACL", "SETUSER", "login"}, checks...), writes...)...)
	put(server, "u1", "s1")
	for _, change := range []change{unchanged, cached, several} {
		login := readySessions(t, at(server.Address), as("login", "secret"), change)
		do(t, login.Login(t.Context(), "u2", "s2", time.Hour))
		store := readySessions(t, at(server.Address), as("orders", "secret"), change)
		wants(t, store, session("u2", "s2"), "lives")
		do(t, login.RevokeSession(t.Context(), "u2", "s2"))
		do(t, login.Revoke(t.Context(), "u2"))
		becomes(t, store, session("u2", "s2"), "ended")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := readySessions(t, at(server.Address), as("orders", "secret")).Revoke(ctx, "u1"); outcome(err) != "unavailable" || server.Do("GET", key("u1")) != "s1" {
		t.Errorf("the user that may only check revokes: %v", err)
	}
	for password, want := range map[string]string{"wrong": "Conn.Username", "": "Conn.Password"} {
		user := "orders"
		if password == "" {
			user = ""
		}
		store := openSessions(t, at(server.Address), as(user, password))
		err := store.Ready(t.Context())
		if outcome(store.Check(t.Context(), session("u1", "s1"))) != "unavailable" || err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Error(err)
		}
	}
}

func TestConn_ACLInCluster(t *testing.T) {
	c := redistest.StartCluster(t)
	leavesNothing(t, c.Nodes...)
	for _, node := range c.Nodes {
		node.Do(append(append(append([]string{"ACL", "SETUSER", "login"}, checks...), writes...), "+cluster|slots", "+cluster|shards", "+asking")...)
	}
	for _, change := range []change{unchanged, cached} {
		store := readySessions(t, at(c.Nodes[0].Address), as("login", "secret"), change, cluster)
		for i := range 20 {
			user := strconv.Itoa(i)
			do(t, store.Login(t.Context(), user, "s1", time.Hour))
			wants(t, store, session(user, "s1"), "lives")
			do(t, store.Revoke(t.Context(), user))
			wants(t, store, session(user, "s1"), "ended")
		}
	}
}

func TestConn_TLS(t *testing.T) {
	args, client := redistest.Certificates(t)
	server := redistest.Start(t, args...)
	leavesNothing(t, server)
	put(server, "u1", "s1")
	with := func(t *tls.Config) change { return func(c *config) { c.TLS = t } }
	for _, change := range []change{unchanged, cached} {
		wants(t, readySessions(t, at(server.Address), with(client), change), session("u1", "s1"), "lives")
	}
	_, otherAuthority := redistest.Certificates(t)
	wrongName := client.Clone()
	wrongName.ServerName = "redis.example.com"
	noClient := client.Clone()
	noClient.Certificates = nil
	for name, c := range map[string]*tls.Config{"another authority": otherAuthority, "another name": wrongName, "no client certificate": noClient, "no TLS": nil} {
		store := openSessions(t, at(server.Address), with(c))
		if err := store.Ready(t.Context()); err == nil {
			t.Errorf("%s: connected", name)
		}
		wants(t, store, session("u1", "s1"), "unavailable")
	}
}

func TestSessions_MissingClaims(t *testing.T) {
	store := openSessions(t, at("127.0.0.1:1")) // without Redis
	wants(t, store, session("", "s1"), "ended")
	wants(t, store, session("u1", ""), "ended")
	wants(t, store, session("u1", "s1"), "unavailable")
}

func TestStores_InvalidCalls(t *testing.T) {
	store := openSessions(t, at("127.0.0.1:1"))
	list := openDenylist(t, at("127.0.0.1:1"))
	ctx := t.Context()
	for name, err := range map[string]error{
		"Login without a user": store.Login(ctx, "", "s", time.Hour), "Login without a session": store.Login(ctx, "u", "", time.Hour),
		"Login without a time": store.Login(ctx, "u", "s", 0), "Login for too long": store.Login(ctx, "u", "s", 367*24*time.Hour),
		"Revoke": store.Revoke(ctx, ""), "RevokeSession without a session": store.RevokeSession(ctx, "u", ""), "RevokeSession without a user": store.RevokeSession(ctx, "", "s"),
		"RevokeToken": list.RevokeToken(ctx, "", time.Time{}), "RevokeIssuedBefore": list.RevokeIssuedBefore(ctx, "", time.Now()), "RevokeSubject": list.RevokeSubject(ctx, ""),
		"RevokeIssuedBefore the future": list.RevokeIssuedBefore(ctx, "u", time.Now().Add(time.Hour)), "RevokeSession of a denylist": list.RevokeSession(ctx, ""),
	} {
		method, _, _ := strings.Cut(name, " ")
		if err == nil || outcome(err) == "unavailable" || !strings.Contains(err.Error(), method) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for missing, call := range map[redisstore.Rule]func(*redisstore.Denylist) error{
		redisstore.ByTokenID:  func(d *redisstore.Denylist) error { return d.RevokeToken(ctx, "j", time.Time{}) },
		redisstore.BySession:  func(d *redisstore.Denylist) error { return d.RevokeSession(ctx, "s") },
		redisstore.ByIssuedAt: func(d *redisstore.Denylist) error { return d.RevokeSubject(ctx, "u") },
	} {
		others := slices.DeleteFunc(slices.Clone(everyRule), func(r redisstore.Rule) bool { return r == missing })
		if err := call(openDenylist(t, at("127.0.0.1:1"), rules(others...))); !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), string(missing)) {
			t.Errorf("without %s: %v", missing, err)
		}
	}
}

func TestStores_SessionPolicy(t *testing.T) {
	named := func(c *config) {
		c.sessions.UserClaim, c.sessions.SessionClaim, c.denylist.SessionClaim = "user_id", "session_id", "session_id"
		c.sessions.InsecureIgnoreOutage, c.denylist.InsecureIgnoreOutage = true, true
	}
	address := at("127.0.0.1:1")
	for name, test := range map[string]struct {
		store store
		want  sso.SessionPolicy
	}{
		"sessions":                    {openSessions(t, address), sso.SessionPolicy{UserClaim: "sub", SessionClaim: "sid", Audience: "api"}},
		"sessions with other claims":  {openSessions(t, address, named), sso.SessionPolicy{UserClaim: "user_id", SessionClaim: "session_id", Audience: "api", InsecureIgnoreOutage: true}},
		"a denylist":                  {openDenylist(t, address), sso.SessionPolicy{UserClaim: "sub", SessionClaim: "sid"}},
		"a denylist of token ids":     {openDenylist(t, address, rules(redisstore.ByTokenID)), sso.SessionPolicy{}},
		"a denylist of sessions":      {openDenylist(t, address, named, rules(redisstore.BySession)), sso.SessionPolicy{SessionClaim: "session_id", InsecureIgnoreOutage: true}},
		"a denylist by time of issue": {openDenylist(t, address, rules(redisstore.ByIssuedAt)), sso.SessionPolicy{UserClaim: "sub"}},
	} {
		if got := test.store.SessionPolicy(); got != test.want {
			t.Errorf("%s: %+v, want %+v", name, got, test.want)
		}
	}
}

func TestSessions_WaitReplicas(t *testing.T) {
	primary := redistest.Start(t)
	replica := redistest.Start(t, "--replicaof", "127.0.0.1 "+primary.Port)
	leavesNothing(t, primary)
	redistest.Wait(t, limit, "the replica follows", func() bool {
		return strings.Contains(primary.Do("INFO", "replication"), "state=online")
	})
	store := readySessions(t, at(primary.Address), waitReplicas(1))
	for range 20 {
		do(t, store.Login(t.Context(), "u1", "s1", time.Hour))
		if got := replica.Do("GET", key("u1")); got != "s1" {
			t.Fatalf("the replica has %q", got)
		}
		do(t, store.Revoke(t.Context(), "u1"))
		if got := replica.Do("GET", key("u1")); got != "" {
			t.Fatalf("the replica has %q", got)
		}
	}
	primary.Do("SADD", key("u2"), "s1") // what is not done is not confirmed
	if err := store.RevokeSession(t.Context(), "u2", "s1"); err == nil || !strings.Contains(err.Error(), "SeveralSessions differs") {
		t.Errorf("a key of another kind: %v", err)
	}
	replica.Hang()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	// A revocation that is done already must be confirmed too.
	for _, err := range []error{store.Revoke(ctx, "u1"), store.RevokeSession(ctx, "u1", "s1")} {
		if err == nil {
			t.Error("a replica that hangs has confirmed")
		}
	}
	replica.Resume()
	do(t, store.Revoke(t.Context(), "u1"))
}

func TestSessions_Closed(t *testing.T) {
	server := redistest.Start(t)
	leavesNothing(t, server)
	put(server, "u1", "s1")
	for _, change := range []change{unchanged, cached} {
		store := readySessions(t, at(server.Address), change)
		do(t, store.Close())
		do(t, store.Close())
		wants(t, store, session("u1", "s1"), "unavailable")
		if err := store.Revoke(t.Context(), "u1"); err == nil {
			t.Error("a closed store revokes")
		}
		if err := store.Ready(t.Context()); err == nil || outcome(err) == "unavailable" {
			t.Errorf("a closed store is ready, or will be: %v", err)
		}
	}
}
