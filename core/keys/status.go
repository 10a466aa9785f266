package keys

import "time"

// Status describes the cached keys of one source, for operators. It contains no secret, but
// addresses and error texts that clients should not see.
type Status struct {
	Source      string    `json:"source"`                 // where the keys come from
	Usable      bool      `json:"usable"`                 // whether tokens can be verified now
	KeyIDs      []string  `json:"key_ids"`                // in use, sorted; the thumbprint of a key without id
	Skipped     []Skipped `json:"skipped,omitempty"`      // left out of the last valid set, with the reason
	Issuer      string    `json:"issuer,omitempty"`       // named by the discovery document; empty without one
	FetchedAt   time.Time `json:"fetched_at,omitzero"`    // when the set in use was requested; zero: never
	RefreshDue  time.Time `json:"refresh_due,omitzero"`   // when the next request starts a refresh; zero: never
	LastError   string    `json:"last_error,omitempty"`   // of the latest attempt; empty if it succeeded or was never made
	LastErrorAt time.Time `json:"last_error_at,omitzero"` // the time of LastError
	NextAttempt time.Time `json:"next_attempt,omitzero"`  // no attempt is made before; zero: at any time
	Fetches     int       `json:"fetches"`                // attempts so far
}
