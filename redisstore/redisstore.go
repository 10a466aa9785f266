// Package redisstore keeps sessions in Redis, so that a sign-out takes effect at once, in every
// instance of every service. It has two stores:
//
//   - [Sessions] keeps the current sessions of users. Tokens of other sessions are refused.
//   - [Denylist] keeps revocations. Every other token passes.
//
// Both implement [sso.SessionStore]: set one as [sso.Config.Sessions].
//
//	sessions, err := redisstore.NewSessions(redisstore.Conn{
//		Addresses: []string{"redis.internal:6379"},
//		TLS:       &tls.Config{},
//		Username:  "orders", Password: password,
//	}, redisstore.SessionsOptions{Audience: "orders-api"})
//	…
//	auth, err := sso.New(sso.Config{…, Audience: []string{"orders-api"}, Sessions: sessions})
//
// The program that signs users in and out calls [Sessions.Login], [Sessions.RevokeSession] and
// [Sessions.Revoke]. With a denylist it does nothing at sign-in, and calls [Denylist.RevokeToken],
// [Denylist.RevokeSession] or [Denylist.RevokeSubject] at sign-out. The Revoker methods let the
// identity provider end sessions (OpenID Connect Back-Channel Logout 1.0).
//
// # Outages
//
// If Redis does not answer, the error is an [*sso.UnavailableError] (503), never [sso.ErrSessionEnded].
// A lookup ends within 100 ms. After three failures in a row, lookups fail at once, and one of
// them in 100 ms probes Redis. In a Cluster this holds for each of 64 groups of slots. An error that
// an operator must fix, such as a wrong password, also matches [sso.ConfigError].
//
// # Caching
//
// With CacheTTL a lookup of the same session costs no round trip. Redis reports changes (CLIENT
// TRACKING, Redis 6 or later), which takes milliseconds. Three bounds hold if it does not: an
// answer expires after CacheTTL, answers are dropped when their connection ends, and a connection
// that is silent for two seconds is closed.
//
// # Goroutines
//
// Apart from lookups and writes in progress, only the client library (rueidis) runs in the background: a timer and two
// goroutines for each connection; with Sentinel another connection and two goroutines. In a Cluster
// a connection to a node that left is closed 5 s later, even after Close. Close ends everything else.
//
// docs/SESSIONS.md describes what Redis can lose, how much memory it needs, and its ACL.
package redisstore

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/more-retail/moresso-go/core/sso"
)

// ownKeys begins all keys, except those that [SessionsOptions.Key] writes.
const ownKeys = "moresso:"

// store is the common part of [Sessions] and [Denylist].
type store struct {
	client   *client
	breakers []breaker
	cacheTTL time.Duration // 0: no cache
	cluster  bool
	replicas int // that confirm a write
	now      func() time.Time
	logger   *slog.Logger
	work     sync.WaitGroup
	mu       sync.Mutex // guards closed, and work.Go against work.Wait
	closed   bool
}

var errClosed = refusal("Close", "was called, so the store is closed", "create another")

func newStore(c *Conn, cacheTTL time.Duration) *store {
	s := &store{
		client: newClient(c, cacheTTL > 0), breakers: make([]breaker, 1), cacheTTL: cacheTTL,
		cluster: c.Cluster, replicas: c.WaitReplicas,
		now: time.Now, //nolint:forbidigo // tests replace it
	}
	s.logger = s.client.logger
	if s.cluster {
		s.breakers = make([]breaker, slotGroups)
	}
	for i := range s.breakers {
		s.breakers[i].refusal = errNoResult
	}
	return s
}

// Ready connects to Redis, reads a key and checks the maxmemory-policy of every node, for readiness
// probes. It waits until ctx ends, at most 5 s. The error is an [*sso.UnavailableError] that says what
// is wrong, or another error if the store is closed.
func (s *store) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	probe := []query{{key: ownKeys + "probe"}}
	return s.do(ctx, func() error {
		client, err := s.client.get()
		if err == nil {
			err = s.client.check(ctx, client)
		}
		if err == nil {
			_, err = s.read(ctx, probe)
		}
		if err != nil {
			return unavailable(fmt.Errorf("redisstore: %w", err))
		}
		s.breaker(probe).learn(nil)
		s.breaker(probe).succeeded(monotonic())
		return nil
	}, unavailable)
}

// Close closes the connections and waits until the work in progress has ended, which takes up to
// two seconds for each address if Redis hangs. Later lookups return an [*sso.UnavailableError], and
// later writes fail, so close the authenticator first. Closing again has no effect.
func (s *store) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.client.close()
	s.work.Wait()
	return nil
}

// start runs work in a goroutine that Close waits for. It returns false if the store is closed.
func (s *store) start(work func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.work.Go(work)
	return true
}

// do runs work and waits for it, or until ctx ends: late then turns the error of ctx into that of do.
func (s *store) do(ctx context.Context, work func() error, late func(error) error) error {
	done := make(chan error, 1)
	if !s.start(func() { done <- work() }) {
		return errClosed
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return late(ctx.Err())
	}
}

func unavailable(err error) error {
	return &sso.UnavailableError{RetryAfter: time.Second, Err: err}
}

// sized writes the length before the text, so that no two sequences of texts make the same key.
func sized(text string) string { return strconv.Itoa(len(text)) + ":" + text }
