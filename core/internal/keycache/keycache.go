// Package keycache keeps the public keys of one [keys.Source] in memory, so that a request almost
// never waits for them.
//
// A [Cache] fetches once for any number of waiting callers, refreshes ahead of need, fetches when
// a token names an unknown key, and keeps the last valid set in use while the provider is down.
// It distinguishes two failures: [ErrUnknownKey], when the provider was queried and does not have the
// key, and [UnavailableError], when that cannot be known.
//
// # Which key a token gets
//
// A token that names a key id gets the keys with that id, or none. A key of another type, or
// declared for another algorithm, is [ErrWrongAlgorithm]. A token without a key id gets the key whose
// certificate it names (x5t, x5t#S256), by the key's own thumbprint or by its id; without any, up to
// four keys that fit its algorithm. So does every token where keys have no ids, as in PEM.
//
// # How long keys serve
//
// A source that says twice, 30 s apart, that it has no usable key ends the last set; see [definite].
//
// A set is refreshed every five minutes ± 10 %, or earlier if the provider's Cache-Control says
// so, at most once a minute. While refreshing fails, the old set serves for an hour longer.
// Attempts follow after 1 s, 2 s, 4 s, … 30 s, or when the provider's Retry-After says, at most
// 30 s. A fetch for an unknown key id that does not bring the key blocks others like it for ten
// seconds.
//
// Waiting and fetching have bounds of their own. A caller waits for 3 s in all, or for 1 s if an old
// set can serve its token. The fetch continues for [Options.FetchTimeout], for the next caller.
package keycache

import (
	"cmp"
	"context"
	"crypto"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/more-retail/moresso-go/core/keys"
)

// Defaults and bounds of a [Cache].
const (
	DefaultInterval     = 5 * time.Minute // ± 10 %, so that instances do not refresh in step
	DefaultStaleFor     = time.Hour
	DefaultFetchTimeout = 10 * time.Second

	minInterval     = time.Minute      // a provider's max-age shortens the interval to this at most
	maxWait         = 3 * time.Second  // of one caller in all
	refreshWait     = time.Second      // of a caller that an old set can serve
	graceTime       = time.Second      // for a source to return after its context has ended
	refusedFor      = 30 * time.Second // between two answers without a usable key that end the last set
	unknownKeyEvery = 10 * time.Second // one fruitless fetch for an unknown key id in this time
	minBackOff      = time.Second
	maxBackOff      = 30 * time.Second
	maxWaiters      = 1024
	maxCandidates   = 4 // keys tried for one token
)

// Errors of [Cache.Find]. All others are an [UnavailableError].
var (
	// ErrUnknownKey means that the source has no such key. It was queried within the last ten
	// seconds, or never changes.
	ErrUnknownKey = errors.New("no key with this id")
	// ErrOtherCertificate means that x5t names another key of the set than kid does.
	ErrOtherCertificate = errors.New("x5t is that of another key than the one that kid names")
	// ErrWrongAlgorithm means that the key is for another algorithm.
	ErrWrongAlgorithm = errors.New("the key is for another algorithm")
)

var (
	errClosed  = errors.New("the key cache is closed")
	errCrowded = fmt.Errorf("more than %d requests already wait for keys", maxWaiters)
	errStale   = errors.New("the keys are too old to be trusted")
)

// UnavailableError means that the keys could not be fetched, or are too old.
type UnavailableError struct {
	RetryAfter time.Duration // when the next attempt is due, from 1 s to 30 s
	Err        error         // for the operator
}

// Error describes the cause for the operator. It may contain addresses, but no secret.
func (e *UnavailableError) Error() string { return "keys unavailable: " + e.Err.Error() }

// Unwrap returns the cause: that of the last attempt, or of the end of the caller's wait.
func (e *UnavailableError) Unwrap() error { return e.Err }

// Options tune a [Cache]. The zero value is right for a server. Zero durations mean the defaults.
type Options struct {
	// Interval is the time between refreshes. A source's own [keys.Set].MaxAge shortens it, to at
	// least a minute, and never lengthens it.
	Interval time.Duration
	// StaleFor is how long an old set serves, counted from when its refresh was due. Negative: not at
	// all.
	StaleFor time.Duration
	// FetchTimeout ends each attempt.
	FetchTimeout time.Duration
	// MaxRSABits bounds the length of RSA keys: longer ones are skipped. Zero: any that package keys reads.
	MaxRSABits int
	// Inline makes a due refresh happen within the request that notices it, for processes that are
	// frozen between requests, as on AWS Lambda. An attempt then ends with the wait of its caller: a
	// second for a due refresh, but 3 s after an attempt that had too little time.
	Inline bool
	// Now is the clock. If nil, it is time.Now. Ages are measured by wall-clock time.
	Now func() time.Time
	// Logger gets failed fetches, skipped keys and changed key ids. If nil, they are discarded.
	Logger *slog.Logger
	// OnFetch is called after every attempt, by the goroutine that made it. It must not block. Its
	// panics are discarded. If nil, events are discarded.
	OnFetch func(FetchEvent)
}

// FetchEvent describes one attempt to fetch.
type FetchEvent struct {
	Source  string   // [keys.Source].String
	Err     error    // nil if it succeeded
	KeyIDs  []string // in use, sorted, a thumbprint for a key without id; nil after a failure
	Changed bool     // whether the keys in use changed
}

// Cache keeps the keys of one source. It is safe for concurrent use. Its only goroutines are those of
// a fetch in flight.
type Cache struct {
	source  keys.Source
	name    string // the source's
	opts    Options
	current atomic.Pointer[snapshot] // read without a lock; nil until the first success

	calling chan struct{} // closed when the last call of the source has returned; of the fetch in flight

	mu        sync.Mutex
	flight    *flight // nil if no fetch is in flight
	failures  failures
	refusedAt time.Time // when the source first said that it has no usable key; zero after a set
	fruitless time.Time // when the last fetch for an unknown key id ended without bringing it
	waiters   int
	fetches   int
	closed    bool
}

// New returns a cache over a source, which must not be nil. It does no I/O: the first [Cache.Find]
// or [Cache.Ready] fetches. The caller must close it.
func New(source keys.Source, o Options) *Cache {
	o.Interval = cmp.Or(max(o.Interval, 0), DefaultInterval)
	o.StaleFor = max(cmp.Or(o.StaleFor, DefaultStaleFor), 0)
	o.FetchTimeout = cmp.Or(max(o.FetchTimeout, 0), DefaultFetchTimeout)
	if o.Now == nil {
		o.Now = time.Now //nolint:forbidigo // this is the clock that Options.Now sets
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.OnFetch == nil {
		o.OnFetch = func(FetchEvent) {}
	}
	return &Cache{source: source, name: source.String(), opts: o}
}

// A Ref is how a token's header names its key. Empty members are not present.
type Ref struct {
	KeyID        string // kid
	X5T, X5TS256 string // x5t and x5t#S256, thumbprints of the key's certificate
}

// certified reports whether a key has the certificate that the token names.
func (r Ref) certified(k keys.Key) bool { return k.HasCertificate(r.X5T, r.X5TS256) }

// Size returns how many bytes the names have.
func (r Ref) Size() int { return len(r.KeyID) + len(r.X5T) + len(r.X5TS256) }

// Clone returns a copy that does not share the token's memory.
func (r Ref) Clone() Ref {
	return Ref{strings.Clone(r.KeyID), strings.Clone(r.X5T), strings.Clone(r.X5TS256)}
}

// Match is the result of [Cache.Find].
type Match struct {
	// Keys to try, in order; at least one.
	Keys []keys.Key
	// Issuer is the one that a discovery document names; empty without one.
	Issuer string
	// Generation of the set. It grows with every change of the keys in use.
	Generation uint64
	// Guessed reports that the token did not name these keys by an id.
	Guessed bool

	wait wait // of the call so far
}

// A wait records the time that one call has spent on fetches.
type wait struct {
	spent time.Duration // at most maxWait
	fetch int           // the number of the fetch that the call began: its set answers; zero without one
}

// answered reports whether a set was fetched within the call.
func (w wait) answered(s *snapshot) bool { return w.fetch != 0 && w.fetch == s.fetch }

// Find returns the keys that may have signed a token with this algorithm that names its key by ref.
// It waits only before the first set, for an unknown key id, and for a set that is too old. Canceling
// ctx ends the wait of this caller only.
//
// It fails with [ErrUnknownKey], [ErrWrongAlgorithm] or an [UnavailableError].
func (c *Cache) Find(ctx context.Context, ref Ref, algorithm string) (match Match, err error) {
	var w wait
	defer func() { match.wait = w }()
	snap, err := c.fresh(ctx, &w, c.now(), ref, algorithm)
	if err != nil {
		return Match{}, err
	}
	match, err = snap.find(ref, algorithm)
	if !outdated(match, err) || w.answered(snap) {
		return match, err
	}
	snap, again := c.newer(ctx, &w, snap, lacking(ref, algorithm))
	switch {
	case again == nil:
		return snap.find(ref, algorithm)
	case errors.Is(again, ErrUnknownKey):
		return Match{}, err // the first result still holds
	}
	return Match{}, again
}

// outdated reports whether a result of find can be due to a change of the keys. A key may have been
// added, or a key without id may have been replaced by one of another type.
func outdated(match Match, err error) bool {
	return errors.Is(err, ErrUnknownKey) || match.Guessed && errors.Is(err, ErrWrongAlgorithm)
}

// lacking returns a function that reports whether a set does not have what a token needs.
func lacking(ref Ref, algorithm string) func(*snapshot) bool {
	ref, algorithm = ref.Clone(), strings.Clone(algorithm) // a fetch may outlive the token
	return func(s *snapshot) bool { return outdated(s.find(ref, algorithm)) }
}

// FindAgain looks a key up after no key of a match has verified the token: it may have been replaced,
// even under its id. FindAgain queries the source for changed keys, on the same budget as for an
// unknown key id, and fails with [ErrUnknownKey] if they have not.
func (c *Cache) FindAgain(ctx context.Context, last Match, ref Ref, algorithm string) (Match, error) {
	w := last.wait
	snap, err := c.fresh(ctx, &w, c.now(), ref, algorithm)
	if err != nil {
		return Match{}, err
	}
	ref, algorithm = ref.Clone(), strings.Clone(algorithm) // a fetch may outlive the token
	unchanged := func(s *snapshot) bool {
		match, err := s.find(ref, algorithm)
		return err != nil || slices.EqualFunc(match.Keys, last.Keys, equal)
	}
	if unchanged(snap) {
		if w.answered(snap) {
			return Match{}, ErrUnknownKey
		}
		if snap, err = c.newer(ctx, &w, snap, unchanged); err != nil {
			return Match{}, err
		}
		if unchanged(snap) {
			return Match{}, ErrUnknownKey
		}
	}
	match, err := snap.find(ref, algorithm)
	match.wait = w
	return match, err
}

// equal reports whether two keys are the same, which costs less than their thumbprints.
func equal(a, b keys.Key) bool {
	public, ok := a.Public.(interface{ Equal(crypto.PublicKey) bool }) // as each key that package keys accepts
	return ok && public.Equal(b.Public)
}

// Confirm reports whether [Cache.Find] would return the one key of last again, for a token that it
// has verified before. It compares thumbprints (RFC 7638), not only ids. It returns the match for
// the next call. It starts a due refresh as Find does, but fetches nothing for the token. If it
// returns false, the token must be verified again. It runs on every request, so the caller passes
// the time, read from [Options.Now].
func (c *Cache) Confirm(ctx context.Context, now time.Time, last Match, ref Ref, algorithm string) (Match, bool, error) {
	var w wait
	snap, err := c.fresh(ctx, &w, now.Round(0), ref, algorithm)
	if err != nil {
		return Match{}, false, err
	}
	if snap.generation == last.Generation {
		return last, true, nil
	}
	match, err := snap.find(ref, algorithm)
	if err != nil || match.Issuer != last.Issuer || len(last.Keys) != 1 {
		return Match{}, false, nil //nolint:nilerr // verifying the token again reports it
	}
	for _, key := range match.Keys {
		if key.Thumbprint() == last.Keys[0].Thumbprint() {
			match.Keys = []keys.Key{key}
			return match, true, nil
		}
	}
	return Match{}, false, nil
}

// Lacks reports, without waiting or fetching, whether [Cache.Find] would return [ErrUnknownKey] at
// once: the set in use does not hold the key, and it is too early to fetch again. A caller can
// then refuse a token for its header alone.
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
	return c.flight == nil && !c.closed && c.failures.err == nil && c.spent(now)
}

// Ready reports whether usable keys are available. It fetches if no set is cached, if the set is too
// old, and if it is not the provider's; see [keys.WithSnapshot]. Its error is an [UnavailableError].
func (c *Cache) Ready(ctx context.Context) error {
	var w wait
	snap, err := c.fresh(ctx, &w, c.now(), Ref{}, "")
	if err == nil && snap.set.Snapshot {
		_, _ = c.fetch(ctx, &w, snap, maxWait, nil) // if it fails, the snapshot serves
	}
	return err
}

// Close ends a fetch in flight and waits for it, for a second if the source ignores its context. Later calls of other methods fail with an
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

// Status describes the cache. It never waits.
func (c *Cache) Status() keys.Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	status := keys.Status{Source: c.name, KeyIDs: []string{}, Fetches: c.fetches}
	if snap := c.current.Load(); snap != nil {
		status.KeyIDs, status.Skipped, status.Issuer = ids(snap.set), slices.Clone(snap.set.Skipped), snap.set.Issuer
		status.FetchedAt = snap.fetched
		status.Usable = !c.closed && c.serves(snap, c.now())
		if !snap.set.Fixed {
			status.RefreshDue = snap.due
		}
	}
	if f := c.failures; f.err != nil {
		status.LastError, status.LastErrorAt, status.NextAttempt = f.err.Error(), f.at, f.retry
	}
	return status
}

// snapshot is a set with the time of its fetch.
type snapshot struct {
	set        *keys.Set
	byID       map[string][]keys.Key // empty if the keys have no ids
	generation uint64                // grows with every change of the keys
	fetch      int                   // the number of the fetch
	fetched    time.Time             // when the fetch began
	due        time.Time             // when to refresh; a century later for a fixed set
	withdrawn  bool                  // by the provider; kept only as the previous set of the next fetch
}

func newSnapshot(set *keys.Set, fetched time.Time, interval time.Duration) *snapshot {
	if set.Fixed {
		interval = 100 * 365 * 24 * time.Hour
	}
	snap := &snapshot{set: set, generation: 1, fetched: fetched, due: fetched.Add(interval)}
	if hasIDs(set) {
		snap.byID = map[string][]keys.Key{}
		for _, key := range set.Keys {
			snap.byID[key.ID] = append(snap.byID[key.ID], key)
		}
	}
	return snap
}

// find looks keys up.
func (s *snapshot) find(ref Ref, algorithm string) (Match, error) {
	match := Match{Issuer: s.set.Issuer, Generation: s.generation}
	candidates := s.set.Keys
	if ref.KeyID != "" && len(s.byID) > 0 {
		if candidates = s.byID[ref.KeyID]; len(candidates) == 0 {
			return Match{}, ErrUnknownKey
		}
	} else if match.Guessed = true; ref.KeyID == "" && len(s.byID) > 0 {
		for _, id := range []string{ref.X5T, ref.X5TS256} {
			if named := s.byID[id]; id != "" && len(named) > 0 {
				candidates = named
			}
		}
	}
	certified := (ref.X5T != "" || ref.X5TS256 != "") && slices.ContainsFunc(s.set.Keys, ref.certified)
	named := func(key keys.Key) bool { // also if the certificate is at the same key under another id
		return ref.certified(key) || slices.ContainsFunc(s.set.Keys, func(k keys.Key) bool { return ref.certified(k) && equal(k, key) })
	}
	for i, key := range candidates {
		if !key.Fits(algorithm) || certified && !named(key) {
			continue
		}
		if match.Keys == nil {
			match.Keys = candidates[i : i+1 : i+1] // without an allocation
		} else if match.Keys = append(match.Keys, key); len(match.Keys) == maxCandidates {
			break
		}
	}
	switch {
	case len(match.Keys) > 0:
		return match, nil
	case certified && !slices.ContainsFunc(candidates, named):
		return Match{}, ErrOtherCertificate
	}
	return Match{Guessed: match.Guessed}, ErrWrongAlgorithm
}

// hasIDs reports whether tokens can name keys of a set.
func hasIDs(set *keys.Set) bool {
	return slices.ContainsFunc(set.Keys, func(k keys.Key) bool { return k.ID != "" })
}

// ids returns the sorted ids of a set, a thumbprint for a key without id.
func ids(set *keys.Set) []string {
	list := make([]string, len(set.Keys))
	for i, k := range set.Keys {
		list[i] = cmp.Or(k.ID, k.Thumbprint())
	}
	slices.Sort(list)
	return list
}

// sameKeys reports whether two sets hold the same keys with the same ids. Their order counts where
// keys have no ids, because only the first few are tried.
func sameKeys(a, b *keys.Set) bool {
	identities := func(set *keys.Set) (list [][3]string) {
		for _, k := range set.Keys {
			list = append(list, [3]string{k.ID, k.Algorithm, k.Thumbprint()})
		}
		if hasIDs(set) {
			slices.SortFunc(list, func(a, b [3]string) int { return slices.Compare(a[:], b[:]) })
		}
		return list
	}
	return a.Issuer == b.Issuer && slices.Equal(identities(a), identities(b))
}
