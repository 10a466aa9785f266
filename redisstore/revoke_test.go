package redisstore_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/logout"
	"github.com/more-retail/moresso-go/redisstore"
	"github.com/more-retail/moresso-go/redisstore/redistest"
)

// The services that share a store can have different values of MaxTokenAge.
func TestDenylist_RetentionOfRepeats(t *testing.T) {
	server := redistest.Start(t)
	leavesNothing(t, server)
	long := begunDenylist(t, at(server.Address), func(c *config) { c.denylist.MaxTokenAge = 2 * time.Hour })
	short := begunDenylist(t, at(server.Address), func(c *config) { c.denylist.MaxTokenAge = 10 * time.Minute })
	// A revocation is kept for the leeway and a minute longer.
	const atLeast = 2*time.Hour + 90*time.Second
	stays := func(pattern string) {
		t.Helper()
		if left := kept(t, server, pattern); left < atLeast {
			t.Errorf("%s is kept for %v", pattern, left)
		}
	}
	for _, store := range []*redisstore.Denylist{long, short} {
		do(t, store.RevokeSession(t.Context(), "s1"))
		stays("*:session:*:s1")
		do(t, store.RevokeIssuedBefore(t.Context(), "ada", time.Now()))
		stays("*:issued_at:*:ada")
		do(t, store.RevokeToken(t.Context(), "j1", time.Time{}))
		stays("*:token_id:*:j1")
	}
	do(t, short.Revoker().RevokeSubject(t.Context(), logout.Revocation{Issuer: issuer, Subject: "bob", IssuedBefore: time.Now(), Until: time.Now().Add(atLeast + time.Minute)}))
	stays("*:issued_at:*:bob")
	// A revocation that an operator wrote without an expiry keeps none.
	key := server.Do("KEYS", "*:token_id:*:j1")
	server.Do("PERSIST", key)
	do(t, short.RevokeToken(t.Context(), "j1", time.Time{}))
	if left := server.Do("PTTL", key); left != "-1" {
		t.Errorf("kept for %s ms", left)
	}
}

// kept returns for how long Redis keeps the key that matches.
func kept(t *testing.T, server *redistest.Server, pattern string) time.Duration {
	t.Helper()
	left, err := time.ParseDuration(server.Do("PTTL", server.Do("KEYS", pattern)) + "ms")
	do(t, err)
	return left
}

// The provider's clock can be ahead by the leeway, which can be more than a minute.
func TestDenylist_LogoutWithClockAhead(t *testing.T) {
	server := redistest.Start(t)
	leavesNothing(t, server)
	store := begunDenylist(t, at(server.Address), leeway(5*time.Minute))
	provider := time.Now().Add(5 * time.Minute).Truncate(time.Second)
	issued, later := session("ada", "s1"), session("ada", "s2")
	issued.IssuedAt = provider
	later.IssuedAt = provider.Add(2 * time.Second)
	do(t, store.Revoker().RevokeSubject(t.Context(), logout.Revocation{Issuer: issuer, Subject: "ada", IssuedBefore: provider.Add(time.Second), Until: provider.Add(time.Hour)}))
	wants(t, store, issued, "ended")
	wants(t, store, later, "lives")
}

func TestDenylist_RevokeSubject(t *testing.T) {
	server := redistest.Start(t)
	leavesNothing(t, server)
	for _, ahead := range []time.Duration{0, time.Second, 5 * time.Minute} {
		server.Do("FLUSHALL")
		store := begunDenylist(t, at(server.Address), leeway(ahead))
		if ahead == 0 {
			ahead = time.Minute
		}
		now := time.Now().Truncate(time.Second)
		issued, later := session("ada", "s1"), session("ada", "s2")
		issued.GoodUntil, later.GoodUntil = issued.ExpiresAt, later.ExpiresAt
		issued.IssuedAt = now.Add(ahead)
		later.IssuedAt = now.Add(ahead + 5*time.Second)
		do(t, store.RevokeSubject(t.Context(), "ada"))
		wants(t, store, issued, "ended")
		wants(t, store, later, "lives")
		if err := store.RevokeIssuedBefore(t.Context(), "ada", time.Now().Add(max(ahead, time.Minute)+5*time.Second)); err == nil {
			t.Error("a moment that keeps the subject from signing in was accepted")
		}
	}
}

// A token that is dated ahead by the leeway expires as much later, and is accepted for the leeway after that.
func TestDenylist_RetentionWithClockAhead(t *testing.T) {
	server := redistest.Start(t)
	leavesNothing(t, server)
	store := begunDenylist(t, at(server.Address), leeway(5*time.Minute))
	do(t, store.RevokeSession(t.Context(), "s1"))
	do(t, store.Revoker().RevokeSession(t.Context(), logout.Revocation{Issuer: issuer, SessionID: "s2"}))
	for _, pattern := range []string{"*:session:*:s1", "*:session:*:s2"} {
		if left := kept(t, server, pattern); left < time.Hour+2*5*time.Minute {
			t.Errorf("%s is kept for %v", pattern, left)
		}
	}
}

func TestSessions_CloseDuringWrite(t *testing.T) {
	server := redistest.Start(t)
	leavesNothing(t, server)
	store := readySessions(t, at(server.Address), waitReplicas(1)) // the server has no replica
	signedIn := make(chan error, 1)
	go func() { signedIn <- store.Login(context.Background(), "ada", "s1", time.Hour) }()
	redistest.Wait(t, limit, "the write is in progress", func() bool { return server.Do("EXISTS", key("ada")) == "1" })
	begun := time.Now()
	do(t, store.Close())
	if took := time.Since(begun); took > 2*time.Second {
		t.Errorf("Close took %v", took)
	}
	if err := <-signedIn; err == nil {
		t.Error("the write has succeeded")
	}
}

func TestSessions_NotReplicated(t *testing.T) {
	server := redistest.Start(t)
	leavesNothing(t, server)
	store := readySessions(t, at(server.Address), waitReplicas(1))
	for name, limit := range map[string]time.Duration{"the caller's": 1300 * time.Millisecond, "its own": time.Minute} { // the first ends during an attempt
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		if err := store.Login(ctx, "ada", "s1", time.Hour); !errors.Is(err, redisstore.ErrNotReplicated) {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
	}
}

func TestSessions_NewestOfTooMany(t *testing.T) {
	server := redistest.Start(t)
	leavesNothing(t, server)
	store := readySessions(t, at(server.Address), several)
	for i := range 100 {
		do(t, store.Login(t.Context(), "ada", "s"+strconv.Itoa(i), 8*time.Hour+time.Duration(i)*time.Minute))
	}
	do(t, store.Login(t.Context(), "ada", "s50", 8*time.Hour)) // it counts once
	wants(t, store, session("ada", "s0"), "lives")
	do(t, store.Login(t.Context(), "ada", "new", time.Hour)) // it ends before all others
	wants(t, store, session("ada", "new"), "lives")
	wants(t, store, session("ada", "s0"), "ended")
	wants(t, store, session("ada", "s1"), "lives")
}

func TestConn_Replica(t *testing.T) {
	primary := redistest.Start(t)
	replica := redistest.Start(t, "--replicaof", "127.0.0.1 "+primary.Port)
	leavesNothing(t, replica)
	put(primary, "ada", "s1")
	redistest.Wait(t, limit, "the replica follows", func() bool { return replica.Do("GET", key("ada")) == "s1" })
	for name, change := range map[string]change{"uncached": unchanged, "cached": cached} {
		t.Run(name, func(t *testing.T) {
			store := openSessions(t, at(replica.Address), change)
			if err := store.Ready(t.Context()); err == nil || !strings.Contains(err.Error(), "this is a replica") {
				t.Error(err)
			}
			wants(t, store, session("ada", "s1"), "unavailable")
			replica.Do("REPLICAOF", "NO", "ONE")
			becomes(t, store, session("ada", "s1"), "lives")
			replica.Do("REPLICAOF", "127.0.0.1", primary.Port)
			redistest.Wait(t, limit, "the replica follows again", func() bool { return replica.Do("GET", key("ada")) == "s1" })
		})
	}
}

func TestStores_WriteLimits(t *testing.T) {
	server := redistest.Start(t)
	leavesNothing(t, server)
	now := time.Now().Truncate(time.Millisecond)
	store := readySessions(t, at(server.Address), stopped(now))
	for user, ttl := range map[string]time.Duration{"short": time.Second, "long": 366 * 24 * time.Hour} {
		do(t, store.Login(t.Context(), user, "s1", ttl))
	}
	for _, ttl := range []time.Duration{time.Second - 1, 366*24*time.Hour + 1} {
		if err := store.Login(t.Context(), "ada", "s1", ttl); err == nil {
			t.Errorf("a session of %v was accepted", ttl)
		}
	}
	list := begunDenylist(t, at(server.Address), stopped(now), leeway(2*time.Minute))
	ahead := 2*time.Minute + time.Second // the leeway, and the second to which tokens are dated
	do(t, list.RevokeIssuedBefore(t.Context(), "ada", now.Add(ahead)))
	if err := list.RevokeIssuedBefore(t.Context(), "ada", now.Add(ahead+1)); err == nil {
		t.Error("a moment that is too far ahead was written")
	}
}

func TestSessions_SeveralExpire(t *testing.T) {
	server := redistest.Start(t)
	leavesNothing(t, server)
	now := time.Now()
	store := readySessions(t, at(server.Address), several, stopped(now))
	for id, ends := range map[string]int64{"over": now.UnixMilli(), "not over": now.UnixMilli() + 1} {
		server.Do("ZADD", key("ada"), strconv.FormatInt(ends, 10), id)
	}
	wants(t, store, session("ada", "over"), "ended")
	wants(t, store, session("ada", "not over"), "lives")
}

func TestRevoker_WritesNothing(t *testing.T) {
	server := redistest.Start(t)
	leavesNothing(t, server)
	now := time.Now()
	revoker := openDenylist(t, at(server.Address), stopped(now)).Revoker()
	for name, what := range map[string]logout.Revocation{"without a subject": {Issuer: issuer}, "of another issuer": {Issuer: issuer + "/", Subject: "ada"}} {
		if err := revoker.RevokeSubject(t.Context(), what); err == nil {
			t.Errorf("%s: it was accepted", name)
		}
	}
	if wrote := calls(server, "eval"); wrote != 0 {
		t.Errorf("%d scripts were run", wrote)
	}
	do(t, revoker.RecordLogout(t.Context(), issuer, "l1", now)) // the clock may be wrong
	do(t, revoker.RecordLogout(t.Context(), issuer, "l2", now.Add(time.Minute)))
	for id, want := range map[string]bool{"l1": true, "l2": true, "l3": false} {
		if known, err := revoker.LogoutRecorded(t.Context(), issuer, id); known != want || err != nil {
			t.Errorf("%s: %v, %v", id, known, err)
		}
	}
	for iss, want := range map[string]bool{issuer: true, issuer + "/": false, "": false} {
		if revoker.RevokesFor(iss) != want {
			t.Errorf("RevokesFor(%q) is %v", iss, !want)
		}
	}
}

func TestSessions_WriteError(t *testing.T) {
	server := redistest.Start(t)
	leavesNothing(t, server)
	store := readySessions(t, at(server.Address))
	server.Do("SADD", key("ada"), "s1")
	begun := time.Now()
	if err := store.RevokeSession(t.Context(), "ada", "s1"); err == nil || outcome(err) == "unavailable" || !strings.Contains(err.Error(), "SeveralSessions differs") || time.Since(begun) > time.Second {
		t.Errorf("a key of another kind, after %v: %v", time.Since(begun), err)
	}
	server.Do("CONFIG", "SET", "maxmemory", "1")
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := store.Login(ctx, "bob", "s1", time.Hour); outcome(err) != "unavailable" || !strings.Contains(err.Error(), "OOM") {
		t.Errorf("a Redis without room: %v", err)
	}
}

func TestStores_WriteWithoutRedis(t *testing.T) {
	store := openSessions(t, at("127.0.0.1:1"))
	list := openDenylist(t, at("127.0.0.1:1"))
	for name, write := range map[string]func(context.Context) error{
		"Login":       func(ctx context.Context) error { return store.Login(ctx, "ada", "s1", time.Hour) },
		"Revoke":      func(ctx context.Context) error { return store.Revoke(ctx, "ada") },
		"RevokeToken": func(ctx context.Context) error { return list.RevokeToken(ctx, "j1", time.Time{}) },
		"Begin":       list.Begin,
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		if err := write(ctx); outcome(err) != "unavailable" || !strings.Contains(err.Error(), "connecting") {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
	}
}

func TestStores_NoNeedlessCommands(t *testing.T) {
	server := redistest.Start(t)
	leavesNothing(t, server)
	store := readySessions(t, at(server.Address))
	do(t, store.Login(t.Context(), "ada", "s1", time.Hour))
	if n := calls(server, "wait"); n != 0 {
		t.Errorf("%d times WAIT", n)
	}
}
