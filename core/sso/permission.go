package sso

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/more-retail/moresso-go/core/internal/protect"
	"github.com/more-retail/moresso-go/core/internal/verify"
)

// Permission decides whether a request may use a route. Package permission has the usual ones; a
// type of your own needs this one method.
//
// Check must be safe for concurrent use. It gets the request's context, so it may query a database.
// If it cannot decide it returns [Fail]; a panic has the same effect.
type Permission interface {
	// Check decides about one access: [Grant], [Deny] or [Fail]. Call it through the function
	// [Check], which turns a panic and an answer after the end of ctx into a failure.
	Check(ctx context.Context, access Access) Decision
}

// Access is the argument of a permission: the principal and the request.
type Access struct {
	principal *Principal
	request   Request
}

// NewAccess describes an access. Request may be nil. It is for tests of permissions, and for code
// that checks a permission outside of a request.
func NewAccess(principal *Principal, request Request) Access {
	return Access{principal: principal, request: request}
}

// Principal returns the principal of the token. It may be nil; the methods of a nil [Principal]
// return zero values.
func (a Access) Principal() *Principal { return a.principal }

// Method returns the HTTP method; empty outside of a request.
func (a Access) Method() string {
	if a.request == nil {
		return ""
	}
	return a.request.Method()
}

// Pattern returns the route as registered, in the framework's notation; empty if unknown.
func (a Access) Pattern() string {
	if a.request == nil {
		return ""
	}
	return a.request.Pattern()
}

// PathValue returns the value of a named path parameter; empty outside of a request. It panics if the
// route has no such parameter, because an empty value could equal an empty claim: the permission then
// fails (500). Require it on the route, not in front of the router.
func (a Access) PathValue(name string) string {
	if a.request == nil {
		return ""
	}
	value, pattern := a.request.PathValue(name), a.request.Pattern()
	if value == "" && !hasParameter(pattern, name) {
		if pattern == "" {
			panic(fmt.Sprintf("sso: PathValue(%q): the guard runs before the router: put it on the route", name))
		}
		panic(fmt.Sprintf("sso: PathValue(%q): the route %q has no such parameter: use the name of one that it has", name, pattern))
	}
	return value
}

// hasParameter reports whether a pattern has a parameter, in the notation of any framework: {id}, {id...},
// {id:[0-9]+}, :id, :id?, *id, * and +.
func hasParameter(pattern, name string) bool {
	wildcard := strings.TrimRight(name, "0123456789") // Fiber numbers them
	if name == "" || wildcard == "*" || wildcard == "+" {
		return name != "" && strings.Contains(pattern, wildcard)
	}
	isWord := func(c rune) bool { return c == '_' || unicode.IsLetter(c) || unicode.IsDigit(c) }
	if last, _ := utf8.DecodeLastRuneInString(name); !isWord(last) {
		return false
	}
	for before, after, found := strings.Cut(pattern, name); found; {
		if before != "" && strings.IndexByte("{:*", before[len(before)-1]) >= 0 && strings.IndexFunc(after, isWord) != 0 {
			return true
		}
		before, after, found = strings.Cut(after, name)
	}
	return false
}

// Header returns the first value of a header field and the number of fields of that name. Clients
// can send any header: never grant by one that your own gateway does not overwrite.
func (a Access) Header(name string) (first string, n int) {
	if a.request == nil {
		return "", 0
	}
	return a.request.Header(name)
}

// settings returns the configuration of the principal's issuer, or the defaults.
func (a Access) settings() *issuer {
	if i := a.principal.get().issuer; i != nil {
		return i
	}
	return &issuer{permissionsClaim: defaultPermissionsClaim, rolesClaim: defaultRolesClaim}
}

// WildcardGrants reports whether "*" in a token matches any value; see [Config.Wildcard].
func (a Access) WildcardGrants() bool { return a.settings().wildcard }

// PermissionsClaim returns [Config.PermissionsClaim], for messages. Without a principal it is the
// default.
func (a Access) PermissionsClaim() string { return a.settings().permissionsClaim }

// RolesClaim returns [Config.RolesClaim], for messages. Without a principal it is the default.
func (a Access) RolesClaim() string { return a.settings().rolesClaim }

// HomeIssuer returns the first issuer of [Join], whose subjects path parameters name unless a permission
// says otherwise. It is empty if issuers are not joined.
func (a Access) HomeIssuer() string { return a.settings().home }

// LoginAge returns the time since the principal signed in, by `auth_time` and the authenticator's
// clock. It is false if the claim is missing, is not a date, or is in the future by more than
// [Config.Leeway]. An `auth_time` that is in the future by less is an age of zero.
func (a Access) LoginAge() (age time.Duration, ok bool) {
	at := a.principal.AuthenticatedAt()
	i := a.principal.get().issuer
	if at.IsZero() || i == nil {
		return 0, false
	}
	age = i.rules.Now().Sub(at)
	return max(age, 0), age >= -i.rules.Leeway
}

var errNoPermission = errors.New("sso: the permission is nil")

// Check calls a permission safely: the result is a failure if p is nil, panics, or answers after ctx
// has ended. Permissions call other permissions by Check.
func Check(ctx context.Context, p Permission, access Access) (d Decision) {
	if p == nil || isNil(p) {
		return Fail(errNoPermission)
	}
	err := protect.Run(func() { d = p.Check(ctx, access) })
	if err != nil {
		err = fmt.Errorf("sso: permission %s: %w", nameOfPermission(p), err)
	}
	if err == nil && ctx.Err() != nil {
		err = fmt.Errorf("sso: permission %s answered too late: %w", nameOfPermission(p), ctx.Err())
	}
	if err != nil {
		d = Fail(err)
	}
	return d.named(p)
}

// named records that p decided, unless the decision names its permission or explains itself, as those
// of package permission do.
func (d Decision) named(p Permission) Decision {
	if _, ok := p.(interface{ ExplainsItself() }); ok || d.Granted() || d.get().by != nil {
		return d
	}
	return d.with(func(t *detail) { t.by = p })
}

// maxNames bounds the names in a log line.
const maxNames = 8

// names returns the names of the permissions that a decision is based on, except those that explain
// themselves.
func (d Decision) names() (list []string) {
	if by := d.get().by; by != nil {
		list = append(list, nameOfPermission(by))
	}
	for _, part := range d.get().Parts {
		for _, name := range part.names() {
			if len(list) < maxNames && !slices.Contains(list, name) {
				list = append(list, name)
			}
		}
	}
	return list
}

// nameOfPermission returns the permission's String, or its type.
func nameOfPermission(p Permission) (name string) {
	if s, ok := p.(fmt.Stringer); ok {
		_ = protect.Run(func() { name = s.String() })
	}
	if name == "" {
		name = fmt.Sprintf("%T", p)
	}
	return verify.Clip(name)
}
