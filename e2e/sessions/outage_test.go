package sessions

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/redisstore"
	"github.com/more-retail/moresso-go/redisstore/redistest"
)

const (
	users     = 30 // who stay signed in
	clients   = 2  // of each instance
	signEvery = 25 * time.Millisecond
)

// soak returns how long the load on one Redis lasts: SOAK, or 12 s, so that the tests of this package end
// within two minutes.
func soak(t *testing.T) time.Duration {
	t.Helper()
	length, err := time.ParseDuration(os.Getenv("SOAK"))
	if err != nil {
		return 12 * time.Second
	}
	return max(length, 12*time.Second)
}

// signedOut is a user whose revocation has succeeded.
type signedOut struct {
	token string
	at    time.Time
}

// load is the requests that the instances get.
type load struct {
	*fleet
	tokens []string // of users who stay

	mu  sync.Mutex
	out []signedOut

	served, refused, unknown atomic.Int64 // of users who stay: 200, 503; of users who left: 401
	breaches, wrong          atomic.Int64
	first                    atomic.Pointer[string]
	stop                     context.CancelFunc
	work                     sync.WaitGroup
}

// newLoad signs users in and starts clients. They alternate between users who stay and users who have
// signed out.
func newLoad(f *fleet) *load {
	f.t.Helper()
	ctx, stop := context.WithCancel(f.t.Context())
	l := &load{fleet: f, stop: stop}
	for i := range users {
		user := fmt.Sprint("stays", i)
		must(f.t, f.writer.Login(ctx, user, "s1", lifetime))
		l.tokens = append(l.tokens, f.token(user, "s1"))
	}
	for n, in := range f.instances {
		for range clients {
			l.work.Go(func() {
				for i := 0; ctx.Err() == nil; i++ {
					if i%2 == 0 {
						l.stays(ctx, in)
					} else {
						l.left(ctx, in, n > 0)
					}
				}
			})
		}
	}
	l.work.Go(func() { l.signOut(ctx) })
	return l
}

// stays sends a request of a user who is signed in. The answer is 200, or 503 during an outage.
func (l *load) stays(ctx context.Context, in instance) {
	switch status := l.get(ctx, in, l.tokens[rand.N(len(l.tokens))]); status {
	case http.StatusOK:
		l.served.Add(1)
	case http.StatusServiceUnavailable:
		l.refused.Add(1)
	default:
		l.fault(&l.wrong, "%s answered %d to a user who is signed in", in.name, status)
	}
}

// left sends a request of a user who has signed out, half of the time one of the last. The answer is
// never 200, except from a cache within its TTL.
func (l *load) left(ctx context.Context, in instance, cached bool) {
	l.mu.Lock()
	n := len(l.out)
	if n == 0 {
		l.mu.Unlock()
		return
	}
	i := rand.N(n)
	if rand.N(2) == 0 {
		i = n - 1 - rand.N(min(n, 10))
	}
	one := l.out[i]
	l.mu.Unlock()
	ago := time.Since(one.at)
	switch status := l.get(ctx, in, one.token); {
	case status == http.StatusUnauthorized:
		l.unknown.Add(1)
	case status == http.StatusServiceUnavailable:
	case status == http.StatusOK && cached && ago <= cacheTTL:
	default:
		l.fault(&l.breaches, "%s answered %d to a user who signed out %v ago", in.name, status, ago)
	}
}

func (l *load) fault(count *atomic.Int64, format string, args ...any) {
	count.Add(1)
	text := fmt.Sprintf(format, args...)
	l.first.CompareAndSwap(nil, &text)
}

// signOut signs users in and out. Users whose revocation failed are not counted.
func (l *load) signOut(ctx context.Context) {
	pause := time.NewTicker(signEvery)
	defer pause.Stop()
	for i := 0; ctx.Err() == nil; i++ {
		<-pause.C
		user := fmt.Sprint("leaves", i)
		short, cancel := context.WithTimeout(ctx, time.Second)
		token := l.token(user, "s1")
		if l.writer.Login(short, user, "s1", lifetime) == nil {
			for _, in := range l.instances {
				l.get(ctx, in, token) // so that they are in the caches
			}
			if l.writer.Revoke(short, user) == nil {
				l.mu.Lock()
				l.out = append(l.out, signedOut{token, time.Now()})
				l.mu.Unlock()
			}
		}
		cancel()
	}
}

// sleep continues the load for a while.
func (l *load) sleep(d time.Duration) { <-time.After(d) }

// back waits until all instances serve all users who are signed in, and prints how long that took.
func (l *load) back(what string) {
	l.t.Helper()
	begun := time.Now()
	for _, token := range l.tokens {
		l.all(token, http.StatusOK)
	}
	say("%s: all users served again after %v", what, time.Since(begun).Round(time.Millisecond))
}

// end stops the load and checks the counts.
func (l *load) end(what string) {
	l.t.Helper()
	l.stop()
	l.work.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	say("%s: %d served, %d refused with 503, %d users signed out and refused %d times; %d revoked but accepted, %d wrong answers",
		what, l.served.Load(), l.refused.Load(), len(l.out), l.unknown.Load(), l.breaches.Load(), l.wrong.Load())
	if first := l.first.Load(); first != nil {
		l.t.Errorf("%d revoked but accepted, %d wrong answers, the first: %s", l.breaches.Load(), l.wrong.Load(), *first)
	}
	if l.served.Load() < 300 || len(l.out) < 20 || l.unknown.Load() < 100 {
		l.t.Error("too little load")
	}
}

func TestOutage_KilledAndHung(t *testing.T) {
	server := redistest.Start(t, append(redistest.Durable(), "--requirepass", "secret")...)
	l := newLoad(newFleet(t, redisstore.Conn{Addresses: []string{server.Address}, Password: "secret"}, server))
	over := time.After(soak(t))
	for again := true; again; {
		l.sleep(time.Second)
		server.Kill()
		l.sleep(time.Second)
		server.Restart()
		l.back("killed and restarted")
		l.sleep(time.Second)
		server.Hang()
		l.sleep(cacheTTL + time.Second)
		server.Resume()
		l.back("hung and resumed")
		select {
		case <-over:
			again = false
		default:
		}
	}
	l.end("one Redis")
	if l.refused.Load() == 0 {
		t.Error("no outage was noticed")
	}
}

func TestOutage_SentinelFailover(t *testing.T) {
	s := startSentinels(t, append(redistest.Durable(), "--requirepass", "secret")...)
	l := newLoad(newFleet(t, redisstore.Conn{
		Addresses: s.addresses, Sentinel: masterName, Password: "secret", WaitReplicas: 1,
	}, s.primary, s.replica))
	l.sleep(2 * time.Second)
	s.primary.Kill()
	redistest.Wait(t, settle, "the replica is the primary", func() bool { return s.current() == s.replica.Address })
	l.back("failed over by Sentinel")
	l.sleep(time.Second)
	s.primary.Restart() // as a replica, which confirms again
	redistest.Wait(t, settle, "sign-outs are confirmed again", func() bool {
		return l.writer.Revoke(t.Context(), "nobody") == nil
	})
	l.sleep(time.Second)
	l.end("Sentinel")
}

func TestOutage_ClusterNodeAndSlots(t *testing.T) {
	c := redistest.StartCluster(t, redistest.Durable()...)
	l := newLoad(newFleet(t, redisstore.Conn{
		Addresses: []string{c.Nodes[0].Address, c.Nodes[1].Address}, Cluster: true,
	}, c.Nodes...))
	l.sleep(time.Second)
	for i := range 3 { // of users who stay
		from, slot := owner(c, audience+fmt.Sprint(":stays", i))
		moveSlot(c, slot, from, (from+1)%3)
	}
	l.back("slots moved")
	l.sleep(time.Second)
	c.Nodes[2].Kill()
	l.sleep(3 * time.Second)
	c.Nodes[2].Restart()
	l.back("a node of the Cluster killed and restarted")
	l.sleep(time.Second)
	l.end("Cluster")
}
