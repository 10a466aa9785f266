package permission_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/more-retail/moresso-go/core/permission"
)

func TestParseReadsWhatDescribePrints(t *testing.T) {
	for text, want := range map[string]string{
		`is("pma.role", "admin") && scope("orders:read")`:       `(is("pma.role", "admin") && scope("orders:read"))`,
		`has("a") && has("b") && has("c")`:                      `(has("a") && has("b") && has("c"))`,
		`has("a") || has("b") && has("c")`:                      `(has("a") || (has("b") && has("c")))`,
		`(has("a") || has("b")) && !has("c")`:                   `((has("a") || has("b")) && !has("c"))`,
		`all(has("a"), any(has("b"), has("c")), not(has("d")))`: `(has("a") && (has("b") || has("c")) && !has("d"))`,
		`all(has("a"))`: `has("a")`,
		`ifElse(method("GET"), has("r"), role("clerk", "admin"))`: `ifElse(method("GET"), has("r"), role("clerk", "admin"))`,
		"is(`a\\.b`, 'x')": "", // a character is no string
		`is("a", 1, -2.5, 1e3, true, false, null, nil)`:           `is("a", 1, -2.5, 1e3, true, false, null, null)`,
		`is("a", 9007199254740993)`:                               `is("a", 9007199254740993)`,
		"is(`https://corp\\.example/x`, \"y\")":                   `is("https://corp\\.example/x", "y")`,
		`is("a", json("[1,{\"b\":null}]"))`:                       `is("a", json("[1,{\"b\":null}]"))`,
		"claim(\"cognito:groups\",\n\t`a`,\n)":                    `claim("cognito:groups", "a")`,
		`truthy("a")`:                                             `truthy("a")`,
		`authenticated() && (clientCredentials() || humanUser())`: `(authenticated() && (clientCredentials() || humanUser()))`,
		`freshLogin("15m") && acr("gold", "silver")`:              `(freshLogin("15m0s") && acr("gold", "silver"))`,
		`sameAsPath("sub", "id")`:                                 `sameAsPath("sub", "id")`,
		`!!has("a")`:                                              `!!has("a")`,
		`is("a", "\u00e9\n\"\\")`:                                 `is("a", "é\n\"\\")`,
	} {
		t.Run(text, func(t *testing.T) {
			p, err := permission.Parse(text)
			if want == "" {
				if err == nil {
					t.Fatalf("read as %s", permission.Describe(p))
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := permission.Describe(p); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			again, err := permission.Parse(permission.Describe(p))
			if err != nil || permission.Describe(again) != want {
				t.Errorf("read again: %v %v", again, err)
			}
		})
	}
}

func TestParseNamesEveryFaultByItsPosition(t *testing.T) {
	for text, want := range map[string][]string{
		``:                                     {"1:1: "},
		`   `:                                  {"1:4: "},
		`is("a", "b") &&`:                      {"1:"},
		`is("a"`:                               {"1:7: "},
		`"a"`:                                  {"1:1: here a permission must stand"},
		`is`:                                   {"1:1: here a permission must stand"},
		`1 + 2`:                                {"1:1: here a permission must stand"},
		`is("a", "b") + has("c")`:              {"1:1: here a permission must stand"},
		`has("a") && "b"`:                      {"1:13: here a permission must stand"},
		`-has("a")`:                            {"1:1: here a permission must stand"},
		`Is("a", "b")`:                         {"1:1: Is is written is"},
		`freshlogin("1m")`:                     {"1:1: freshlogin is written freshLogin"},
		`func("owner")`:                        {"1:"},
		`is("a", "\xff")`:                      {`1:9: "\xff" is no text in UTF-8`},
		"//line x:4711\nnobody()":              {"2:1: nobody is unknown"},
		"func(":                                {"1:1: func is code"},
		"is(\"a\", \"func\") ||\n func(\"b\")": {"2:2: func is code"},
		"//line x:4711\nfunc(":                 {"2:1: func is code"},
		`func("mine")`:                         {"1:1: func is code, which no text can bring back"},
		`owner("x")`:                           {"1:1: owner is unknown; the functions are acr, all, any, authenticated"},
		`permission.Is("a", "b")`:              {"1:1: write the name of the function alone"},
		`is("a", x...)`:                        {"1:1: write the arguments out"},
		`is()`:                                 {"1:1: Is with an empty path"},
		`is("", "b")`:                          {"1:1: Is with an empty path"},
		`is("a")`:                              {`1:1: Is("a") without a value`},
		`is(1, "b")`:                           {"1:4: argument 1 of is is a string in quotes"},
		`is("a", b)`:                           {"1:9: here a value must stand"},
		`is("a", has("b"))`:                    {"1:9: here a value must stand"},
		`is("a", []any{1})`:                    {"1:9: here a value must stand"},
		`is("a", 1_000)`:                       {"1:9: 1_000 is no number as JSON writes them"},
		`is("a", +1)`:                          {"1:9: here a value must stand"},
		`is("a", -b)`:                          {"1:9: here a value must stand"},
		`is("a", -"b")`:                        {"1:9: here a value must stand"},
		`is("a", 0x10)`:                        {"1:9: 0x10 is no number"},
		`is("a", -010)`:                        {"1:9: -010 is no number"},
		`is("a", json("{"))`:                   {"1:9: json(…): "},
		`is("a", json("{\"a\":1,\"a\":2}"))`:   {"1:9: json(…): "},
		`is("a", json(1))`:                     {"1:9: here a value must stand"},
		`has("a", "b")`:                        {"1:1: has takes 1 arguments and has 2"},
		`has()`:                                {"1:1: has takes 1 arguments and has 0"},
		`has(1)`:                               {"1:5: argument 1 of has is a string"},
		`scope("a b")`:                         {`1:1: Scope: "a b" cannot be the name of a scope`},
		`scope()`:                              {"1:1: Scope without a name"},
		`role("")`:                             {"1:1: Role without a name"},
		`authenticated("a")`:                   {"1:1: authenticated takes 0 arguments"},
		`clientCredentials("a")`:               {"1:1: clientCredentials takes 0 arguments"},
		`humanUser("a")`:                       {"1:1: humanUser takes 0 arguments"},
		`freshLogin("soon")`:                   {"1:1: freshLogin takes a duration"},
		`freshLogin("0s")`:                     {"1:1: FreshLogin(0s)"},
		`freshLogin(5)`:                        {"1:12: argument 1 of freshLogin is a string", "1:1: freshLogin takes a duration"},
		`method("get")`:                        {`1:1: Method("get")`},
		`sameAsPath("sub")`:                    {"1:1: sameAsPath takes 2 arguments"},
		`all()`:                                {"1:1: All without a permission"},
		`not()`:                                {"1:1: not takes 1 arguments"},
		`ifElse(has("a"), has("b"))`:           {"1:1: ifElse takes 3 arguments"},
		`has("") && is("a") || owner()`:        {"1:1: Has with an empty path", `1:12: Is("a") without a value`, "1:23: owner is unknown"},
		"has(\"a\") &&\n  has(\"\")":           {"2:3: Has with an empty path"},
		`all(has(""), not(has(1)))`:            {"1:5: Has with an empty path", "1:22: argument 1 of has"},
		`has("` + strings.Repeat("a", 17000) + `")`: {"1:1: the text has 17007 bytes; at most 16384 are read"},
		strings.Repeat("(", 10000):                  {"1:"},
	} {
		t.Run(text[:min(len(text), 40)], func(t *testing.T) {
			p, err := permission.Parse(text)
			var faults *permission.ParseError
			if !errors.As(err, &faults) || p != nil {
				t.Fatalf("%v, %v", p, err)
			}
			if len(faults.Faults) < len(want) {
				t.Fatalf("%d faults, want %d: %v", len(faults.Faults), len(want), err)
			}
			for i, w := range want {
				f := faults.Faults[i]
				if got := fmt.Sprintf("%d:%d: %s", f.Line, f.Column, f.Problem); !strings.HasPrefix(got, w) {
					t.Errorf("fault %d is %q, want %q", i, got, w)
				}
			}
			if syntax := len(want[0]) <= len("1:1: "); !syntax && len(faults.Faults) != len(want) {
				t.Errorf("%d faults, want %d: %v", len(faults.Faults), len(want), err)
			}
			if !strings.HasPrefix(err.Error(), "permission: 1:") && !strings.HasPrefix(err.Error(), "permission: 2:") {
				t.Errorf("the error is %q", err)
			}
		})
	}
}

func TestParseReadsAsMuchAsItSays(t *testing.T) {
	const most = 16 << 10
	text := func(bytes int) string { return `has("` + strings.Repeat("a", bytes-len(`has("")`)) + `")` }
	if _, err := permission.Parse(text(most)); err != nil {
		t.Errorf("%d bytes: %.100v", most, err)
	}
	if _, err := permission.Parse(text(most + 1)); err == nil {
		t.Errorf("%d bytes are read", most+1)
	}
}

func TestGeneratedPermissionsAreReadBackAsTheyAre(t *testing.T) {
	r := dice(6)
	for range 2000 {
		text := permission.Describe(aTree(t, r, 3, false, true).permission)
		p, err := permission.Parse(text)
		if strings.Contains(text, "func(") {
			if err == nil {
				t.Fatalf("%s was read", text)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if again := permission.Describe(p); again != text {
			t.Fatalf("%s was read as %s", text, again)
		}
	}
}

func TestAPermissionReadFromTextDecidesAsTheSameOneBuilt(t *testing.T) {
	r := dice(7)
	grants := 0
	for range 100 {
		who := whoHas(t, someClaims(r))
		for range 20 {
			built := aTree(t, r, 2, false, true).permission
			read, err := permission.Parse(permission.Describe(built))
			if err != nil {
				continue // a Func is in it
			}
			want, got := check(t, built, who), check(t, read, who)
			if got.Explain() != want.Explain() || got.Granted() != want.Granted() {
				t.Fatalf("%v: %s, want %s", built, got.Explain(), want.Explain())
			}
			if got.Granted() {
				grants++
			}
		}
	}
	if grants < 200 {
		t.Errorf("only %d grants", grants)
	}
}

func TestDescribeJSON(t *testing.T) {
	p, err := permission.Parse(`is("a.b", "x", 1, json("[true]")) && (!scope("s") || ifElse(method("GET"), has("c"), sameAsPath("sub", "id"))) && freshLogin("1m")`)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"kind":"all","children":[{"kind":"is","path":"a.b","values":["x",1,[true]]},` +
		`{"kind":"any","children":[{"kind":"not","children":[{"kind":"scope","values":["s"]}]},` +
		`{"kind":"ifElse","children":[{"kind":"method","values":["GET"]},{"kind":"has","path":"c"},{"kind":"sameAsPath","path":"sub","values":["id"]}]}]},` +
		`{"kind":"freshLogin","values":["1m0s"]}]}`
	if got := permission.DescribeJSON(p); string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := permission.DescribeJSON(panicking{}); string(got) != `{"kind":"custom","values":["permission_test.panicking"]}` || !json.Valid(got) {
		t.Errorf("%s", got)
	}
	if got := permission.Describe(nil); got != "<nil>" {
		t.Error(got)
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{
		`is("pma.role", "admin") && scope("orders:read")`, `!(has("a") || truthy("b.c")) && authenticated()`, `ifElse(method("GET"), claim("x", 1.5e3, null), role("r"))`,
		`is("a", json("{\"k\":[1,\"\\u00e9\"]}"))`, `freshLogin("15m") || acr("gold")`, `sameAsPath("sub", "id")`, "has(`a\\.b`)",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := permission.Parse(text)
		if err != nil {
			var faults *permission.ParseError
			if !errors.As(err, &faults) || len(faults.Faults) == 0 || p != nil {
				t.Errorf("%v %v", p, err)
			}
			return
		}
		described := permission.Describe(p)
		again, err := permission.Parse(described)
		if err != nil || permission.Describe(again) != described {
			t.Errorf("%q is described as %q, which is read as %v (%v)", text, described, again, err)
		}
		if !json.Valid(permission.DescribeJSON(p)) {
			t.Errorf("%s", permission.DescribeJSON(p))
		}
		if check(t, p, nil).Granted() && panicOf(func() { permission.ForRoute(p) }) == "" {
			t.Errorf("%q is granted to nobody", text)
		}
	})
}
