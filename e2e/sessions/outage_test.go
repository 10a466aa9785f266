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
	people    = 30 // who stay signed in
	perDoor   = 2  // clients
	signEvery = 25 * time.Millisecond
)

// soak is how long the load on one Redis lasts, which is killed and hung meanwhile: SOAK, or
// little, so that all tests here end within two minutes.
func soak(t *testing.T) time.Duration {
	t.Helper()
	length, err := time.ParseDuration(os.Getenv("SOAK"))
	if err != nil {
		return 12 * time.Second
	}
	return max(length, 12*time.Second)
}

// signedOut is somebody whose revocation has returned success.
type signedOut struct {
	token string
	at    time.Time
}

// load is what three instances go through.
type load struct {
	*fleet
	tokens []string // of those who stay

	mu  sync.Mutex
	out []signedOut

	served, refused, unknown atomic.Int64 // of those who stay: 200, 503; of those who left: 401
	breaches, wrong          atomic.Int64
	first                    atomic.Pointer[string]
	stop                     context.CancelFunc
	work                     sync.WaitGroup
}

// newLoad signs people in and sets clients to work. Some ask for those who stay, some for those
// who have signed out, of whom there are ever more.
func newLoad(f *fleet) *load {
	f.t.Helper()
	ctx, stop := context.WithCancel(f.t.Context())
	l := &load{fleet: f, stop: stop}
	for i := range people {
		user := fmt.Sprint("stays", i)
		must(f.t, f.writer.Login(ctx, user, "s1", lifetime))
		l.tokens = append(l.tokens, f.token(user, "s1"))
	}
	for n, in := range f.instances {
		for range perDoor {
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

// stays asks for somebody who is signed in: served, or 503 while nobody can tell.
func (l *load) stays(ctx context.Context, in instance) {
	switch status := l.get(ctx, in, l.tokens[rand.N(len(l.tokens))]); status {
	case http.StatusOK:
		l.served.Add(1)
	case http.StatusServiceUnavailable:
		l.refused.Add(1)
	default:
		l.fault(&l.wrong, "%s answered %d to somebody who is signed in", in.name, status)
	}
}

// left asks for somebody who has signed out, half of the time one of the last: never served, but
// for a cache within its cap.
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
	case status == http.StatusOK && cached && ago <= redisstore.DefaultMaxStale:
	default:
		l.fault(&l.breaches, "%s answered %d to somebody who had signed out %v ago", in.name, status, ago)
	}
}

func (l *load) fault(count *atomic.Int64, format string, args ...any) {
	count.Add(1)
	text := fmt.Sprintf(format, args...)
	l.first.CompareAndSwap(nil, &text)
}

// signOut has people come and go. Who could not be signed out for certain is left out.
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
				l.get(ctx, in, token) // so that caches know them
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

// sleep lets the load go on for a while.
func (l *load) sleep(d time.Duration) { <-time.After(d) }

// back waits until everybody who is signed in is served by all, and prints how long that took.
func (l *load) back(what string) {
	l.t.Helper()
	begun := time.Now()
	for _, token := range l.tokens {
		l.all(token, http.StatusOK)
	}
	say("%s: everybody served again after %v", what, time.Since(begun).Round(time.Millisecond))
}

// end stops the load and judges it.
func (l *load) end(what string) {
	l.t.Helper()
	l.stop()
	l.work.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	say("%s: %d served, %d refused with 503, %d people signed out and refused %d times; %d revoked let through, %d wrong answers",
		what, l.served.Load(), l.refused.Load(), len(l.out), l.unknown.Load(), l.breaches.Load(), l.wrong.Load())
	if first := l.first.Load(); first != nil {
		l.t.Errorf("%d revoked let through, %d wrong answers, the first: %s", l.breaches.Load(), l.wrong.Load(), *first)
	}
	if l.served.Load() < 300 || len(l.out) < 20 || l.unknown.Load() < 100 {
		l.t.Error("that is no load")
	}
}

func TestNobodyRevokedGetsInWhileRedisIsKilledAndHung(t *testing.T) {
	server := redistest.Start(t, redistest.Durable(), redistest.WithPassword("secret"))
	l := newLoad(newFleet(t, redisstore.Options{Addresses: []string{server.Address}, Password: "secret"}, server))
	over := time.After(soak(t))
	for again := true; again; {
		l.sleep(time.Second)
		server.Kill()
		l.sleep(time.Second)
		server.Restart()
		l.back("killed and restarted")
		l.sleep(time.Second)
		server.Hang()
		l.sleep(redisstore.DefaultMaxStale + time.Second)
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

func TestNobodyRevokedGetsInWhileSentinelFailsOver(t *testing.T) {
	s := redistest.StartSentinels(t, redistest.Durable(), redistest.WithPassword("secret"))
	l := newLoad(newFleet(t, redisstore.Options{
		Addresses: s.Addresses, Sentinel: redistest.MasterName, Password: "secret", WaitReplicas: 1,
	}, s.Primary, s.Replica))
	l.sleep(2 * time.Second)
	s.Primary.Kill()
	redistest.Wait(t, settle, "the replica is the primary", func() bool { return s.Current() == s.Replica.Address })
	l.back("failed over by Sentinel")
	l.sleep(time.Second)
	s.Primary.Restart() // a replica from now on, which confirms again
	redistest.Wait(t, settle, "sign-outs are confirmed again", func() bool {
		return l.writer.Revoke(t.Context(), "nobody") == nil
	})
	l.sleep(time.Second)
	l.end("Sentinel")
}

func TestNobodyRevokedGetsInWhileAClusterLosesANodeAndMovesASlot(t *testing.T) {
	c := redistest.StartCluster(t, redistest.Durable())
	l := newLoad(newFleet(t, redisstore.Options{
		Addresses: []string{c.Nodes[0].Address, c.Nodes[1].Address}, Cluster: true,
	}, c.Nodes...))
	l.sleep(time.Second)
	for i := range 3 { // there and on, under people who stay
		owner, slot := c.Owner(audience + fmt.Sprint(":stays", i))
		c.MoveSlot(slot, owner, (owner+1)%3)
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
