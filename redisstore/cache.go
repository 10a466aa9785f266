package redisstore

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"
)

// cache keeps answers for at most so long, counted from before the question was sent. That is
// the hard cap: it holds whether or not anything is heard of Redis.
type cache struct {
	maxStale time.Duration
	most     int

	mu    sync.RWMutex
	kept  map[string][]kept // by key; several with zscore, of which each asks for a member
	count int
}

// kept is an answer in memory.
type kept struct {
	what  string // the command, as rueidis writes it
	until time.Time
	by    *tracked
	answer
}

func newCache(maxStale time.Duration, most int) *cache {
	return &cache{maxStale: maxStale, most: most, kept: map[string][]kept{}}
}

// get returns an answer that is not too old, and whose connection lives: while it does, Redis
// tells over it what is no longer true.
func (c *cache) get(q query) (answer, bool) {
	now := monotonic()
	c.mu.RLock()
	defer c.mu.RUnlock()
	for i := range c.kept[q.key] {
		k := &c.kept[q.key][i]
		if k.asks(q) && before(now, k.until) && !k.by.closed.Load() {
			return k.answer, true
		}
	}
	return answer{}, false
}

const (
	getText    = "GET"
	zscoreText = "ZSCORE" // and the member
)

// asks reports whether the answer is to this.
func (k *kept) asks(q query) bool {
	if q.command == get {
		return k.what == getText
	}
	return len(k.what) == len(zscoreText)+len(q.member) && k.what[:len(zscoreText)] == zscoreText && k.what[len(zscoreText):] == q.member
}

// put keeps an answer. Where there is no room any other goes; most have expired long since.
func (c *cache) put(key string, k kept) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.count >= c.most {
		for other := range c.kept {
			c.drop(other)
			break
		}
	}
	now := monotonic()
	list := c.kept[key][:0:0] // readers may hold the old one
	for _, other := range c.kept[key] {
		if other.what != k.what && before(now, other.until) {
			list = append(list, other)
		}
	}
	c.count += len(list) + 1 - len(c.kept[key])
	c.kept[key] = append(list, k)
}

// drop forgets all answers about a key. The lock is held.
func (c *cache) drop(key string) {
	c.count -= len(c.kept[key])
	delete(c.kept, key)
}

// forget is drop, for others.
func (c *cache) forget(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop(key)
}

// tracked is the share of one connection in the cache, as rueidis wants it. It says of an answer
// what was asked, and not which question it answers: one that nobody waits for any more may still
// be answered, before the next of the same kind is. So an answer counts as one to the oldest
// question that may be open.
type tracked struct {
	cache  *cache
	closed atomic.Bool

	mu      sync.Mutex
	open    map[question][]*flight // by their age
	orphans []*flight              // by when nobody waited any more
}

// question is a key and a command.
type question [2]string

// flight is a question on its way.
type flight struct {
	question
	begun    time.Time // before it was sent
	until    time.Time // its answer is good
	orphaned time.Time // when nobody waited any more; it was sent before, if at all
	done     chan struct{}
	// valid after done
	message rueidis.RedisMessage
	err     error
}

// errOutdated is for an answer that is too old to be of use.
var errOutdated = errors.New("the answer came too late to hold")

func newTracked(c *cache) *tracked {
	return &tracked{cache: c, open: map[question][]*flight{}}
}

// Wait implements [rueidis.CacheEntry].
func (f *flight) Wait(ctx context.Context) (rueidis.RedisMessage, error) {
	select {
	case <-f.done:
		if f.err == nil && !before(monotonic(), f.until) {
			return rueidis.RedisMessage{}, errOutdated
		}
		return f.message, f.err
	case <-ctx.Done():
		return rueidis.RedisMessage{}, ctx.Err()
	}
}

// end hands an answer to those who wait. The lock of tracked is held.
func (f *flight) end(message rueidis.RedisMessage, err error) {
	f.message, f.err = message, err
	close(f.done)
}

// Flight implements [rueidis.CacheStore]: those who ask while the same question is on its way
// wait for its answer, unless that has been so for long: its answer would be as old. Who finds
// one in the cache does not come here.
func (t *tracked) Flight(key, what string, ttl time.Duration, now time.Time) (rueidis.RedisMessage, rueidis.CacheEntry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	q := question{key, what}
	open := t.open[q]
	if len(open) > 0 && before(now, open[0].until) {
		last := open[len(open)-1]
		if last.orphaned.IsZero() && before(now, last.begun.Add(lookupLimit)) {
			return rueidis.RedisMessage{}, last
		}
	}
	if !t.closed.Load() {
		t.open[q] = append(open, &flight{question: q, begun: now, until: now.Add(ttl), done: make(chan struct{})})
	}
	return rueidis.RedisMessage{}, nil
}

// Update implements [rueidis.CacheStore]. It is called in the order in which Redis answers and
// tells what has changed, so that an answer which is no longer true is dropped after it came.
func (t *tracked) Update(key, what string, message rueidis.RedisMessage) (pxat int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	open := t.open[question{key, what}]
	if len(open) == 0 {
		return 0
	}
	f := open[0]
	t.remove(f)
	t.settle(f.begun)
	until := f.until
	if !before(monotonic(), until) {
		if f.orphaned.IsZero() {
			f.end(message, errOutdated)
		}
		return until.UnixMilli()
	}
	c := get
	if what != getText {
		c = zscore
	}
	if a, err := read(c, message); err == nil {
		if ends := message.CachePXAT(); ends > 0 { // the key itself ends sooner
			until = earlier(until, ends)
		}
		t.cache.put(key, kept{what: what, until: until, by: t, answer: a})
	}
	if f.orphaned.IsZero() {
		f.end(message, nil)
	}
	return f.until.UnixMilli()
}

// remove takes a question out that has been answered. The lock is held.
func (t *tracked) remove(f *flight) {
	open := t.open[f.question]
	i := slices.Index(open, f)
	switch {
	case i < 0: // it is out already
	case len(open) == 1:
		delete(t.open, f.question)
	default:
		t.open[f.question] = slices.Delete(open, i, i+1)
	}
}

// settle takes out what nobody waits for and was never sent: Redis answers in the order of the
// questions, and has answered one that began later. The lock is held.
func (t *tracked) settle(answered time.Time) {
	n := 0
	for ; n < len(t.orphans) && t.orphans[n].orphaned.Before(answered); n++ {
		t.remove(t.orphans[n])
	}
	t.orphans = slices.Delete(t.orphans, 0, n)
}

// before compares by the machine's clock, which cannot be set back but stands still while the
// machine is suspended, and by the time of day, with which it is the other way round.
func before(now, until time.Time) bool {
	return now.Before(until) && now.Round(0).Before(until.Round(0))
}

// earlier is the sooner of a moment and one in Unix milliseconds, which rueidis counted from
// what Redis said is left.
func earlier(until time.Time, ends int64) time.Time {
	now := monotonic()
	return now.Add(min(until.Sub(now), time.UnixMilli(ends).Sub(now.Round(0))))
}

// Cancel implements [rueidis.CacheStore]. If it was not Redis that answered, it still may.
func (t *tracked) Cancel(key, what string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	open := t.open[question{key, what}]
	i := slices.IndexFunc(open, func(f *flight) bool { return f.orphaned.IsZero() })
	var answered *rueidis.RedisError
	if errors.As(err, &answered) || errors.Is(err, rueidis.ErrDoCacheAborted) {
		if len(open) > 0 {
			f := open[0]
			t.remove(f)
			if f.orphaned.IsZero() {
				f.end(rueidis.RedisMessage{}, err)
			}
		}
		return
	}
	if i >= 0 {
		f := open[i]
		f.orphaned = monotonic()
		f.end(rueidis.RedisMessage{}, err)
		t.orphans = append(t.orphans, f)
	}
}

// Delete implements [rueidis.CacheStore]: Redis tells what has changed; nil is everything.
func (t *tracked) Delete(keys []rueidis.RedisMessage) {
	t.cache.mu.Lock()
	defer t.cache.mu.Unlock()
	if keys == nil {
		t.cache.kept, t.cache.count = map[string][]kept{}, 0
		return
	}
	for i := range keys {
		if key, err := keys[i].ToString(); err == nil {
			t.cache.drop(key)
		}
	}
}

// Close implements [rueidis.CacheStore]: the connection has ended, and nothing more is heard.
func (t *tracked) Close(err error) {
	t.closed.Store(true)
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, open := range t.open {
		for _, f := range open {
			if f.orphaned.IsZero() {
				f.end(rueidis.RedisMessage{}, err)
			}
		}
	}
	clear(t.open)
	t.orphans = nil
}
