package keys

import (
	"fmt"
	"slices"
	"time"
)

// maxKeys bounds one set. Real providers publish two to ten keys.
const maxKeys = 100

// Set is what a source held when it was asked. It is immutable once a source has returned it.
type Set struct {
	// Keys that can be used. [NewSet] has checked them.
	Keys []Key
	// Skipped tells which keys the source held besides and why they were left out.
	Skipped []Skipped
	// Issuer is the issuer identifier that a discovery document told; empty elsewhere.
	Issuer string
	// MaxAge is for how long the source says that its answer holds; zero: it does not say.
	MaxAge time.Duration
	// Fixed marks a set that cannot change, such as a PEM text: it is never asked for again.
	Fixed bool

	origin origin // what a conditional request needs next time
}

// Skipped is a key that was left out of a set, which happens to it alone: the others serve.
type Skipped struct {
	ID     string `json:"id,omitempty"` // the key id, empty if it has none
	Reason string `json:"reason"`       // for the operator
}

// NewSet checks keys and returns the set of those that can be used: unusable ones are left
// out, the same key given twice counts once, and different keys under one id that one
// algorithm could choose between are all left out, since no token could say which it means.
// It fails with a [NoKeyError] if no key remains, and if more than 100 are given. A [Source] of your
// own calls it. Usable are RSA keys of 2048 to 8192 bits, EC keys on P-256, P-384 and P-521, and
// Ed25519 keys, as far as nothing is known to be weak about them.
func NewSet(keys ...Key) (*Set, error) {
	return newSet(keys, nil)
}

func newSet(candidates []Key, skipped []Skipped) (*Set, error) {
	if err := countable(len(candidates) + len(skipped)); err != nil {
		return nil, err
	}
	set := &Set{Skipped: skipped}
	var usable []told
	for _, key := range candidates {
		if err := key.check(); err != nil {
			set.Skipped = append(set.Skipped, Skipped{key.ID, err.Error()})
			continue
		}
		usable = append(usable, told{key, key.identity()})
	}
	for i, key := range usable {
		switch {
		case slices.ContainsFunc(usable, key.rivals):
			set.Skipped = append(set.Skipped, Skipped{key.ID, "another key has the same id and fits the same algorithm"})
		case slices.ContainsFunc(usable[:i], func(other told) bool { return key.identity == other.identity }):
			// The same key once more.
		default:
			set.Keys = append(set.Keys, key.Key)
		}
	}
	if len(set.Keys) == 0 {
		return nil, &NoKeyError{set.Skipped}
	}
	return set, nil
}

// identity is all that tells one key from another.
type identity struct{ id, algorithm, thumbprint string }

func (k Key) identity() identity { return identity{k.ID, k.Algorithm, k.Thumbprint()} }

// told is a key with its identity, which is made once: of large keys that takes time.
type told struct {
	Key
	identity
}

// rivals are different keys that one token could mean by one key id. Keys without an id are
// never named by a token, so they are tried in turn instead.
func (k told) rivals(other told) bool {
	if k.ID == "" || k.ID != other.ID || k.thumbprint == other.thumbprint {
		return false
	}
	return slices.ContainsFunc(Algorithms(), func(alg string) bool { return k.Fits(alg) && other.Fits(alg) })
}

// countable says whether a set may hold so many keys, those that are left out among them.
func countable(n int) error {
	if n > maxKeys {
		return fmt.Errorf("%d keys in one set; at most %d are accepted", n, maxKeys)
	}
	return nil
}

// NoKeyError means that a source was read and holds no key that can be used.
type NoKeyError struct {
	Skipped []Skipped // what it holds instead, all of it; none: nothing at all
}

// Error names the first key that was left out, and why.
func (e *NoKeyError) Error() string {
	if len(e.Skipped) == 0 {
		return "no key in the set"
	}
	return "no usable key: " + describe(e.Skipped)
}

func describe(skipped []Skipped) string {
	s := skipped[0]
	text := s.Reason
	if s.ID != "" {
		text = fmt.Sprintf("key %q: %s", s.ID, s.Reason)
	}
	if n := len(skipped) - 1; n > 0 {
		text += fmt.Sprintf(" (and %d more)", n)
	}
	return text
}
