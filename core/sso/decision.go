package sso

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/more-retail/moresso-go/core/internal/verify"
)

// Decision is the answer of a permission: granted, denied, or failed if the permission could not
// decide. The zero value denies. A denial can carry an explanation for people and logs; clients
// never see it. A Decision is immutable.
type Decision struct {
	granted bool // false with an error
	detail  *detail
}

type detail struct {
	Details

	code, remedy string
	err          error      // of a failure
	by           Permission // a permission of the service that decided, for the log
}

// Details explain a [Decision]; see [Decision.With]. Every field is optional.
type Details struct {
	// Path is the path of the claim, Wanted describes the required value, and Found is the token's
	// value. Found is untrusted personal data.
	Path, Wanted string
	Found        Value
	// Scopes lists the missing OAuth scopes. [Config.TellScopes] says whether the client sees them.
	Scopes []string
	// ACRValues and MaxAge describe the login that turns the denial into a grant (RFC 9470).
	// ACRValues are the accepted authentication context class references, the preferred one first.
	// MaxAge is the maximum age of the login, rounded down to whole seconds. If nothing else is
	// missing the client gets 401 with `insufficient_user_authentication`.
	ACRValues []string
	MaxAge    time.Duration
	// Parts are the decisions that were combined. A grant needs all of them to grant, or one if
	// OneSuffices.
	Parts       []Decision
	OneSuffices bool
}

// Grant returns a decision that lets the request through.
func Grant() Decision { return Decision{granted: true} }

// Deny returns a decision that refuses the request. The code is a word for logs and tests, such as
// "wrong_value". The remedy says to people what would change the decision.
func Deny(code, remedy string) Decision {
	return Decision{detail: &detail{code: code, remedy: remedy}}
}

// Fail returns a decision for a permission that could not decide. The request is refused with 500
// and the error is logged. A failure is never a grant, and neither is its negation.
func Fail(err error) Decision {
	if err == nil {
		err = errors.New("sso: the permission failed without an error")
	}
	return Decision{detail: &detail{code: "failed", err: err}}
}

// With returns a copy of the decision with other details.
func (d Decision) With(details Details) Decision {
	return d.with(func(t *detail) { t.Details = details.clone() })
}

func (d Decision) with(change func(*detail)) Decision {
	changed := *d.get()
	change(&changed)
	d.detail = &changed
	return d
}

// Details returns a copy of the decision's details.
func (d Decision) Details() Details { return d.get().clone() }

func (t Details) clone() Details {
	t.Scopes, t.ACRValues, t.Parts = slices.Clone(t.Scopes), slices.Clone(t.ACRValues), slices.Clone(t.Parts)
	return t
}

var noDetail detail

func (d Decision) get() *detail {
	if d.detail == nil {
		return &noDetail
	}
	return d.detail
}

// Granted reports whether the decision is an explicit grant.
func (d Decision) Granted() bool { return d.granted }

// Err returns the error of a failure, which is never nil. It returns nil for a grant and a denial.
func (d Decision) Err() error { return d.get().err }

// Code returns the code of a denial, and "failed" for a failure. It is empty for a grant and for the
// zero value.
func (d Decision) Code() string { return d.get().code }

// Remedy returns what would change the decision, for people. It may be empty.
func (d Decision) Remedy() string { return d.get().remedy }

// Explain returns the reasons for the decision and what would change it, one line each, indented
// below the decision that they are part of. If one of several parts suffices, it lists those that
// need the fewest changes. It omits values of the token; see [Decision.ExplainWithValues].
func (d Decision) Explain() string { return strings.Join(d.lines(false), "\n") }

// ExplainWithValues is [Decision.Explain] with the values of the token. They are untrusted personal
// data: show them only to people who may see the token.
func (d Decision) ExplainWithValues() string { return strings.Join(d.lines(true), "\n") }

func (d Decision) lines(values bool) []string {
	list := []string{d.line(values)}
	shown := d.decisive()
	for _, part := range shown {
		for _, line := range part.lines(values) {
			list = append(list, "  "+line)
		}
	}
	switch n := len(d.get().Parts) - len(shown); {
	case n == 1:
		list = append(list, "  (1 alternative needs more)")
	case n > 1:
		list = append(list, fmt.Sprintf("  (%d alternatives need more)", n))
	}
	return list
}

// line formats the decision without its parts.
func (d Decision) line(values bool) string {
	t := d.get()
	text := "denied"
	switch {
	case d.granted:
		text = "granted"
	case t.err != nil:
		text = fmt.Sprintf("failed: %v", t.err) // %v survives an Error method that panics
	case t.code != "":
		text += ": " + t.code
	}
	if t.Path != "" {
		text += " at " + t.Path
	}
	if t.Wanted != "" {
		found := kindFound(t.Found)
		if values && t.Found.Exists() {
			found = verify.Clip(string(t.Found.v.AppendJSON(nil)))
		}
		text += ", wanted " + t.Wanted + ", found " + found
	}
	if t.remedy != "" && !d.granted {
		text += "; " + t.remedy
	}
	return text
}

// kindFound describes the type of a value of the token and omits the value.
func kindFound(v Value) string {
	switch kind := v.Kind(); kind {
	case "nothing", "null":
		return kind
	case "array", "object":
		return "an " + kind
	default:
		return "another " + kind
	}
}

// decisive returns the parts to explain: all of them, or the cheapest if one suffices.
func (d Decision) decisive() []Decision {
	t := d.get()
	if !t.OneSuffices || d.granted || t.err != nil {
		return t.Parts
	}
	least := d.cost()
	return slices.DeleteFunc(slices.Clone(t.Parts), func(part Decision) bool { return part.cost() != least })
}

// infeasible is the cost of a failure, which no change of the token fixes.
const infeasible = 1 << 20

// cost counts the changes that a grant needs.
func (d Decision) cost() int {
	t := d.get()
	switch {
	case d.granted:
		return 0
	case t.err != nil:
		return infeasible
	case len(t.Parts) == 0:
		return 1
	}
	sum, least := 0, infeasible
	for _, part := range t.Parts {
		c := part.cost()
		sum, least = min(sum+c, infeasible), min(least, c)
	}
	if t.OneSuffices {
		return least
	}
	return sum
}

// missingScopes returns the scopes that the token lacks. If one of several parts suffices, it
// returns those of the first part with the lowest cost that lacks scopes.
func (d Decision) missingScopes() []string {
	if d.granted {
		return nil
	}
	list := slices.Clone(d.get().Scopes)
	for _, part := range d.decisive() {
		scopes := part.missingScopes()
		for _, scope := range scopes {
			if !slices.Contains(list, scope) {
				list = append(list, scope)
			}
		}
		if d.get().OneSuffices && len(scopes) > 0 {
			break
		}
	}
	return list
}

// stepUp is a login that is required (RFC 9470); see [Details].
type stepUp struct {
	acrValues []string
	maxAge    time.Duration
}

func (s stepUp) required() bool { return len(s.acrValues) > 0 || s.maxAge > 0 }

// and returns the login that satisfies both; false if no login can.
func (s stepUp) and(other stepUp) (both stepUp, ok bool) {
	both = stepUp{slices.Concat(s.acrValues, other.acrValues), cmp.Or(min(s.maxAge, other.maxAge), s.maxAge, other.maxAge)}
	if len(s.acrValues) == 0 || len(other.acrValues) == 0 {
		return both, true
	}
	both.acrValues = slices.DeleteFunc(slices.Clone(s.acrValues), func(v string) bool { return !slices.Contains(other.acrValues, v) })
	return both, len(both.acrValues) > 0
}

// stepUp returns the login that would turn a denial into a grant; false if no login would. If one of
// several parts suffices, it returns the login of the first such part.
func (d Decision) stepUp() (needed stepUp, ok bool) {
	t := d.get()
	if d.granted || t.err != nil {
		return stepUp{}, false
	}
	if len(t.Parts) == 0 {
		needed = stepUp{slices.Clone(t.ACRValues), t.MaxAge}
		return needed, needed.required()
	}
	for _, part := range t.Parts {
		login, ok := part.stepUp()
		switch {
		case part.Granted(), t.OneSuffices && !ok:
			continue
		case t.OneSuffices:
			return login, true
		case ok:
			needed, ok = needed.and(login)
		}
		if !ok {
			return stepUp{}, false
		}
	}
	return needed, needed.required()
}
