package permission_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
)

func ExampleIs() {
	p := permission.Is("orders.role", "clerk", "admin") // {"orders": {"role": "clerk"}}
	fmt.Println(p)
	// Output: is("orders.role", "clerk", "admin")
}

func ExampleHas() {
	p := permission.Has("orders.edit") // {"orders": {"edit": true}}
	fmt.Println(p)
	// Output: has("orders.edit")
}

func ExampleScope() {
	p := permission.Scope("orders:read", "orders:write") // "scope": "orders:read orders:write"
	fmt.Println(p)
	// Output: scope("orders:read", "orders:write")
}

func ExampleRole() {
	p := permission.Role("clerk", "admin") // "roles": ["clerk"]
	fmt.Println(p)
	// Output: role("clerk", "admin")
}

func ExampleClaim() {
	p := permission.Claim(`https://corp\.example/department`, "sales") // "https://corp.example/department": "sales"
	fmt.Println(p)
	// Output: claim("https://corp\\.example/department", "sales")
}

func ExampleAuthenticated() {
	p := permission.All(permission.Authenticated(), permission.Absent("suspended"))
	fmt.Println(p)
	// Output: (authenticated() && absent("suspended"))
}

func ExampleIssuedBy() {
	p := permission.All(permission.IssuedBy("https://login.example.com"), permission.Role("admin"))
	fmt.Println(p)
	// Output: (issuedBy("https://login.example.com") && role("admin"))
}

func ExampleHumanUser() {
	p := permission.Any(permission.HumanUser(), permission.ClientCredentials())
	fmt.Println(p)
	// Output: (humanUser() || clientCredentials())
}

func ExampleFreshLogin() {
	p := permission.All(permission.Is("orders.role", "admin"), permission.FreshLogin(15*time.Minute), permission.ACR("mfa"))
	fmt.Println(p)
	// Output: (is("orders.role", "admin") && freshLogin("15m0s") && acr("mfa"))
}

func ExampleSameAsPath() {
	p := permission.Any(permission.SameAsPath("sub", "user"), permission.Role("support")) // GET /users/{user}
	fmt.Println(p)
	// Output: (sameAsPath("sub", "user") || role("support"))
}

func ExampleParse() {
	p, err := permission.Parse(`is("orders.role", "clerk") && scope("orders:read")`)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(permission.Describe(p))
	_, err = permission.Parse(`is("orders.role") && scop("orders:read")`)
	fmt.Println(err)
	// Output:
	// (is("orders.role", "clerk") && scope("orders:read"))
	// permission: 1:1: Is("orders.role") without a value: add one, or use Has for true
	//   1:22: scop is unknown; the functions are absent, acr, all, any, authenticated, claim, clientCredentials, freshLogin, has, humanUser, is, issuedBy, not, role, sameAsPath, scope
}

func ExampleFunc() {
	inOfficeHours := permission.Func("office hours", func(context.Context, sso.Access) (bool, error) {
		hour := time.Date(2030, 1, 2, 22, 0, 0, 0, time.UTC).Hour()
		return hour >= 8 && hour < 18, nil
	})
	fmt.Println(inOfficeHours.Check(context.Background(), sso.Access{}).Explain())
	// Output: denied: refused; office hours must hold
}

// Owners returns the owners of orders, in a real service from a database.
type Owners interface {
	OwnerOf(ctx context.Context, order string) (subject string, err error)
}

var errNoOrder = errors.New("no such order")

// ownOrder grants access to the orders that the caller owns.
type ownOrder struct{ owners Owners }

func (p ownOrder) Check(ctx context.Context, access sso.Access) sso.Decision {
	owner, err := p.owners.OwnerOf(ctx, access.PathValue("order"))
	switch {
	case errors.Is(err, errNoOrder):
		return sso.Deny("no_order", "use the number of an order")
	case err != nil:
		return sso.Fail(err) // 500
	case owner == "" || owner != access.Principal().Subject():
		return sso.Deny("other_owner", "use a token of the order's owner")
	}
	return sso.Grant()
}

func (ownOrder) String() string { return "own order" }

type noOwners struct{}

func (noOwners) OwnerOf(context.Context, string) (string, error) {
	return "", errors.New("connection refused")
}

// A permission that queries a database gets it where it is built.
func Example_database() {
	p := permission.Any(permission.Role("admin"), ownOrder{noOwners{}})
	fmt.Println(p)
	fmt.Println(sso.Check(context.Background(), p, sso.Access{}).Explain())
	// Output:
	// (role("admin") || own order)
	// failed: connection refused
	//   denied: missing_role; the token needs the role "admin" in its claim roles
	//   failed: connection refused
}
