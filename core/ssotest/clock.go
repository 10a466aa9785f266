package ssotest

import (
	"sync/atomic"
	"time"
)

// Clock is a clock that a test sets; see [Issuer.Clock]. Until it is touched it tells the real time.
// It is safe for concurrent use, and what is set holds for the next question.
type Clock struct {
	asked atomic.Bool
	set   atomic.Pointer[setting]
}

// setting is how a clock was set: stopped at a moment, or ahead of the real time.
type setting struct {
	at    time.Time // zero: it runs
	ahead time.Duration
}

// Now is the time by this clock. It is what [sso.Config.Now] takes.
func (c *Clock) Now() time.Time {
	if !c.asked.Load() {
		c.asked.Store(true)
	}
	switch s := c.set.Load(); {
	case s == nil:
		return time.Now()
	case s.at.IsZero():
		return time.Now().Add(s.ahead)
	default:
		return s.at
	}
}

// Set stops the clock at a moment, which may be in the past. From then on it moves by
// [Clock.Advance] alone. It panics for the zero time, before which nothing has expired.
func (c *Clock) Set(at time.Time) {
	if at.IsZero() {
		panic("ssotest: Clock.Set with the zero time; give a moment, or use Reset for the real time")
	}
	c.set.Store(&setting{at: at})
}

// Advance moves the clock on, or back where d is negative. A clock that was stopped by [Clock.Set]
// stays so; one that runs goes on running.
func (c *Clock) Advance(d time.Duration) {
	for {
		before := c.set.Load()
		after := setting{ahead: d}
		if before != nil && before.at.IsZero() {
			after.ahead += before.ahead
		} else if before != nil {
			after = setting{at: before.at.Add(d)}
		}
		if c.set.CompareAndSwap(before, &after) {
			return
		}
	}
}

// Reset lets the clock tell the real time again.
func (c *Clock) Reset() { c.set.Store(nil) }
