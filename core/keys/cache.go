package keys

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Defaults and bounds of a [Cache].
const (
	// DefaultInterval is how often a set is refreshed, each time ± 10 % so that the
	// instances of a fleet do not ask in step.
	DefaultInterval = 5 * time.Minute
	// DefaultStaleFor is for how long past the moment a refresh was due the last good set
	// stays in force while the source cannot be had.
	DefaultStaleFor = time.Hour
	// DefaultFetchTimeout ends one attempt to fetch, and the wait of a caller who has no
	// keys at all.
	DefaultFetchTimeout = 3 * time.Second

	minInterval     = time.Minute      // a provider's max-age shortens the interval to this at most
	refreshWait     = time.Second      // for a set so old that it should not be trusted unasked
	unknownKeyEvery = 10 * time.Second // one fruitless fetch for an unknown key id in this time
	minBackOff      = time.Second
	maxBackOff      = 30 * time.Second
	maxWaiters      = 1024
	maxCandidates   = 4 // keys tried for a token that names none
)

// Errors that [Cache.Find] tells apart. Every other way to fail is an [UnavailableError].
var (
	// ErrUnknownKey: the source was asked within the last ten seconds, or never changes, and has no
	// such key.
	ErrUnknownKey = errors.New("no key with this id")
	// ErrAmbiguousKey: the token names no key, and several could be meant.
	ErrAmbiguousKey = errors.New("no key id, and several keys fit")
	// ErrWrongAlgorithm: the key is there, for another algorithm.
	ErrWrongAlgorithm = errors.New("the key is for another algorithm")
)

var (
	errClosed  = errors.New("the key cache is closed")
	errCrowded = fmt.Errorf("more than %d requests already wait for keys", maxWaiters)
	errStale   = errors.New("the keys are too old to be trusted")
)

// UnavailableError means that nobody can tell: the keys cannot be had, or are too old.
type UnavailableError struct {
	RetryAfter time.Duration // in how long asking again makes sense, from 1 s to 30 s
	Err        error         // for the operator
}

// Error is for the operator: it may hold addresses, and no secret.
func (e *UnavailableError) Error() string { return "keys unavailable: " + e.Err.Error() }

// Unwrap gives access to the cause: of the last attempt to fetch, or of the end of a caller's wait.
func (e *UnavailableError) Unwrap() error { return e.Err }

// CacheOptions tune a [Cache]. The zero value is right for a server.
type CacheOptions struct {
	// Interval between refreshes; zero or less: [DefaultInterval]. A source's own [Set].MaxAge
	// shortens it, to a minute at the least, and never lengthens it.
	Interval time.Duration
	// StaleFor bounds how long an old set serves, counted from when its refresh was due; zero or
	// less: [DefaultStaleFor].
	StaleFor time.Duration
	// FetchTimeout ends each attempt; zero or less: [DefaultFetchTimeout].
	FetchTimeout time.Duration
	// Inline makes a due refresh happen within the request that notices it, waiting at most
	// a second, instead of behind its back: for processes that are frozen between requests,
	// as on AWS Lambda, where nothing may be left running.
	Inline bool
	// Now is the clock; nil: time.Now. Age is judged by wall-clock time.
	Now func() time.Time
	// Logger is told of failed fetches, skipped keys and changed key ids; nil: nobody is.
	Logger *slog.Logger
	// OnFetch is called after every attempt, by the goroutine that made it; nil: nobody is. It must
	// not block. A panic in it is swallowed.
	OnFetch func(FetchEvent)
}

// FetchEvent tells of one attempt to fetch.
type FetchEvent struct {
	Source  string   // by its own name, [Source].String
	Err     error    // nil: it succeeded
	KeyIDs  []string // in force, sorted; nil after a failure. A key without id shows as its thumbprint
	Changed bool     // the keys in force are not those of before
}

// Cache keeps the keys of one source. It is safe for concurrent use. It runs no goroutine but
// the one of a fetch in flight.
type Cache struct {
	source  Source
	name    string // the source's
	opts    CacheOptions
	current atomic.Pointer[snapshot] // read without a lock; nil until the first success

	mu      sync.Mutex
	flight  *flight // the fetch in flight, nil if none
	trouble trouble
	// fruitless is when the last fetch for an unknown key id ended without bringing it.
	fruitless time.Time
	waiters   int
	fetches   int
	closed    bool
}

// snapshot is a set and when it was had.
type snapshot struct {
	set        *Set
	byID       map[string][]Key
	generation uint64    // grows with every change of the keys
	fetched    time.Time // when the fetch began
	due        time.Time // when to refresh; far away for a fixed set
}

// flight is one fetch, shared by all who want its outcome.
type flight struct {
	done    chan struct{}
	cancel  context.CancelFunc
	lacks   func(*snapshot) bool // what an unknown key id asked for; nil for other fetches
	waiters int
	dropped bool  // its last waiter left: how it ends says nothing of the source
	err     error // valid once done is closed
}

// trouble is what is known of attempts since the last success.
type trouble struct {
	failures int
	err      error // of the latest attempt; nil: it succeeded
	at       time.Time
	retry    time.Time // no attempt before
	hint     time.Time // the same by our own schedule alone, for callers
}

// NewCache makes a cache over a source, which must not be nil. It does no I/O: the first [Cache.Find]
// or [Cache.Ready] fetches. Call [Cache.Close] when it is not needed any more.
func NewCache(source Source, o CacheOptions) *Cache {
	if o.Interval <= 0 {
		o.Interval = DefaultInterval
	}
	if o.StaleFor <= 0 {
		o.StaleFor = DefaultStaleFor
	}
	if o.FetchTimeout <= 0 {
		o.FetchTimeout = DefaultFetchTimeout
	}
	if o.Now == nil {
		o.Now = time.Now //nolint:forbidigo // this is the clock that CacheOptions.Now sets
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Cache{source: source, name: source.String(), opts: o}
}

// Match is the answer to [Cache.Find].
type Match struct {
	// Keys to try, in order; at least one.
	Keys []Key
	// Issuer that a discovery document told; empty elsewhere.
	Issuer string
	// Generation of the set: grows whenever the keys in force change.
	Generation uint64
	// Guessed says that the token did not name these keys by an id. If none of them verifies
	// it, the key may have been replaced: ask [Cache.FindAgain].
	Guessed bool
}

// Find returns the keys that a token with this key id and algorithm may have been signed
// with. It waits only where there is no key to answer with: before the first set has arrived,
// for a key id that the set does not hold, and for a set long past its time. A cancelled ctx
// ends this caller's wait and nobody else's. keyID is empty for a token that names none.
//
// It fails with [ErrUnknownKey], [ErrAmbiguousKey], [ErrWrongAlgorithm] or an
// [UnavailableError].
func (c *Cache) Find(ctx context.Context, keyID, algorithm string) (Match, error) {
	snap, err := c.fresh(ctx)
	if err != nil {
		return Match{}, err
	}
	match, err := snap.find(keyID, algorithm)
	if !missing(match, err) {
		return match, err
	}
	keyID = strings.Clone(keyID) // a fetch may outlive the token that it is from
	lacks := func(s *snapshot) bool { return missing(s.find(keyID, algorithm)) }
	switch snap, again := c.newer(ctx, snap, lacks); {
	case again == nil:
		return snap.find(keyID, algorithm)
	case errors.Is(again, ErrUnknownKey):
		return Match{}, err // what was found is still so
	default:
		return Match{}, again
	}
}

// missing reports whether what find returned means that the keys may have changed since: one may
// have come by an unknown id, or one of another type where keys have no ids, or one may have
// gone of several that a token without an id could mean, as at the end of a rotation.
func missing(match Match, err error) bool {
	return errors.Is(err, ErrUnknownKey) || errors.Is(err, ErrAmbiguousKey) || match.Guessed && errors.Is(err, ErrWrongAlgorithm)
}

// FindAgain is for a token that none of the guessed keys of a match verified: it asks the
// source whether the keys have changed, on the same budget as for an unknown key id, and
// fails with [ErrUnknownKey] if they have not.
func (c *Cache) FindAgain(ctx context.Context, last Match, keyID, algorithm string) (Match, error) {
	snap, err := c.fresh(ctx)
	if err != nil {
		return Match{}, err
	}
	lacks := func(s *snapshot) bool { return s.generation == last.Generation }
	if lacks(snap) {
		if snap, err = c.newer(ctx, snap, lacks); err != nil {
			return Match{}, err
		}
	}
	if lacks(snap) {
		return Match{}, ErrUnknownKey
	}
	return snap.find(keyID, algorithm)
}

// Confirm is for a token that was verified before, by the one key of last: it reports whether
// [Cache.Find] would name that very key again, by its thumbprint (RFC 7638) and not only by its
// id, and returns the match to ask with the next time. It sees to a due refresh as Find does,
// and fetches nothing for the token's sake. After a no the token has to be verified anew; an
// [UnavailableError] is what Find would say. It is asked on every request, so the caller lends
// its look at the clock, the cache's own ([CacheOptions.Now]).
func (c *Cache) Confirm(ctx context.Context, now time.Time, last Match, keyID, algorithm string) (Match, bool, error) {
	snap, err := c.freshAt(ctx, now.Round(0))
	if err != nil {
		return Match{}, false, err
	}
	if snap.generation == last.Generation {
		return last, true, nil
	}
	match, err := snap.find(keyID, algorithm)
	if err != nil || match.Issuer != last.Issuer || len(last.Keys) != 1 {
		return Match{}, false, nil //nolint:nilerr // whoever verifies it anew is told
	}
	for _, key := range match.Keys {
		if key.Thumbprint() == last.Keys[0].Thumbprint() {
			match.Keys = []Key{key}
			return match, true, nil
		}
	}
	return Match{}, false, nil
}

// Lacks reports, without waiting or fetching, that [Cache.Find] would answer [ErrUnknownKey] for
// a key id at once: the set in force does not hold it, and it is too early to ask again. So
// whoever reads tokens can refuse one for its header alone.
func (c *Cache) Lacks(keyID string) bool {
	snap := c.current.Load()
	if snap == nil || keyID == "" || len(snap.byID) == 0 || len(snap.byID[keyID]) > 0 {
		return false
	}
	now := c.now()
	if !now.Before(snap.due) || now.Before(snap.fetched.Add(-minInterval)) {
		return false
	}
	if snap.set.Fixed {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.flight == nil && !c.closed && c.trouble.err == nil && c.spent(now)
}

// Ready fetches if there is no set yet or the one there is has grown too old, and reports
// whether there are keys to work with: its error is an [UnavailableError].
func (c *Cache) Ready(ctx context.Context) error {
	_, err := c.fresh(ctx)
	return err
}

// Close ends a fetch in flight and waits for it. Everything afterwards fails with an
// [UnavailableError].
func (c *Cache) Close() error {
	c.mu.Lock()
	c.closed = true
	f := c.flight
	c.mu.Unlock()
	if f != nil {
		f.cancel()
		<-f.done
	}
	c.current.Store(nil)
	return nil
}

// now is the wall clock's time, without the monotonic reading, which stands still in a frozen
// process. A clock that panics must not do so under the lock: real time then stands in for it.
func (c *Cache) now() (now time.Time) {
	defer func() {
		if recover() != nil {
			now = time.Now().Round(0) //nolint:forbidigo // as said above
		}
	}()
	return c.opts.Now().Round(0)
}

// fresh returns a set that may be used, and sees to it that the next one is on its way.
// With a set that is not due it takes no lock.
func (c *Cache) fresh(ctx context.Context) (*snapshot, error) { return c.freshAt(ctx, c.now()) }

func (c *Cache) freshAt(ctx context.Context, now time.Time) (*snapshot, error) {
	snap := c.current.Load()
	if snap != nil && now.Before(snap.fetched.Add(-minInterval)) {
		snap = c.redate(snap, now)
	}
	switch {
	case snap != nil && now.Before(snap.due):
		return snap, nil
	case snap == nil, now.After(snap.due.Add(c.opts.StaleFor)): // nothing to answer with
		limit := c.opts.FetchTimeout
		if snap != nil && c.opts.Inline {
			limit = refreshWait
		}
		if _, err := c.fetch(ctx, snap, limit, nil); err != nil {
			return nil, err
		}
	case c.opts.Inline, now.After(snap.due.Add(c.opts.FetchTimeout)) && !c.failing(now):
		_, _ = c.fetch(ctx, snap, refreshWait, nil) // failing that, the old set serves within its bound
	default:
		c.refresh(snap) //nolint:contextcheck // a fetch is everybody's and outlives this request
	}
	if snap = c.current.Load(); snap == nil {
		return nil, c.unavailable(errClosed)
	}
	if c.now().After(snap.due.Add(c.opts.StaleFor)) {
		return nil, c.unavailable(errStale)
	}
	return snap, nil
}

// redate takes a set for fetched now and due at once, after the clock was set back: by its old
// dates it would pass for young, or not yet too old, for as long as the clock had been wrong.
func (c *Cache) redate(snap *snapshot, now time.Time) *snapshot {
	dated := *snap
	dated.fetched, dated.due = now, now
	c.current.CompareAndSwap(snap, &dated)
	return c.current.Load()
}

// failing reports whether the source failed so lately that waiting for the next attempt would
// be one more wait and not the one of a service that was idle.
func (c *Cache) failing(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	since := now.Sub(c.trouble.at) // without trouble that is two thousand years
	return since >= 0 && since <= maxBackOff+c.opts.FetchTimeout
}

// newer returns a set that was asked for after seen was looked at, because that lacks something,
// or the reason why there is none: [ErrUnknownKey] if the source was asked a moment ago.
func (c *Cache) newer(ctx context.Context, seen *snapshot, lacks func(*snapshot) bool) (*snapshot, error) {
	if seen.set.Fixed {
		return nil, ErrUnknownKey
	}
	// A fetch that had begun before may have been answered before the key was published;
	// hence a second round, and never a third.
	for range 2 {
		joined, err := c.fetch(ctx, seen, c.opts.FetchTimeout, lacks)
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

// spared reports whether the source is to be left alone for now. A time further off than any
// back-off means that the clock was set back.
func (t trouble) spared(now time.Time) bool {
	wait := t.retry.Sub(now)
	return wait > 0 && wait <= maxBackOff
}

// spent reports whether a fetch for an unknown key id was fruitless a moment ago. This budget
// is why whoever forges ids buys one fetch in ten seconds and not one each. The caller holds
// the lock.
func (c *Cache) spent(now time.Time) bool {
	return !now.Before(c.fruitless) && now.Before(c.fruitless.Add(unknownKeyEvery))
}

// refresh starts a fetch to replace seen, unless that has happened, one is in flight or the
// source is being spared.
func (c *Cache) refresh(seen *snapshot) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.flight == nil && !c.closed && c.current.Load() == seen && !c.trouble.spared(c.now()) {
		c.start(c.opts.FetchTimeout, nil)
	}
}

// fetch waits for the fetch in flight, starting one if there is none, but no longer than
// limit; a set that has replaced seen by now is as good. The fetch itself goes on when this
// caller gives up, for the others and the next, unless the process may be frozen after this
// caller's request. lacks is for a caller whom a set may not help: such fetches have a budget.
//
// joined tells that the fetch may have begun before this call.
func (c *Cache) fetch(ctx context.Context, seen *snapshot, limit time.Duration, lacks func(*snapshot) bool) (joined bool, err error) {
	c.mu.Lock()
	now := c.now()
	joined = c.flight != nil
	switch {
	case c.closed:
		err = errClosed
	case c.current.Load() != seen:
		c.mu.Unlock()
		return true, nil
	case !joined && lacks != nil && c.spent(now) && c.trouble.err == nil:
		c.mu.Unlock()
		return joined, ErrUnknownKey // asked a moment ago: we do know
	case !joined && (c.trouble.spared(now) || lacks != nil && c.spent(now)):
		err = c.trouble.err
	case c.waiters == maxWaiters:
		err = errCrowded
	}
	if err != nil {
		c.mu.Unlock()
		return joined, c.unavailable(err)
	}
	if !joined {
		attempt := c.opts.FetchTimeout
		if c.opts.Inline {
			attempt = limit
		}
		c.start(attempt, lacks) //nolint:contextcheck // a fetch is everybody's and outlives this request
	}
	f := c.flight
	f.waiters++
	c.waiters++
	c.mu.Unlock()

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
	if last && c.flight == f {
		f.dropped = ctx.Err() != nil
		c.flight = nil // who comes now starts afresh
	}
	c.mu.Unlock()
	if last {
		f.cancel()
		<-f.done // nothing may be left running when the process freezes
	}
	if err != nil {
		return joined, c.unavailable(err)
	}
	return joined, nil
}

// start begins a fetch on its own deadline. The caller holds the lock.
func (c *Cache) start(limit time.Duration, lacks func(*snapshot) bool) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	f := &flight{done: make(chan struct{}), cancel: cancel, lacks: lacks}
	c.flight = f
	c.fetches++
	began := c.now()
	go func() {
		defer cancel()
		out := outcome{err: errors.New("the key source ended its goroutine")} // by runtime.Goexit
		defer func() { c.finish(f, began, out) }()
		out = c.ask(ctx)
	}()
}

type outcome struct {
	set *Set
	err error
}

// ask calls the source, which may be anybody's code.
func (c *Cache) ask(ctx context.Context) (out outcome) {
	done := false // and not what recover returns, which can be nil after a panic too
	defer func() {
		if p := recover(); !done {
			out = outcome{err: fmt.Errorf("the key source panicked: %v", p)}
		}
	}()
	out = c.question(ctx)
	done = true
	return out
}

func (c *Cache) question(ctx context.Context) outcome {
	var previous *Set
	if snap := c.current.Load(); snap != nil {
		previous = snap.set
	}
	set, err := c.source.Fetch(ctx, previous)
	switch {
	case errors.Is(err, ErrUnknownKey), errors.Is(err, ErrAmbiguousKey), errors.Is(err, ErrWrongAlgorithm):
		return outcome{err: errors.New(err.Error())} // these are answers to callers, and this is none
	case err != nil:
		return outcome{err: err}
	case set == nil:
		return outcome{err: errors.New("the key source returned no set")}
	}
	set, err = set.vetted()
	return outcome{set, err}
}

// finish records what a fetch brought and wakes who waits.
func (c *Cache) finish(f *flight, began time.Time, out outcome) {
	defer close(f.done) // whatever the user's code does below
	c.mu.Lock()
	event := FetchEvent{Source: c.name, Err: out.err}
	var skipped []Skipped // that were not skipped before
	switch {
	case c.closed:
		out.err = errClosed
	case f.dropped: // told neither that it succeeded nor that it failed: it was cut off
	case out.err == nil:
		next := newSnapshot(out.set, began, c.interval(out.set))
		next.generation = 1
		skipped, event.Changed = out.set.Skipped, true
		if last := c.current.Load(); last != nil {
			next.generation = last.generation
			if event.Changed = !sameKeys(last.set, next.set); event.Changed {
				next.generation++
			}
			skipped = slices.DeleteFunc(slices.Clone(skipped), func(s Skipped) bool { return slices.Contains(last.set.Skipped, s) })
		}
		event.KeyIDs = out.set.ids()
		c.trouble = trouble{}
		if f.lacks != nil && f.lacks(next) {
			c.fruitless = c.now()
		}
		c.current.Store(next)
	default:
		c.trouble.failures++
		c.trouble.err = out.err
		c.trouble.at = c.now()
		own, asked := backOff(c.trouble.failures, out.err)
		c.trouble.retry, c.trouble.hint = c.trouble.at.Add(max(own, asked)), c.trouble.at.Add(own)
	}
	quiet := c.closed || f.dropped
	if c.flight == f {
		c.flight = nil
	}
	f.err = out.err
	c.mu.Unlock()
	if !quiet {
		c.tell(event, skipped)
	}
}

// tell calls other people's code.
func (c *Cache) tell(event FetchEvent, skipped []Skipped) {
	guarded(func() {
		if event.Err != nil {
			c.opts.Logger.Warn("sso: keys could not be fetched", "source", event.Source, "error", event.Err)
		}
		for _, s := range skipped {
			c.opts.Logger.Warn("sso: a key was left out", "source", event.Source, "key_id", s.ID, "reason", s.Reason)
		}
		if event.Changed {
			c.opts.Logger.Info("sso: keys in force", "source", event.Source, "key_ids", event.KeyIDs)
		}
	})
	if c.opts.OnFetch != nil {
		guarded(func() { c.opts.OnFetch(event) })
	}
}

// guarded keeps a panic from ending the process from a goroutine that nobody else can guard.
func guarded(call func()) {
	defer func() { _ = recover() }()
	call()
}

// interval is how long a set is good for, spread so that a fleet does not ask in step.
func (c *Cache) interval(set *Set) time.Duration {
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

// backOff is how long to leave a failing source alone: by our own schedule of 1 s, 2 s, 4 s, …
// 30 s, and as the source itself asked, up to the same bound.
func backOff(failures int, err error) (own, asked time.Duration) {
	own = maxBackOff
	if failures <= 5 {
		own = minBackOff << (failures - 1)
	}
	own = min(spread(own), maxBackOff)
	var retryAfter *RetryAfterError
	if errors.As(err, &retryAfter) {
		asked = min(retryAfter.After, maxBackOff)
	}
	return own, asked
}

// unavailable says when asking again makes sense, by our own schedule: what a provider asked
// of us is not passed on to our callers.
func (c *Cache) unavailable(err error) error {
	c.mu.Lock()
	after := c.trouble.hint.Sub(c.now())
	c.mu.Unlock()
	return &UnavailableError{RetryAfter: min(max(after, time.Second), maxBackOff), Err: err}
}

// farAway is the due time of a fixed set.
const farAway = 100 * 365 * 24 * time.Hour

func newSnapshot(set *Set, began time.Time, interval time.Duration) *snapshot {
	if set.Fixed {
		interval = farAway
	}
	snap := &snapshot{set: set, byID: map[string][]Key{}, fetched: began, due: began.Add(interval)}
	if set.hasIDs() {
		for _, key := range set.Keys {
			snap.byID[key.ID] = append(snap.byID[key.ID], key)
		}
	}
	return snap
}

// find looks a key up. In a set whose keys have no ids the token's is ignored.
func (s *snapshot) find(keyID, algorithm string) (Match, error) {
	match := Match{Issuer: s.set.Issuer, Generation: s.generation}
	if keyID != "" && len(s.byID) > 0 {
		named := s.byID[keyID]
		if len(named) == 0 {
			return Match{}, ErrUnknownKey
		}
		for i, key := range named {
			if key.Fits(algorithm) {
				match.Keys = named[i : i+1 : i+1]
				return match, nil // the only one: a set holds no rivals
			}
		}
		return Match{}, ErrWrongAlgorithm
	}
	match.Guessed = true
	for _, key := range s.set.Keys {
		if key.Fits(algorithm) && len(match.Keys) < maxCandidates {
			match.Keys = append(match.Keys, key)
		}
	}
	switch {
	case len(match.Keys) == 0:
		return Match{Guessed: true}, ErrWrongAlgorithm
	case len(match.Keys) > 1 && len(s.byID) > 0:
		return Match{}, ErrAmbiguousKey
	}
	return match, nil
}

// sameKeys reports whether two sets hold the same keys under the same ids, in any order; but in the
// same one where keys have no ids, since only so many of those are tried.
func sameKeys(a, b *Set) bool {
	if len(a.Keys) != len(b.Keys) || a.Issuer != b.Issuer {
		return false
	}
	before, after := a.identities(), b.identities()
	if !a.hasIDs() {
		return slices.Equal(before, after)
	}
	return !slices.ContainsFunc(after, func(k identity) bool { return !slices.Contains(before, k) })
}
