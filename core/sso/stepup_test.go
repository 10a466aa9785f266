package sso_test

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/sso"
)

// answering is a permission that always answers alike.
func answering(d sso.Decision) sso.Permission {
	return permit(func(context.Context, sso.Access) sso.Decision { return d })
}

func TestADenialThatALoginWouldMendAsksForOne(t *testing.T) {
	login := func(maxAge time.Duration, values ...string) sso.Decision {
		return sso.Deny("login", "sign in").WithStepUp(sso.StepUp{ACRValues: values, MaxAge: maxAge})
	}
	plain := sso.Deny("c", "r").WithScopes("s")
	const asks = `Bearer realm="r", error="insufficient_user_authentication"`
	for _, test := range []struct {
		name     string
		decision sso.Decision
		want     string // empty: 403
	}{
		{"a fresh one", login(5 * time.Minute), asks + `, max_age="300"`},
		{"parts of seconds, rounded down", login(1999 * time.Millisecond), asks + `, max_age="1"`},
		{"a strong one", login(0, "gold", "silver"), asks + `, acr_values="gold silver"`},
		{"one that is both", login(time.Minute, "gold"), asks + `, acr_values="gold", max_age="60"`},
		{"values that would break the challenge are left out", login(0, `a"b`, "a b", "é", "a\r\nb", "gold"), asks + `, acr_values="gold"`},
		{"none is asked for by an empty demand", login(0), ""},
		{"several are made one", sso.Deny("c", "r").WithChildren(login(time.Hour, "a", "b"), login(time.Minute, "b", "c")), asks + `, acr_values="b", max_age="60"`},
		{"of two ages the lesser counts", sso.Deny("c", "r").WithChildren(login(time.Minute), login(time.Hour)), asks + `, max_age="60"`},
		{"an age and a strength, of one each", sso.Deny("c", "r").WithChildren(login(time.Hour), login(0, "gold")), asks + `, acr_values="gold", max_age="3600"`},
		{"a strength and an age, of one each", sso.Deny("c", "r").WithChildren(login(0, "gold"), login(time.Hour)), asks + `, acr_values="gold", max_age="3600"`},
		{"beside what is granted", sso.Deny("c", "r").WithChildren(sso.Grant(), login(time.Hour)), asks + `, max_age="3600"`},
		{"no login has two strengths", sso.Deny("c", "r").WithChildren(login(0, "gold"), login(0, "silver")), ""},
		{"no login has two strengths, however fresh", sso.Deny("c", "r").WithChildren(login(time.Hour, "gold"), login(time.Hour, "silver"), login(time.Minute)), ""},
		{"what else is missing makes it 403", sso.Deny("c", "r").WithChildren(login(time.Hour), plain), ""},
		{"a failure beside makes it 403", sso.Deny("c", "r").WithChildren(login(time.Hour), sso.Fail(errors.New("x"))), ""},
		{"an alternative is enough", sso.Deny("c", "r").WithAlternatives(plain, login(time.Hour)), asks + `, max_age="3600"`},
		{"children take the place of alternatives", sso.Deny("c", "r").WithAlternatives(plain, login(time.Hour)).WithChildren(plain), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			var log lines
			var seen events
			a := newAuth(t, func(c *sso.Config) {
				c.Realm, c.TellScopes, c.Logger, c.Observe = "r", true, log.logger(slog.LevelInfo), seen.Observe
			})
			_, err := a.Authorize(t.Context(), bearer(token()), answering(test.decision))
			if !errors.Is(err, sso.ErrAccessDenied) {
				t.Fatal(err)
			}
			d := sso.DenialOf(err)
			if test.want == "" {
				if d.Status != 403 || d.Code != sso.CodeInsufficientScope {
					t.Errorf("%d %s", d.Status, d.Code)
				}
				return
			}
			compare(t, d, refusal(401, "insufficient_user_authentication", test.want))
			entry := log.entries(t)[1] // after the line about the keys
			if entry["reason"] != string(sso.ReasonWeakLogin) || entry["code"] != sso.CodeInsufficientUserAuthentication {
				t.Errorf("logged %v", entry)
			}
		})
	}
}

func TestNeitherAGrantNorAFailureIsMendedByALogin(t *testing.T) {
	wanted := sso.StepUp{MaxAge: time.Hour}
	for name, d := range map[string]sso.Decision{"a grant": sso.Grant().WithStepUp(wanted), "a failure": sso.Fail(errors.New("away")).WithStepUp(wanted), "the zero Decision": {}} {
		if s, ok := d.StepUp(); ok {
			t.Errorf("%s: %+v", name, s)
		}
	}
	values := []string{"gold"}
	d := sso.Deny("c", "r").WithStepUp(sso.StepUp{ACRValues: values})
	values[0] = "changed"
	for range 2 { // what is handed out is a copy too
		s, ok := d.StepUp()
		if !ok || s.ACRValues[0] != "gold" {
			t.Fatalf("a later change changes it: %+v", s)
		}
		s.ACRValues[0] = "changed"
	}
	if s, ok := (sso.Decision{}).WithStepUp(wanted).StepUp(); !ok || s.MaxAge != time.Hour {
		t.Errorf("a denial: %+v", s)
	}
}

func TestAnAccessTellsWhereItsClaimsStand(t *testing.T) {
	a := newAuth(t, func(c *sso.Config) { c.PermissionsClaim, c.RolesClaim = "authz", "groups" })
	p, err := a.ValidateToken(t.Context(), token())
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		who                *sso.Principal
		permissions, roles string
	}{"a principal": {p, "authz", "groups"}, "nobody": {nil, "permissions", "roles"}, "the zero Principal": {&sso.Principal{}, "permissions", "roles"}} {
		if access := sso.NewAccess(test.who, nil); access.PermissionsClaim() != test.permissions || access.RolesClaim() != test.roles {
			t.Errorf("%s: %s, %s", name, access.PermissionsClaim(), access.RolesClaim())
		}
	}
}

func TestOfAlternativesTheScopesOfOneAreTold(t *testing.T) {
	scopes := func(names ...string) sso.Decision { return sso.Deny("c", "r").WithScopes(names...) }
	both := func(a, b sso.Decision) sso.Decision { return sso.Deny("unmet", "r").WithChildren(a, b) }
	for want, d := range map[string]sso.Decision{
		"a":   sso.Deny("c", "r").WithAlternatives(scopes("a"), scopes("b")),
		"b":   sso.Deny("c", "r").WithAlternatives(both(scopes("a"), scopes("x")), scopes("b")),
		"c":   sso.Deny("c", "r").WithAlternatives(sso.Deny("c", "r"), scopes("c")),
		"d e": both(sso.Deny("c", "r").WithAlternatives(scopes("d"), scopes("x")), scopes("e")),
	} {
		_, err := newAuth(t, func(c *sso.Config) { c.TellScopes = true }).Authorize(t.Context(), bearer(token()), answering(d))
		if got := sso.DenialOf(err).Header.Get("WWW-Authenticate"); got != `Bearer error="insufficient_scope", scope="`+want+`"` {
			t.Errorf("%s, want the scope %s", got, want)
		}
	}
}

func TestTheAgeOfALogin(t *testing.T) {
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
		{"ahead by a second, without leeway", at(time.Second), sso.NoLeeway, 0, false},
		{"not told", "", 0, 0, false},
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
	for _, nobody := range []*sso.Principal{nil, {}} {
		if _, ok := sso.NewAccess(nobody, nil).LoginAge(); ok || !nobody.AuthenticatedAt().IsZero() || nobody.HasRole("") || nobody.Claims().Exists() {
			t.Error("nobody has signed in")
		}
	}
}

func TestRolesStandWhereTheConfigurationSays(t *testing.T) {
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
	t.Run("its name in other letters is refused where it was configured", func(t *testing.T) {
		for path, fine := range map[string]bool{"": true, "groups": false} {
			a := newAuth(t, func(c *sso.Config) { c.RolesClaim = path })
			if _, err := a.ValidateToken(t.Context(), token("GROUPS", `["a"]`, "ROLES", `["a"]`)); (err == nil) != fine {
				t.Errorf("%q: %v", path, err)
			}
		}
	})
}

func TestAClientThatHasGoneIsNoFaultOfTheService(t *testing.T) {
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
