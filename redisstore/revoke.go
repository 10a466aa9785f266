package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/redis/rueidis"
)

const (
	// writeLimit bounds a sign-in or a revocation, attempts that failed included.
	writeLimit = 5 * time.Second
	writePause = 50 * time.Millisecond // between attempts
	// margin is for clocks that differ: a revocation outlives its tokens by so much.
	margin = time.Minute

	mostSessions = 100 // of a user
	mostTTL      = mostTokenAge
)

// ErrNotReplicated is what [Store.Login] and the revocations fail with, for [errors.Is], where the
// primary has carried them out and fewer replicas have confirmed it than [Options.WaitReplicas]
// wants: a failover can lose it. Do it again.
var ErrNotReplicated = errors.New("redisstore: too few replicas have confirmed")

// Login writes down that the user has signed in, for as long as the session lasts: at least a
// second, at most 366 days. The user's session before ends with it, unless
// [Options.SeveralSessions]. Call it before the token is handed out.
//
// Like the revocations it tries for up to 5 s, or until the context ends, and returns nil once
// Redis has done it and [Options.WaitReplicas] have confirmed; otherwise it may be done or not.
// All of them can be repeated without harm.
//
// What they fail with matches [ErrNotReplicated] where too few replicas have confirmed,
// [sso.ErrUnavailable] where Redis did not answer in time, and [errors.ErrUnsupported] where the
// store is not of the kind, as a denylist is not for Login. An empty name and a ttl out of bounds
// are refused without asking Redis.
func (s *Store) Login(ctx context.Context, user, session string, ttl time.Duration) error {
	if err := s.needsSessions("Login"); err != nil {
		return err
	}
	if user == "" || session == "" {
		return errors.New("redisstore: Login without a user or a session")
	}
	if ttl < time.Second || ttl > mostTTL {
		return fmt.Errorf("redisstore: Login for %v: a session lasts from a second to 366 days", ttl)
	}
	script := login
	if s.options.SeveralSessions {
		script = loginAlso
	}
	return s.write(ctx, script, s.layout.sessions(user), session, strconv.FormatInt(ttl.Milliseconds(), 10))
}

// Revoke ends every session of the user under this audience. Not for a denylist, whose
// [Store.RevokeIssuedBefore] does the like. How long it tries, and what nil means, is as with
// [Store.Login].
func (s *Store) Revoke(ctx context.Context, user string) error {
	if err := s.needsSessions("Revoke"); err != nil {
		return err
	}
	if user == "" {
		return errors.New("redisstore: Revoke without a user")
	}
	return s.write(ctx, revokeAll, s.layout.sessions(user))
}

// RevokeSession ends this session of the user, and no other: not one that has taken its place.
// In a denylist the rule [BySession] refuses its tokens from then on, until the last of them has
// expired, and user does not matter. How long it tries, and what nil means, is as with
// [Store.Login].
func (s *Store) RevokeSession(ctx context.Context, user, session string) error {
	if session == "" {
		return errors.New("redisstore: RevokeSession without a session")
	}
	if len(s.options.Denylist) > 0 {
		if err := s.needs("RevokeSession", BySession); err != nil {
			return err
		}
		return s.deny(ctx, BySession, session, s.lastExpiry())
	}
	if user == "" {
		return errors.New("redisstore: RevokeSession without a user")
	}
	script := revokeThis
	if s.options.SeveralSessions {
		script = revokeOneOf
	}
	return s.write(ctx, script, s.layout.sessions(user), session)
}

// RevokeToken refuses the token with this `jti` from now on, until it has expired. expires is
// its `exp`; where it is not known the zero time means that [Options.MaxTokenAge] says it. For a
// denylist with [ByTokenID]. How long it tries, and what nil means, is as with [Store.Login].
func (s *Store) RevokeToken(ctx context.Context, tokenID string, expires time.Time) error {
	if err := s.needs("RevokeToken", ByTokenID); err != nil {
		return err
	}
	if tokenID == "" {
		return errors.New("redisstore: RevokeToken without a token id")
	}
	if last := s.lastExpiry(); expires.IsZero() || expires.After(last) {
		expires = last
	}
	return s.deny(ctx, ByTokenID, tokenID, expires)
}

// RevokeIssuedBefore refuses every token whose `iat` is not after the moment, if it was issued to
// the subject; the moment can lie a minute ahead at most, or [Options.Leeway] where that is more.
// Dates of tokens have whole seconds, so one that is issued anew within the same second is refused
// too. A moment that is earlier than the one before changes nothing. For a denylist with
// [ByIssuedAt]. How long it tries, and what nil means, is as with [Store.Login].
//
// It goes by what the provider's clock says. With the moment time.Now(), and a provider whose
// clock is ahead, the tokens of the last seconds live on: signing out everywhere is
// [Store.RevokeAllSoFar].
func (s *Store) RevokeIssuedBefore(ctx context.Context, subject string, moment time.Time) error {
	if err := s.needsSubject("RevokeIssuedBefore", subject); err != nil {
		return err
	}
	if ahead := moment.Sub(s.now()); ahead > s.mostAhead() {
		return fmt.Errorf("redisstore: RevokeIssuedBefore a moment that is %v ahead would keep the subject from signing in: %v at most", ahead.Round(time.Second), s.mostAhead())
	}
	return s.denyBefore(ctx, subject, moment, time.Time{})
}

// mostAhead is how far ahead a revocation can be dated: by as much as the provider's clock can be
// ahead with tokens that are taken, and the second to which they are dated.
func (s *Store) mostAhead() time.Duration { return max(margin, s.options.Leeway) + time.Second }

// RevokeAllSoFar refuses every token that the subject has been issued so far, which is signing out
// everywhere: what is dated up to [Options.Leeway] from now, since the provider's clock may be
// ahead by so much. Where it is not, what the subject is issued within that time is refused too,
// so signing in anew works once it is over. For a denylist with [ByIssuedAt]. How long it tries,
// and what nil means, is as with [Store.Login].
func (s *Store) RevokeAllSoFar(ctx context.Context, subject string) error {
	if err := s.needsSubject("RevokeAllSoFar", subject); err != nil {
		return err
	}
	return s.denyBefore(ctx, subject, s.now().Add(s.options.Leeway), time.Time{})
}

// needsSubject is a fault of a call, which it names, that revokes what was issued to a subject.
func (s *Store) needsSubject(call, subject string) error {
	if err := s.needs(call, ByIssuedAt); err != nil {
		return err
	}
	if subject == "" {
		return fmt.Errorf("redisstore: %s without a subject", call)
	}
	return nil
}

// denyBefore refuses what was issued to the subject up to the moment, and remembers that for as
// long as such tokens can be good, or until then if that is later.
func (s *Store) denyBefore(ctx context.Context, subject string, moment, until time.Time) error {
	if least := moment.Add(s.options.MaxTokenAge + s.options.Leeway + margin); until.Before(least) {
		until = least
	}
	if !until.After(s.now()) {
		return nil // all of them have expired
	}
	key, _ := s.layout.denied(ByIssuedAt, subject)
	return s.write(ctx, denyBefore, key, millis(moment), millis(until))
}

// Begin starts a denylist: it writes the epoch keys, whose absence means that Redis has lost
// its memory. Lookups are 503 without them. Call it once, from a program of the operator's and
// not from the service, which would hide a loss with it; and after a loss once all tokens that
// may have been revoked have expired, or the revocations are written anew. What is there
// already stays. It writes 64 keys one after the other, and tries each for up to 5 s, as
// [Store.Login] does.
func (s *Store) Begin(ctx context.Context) error {
	if len(s.options.Denylist) == 0 {
		return fmt.Errorf("redisstore: Begin needs Options.Denylist: %w", errors.ErrUnsupported)
	}
	for _, epoch := range &s.layout.epochs {
		if err := s.write(ctx, begin, epoch, millis(s.now())); err != nil {
			return err
		}
	}
	return nil
}

// lastExpiry is the latest `exp` of a token that is taken now: it may have been issued by a clock
// that is ahead by the leeway.
func (s *Store) lastExpiry() time.Time { return s.now().Add(s.options.MaxTokenAge + s.options.Leeway) }

// deny writes a revocation that is kept until the tokens have expired for everybody.
func (s *Store) deny(ctx context.Context, rule Rule, value string, expires time.Time) error {
	until := expires.Add(s.options.Leeway + margin)
	if !until.After(s.now()) {
		return nil // it has expired
	}
	key, _ := s.layout.denied(rule, value)
	return s.write(ctx, deny, key, millis(until))
}

func millis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }

// write runs a script on a key until that succeeds, and returns when replicas have it.
func (s *Store) write(ctx context.Context, script, key string, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	done := make(chan error, 1)
	var last lastError
	if !s.start(func() { done <- s.tryWrite(ctx, &last, script, key, args) }) {
		return errClosed
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done(): // an attempt may be under way, and nobody waits for it
		return last.after(ctx)
	}
}

func (s *Store) tryWrite(ctx context.Context, last *lastError, script, key string, args []string) error {
	for {
		err := s.writeOnce(ctx, script, key, args)
		if s.cache != nil {
			s.cache.forget(key) // Redis tells too, in its time
		}
		switch {
		case err == nil:
			return nil
		case itsOwnFault(err):
			return fmt.Errorf("redisstore: %w", explained(err))
		case s.isClosed():
			return errClosed
		}
		last.keep(ctx, err)
		select {
		case <-ctx.Done():
			return last.after(ctx)
		case <-time.After(writePause):
		}
	}
}

// lastError is what came of the attempts so far. That the primary has carried the command out
// stays, whatever comes of those after it.
type lastError struct {
	mu  sync.Mutex
	err error
}

// keep takes down what came of an attempt, unless it has merely run out of time.
func (l *lastError) keep(ctx context.Context, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil || ctx.Err() == nil && !errors.Is(l.err, ErrNotReplicated) {
		l.err = err
	}
}

// after is the error for a context that has ended.
func (l *lastError) after(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case errors.Is(l.err, ErrNotReplicated):
		return l.err
	case l.err == nil:
		return unavailable(fmt.Errorf("redisstore: no answer from Redis: %w", ctx.Err()))
	}
	return unavailable(fmt.Errorf("redisstore: %w, and the last attempt failed: %w", ctx.Err(), explained(l.err)))
}

func (s *Store) writeOnce(ctx context.Context, script, key string, args []string) error {
	ctx, cancel := context.WithTimeout(ctx, workLimit)
	defer cancel()
	client, err := s.link.client(ctx)
	if err != nil {
		return err
	}
	command := client.B().Eval().Script(script).Numkeys(1).Key(key).Arg(args...).Build()
	if s.options.WaitReplicas == 0 {
		return client.Do(ctx, command).Error()
	}
	// WAIT is about what its own connection has written.
	return client.Dedicated(func(c rueidis.DedicatedClient) error {
		wait := c.B().Wait().Numreplicas(int64(s.options.WaitReplicas)).Timeout(workLimit.Milliseconds() / 2).Build()
		results := c.DoMulti(ctx, command, wait)
		if err := results[0].Error(); err != nil {
			return err
		}
		confirmed, err := results[1].AsInt64()
		if err == nil && confirmed < int64(s.options.WaitReplicas) {
			err = fmt.Errorf("%w: %d of %d", ErrNotReplicated, confirmed, s.options.WaitReplicas)
		}
		return err
	})
}
