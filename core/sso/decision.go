package sso

import (
	"errors"
	"fmt"
	"slices"
	"strings"
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
	err          error
	children     []Decision
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

// Err is why the question could not be answered; nil if it could.
func (d Decision) Err() error {
	if d.outcome != failed {
		return nil
	}
	return d.detail.err
}

// Code says in a word why the request is refused; empty for a grant and for a bare denial.
func (d Decision) Code() string { return d.get().code }

// Remedy says what would change the answer.
func (d Decision) Remedy() string { return d.get().remedy }

// Path is where the permission looked in the claims.
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

// WithChildren names the decisions that this one was made of.
func (d Decision) WithChildren(children ...Decision) Decision {
	return d.with(func(t *detail) { t.children = slices.Clone(children) })
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

// missingScopes collects the scopes whose lack the decision rests on.
func (d Decision) missingScopes() []string {
	if d.outcome == granted {
		return nil
	}
	list := slices.Clone(d.get().scopes)
	for _, child := range d.get().children {
		for _, scope := range child.missingScopes() {
			if !slices.Contains(list, scope) {
				list = append(list, scope)
			}
		}
	}
	return list
}

// Explain tells a person why: one line for each reason, indented below what it is part of.
// Values out of the token are left out.
func (d Decision) Explain() string {
	var b strings.Builder
	d.explain(&b, 0)
	return strings.TrimSuffix(b.String(), "\n")
}

func (d Decision) explain(b *strings.Builder, depth int) {
	b.WriteString(strings.Repeat("  ", depth))
	b.WriteString(d.line())
	b.WriteByte('\n')
	for _, child := range d.get().children {
		child.explain(b, depth+1)
	}
}

// line is the decision itself, without its children.
func (d Decision) line() string {
	t := d.get()
	var b strings.Builder
	switch d.outcome {
	case granted:
		b.WriteString("granted")
	case failed:
		fmt.Fprintf(&b, "failed: %v", t.err) // %v survives an Error method that panics
	default:
		b.WriteString("denied")
	}
	if t.code != "" && d.outcome == denied {
		b.WriteString(": " + t.code)
	}
	if t.path != "" {
		b.WriteString(" at " + t.path)
	}
	if t.wanted != "" {
		b.WriteString(", wanted " + t.wanted)
		b.WriteString(", found " + foundKind(t.found))
	}
	if t.remedy != "" && d.outcome != granted {
		b.WriteString("; " + t.remedy)
	}
	return b.String()
}

// foundKind tells the type of what a token held and not the value.
func foundKind(v Value) string {
	switch kind := v.Kind(); kind {
	case "nothing", "null":
		return kind
	case "array", "object":
		return "an " + kind
	default:
		return "another " + kind
	}
}

// summary is the decision in one line, for errors.
func (d Decision) summary() string {
	return strings.ReplaceAll(d.Explain(), "\n", "; ")
}
