package permission_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/core/ssotest"
)

// Two joined issuers have a subject of the same name, and each can write any role and permission.
func TestJoined_SeparateAuthority(t *testing.T) {
	staff, partner := ssotest.NewIssuer(t, ssotest.FastKeys()), ssotest.NewIssuer(t, ssotest.FastKeys(), devissuer.WithIssuer("https://partner.example"))
	limited := partner.Config("orders-api")
	limited.GrantablePermissions = []string{"orders.read", "stock"}
	joined, err := sso.Join(staff.Authenticator(staff.Config("orders-api")), partner.Authenticator(limited))
	if err != nil {
		t.Fatal(err)
	}
	alone := staff.Authenticator(staff.Config("orders-api"))
	home, other := staff.URL(), partner.URL()

	for name, c := range map[string]struct {
		permission sso.Permission
		// the codes of the denials; empty where it grants
		staff, partner, alone string
	}{
		"an issuer":                         {permission.IssuedBy(home), "", "other_issuer", ""},
		"the other issuer":                  {permission.IssuedBy(other), "other_issuer", "", "other_issuer"},
		"one of two":                        {permission.IssuedBy(other, home), "", "", ""},
		"an issuer with a slash":            {permission.IssuedBy(home + "/"), "other_issuer", "other_issuer", "other_issuer"},
		"an issuer in capitals":             {permission.IssuedBy(strings.ToUpper(home)), "other_issuer", "other_issuer", "other_issuer"},
		"the subject":                       {permission.SameAsPath("sub", "user"), "", "not_own", ""},
		"the subject of the other issuer":   {permission.SameAsPath("sub", "user", other), "not_own", "", "not_own"},
		"the subject of either":             {permission.SameAsPath("sub", "user", home, other), "", "", ""},
		"a claim of one's own":              {permission.SameAsPath("employee", "user"), "", "not_own", ""},
		"not the subject":                   {permission.All(permission.Authenticated(), permission.Not(permission.SameAsPath("sub", "user"))), "forbidden", "", "forbidden"},
		"a role":                            {permission.Role("admin"), "", "", ""},
		"a role of one issuer":              {permission.All(permission.IssuedBy(home), permission.Role("admin")), "", "other_issuer", ""},
		"a permission within the paths":     {permission.Is("orders.read", true), "", "", ""},
		"Has within the paths":              {permission.Has("orders.read"), "", "", ""},
		"a permission below a path":         {permission.Is("stock.level.edit", "all"), "", "", ""},
		"a permission beside the paths":     {permission.Is("orders.write", true), "", "missing", ""},
		"Has beside the paths":              {permission.Has("orders.write"), "", "missing", ""},
		"the parent of a path":              {permission.Is("orders", map[string]any{"read": true, "write": true}), "", "wrong_value", ""},
		"a name that begins like a path":    {permission.Has("stocks"), "", "missing", ""},
		"the end of a path is not an alias": {permission.Has("read"), "", "missing", ""},
	} {
		t.Run(name, func(t *testing.T) {
			check := func(a *sso.Authenticator, i *ssotest.Issuer, want string) {
				t.Helper()
				token := i.Token(devissuer.Subject("ann"), devissuer.Claim("employee", "ann"), devissuer.Claim("roles", []string{"admin"}),
					devissuer.Claim("permissions", map[string]any{
						"orders": map[string]any{"read": true, "write": true},
						"stock":  map[string]any{"level": map[string]any{"edit": "all"}},
						"stocks": true, "read": true,
					}))
				principal, err := a.ValidateToken(t.Context(), token)
				if err != nil {
					t.Fatal(err)
				}
				r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/users/ann", http.NoBody)
				r.Pattern = "GET /users/{user}"
				r.SetPathValue("user", "ann")
				read, err := permission.Parse(permission.Describe(c.permission))
				if err != nil {
					t.Fatal(err)
				}
				for _, p := range []sso.Permission{c.permission, read} {
					if d := sso.Check(t.Context(), p, ssotest.Access(principal, r)); d.Granted() != (want == "") || d.Code() != want {
						t.Errorf("a token of %s: %s, want %q: %s", i.URL(), d.Code(), want, d.Explain())
					}
				}
			}
			check(joined, staff, c.staff)
			check(joined, partner, c.partner)
			check(alone, staff, c.alone)
		})
	}
}

func TestGrantablePermissions(t *testing.T) {
	issuer := ssotest.NewIssuer(t, ssotest.FastKeys())
	for name, c := range map[string]struct {
		paths       string
		permissions any
		want        string // what is left
	}{
		"no limit":                     {"", []any{"a", 1}, `["a",1]`},
		"a list":                       {"read:orders,stock", []any{"read:orders", "read:orders:all", "stock.edit", "stocks", "write:orders", 1, []any{"stock"}}, `["read:orders","stock.edit"]`},
		"a list without one of them":   {"a", []any{"b"}, `[]`},
		"an object without one":        {"a", map[string]any{"b": true}, `{}`},
		"a value in place of a parent": {"a.b", map[string]any{"a": "*"}, `{}`},
		"a list in place of a parent":  {"a.b", map[string]any{"a": []any{"b"}}, `{}`},
		"two of one parent":            {"a.b,a.c", map[string]any{"a": map[string]any{"b": 1, "c": []any{2}, "d": 3}}, `{"a":{"b":1,"c":[2]}}`},
		"a parent and its child":       {"a,a.b", map[string]any{"a": map[string]any{"b": 1, "c": 2}}, `{"a":{"b":1,"c":2}}`},
		"a dot in a name":              {`corp\.example`, map[string]any{"corp.example": true, "corp": map[string]any{"example": true}}, `{"corp.example":true}`},
		"a quote in a name":            {`a"b`, map[string]any{`a"b`: "\"\n"}, `{"a\"b":"\"\n"}`},
		"a wildcard for all":           {"a", "*", "null"},
		"a switch for all":             {"a", true, "null"},
		"null":                         {"a", nil, "null"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := issuer.Config("orders-api")
			cfg.Wildcard = true
			if c.paths != "" {
				cfg.GrantablePermissions = strings.Split(c.paths, ",")
			}
			p, err := issuer.Authenticator(cfg).ValidateToken(t.Context(), issuer.Token(devissuer.Claim("permissions", c.permissions)))
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if p.Permissions().Exists() {
				text, err := p.Permissions().MarshalJSON()
				if err != nil {
					t.Fatal(err)
				}
				got = string(text)
			}
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}
