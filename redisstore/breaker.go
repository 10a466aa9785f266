package redisstore

import (
	"sync"
	"time"
)

const (
	breakAfter = 3                      // lookups in a row that failed
	probeEvery = 100 * time.Millisecond // while away, if requests come in
	// forgotten is how old a failure must be for a request to find out itself whether it still
	// holds: nobody has been probing.
	forgotten = time.Second
	// probeLimit is how long somebody who finds out may take. Whoever has not told by then never
	// will, or is of no use to those who ask now.
	probeLimit = workLimit + lookupLimit
)

// breaker spares requests the wait for a store that is away.
type breaker struct {
	mu       sync.Mutex
	failures int       // in a row
	last     time.Time // when the last of them was noticed
	probing  bool      // somebody finds out; nobody else needs to
	probed   time.Time // since when
	err      error     // the last
}

// verdict is what to do with a lookup.
type verdict int

const (
	pass        verdict = iota // do it
	refuse                     // the store is away
	refuseProbe                // the same; and do it nevertheless, for those who come after
)

// begin is when a lookup begins.
func (b *breaker) begin() time.Time { return monotonic() }

// judge says what to do with a lookup now, and why.
func (b *breaker) judge(now time.Time) (verdict, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	since := now.Sub(b.last)
	switch {
	case b.failures < breakAfter:
		return pass, nil
	case b.probing && now.Sub(b.probed) < probeLimit, since < probeEvery:
		return refuse, b.err
	}
	b.probing, b.probed = true, now
	if since >= forgotten {
		return pass, nil
	}
	return refuseProbe, b.err
}

// succeeded notes that a lookup which began then was answered in time, and returns whether the
// store had been away.
func (b *breaker) succeeded(begun time.Time) (back bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if begun.Before(b.last) && !b.probing {
		return false // it was there before it went away
	}
	back = b.failures >= breakAfter
	b.failures, b.probing, b.err = 0, false, nil
	return back
}

// failed notes that a lookup was not, and returns whether the store counts as away from now on.
func (b *breaker) failed(err error) (away bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failures++
	b.last, b.probing, b.err = monotonic(), false, err
	return b.failures == breakAfter
}

// monotonic is the machine's clock, by which waiting and staleness are bounded: it cannot be set
// back.
func monotonic() time.Time {
	return time.Now() //nolint:forbidigo // see above
}
