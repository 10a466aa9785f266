package tokencache_test

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/more-retail/moresso-go/core/internal/tokencache"
)

func key(n int) [32]byte {
	var text [8]byte
	binary.LittleEndian.PutUint64(text[:], uint64(n))
	return sha256.Sum256(text[:])
}

func put(c *tokencache.Cache[int], n int) { c.Put(key(n), &n, 1) }

// has reports whether a value is cached, which counts as a use of it.
func has(t *testing.T, c *tokencache.Cache[int], n int) bool {
	t.Helper()
	got := c.Get(key(n))
	if got != nil && *got != n {
		t.Fatalf("the key of %d has the value %d", n, *got)
	}
	return got != nil
}

func TestCache_Get(t *testing.T) {
	const size = 1000
	c := tokencache.New[int](size, size)
	if has(t, c, 1) {
		t.Error("an empty cache has a value")
	}
	for n := range size {
		put(c, n)
	}
	for n := range size {
		if !has(t, c, n) {
			t.Fatalf("%d is missing from a cache that has room for all", n)
		}
	}
	if has(t, c, size) {
		t.Error("a value that was not put in is cached")
	}
}

func TestCache_PutReplaces(t *testing.T) {
	first, second := 1, 2
	for name, others := range map[string]int{"in the young generation": 5, "in the old generation": 10} {
		t.Run(name, func(t *testing.T) {
			var c *tokencache.Cache[int]
			var bytes int64
			for i := 0; i < 1000 && bytes != int64(min(others, 9)+10); i++ { // until one of the others is evicted, if any
				c = tokencache.New[int](10, 100)
				c.Put(key(1), &first, 10)
				for n := range others {
					put(c, 100+n)
				}
				_, bytes = c.Len()
			}
			before, _ := c.Len()
			c.Put(key(1), &second, 30)
			if entries, after := c.Len(); entries != before || after != bytes+20 {
				t.Errorf("%d entries of %d bytes", entries, after)
			}
			if got := c.Get(key(1)); got != &second {
				t.Errorf("%v", got)
			}
		})
	}
	t.Run("by a larger value", func(t *testing.T) {
		c := tokencache.New[int](10, 100)
		c.Put(key(1), &first, 10)
		c.Put(key(2), &first, 60)
		c.Put(key(1), &second, 90) // which leaves no room for the other
		if entries, bytes := c.Len(); entries != 1 || bytes != 90 || c.Get(key(1)) != &second || c.Get(key(2)) != nil {
			t.Errorf("%d entries of %d bytes", entries, bytes)
		}
	})
}

func TestCache_Bounds(t *testing.T) {
	for name, test := range map[string]struct {
		entries     int
		bytes, each int64
	}{
		"many small ones":        {100, 1 << 20, 10},
		"few large ones":         {100, 1000, 99},
		"as large as can be":     {100, 1000, 1000},
		"larger than half":       {100, 1000, 501},
		"one at all":             {1, 100, 100},
		"two":                    {2, 2, 1},
		"a bound of one byte":    {10, 1, 1},
		"no even number":         {77, 7777, 101},
		"as many bytes":          {64, 64, 1},
		"bytes beyond 32 bits":   {100, 1 << 36, 1 << 30},
		"entries are not scarce": {1 << 20, 100, 7},
	} {
		t.Run(name, func(t *testing.T) {
			c := tokencache.New[int](test.entries, test.bytes)
			for n := range 1000 {
				c.Put(key(n), &n, test.each)
				if entries, bytes := c.Len(); entries > test.entries || bytes > test.bytes || entries == 0 || bytes != int64(entries)*test.each {
					t.Fatalf("after %d: %d entries of %d bytes", n, entries, bytes)
				}
				if n%3 == 0 {
					has(t, c, n/2)
				}
				if !has(t, c, n) {
					t.Fatalf("%d is missing at once", n)
				}
			}
			most := min(int64(test.entries), test.bytes/test.each)
			if entries, _ := c.Len(); int64(entries) < most*9/10 {
				t.Errorf("%d entries, where %d are allowed", entries, most)
			}
		})
	}
	t.Run("a value that is larger than the cache is not kept", func(t *testing.T) {
		c := tokencache.New[int](10, 100)
		put(c, 1)
		n := 2
		c.Put(key(2), &n, 101)
		if has(t, c, 2) || !has(t, c, 1) {
			t.Error("the value was cached, or displaced another")
		}
	})
}

func TestCache_KeepsUsedEntries(t *testing.T) {
	const size = 1000
	c := tokencache.New[int](size, size)
	reads, misses := 0, 0
	for n := range 100 * size {
		put(c, size+n) // each once
		if n%25 != 0 {
			continue
		}
		for used := range size / 10 {
			reads++
			if !has(t, c, used) {
				misses++
				put(c, used)
			}
		}
	}
	if misses > reads/400 { // without a second chance it is one in 40
		t.Errorf("%d of %d reads missed", misses, reads)
	}
}

func TestCache_Nil(t *testing.T) {
	for _, c := range []*tokencache.Cache[int]{nil, tokencache.New[int](0, 1), tokencache.New[int](-1, 1), tokencache.New[int](1, 0)} {
		put(c, 1)
		if entries, bytes := c.Len(); c != nil || has(t, c, 1) || entries > 0 || bytes > 0 {
			t.Error("a nil cache is not empty")
		}
	}
}

func TestCache_GetAllocations(t *testing.T) {
	c := tokencache.New[int](10, 10)
	put(c, 1)
	k := key(1)
	if n := testing.AllocsPerRun(100, func() { c.Get(k) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestCache_FreesMemory(t *testing.T) {
	c := tokencache.New[[1 << 10]byte](100, 100)
	var before, after runtime.MemStats
	fill := func(from int) {
		for n := range 10_000 {
			c.Put(key(from+n), new([1 << 10]byte), 1)
			c.Get(key(from + n/2))
		}
	}
	fill(0)
	runtime.GC()
	runtime.ReadMemStats(&before)
	fill(10_000)
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 1<<20 {
		t.Errorf("after 10,000 more, of which 100 stay, the heap has grown by %d bytes", grown)
	}
	runtime.KeepAlive(c)
}

func TestCache_Concurrent(t *testing.T) {
	c := tokencache.New[int](50, 50)
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			for i := range 5000 {
				n := (i*7 + worker) % 120
				if got := c.Get(key(n)); got == nil {
					put(c, n)
				} else if *got != n {
					t.Errorf("the key of %d has the value %d", n, *got)
					return
				}
			}
		})
	}
	all.Wait()
	if entries, bytes := c.Len(); entries != 50 || bytes != int64(entries) {
		t.Errorf("%d entries of %d bytes", entries, bytes)
	}
}

// FuzzCache compares with a map: a value that is found is the last one that was put in, all
// entries can be found, and the bounds hold.
func FuzzCache(f *testing.F) {
	f.Add(uint8(3), uint8(9), []byte("abcabcaabbccdefdef"))
	f.Add(uint8(1), uint8(1), []byte{0, 128, 0, 129, 255, 1})
	f.Fuzz(func(t *testing.T, maxEntries, maxBytes uint8, ops []byte) {
		c := tokencache.New[int](int(maxEntries), int64(maxBytes))
		last, sizes := map[byte]int{}, map[byte]int64{}
		for i, op := range ops {
			name := op & 0x1f
			if op&0x80 == 0 {
				size := int64(op>>5)*3 + 1
				c.Put(key(int(name)), &i, size)
				if size <= int64(maxBytes) {
					last[name], sizes[name] = i, size
				}
			} else if got := c.Get(key(int(name))); got != nil && (last[name] != *got) {
				t.Fatalf("%d has the value %d, want %d", name, *got, last[name])
			}
			entries, bytes := c.Len()
			if entries > int(maxEntries) || bytes > int64(maxBytes) || entries < 0 || bytes < int64(entries) {
				t.Fatalf("%d entries of %d bytes, where %d of %d are allowed", entries, bytes, maxEntries, maxBytes)
			}
		}
		entries, bytes := c.Len()
		for name := range byte(32) {
			if c.Get(key(int(name))) != nil {
				entries--
				bytes -= sizes[name]
			}
		}
		if entries != 0 || bytes != 0 {
			t.Fatalf("%d entries of %d bytes cannot be found", entries, bytes)
		}
	})
}

func BenchmarkCache_Get(b *testing.B) {
	c := tokencache.New[int](10_000, 10_000)
	keys := make([][32]byte, 1000)
	for n := range keys {
		keys[n] = key(n)
		put(c, n)
	}
	for _, parallel := range []bool{false, true} {
		b.Run(fmt.Sprintf("parallel=%v", parallel), func(b *testing.B) {
			if !parallel {
				for i := 0; b.Loop(); i++ {
					c.Get(keys[i%len(keys)])
				}
				return
			}
			b.RunParallel(func(pb *testing.PB) {
				for i := 0; pb.Next(); i++ {
					c.Get(keys[i%len(keys)])
				}
			})
		})
	}
}
