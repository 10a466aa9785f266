package permission

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/more-retail/moresso-go/core/sso"
)

// All demands every one of the permissions. One denial denies, even beside a failure; a
// failure beside grants fails. All of them are asked unless the first grants were all there
// is, so that a denial names everything that is missing. It panics without a permission and
// for a nil one.
func All(permissions ...sso.Permission) sso.Permission {
	return combined("All", permissions, func(list []sso.Permission) sso.Permission { return all(list) })
}

// Any demands one of the permissions, asked in order up to the first that grants. Where none
// does, a failure among them fails. It panics without a permission and for a nil one.
func Any(permissions ...sso.Permission) sso.Permission {
	return combined("Any", permissions, func(list []sso.Permission) sso.Permission { return anyOf(list) })
}

// Not demands that a permission denies. A failure stays a failure: what cannot be told never
// grants. It panics for a nil permission.
//
// Not alone would open a route to whoever merely lacks something; a route therefore has to
// demand something positive beside it (see [ForRoute]).
func Not(p sso.Permission) sso.Permission {
	mustBeSet("Not", p)
	return not{p}
}

// ForRoute is what an adapter's Require demands: all of the permissions. It panics, as [All]
// does, and also if they could be granted without anything that speaks for the caller, as
// Not(…) alone would be.
func ForRoute(p sso.Permission, more ...sso.Permission) sso.Permission {
	demanded := All(append([]sso.Permission{p}, more...)...)
	if !evidenceOf(demanded).toGrant {
		panic(fmt.Sprintf("permission: %v would be granted to whoever merely lacks something: demand something positive beside it", demanded))
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

func (list all) String() string { return join(list, " && ") }

type anyOf []sso.Permission

func (list anyOf) Check(ctx context.Context, access sso.Access) sso.Decision {
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
	return sso.Deny(CodeUnmet, "one of these is needed").WithChildren(unmet...)
}

func (list anyOf) String() string { return join(list, " || ") }

type not struct{ sso.Permission }

func (p not) Check(ctx context.Context, access sso.Access) sso.Decision {
	switch d := sso.Check(ctx, p.Permission, access); {
	case d.Err() != nil:
		return d
	case d.Granted():
		return sso.Deny(CodeForbidden, fmt.Sprintf("the token must not hold %v", text(p.Permission)))
	default:
		return sso.Grant()
	}
}

func (p not) String() string { return "!" + text(p.Permission) }

func join[P ~[]sso.Permission](list P, operator string) string {
	parts := make([]string, len(list))
	for i, p := range list {
		parts[i] = text(p)
	}
	return "(" + strings.Join(parts, operator) + ")"
}

// text describes a permission; one of your own by its String method or else its type.
func text(p sso.Permission) string {
	if s, ok := p.(fmt.Stringer); ok {
		return s.String()
	}
	return fmt.Sprintf("%T", p)
}

// evidence tells what a permission rests on: whether something that speaks for the caller has
// to be there for it to grant, and for it to deny.
type evidence struct{ toGrant, toDeny bool }

// evidenceOf knows the combinations; every leaf, and every type of yours, grants on evidence.
func evidenceOf(p sso.Permission) evidence {
	switch p := p.(type) {
	case not:
		e := evidenceOf(p.Permission)
		return evidence{toGrant: e.toDeny, toDeny: e.toGrant}
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
