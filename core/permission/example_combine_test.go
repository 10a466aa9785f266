package permission_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/core/ssotest"
)

// explain returns the decision about a principal with these claims.
func explain(p sso.Permission, claims ...devissuer.TokenOption) string {
	access := ssotest.Access(ssotest.NewPrincipal(claims...), nil)
	return sso.Check(context.Background(), p, access).Explain()
}

// A denial lists everything that is missing.
func ExampleAll() {
	p := permission.All(permission.Has("orders.edit"), permission.Scope("orders:write"))
	fmt.Println(explain(p, devissuer.Permission("orders.edit", true), devissuer.Scope("orders:write")))
	fmt.Println(explain(p))
	// Output:
	// granted
	// denied: unmet; each of these is needed
	//   denied: missing at orders.edit, wanted true, found nothing; the token's permissions (absent) need true at orders.edit
	//   denied: missing_scope; the token needs the scope orders:write
}

// One grant is enough. A denial lists the alternatives that need the fewest changes.
func ExampleAny() {
	p := permission.Any(
		permission.Role("admin"),
		permission.All(permission.Has("orders.edit"), permission.Scope("orders:write")),
	)
	fmt.Println(explain(p, devissuer.Claim("roles", []string{"admin"})))
	fmt.Println(explain(p))
	// Output:
	// granted
	// denied: unmet; one of these is needed
	//   denied: missing_role; the token needs the role "admin" in its claim roles
	//   (1 alternative needs more)
}

// Not needs another permission. Alone, it grants access to callers without claims.
func ExampleNot() {
	p := permission.All(permission.Authenticated(), permission.Not(permission.Has("suspended")))
	fmt.Println(explain(p))
	fmt.Println(explain(p, devissuer.Permission("suspended", true)))
	// Output:
	// granted
	// denied: forbidden; this must not hold: has("suspended")
}

// A failure never grants, negated or not. One grant is enough for Any, and one denial for All.
func Example_failure() {
	broken := permission.Func("database", func(context.Context, sso.Access) (bool, error) {
		return false, errors.New("connection refused")
	})
	fmt.Println(explain(permission.Not(broken)))
	fmt.Println(explain(permission.Any(broken, permission.Authenticated())))
	fmt.Println(sso.Check(context.Background(), permission.All(broken, permission.Role("admin")), sso.Access{}).Err())
	// Output:
	// failed: database: connection refused
	// granted
	// <nil>
}

// If the login is too weak, the client gets 401 with the login that is required.
func ExampleACR() {
	p := permission.ACR("mfa", "hardware-key")
	fmt.Println(explain(p, devissuer.Claim("acr", "mfa")))
	fmt.Println(explain(p, devissuer.Claim("acr", "password")))
	// Output:
	// granted
	// denied: weak_login at acr, wanted one of "mfa", "hardware-key", found another string; sign in so that acr is one of "mfa", "hardware-key"
}

// The subject of a program's own token is the client.
func ExampleClientCredentials() {
	p := permission.ClientCredentials()
	fmt.Println(explain(p, devissuer.Subject("night-job"), devissuer.Claim("client_id", "night-job")))
	fmt.Println(explain(p, devissuer.Subject("ada"), devissuer.Claim("client_id", "web")))
	// Output:
	// granted
	// denied: wrong_caller; use a token that identifies a program (by idtyp, gty, or a sub that equals the client) and not a person
}

func ExampleDescribe() {
	p := permission.All(
		permission.FreshLogin(15*time.Minute),
		permission.Not(permission.Claim("suspended", true)),
		ownTenant{}, // a type of your own, which Parse cannot read
	)
	fmt.Println(permission.Describe(p))
	// Output: (freshLogin("15m0s") && !claim("suspended", true) && permission_test.ownTenant)
}

// Every fault has its position. && binds more than ||.
func ExampleParseError() {
	p, err := permission.Parse(`role("admin") || has("orders.read") && humanUser()`)
	fmt.Println(p, err)

	_, err = permission.Parse("has() ||\n  scope(\"a b\")")
	if faulty, ok := errors.AsType[*permission.ParseError](err); ok {
		for _, fault := range faulty.Faults {
			fmt.Printf("line %d, column %d: %s\n", fault.Line, fault.Column, fault.Problem)
		}
	}
	// Output:
	// (role("admin") || (has("orders.read") && humanUser())) <nil>
	// line 1, column 1: has takes 1 arguments, got 0
	// line 2, column 3: Scope: "a b" is not valid (RFC 6749, section 3.3); pass each name as an argument of its own
}

// An adapter builds what its Require checks, and a mistake stops the service at start-up.
func ExampleForRoute() {
	required := permission.ForRoute(permission.Role("clerk"), permission.Not(permission.Has("suspended")))
	fmt.Println(required)

	defer func() { fmt.Println(recover()) }()
	permission.ForRoute(permission.Not(permission.Has("suspended")))
	// Output:
	// (role("clerk") && !has("suspended"))
	// permission: !has("suspended") alone grants access without any claim: combine it with another permission, such as permission.Authenticated()
}

// Do not cache a decision that depends on the request or the clock.
func ExampleReads() {
	fmt.Println(permission.Reads(permission.Role("clerk")))
	fmt.Println(permission.Reads(permission.Any(permission.Role("clerk"), permission.SameAsPath("sub", "user"))))
	fmt.Println(permission.Reads(permission.All(permission.Role("clerk"), permission.FreshLogin(time.Minute))))
	// Output:
	// false false
	// true false
	// false true
}

// The parts of a permission can be explained one by one.
func ExampleParts() {
	for _, part := range permission.Parts(permission.All(permission.Role("clerk"), permission.Scope("orders:read"))) {
		fmt.Println(part, explain(part, devissuer.Scope("orders:read")))
	}
	// Output:
	// role("clerk") denied: missing_role; the token needs the role "clerk" in its claim roles
	// scope("orders:read") granted
}
