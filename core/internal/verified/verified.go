// Package verified remembers what was found out about tokens, by the digests of their bytes.
//
// It only remembers: whether something may still be relied on is for its reader to decide, each
// time. Reading takes no lock and allocates nothing. What is not there is mostly seen without a
// digest, by a hint that costs nothing: a flood of what nobody knows is not hashed. What is kept is bounded in number and in
// bytes, and there is no goroutine and no clock.
//
// What goes when the bound is reached follows S3-FIFO (Yang et al., "FIFO queues are all you
// need for cache eviction", SOSP 2023). Whatever is new waits in a short queue, and moves on to
// the long one only if it was asked for in the meantime, or comes back soon after it had to go.
// A flood of tokens that come once each thus drives out others of its kind; of those in use it
// gets no more than the tenth that is set aside for whatever is new.
package verified

import (
	"encoding/binary"
	"sync"
	"sync/atomic"
)

const (
	// newcomers is the part of the bounds that the short queue keeps when the cache is full.
	newcomers = 10 // per cent
	// mostUses is what is counted of the times that an entry was asked for.
	mostUses = 3
	// mostPasses bounds how many entries one eviction spares, since whoever puts something in
	// waits for it.
	mostPasses = 1000
)

// Cache remembers values by digests. It is safe for concurrent use. A nil one remembers nothing.
type Cache[V any] struct {
	table atomic.Pointer[[]atomic.Pointer[entry[V]]] // chains of entries, by their hints; made when first needed

	mu          sync.Mutex // of whoever puts something in
	entries     int
	bytes       int64
	fresh, kept queue[V]
	ghosts      []uint64 // parts of the keys that were fresh and went, by their first bits
	mostEntries int
	mostBytes   int64
}

type entry[V any] struct {
	hint  uint64
	key   [32]byte
	value atomic.Pointer[V]
	uses  atomic.Uint32            // since it was queued, up to mostUses
	next  atomic.Pointer[entry[V]] // in the chain

	in     *queue[V]
	behind *entry[V] // in the queue
	bytes  int64
}

// New makes a cache that holds at most so many entries, and bytes as counted by those who put
// them in; nil if there may be none.
func New[V any](entries int, bytes int64) *Cache[V] {
	if entries <= 0 || bytes <= 0 {
		return nil
	}
	return &Cache[V]{mostEntries: entries, mostBytes: bytes}
}

// Get returns what was put in under a hint and a key, if good says that it may still be relied on;
// nil otherwise, and if there is nothing (any more). The key is asked for only if something is
// there under the hint. What is not good is not in use either.
func (c *Cache[V]) Get(hint uint64, key func() [32]byte, good func(*V) bool) *V {
	if c == nil {
		return nil
	}
	table := c.table.Load()
	if table == nil {
		return nil
	}
	for e := chain(*table, hint).Load(); e != nil; e = e.next.Load() {
		if e.hint != hint || e.key != key() {
			continue
		}
		value := e.value.Load()
		if !good(value) {
			return nil
		}
		if uses := e.uses.Load(); uses < mostUses { // an entry in constant use is only read
			e.uses.Store(uses + 1)
		}
		return value
	}
	return nil
}

// Put remembers a value under a key, in the place of what was there before. The hint is whatever
// can be seen of a thing without hashing it, the same whenever it comes, and best different for
// different things. What takes up more bytes than the cache may have is not remembered.
func (c *Cache[V]) Put(hint uint64, key [32]byte, value *V, bytes int64) {
	if c == nil || bytes > c.mostBytes {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	table := c.table.Load()
	if table == nil {
		made := make([]atomic.Pointer[entry[V]], powerOfTwo(c.mostEntries))
		table = &made
		c.table.Store(table)
		c.ghosts = make([]uint64, len(made))
	}
	first := chain(*table, hint)
	if e := find(first, &key); e != nil {
		e.value.Store(value)
		more := bytes - e.bytes
		e.bytes += more
		e.in.bytes += more
		c.bytes += more
		c.makeRoom(*table, 0, 0)
		return
	}
	c.makeRoom(*table, 1, bytes)
	e := &entry[V]{hint: hint, key: key, bytes: bytes}
	e.value.Store(value)
	e.next.Store(first.Load())
	first.Store(e)
	if ghost := c.ghost(&key); *ghost == trace(&key) {
		*ghost = 0
		c.kept.push(e)
	} else {
		c.fresh.push(e)
	}
	c.entries++
	c.bytes += bytes
}

// Len returns how many entries there are and how many bytes they take up.
func (c *Cache[V]) Len() (entries int, bytes int64) {
	if c == nil {
		return 0, 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.entries, c.bytes
}

// makeRoom forgets what has to go for so much more.
func (c *Cache[V]) makeRoom(table []atomic.Pointer[entry[V]], entries int, bytes int64) {
	for spared := 0; c.entries+entries > c.mostEntries || c.bytes+bytes > c.mostBytes; {
		from := &c.kept
		if c.fresh.entries > c.mostEntries*newcomers/100 || c.fresh.bytes > c.mostBytes*newcomers/100 || c.kept.entries == 0 {
			from = &c.fresh
		}
		e := from.pop()
		uses := e.uses.Load()
		if uses > 0 && spared < mostPasses {
			spared++
			uses--
			if from == &c.fresh {
				uses = 0
			}
			e.uses.Store(uses)
			c.kept.push(e)
			continue
		}
		if from == &c.fresh {
			*c.ghost(&e.key) = trace(&e.key)
		}
		unchain(chain(table, e.hint), e)
		c.entries--
		c.bytes -= e.bytes
	}
}

// find looks for a key in a chain.
func find[V any](first *atomic.Pointer[entry[V]], key *[32]byte) *entry[V] {
	e := first.Load()
	for e != nil && e.key != *key {
		e = e.next.Load()
	}
	return e
}

// unchain takes an entry out of its chain. Who reads it at that moment goes on from it.
func unchain[V any](link *atomic.Pointer[entry[V]], e *entry[V]) {
	for link.Load() != e {
		link = &link.Load().next
	}
	link.Store(e.next.Load())
}

// chain is the one for a hint, of which any bits may tell more than others: all count.
func chain[V any](table []atomic.Pointer[entry[V]], hint uint64) *atomic.Pointer[entry[V]] {
	const odd = 0x9e3779b97f4a7c15                     // 2^64 divided by the golden ratio
	return &table[(hint*odd)>>32&uint64(len(table)-1)] //nolint:gosec // a table is never empty
}

// ghost is where a key leaves its trace when it goes.
func (c *Cache[V]) ghost(key *[32]byte) *uint64 {
	return &c.ghosts[binary.LittleEndian.Uint64(key[:8])&uint64(len(c.ghosts)-1)] //nolint:gosec // as above
}

func trace(key *[32]byte) uint64 { return binary.LittleEndian.Uint64(key[8:16]) | 1 }

// powerOfTwo is the least one that is not below n.
func powerOfTwo(n int) int {
	size := 1
	for size < n {
		size *= 2
	}
	return size
}

// queue is first in, first out.
type queue[V any] struct {
	first, last *entry[V]
	entries     int
	bytes       int64
}

func (q *queue[V]) push(e *entry[V]) {
	if e.behind = nil; q.last == nil {
		q.first = e
	} else {
		q.last.behind = e
	}
	q.last = e
	e.in = q
	q.entries++
	q.bytes += e.bytes
}

func (q *queue[V]) pop() *entry[V] {
	e := q.first
	if q.first = e.behind; q.first == nil {
		q.last = nil
	}
	e.behind = nil
	q.entries--
	q.bytes -= e.bytes
	return e
}
