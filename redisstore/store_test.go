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

// The Python edition's login is redis.set(f"{audience}:{user_id}", session_id).
func TestASessionThatThePythonEditionWroteLives(t *testing.T) {
	server := redistest.Start(t)
	for name, change := range map[string]func(*redisstore.Options){"uncached": func(*redisstore.Options) {}, "cached": cached} {
		t.Run(name, func(t *testing.T) {
			leavesNothing(t, server)
			server.Do("FLUSHALL")
			server.Do("SET", "api:u1", "s1")
			server.Do("SET", "api:u2", "")
			store := ready(t, at(server.Address), change)
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
				t.Errorf("the Python edition reads %q", got)
			}
		})
	}
}

func TestTheSecondSignInEndsTheFirst(t *testing.T) {
	server := redistest.Start(t)
	leavesNothing(t, server)
	for _, change := range []func(*redisstore.Options){func(*redisstore.Options) {}, hardened, cached} {
		server.Do("FLUSHALL")
		store := ready(t, at(server.Address), change)
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

func TestASessionEndsByItself(t *testing.T) {
	server := redistest.Start(t)
	leavesNothing(t, server)
	for _, change := range []func(*redisstore.Options){hardened, several, cached} {
		server.Do("FLUSHALL")
		store := ready(t, at(server.Address), change)
		do(t, store.Login(t.Context(), "u1", "s1", time.Second))
		wants(t, store, session("u1", "s1"), "lives")
		begun := time.Now()
		becomes(t, store, session("u1", "s1"), "ended")
		if took := time.Since(begun); took > 2*time.Second {
			t.Errorf("it took %v", took)
		}
		redistest.Wait(t, limit, "nothing is left", func() bool { return server.Do("KEYS", "*") == "" })
	}
}

func TestSeveralSessionsLiveSideBySide(t *testing.T) {
	server := redistest.Start(t)
	for name, change := range map[string]func(*redisstore.Options){"uncached": several, "cached": func(o *redisstore.Options) { several(o); cached(o) }} {
		t.Run(name, func(t *testing.T) {
			leavesNothing(t, server)
			server.Do("FLUSHALL")
			store := ready(t, at(server.Address), change)
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

func TestAUserHasAHundredSessionsAtMost(t *testing.T) {
	server := redistest.Start(t)
	leavesNothing(t, server)
	store := ready(t, at(server.Address), several)
	do(t, store.Login(t.Context(), "u1", "first", time.Minute))
	for i := range 100 {
		do(t, store.Login(t.Context(), "u1", "s"+strings.Repeat("x", i), time.Hour))
	}
	if n := server.Do("ZCARD", "moresso:session:3:api:{2:u1}"); n != "100" {
		t.Errorf("%s sessions", n)
	}
	wants(t, store, session("u1", "first"), "ended")
	wants(t, store, session("u1", "s"), "lives")
}

func TestUsersOfTheHardenedLayoutCannotMeet(t *testing.T) {
	server := redistest.Start(t)
	leavesNothing(t, server)
	a := ready(t, at(server.Address), hardened, func(o *redisstore.Options) { o.Audience = "a" })
	ab := ready(t, at(server.Address), hardened, func(o *redisstore.Options) { o.Audience = "a:b" })
	do(t, a.Login(t.Context(), "b:c", "s1", time.Hour))
	s := session("c", "s1")
	s.Audience = "a:b"
	wants(t, ab, s, "ended")
	braces := ready(t, at(server.Address), hardened, func(o *redisstore.Options) { o.Audience = "a:{b}" })
	do(t, a.Login(t.Context(), "b}:{c", "s1", time.Hour))
	s.Audience = "a:{b}"
	wants(t, braces, s, "ended")
	do(t, a.Login(t.Context(), "}{\x00\n", "s1", time.Hour))
	s = session("}{\x00\n", "s1")
	s.Audience = "a"
	wants(t, a, s, "lives")
}

func TestAnotherAudienceThanTheStoresIsAFault(t *testing.T) {
	server := redistest.Start(t)
	leavesNothing(t, server)
	server.Do("SET", "web:u1", "s1")
	store := ready(t, at(server.Address))
	s := session("u1", "s1")
	s.Audience = "web"
	wants(t, store, s, "unavailable")
}

func TestAKeyOfAnotherKindIsAFaultOfItsOwn(t *testing.T) {
	server := redistest.Start(t)
	leavesNothing(t, server)
	server.Do("SADD", "api:u1", "s1")
	server.Do("SET", "api:u2", "s2")
	for _, change := range []func(*redisstore.Options){func(*redisstore.Options) {}, cached} {
		store := ready(t, at(server.Address), change)
		for range 10 {
			wants(t, store, session("u1", "s1"), "unavailable")
		}
		wants(t, store, session("u2", "s2"), "lives") // no breaker has opened
		if err := store.Check(t.Context(), session("u1", "s1")); !strings.Contains(err.Error(), "Options.Layout") {
			t.Error(err)
		}
	}
}

// The lists are those of docs/SESSIONS.md.
var (
	checks = strings.Fields("on >secret ~api:* ~moresso:* resetchannels -@all +hello +auth +ping +get +zscore +pttl +multi +exec +client|tracking +client|caching")
	writes = strings.Fields("+eval +set +del +zadd +zrem +zrange +zremrangebyscore +zremrangebyrank +pexpireat +time +wait")
)

func as(user, password string) func(*redisstore.Options) {
	return func(o *redisstore.Options) { o.Username, o.Password = user, password }
}

func TestAUserOfTheACLNeedsLittle(t *testing.T) {
	server := redistest.Start(t, redistest.WithPassword("root"))
	leavesNothing(t, server)
	server.Do(append([]string{"ACL", "SETUSER", "orders"}, checks...)...)
	server.Do(append(append([]string{"ACL", "SETUSER", "login"}, checks...), writes...)...)
	server.Do("SET", "api:u1", "s1")
	for _, change := range []func(*redisstore.Options){func(*redisstore.Options) {}, cached, several} {
		login := ready(t, at(server.Address), as("login", "secret"), change)
		do(t, login.Login(t.Context(), "u2", "s2", time.Hour))
		store := ready(t, at(server.Address), as("orders", "secret"), change)
		wants(t, store, session("u2", "s2"), "lives")
		do(t, login.RevokeSession(t.Context(), "u2", "s2"))
		do(t, login.Revoke(t.Context(), "u2"))
		becomes(t, store, session("u2", "s2"), "ended")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := ready(t, at(server.Address), as("orders", "secret")).Revoke(ctx, "u1"); outcome(err) != "unavailable" || server.Do("GET", "api:u1") != "s1" {
		t.Errorf("who may only check revokes: %v", err)
	}
	for password, want := range map[string]string{"wrong": "Options.Username", "": "Options.Password"} {
		user := "orders"
		if password == "" {
			user = ""
		}
		store := open(t, at(server.Address), as(user, password))
		err := store.Ready(t.Context())
		if outcome(store.Check(t.Context(), session("u1", "s1"))) != "unavailable" || err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Error(err)
		}
	}
}

func TestAUserOfTheACLNeedsALittleMoreInACluster(t *testing.T) {
	c := redistest.StartCluster(t)
	leavesNothing(t, c.Nodes...)
	for _, node := range c.Nodes {
		node.Do(append(append(append([]string{"ACL", "SETUSER", "login"}, checks...), writes...), "+cluster|slots", "+cluster|shards", "+asking")...)
	}
	for _, change := range []func(*redisstore.Options){hardened, cached} {
		store := ready(t, at(c.Nodes[0].Address), as("login", "secret"), change, func(o *redisstore.Options) { o.Cluster = true })
		for i := range 20 {
			user := strconv.Itoa(i)
			do(t, store.Login(t.Context(), user, "s1", time.Hour))
			wants(t, store, session(user, "s1"), "lives")
			do(t, store.Revoke(t.Context(), user))
			wants(t, store, session(user, "s1"), "ended")
		}
	}
}

func TestTLSIsVerified(t *testing.T) {
	certificates := redistest.NewCertificates(t)
	server := redistest.Start(t, redistest.WithTLS(certificates))
	leavesNothing(t, server)
	server.Do("SET", "api:u1", "s1")
	with := func(c *tls.Config) func(*redisstore.Options) {
		return func(o *redisstore.Options) { o.TLS = c }
	}
	for _, change := range []func(*redisstore.Options){func(*redisstore.Options) {}, cached} {
		wants(t, ready(t, at(server.Address), with(certificates.Client), change), session("u1", "s1"), "lives")
	}
	stranger := redistest.NewCertificates(t)
	wrongName := certificates.Client.Clone()
	wrongName.ServerName = "redis.example.com"
	noClient := certificates.Client.Clone()
	noClient.Certificates = nil
	for name, c := range map[string]*tls.Config{"another authority": stranger.Client, "another name": wrongName, "no client certificate": noClient, "no TLS": nil} {
		store := open(t, at(server.Address), with(c))
		if err := store.Ready(t.Context()); err == nil {
			t.Errorf("%s: connected", name)
		}
		wants(t, store, session("u1", "s1"), "unavailable")
	}
}

func TestATokenThatNamesNobodyIsRefusedWithoutAsking(t *testing.T) {
	store := open(t, at("127.0.0.1:1")) // where no Redis is
	wants(t, store, session("", "s1"), "ended")
	wants(t, store, session("u1", ""), "ended")
	wants(t, store, session("u1", "s1"), "unavailable")
}

func TestOutOfPlaceCallsAreRefused(t *testing.T) {
	store := open(t, at("127.0.0.1:1"))
	list := open(t, at("127.0.0.1:1"), denylist(redisstore.ByIssuedAt))
	tokens := open(t, at("127.0.0.1:1"), denylist(redisstore.ByTokenID))
	ctx := t.Context()
	for name, err := range map[string]error{
		"RevokeToken": store.RevokeToken(ctx, "j", time.Time{}), "RevokeIssuedBefore": store.RevokeIssuedBefore(ctx, "u", time.Now()), "RevokeAllSoFar": store.RevokeAllSoFar(ctx, "u"), "Begin": store.Begin(ctx),
		"Login in a denylist": list.Login(ctx, "u", "s", time.Hour), "Revoke in a denylist": list.Revoke(ctx, "u"), "a rule that is not there": list.RevokeSession(ctx, "", "s"),
	} {
		if !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
		if call, _, _ := strings.Cut(name, " "); name == call && !strings.Contains(err.Error(), call) {
			t.Errorf("%s is told about another call: %v", name, err)
		}
	}
	for name, err := range map[string]error{
		"no user": store.Login(ctx, "", "s", time.Hour), "no session": store.Login(ctx, "u", "", time.Hour), "no time": store.Login(ctx, "u", "s", 0), "too long": store.Login(ctx, "u", "s", 367*24*time.Hour),
		"nobody's": store.Revoke(ctx, ""), "no session's": store.RevokeSession(ctx, "u", ""), "no user's": store.RevokeSession(ctx, "", "s"),
		"no token": tokens.RevokeToken(ctx, "", time.Time{}), "no subject": list.RevokeIssuedBefore(ctx, "", time.Now()), "nobody signs out": list.RevokeAllSoFar(ctx, ""), "the future": list.RevokeIssuedBefore(ctx, "u", time.Now().Add(time.Hour)),
	} {
		if err == nil || outcome(err) == "unavailable" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestASignOutWaitsForReplicas(t *testing.T) {
	primary := redistest.Start(t)
	replica := redistest.Start(t, redistest.WithArgs("--replicaof", "127.0.0.1 "+primary.Port))
	leavesNothing(t, primary)
	redistest.Wait(t, limit, "the replica follows", func() bool {
		return strings.Contains(primary.Do("INFO", "replication"), "state=online")
	})
	store := ready(t, at(primary.Address), func(o *redisstore.Options) { o.WaitReplicas = 1 })
	for range 20 {
		do(t, store.Login(t.Context(), "u1", "s1", time.Hour))
		if got := replica.Do("GET", "api:u1"); got != "s1" {
			t.Fatalf("the replica has %q", got)
		}
		do(t, store.Revoke(t.Context(), "u1"))
		if got := replica.Do("GET", "api:u1"); got != "" {
			t.Fatalf("the replica has %q", got)
		}
	}
	primary.Do("SADD", "api:u2", "s1") // what is not done has not to be confirmed
	if err := store.RevokeSession(t.Context(), "u2", "s1"); err == nil || !strings.Contains(err.Error(), "Options.Layout") {
		t.Errorf("a key of another kind: %v", err)
	}
	replica.Hang()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	// What is done already has to be confirmed all the same.
	for _, err := range []error{store.Revoke(ctx, "u1"), store.RevokeSession(ctx, "u1", "s1")} {
		if err == nil {
			t.Error("a replica that hangs has confirmed")
		}
	}
	replica.Resume()
	do(t, store.Revoke(t.Context(), "u1"))
}

func TestAClosedStoreIsUnavailable(t *testing.T) {
	server := redistest.Start(t)
	leavesNothing(t, server)
	server.Do("SET", "api:u1", "s1")
	for _, change := range []func(*redisstore.Options){func(*redisstore.Options) {}, cached} {
		store := ready(t, at(server.Address), change)
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

func TestAllFaultsOfTheOptionsComeAtOnce(t *testing.T) {
	_, err := redisstore.New(redisstore.Options{
		Addresses: []string{"redis://u:secret@h:1", "redis.internal:6379"}, TLS: &tls.Config{InsecureSkipVerify: true}, Username: "u",
		Layout: "other", Prefix: "a{b", SeveralSessions: true, Leeway: time.Second, WaitReplicas: 11, InsecureReadFromReplicas: true,
		MaxStale: time.Second, SentinelPassword: "x",
	})
	var faults *sso.ConfigError
	if !errors.As(err, &faults) {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Options.Addresses holds a text of", "Options.Addresses holds 2 addresses", "Options.TLS holds InsecureSkipVerify", "Options.Password is not set", "Options.Layout holds \"other\"", "Options.Prefix holds",
		"Options.SeveralSessions is set", "Options.Audience holds \"\"", "Options.Denylist is not set", "Options.WaitReplicas holds 11", "Options.InsecureReadFromReplicas is set", "Options.Cache is not set", "Options.SentinelPassword is given",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "secret") {
		t.Error(err)
	}
}

func TestEachFaultOfTheOptionsIsNamed(t *testing.T) {
	good := redisstore.Options{Addresses: []string{"localhost:6379"}, Audience: "api"}
	list := redisstore.Options{Addresses: []string{"[::1]:6379"}, Denylist: []redisstore.Rule{redisstore.ByTokenID}, Issuer: issuer, MaxTokenAge: time.Hour}
	for _, test := range []struct {
		base   redisstore.Options
		change func(*redisstore.Options)
		want   string // empty: none
	}{
		{good, func(*redisstore.Options) {}, ""},
		{list, func(*redisstore.Options) {}, ""},
		{good, func(o *redisstore.Options) { o.Addresses = nil }, "Addresses"},
		{good, func(o *redisstore.Options) {
			o.Addresses, o.Cluster = slices.Repeat([]string{"localhost:1"}, 17), true
		}, "Addresses"},
		{good, func(o *redisstore.Options) { o.Addresses = []string{"localhost"} }, "Addresses"},
		{good, func(o *redisstore.Options) { o.Addresses = []string{"localhost:0"} }, "Addresses"},
		{good, func(o *redisstore.Options) { o.Addresses = []string{"localhost:65536"} }, "Addresses"},
		{good, func(o *redisstore.Options) { o.Addresses = []string{"10.0.0.1:6379"} }, "TLS"},
		{good, func(o *redisstore.Options) { o.Addresses, o.TLS = []string{"10.0.0.1:6379"}, &tls.Config{} }, ""},
		{good, func(o *redisstore.Options) {
			o.Addresses, o.InsecureAllowPlaintext = []string{"10.0.0.1:6379"}, true
		}, ""},
		{good, func(o *redisstore.Options) { o.TLS = &tls.Config{MinVersion: tls.VersionTLS11} }, "TLS"},
		{good, func(o *redisstore.Options) { o.TLS = &tls.Config{MaxVersion: tls.VersionTLS11} }, "TLS"},
		{good, func(o *redisstore.Options) { o.Sentinel, o.Cluster = "m", true }, "Sentinel"},
		{good, func(o *redisstore.Options) { o.Audience = " api" }, "Audience"},
		{good, func(o *redisstore.Options) { o.Audience = "moresso" }, "Audience"}, // its users' keys could be a logout's
		{good, func(o *redisstore.Options) { o.Audience = "moresso:logout" }, "Audience"},
		{good, func(o *redisstore.Options) { o.Audience = "moresso-api" }, ""},
		{good, func(o *redisstore.Options) { o.Audience, o.Layout = "moresso", redisstore.LayoutHardened }, ""},
		{good, func(o *redisstore.Options) { o.Prefix = "p" }, "Prefix"},
		{good, func(o *redisstore.Options) { o.Issuer = issuer }, ""}, // for logouts
		{good, func(o *redisstore.Options) { o.MaxTokenAge = time.Hour }, "Denylist"},
		{good, func(o *redisstore.Options) { o.WaitReplicas = -1 }, "WaitReplicas"},
		{good, func(o *redisstore.Options) { o.Cache, o.MaxStale = true, 99*time.Millisecond }, "MaxStale"},
		{good, func(o *redisstore.Options) { o.Cache, o.MaxStale = true, 31*time.Second }, "MaxStale"},
		{good, func(o *redisstore.Options) { o.Cache, o.CacheEntries = true, -1 }, "CacheEntries"},
		{list, func(o *redisstore.Options) { o.Denylist = []redisstore.Rule{"jti"} }, "Denylist"},
		{list, func(o *redisstore.Options) { o.Audience = "api" }, "Denylist"},
		{list, func(o *redisstore.Options) { o.Denylist = append(o.Denylist, redisstore.ByTokenID) }, "Denylist"},
		{list, func(o *redisstore.Options) { o.Issuer = "" }, "Issuer"},
		{list, func(o *redisstore.Options) { o.MaxTokenAge = 0 }, "MaxTokenAge"},
		{list, func(o *redisstore.Options) { o.MaxTokenAge = 367 * 24 * time.Hour }, "MaxTokenAge"},
		{list, func(o *redisstore.Options) { o.Leeway = 6 * time.Minute }, "Leeway"},
		{list, func(o *redisstore.Options) { o.Leeway = -1 }, "Leeway"},
		{list, func(o *redisstore.Options) { o.MaxTokenAge = -1 }, "MaxTokenAge"},
		{list, func(o *redisstore.Options) { o.Layout = redisstore.LayoutHardened }, "Denylist"},
		{list, func(o *redisstore.Options) { o.SeveralSessions, o.Layout = true, redisstore.LayoutHardened }, "Denylist"},
		{good, func(o *redisstore.Options) { o.Leeway = time.Second }, "Denylist"},
		{good, func(o *redisstore.Options) { o.Addresses = []string{":6379"} }, "Addresses"},
		{good, func(o *redisstore.Options) { o.Addresses = []string{"u@localhost:6379"} }, "Addresses"},
		{good, func(o *redisstore.Options) { o.Addresses = slices.Repeat(o.Addresses, 2) }, "Addresses"},
		{good, func(o *redisstore.Options) { o.SentinelUsername = "u" }, "SentinelPassword"},
		{good, func(o *redisstore.Options) { o.SentinelPassword = "p" }, "SentinelPassword"},
		{good, func(o *redisstore.Options) { o.Username = "u" }, "Password"},
		{good, func(o *redisstore.Options) { o.SeveralSessions = true }, "SeveralSessions"},
		{good, func(o *redisstore.Options) { o.MaxStale = time.Second }, "Cache"},
		{good, func(o *redisstore.Options) { o.CacheEntries = 1 }, "Cache"},
		{good, func(o *redisstore.Options) { o.Cache, o.CacheEntries = true, 10_000_001 }, "CacheEntries"},
		{good, func(o *redisstore.Options) { o.InsecureReadFromReplicas = true }, "InsecureReadFromReplicas"},

		// What is just allowed.
		{list, func(o *redisstore.Options) { o.MaxTokenAge, o.Leeway = 366*24*time.Hour, 5*time.Minute }, ""},
		{good, func(o *redisstore.Options) { o.WaitReplicas = 10 }, ""},
		{good, func(o *redisstore.Options) {
			o.Addresses, o.Cluster = slices.Repeat([]string{"localhost:1"}, 16), true
		}, ""},
		{good, func(o *redisstore.Options) { o.Addresses = []string{"localhost:65535"} }, ""},
		{good, func(o *redisstore.Options) { o.Cache, o.MaxStale, o.CacheEntries = true, 100*time.Millisecond, 1 }, ""},
		{good, func(o *redisstore.Options) { o.Cache, o.MaxStale, o.CacheEntries = true, 30*time.Second, 10_000_000 }, ""},
		{good, func(o *redisstore.Options) { o.TLS = &tls.Config{MinVersion: tls.VersionTLS12} }, ""},
		{good, func(o *redisstore.Options) { o.TLS = &tls.Config{MaxVersion: tls.VersionTLS12} }, ""},
		{good, func(o *redisstore.Options) { o.Username, o.Password = "u", "p" }, ""},
		{good, func(o *redisstore.Options) { o.Sentinel, o.SentinelUsername, o.SentinelPassword = "m", "u", "p" }, ""},
		{good, func(o *redisstore.Options) { o.Cluster, o.InsecureReadFromReplicas = true, true }, ""},
		{good, func(o *redisstore.Options) { o.Sentinel, o.InsecureReadFromReplicas = "m", true }, ""},
	} {
		o := test.base
		test.change(&o)
		store, err := redisstore.New(o)
		var faults *sso.ConfigError
		switch {
		case test.want == "" && err != nil:
			t.Error(err)
		case test.want == "":
			do(t, store.Close())
		case !errors.As(err, &faults) || len(faults.Faults) != 1 || faults.Faults[0].Setting != "redisstore.Options."+test.want || faults.Faults[0].Remedy == "":
			t.Errorf("%s: %v", test.want, err)
		}
	}
}
