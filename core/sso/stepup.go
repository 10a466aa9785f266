package sso

import (
	"slices"
	"time"
)

// StepUp is what a login lacks (RFC 9470): it is too old, or too weak. Whoever holds the token
// can mend that by signing in again.
type StepUp struct {
	// ACRValues lists the authentication context class references one of which is needed, in
	// order of preference; none: any will do.
	ACRValues []string
	// MaxAge is how long ago the login may be; zero: it does not matter. It is told in whole
	// seconds, rounded down.
	MaxAge time.Duration
}

func (s StepUp) wanted() bool { return len(s.ACRValues) > 0 || s.MaxAge > 0 }

// and is what satisfies both; false if nothing can.
func (s StepUp) and(other StepUp) (both StepUp, ok bool) {
	both = s
	switch {
	case len(s.ACRValues) == 0:
		both.ACRValues = other.ACRValues
	case len(other.ACRValues) > 0:
		both.ACRValues = nil
		for _, value := range s.ACRValues {
			if slices.Contains(other.ACRValues, value) {
				both.ACRValues = append(both.ACRValues, value)
			}
		}
		if len(both.ACRValues) == 0 {
			return StepUp{}, false
		}
	}
	if other.MaxAge > 0 && (both.MaxAge == 0 || other.MaxAge < both.MaxAge) {
		both.MaxAge = other.MaxAge
	}
	return both, true
}

// WithStepUp says of a denial that another login would turn it into a grant, and which. The
// client is told, if nothing else is missing: 401 with `insufficient_user_authentication`.
func (d Decision) WithStepUp(s StepUp) Decision {
	s.ACRValues = slices.Clone(s.ACRValues)
	return d.with(func(t *detail) { t.stepUp = s })
}

// StepUp tells which login alone would turn a denial into a grant; false if none would. Of
// alternatives it is the first for which one would.
func (d Decision) StepUp() (StepUp, bool) {
	t := d.get()
	if d.outcome != denied {
		return StepUp{}, false
	}
	if len(t.children) == 0 {
		s := t.stepUp
		s.ACRValues = slices.Clone(s.ACRValues)
		return s, s.wanted()
	}
	var needed StepUp
	for _, child := range t.children {
		if child.Granted() {
			continue
		}
		s, ok := child.StepUp()
		if t.alternatives {
			if ok {
				return s, true
			}
			continue
		}
		if ok {
			needed, ok = needed.and(s)
		}
		if !ok {
			return StepUp{}, false
		}
	}
	return needed, needed.wanted()
}
