package permission_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
)

func at(d time.Duration) string { return fmt.Sprint(now.Add(d).Unix()) }

func TestLeaf_Caller(t *testing.T) {
	fresh, strong := permission.FreshLogin(5*time.Minute), permission.ACR("gold", "silver")
	for _, test := range []struct {
		name   string
		p      sso.Permission
		claims string
		want   bool
	}{
		{"Authenticated for a token without claims", permission.Authenticated(), `{}`, true},

		{"Claim at the token's root", permission.Claim("department", "sales"), `{"department":"sales"}`, true},
		{"Claim of a list", permission.Claim("cognito:groups", "a"), `{"cognito:groups":["b","a"]}`, true},
		{"Claim with a dot in its name", permission.Claim(`https://corp\.example/roles`, "a"), `{"https://corp.example/roles":"a"}`, true},
		{"Claim of another value", permission.Claim("department", "sales"), `{"department":"Sales"}`, false},
		{"Claim that is absent", permission.Claim("department", "sales"), `{"permissions":{"department":"sales"}}`, false},
		{"Claim of null", permission.Claim("department", nil), `{"department":null}`, false},
		{"Claim does not match the wildcard", permission.Claim("department", "sales"), `{"department":"*"}`, false},
		{"Claim compares * as a string", permission.Claim("department", "*"), `{"department":"*"}`, true},

		{"Absent without the claim", permission.Absent("suspended"), `{}`, true},
		{"Absent of null", permission.Absent("suspended"), `{"suspended":null}`, true},
		{"Absent of true", permission.Absent("suspended"), `{"suspended":true}`, false},
		{"Absent of a text", permission.Absent("suspended"), `{"suspended":"true"}`, false},
		{"Absent of false", permission.Absent("suspended"), `{"suspended":false}`, false},
		{"Absent of an empty text", permission.Absent("suspended"), `{"suspended":""}`, false},
		{"Absent of an empty list", permission.Absent("suspended"), `{"suspended":[]}`, false},
		{"Absent within an object", permission.Absent("account.suspended"), `{"account":{"suspended":1}}`, false},
		{"Absent beside false", permission.Any(permission.Absent("suspended"), permission.Claim("suspended", false)), `{"suspended":false}`, true},

		{"Role that is the only one", permission.Role("clerk"), `{"roles":"clerk"}`, true},
		{"Role among several", permission.Role("admin", "clerk"), `{"roles":["x","clerk"]}`, true},
		{"Role in another case", permission.Role("clerk"), `{"roles":["Clerk"]}`, false},
		{"Role within a string of several", permission.Role("clerk"), `{"roles":"clerk admin"}`, false},
		{"Role of another type", permission.Role("1"), `{"roles":[1]}`, false},
		{"Role does not match the wildcard", permission.Role("clerk"), `{"roles":["*"]}`, false},
		{"Role without the claim", permission.Role("clerk"), `{}`, false},
		{"Role in an empty list", permission.Role("clerk"), `{"roles":[]}`, false},
		{"Role in an object", permission.Role("clerk"), `{"roles":{"clerk":true}}`, false},

		{"a program by idtyp", permission.ClientCredentials(), `{"idtyp":"app"}`, true},
		{"a program by gty", permission.ClientCredentials(), `{"gty":"client-credentials"}`, true},
		{"a program by client_id", permission.ClientCredentials(), `{"client_id":"ada"}`, true},
		{"a program by cid", permission.ClientCredentials(), `{"cid":"ada"}`, true},
		{"a program by azp", permission.ClientCredentials(), `{"azp":"ada"}`, true},
		{"a client_id that differs from sub does not identify a program", permission.ClientCredentials(), `{"client_id":"web"}`, false},
		{"a program without evidence", permission.ClientCredentials(), `{}`, false},
		{"a gty of another grant does not identify a program", permission.ClientCredentials(), `{"gty":"password"}`, false},
		{"evidence of both is not a program", permission.ClientCredentials(), `{"client_id":"ada","auth_time":1}`, false},

		{"a person by idtyp", permission.HumanUser(), `{"idtyp":"user"}`, true},
		{"a person by auth_time", permission.HumanUser(), `{"auth_time":1700000000}`, true},
		{"a person by amr", permission.HumanUser(), `{"amr":["pwd"]}`, true},
		{"an empty amr does not identify a person", permission.HumanUser(), `{"amr":[]}`, false},
		{"an amr of another type does not identify a person", permission.HumanUser(), `{"amr":[1,null,""]}`, false},
		{"an auth_time of 0 does not identify a person", permission.HumanUser(), `{"auth_time":0}`, false},
		{"an auth_time that is a string does not identify a person", permission.HumanUser(), `{"auth_time":"1700000000"}`, false},
		{"a person without evidence", permission.HumanUser(), `{}`, false},
		{"evidence of both is not a person", permission.HumanUser(), `{"idtyp":"app","amr":["pwd"]}`, false},

		{"a login now", fresh, `{"auth_time":` + at(0) + `}`, true},
		{"a login of the maximum age", fresh, `{"auth_time":` + at(-5*time.Minute) + `}`, true},
		{"a login a second too old", fresh, `{"auth_time":` + at(-5*time.Minute-time.Second) + `}`, false},
		{"a login in the future within the leeway", fresh, `{"auth_time":` + at(time.Minute) + `}`, true},
		{"a login of the minimum age that can be required", permission.FreshLogin(time.Second), `{"auth_time":` + at(-time.Second) + `}`, true},
		{"a login in the future", fresh, `{"auth_time":` + at(time.Minute+time.Second) + `}`, false},
		{"a login in the far future", fresh, `{"auth_time":253402300799}`, false},
		{"a login beyond all dates", fresh, `{"auth_time":1e300}`, false},
		{"a login before 1970", fresh, `{"auth_time":-1}`, false},
		{"an auth_time that is a string", fresh, `{"auth_time":"` + at(0) + `"}`, false},
		{"no auth_time", fresh, `{}`, false},
		{"no auth_time, with a maximum age of decades", permission.FreshLogin(1000000 * time.Hour), `{}`, false},

		{"a strong login", strong, `{"acr":"gold"}`, true},
		{"the other strong login", strong, `{"acr":"silver"}`, true},
		{"a weak login", strong, `{"acr":"bronze"}`, false},
		{"acr that is a list", strong, `{"acr":["gold"]}`, false},
		{"no acr", strong, `{}`, false},
		{"acr does not match the wildcard", strong, `{"acr":"*"}`, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := check(t, test.p, principal(t, test.claims))
			if d.Granted() != test.want || d.Err() != nil {
				t.Errorf("%s, want granted %t", d.Explain(), test.want)
			}
			if !test.want && (d.Code() == "" || d.Remedy() == "") {
				t.Errorf("no code or remedy: %s", d.Explain())
			}
			for _, empty := range []*sso.Principal{nil, {}} {
				if check(t, test.p, empty).Granted() {
					t.Error("granted without a principal")
				}
			}
		})
	}
}

func TestSameAsPath(t *testing.T) {
	for _, test := range []struct {
		name, claim, claims, value string
		want                       bool
	}{
		{"the caller's own", "sub", `{}`, "ada", true},
		{"another's", "sub", `{}`, "bob", false},
		{"in another case", "sub", `{}`, "Ada", false},
		{"nothing in the path", "sub", `{}`, "", false},
		{"no such claim", "user", `{}`, "ada", false},
		{"nothing on either side", "user", `{}`, "", false},
		{"an empty claim and an empty path", "user", `{"user":""}`, "", false},
		{"the wildcard in the claim", "user", `{"user":"*"}`, "ada", false},
		{"the wildcard in the path", "sub", `{}`, "*", false},
		{"the same * on both sides", "user", `{"user":"*"}`, "*", true},
		{"a number", "user.id", `{"user":{"id":42}}`, "42", true},
		{"a number beyond 2^53", "id", `{"id":9007199254740993}`, "9007199254740993", true},
		{"its neighbour", "id", `{"id":9007199254740993}`, "9007199254740992", false},
		{"a number with a zero before it", "id", `{"id":42}`, "042", false},
		{"a number and a point", "id", `{"id":42.5}`, "42.5", false},
		{"a list", "id", `{"id":["ada"]}`, "ada", false},
		{"true", "id", `{"id":true}`, "true", false},
		{"null", "id", `{"id":null}`, "null", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := permission.SameAsPath(test.claim, "id")
			who := principal(t, test.claims)
			d := checkRequest(t, p, who, request{values: map[string]string{"id": test.value}})
			if d.Granted() != test.want || d.Err() != nil {
				t.Errorf("%s, want granted %t", d.Explain(), test.want)
			}
			if check(t, p, who).Granted() || checkRequest(t, p, nil, request{values: map[string]string{"id": test.value}}).Granted() {
				t.Error("granted without a request or without a principal")
			}
		})
	}
}

func TestDenial_StepUp(t *testing.T) {
	fresh, fresher, gold, metal := permission.FreshLogin(time.Hour), permission.FreshLogin(time.Minute), permission.ACR("gold"), permission.ACR("silver", "gold")
	is, has := permission.Is("a", 1), permission.Has("b")
	all, some, not := permission.All, permission.Any, permission.Not
	failing := broken
	for _, test := range []struct {
		name string
		p    sso.Permission
		want string // of the challenge; empty: 403
	}{
		{"a fresh login", fresh, `max_age="3600"`},
		{"a strong login", metal, `acr_values="silver gold"`},
		{"both", all(fresh, gold), `acr_values="gold", max_age="3600"`},
		{"the fresher of two", all(fresh, fresher), `max_age="60"`},
		{"what two lists share", all(metal, gold), `acr_values="gold"`},
		{"nothing that two lists share", all(gold, permission.ACR("silver")), ""},
		{"beside a grant", all(has, fresh), `max_age="3600"`},
		{"beside a denial", all(is, fresh), ""},
		{"two logins beside a denial", all(fresh, is, gold), ""},
		{"a denial alone", is, ""},
		{"beside a failure", all(fresh, failing), ""},
		{"as an alternative", some(is, fresh), `max_age="3600"`},
		{"as the first of two alternatives", some(gold, fresh), `acr_values="gold"`},
		{"beside a grant, as an alternative", some(is, all(has, gold)), `acr_values="gold"`},
		{"beside a denial, as an alternative", some(is, all(is, gold)), ""},
		{"nested", all(some(all(is, fresh), gold), some(is, fresher)), `acr_values="gold", max_age="60"`},
		{"not for a forbidden leaf", not(has), ""},
		{"not beside a forbidden leaf", all(not(has), fresh), ""},
		{"Not of Not", not(not(fresh)), `max_age="3600"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := check(t, test.p, principal(t, `{"permissions":{"b":true}}`))
			if d.Granted() {
				t.Fatal("granted")
			}
			denied := &sso.AccessDeniedError{Decision: d}
			want := `Bearer error="insufficient_scope"`
			if test.want != "" {
				want = `Bearer error="insufficient_user_authentication", ` + test.want
			}
			if got := sso.DenialOf(denied).Header.Get("WWW-Authenticate"); got != want && d.Err() == nil {
				t.Errorf("%q, want %q:\n%s", got, want, d.Explain())
			}
		})
	}
}

// late is a permission that does not honor its context.
type late struct{ answer sso.Decision }

func (p late) Check(ctx context.Context, _ sso.Access) sso.Decision {
	<-ctx.Done()
	return p.answer
}

func TestCheck_LateAnswer(t *testing.T) {
	for name, p := range map[string]sso.Permission{
		"a late grant":                 late{sso.Grant()},
		"a late denial, negated":       permission.Not(late{sso.Deny("c", "r")}),
		"a late denial beside a grant": permission.Any(late{sso.Deny("c", "r")}, late{sso.Grant()}),
		"a late one among All":         permission.All(yes, late{sso.Grant()}),
		"a late function": permission.Func("late", func(ctx context.Context, _ sso.Access) (bool, error) {
			<-ctx.Done()
			return true, nil
		}),
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			defer cancel()
			d := sso.Check(ctx, p, sso.NewAccess(principal(t, `{}`), nil))
			if d.Granted() || !errors.Is(d.Err(), context.DeadlineExceeded) {
				t.Errorf("%s", d.Explain())
			}
		})
	}
}
