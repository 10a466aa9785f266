package permission_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/core/ssotest"
)

// ask tells what a permission answers about ada, of whom a token says these things.
func ask(p sso.Permission, said ...ssotest.TokenOption) string {
	access := ssotest.Access(ssotest.NewPrincipal(said...), ssotest.Method(http.MethodGet))
	return sso.Check(context.Background(), p, access).Explain()
}

// A denial names everything that is missing.
func ExampleAll() {
	p := permission.All(permission.Has("orders.edit"), permission.Scope("orders:write"))
	fmt.Println(ask(p, devissuer.Permission("orders.edit", true), devissuer.Scope("orders:write")))
	fmt.Println(ask(p))
	// Output:
	// granted
	// denied: unmet; each of these is needed
	//   denied: missing at orders.edit, wanted true, found nothing; the token's permissions need true at orders.edit
	//   denied: missing_scope; the token needs the scope orders:write
}

// One grant is enough. A denial names the alternative that needs the least.
func ExampleAny() {
	p := permission.Any(
		permission.Role("admin"),
		permission.All(permission.Has("orders.edit"), permission.Scope("orders:write")),
	)
	fmt.Println(ask(p, devissuer.Claim("roles", []string{"admin"})))
	fmt.Println(ask(p))
	// Output:
	// granted
	// denied: unmet; one of these is needed
	//   denied: missing_role; the token needs the role "admin" in its claim roles
	//   (1 alternative needs more)
}

// What is forbidden stands beside something positive: alone, Not would open a route to everybody
// who merely lacks something.
func ExampleNot() {
	p := permission.All(permission.Authenticated(), permission.Not(permission.Has("suspended")))
	fmt.Println(ask(p))
	fmt.Println(ask(p, devissuer.Permission("suspended", true)))
	// Output:
	// granted
	// denied: forbidden; this must not be so: has("suspended")
}

// What cannot be told never grants, negated or not; but one grant is enough for Any, and one
// denial for All.
func Example_failure() {
	broken := permission.Func("database", func(context.Context, sso.Access) (bool, error) {
		return false, errors.New("connection refused")
	})
	fmt.Println(ask(permission.Not(broken)))
	fmt.Println(ask(permission.Any(broken, permission.Authenticated())))
	fmt.Println(sso.Check(context.Background(), permission.All(broken, permission.Role("admin")), sso.Access{}).Err())
	// Output:
	// failed: database: connection refused
	// granted
	// <nil>
}

// A login that is too weak is answered with 401 and tells the client which one is wanted.
func ExampleACR() {
	p := permission.ACR("mfa", "hardware-key")
	fmt.Println(ask(p, devissuer.Claim("acr", "mfa")))
	fmt.Println(ask(p, devissuer.Claim("acr", "password")))
	// Output:
	// granted
	// denied: weak_login at acr, wanted one of "mfa", "hardware-key", found another string; sign in so that acr is one of "mfa", "hardware-key"
}

// A program's own token says so: here its subject is the client.
func ExampleClientCredentials() {
	p := permission.ClientCredentials()
	fmt.Println(ask(p, devissuer.Subject("night-job"), devissuer.Claim("client_id", "night-job")))
	fmt.Println(ask(p, devissuer.Subject("ada"), devissuer.Claim("client_id", "web")))
	// Output:
	// granted
	// denied: wrong_caller; use a token that shows that a program got it for itself (by idtyp, gty, or a sub that is the client's), and no person
}

// A method speaks for nobody, so it stands beside something that does.
func ExampleMethod() {
	p := permission.Any(permission.All(permission.Authenticated(), permission.Method(http.MethodGet)), permission.Role("clerk"))
	fmt.Println(ask(p)) // the request is a GET
	// Output: granted
}

func ExampleDescribe() {
	p := permission.All(
		permission.FreshLogin(15*time.Minute),
		permission.Not(permission.Claim("suspended", true)),
		ownTenant{}, // a type of your own, which no text brings back
	)
	fmt.Println(permission.Describe(p))
	// Output: (freshLogin("15m0s") && !claim("suspended", true) && permission_test.ownTenant)
}

func ExampleDescribeJSON() {
	p := permission.Any(permission.Is("orders.role", "clerk"), permission.Authenticated())
	fmt.Printf("%s\n", permission.DescribeJSON(p))
	// Output: {"kind":"any","children":[{"kind":"is","path":"orders.role","values":["clerk"]},{"kind":"authenticated"}]}
}

// Every fault has its place in the text. && binds more than ||.
func ExampleParseError() {
	p, err := permission.Parse(`role("admin") || has("orders.read") && method("GET")`)
	fmt.Println(p, err)

	_, err = permission.Parse("has() ||\n  method(\"get\")")
	var faulty *permission.ParseError
	if errors.As(err, &faulty) {
		for _, fault := range faulty.Faults {
			fmt.Printf("line %d, column %d: %s\n", fault.Line, fault.Column, fault.Problem)
		}
	}
	// Output:
	// (role("admin") || (has("orders.read") && method("GET"))) <nil>
	// line 1, column 1: has takes 1 arguments and has 0
	// line 2, column 3: Method("get"): write one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS
}

// An adapter builds what its Require demands, and a mistake stops the service at start-up.
func ExampleForRoute() {
	demanded := permission.ForRoute(permission.Role("clerk"), permission.Not(permission.Has("suspended")))
	fmt.Println(demanded)

	defer func() { fmt.Println(recover()) }()
	permission.ForRoute(permission.Method(http.MethodGet))
	// Output:
	// (role("clerk") && !has("suspended"))
	// permission: method("GET") would be granted to whoever merely lacks something: demand something positive beside it, permission.Authenticated() at least
}

// What reads the request must not be answered for another request.
func ExampleReadsRequest() {
	fmt.Println(permission.ReadsRequest(permission.Role("clerk")))
	fmt.Println(permission.ReadsRequest(permission.Any(permission.Role("clerk"), permission.SameAsPath("sub", "user"))))
	// Output:
	// false
	// true
}

// What reads the clock must not be answered for later.
func ExampleReadsClock() {
	fmt.Println(permission.ReadsClock(permission.Role("clerk")))
	fmt.Println(permission.ReadsClock(permission.All(permission.Role("clerk"), permission.FreshLogin(time.Minute))))
	// Output:
	// false
	// true
}
