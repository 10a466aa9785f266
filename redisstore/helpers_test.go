package redisstore_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/adaptertest"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/redisstore"
	"github.com/more-retail/moresso-go/redisstore/redistest"
)

const (
	issuer = "https://login.example.com"
	limit  = 20 * time.Second // for what takes its time, on a machine with other work
)

// open makes a store that is closed with the test, which must leave no goroutine.
func open(t testing.TB, change ...func(*redisstore.Options)) *redisstore.Store {
	t.Helper()
	o := redisstore.Options{Audience: "api", Logger: slog.New(slog.DiscardHandler)}
	for _, c := range change {
		c(&o)
	}
	store, err := redisstore.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

// ready is open, and connected.
func ready(t testing.TB, change ...func(*redisstore.Options)) *redisstore.Store {
	t.Helper()
	store := open(t, change...)
	if err := store.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	return store
}

func at(address ...string) func(*redisstore.Options) {
	return func(o *redisstore.Options) { o.Addresses = address }
}

func cached(o *redisstore.Options)   { o.Cache = true }
func hardened(o *redisstore.Options) { o.Layout = redisstore.LayoutHardened }
func several(o *redisstore.Options)  { hardened(o); o.SeveralSessions = true }

func denylist(rules ...redisstore.Rule) func(*redisstore.Options) {
	return func(o *redisstore.Options) {
		o.Audience, o.Denylist, o.Issuer, o.MaxTokenAge = "", rules, issuer, time.Hour
	}
}

// session is one as a verified token names it.
func session(user, id string) sso.Session {
	now := time.Now().Truncate(time.Second)
	return sso.Session{
		Issuer: issuer, Audience: "api", Subject: user, User: user, ID: id, TokenID: "jti-" + id,
		IssuedAt: now, ExpiresAt: now.Add(time.Hour), GoodUntil: now.Add(time.Hour + sso.DefaultLeeway),
	}
}

// outcome says in a word what a store answered.
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

func wants(t testing.TB, store *redisstore.Store, s sso.Session, want string) {
	t.Helper()
	if err := store.Check(t.Context(), s); outcome(err) != want {
		t.Errorf("%s of %s: %s, want %s: %v", s.ID, s.User, outcome(err), want, err)
	}
}

// becomes waits until a store answers so.
func becomes(t testing.TB, store *redisstore.Store, s sso.Session, want string) {
	t.Helper()
	redistest.Wait(t, limit, s.ID+" "+want, func() bool { return outcome(store.Check(t.Context(), s)) == want })
}

func do(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// leavesNothing sees to it that the test leaves no goroutine, and no connection to the server.
func leavesNothing(t *testing.T, servers ...*redistest.Server) {
	t.Helper()
	t.Cleanup(func() {
		for _, server := range servers {
			redistest.Wait(t, limit, "no connection is left", func() bool { return server.Clients() == 0 })
		}
	})
	adaptertest.CheckLeaks(t)
}

// network is a way to a server that can swallow what the server says, as a partition does.
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

// hearing is a connection of which bytes may be lost. No connection goes on behind such a hole: a
// network that is whole again delivers what was lost, or the connection ends, as it does here.
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
