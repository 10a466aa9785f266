package keys

import (
	"fmt"
	"slices"
	"time"
)

// Bounds of one set. Most providers publish two to ten keys, those with many tenants some hundred.
const (
	maxKeys   = 500
	maxRivals = 4 // keys with one id, or without any, that fit the same algorithm
)

// Set is the result of one [Source.Fetch]. It is immutable once a source has returned it.
type Set struct {
	// Keys that can be used, as checked by [NewSet].
	Keys []Key
	// Skipped lists the keys that were left out.
	Skipped []Skipped
	// Issuer is the issuer identifier of the discovery document, empty without one.
	Issuer string
	// MaxAge is how long the source declares its answer valid, zero if it does not.
	MaxAge time.Duration
	// Fixed marks a set that never changes, such as that of a PEM text. It is not fetched again.
	Fixed bool
	// Snapshot marks a set that is not the provider's; see [WithSnapshot].
	Snapshot bool

	origin origin // for the next conditional request
}

// Skipped is a key that was left out of a set. The other keys serve.
type Skipped struct {
	ID     string `json:"id,omitempty"` // empty if the key has none
	Reason string `json:"reason"`       // for the operator
}

// NewSet checks keys and returns the set of those that can be used: RSA keys of 2048 to 8192 bits,
// EC keys on P-256, P-384 and P-521, and Ed25519 keys, unless they are known to be weak. A key given
// twice counts once. If more than four keys have the same id, or none, and fit the same algorithm, only
// the first four are used: each costs a token that names it an attempt. Keys with a certificate
// thumbprint are all used, because tokens can name them by it. NewSet fails with a [NoKeyError]
// if no key remains, and if more than 500 are given. A [Source] of your own calls it.
func NewSet(keys ...Key) (*Set, error) { return newSet(keys, nil) }

func newSet(candidates []Key, skipped []Skipped) (*Set, error) {
	if err := checkCount(len(candidates) + len(skipped)); err != nil {
		return nil, err
	}
	set := &Set{Skipped: skipped}
	var usable []identified
	for _, key := range candidates {
		if err := key.check(); err != nil {
			set.Skipped = append(set.Skipped, Skipped{key.ID, err.Error()})
			continue
		}
		usable = append(usable, identified{key, key.Thumbprint()})
	}
	var used []identified
	for _, key := range usable {
		switch {
		case slices.ContainsFunc(used, key.same):
		case key.x5t+key.x5tS256 == "" && key.rivals(used) >= maxRivals:
			set.Skipped = append(set.Skipped, Skipped{key.ID, fmt.Sprintf("%d other keys have the same id, or none, and fit the same algorithm; more are not tried", maxRivals)})
		default:
			used = append(used, key)
			set.Keys = append(set.Keys, key.Key)
		}
	}
	if len(set.Keys) == 0 {
		return nil, &NoKeyError{set.Skipped}
	}
	return set, nil
}

// identified is a key with its thumbprint, which is slow to compute.
type identified struct {
	Key
	thumbprint string
}

func (k identified) same(other identified) bool {
	return k.ID == other.ID && k.Algorithm == other.Algorithm && k.thumbprint == other.thumbprint
}

// rivals counts the keys that a token could mean as well, by its key id or without one.
func (k identified) rivals(others []identified) (most int) {
	for _, algorithm := range Algorithms() {
		if n := 0; k.Fits(algorithm) {
			for _, other := range others {
				if other.ID == k.ID && other.Fits(algorithm) {
					n++
				}
			}
			most = max(most, n)
		}
	}
	return most
}

// checkCount refuses a set of too many keys, skipped ones included.
func checkCount(n int) error {
	if n > maxKeys {
		return fmt.Errorf("%d keys in one set; at most %d are accepted", n, maxKeys)
	}
	return nil
}

// NoKeyError means that a source was read and has no usable key.
type NoKeyError struct {
	Skipped []Skipped // all of its keys
}

// Error names the first key that was left out, with the reason.
func (e *NoKeyError) Error() string {
	if len(e.Skipped) == 0 {
		return "no key in the set"
	}
	first := e.Skipped[0]
	text := "no usable key: " + first.Reason
	if first.ID != "" {
		text = fmt.Sprintf("no usable key: key %q: %s", first.ID, first.Reason)
	}
	if n := len(e.Skipped) - 1; n > 0 {
		text += fmt.Sprintf(" (and %d more)", n)
	}
	return text
}
