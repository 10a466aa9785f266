package redissessions

import (
	"context"
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
		if k.asks(q) && now.Before(k.until) && !k.by.closed.Load() {
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
		if other.what != k.what && now.Before(other.until) {
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

// tracked is the share of one connection in the cache, as rueidis wants it.
type tracked struct {
	cache  *cache
	closed atomic.Bool

	mu      sync.Mutex
	waiting map[[2]string]*flight // by key and command
}

// flight is a question on its way.
type flight struct {
	until time.Time
	done  chan struct{}
	// valid after done
	message rueidis.RedisMessage
	err     error
}

func newTracked(c *cache) *tracked {
	return &tracked{cache: c, waiting: map[[2]string]*flight{}}
}

// Wait implements [rueidis.CacheEntry].
func (f *flight) Wait(ctx context.Context) (rueidis.RedisMessage, error) {
	select {
	case <-f.done:
		return f.message, f.err
	case <-ctx.Done():
		return rueidis.RedisMessage{}, ctx.Err()
	}
}

// Flight implements [rueidis.CacheStore]: those who ask while the same question is on its way
// wait for its answer. Who finds one in the cache does not come here.
func (t *tracked) Flight(key, what string, ttl time.Duration, now time.Time) (rueidis.RedisMessage, rueidis.CacheEntry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	id := [2]string{key, what}
	if f, ok := t.waiting[id]; ok {
		return rueidis.RedisMessage{}, f
	}
	if !t.closed.Load() {
		t.waiting[id] = &flight{until: now.Add(ttl), done: make(chan struct{})}
	}
	return rueidis.RedisMessage{}, nil
}

// Update implements [rueidis.CacheStore]. It is called in the order in which Redis answers and
// tells what has changed, so that an answer which is no longer true is dropped after it came.
func (t *tracked) Update(key, what string, message rueidis.RedisMessage) (pxat int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	id := [2]string{key, what}
	f, ok := t.waiting[id]
	if !ok {
		return 0
	}
	delete(t.waiting, id)
	c := get
	if what != getText {
		c = zscore
	}
	if a, err := read(c, message); err == nil {
		until := f.until
		if ends := message.CachePXAT(); ends > 0 { // the key itself ends sooner
			until = earlier(until, ends)
		}
		t.cache.put(key, kept{what: what, until: until, by: t, answer: a})
	}
	f.message = message
	close(f.done)
	return f.until.UnixMilli()
}

// earlier is the sooner of a moment and one in Unix milliseconds, which rueidis counted from
// what Redis said is left.
func earlier(until time.Time, ends int64) time.Time {
	now := monotonic()
	return now.Add(min(until.Sub(now), time.UnixMilli(ends).Sub(now.Round(0))))
}

// Cancel implements [rueidis.CacheStore].
func (t *tracked) Cancel(key, what string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	id := [2]string{key, what}
	if f, ok := t.waiting[id]; ok {
		delete(t.waiting, id)
		f.err = err
		close(f.done)
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
	for id, f := range t.waiting {
		delete(t.waiting, id)
		f.err = err
		close(f.done)
	}
}
