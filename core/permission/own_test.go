package permission_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/adapter"
	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/core/ssotest"
)

type ownersInMemory map[string]string

func (m ownersInMemory) OwnerOf(_ context.Context, order string) (string, error) {
	owner, found := m[order]
	if !found {
		return "", errNoOrder
	}
	return owner, nil
}

func TestOwnType_WithoutToken(t *testing.T) {
	owners := ownersInMemory{"7": "grace"}

	grace := ssotest.NewPrincipal(devissuer.Subject("grace"))
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/orders/7", http.NoBody)
	r.SetPathValue("order", "7")
	if d := sso.Check(t.Context(), ownOrder{owners}, ssotest.Access(grace, r)); !d.Granted() {
		t.Error(d.Explain())
	}

	for principal, want := range map[*sso.Principal]string{ssotest.NewPrincipal(): "other_owner", nil: "other_owner"} {
		if d := sso.Check(t.Context(), ownOrder{owners}, ssotest.Access(principal, r)); d.Code() != want {
			t.Errorf("%v: %s", principal, d.Explain())
		}
	}
	r.SetPathValue("order", "8")
	if d := sso.Check(t.Context(), ownOrder{owners}, ssotest.Access(grace, r)); d.Code() != "no_order" {
		t.Error(d.Explain())
	}
}

func TestDecision_Remedy(t *testing.T) {
	iss := ssotest.NewIssuer(t, ssotest.FastKeys())
	principal := func(change func(*sso.Config), opts ...devissuer.TokenOption) *sso.Principal {
		cfg := iss.Config("orders-api")
		change(&cfg)
		p, err := iss.Authenticator(cfg).ValidateToken(t.Context(), iss.Token(opts...))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	usual := func(*sso.Config) {}
	other := func(c *sso.Config) { c.RolesClaim, c.PermissionsClaim = "realm_access.roles", "authz" }
	withValue := func(name, value string) *http.Request {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
		r.SetPathValue(name, value)
		return r
	}
	maxAge := permission.FreshLogin(5 * time.Minute)
	for name, c := range map[string]struct {
		permission sso.Permission
		access     sso.Access
		code, says string
		exactly    bool
	}{
		"a role":                          {permission.Role("admin"), ssotest.Access(principal(usual), nil), "missing_role", `the token needs the role "admin" in its claim roles`, true},
		"a role in another claim":         {permission.Role("admin", "boss"), ssotest.Access(principal(other), nil), "missing_role", `the token needs one of the roles "admin", "boss" in its claim realm_access.roles`, true},
		"a role, without a principal":     {permission.Role("admin"), ssotest.Access(nil, nil), "missing_role", `in its claim roles`, false},
		"some of the scopes":              {permission.Scope("a", "b", "c"), ssotest.Access(principal(usual, devissuer.Claim("scope", "b")), nil), "missing_scope", "the token needs the scope a c", true},
		"a person":                        {permission.HumanUser(), ssotest.Access(principal(usual), nil), "wrong_caller", "use a token that identifies a person (by idtyp, auth_time or amr) and not a program", true},
		"a program":                       {permission.ClientCredentials(), ssotest.Access(principal(usual), nil), "wrong_caller", "use a token that identifies a program (by idtyp, gty, or a sub that equals the client) and not a person", true},
		"permissions":                     {permission.Has("a"), ssotest.Access(principal(usual), nil), "missing", `the token's permissions (absent) need true at a`, true},
		"other permissions":               {permission.Has("a"), ssotest.Access(principal(other), nil), "missing", `the token's permissions (its claim authz, absent) need true at a`, true},
		"a claim":                         {permission.Claim("a", 1), ssotest.Access(principal(other), nil), "missing", `the token's claims need 1 at a`, true},
		"no login":                        {maxAge, ssotest.Access(principal(usual), nil), "no_auth_time", "signing in again does not help", false},
		"an auth_time that is not a date": {maxAge, ssotest.Access(principal(usual, devissuer.Claim("auth_time", "x")), nil), "no_auth_time", "put auth_time", false},
		"an old login":                    {maxAge, ssotest.Access(principal(usual, devissuer.Claim("auth_time", 1)), nil), "old_login", "sign in again: auth_time may be at most 5m0s ago", true},
		"a login in the far future":       {maxAge, ssotest.Access(principal(usual, devissuer.Claim("auth_time", int64(4102444800))), nil), "old_login", "sign in again", false},
		"another user's":                  {permission.SameAsPath("sub", "user"), ssotest.Access(principal(usual), withValue("user", "bob")), "not_own", "use a token whose sub equals the path parameter user", true},
		"no request":                      {permission.SameAsPath("sub", "user"), sso.NewAccess(principal(usual), nil), "not_own", "use a path with a value of the parameter user", true},
		"a parameter that the route does not have": {permission.SameAsPath("sub", "user"), ssotest.Access(principal(usual), withValue("id", "ada")), "failed", "", true},
	} {
		d := sso.Check(t.Context(), c.permission, c.access)
		if d.Code() != c.code || !strings.Contains(d.Remedy(), c.says) || c.exactly && d.Remedy() != c.says {
			t.Errorf("%s: %s: %s", name, d.Code(), d.Remedy())
		}
	}
}

// The log distinguishes a login without a date from an old one; the answer does not.
func TestFreshLogin_SameAnswer(t *testing.T) {
	iss := ssotest.NewIssuer(t, ssotest.FastKeys())
	auth := iss.Authenticator(iss.Config("orders-api"))
	answer := func(opts ...devissuer.TokenOption) string {
		r := adapter.EventRequest{HTTPMethod: http.MethodGet, Fields: map[string]string{"Authorization": "Bearer " + iss.Token(opts...)}}
		_, err := auth.Authorize(t.Context(), r, permission.FreshLogin(5*time.Minute))
		d := sso.DenialOf(err)
		return fmt.Sprint(d.Status, d.Header, string(d.Body))
	}
	if none, old := answer(), answer(devissuer.Claim("auth_time", 1)); none != old || !strings.Contains(none, `max_age="300"`) {
		t.Errorf("%s\nand\n%s", none, old)
	}
}

func TestForRoute_NamesRequire(t *testing.T) {
	for name, build := range map[string]func(){
		"a nil permission":      func() { permission.ForRoute(nil) },
		"a nil among others":    func() { permission.ForRoute(permission.Has("a"), nil) },
		"a nil pointer of ours": func() { permission.ForRoute((*nilPermission)(nil)) },
	} {
		func() {
			defer func() {
				if text := fmt.Sprint(recover()); !strings.HasPrefix(text, "permission: Require with a nil") {
					t.Errorf("%s: %s", name, text)
				}
			}()
			build()
		}()
	}
}

type nilPermission struct{}

func (*nilPermission) Check(context.Context, sso.Access) sso.Decision { return sso.Grant() }
