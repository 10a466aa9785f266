package sso_test

import (
	"context"
	"log/slog"
	"strconv"
	"testing"
	"time"

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
		for path, fine := range map[string]bool{"": true, "groups": false} {
			a := newAuth(t, func(c *sso.Config) { c.RolesClaim = path })
			if _, err := a.ValidateToken(t.Context(), token("GROUPS", `["a"]`, "ROLES", `["a"]`)); (err == nil) != fine {
				t.Errorf("%q: %v", path, err)
			}
		}
	})
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
