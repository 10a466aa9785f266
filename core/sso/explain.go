package sso

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Explain tells a person why, and what would change it: one line for each reason, indented
// below what it is part of. Where one of several alternatives would do, it tells those that
// need the least. Values out of the token are left out; see [Decision.ExplainWithValues].
func (d Decision) Explain() string { return d.explained(false) }

// ExplainWithValues is [Decision.Explain] with what the token held. That is personal data, and
// written by whoever made the token: it is for the eyes of somebody who may see the token.
func (d Decision) ExplainWithValues() string { return d.explained(true) }

func (d Decision) explained(values bool) string {
	var b strings.Builder
	d.explain(&b, 0, values)
	return strings.TrimSuffix(b.String(), "\n")
}

func (d Decision) explain(b *strings.Builder, depth int, values bool) {
	write := func(depth int, line string) {
		b.WriteString(strings.Repeat("  ", depth) + line + "\n")
	}
	write(depth, d.line(values))
	told := d.decisive()
	for _, child := range told {
		child.explain(b, depth+1, values)
	}
	switch n := len(d.get().children) - len(told); n {
	case 0:
	case 1:
		write(depth+1, "(1 alternative needs more)")
	default:
		write(depth+1, fmt.Sprintf("(%d alternatives need more)", n))
	}
}

// decisive are the children that have to be told: all, or the cheapest of the alternatives.
func (d Decision) decisive() []Decision {
	t := d.get()
	if !t.alternatives || d.outcome != denied {
		return t.children
	}
	least := math.MaxInt
	for _, child := range t.children {
		least = min(least, child.cost())
	}
	var cheapest []Decision
	for _, child := range t.children {
		if child.cost() == least {
			cheapest = append(cheapest, child)
		}
	}
	return cheapest
}

// hopeless is the cost of what no change of the token mends.
const hopeless = 1 << 20

// cost counts what has to change for a grant.
func (d Decision) cost() int {
	t := d.get()
	switch {
	case d.outcome == granted:
		return 0
	case d.outcome == failed:
		return hopeless
	case len(t.children) == 0:
		return 1
	}
	sum, least := 0, hopeless
	for _, child := range t.children {
		c := child.cost()
		sum, least = min(sum+c, hopeless), min(least, c)
	}
	if t.alternatives {
		return least
	}
	return sum
}

// missingScopes collects the scopes that would help: all that are needed, but of alternatives
// those of one, the cheapest that wants for scopes.
func (d Decision) missingScopes() []string {
	if d.outcome == granted {
		return nil
	}
	list := slices.Clone(d.get().scopes)
	for _, child := range d.decisive() {
		scopes := child.missingScopes()
		for _, scope := range scopes {
			if !slices.Contains(list, scope) {
				list = append(list, scope)
			}
		}
		if d.get().alternatives && len(scopes) > 0 {
			break
		}
	}
	return list
}

// line is the decision itself, without its children.
func (d Decision) line(values bool) string {
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
		if values && t.found.Exists() {
			b.WriteString(", found " + clipped(t.found.String()))
		} else {
			b.WriteString(", found " + foundKind(t.found))
		}
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
