package redisstore

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

const (
	breakAfter = 3                      // consecutive failures
	probeEvery = 100 * time.Millisecond // while the breaker is open, if requests come in
	// staleFailure is the age of a failure at which the next request waits for Redis itself, since no
	// request has probed it.
	staleFailure = time.Second
	// probeLimit is how long a probe can be in progress before another may begin.
	probeLimit = workLimit + lookupLimit
	// slotGroups is how many breakers a Cluster has, each for a range of slots.
	slotGroups   = 64
	clusterSlots = 16384
)

// breaker rejects lookups while Redis is unavailable, so that requests do not wait for it.
type breaker struct {
	mu       sync.Mutex
	failures int       // in a row
	last     time.Time // when the last one was noticed
	probing  bool      // since probed
	probed   time.Time
	err      error // of the last failure
	refusal  error // the last result, if it is not an outage; errNoResult before the first
}

// verdict is the breaker's decision about a lookup.
type verdict int

const (
	pass           verdict = iota
	refuse                 // Redis is unavailable
	refuseAndProbe         // as refuse, and do the lookup for later requests
)

// allow returns what to do with a lookup now, and the error if it is refused.
func (b *breaker) allow(now time.Time) (verdict, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	since := now.Sub(b.last)
	switch {
	case b.failures < breakAfter:
		return pass, nil
	case b.probing && now.Sub(b.probed) < probeLimit, since < probeEvery:
		return refuse, b.reason(b.err)
	}
	b.probing, b.probed = true, now
	if since >= staleFailure {
		return pass, nil
	}
	return refuseAndProbe, b.reason(b.err)
}

// learn records the result of a lookup, however late.
func (b *breaker) learn(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.refusal = nil; isRefusal(err) {
		b.refusal = err
	}
}

// explain returns the error of a lookup that had no result in time. It is an outage only if the last
// result was not a refusal: the password may be wrong.
func (b *breaker) explain(err error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.reason(err)
}

func (b *breaker) reason(err error) error {
	if b.refusal == nil || isRefusal(err) {
		return err
	}
	return fmt.Errorf("%w: %w", b.refusal, err)
}

// succeeded records that a lookup which began then was answered in time. It reports whether the
// breaker was open.
func (b *breaker) succeeded(begun time.Time) (back bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if begun.Before(b.last) && !b.probing {
		return false // it began before Redis became unavailable
	}
	back = b.failures >= breakAfter
	b.failures, b.probing, b.err = 0, false, nil
	return back
}

// failed records a failure. It reports whether the breaker opens.
func (b *breaker) failed(err error) (opens bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failures++
	b.last, b.probing, b.err = monotonic(), false, err
	return b.failures == breakAfter
}

// monotonic reads the machine's clock, which bounds waiting. It cannot be set back.
func monotonic() time.Time {
	return time.Now() //nolint:forbidigo // see above
}

// slotGroup is the group of a key's slot: the CRC16 of its hash tag, if it has one, by the Redis
// Cluster specification.
func slotGroup(key string) int {
	if _, tagged, ok := strings.Cut(key, "{"); ok {
		if tag, _, ok := strings.Cut(tagged, "}"); ok && tag != "" {
			key = tag
		}
	}
	var crc uint16
	for i := range len(key) {
		crc ^= uint16(key[i]) << 8
		for range 8 {
			high := crc & 0x8000
			crc <<= 1
			if high != 0 {
				crc ^= 0x1021
			}
		}
	}
	return int(crc%clusterSlots) * slotGroups / clusterSlots
}
