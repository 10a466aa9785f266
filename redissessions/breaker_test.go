package redissessions

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/redissessions/redistest"
)

// gate is a way to a server on which what the server says can be delayed, or held back and let
// through by the byte.
type gate struct {
	address string
	mu      sync.Mutex
	changed *sync.Cond
	held    bool
	allowed int
	delay   time.Duration
}

func newGate(t *testing.T, server string) *gate {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{address: l.Addr().String()}
	g.changed = sync.NewCond(&g.mu)
	var wg sync.WaitGroup
	t.Cleanup(func() {
		_ = l.Close()
		g.hold(false)
		wg.Wait()
	})
	wg.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := new(net.Dialer).Dial("tcp", server)
			if err != nil {
				_ = near.Close()
				continue
			}
			wg.Go(func() { _, _ = io.Copy(far, near); _ = far.Close() })
			wg.Go(func() { _, _ = io.Copy(gated{near, g}, far); _ = near.Close() })
		}
	})
	return g
}

type gated struct {
	io.Writer
	g *gate
}

func (w gated) Write(b []byte) (n int, err error) {
	w.g.mu.Lock()
	delay := w.g.delay
	w.g.mu.Unlock()
	<-time.After(delay) // real time: the network that is played is one
	for n < len(b) && err == nil {
		w.g.mu.Lock()
		for w.g.held && w.g.allowed == 0 {
			w.g.changed.Wait()
		}
		more := len(b) - n
		if w.g.held {
			more = min(more, w.g.allowed)
			w.g.allowed -= more
		}
		w.g.mu.Unlock()
		more, err = w.Writer.Write(b[n : n+more])
		n += more
	}
	return n, err
}

func (g *gate) hold(held bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.held = held
	g.changed.Broadcast()
}

func (g *gate) let(bytes int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.allowed += bytes
	g.changed.Broadcast()
}

func (g *gate) delayBy(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.delay = d
}

// connected is a store that has asked once.
func connected(t *testing.T, o Options) *Store {
	t.Helper()
	o.Logger = slog.New(slog.DiscardHandler)
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func someSession(id string) sso.Session {
	now := time.Now().Truncate(time.Second)
	return sso.Session{
		Issuer: "https://i", Audience: "api", Subject: "u", User: "u", ID: id, TokenID: "jti-" + id,
		IssuedAt: now, ExpiresAt: now.Add(time.Hour),
	}
}

func TestALookupThatEndsAtItsLimitTellsTheBreaker(t *testing.T) {
	server := redistest.Start(t)
	server.Do("SET", "api:u", "s")
	g := newGate(t, server.Address)
	s := connected(t, Options{Addresses: []string{g.address}, Audience: "api"})
	b := &s.breakers[0]
	for i := range 60 {
		b.mu.Lock()
		b.failures, b.last, b.probing, b.err = breakAfter, monotonic().Add(-2*forgotten), false, errTooLate
		b.mu.Unlock()
		g.delayBy(lookupLimit - 1500*time.Microsecond + time.Duration(i%15)*100*time.Microsecond)
		_ = s.Check(t.Context(), someSession("s"))
		<-time.After(10 * time.Millisecond) // real time: the answer comes from a Redis
		b.mu.Lock()
		stuck := b.probing
		b.mu.Unlock()
		if stuck {
			t.Fatalf("try %d: nobody told", i)
		}
	}
}

func TestAProbeThatNeverTellsIsForgotten(t *testing.T) {
	b := new(breaker)
	for range breakAfter {
		b.failed(errors.New("away"))
	}
	now := monotonic().Add(2 * forgotten)
	if v, _ := b.judge(now); v != pass {
		t.Fatalf("the first that finds out: %v", v)
	}
	if v, _ := b.judge(now.Add(workLimit)); v != refuse {
		t.Errorf("while it does: %v", v)
	}
	if v, _ := b.judge(now.Add(workLimit + lookupLimit)); v != pass {
		t.Errorf("when it never told: %v", v)
	}
}

func TestANodeThatIsAwayIsNoReasonToRefuseWhatOthersHold(t *testing.T) {
	s, err := New(Options{
		Addresses: []string{"127.0.0.1:1"}, Cluster: true,
		Denylist: []Rule{BySession, ByIssuedAt}, Issuer: "https://i", MaxTokenAge: time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	seen := map[*breaker]bool{}
	for i := range 100 {
		queries, err := s.denials(someSession(fmt.Sprint("s", i)), nil)
		if err != nil {
			t.Fatal(err)
		}
		seen[s.breaker(queries)], seen[s.breaker(queries[2:])] = true, true
		if n := s.together(queries); n%2 != 0 || n == 0 {
			t.Errorf("%d of %d queries together: a revocation and its epoch are in one slot", n, len(queries))
		}
	}
	if len(seen) < 10 {
		t.Errorf("%d breakers for 100 sessions", len(seen))
	}
}
