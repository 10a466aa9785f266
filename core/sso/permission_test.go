package sso_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/adapter"
	"github.com/more-retail/moresso-go/core/sso"
)

func TestAccess_ClaimNames(t *testing.T) {
	a := newAuth(t, func(c *sso.Config) { c.PermissionsClaim, c.RolesClaim = "authz", "groups" })
	p, err := a.ValidateToken(t.Context(), token())
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		who                *sso.Principal
		permissions, roles string
	}{"a principal": {p, "authz", "groups"}, "nil": {nil, "permissions", "roles"}, "the zero Principal": {&sso.Principal{}, "permissions", "roles"}} {
		if access := sso.NewAccess(test.who, nil); access.PermissionsClaim() != test.permissions || access.RolesClaim() != test.roles {
			t.Errorf("%s: %s, %s", name, access.PermissionsClaim(), access.RolesClaim())
		}
	}
}

func TestAccess_LoginAge(t *testing.T) {
	at := func(d time.Duration) string { return strconv.FormatInt(T.Add(d).Unix(), 10) }
	for _, test := range []struct {
		name, authTime string // empty: none
		leeway         time.Duration
		want           time.Duration
		ok             bool
	}{
		{"now", at(0), 0, 0, true},
		{"an hour ago", at(-time.Hour), 0, time.Hour, true},
		{"with a fraction", at(-time.Hour) + ".5", 0, time.Hour - 500*time.Millisecond, true},
		{"ahead by the leeway", at(time.Minute), 0, 0, true},
		{"ahead by more", at(61 * time.Second), 0, 0, false},
		{"ahead by a second, without leeway", at(time.Second), -1, 0, false},
		{"missing", "", 0, 0, false},
		{"0", "0", 0, 0, false},
		{"negative", "-1", 0, 0, false},
		{"beyond all dates", "1e30", 0, 0, false},
		{"in words", `"now"`, 0, 0, false},
		{"null", "null", 0, 0, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := newAuth(t, func(c *sso.Config) { c.Leeway = test.leeway })
			p, err := a.ValidateToken(t.Context(), token("auth_time", test.authTime))
			if err != nil {
				t.Fatal(err)
			}
			age, ok := sso.NewAccess(p, nil).LoginAge()
			if ok != test.ok || ok && age != test.want {
				t.Errorf("%v %t, want %v %t", age, ok, test.want, test.ok)
			}
		})
	}
	for _, empty := range []*sso.Principal{nil, {}} {
		if _, ok := sso.NewAccess(empty, nil).LoginAge(); ok || !empty.AuthenticatedAt().IsZero() || empty.HasRole("") || empty.Claims().Exists() {
			t.Error("a principal without claims has a login, a role or claims")
		}
	}
}

func TestPrincipal_RolesClaim(t *testing.T) {
	for _, test := range []struct {
		name, path, claim, value, role string
		want                           bool
	}{
		{"by default in roles", "", "roles", `["a","b"]`, "b", true},
		{"as a string", "", "roles", `"a"`, "a", true},
		{"in Cognito's groups", "cognito:groups", "cognito:groups", `["a"]`, "a", true},
		{"in Keycloak's", "realm_access.roles", "realm_access", `{"roles":["a"]}`, "a", true},
		{"in a claim with a dot", `https://corp\.example/roles`, "https://corp.example/roles", `["a"]`, "a", true},
		{"not elsewhere", "groups", "roles", `["a"]`, "a", false},
		{"not the empty one", "", "roles", `[""]`, "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := newAuth(t, func(c *sso.Config) { c.RolesClaim = test.path })
			p, err := a.ValidateToken(t.Context(), token(test.claim, test.value))
			if err != nil {
				t.Fatal(err)
			}
			if p.HasRole(test.role) != test.want || p.HasRole("other") {
				t.Errorf("%s: %t", p.Claims(), p.HasRole(test.role))
			}
		})
	}
	t.Run("a configured name in another case is refused", func(t *testing.T) {
		for path, fine := range map[string]bool{"": true, "groups": false, "roles,groups": false, "realm_access.roles": true} {
			a := newAuth(t, func(c *sso.Config) { c.RolesClaim = path })
			if _, err := a.ValidateToken(t.Context(), token("GROUPS", `["a"]`, "ROLES", `["a"]`)); (err == nil) != fine {
				t.Errorf("%q: %v", path, err)
			}
		}
	})
}

func TestAccess_PathValue(t *testing.T) {
	for _, test := range []struct {
		pattern string
		has     []string
		lacks   []string
	}{
		{"GET /orders/{id}", []string{"id"}, []string{"order", "i", "d", "ID", "", "orders", "GET", "{id}", "id}", "*"}},
		{"/files/{path...}", []string{"path"}, []string{"pat", "path...", "files"}},
		{"/{$}", nil, []string{"$$", "id"}},
		{"/{proxy+}", []string{"proxy"}, []string{"prox"}},
		{"ANY /t/{tenant_id}/x/{id}", []string{"tenant_id", "id"}, []string{"tenant", "_id"}},
		{"/orders/{id:[0-9]+}/*", []string{"id", "*"}, []string{"0", "9"}},
		{"/orders/:id", []string{"id"}, []string{"order", "i", "orders"}},
		{"/orders/:idx/:id", []string{"idx", "id"}, []string{"x"}},
		{"/orders/:id?", []string{"id"}, []string{"id?"}},
		{"/orders/:id<int>/:größe", []string{"id", "größe"}, []string{"int", "gr"}},
		{"/flights/:from-:to", []string{"from", "to"}, []string{"from-:to2"}},
		{"/users/:user-id", []string{"user-id"}, []string{"id", "use"}},
		{"/static/*filepath", []string{"filepath"}, []string{"static", "file"}},
		{"/files/*", []string{"*", "*1"}, []string{"+", "+1", "1", "files"}},
		{"/files/+", []string{"+", "+1"}, []string{"*"}},
		{"/a.b/{a}", []string{"a"}, []string{"b"}},
		{"/orders", nil, []string{"orders", "id", "*", ""}},
		{"", nil, []string{"id", "*", "+", ""}},
	} {
		access := sso.NewAccess(nil, adapter.EventRequest{Route: test.pattern})
		for _, name := range test.has {
			if v := panicOf(func() { access.PathValue(name) }); v != nil {
				t.Errorf("%s has %s: %v", test.pattern, name, v)
			}
		}
		for _, name := range test.lacks {
			if v := fmt.Sprint(panicOf(func() { access.PathValue(name) })); !strings.Contains(v, fmt.Sprintf("PathValue(%q): the ", name)) || strings.Contains(v, "before the router") != (test.pattern == "") {
				t.Errorf("%s has no %s: %v", test.pattern, name, v)
			}
		}
	}
	t.Run("a value is enough", func(t *testing.T) {
		if got := sso.NewAccess(nil, adapter.EventRequest{PathValues: map[string]string{"id": "7"}}).PathValue("id"); got != "7" {
			t.Error(got)
		}
	})
	t.Run("outside of a request", func(t *testing.T) {
		if got := sso.NewAccess(nil, nil).PathValue("id"); got != "" {
			t.Error(got)
		}
	})
}

func panicOf(f func()) (v any) {
	defer func() { v = recover() }()
	f()
	return nil
}

// An own-tenant check that names the wrong parameter compared "" with "" and opened the route.
func TestAuthorize_WrongPathParameter(t *testing.T) {
	ownTenant := permit(func(_ context.Context, access sso.Access) sso.Decision {
		if tenant, _ := access.Principal().Claim("tenant").Text(); tenant == access.PathValue("tenant") {
			return sso.Grant()
		}
		return sso.Deny("other_tenant", "")
	})
	var log lines
	a := newAuth(t, func(c *sso.Config) { c.Logger = log.logger(slog.LevelInfo) })
	r := adapter.EventRequest{Route: "/orders/:tenantID", PathValues: map[string]string{"tenantID": "t7"}, Fields: map[string]string{"Authorization": "Bearer " + token()}}
	_, err := a.Authorize(t.Context(), r, ownTenant)
	entries := log.entries(t)
	last := entries[len(entries)-1]
	if class(err) != "internal" || sso.DenialOf(err).Status != 500 || last["level"] != "ERROR" || !strings.Contains(fmt.Sprint(last["error"]), `PathValue("tenant"): the route "/orders/:tenantID" has no such parameter`) {
		t.Errorf("%v, %v", err, last)
	}
}

// Keycloak has roles of the realm and of each client.
func TestPrincipal_Roles(t *testing.T) {
	const keycloak = `realm_access.roles, resource_access.orders.roles,resource_access.web\.example.roles`
	realm, clients := []string{"realm_access", `{"roles":["clerk","staff"]}`}, []string{"resource_access", `{"orders":{"roles":["editor","clerk"]},"web.example":{"roles":"viewer"},"account":{"roles":["manage"]}}`}
	for _, test := range []struct {
		name, paths string
		claims      []string
		want        []string
	}{
		{"by default", "", []string{"roles", `["a","b","a",""]`}, []string{"a", "b"}},
		{"a string", "", []string{"roles", `"a b"`}, []string{"a b"}},
		{"none", "", nil, nil},
		{"an empty list", "", []string{"roles", `[]`}, nil},
		{"other types", "", []string{"roles", `[1,null,["a"],{"b":1},"c"]`}, []string{"c"}},
		{"an object", "", []string{"roles", `{"a":{}}`}, nil},
		{"of one claim of several", "realm_access.roles", slices.Concat(realm, clients), []string{"clerk", "staff"}},
		{"of several claims", keycloak, slices.Concat(realm, clients), []string{"clerk", "staff", "editor", "viewer"}},
		{"of several claims, the first missing", keycloak, clients, []string{"editor", "clerk", "viewer"}},
		{"of several claims, the last missing", keycloak, realm, []string{"clerk", "staff"}},
		{"of several claims, all missing", keycloak, nil, nil},
		{"of several claims, in the other order", "groups,roles", []string{"roles", `["a"]`, "groups", `["b"]`}, []string{"b", "a"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, err := newAuth(t, func(c *sso.Config) { c.RolesClaim = test.paths }).ValidateToken(t.Context(), token(test.claims...))
			if err != nil {
				t.Fatal(err)
			}
			got := p.Roles()
			if !slices.Equal(got, test.want) || (got == nil) != (test.want == nil) {
				t.Errorf("%q, want %q", got, test.want)
			}
			for _, role := range []string{"a", "b", "a b", "c", "clerk", "staff", "editor", "viewer", "manage", "", "Clerk"} {
				if p.HasRole(role) != slices.Contains(test.want, role) {
					t.Errorf("HasRole(%q) is %t", role, p.HasRole(role))
				}
			}
			if len(got) > 0 {
				if got[0] = "root"; p.HasRole("root") || p.Roles()[0] == "root" {
					t.Error("the principal changed")
				}
			}
		})
	}
	if (*sso.Principal)(nil).Roles() != nil {
		t.Error("a nil principal has roles")
	}
}

// Microsoft Entra leaves the groups out if there are too many.
func TestAuthorize_GroupsOverage(t *testing.T) {
	for _, test := range []struct {
		name    string
		claims  []string
		overage bool
	}{
		{"_claim_names", []string{"_claim_names", `{"groups":"src1"}`, "_claim_sources", `{"src1":{"endpoint":"https://graph.example/groups"}}`}, true},
		{"hasgroups", []string{"hasgroups", `true`}, true},
		{"hasgroups false", []string{"hasgroups", `false`}, false},
		{"another claim elsewhere", []string{"_claim_names", `{"address":"src1"}`}, false},
		{"groups", []string{"groups", `["a"]`}, false},
		{"a list of names", []string{"_claim_names", `["groups"]`}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			var log lines
			a := newAuth(t, func(c *sso.Config) { c.RolesClaim, c.Logger = "groups", log.logger(slog.LevelInfo) })
			if _, err := a.Authorize(t.Context(), bearer(token(test.claims...)), denying); class(err) != "access denied" {
				t.Fatal(err)
			}
			entries := log.entries(t)
			hint := fmt.Sprint(entries[len(entries)-1]["hint"])
			if strings.Contains(hint, "left out by Microsoft Entra") != test.overage {
				t.Errorf("hint: %s", hint)
			}
			_, steps, err := a.Explain(t.Context(), token(test.claims...))
			last := steps[len(steps)-1]
			if err != nil || (last.Name == "groups") != test.overage || test.overage && (last.Result != "skipped" || !strings.Contains(last.Err.Error(), "left out by Microsoft Entra")) {
				t.Errorf("%+v, %v", last, err)
			}
		})
	}
}

func TestAuthorize_ClientGone(t *testing.T) {
	for name, test := range map[string]struct {
		end  func(context.CancelFunc)
		want string
	}{
		"gone":  {func(cancel context.CancelFunc) { cancel() }, "INFO"},
		"there": {func(context.CancelFunc) {}, "ERROR"},
	} {
		t.Run(name, func(t *testing.T) {
			var log lines
			a := newAuth(t, func(c *sso.Config) { c.Logger = log.logger(slog.LevelInfo) })
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			_, err := a.Authorize(ctx, bearer(token()), permit(func(ctx context.Context, _ sso.Access) sso.Decision {
				test.end(cancel)
				return sso.Fail(context.Canceled)
			}))
			if d := sso.DenialOf(err); d.Status != 500 {
				t.Errorf("%d: %v", d.Status, err)
			}
			if entry := log.entries(t)[1]; entry["level"] != test.want {
				t.Errorf("logged %v, want %s", entry, test.want)
			}
		})
	}
}
