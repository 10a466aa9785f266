package sso

import (
	"errors"
	"slices"
)

// Decision is what a permission answers: granted, denied, or failed where it could not tell.
// The zero value denies. A denial can carry an explanation, for people and logs; clients never
// see it. A Decision is immutable: the methods that begin with With return a changed copy.
type Decision struct {
	outcome outcome
	detail  *detail
}

type outcome uint8

const (
	denied outcome = iota // the zero value denies
	granted
	failed
)

type detail struct {
	code, remedy string
	path         string
	wanted       string
	found        Value
	scopes       []string
	stepUp       StepUp
	err          error
	children     []Decision
	by           string // the permission of the service's own that decided so, for the log
	alternatives bool   // one of the children would do; else each of them is needed
}

// Grant lets the request through.
func Grant() Decision { return Decision{outcome: granted} }

// Deny refuses. The code says in a word what is missing, for logs and tests ("wrong_value");
// the remedy says to a person what would change the answer.
func Deny(code, remedy string) Decision {
	return Decision{detail: &detail{code: code, remedy: remedy}}
}

// Fail says that the question could not be answered: the request is refused with 500 and the
// error is logged. It is never a grant, nor does its negation become one.
func Fail(err error) Decision {
	if err == nil {
		err = errors.New("sso: a permission failed without saying why")
	}
	return Decision{outcome: failed, detail: &detail{code: "failed", err: err}}
}

// Granted reports whether this is an explicit grant.
func (d Decision) Granted() bool { return d.outcome == granted }

// Err is why the question could not be answered; nil for a grant and a denial, and never nil for a
// decision that [Fail] made.
func (d Decision) Err() error {
	if d.outcome != failed {
		return nil
	}
	return d.detail.err
}

// Code says in a word why the request is refused; empty for a grant and for a bare denial.
func (d Decision) Code() string { return d.get().code }

// Remedy says to a person what would change the answer; empty if nobody said.
func (d Decision) Remedy() string { return d.get().remedy }

// Path is where the permission looked in the claims; empty if it did not say.
func (d Decision) Path() string { return d.get().path }

// Wanted is what the permission wanted to find there, written for people.
func (d Decision) Wanted() string { return d.get().wanted }

// Found is what the token held there. It comes from the token: mind where you print it.
func (d Decision) Found() Value { return d.get().found }

// Children are the decisions that this one was made of.
func (d Decision) Children() []Decision { return slices.Clone(d.get().children) }

// WithValue says where the permission looked, what it wanted and what it found.
func (d Decision) WithValue(path, wanted string, found Value) Decision {
	return d.with(func(t *detail) { t.path, t.wanted, t.found = path, wanted, found })
}

// WithScopes names the OAuth scopes that are missing. The client is told them only with
// [Config.TellScopes].
func (d Decision) WithScopes(scopes ...string) Decision {
	return d.with(func(t *detail) { t.scopes = slices.Clone(scopes) })
}

// WithChildren names the decisions that this one was made of, each of which has to turn into a
// grant for this one to.
func (d Decision) WithChildren(children ...Decision) Decision {
	return d.with(func(t *detail) { t.children, t.alternatives = slices.Clone(children), false })
}

// WithAlternatives names the decisions that this one was made of, one of which has to turn into
// a grant for this one to.
func (d Decision) WithAlternatives(children ...Decision) Decision {
	return d.with(func(t *detail) { t.children, t.alternatives = slices.Clone(children), true })
}

var noDetail detail

func (d Decision) get() *detail {
	if d.detail == nil {
		return &noDetail
	}
	return d.detail
}

func (d Decision) with(change func(*detail)) Decision {
	changed := *d.get()
	change(&changed)
	d.detail = &changed
	return d
}
