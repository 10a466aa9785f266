package sso

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"
)

// Permission is something that a route can demand. Package permission has the usual ones; a
// type of your own needs this one method.
//
// Check must be safe for concurrent use. It gets the request's context, so it may call a
// database. What it cannot decide it answers with [Fail]; a panic counts as that too.
type Permission interface {
	// Check decides about one access: [Grant], [Deny] or [Fail]. What asks it is the function
	// [Check], which makes a failure of a panic and of an answer after the end of ctx.
	Check(ctx context.Context, access Access) Decision
}

// Access is what a permission decides about: the principal, and what is known of the request.
type Access struct {
	principal *Principal
	request   Request
}

// NewAccess describes an access. Request may be nil where there is none. It is for tests of
// permissions, and for code that asks a permission outside of a request.
func NewAccess(principal *Principal, request Request) Access {
	return Access{principal: principal, request: request}
}

// Principal is whom the token speaks for. It may be nil, and a nil [Principal] answers every
// question with nothing.
func (a Access) Principal() *Principal { return a.principal }

// Method is the HTTP method; empty outside of a request.
func (a Access) Method() string {
	if a.request == nil {
		return ""
	}
	return a.request.Method()
}

// Pattern is the route as registered, in the framework's notation; empty if unknown.
func (a Access) Pattern() string {
	if a.request == nil {
		return ""
	}
	return a.request.Pattern()
}

// PathValue is what the path holds in the place of a named parameter; empty if there is none.
func (a Access) PathValue(name string) string {
	if a.request == nil {
		return ""
	}
	return a.request.PathValue(name)
}

// Header returns the first value of a header field and how many fields of that name there are.
// Anybody can send any header: never grant by one that your own gateway does not overwrite.
func (a Access) Header(name string) (first string, n int) {
	if a.request == nil {
		return "", 0
	}
	return a.request.Header(name)
}

// WildcardGrants reports whether "*" in a token stands for any value; [Config.DisableWildcard]
// switches it off.
func (a Access) WildcardGrants() bool {
	return a.principal != nil && a.principal.policy != nil && a.principal.policy.wildcard
}

// PermissionsClaim is the path of the claim that the principal's permissions were looked up in; see
// [Config.PermissionsClaim]. It is for messages. Without a principal it is the default.
func (a Access) PermissionsClaim() string {
	if a.principal == nil || a.principal.policy == nil {
		return defaultPermissionsClaim
	}
	return a.principal.policy.permissionsClaim
}

// RolesClaim is the path of the claim that the principal's roles were looked up in; see
// [Config.RolesClaim]. It is for messages. Without a principal it is the default.
func (a Access) RolesClaim() string {
	if a.principal == nil || a.principal.policy == nil {
		return defaultRolesClaim
	}
	return a.principal.policy.rolesClaim
}

// LoginAge is how long ago the principal signed in, by `auth_time` and the authenticator's clock.
// It is false where that cannot be told: the claim is missing, is no date, or lies ahead by more
// than [Config.Leeway]. An `auth_time` that lies ahead by less is an age of zero, since clocks
// differ.
func (a Access) LoginAge() (age time.Duration, ok bool) {
	at := a.principal.AuthenticatedAt()
	if at.IsZero() || a.principal.policy == nil {
		return 0, false
	}
	age = a.principal.policy.now().Sub(at)
	return max(age, 0), age >= -a.principal.policy.leeway
}

var errNoPermission = errors.New("sso: the permission is nil")

// Check asks a permission safely: a nil one [Fail]s, and so do one that panics and one that
// answers after its context has ended, since nobody knows what it then rests on. Permissions
// that ask other permissions use it; a route's own is asked by [Authenticator.Authorize].
func Check(ctx context.Context, p Permission, access Access) (d Decision) {
	if v := reflect.ValueOf(p); p == nil || (v.Kind() == reflect.Pointer && v.IsNil()) {
		return Fail(errNoPermission)
	}
	done := false // and not what recover returns, which can be nil after a panic too
	defer func() {
		if v := recover(); !done {
			d = withName(Fail(panicked(p, v)), p)
		}
	}()
	d = withName(p.Check(ctx, access), p)
	if ended := ctx.Err(); ended != nil {
		d = withName(Fail(fmt.Errorf("sso: the permission %s answered too late: %w", nameOf(p), ended)), p)
	}
	done = true
	return d
}
