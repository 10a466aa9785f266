package keycache

import (
	"cmp"
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/more-retail/moresso-go/core/internal/protect"
	"github.com/more-retail/moresso-go/core/keys"
)

// flight is one fetch, shared by all callers that wait for it.
type flight struct {
	done    chan struct{}
	cancel  context.CancelFunc
	number  int                  // of all fetches, from one
	lacks   func(*snapshot) bool // reports that a set does not help a token; nil without one
	waiters int
	err     error // valid once done is closed
	short   bool  // its deadline is earlier than a caller's may be
}

// failures records the attempts since the last successful fetch.
type failures struct {
	count int
	err   error // of the latest attempt; nil if it succeeded
	late  bool  // it ended by its deadline
	short bool  // which was earlier than a caller's may be
	at    time.Time
	retry time.Time // of the next attempt
	hint  time.Time // retry without the provider's Retry-After, for callers
}

// now returns the wall-clock time, without the monotonic reading, which stops in a frozen process.
// If the clock panics, it returns the real time, because the caller may hold the lock.
func (c *Cache) now() (now time.Time) {
	defer func() {
		if recover() != nil {
			now = time.Now().Round(0) //nolint:forbidigo // see above
		}
	}()
	return c.opts.Now().Round(0)
}

// fresh returns a usable set and starts a due refresh. It takes no lock for a set that is not due. A
// call about a token passes how it names its key, and its algorithm. If a due set lacks what the
// token needs, fresh returns it as it is, because the caller then fetches.
func (c *Cache) fresh(ctx context.Context, w *wait, now time.Time, ref Ref, algorithm string) (*snapshot, error) {
	snap := c.current.Load()
	if snap != nil && !snap.withdrawn && now.Before(snap.fetched.Add(-minInterval)) {
		// The clock moved backwards. By its old times the set would count as young for as long as
		// the clock had been wrong.
		dated := *snap
		dated.fetched, dated.due = now, now
		c.current.CompareAndSwap(snap, &dated)
		snap = c.current.Load()
	}
	if snap != nil && now.Before(snap.due) && !snap.withdrawn {
		return snap, nil
	}
	var lacks func(*snapshot) bool
	if algorithm != "" {
		lacks = lacking(ref, algorithm)
	}
	switch {
	case !c.serves(snap, now):
		if _, err := c.fetch(ctx, w, snap, maxWait, lacks); err != nil {
			return nil, err
		}
	case lacks != nil && lacks(snap):
		return snap, nil
	case c.opts.Inline && c.late():
		_, _ = c.fetch(ctx, w, snap, maxWait, lacks) // or the provider would never have enough time
	case c.opts.Inline, now.After(snap.due.Add(c.opts.FetchTimeout)) && !c.failing(now):
		_, _ = c.fetch(ctx, w, snap, refreshWait, lacks) // if it fails, the old set serves
	default:
		c.refresh(snap) //nolint:contextcheck // a fetch is shared and outlives this request
		return snap, nil
	}
	if snap = c.current.Load(); snap == nil {
		return nil, c.unavailable(errClosed)
	}
	if !c.serves(snap, c.now()) {
		return nil, c.unavailable(errStale)
	}
	return snap, nil
}

// serves reports whether a set can be used, perhaps after its refresh was due.
func (c *Cache) serves(s *snapshot, now time.Time) bool {
	return s != nil && !s.withdrawn && !now.After(s.due.Add(c.opts.StaleFor))
}

// failing reports whether the source failed recently, so that a busy service does not wait for
// every attempt of a long outage.
func (c *Cache) failing(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	since := now.Sub(c.failures.at)
	return since >= 0 && since <= maxBackOff+c.opts.FetchTimeout
}

// late reports whether the latest attempt ended by its deadline.
func (c *Cache) late() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failures.late
}

// short reports whether the latest attempt ended by a deadline that was earlier than a caller's may be.
func (c *Cache) short() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failures.short
}

// newer returns a set that was requested after seen was read, because seen lacks something. It
// fails with [ErrUnknownKey] if the source was queried a moment ago.
func (c *Cache) newer(ctx context.Context, w *wait, seen *snapshot, lacks func(*snapshot) bool) (*snapshot, error) {
	if seen.set.Fixed {
		return nil, ErrUnknownKey
	}
	// A fetch that had begun before may have been answered before the key was published, so there
	// is a second round, unless that fetch has spent the budget for unknown key ids.
	for range 2 {
		joined, err := c.fetch(ctx, w, seen, maxWait, lacks)
		if err != nil && joined && c.short() {
			continue // it had less time than this call has
		}
		if err != nil {
			return nil, err
		}
		if seen = c.current.Load(); seen == nil {
			return nil, c.unavailable(errClosed)
		}
		if !joined || !lacks(seen) {
			break
		}
	}
	return seen, nil
}

// backingOff reports whether the next attempt must wait. A time further away than any back-off
// means that the clock moved backwards.
func (f failures) backingOff(now time.Time) bool {
	wait := f.retry.Sub(now)
	return wait > 0 && wait <= maxBackOff
}

// spent reports whether a fetch for an unknown key id was fruitless within the last ten seconds,
// which limits forged key ids to one fetch in that time. The caller holds the lock.
func (c *Cache) spent(now time.Time) bool {
	return !now.Before(c.fruitless) && now.Before(c.fruitless.Add(unknownKeyEvery))
}

// Fruitful gives the budget back: the keys of a match verified its token. Without it, a fetch for a token
// spends the budget, also if it changes the keys: otherwise forged tokens would cause a fetch each where
// a source's answers alternate, as those of several nodes do.
func (c *Cache) Fruitful(m Match) {
	if m.wait.fetch == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fruitless = time.Time{}
}

// refresh starts a fetch to replace seen, if that is still in use, no fetch is in flight and the
// source may be queried.
func (c *Cache) refresh(seen *snapshot) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.flight == nil && !c.closed && c.current.Load() == seen && !c.failures.backingOff(c.now()) {
		c.start(c.opts.FetchTimeout, nil)
	}
}

// fetch waits for the fetch in flight, or starts one, for at most limit. It returns at once if
// seen has been replaced. The fetch continues if this caller gives up. Inline, its last waiter
// waits until the fetch has ended, even if ctx ends first: a fetch that is canceled with its
// client would not count against any budget. If seen lacks what the token needs, the budget for
// unknown key ids applies.
//
// joined reports that the fetch may have begun before the call that w belongs to.
func (c *Cache) fetch(ctx context.Context, w *wait, seen *snapshot, limit time.Duration, lacks func(*snapshot) bool) (joined bool, err error) {
	limit = min(limit, maxWait-w.spent, c.opts.FetchTimeout)
	missing := seen != nil && lacks != nil && lacks(seen)
	c.mu.Lock()
	now := c.now()
	snap, idle := c.current.Load(), c.flight == nil
	switch {
	case c.closed:
		err = errClosed
	case snap != seen:
		c.mu.Unlock()
		return !w.answered(snap), nil
	case idle && missing && c.spent(now) && c.failures.err == nil:
		c.mu.Unlock()
		return false, ErrUnknownKey
	case idle && (c.failures.backingOff(now) && (!missing || !c.failures.short) || missing && c.spent(now)):
		err = c.failures.err
	case c.waiters == maxWaiters:
		err = errCrowded
	}
	if err != nil {
		c.mu.Unlock()
		return !idle, c.unavailable(err)
	}
	if idle {
		attempt := c.opts.FetchTimeout
		if c.opts.Inline {
			attempt = limit
		}
		c.start(attempt, lacks) //nolint:contextcheck // a fetch is shared and outlives this request
		w.fetch = c.fetches
		c.flight.short = attempt < min(maxWait, c.opts.FetchTimeout)
	}
	f := c.flight
	joined = f.number != w.fetch
	f.waiters++
	c.waiters++
	c.mu.Unlock()

	began := time.Now() //nolint:forbidigo // a wait is bounded in real time
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-f.done:
		err = f.err
	case <-timer.C:
		err = fmt.Errorf("no answer within %v", limit)
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	c.mu.Lock()
	f.waiters--
	c.waiters--
	last := f.waiters == 0 && c.opts.Inline
	c.mu.Unlock()
	if last {
		<-f.done // nothing may run when the process freezes
	}
	w.spent += time.Since(began) //nolint:forbidigo // see above
	if err != nil {
		err = c.unavailable(err)
	}
	return joined, err
}

// start begins a fetch with a deadline of its own. The caller holds the lock.
func (c *Cache) start(limit time.Duration, lacks func(*snapshot) bool) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	c.fetches++
	f := &flight{done: make(chan struct{}), cancel: cancel, number: c.fetches, lacks: lacks}
	c.flight = f
	began := c.now()
	go func() {
		defer cancel()
		set, err := c.attempt(ctx, lacks)
		c.finish(f, began, set, err, errors.Is(ctx.Err(), context.DeadlineExceeded))
	}()
}

var errIgnored = errors.New("the key source does not return when its context ends")

// attempt calls the source. A source that does not return when its context ends is left behind, and not
// called again before it has returned: it would block every later fetch, and Close.
func (c *Cache) attempt(ctx context.Context, lacks func(*snapshot) bool) (*keys.Set, error) {
	if c.calling != nil {
		select {
		case <-c.calling:
		default:
			return nil, errIgnored
		}
	}
	var set *keys.Set
	err := errors.New("the key source ended its goroutine") // by runtime.Goexit
	returned := make(chan struct{})
	c.calling = returned
	go func() {
		defer close(returned)
		err = protect.Call(func() (err error) {
			set, err = c.call(ctx, lacks)
			return err
		})
	}()
	select {
	case <-returned:
		return set, err
	case <-ctx.Done():
	}
	grace := time.NewTimer(graceTime)
	defer grace.Stop()
	select {
	case <-returned:
		return set, err
	case <-grace.C:
		return nil, errIgnored
	}
}

// call fetches from the source and checks what it returns, because a source may be the user's. A
// request for a token is unconditional: some providers do not change their ETag together with their keys.
func (c *Cache) call(ctx context.Context, lacks func(*snapshot) bool) (*keys.Set, error) {
	var previous *keys.Set
	if snap := c.current.Load(); snap != nil {
		previous = snap.set
		if lacks != nil {
			previous = &keys.Set{Keys: previous.Keys, Skipped: previous.Skipped, Issuer: previous.Issuer, MaxAge: previous.MaxAge}
		}
	}
	set, err := c.source.Fetch(ctx, previous)
	switch {
	case errors.Is(err, ErrUnknownKey), errors.Is(err, ErrOtherCertificate), errors.Is(err, ErrWrongAlgorithm):
		return nil, errors.New(err.Error()) // only the cache returns these to callers
	case err != nil:
		return nil, err
	case set == nil:
		return nil, errors.New("the key source returned no set")
	}
	accepted, long := c.accepted(set.Keys)
	usable, err := keys.NewSet(accepted...)
	if err != nil {
		return nil, err
	}
	checked := *set
	checked.Keys, checked.Skipped = usable.Keys, slices.Concat(set.Skipped, usable.Skipped, long)
	return &checked, nil
}

// accepted returns the keys without RSA keys that are too long.
func (c *Cache) accepted(all []keys.Key) (accepted []keys.Key, skipped []keys.Skipped) {
	for _, key := range all {
		if public, ok := key.Public.(*rsa.PublicKey); ok && c.opts.MaxRSABits > 0 && public != nil && public.N != nil && public.N.BitLen() > c.opts.MaxRSABits {
			skipped = append(skipped, keys.Skipped{ID: key.ID, Reason: fmt.Sprintf("an RSA key of %d bits, above Config.MaxRSABits: %d", public.N.BitLen(), c.opts.MaxRSABits)})
			continue
		}
		accepted = append(accepted, key)
	}
	return accepted, skipped
}

// finish records the result of a fetch and wakes its waiters.
func (c *Cache) finish(f *flight, began time.Time, set *keys.Set, err error, late bool) {
	defer close(f.done) // even if user code ends the goroutine below
	c.mu.Lock()
	event := FetchEvent{Source: c.name, Err: err}
	quiet := c.closed
	var skipped []keys.Skipped // since the last set
	withdrawn := false
	switch {
	case c.closed:
		err = errClosed
	case err == nil:
		next := newSnapshot(set, began, c.interval(set))
		if next.fetch = f.number; set.Snapshot { // the provider was not queried, so it has not answered anything
			next.fetch, next.due = 0, began
		}
		event.KeyIDs, event.Changed, skipped = ids(set), true, set.Skipped
		last := c.current.Load()
		if last != nil {
			next.generation = last.generation
			if event.Changed = !sameKeys(last.set, set); event.Changed {
				next.generation++
			}
			skipped = slices.DeleteFunc(slices.Clone(skipped), func(s keys.Skipped) bool { return slices.Contains(last.set.Skipped, s) })
		}
		c.failures, c.refusedAt = failures{}, time.Time{}
		if f.lacks != nil && !next.set.Snapshot && (f.lacks(next) || last != nil && f.lacks(last)) {
			c.fruitless = c.now() // until Fruitful
		}
		c.current.Store(next)
	default:
		own, asked := backOff(c.failures.count, err)
		now := c.now()
		c.failures = failures{c.failures.count + 1, err, late, late && f.short, now, now.Add(max(own, asked)), now.Add(own)}
		withdrawn = c.withdraw(now, err)
	}
	c.flight = nil
	f.err = err
	c.mu.Unlock()
	if !quiet { // panics of user code would end the process
		_ = protect.Call(func() error { return c.log(event, skipped, withdrawn) })
		_ = protect.Call(func() error { c.opts.OnFetch(event); return nil })
	}
}

// withdraw ends the last set if the source has said twice that it has no usable key. The caller holds
// the lock.
func (c *Cache) withdraw(now time.Time, err error) bool {
	snap := c.current.Load()
	switch {
	case !c.serves(snap, now) || !definite(err):
		return false
	case c.refusedAt.IsZero() || now.Before(c.refusedAt):
		c.refusedAt = now
		return false
	case now.Before(c.refusedAt.Add(refusedFor)):
		return false
	}
	old := *snap
	old.withdrawn = true
	c.current.Store(&old)
	return true
}

// definite reports whether an error says that the source has no usable key, and not only that there was
// no answer: a well-formed set without one, 410 (Gone), or a key that is disabled or deleted.
func definite(err error) bool {
	var none *keys.NoKeyError
	var gone interface{ Gone() bool }
	return errors.As(err, &none) || errors.As(err, &gone) && gone.Gone()
}

func (c *Cache) log(event FetchEvent, skipped []keys.Skipped, withdrawn bool) error {
	if withdrawn {
		c.opts.Logger.Warn("sso: keys withdrawn by the provider", "source", event.Source)
	}
	if event.Err != nil {
		c.opts.Logger.Warn("sso: fetching keys failed", "source", event.Source, "error", event.Err)
	}
	for _, s := range skipped {
		c.opts.Logger.Warn("sso: key skipped", "source", event.Source, "key_id", s.ID, "reason", s.Reason)
	}
	if snap := c.current.Load(); event.Changed && snap != nil {
		for _, key := range snap.set.Keys {
			if key.CertificateExpired(c.now()) {
				c.opts.Logger.Warn("sso: certificate of a key has expired; the key is used", "source", event.Source, "key_id", cmp.Or(key.ID, key.Thumbprint()))
			}
		}
	}
	if event.Changed {
		c.opts.Logger.Info("sso: keys changed", "source", event.Source, "key_ids", event.KeyIDs)
	}
	return nil
}

// interval returns how long a set serves before its refresh is due.
func (c *Cache) interval(set *keys.Set) time.Duration {
	interval := spread(c.opts.Interval)
	if set.MaxAge > 0 {
		interval = min(interval, max(spread(set.MaxAge), minInterval))
	}
	return interval
}

// spread returns d ± 10 %.
func spread(d time.Duration) time.Duration {
	return d + time.Duration((rand.Float64()*0.2-0.1)*float64(d)) //nolint:gosec // not a secret
}

// backOff returns the pause after an attempt, by the schedule of 1 s, 2 s, 4 s, … 30 s, and the
// pause that the provider requested, at most 30 s.
func backOff(failures int, err error) (own, asked time.Duration) {
	own = maxBackOff
	if failures < 5 {
		own = minBackOff << failures
	}
	own = min(spread(own), maxBackOff)
	if retryAfter, ok := errors.AsType[*keys.RetryAfterError](err); ok {
		asked = min(retryAfter.After, maxBackOff)
	}
	return own, asked
}

// unavailable adds when to retry, by our own schedule: the provider's Retry-After is not passed on
// to callers.
func (c *Cache) unavailable(err error) error {
	c.mu.Lock()
	after := c.failures.hint.Sub(c.now())
	c.mu.Unlock()
	return &UnavailableError{RetryAfter: min(max(after, time.Second), maxBackOff), Err: err}
}
