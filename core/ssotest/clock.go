package ssotest

import (
	"sync/atomic"
	"time"
)

// Clock is a clock that a test sets; see [Issuer.Clock]. It returns the real time until it is set. It
// is safe for concurrent use.
type Clock struct {
	read atomic.Bool
	set  atomic.Pointer[setting]
}

// setting is a moment at which the clock was stopped, or an offset from the real time.
type setting struct {
	at     time.Time // zero: the clock runs
	offset time.Duration
}

// Now returns the time by this clock. [sso.Config.Now] takes it.
func (c *Clock) Now() time.Time {
	if !c.read.Load() {
		c.read.Store(true)
	}
	switch s := c.set.Load(); {
	case s == nil:
		return time.Now()
	case s.at.IsZero():
		return time.Now().Add(s.offset)
	default:
		return s.at
	}
}

// Set stops the clock at a moment, which may be in the past. After that only [Clock.Advance] moves it.
// It panics for the zero time, before which no token expires.
func (c *Clock) Set(at time.Time) {
	if at.IsZero() {
		panic("ssotest: Clock.Set with the zero time")
	}
	c.set.Store(&setting{at: at})
}

// Advance moves the clock forward, or back if d is negative. It does not start a clock that [Clock.Set]
// stopped.
func (c *Clock) Advance(d time.Duration) {
	for {
		before := c.set.Load()
		after := setting{offset: d}
		if before != nil && before.at.IsZero() {
			after.offset += before.offset
		} else if before != nil {
			after = setting{at: before.at.Add(d)}
		}
		if c.set.CompareAndSwap(before, &after) {
			return
		}
	}
}
