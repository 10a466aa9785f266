package permission_test

import (
	"context"
	"fmt"

	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
)

// Combinations are built once, at start-up, and shared by routes.
func Example() {
	canEdit := permission.Any(
		permission.Is("orders.role", "clerk", "admin"), // one of these
		permission.All(
			permission.Has("orders.edit"), // true
			permission.Scope("orders:write"),
		),
	)
	fmt.Println(canEdit)
	fmt.Println(canEdit.Check(context.Background(), sso.Access{}).Explain())
	// Output:
	// (is("orders.role", "clerk", "admin") || (has("orders.edit") && scope("orders:write")))
	// denied: unmet; one of these is needed
	//   denied: missing at orders.role, wanted one of "clerk", "admin", found nothing; the token's permissions (absent) need one of "clerk", "admin" at orders.role
	//   (1 alternative needs more)
}

// ownTenant grants access to the tenant that the path names, to its own people.
type ownTenant struct{}

func (ownTenant) Check(_ context.Context, access sso.Access) sso.Decision {
	tenant, ok := access.Principal().Claim("tenant.id").Text()
	if ok && tenant != "" && tenant == access.PathValue("tenant") {
		return sso.Grant()
	}
	return sso.Deny("other_tenant", "use a token of the tenant whose data this is")
}

// A permission of your own is a type with one method.
func Example_ownType() {
	fmt.Println(ownTenant{}.Check(context.Background(), sso.Access{}).Explain())
	// Output:
	// denied: other_tenant; use a token of the tenant whose data this is
}
