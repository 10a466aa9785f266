package permission

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/more-retail/moresso-go/core/internal/protect"
	"github.com/more-retail/moresso-go/core/sso"
)

// A node is a permission of this package other than [Func]: a leaf, or a combination of parts.
type node struct {
	operator string
	parts    []sso.Permission // of a combination

	// The fields of a leaf. It fails only if holds panics, as [sso.Access.PathValue] does.
	text         string // as Parse reads it
	holds        func(sso.Access) bool
	deny         func(sso.Access) sso.Decision // explains why it does not hold
	readsRequest bool
	readsClock   bool
	byAbsence    bool // a token without claims satisfies it
}

// The operators, as Go writes them. That of a leaf is empty.
const (
	notOf = "!"
	allOf = " && "
	anyOf = " || "
)

// All requires every one of the permissions. One denial denies, even if another permission fails.
// Without a denial, one failure fails. All permissions are checked, in order, so that a denial lists
// everything that is missing. All of one permission is that permission. It panics without a
// permission or for a nil one.
func All(permissions ...sso.Permission) sso.Permission {
	return combined("All", allOf, permissions)
}

// Any requires one of the permissions. They are checked in order until one grants, so put the cheap
// ones first. If none grants and one fails, Any fails, because that one might have granted. Otherwise
// the denial lists the alternatives that need the fewest changes. Any of one permission is that
// permission. It panics without a permission and for a nil one.
func Any(permissions ...sso.Permission) sso.Permission {
	return combined("Any", anyOf, permissions)
}

// Not requires that a permission denies. A failure stays a failure. A denial names the leaves that
// forbid. No login fixes it: Not(FreshLogin(…)) is refused with 403. It panics for a nil permission.
//
// Not of a comparison grants for every other value: Not(Claim("suspended", true)) grants for "true".
// Use [Absent] for a claim that must not be there. Not alone grants access to callers without
// claims. A route must therefore require another permission too; see [ForRoute].
func Not(p sso.Permission) sso.Permission {
	return combined("Not", notOf, []sso.Permission{p})
}

// ForRoute returns what an adapter's Require checks: all of the permissions. It is for authors of
// adapters. It panics as [All] does, and also if a token without any claims would satisfy the
// permissions, as it satisfies Not(…) or Absent(…) alone. It assumes that a permission of another type does not
// grant to such a token.
func ForRoute(p sso.Permission, more ...sso.Permission) sso.Permission {
	required := combined("Require", allOf, append([]sso.Permission{p}, more...))
	if grantsToAnyone(required) {
		panic(fmt.Sprintf("permission: %s alone grants access without any claim: combine it with another permission, such as permission.Authenticated()", Describe(required)))
	}
	return required
}

// grantsToAnyone reports whether p grants to a token without claims.
func grantsToAnyone(p sso.Permission) bool {
	n, ok := p.(*node)
	switch {
	case !ok:
		return false
	case n.operator == "":
		return n.byAbsence
	case n.operator == notOf:
		return !grantsToAnyone(n.parts[0])
	case n.operator == anyOf:
		return slices.ContainsFunc(n.parts, grantsToAnyone)
	}
	return !slices.ContainsFunc(n.parts, func(part sso.Permission) bool { return !grantsToAnyone(part) })
}

func combined(function, operator string, parts []sso.Permission) sso.Permission {
	if len(parts) == 0 {
		panic("permission: " + function + " without a permission")
	}
	for _, p := range parts {
		if p == nil {
			panic("permission: " + function + " with a nil permission")
		}
		if v := reflect.ValueOf(p); (v.Kind() == reflect.Pointer || v.Kind() == reflect.Func) && v.IsNil() {
			panic(fmt.Sprintf("permission: %s with a nil %T", function, p))
		}
	}
	if len(parts) == 1 && operator != notOf {
		return parts[0]
	}
	return &node{operator: operator, parts: slices.Clone(parts)}
}

// Check implements [sso.Permission].
func (n *node) Check(ctx context.Context, access sso.Access) sso.Decision {
	e := evaluation{access: access}
	if d := e.decide(ctx, n, true); d.Granted() {
		return d
	}
	e.explain, e.next = true, 0
	return e.decide(ctx, n, true)
}

// ExplainsItself says that the log need not name the permission; see [sso.Check].
func (*node) ExplainsItself() {}

// An evaluation decides about one access. A grant needs no explanation and allocates nothing. Any
// other decision is made a second time to explain it, from the same answers: nothing is checked
// twice.
type evaluation struct {
	access  sso.Access
	explain bool             // the second run
	next    int              // the number of answers so far
	answers [16]sso.Decision // the first ones
	more    []sso.Decision
}

// decide evaluates p, or its negation unless wanted. A negation moves to the leaves by De Morgan's
// laws, which hold in three-valued logic too: that of All is Any of the negations. A denial therefore
// names the leaves that forbid.
func (e *evaluation) decide(ctx context.Context, p sso.Permission, wanted bool) sso.Decision {
	n, ok := p.(*node)
	switch {
	case ok && n.operator == notOf:
		return e.decide(ctx, n.parts[0], !wanted)
	case ok && n.operator != "":
		return e.combine(ctx, n.parts, wanted, (n.operator == anyOf) == wanted)
	}
	d := e.answer(ctx, p)
	switch {
	case d.Err() != nil, d.Granted() && wanted:
		return d
	case !d.Granted() && !wanted:
		return sso.Grant()
	case !e.explain:
		return sso.Decision{}
	case !wanted:
		return sso.Deny("forbidden", "this must not hold: "+Describe(p))
	case ok:
		return n.deny(e.access)
	}
	return d
}

// combine decides about the parts of a combination.
func (e *evaluation) combine(ctx context.Context, parts []sso.Permission, wanted, oneSuffices bool) sso.Decision {
	var (
		unmet   []sso.Decision // for the explanation
		failure error
		denied  bool
	)
	for _, p := range parts {
		d := e.decide(ctx, p, wanted)
		switch {
		case d.Granted() && oneSuffices:
			return d
		case d.Granted():
			continue
		case d.Err() == nil:
			denied = true
		case failure == nil:
			failure = d.Err()
		}
		if e.explain {
			unmet = append(unmet, d)
		}
	}
	details := sso.Details{Parts: unmet, OneSuffices: oneSuffices}
	switch {
	case failure != nil && (oneSuffices || !denied): // a grant might have decided
		return sso.Fail(failure).With(details)
	case !denied:
		return sso.Grant()
	case !e.explain:
		return sso.Decision{}
	case oneSuffices:
		return sso.Deny("unmet", "one of these is needed").With(details)
	case len(unmet) == 1:
		return unmet[0]
	}
	return sso.Deny("unmet", "each of these is needed").With(details)
}

// answer returns the decision of a leaf, without an explanation, or of a permission of another type.
func (e *evaluation) answer(ctx context.Context, p sso.Permission) (d sso.Decision) {
	i, at := e.next, e.next-len(e.answers)
	e.next++
	switch n, ok := p.(*node); {
	case e.explain && at < 0:
		return e.answers[i]
	case e.explain:
		return e.more[at]
	case !ok:
		d = sso.Check(ctx, p, e.access)
	case n.readsRequest: // which may panic
		var holds bool
		if err := protect.Run(func() { holds = n.holds(e.access) }); err != nil {
			d = sso.Fail(fmt.Errorf("%s: %w", n, err))
		} else if holds {
			d = sso.Grant()
		}
	case n.holds(e.access):
		d = sso.Grant()
	}
	if at < 0 {
		e.answers[i] = d
	} else {
		e.more = append(e.more, d)
	}
	return d
}

// Parts returns the permissions that [All], [Any] and [Not] combine, and nothing for any other
// permission.
func Parts(p sso.Permission) []sso.Permission {
	if n, ok := p.(*node); ok {
		return slices.Clone(n.parts)
	}
	return nil
}

// Reads reports whether the decision of a permission may depend on the request, and whether it may
// change with time. A decision that depends on the request must not be reused for another request, as
// API Gateway does with that of a Lambda authorizer; one that changes with time must not be reused at
// all. [SameAsPath] and [Func] read the request, [FreshLogin] reads the clock, and a combination reads
// what its parts read. A permission of another type reads the request, unless its method
// ReadsRequest() bool returns false, and does not read the clock, unless its method ReadsClock() bool
// returns true.
func Reads(p sso.Permission) (request, clock bool) {
	n, ok := p.(*node)
	if !ok {
		r, hasRequest := p.(interface{ ReadsRequest() bool })
		c, hasClock := p.(interface{ ReadsClock() bool })
		return !hasRequest || r.ReadsRequest(), hasClock && c.ReadsClock()
	}
	request, clock = n.readsRequest, n.readsClock
	for _, part := range n.parts {
		r, c := Reads(part)
		request, clock = request || r, clock || c
	}
	return request, clock
}

// Describe returns a permission as text, for audits, documentation and logs. [Parse] reads it, except
// for what is code: a [Func], and a permission of another type, which appears as its String method
// returns it or else as the name of its type.
func Describe(p sso.Permission) string {
	if s, ok := p.(fmt.Stringer); ok {
		return s.String()
	}
	return fmt.Sprintf("%T", p)
}

// String implements [fmt.Stringer]; see [Describe].
func (n *node) String() string {
	switch n.operator {
	case "":
		return n.text
	case notOf:
		return "!" + Describe(n.parts[0])
	}
	parts := make([]string, len(n.parts))
	for i, p := range n.parts {
		parts[i] = Describe(p)
	}
	return "(" + strings.Join(parts, n.operator) + ")"
}

// call returns a leaf as text, with its arguments in Go's syntax where it has one.
func call(name string, arguments ...sso.Value) string {
	list := make([]string, len(arguments))
	for i, v := range arguments {
		text, isText := v.Text()
		switch {
		case isText:
			list[i] = strconv.Quote(text)
		case v.Kind() == "array" || v.Kind() == "object":
			list[i] = "json(" + strconv.Quote(v.String()) + ")"
		default:
			list[i] = v.String()
		}
	}
	return name + "(" + strings.Join(list, ", ") + ")"
}

// texts returns strings as values.
func texts(list ...string) []sso.Value {
	values := make([]sso.Value, len(list))
	for i, text := range list {
		values[i], _ = sso.ValueOf(text) // a string has a JSON form
	}
	return values
}
