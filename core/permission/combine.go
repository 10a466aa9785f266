package permission

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"github.com/more-retail/moresso-go/core/sso"
)

// All demands every one of the permissions. One denial denies, even beside a failure; a
// failure beside grants fails. All of them are asked, in order, also after one that denied, so
// that a denial names everything that is missing; where that is more than one thing its code is
// [CodeUnmet]. All of one permission is that permission. It panics without a permission and for a
// nil one.
func All(permissions ...sso.Permission) sso.Permission {
	return combined("All", permissions, allOf)
}

func allOf(list []sso.Permission) sso.Permission { return all(list) }

// Any demands one of the permissions, asked in order up to the first that grants, so that the
// cheap ones stand best in front. Where none grants, a failure among them fails, since it might
// have been the grant; else the denial has the code [CodeUnmet] and explains the alternatives that
// need the least. Any of one permission is that permission. It panics without a permission and for
// a nil one.
func Any(permissions ...sso.Permission) sso.Permission {
	return combined("Any", permissions, func(list []sso.Permission) sso.Permission { return anyOf(list) })
}

// Not demands that a permission denies. A failure stays a failure: what cannot be told never
// grants. A denial names the leaves that forbid, with the code [CodeForbidden]. No login mends it:
// Not(FreshLogin(…)) is answered with 403. It panics for a nil permission.
//
// Not alone would open a route to whoever merely lacks something; a route therefore has to
// demand something positive beside it (see [ForRoute]).
func Not(p sso.Permission) sso.Permission {
	mustBeSet("Not", p)
	return &not{written: p, meant: negation(p)}
}

// IfElse demands one permission where a condition is granted, and another where it is denied. The
// branch that does not count is not asked. A condition that fails, fails. A denial has the code
// [CodeUnmet] and explains the branch that counted. It panics for a nil permission.
func IfElse(condition, then, otherwise sso.Permission) sso.Permission {
	for _, p := range []sso.Permission{condition, then, otherwise} {
		mustBeSet("IfElse", p)
	}
	return &ifElse{condition, then, otherwise}
}

// ForRoute is what an adapter's Require demands: all of the permissions. It is for whoever writes
// an adapter; a route's own code has no need of it. It panics, as [All] does but in the name of
// Require, and also if they could be granted without anything that speaks for the caller, as Not(…)
// or [Method] alone would be. A permission of your own counts as speaking for the caller.
func ForRoute(p sso.Permission, more ...sso.Permission) sso.Permission {
	demanded := combined("Require", append([]sso.Permission{p}, more...), allOf)
	if !evidenceOf(demanded).toGrant {
		panic(fmt.Sprintf("permission: %s would be granted to whoever merely lacks something: demand something positive beside it, permission.Authenticated() at least", Describe(demanded)))
	}
	return demanded
}

func combined(function string, list []sso.Permission, combine func([]sso.Permission) sso.Permission) sso.Permission {
	if len(list) == 0 {
		panic("permission: " + function + " without a permission")
	}
	for _, p := range list {
		mustBeSet(function, p)
	}
	if len(list) == 1 {
		return list[0]
	}
	return combine(slices.Clone(list))
}

func mustBeSet(function string, p sso.Permission) {
	if p == nil {
		panic("permission: " + function + " with a nil permission")
	}
	if v := reflect.ValueOf(p); (v.Kind() == reflect.Pointer || v.Kind() == reflect.Func) && v.IsNil() {
		panic(fmt.Sprintf("permission: %s with a nil %T", function, p))
	}
}

type all []sso.Permission

func (list all) Check(ctx context.Context, access sso.Access) sso.Decision {
	if granted, known := quickly(list, access, false); granted && known {
		return sso.Grant()
	}
	for i, p := range list {
		if d := sso.Check(ctx, p, access); !d.Granted() {
			return list.unmet(ctx, access, i, d)
		}
	}
	return sso.Grant()
}

// unmet goes on after the first that did not grant, to name all that is missing.
func (list all) unmet(ctx context.Context, access sso.Access, at int, first sso.Decision) sso.Decision {
	unmet := []sso.Decision{first}
	for _, p := range list[at+1:] {
		if d := sso.Check(ctx, p, access); !d.Granted() {
			unmet = append(unmet, d)
		}
	}
	failure := slices.IndexFunc(unmet, func(d sso.Decision) bool { return d.Err() != nil })
	if denial := slices.ContainsFunc(unmet, func(d sso.Decision) bool { return d.Err() == nil }); !denial {
		return sso.Fail(unmet[failure].Err()).WithChildren(unmet...)
	}
	if len(unmet) == 1 {
		return unmet[0]
	}
	return sso.Deny(CodeUnmet, "each of these is needed").WithChildren(unmet...)
}

func (list all) describe() description {
	return description{Kind: kindAll, Children: describeAll(list)}
}

func (list all) String() string { return Describe(list) }

type anyOf []sso.Permission

func (list anyOf) Check(ctx context.Context, access sso.Access) sso.Decision {
	if granted, known := quickly(list, access, true); granted && known {
		return sso.Grant()
	}
	var unmet []sso.Decision
	for _, p := range list {
		d := sso.Check(ctx, p, access)
		if d.Granted() {
			return d
		}
		unmet = append(unmet, d)
	}
	for _, d := range unmet {
		if d.Err() != nil {
			return sso.Fail(d.Err()).WithChildren(unmet...)
		}
	}
	return sso.Deny(CodeUnmet, "one of these is needed").WithAlternatives(unmet...)
}

func (list anyOf) describe() description {
	return description{Kind: kindAny, Children: describeAll(list)}
}

func (list anyOf) String() string { return Describe(list) }

// A not is kept as it was written, for people, and as it is meant, with the negation at the
// leaves: a denial then names the leaves that forbid, and of several ways out the cheapest.
type not struct{ written, meant sso.Permission }

func (p *not) Check(ctx context.Context, access sso.Access) sso.Decision {
	if grants(p.meant, access) {
		return sso.Grant()
	}
	return sso.Check(ctx, p.meant, access)
}

func (p *not) describe() description {
	return description{Kind: kindNot, Children: []description{describe(p.written)}}
}

func (p *not) String() string { return Describe(p) }

// negation moves a Not to the leaves (De Morgan's laws, which hold in three-valued logic too).
func negation(p sso.Permission) sso.Permission {
	switch p := p.(type) {
	case *not:
		return p.written
	case all:
		return anyOf(negations(p))
	case anyOf:
		return all(negations(p))
	case *ifElse:
		return &ifElse{p.condition, negation(p.then), negation(p.otherwise)}
	}
	return &forbidden{p, Describe(p)}
}

func negations(list []sso.Permission) []sso.Permission {
	negated := make([]sso.Permission, len(list))
	for i, p := range list {
		negated[i] = negation(p)
	}
	return negated
}

// forbidden is a leaf that must not grant.
type forbidden struct {
	leaf sso.Permission
	text string
}

func (p *forbidden) Check(ctx context.Context, access sso.Access) sso.Decision {
	switch d := sso.Check(ctx, p.leaf, access); {
	case d.Err() != nil:
		return d
	case d.Granted():
		return sso.Deny(CodeForbidden, "this must not be so: "+p.text)
	default:
		return sso.Grant()
	}
}

type ifElse struct{ condition, then, otherwise sso.Permission }

func (p *ifElse) Check(ctx context.Context, access sso.Access) sso.Decision {
	if grants(p, access) {
		return sso.Grant()
	}
	d := sso.Check(ctx, p.condition, access)
	next, holds := p.otherwise, "does not hold"
	switch {
	case d.Err() != nil:
		return d
	case d.Granted():
		next, holds = p.then, "holds"
	}
	d = sso.Check(ctx, next, access)
	if d.Granted() || d.Err() != nil {
		return d
	}
	return sso.Deny(CodeUnmet, fmt.Sprintf("this is needed, since %s %s", Describe(p.condition), holds)).WithChildren(d)
}

func (p *ifElse) describe() description {
	return description{Kind: kindIfElse, Children: describeAll([]sso.Permission{p.condition, p.then, p.otherwise})}
}

func (p *ifElse) String() string { return Describe(p) }

// A leaf of this package can be asked twice: it looks at nothing but the access, and neither
// fails nor panics.
type leaf interface{ holds(sso.Access) bool }

// grants is the quick way to a grant, which spares the explanations of what was denied on the
// way: it asks nothing but leaves of this package, and none outside of them.
func grants(p sso.Permission, access sso.Access) bool {
	granted, known := quick(p, access)
	return granted && known
}

// quick decides what rests on leaves of this package alone; known is false for all else.
func quick(p sso.Permission, access sso.Access) (granted, known bool) {
	switch p := p.(type) {
	case leaf:
		return p.holds(access), true
	case *not:
		return quick(p.meant, access)
	case *forbidden:
		granted, known = quick(p.leaf, access)
		return !granted, known
	case *ifElse:
		switch granted, known = quick(p.condition, access); {
		case !known:
			return false, false
		case granted:
			return quick(p.then, access)
		}
		return quick(p.otherwise, access)
	case all:
		return quickly(p, access, false)
	case anyOf:
		return quickly(p, access, true)
	}
	return false, false
}

// quickly asks up to the first answer that decides.
func quickly(list []sso.Permission, access sso.Access, decisive bool) (granted, known bool) {
	for _, p := range list {
		switch granted, known = quick(p, access); {
		case !known:
			return false, false
		case granted == decisive:
			return granted, true
		}
	}
	return !decisive, true
}

// evidence tells what a permission rests on: whether something that speaks for the caller has
// to be there for it to grant, and for it to deny.
type evidence struct{ toGrant, toDeny bool }

// evidenceOf knows the combinations, and that a method speaks for nobody; every other leaf, and
// every type of yours, grants on evidence.
func evidenceOf(p sso.Permission) evidence {
	switch p := p.(type) {
	case method:
		return evidence{}
	case *not:
		return evidenceOf(p.meant)
	case *forbidden:
		e := evidenceOf(p.leaf)
		return evidence{toGrant: e.toDeny, toDeny: e.toGrant}
	case *ifElse: // (condition and then) or (not condition and otherwise)
		c, t, o := evidenceOf(p.condition), evidenceOf(p.then), evidenceOf(p.otherwise)
		return evidence{
			toGrant: (c.toGrant || t.toGrant) && (c.toDeny || o.toGrant),
			toDeny:  (c.toGrant || t.toDeny) && (c.toDeny || o.toDeny),
		}
	case all: // granted by every child, denied by any
		e := evidence{toGrant: false, toDeny: true}
		for _, child := range p {
			c := evidenceOf(child)
			e.toGrant, e.toDeny = e.toGrant || c.toGrant, e.toDeny && c.toDeny
		}
		return e
	case anyOf: // granted by any child, denied by every
		e := evidence{toGrant: true, toDeny: false}
		for _, child := range p {
			c := evidenceOf(child)
			e.toGrant, e.toDeny = e.toGrant && c.toGrant, e.toDeny || c.toDeny
		}
		return e
	}
	return evidence{toGrant: true}
}
