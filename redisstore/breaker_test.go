package redisstore

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/redisstore/redistest"
)

// gate is a proxy that can delay or hold the answers of a server.
type gate struct {
	address string
	mu      sync.Mutex
	changed *sync.Cond
	held    bool
	delay   time.Duration
	made    []net.Conn // by the store
}

// cut closes the connections that a store has left.
func (g *gate) cut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, conn := range g.made {
		_ = conn.Close()
	}
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
		g.cut()
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
			g.mu.Lock()
			g.made = append(g.made, near)
			g.mu.Unlock()
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
	<-time.After(delay) // real time: the network is real
	w.g.mu.Lock()
	for w.g.held {
		w.g.changed.Wait()
	}
	w.g.mu.Unlock()
	return w.Writer.Write(b)
}

func (g *gate) hold(held bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.held = held
	g.changed.Broadcast()
}

func (g *gate) delayBy(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.delay = d
}

// open makes a store that is closed with the test.
func open(t *testing.T, address string, cacheTTL time.Duration) *Sessions {
	t.Helper()
	s, err := NewSessions(Conn{Addresses: []string{address}, Logger: slog.New(slog.DiscardHandler)}, SessionsOptions{Audience: "api", CacheTTL: cacheTTL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// connected makes a store that is connected.
func connected(t *testing.T, address string, cacheTTL time.Duration) *Sessions {
	t.Helper()
	s := open(t, address, cacheTTL)
	if err := s.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

const userKey = "moresso:session:3:api:{1:u}"

func someSession(id string) sso.Session {
	now := time.Now().Truncate(time.Second)
	return sso.Session{
		Issuer: "https://i", Audience: "api", Subject: "u", User: "u", ID: id, TokenID: "jti-" + id,
		IssuedAt: now, ExpiresAt: now.Add(time.Hour),
	}
}

func TestBreaker_LookupAtItsLimitReports(t *testing.T) {
	server := redistest.Start(t)
	server.Do("SET", userKey, "s")
	g := newGate(t, server.Address)
	s := connected(t, g.address, 0)
	b := &s.breakers[0]
	for i := range 60 {
		b.mu.Lock()
		b.failures, b.last, b.probing, b.err = breakAfter, monotonic().Add(-2*staleFailure), false, errTooLate
		b.mu.Unlock()
		g.delayBy(lookupLimit - 1500*time.Microsecond + time.Duration(i%15)*100*time.Microsecond)
		_ = s.Check(t.Context(), someSession("s"))
		<-time.After(10 * time.Millisecond) // real time: the answer comes from a Redis
		b.mu.Lock()
		stuck := b.probing
		b.mu.Unlock()
		if stuck {
			t.Fatalf("try %d: no report", i)
		}
	}
}

// broken makes a breaker with failures.
func broken(failures int) *breaker {
	b := new(breaker)
	for range failures {
		b.failed(errors.New("away"))
	}
	return b
}

func TestBreaker_OpensAfterThree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := new(breaker)
		for n, wantAway := range []bool{false, false, true, false, false} {
			want := pass
			if n >= 3 {
				want = refuse
			}
			if v, _ := b.allow(monotonic()); v != want {
				t.Errorf("after %d failures: verdict %v, want %v", n, v, want)
			}
			if away := b.failed(errors.New("away")); away != wantAway {
				t.Errorf("failure %d opens the breaker: %v", n+1, away)
			}
		}
	})
}

func TestBreaker_Success(t *testing.T) {
	for name, test := range map[string]struct {
		failures int
		back     bool
	}{
		"none":  {0, false},
		"two":   {2, false},
		"three": {3, true},
		"seven": {7, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := broken(test.failures)
				if back := b.succeeded(monotonic()); back != test.back {
					t.Errorf("succeeded reports %v", back)
				}
				b.failed(errors.New("away"))
				b.failed(errors.New("away"))
				if v, _ := b.allow(monotonic()); v != pass {
					t.Errorf("two failures after the success: %v", v)
				}
			})
		})
	}
}

func TestBreaker_LateSuccess(t *testing.T) {
	for name, test := range map[string]struct {
		failures int
		probing  bool
		want     verdict
	}{
		"a lookup from before the outage":          {3, false, refuse},
		"a lookup from before its last failures":   {2, false, refuse}, // with the one that follows
		"a probe that began before later failures": {3, true, pass},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := new(breaker)
				begun := monotonic()
				time.Sleep(time.Millisecond)
				for range test.failures {
					b.failed(errors.New("away"))
				}
				if test.probing {
					time.Sleep(probeEvery)
					_, _ = b.allow(monotonic()) // the probe
				}
				if back := b.succeeded(begun); back != test.probing {
					t.Errorf("succeeded reports %v", back)
				}
				if test.failures < breakAfter {
					b.failed(errors.New("away"))
				}
				if v, _ := b.allow(monotonic()); v != test.want {
					t.Errorf("verdict %v, want %v", v, test.want)
				}
			})
		})
	}
}

func TestBreaker_OneProbe(t *testing.T) {
	for name, test := range map[string]struct {
		after time.Duration
		want  verdict
	}{
		"at once":                          {0, refuse},
		"just before a probe is due":       {probeEvery - 1, refuse},
		"when a probe is due":              {probeEvery, refuseAndProbe},
		"just before the failure is stale": {staleFailure - 1, refuseAndProbe},
		"when the failure is stale":        {staleFailure, pass},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := broken(breakAfter)
				time.Sleep(test.after)
				v, err := b.allow(monotonic())
				if v != test.want || (err == nil) != (test.want == pass) {
					t.Errorf("verdict %v (%v), want %v", v, err, test.want)
				}
				if v == refuse {
					return
				}
				if next, _ := b.allow(monotonic()); next != refuse {
					t.Errorf("the next lookup during the probe: %v", next)
				}
				b.failed(errors.New("still unavailable"))
				time.Sleep(probeEvery)
				if next, _ := b.allow(monotonic()); next != refuseAndProbe {
					t.Errorf("after the failed probe: %v", next)
				}
			})
		})
	}
}

func TestBreaker_LostProbe(t *testing.T) {
	b := broken(breakAfter)
	now := monotonic().Add(2 * staleFailure)
	if v, _ := b.allow(now); v != pass {
		t.Fatalf("the probe: %v", v)
	}
	if v, _ := b.allow(now.Add(workLimit)); v != refuse {
		t.Errorf("during the probe: %v", v)
	}
	if v, _ := b.allow(now.Add(workLimit + lookupLimit)); v != pass {
		t.Errorf("after a probe without a report: %v", v)
	}
}

func TestBreaker_PerSlotsInCluster(t *testing.T) {
	s, err := NewDenylist(Conn{Addresses: []string{"127.0.0.1:1"}, Cluster: true}, DenylistOptions{
		Rules: []Rule{BySession, ByIssuedAt}, Issuer: "https://i", MaxTokenAge: time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	seen := map[*breaker]bool{}
	for i := range 100 {
		queries, err := s.queries(someSession(fmt.Sprint("s", i)))
		if err != nil {
			t.Fatal(err)
		}
		for pair := range slices.Chunk(queries, 2) {
			seen[s.breaker(pair)] = true
			if s.breaker(pair) != s.breaker(pair[1:]) {
				t.Errorf("%v: a revocation and its epoch are in one slot", pair)
			}
		}
	}
	if len(seen) < 10 {
		t.Errorf("%d breakers for 100 sessions", len(seen))
	}
}
