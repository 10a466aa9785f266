// Package redisstore keeps live sessions in Redis, so that signing out means out: in every
// instance of every service, in under a second. A [Store] is the [sso.SessionStore] that an
// authenticator asks on every request, and what the side that signs people in and out writes
// to.
//
//	store, err := redisstore.New(redisstore.Options{
//		Addresses: []string{"redis.internal:6379"},
//		TLS:       &tls.Config{},
//		Username:  "orders", Password: password,
//		Audience:  "orders-api",
//	})
//	…
//	auth, err := sso.New(sso.Config{…, Audience: []string{"orders-api"}, Sessions: store})
//
// By default it reads what the Python edition writes: under "audience:user" the id of the
// user's one session. [Options.Layout] hardens that, [Options.SeveralSessions] lets a user have
// more than one, [Options.Cache] spares the round trip, and [Options.Denylist] turns the store
// round: it remembers what was revoked instead of what lives.
//
// The side that signs people in calls [Store.Login] before it hands out a token, and whoever signs
// them out [Store.RevokeSession] or [Store.Revoke]. With a denylist there is nothing to do at
// sign-in: call [Store.Begin] once, ever, and [Store.RevokeToken], [Store.RevokeSession] or
// [Store.RevokeAllSoFar] at sign-out. [Store.Revoker] has the identity provider do it. Which claims
// of a token name user and session says [sso.SessionPolicy].
//
// Where the store cannot be asked the answer is an [sso.UnavailableError], 503, never that a
// session has ended. A lookup ends within 100 ms; after three in a row that failed, the next
// ones are refused at once, and the store is tried again ten times a second for as long as
// requests come in. In a Cluster that goes by the 64th part of it that a key is in.
//
// # Which option wins
//
// None wins over another: options that contradict each other are refused by [New], all in one
// error.
//
//   - Where: one of Addresses, or several with either Sentinel or Cluster. SentinelUsername and
//     SentinelPassword go with Sentinel, InsecureReadFromReplicas with Sentinel or Cluster, Username
//     with Password. Another machine than this needs TLS or InsecureAllowPlaintext; with TLS the
//     latter changes nothing.
//   - What: either Audience, for sessions that live, with Layout and SeveralSessions if you like; or
//     Denylist, with Issuer and MaxTokenAge, and Leeway if you like. Prefix goes with LayoutHardened
//     or Denylist, SeveralSessions with LayoutHardened.
//   - How: MaxStale and CacheEntries go with Cache.
//
// All who share sessions have to agree on Audience, Layout, Prefix and SeveralSessions, and of a
// denylist on Prefix, Issuer, Denylist, MaxTokenAge and the greatest Leeway. docs/SESSIONS.md has
// what Redis must be set to, which commands a user of its ACL needs, and what a failover can lose.
//
// # What runs in the background
//
// Nothing of this package's own runs without a lookup or a revocation that it is for. Of the
// client library (rueidis): each open connection has a timer that probes it once a second, and
// two goroutines from its first concurrent use on; with a cache from the start. With Sentinel
// there is a connection to one of them besides, a goroutine that hears of failovers, and one
// that asks every 5 s. In a Cluster a connection to a node that has left it is kept for 5 s more,
// beyond [Store.Close] too. Close ends all else.
package redisstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/more-retail/moresso-go/core/sso"
)

// Store is the sessions in one Redis. Make one with [New], and one only for each process and
// audience: it holds connections. All methods may be called from any number of goroutines.
type Store struct {
	options  Options
	layout   *layout
	now      func() time.Time
	logger   *slog.Logger
	link     *link
	cache    *cache // nil: none
	breakers []breaker
	work     sync.WaitGroup
	mu       sync.Mutex // guards closed, and work from being added to once it is set
	closed   bool
}

var _ sso.SessionStore = (*Store)(nil)

// errClosed is what a closed store answers.
var errClosed = errors.New("redisstore: the store is closed")

// New checks the options, and does no network I/O: the first lookup connects, or [Store.Ready]
// ahead of it. Everything that is wrong comes in one [*sso.ConfigError]. The slices are copied.
func New(o Options) (*Store, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	s := &Store{options: o, layout: o.layout(), now: o.Now, logger: o.Logger, breakers: make([]breaker, 1)}
	if o.Cluster {
		s.breakers = make([]breaker, slotGroups)
	}
	if o.Cache {
		s.cache = newCache(o.MaxStale, o.CacheEntries)
	}
	s.link = newLink(&s.options, s.cache)
	return s, nil
}

// Check implements [sso.SessionStore]: nil for a session that lives, [sso.ErrSessionEnded] for
// one that does not, and an [*sso.UnavailableError] where that cannot be told. It ends within
// 100 ms, whatever Redis does, and takes no notice of the context's end: another request may
// be waiting for the same answer.
func (s *Store) Check(ctx context.Context, session sso.Session) error {
	if len(s.options.Denylist) > 0 {
		return s.checkDenied(ctx, session)
	}
	if session.Audience != s.options.Audience {
		return unavailable(fmt.Errorf("SessionPolicy.Audience is %q, and the store's Options.Audience %q: write the same", session.Audience, s.options.Audience))
	}
	if s.options.Issuer != "" && session.Issuer != s.options.Issuer {
		return fmt.Errorf("%w: the token is not of the store's issuer", sso.ErrSessionEnded)
	}
	if session.User == "" || session.ID == "" {
		return fmt.Errorf("%w: the token names no user or no session", sso.ErrSessionEnded)
	}
	key := s.layout.sessions(session.User)
	if s.options.SeveralSessions {
		return s.checkOneOfSeveral(ctx, key, session)
	}
	answer, err := s.ask(ctx, query{key: key, command: get})
	switch {
	case err != nil:
		return err
	case !answer.found:
		return fmt.Errorf("%w: the user has none", sso.ErrSessionEnded)
	case !session.Is(answer.text):
		return fmt.Errorf("%w: the user has signed in anew", sso.ErrSessionEnded)
	}
	return nil
}

func (s *Store) checkOneOfSeveral(ctx context.Context, key string, session sso.Session) error {
	answer, err := s.ask(ctx, query{key: key, command: zscore, member: session.ID})
	switch {
	case err != nil:
		return err
	case !answer.found || answer.number <= float64(s.now().UnixMilli()):
		return fmt.Errorf("%w: it is none of the user's", sso.ErrSessionEnded)
	}
	return nil
}

// Ready connects and asks for one key, for readiness probes and so that the first request need
// not. It waits as long as the context allows, at most 5 s, and tells what is wrong by an
// [*sso.UnavailableError]; of a store that was closed, by another error.
func (s *Store) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	q := []query{{key: s.layout.probe(), command: get}}
	done := make(chan error, 1)
	if !s.start(func() {
		_, err := s.fetch(ctx, q)
		if b := s.breaker(q); err == nil {
			b.succeeded(b.begin())
		} else {
			err = unavailable(fmt.Errorf("redisstore: %w", err))
		}
		done <- err
	}) {
		return errClosed
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return unavailable(ctx.Err())
	}
}

// Close ends the connections, and what is under way with them. Lookups from then on are
// refused as unavailable, and writes fail and are not tried again, so close the authenticator first.
// It returns once all has ended, which takes up to two seconds for each address if Redis hangs.
// Calling it again does nothing.
func (s *Store) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.link.close()
	s.work.Wait()
	return nil
}

func (s *Store) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// start runs work in a goroutine that Close waits for; false once the store is closed.
func (s *Store) start(work func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.work.Go(work)
	return true
}

// unavailable is the error for "nobody can tell".
func unavailable(err error) error {
	return &sso.UnavailableError{RetryAfter: time.Second, Err: err}
}
