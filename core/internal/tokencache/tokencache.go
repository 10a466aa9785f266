// Package tokencache keeps what verified tokens mean, by the SHA-256 digests of the tokens.
//
// It is a map of two generations. New entries, and entries that are read, go into the young one.
// Eviction takes any entry of the old one. When that is used up, the young one becomes the old
// one. Only verified tokens are put in, so a flood of forged ones cannot displace them.
package tokencache

import "sync"

// Cache maps digests to values within bounds. It is safe for concurrent use. A nil Cache is empty.
type Cache[V any] struct {
	maxEntries int
	maxBytes   int64

	mu         sync.RWMutex
	young, old generation[V]
}

type generation[V any] struct {
	entries map[[32]byte]entry[V]
	bytes   int64
}

type entry[V any] struct {
	value *V
	bytes int64
}

// New returns a cache for at most so many entries and bytes, as counted by the callers of
// [Cache.Put]. It returns nil if either is not positive.
func New[V any](maxEntries int, maxBytes int64) *Cache[V] {
	if maxEntries <= 0 || maxBytes <= 0 {
		return nil
	}
	return &Cache[V]{maxEntries: maxEntries, maxBytes: maxBytes, young: generation[V]{entries: map[[32]byte]entry[V]{}}}
}

// Get returns the value of a digest, nil if it is not cached. The caller must check whether the
// value is still valid.
func (c *Cache[V]) Get(key [32]byte) *V {
	if c == nil {
		return nil
	}
	c.mu.RLock()
	e, young := c.young.entries[key]
	if !young {
		e = c.old.entries[key]
	}
	c.mu.RUnlock()
	if !young && e.value != nil {
		c.promote(key)
	}
	return e.value
}

// Put sets the value of a digest. A value of more bytes than the whole cache may hold is not kept.
func (c *Cache[V]) Put(key [32]byte, value *V, bytes int64) {
	if c == nil || bytes > c.maxBytes {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.young.remove(key)
	c.old.remove(key)
	c.makeRoom(bytes)
	c.young.add(key, entry[V]{value, bytes})
}

// Len returns the number of entries and of their bytes.
func (c *Cache[V]) Len() (entries int, bytes int64) {
	if c == nil {
		return 0, 0
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	return len(c.young.entries) + len(c.old.entries), c.young.bytes + c.old.bytes
}

// promote moves an entry to the young generation.
func (c *Cache[V]) promote(key [32]byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.old.entries[key]; ok { // still
		c.old.remove(key)
		c.young.add(key, e)
	}
}

// makeRoom evicts entries until one of so many bytes fits. The caller holds the lock.
func (c *Cache[V]) makeRoom(bytes int64) {
	for len(c.young.entries)+len(c.old.entries) >= c.maxEntries || c.young.bytes+c.old.bytes+bytes > c.maxBytes {
		if len(c.old.entries) <= len(c.young.entries)/64 { // the search for the last ones takes long
			c.old, c.young = c.young, generation[V]{entries: map[[32]byte]entry[V]{}}
		}
		for key := range c.old.entries {
			c.old.remove(key)
			break
		}
	}
}

func (g *generation[V]) add(key [32]byte, e entry[V]) {
	g.entries[key] = e
	g.bytes += e.bytes
}

func (g *generation[V]) remove(key [32]byte) {
	g.bytes -= g.entries[key].bytes
	delete(g.entries, key)
}
