package sessions

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/redisstore"
	"github.com/more-retail/moresso-go/redisstore/redistest"
)

const (
	signOuts = 400         // each seen by three instances
	most     = time.Second // p99.9
)

// TestSignOut_Delay measures the time from a successful revocation until all instances reject the token, under
// load.
func TestSignOut_Delay(t *testing.T) {
	server := redistest.Start(t)
	f := newFleet(t, redisstore.Conn{Addresses: []string{server.Address}}, server)
	must(t, f.writer.Login(t.Context(), "busy", "s1", lifetime))
	busy := f.token("busy", "s1")

	var wrong, delayed, requests atomic.Int64
	stop := make(chan struct{})
	var load sync.WaitGroup
	for _, in := range f.instances {
		load.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				requests.Add(1)
				switch f.get(t.Context(), in, busy) {
				case http.StatusOK:
				case http.StatusServiceUnavailable: // the machine kept Redis from answering within 100 ms
					delayed.Add(1)
				default:
					wrong.Add(1)
				}
			}
		})
	}

	var mu sync.Mutex
	var delays []time.Duration
	var late atomic.Int64
	for i := range signOuts {
		user := fmt.Sprint("u", i)
		must(t, f.writer.Login(t.Context(), user, "s1", lifetime))
		token := f.token(user, "s1")
		f.all(token, http.StatusOK)
		must(t, f.writer.Revoke(t.Context(), user))
		revoked := time.Now()
		var wg sync.WaitGroup
		for _, in := range f.instances {
			wg.Go(func() {
				for {
					begun := time.Since(revoked)
					status := f.get(t.Context(), in, token)
					if status == http.StatusUnauthorized {
						mu.Lock()
						delays = append(delays, begun)
						mu.Unlock()
						return
					}
					if begun > cacheTTL {
						late.Add(1)
					}
				}
			})
		}
		wg.Wait()
	}
	close(stop)
	load.Wait()

	slices.Sort(delays)
	p := func(percent float64) time.Duration { return delays[int(float64(len(delays)-1)*percent/100)] }
	say("sign-out seen by %d instances, %d times, beside %d other requests: p50 %v, p99 %v, p99.9 %v, largest %v; %d served after the TTL",
		len(f.instances), signOuts, requests.Load(), p(50), p(99), p(99.9), p(100), late.Load())
	if p(99.9) >= most || late.Load() > 0 {
		t.Errorf("p99.9 %v, %d served after the TTL", p(99.9), late.Load())
	}
	if wrong.Load() > 0 || delayed.Load() > requests.Load()/1000 {
		t.Errorf("of a user who has not signed out, %d requests were rejected, and %d got 503", wrong.Load(), delayed.Load())
	}
}

func TestSignIn_EndsPrevious(t *testing.T) {
	server := redistest.Start(t)
	f := newFleet(t, redisstore.Conn{Addresses: []string{server.Address}}, server)
	first, second := f.token("ada", "s1"), f.token("ada", "s2")
	f.all(first, http.StatusUnauthorized)
	must(t, f.writer.Login(t.Context(), "ada", "s1", lifetime))
	f.all(first, http.StatusOK)
	must(t, f.writer.Login(t.Context(), "ada", "s2", lifetime))
	f.all(first, http.StatusUnauthorized)
	f.all(second, http.StatusOK)
	must(t, f.writer.RevokeSession(t.Context(), "ada", "s1")) // does not end a newer session
	f.all(second, http.StatusOK)
	// more-sso-auth signs in: redis.set(f"{audience}:{user_id}", session_id).
	server.Do("SET", audience+":ada", "s3")
	f.all(second, http.StatusUnauthorized)
	f.all(f.token("ada", "s3"), http.StatusOK)
}
