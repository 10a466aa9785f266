package keys

import (
	"slices"
	"time"
)

// Status is what an operator may want to know of a [Cache]. It holds no secret, but addresses
// and error texts that are nobody else's business.
type Status struct {
	Source      string    `json:"source"`                 // where the keys come from
	Usable      bool      `json:"usable"`                 // tokens can be verified by them now
	KeyIDs      []string  `json:"key_ids"`                // in force, sorted; a key without id shows as its thumbprint
	Skipped     []Skipped `json:"skipped,omitempty"`      // left out of the last good set, with the reason
	Issuer      string    `json:"issuer,omitempty"`       // told by discovery; empty elsewhere
	FetchedAt   time.Time `json:"fetched_at,omitzero"`    // when the set in force was asked for; zero: never
	RefreshDue  time.Time `json:"refresh_due,omitzero"`   // when the next request starts a refresh; zero: never
	LastError   string    `json:"last_error,omitempty"`   // of the latest attempt; empty: it succeeded or there was none
	LastErrorAt time.Time `json:"last_error_at,omitzero"` // when that was
	NextAttempt time.Time `json:"next_attempt,omitzero"`  // no attempt is made before; zero: at any time
	Fetches     int       `json:"fetches"`                // attempts so far
}

// Status tells how the cache stands. It never waits.
func (c *Cache) Status() Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	status := Status{Source: c.name, KeyIDs: []string{}, Fetches: c.fetches}
	if snap := c.current.Load(); snap != nil {
		status.KeyIDs, status.Skipped, status.Issuer = snap.set.ids(), slices.Clone(snap.set.Skipped), snap.set.Issuer
		status.FetchedAt = snap.fetched
		status.Usable = !c.closed && !c.now().After(snap.due.Add(c.opts.StaleFor))
		if !snap.set.Fixed {
			status.RefreshDue = snap.due
		}
	}
	if t := c.trouble; t.err != nil {
		status.LastError, status.LastErrorAt, status.NextAttempt = t.err.Error(), t.at, t.retry
	}
	return status
}
