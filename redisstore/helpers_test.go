package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/adaptertest"
	"github.com/more-retail/moresso-go/core/compat"
	"github.com/more-retail/moresso-go/core/logout"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/redisstore"
	"github.com/more-retail/moresso-go/redisstore/redistest"
)

const (
	issuer = "https://login.example.com"
	limit  = 20 * time.Second // a generous limit for busy machines
)

// config has the settings of a store that a test can change.
type config struct {
	redisstore.Conn
	sessions redisstore.SessionsOptions
	denylist redisstore.DenylistOptions
	now      func() time.Time
}

type change = func(*config)

// store is implemented by both stores.
type store interface {
	sso.SessionStore
	SessionPolicy() sso.SessionPolicy
	Revoker() logout.Revoker
	Ready(ctx context.Context) error
	Close() error
}

func configOf(changes []change) config {
	c := config{
		Conn:     redisstore.Conn{Logger: slog.New(slog.DiscardHandler)},
		sessions: redisstore.SessionsOptions{Audience: "api"},
		denylist: redisstore.DenylistOptions{Issuer: issuer, MaxTokenAge: time.Hour, Rules: everyRule},
	}
	for _, change := range changes {
		change(&c)
	}
	return c
}

var everyRule = []redisstore.Rule{redisstore.ByTokenID, redisstore.BySession, redisstore.ByIssuedAt}

// openSessions makes sessions that are closed with the test.
func openSessions(t testing.TB, changes ...change) *redisstore.Sessions {
	t.Helper()
	c := configOf(changes)
	s, err := redisstore.NewSessions(c.Conn, c.sessions)
	do(t, err)
	t.Cleanup(func() { _ = s.Close() })
	if c.now != nil {
		s.SetNow(c.now)
	}
	return s
}

// openDenylist makes a denylist that is closed with the test.
func openDenylist(t testing.TB, changes ...change) *redisstore.Denylist {
	t.Helper()
	c := configOf(changes)
	d, err := redisstore.NewDenylist(c.Conn, c.denylist)
	do(t, err)
	t.Cleanup(func() { _ = d.Close() })
	if c.now != nil {
		d.SetNow(c.now)
	}
	return d
}

// readySessions are connected.
func readySessions(t testing.TB, changes ...change) *redisstore.Sessions {
	t.Helper()
	s := openSessions(t, changes...)
	do(t, s.Ready(t.Context()))
	return s
}

// begunDenylist is connected, and has begun.
func begunDenylist(t testing.TB, changes ...change) *redisstore.Denylist {
	t.Helper()
	d := openDenylist(t, changes...)
	do(t, d.Ready(t.Context()))
	do(t, d.Begin(t.Context()))
	return d
}

func at(address ...string) change { return func(c *config) { c.Addresses = address } }

func cachedFor(ttl time.Duration) change {
	return func(c *config) { c.sessions.CacheTTL, c.denylist.CacheTTL = ttl, ttl }
}

func unchanged(*config) {}
func cached(c *config)  { cachedFor(2 * time.Second)(c) }
func several(c *config) { c.sessions.SeveralSessions = true }

// compatible has the keys of more-sso-auth, "audience:user".
func compatible(c *config) { c.sessions.Key = compat.RedisKey }

// key is the key of a user's session or sessions.
func key(user string) string { return fmt.Sprintf("moresso:session:3:api:{%d:%s}", len(user), user) }

// put writes a session.
func put(server *redistest.Server, user, id string) { server.Do("SET", key(user), id) }

func audience(a string) change      { return func(c *config) { c.sessions.Audience = a } }
func cluster(c *config)             { c.Cluster = true }
func leeway(d time.Duration) change { return func(c *config) { c.denylist.Leeway = d } }
func stopped(now time.Time) change {
	return func(c *config) { c.now = func() time.Time { return now } }
}
func waitReplicas(n int) change             { return func(c *config) { c.WaitReplicas = n } }
func rules(rules ...redisstore.Rule) change { return func(c *config) { c.denylist.Rules = rules } }

// session is one as a verified token names it.
func session(user, id string) sso.Session {
	now := time.Now().Truncate(time.Second)
	return sso.Session{
		Issuer: issuer, Audience: "api", Subject: user, User: user, ID: id, TokenID: "jti-" + id,
		IssuedAt: now, ExpiresAt: now.Add(time.Hour), GoodUntil: now.Add(time.Hour + time.Minute),
	}
}

// outcome returns a name for the answer of a store.
func outcome(err error) string {
	var away *sso.UnavailableError
	switch {
	case err == nil:
		return "lives"
	case errors.Is(err, sso.ErrSessionEnded):
		return "ended"
	case errors.As(err, &away) && away.RetryAfter >= time.Second:
		return "unavailable"
	}
	return "some other error"
}

func wants(t testing.TB, store sso.SessionStore, s sso.Session, want string) {
	t.Helper()
	if err := store.Check(t.Context(), s); outcome(err) != want {
		t.Errorf("%s of %s: %s, want %s: %v", s.ID, s.User, outcome(err), want, err)
	}
}

// becomes waits until a store answers with want.
func becomes(t testing.TB, store sso.SessionStore, s sso.Session, want string) {
	t.Helper()
	redistest.Wait(t, limit, s.ID+" "+want, func() bool { return outcome(store.Check(t.Context(), s)) == want })
}

func do(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// leavesNothing fails the test if it leaves a goroutine or a connection to the servers.
func leavesNothing(t *testing.T, servers ...*redistest.Server) {
	t.Helper()
	t.Cleanup(func() {
		for _, server := range servers {
			redistest.Wait(t, limit, "no connection is left", func() bool { return server.Clients() == 0 })
		}
	})
	adaptertest.CheckLeaks(t)
}

// network is a proxy of a server that can drop its answers, as a partition does.
type network struct {
	address string
	deaf    atomic.Bool
}

func newNetwork(t *testing.T, server string) *network {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	do(t, err)
	n := &network{address: l.Addr().String()}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for _, c := range open {
			_ = c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	wg.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := new(net.Dialer).DialContext(context.Background(), "tcp", server)
			if err != nil {
				_ = near.Close()
				continue
			}
			mu.Lock()
			open = append(open, near, far)
			mu.Unlock()
			wg.Go(func() { _, _ = io.Copy(far, near); _ = far.Close() })
			wg.Go(func() { _, _ = io.Copy(&hearing{Conn: near, n: n}, far); _ = near.Close() })
		}
	})
	return n
}

// hearing is a connection that can lose bytes. When the network is whole again, a connection that has
// lost bytes ends.
type hearing struct {
	net.Conn
	n    *network
	lost bool
}

func (h *hearing) Write(b []byte) (int, error) {
	switch {
	case h.n.deaf.Load():
		h.lost = true
		return len(b), nil
	case h.lost:
		return 0, net.ErrClosed
	}
	return h.Conn.Write(b)
}
