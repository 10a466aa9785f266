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

func TestLeavesAboutTheCaller(t *testing.T) {
	fresh, strong := permission.FreshLogin(5*time.Minute), permission.ACR("gold", "silver")
	for _, test := range []struct {
		name   string
		p      sso.Permission
		claims string
		want   bool
	}{
		{"Authenticated, whatever the token says", permission.Authenticated(), `{}`, true},

		{"Claim from the token's root", permission.Claim("department", "sales"), `{"department":"sales"}`, true},
		{"Claim of a list", permission.Claim("cognito:groups", "a"), `{"cognito:groups":["b","a"]}`, true},
		{"Claim with a dot in its name", permission.Claim(`https://corp\.example/roles`, "a"), `{"https://corp.example/roles":"a"}`, true},
		{"Claim of another value", permission.Claim("department", "sales"), `{"department":"Sales"}`, false},
		{"Claim that is not there", permission.Claim("department", "sales"), `{"permissions":{"department":"sales"}}`, false},
		{"Claim of null", permission.Claim("department", nil), `{"department":null}`, false},
		{"Claim, where * means nothing", permission.Claim("department", "sales"), `{"department":"*"}`, false},
		{"Claim, where * means itself", permission.Claim("department", "*"), `{"department":"*"}`, true},

		{"Role that is the only one", permission.Role("clerk"), `{"roles":"clerk"}`, true},
		{"Role among several", permission.Role("admin", "clerk"), `{"roles":["x","clerk"]}`, true},
		{"Role in another case", permission.Role("clerk"), `{"roles":["Clerk"]}`, false},
		{"Role within a string of several", permission.Role("clerk"), `{"roles":"clerk admin"}`, false},
		{"Role of another type", permission.Role("1"), `{"roles":[1]}`, false},
		{"Role, where * means nothing", permission.Role("clerk"), `{"roles":["*"]}`, false},
		{"Role of nobody", permission.Role("clerk"), `{}`, false},
		{"Role in an empty list", permission.Role("clerk"), `{"roles":[]}`, false},
		{"Role in an object", permission.Role("clerk"), `{"roles":{"clerk":true}}`, false},

		{"a program by idtyp", permission.ClientCredentials(), `{"idtyp":"app"}`, true},
		{"a program by gty", permission.ClientCredentials(), `{"gty":"client-credentials"}`, true},
		{"a program by client_id", permission.ClientCredentials(), `{"client_id":"ada"}`, true},
		{"a program by cid", permission.ClientCredentials(), `{"cid":"ada"}`, true},
		{"a program by azp", permission.ClientCredentials(), `{"azp":"ada"}`, true},
		{"another's client_id shows no program", permission.ClientCredentials(), `{"client_id":"web"}`, false},
		{"nothing shows no program", permission.ClientCredentials(), `{}`, false},
		{"a grant of another kind shows no program", permission.ClientCredentials(), `{"gty":"password"}`, false},
		{"a program that shows a person besides is none", permission.ClientCredentials(), `{"client_id":"ada","auth_time":1}`, false},

		{"a person by idtyp", permission.HumanUser(), `{"idtyp":"user"}`, true},
		{"a person by auth_time", permission.HumanUser(), `{"auth_time":1700000000}`, true},
		{"a person by amr", permission.HumanUser(), `{"amr":["pwd"]}`, true},
		{"an empty amr shows no person", permission.HumanUser(), `{"amr":[]}`, false},
		{"an amr of another type shows no person", permission.HumanUser(), `{"amr":[1,null,""]}`, false},
		{"an auth_time of 0 shows no person", permission.HumanUser(), `{"auth_time":0}`, false},
		{"an auth_time in words shows no person", permission.HumanUser(), `{"auth_time":"1700000000"}`, false},
		{"nothing shows no person", permission.HumanUser(), `{}`, false},
		{"a person that shows a program besides is none", permission.HumanUser(), `{"idtyp":"app","amr":["pwd"]}`, false},

		{"a login of this moment", fresh, `{"auth_time":` + at(0) + `}`, true},
		{"a login of as long ago as may be", fresh, `{"auth_time":` + at(-5*time.Minute) + `}`, true},
		{"a login of a second more", fresh, `{"auth_time":` + at(-5*time.Minute-time.Second) + `}`, false},
		{"a login ahead by less than the leeway", fresh, `{"auth_time":` + at(time.Minute) + `}`, true},
		{"a login of a second ago, where one may be", permission.FreshLogin(time.Second), `{"auth_time":` + at(-time.Second) + `}`, true},
		{"a login in the future", fresh, `{"auth_time":` + at(time.Minute+time.Second) + `}`, false},
		{"a login in the far future", fresh, `{"auth_time":253402300799}`, false},
		{"a login beyond all dates", fresh, `{"auth_time":1e300}`, false},
		{"a login of before 1970", fresh, `{"auth_time":-1}`, false},
		{"a login in words", fresh, `{"auth_time":"` + at(0) + `"}`, false},
		{"a login that is not told", fresh, `{}`, false},
		{"a login of any age, in a token without its date", permission.FreshLogin(1000000 * time.Hour), `{}`, false},

		{"a strong login", strong, `{"acr":"gold"}`, true},
		{"the other strong login", strong, `{"acr":"silver"}`, true},
		{"a weak login", strong, `{"acr":"bronze"}`, false},
		{"a login of several strengths, which acr cannot tell", strong, `{"acr":["gold"]}`, false},
		{"a login of untold strength", strong, `{}`, false},
		{"* is no strength", strong, `{"acr":"*"}`, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := check(t, test.p, principal(t, test.claims))
			if d.Granted() != test.want || d.Err() != nil {
				t.Errorf("%s, want granted %t", d.Explain(), test.want)
			}
			if !test.want && (d.Code() == "" || d.Remedy() == "") {
				t.Errorf("does not say why: %s", d.Explain())
			}
			for _, nobody := range []*sso.Principal{nil, {}} {
				if check(t, test.p, nobody).Granted() {
					t.Error("is granted to nobody")
				}
			}
		})
	}
}

func TestOwnIsWhatThePathNames(t *testing.T) {
	for _, test := range []struct {
		name, claim, claims, value string
		want                       bool
	}{
		{"one's own", "sub", `{}`, "ada", true},
		{"another's", "sub", `{}`, "bob", false},
		{"in another case", "sub", `{}`, "Ada", false},
		{"nothing in the path", "sub", `{}`, "", false},
		{"no such claim", "user", `{}`, "ada", false},
		{"nothing on either side", "user", `{}`, "", false},
		{"an empty claim and an empty path", "user", `{"user":""}`, "", false},
		{"* means nothing in the claim", "user", `{"user":"*"}`, "ada", false},
		{"* means nothing in the path", "sub", `{}`, "*", false},
		{"* equals itself", "user", `{"user":"*"}`, "*", true},
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
				t.Error("is granted without a request, or to nobody")
			}
		})
	}
}

func TestMethodComparesExactly(t *testing.T) {
	p := permission.Method("GET", "POST")
	for method, want := range map[string]bool{"GET": true, "POST": true, "HEAD": false, "get": false, "": false, "DELETE": false} {
		if d := checkRequest(t, p, nil, request{method: method}); d.Granted() != want {
			t.Errorf("%s: %s", method, d.Explain())
		}
	}
	if check(t, p, principal(t, `{}`)).Granted() {
		t.Error("is granted without a request")
	}
}

func TestALoginThatIsAllThatIsMissingCanBeMended(t *testing.T) {
	fresh, fresher, gold, metal := permission.FreshLogin(time.Hour), permission.FreshLogin(time.Minute), permission.ACR("gold"), permission.ACR("silver", "gold")
	is, has := permission.Is("a", 1), permission.Has("b")
	all, some, not := permission.All, permission.Any, permission.Not
	failing := broken
	for _, test := range []struct {
		name string
		p    sso.Permission
		want string // empty: another login would not help
	}{
		{"a fresh login", fresh, "[] 1h0m0s"},
		{"a strong login", metal, "[silver gold] 0s"},
		{"both", all(fresh, gold), "[gold] 1h0m0s"},
		{"the fresher of two", all(fresh, fresher), "[] 1m0s"},
		{"what two lists share", all(metal, gold), "[gold] 0s"},
		{"nothing that two lists share", all(gold, permission.ACR("silver")), ""},
		{"beside what is held", all(has, fresh), "[] 1h0m0s"},
		{"beside what is missing", all(is, fresh), ""},
		{"beside what is missing, twice", all(fresh, is, gold), ""},
		{"what is missing alone", is, ""},
		{"beside a failure", all(fresh, failing), ""},
		{"as an alternative", some(is, fresh), "[] 1h0m0s"},
		{"as the first of two alternatives", some(gold, fresh), "[gold] 0s"},
		{"beside what is held, as an alternative", some(is, all(has, gold)), "[gold] 0s"},
		{"beside what is missing, as an alternative", some(is, all(is, gold)), ""},
		{"nested", all(some(all(is, fresh), gold), some(is, fresher)), "[gold] 1m0s"},
		{"of IfElse", permission.IfElse(has, fresh, is), "[] 1h0m0s"},
		{"of the other branch", permission.IfElse(is, is, fresh), "[] 1h0m0s"},
		{"not of what must be forbidden", not(has), ""},
		{"not beside what must be forbidden", all(not(has), fresh), ""},
		{"Not of Not", not(not(fresh)), "[] 1h0m0s"},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := check(t, test.p, principal(t, `{"permissions":{"b":true}}`))
			if d.Granted() {
				t.Fatal("granted")
			}
			got := ""
			if s, ok := d.StepUp(); ok {
				got = fmt.Sprint(s.ACRValues, " ", s.MaxAge)
			}
			if got != test.want {
				t.Errorf("%q, want %q:\n%s", got, test.want, d.Explain())
			}
		})
	}
	for name, d := range map[string]sso.Decision{"a grant": check(t, permission.Authenticated(), principal(t, `{}`)), "the zero Decision": {}, "a failure": check(t, failing, nil)} {
		if _, ok := d.StepUp(); ok {
			t.Errorf("%s can be mended by a login", name)
		}
	}
}

// late is a permission that does not honour its context.
type late struct{ answer sso.Decision }

func (p late) Check(ctx context.Context, _ sso.Access) sso.Decision {
	<-ctx.Done()
	return p.answer
}

func TestAnAnswerThatComesTooLateIsNone(t *testing.T) {
	for name, p := range map[string]sso.Permission{
		"a late grant":                   late{sso.Grant()},
		"a late denial, negated":         permission.Not(late{sso.Deny("c", "r")}),
		"a late denial beside a grant":   permission.Any(late{sso.Deny("c", "r")}, late{sso.Grant()}),
		"a late condition":               permission.IfElse(late{sso.Grant()}, yes, yes),
		"a late denial as the condition": permission.IfElse(late{sso.Deny("c", "r")}, yes, yes),
		"a late one among All":           permission.All(yes, late{sso.Grant()}),
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
