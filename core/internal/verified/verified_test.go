package verified_test

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/more-retail/moresso-go/core/internal/verified"
)

func key(n int) [32]byte {
	var text [8]byte
	binary.LittleEndian.PutUint64(text[:], uint64(n))
	return sha256.Sum256(text[:])
}

// hint of a number is that of a few others too.
func hint(n int) uint64 { return uint64(n / 3) }

// fine judges nothing.
func fine[V any](*V) bool { return true }

// by is a key that is asked for.
func by(n int) func() [32]byte { return func() [32]byte { return key(n) } }

func put(c *verified.Cache[int], n int) { c.Put(hint(n), key(n), &n, 1) }

// has looks for a value, which counts as a use of it.
func has(t *testing.T, c *verified.Cache[int], n int) bool {
	t.Helper()
	got := c.Get(hint(n), by(n), fine)
	if got != nil && *got != n {
		t.Fatalf("under the key of %d is %d", n, *got)
	}
	return got != nil
}

func TestWhatIsPutInIsThere(t *testing.T) {
	const most = 1000
	c := verified.New[int](most, most)
	if has(t, c, 1) {
		t.Error("an empty cache has something")
	}
	for n := range most {
		put(c, n)
	}
	for n := range most {
		if !has(t, c, n) {
			t.Fatalf("%d is not there, though there is room for all", n)
		}
	}
	if has(t, c, most) {
		t.Error("what nobody put in is there")
	}
}

func TestANewValueTakesThePlaceOfTheOld(t *testing.T) {
	c := verified.New[string](10, 100)
	first, second := "first", "second"
	c.Put(hint(1), key(1), &first, 10)
	c.Put(hint(1), key(1), &second, 30)
	if got := c.Get(hint(1), by(1), fine); got == nil || *got != second {
		t.Errorf("%v", got)
	}
	if entries, bytes := c.Len(); entries != 1 || bytes != 30 {
		t.Errorf("%d entries of %d bytes", entries, bytes)
	}
	c.Put(hint(2), key(2), &first, 60)
	c.Put(hint(1), key(1), &second, 90) // which takes the other's place
	if entries, bytes := c.Len(); entries > 1 || bytes > 100 {
		t.Errorf("%d entries of %d bytes", entries, bytes)
	}
}

func TestBothBoundsHold(t *testing.T) {
	for name, test := range map[string]struct {
		entries     int
		bytes, each int64
	}{
		"many small ones":       {100, 1 << 20, 10},
		"few large ones":        {100, 1000, 99},
		"as large as can be":    {100, 1000, 1000},
		"one at all":            {1, 100, 100},
		"a bound of one byte":   {10, 1, 1},
		"no power of two":       {77, 7777, 101},
		"larger than a tenth":   {9, 9, 1},
		"all of the same bytes": {64, 64, 1},
	} {
		t.Run(name, func(t *testing.T) {
			c := verified.New[int](test.entries, test.bytes)
			for n := range 1000 {
				c.Put(hint(n), key(n), &n, test.each)
				if entries, bytes := c.Len(); entries > test.entries || bytes > test.bytes || entries == 0 {
					t.Fatalf("after %d: %d entries of %d bytes", n, entries, bytes)
				}
				if n%3 == 0 {
					c.Get(hint(n/2), by(n/2), fine)
				}
				if got := c.Get(hint(n), by(n), fine); got == nil || *got != n {
					t.Fatalf("%d is not there at once", n)
				}
			}
		})
	}
}

func TestWhatIsTooLargeForTheWholeCacheIsNotKept(t *testing.T) {
	c := verified.New[int](10, 100)
	put(c, 1)
	n := 2
	c.Put(hint(2), key(2), &n, 101)
	if has(t, c, 2) || !has(t, c, 1) {
		t.Error("it drove out another, or is there")
	}
}

// A flood of tokens that come once each. Whichever bound it comes to, it gets no more than its part of that.
func TestAFloodDoesNotDriveOutWhatIsInUse(t *testing.T) {
	const most, inUse = 1000, 500
	for name, test := range map[string]struct {
		before, entries int
		bytes           int64
		grows           bool
	}{
		"an empty cache":                     {0, most, most, false},
		"a cache full of what came once":     {most, most, most, false},
		"only the number is bounded":         {0, most, 1 << 40, false},
		"only the bytes are bounded":         {0, 1 << 20, most, false},
		"the flood takes the room by growth": {0, 1 << 20, 10 * most, true},
	} {
		t.Run(name, func(t *testing.T) {
			c := verified.New[int](test.entries, test.bytes)
			for n := range test.before {
				put(c, -1-n)
			}
			for n := range inUse {
				put(c, n)
				has(t, c, n) // it comes again
			}
			for n := range 100 * most {
				n += inUse
				put(c, n)
				if test.grows {
					c.Put(hint(n), key(n), &n, 20)
				}
			}
			lost := 0
			for n := range inUse {
				if !has(t, c, n) {
					lost++
				}
			}
			if lost > 0 {
				t.Errorf("%d of %d that were in use are gone", lost, inUse)
			}
		})
	}
}

func TestWhatIsAskedForMoreOftenStaysForLonger(t *testing.T) {
	const most = 10
	c := verified.New[int](most, most)
	used := func(n int) {
		put(c, n)
		has(t, c, n)
	}
	for n := range most {
		used(n)
	}
	used(most) // which makes the others go over into the long queue
	for range 3 {
		has(t, c, 1)
	}
	for n := range 2 * most {
		used(most + 1 + n)
	}
	if has(t, c, 2) || !has(t, c, 1) {
		t.Error("what was asked for once is there, or what was asked for thrice is not")
	}
}

// Whoever puts something in where all is in use waits for a thousand others to be spared and no more.
func TestAnEvictionSparesAThousand(t *testing.T) {
	const most = 3000
	c := verified.New[int](most, most)
	for n := range most {
		put(c, n)
		has(t, c, n)
	}
	put(c, most)
	for n := range most {
		if there := has(t, c, n); there != (n != 1000) {
			t.Errorf("%d is there: %v", n, there)
		}
	}
}

// The tokens in use change for others: these have to find room.
func TestWhatIsNoLongerUsedGoes(t *testing.T) {
	const most = 1000
	c := verified.New[int](most, most)
	for generation := range 5 {
		for range 4 {
			for n := range most / 2 {
				if id := generation*most + n; !has(t, c, id) {
					put(c, id)
				}
			}
		}
		missing := 0
		for n := range most / 2 {
			if !has(t, c, generation*most+n) {
				missing++
			}
		}
		if missing > 0 {
			t.Errorf("generation %d: %d of %d are not there after four rounds", generation, missing, most/2)
		}
	}
}

func TestNoCacheRemembersNothing(t *testing.T) {
	for _, c := range []*verified.Cache[int]{nil, verified.New[int](0, 1), verified.New[int](-1, 1), verified.New[int](1, 0)} {
		put(c, 1)
		if entries, bytes := c.Len(); c != nil || has(t, c, 1) || entries > 0 || bytes > 0 {
			t.Error("it does")
		}
	}
}

func TestAKeyIsAskedForOnlyWhereSomethingMayBe(t *testing.T) {
	c := verified.New[int](10, 10)
	never := func() [32]byte { t.Error("the key was asked for"); return key(0) }
	c.Get(1, never, fine)
	one := 1
	c.Put(1, key(1), &one, 1)
	for other := range uint64(1000) {
		if other != 1 {
			c.Get(other, never, fine)
		}
	}
	if c.Get(1, by(2), fine) != nil || c.Get(1, by(1), fine) == nil {
		t.Error("the hint decided")
	}
}

func TestReadingAllocatesNothing(t *testing.T) {
	c := verified.New[int](10, 10)
	put(c, 1)
	k := key(1)
	if n := testing.AllocsPerRun(100, func() { c.Get(hint(1), func() [32]byte { return k }, fine) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// What has gone is not held on to.
func TestMemoryOfWhatHasGoneIsFreed(t *testing.T) {
	c := verified.New[[1 << 10]byte](100, 100)
	var before, after runtime.MemStats
	fill := func(from int) {
		for n := range 10_000 {
			c.Put(hint(from+n), key(from+n), new([1 << 10]byte), 1)
			c.Get(hint(from+n/2), by(from+n/2), fine)
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

func TestManyMayReadAndPutAtOnce(t *testing.T) {
	c := verified.New[int](50, 50)
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			for i := range 5000 {
				n := (i*7 + worker) % 120
				if got := c.Get(hint(n), by(n), fine); got == nil {
					put(c, n)
				} else if *got != n {
					t.Errorf("under the key of %d is %d", n, *got)
					return
				}
			}
		})
	}
	all.Wait()
	if entries, bytes := c.Len(); entries != 50 || bytes != 50 {
		t.Errorf("%d entries of %d bytes", entries, bytes)
	}
}

// FuzzCache compares with a map: what is there is what was put in last, and the bounds hold.
func FuzzCache(f *testing.F) {
	f.Add(uint8(3), uint8(9), []byte("abcabcaabbccdefdef"))
	f.Add(uint8(1), uint8(1), []byte{0, 128, 0, 129, 255, 1})
	f.Fuzz(func(t *testing.T, mostEntries, mostBytes uint8, ops []byte) {
		c := verified.New[int](int(mostEntries), int64(mostBytes))
		last := map[byte]int{}
		for i, op := range ops {
			name := op & 0x1f
			if op&0x80 == 0 {
				size := int64(op>>5)*3 + 1
				c.Put(hint(int(name)), key(int(name)), &i, size)
				if size <= int64(mostBytes) {
					last[name] = i
				}
			} else if got := c.Get(hint(int(name)), by(int(name)), fine); got != nil && (last[name] != *got) {
				t.Fatalf("%d holds %d, want %d", name, *got, last[name])
			}
			entries, bytes := c.Len()
			if entries > int(mostEntries) || bytes > int64(mostBytes) || entries < 0 || bytes < int64(entries) {
				t.Fatalf("%d entries of %d bytes, where %d of %d are allowed", entries, bytes, mostEntries, mostBytes)
			}
			there := 0
			for n := range 32 {
				if c.Get(hint(n), by(n), fine) != nil {
					there++
				}
			}
			if there != entries {
				t.Fatalf("%d entries can be found of %d", there, entries)
			}
		}
	})
}

func BenchmarkGet(b *testing.B) {
	c := verified.New[int](10_000, 10_000)
	keys := make([][32]byte, 1000)
	for n := range keys {
		keys[n] = key(n)
		put(c, n)
	}
	for _, parallel := range []bool{false, true} {
		b.Run(fmt.Sprintf("parallel=%v", parallel), func(b *testing.B) {
			if !parallel {
				for i := 0; b.Loop(); i++ {
					c.Get(hint(i%len(keys)), func() [32]byte { return keys[i%len(keys)] }, fine)
				}
				return
			}
			b.RunParallel(func(pb *testing.PB) {
				for i := 0; pb.Next(); i++ {
					c.Get(hint(i%len(keys)), func() [32]byte { return keys[i%len(keys)] }, fine)
				}
			})
		})
	}
}

// The bounds of the largest caches that can be configured are beyond 32 bits.
func TestBoundsBeyond32BitsHold(t *testing.T) {
	c := verified.New[int](100, 1<<36)
	for n := range 300 {
		c.Put(hint(n), key(n), &n, 1<<30)
		if entries, bytes := c.Len(); entries > 64 || bytes > 1<<36 {
			t.Fatalf("%d entries of %d bytes", entries, bytes)
		}
	}
}

func TestWhatIsNotGoodIsNotThereAndNotInUse(t *testing.T) {
	const most = 100
	c := verified.New[int](most, most)
	for n := range most / 2 {
		put(c, n) // which expire, and come again and again
	}
	dead := func(*int) bool { return false }
	for n := range most / 2 {
		put(c, 1000+n)
		has(t, c, 1000+n)
	}
	for round := range 10 {
		for n := range most / 2 {
			if c.Get(hint(n), by(n), dead) != nil {
				t.Fatal("what is not good was returned")
			}
		}
		for n := range most {
			put(c, 2000+round*most+n)
		}
	}
	for n := range most / 2 {
		if !has(t, c, 1000+n) {
			t.Errorf("%d, which is in use, went for what is not good", n)
		}
		if has(t, c, n) {
			t.Errorf("%d is there, though nobody could use it", n)
		}
	}
}
