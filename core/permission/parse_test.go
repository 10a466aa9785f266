package permission_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/more-retail/moresso-go/core/permission"
)

func TestParse_RoundTrip(t *testing.T) {
	for text, want := range map[string]string{
		`is("pma.role", "admin") && scope("orders:read")`:       `(is("pma.role", "admin") && scope("orders:read"))`,
		`has("a") && has("b") && has("c")`:                      `(has("a") && has("b") && has("c"))`,
		`has("a") || has("b") && has("c")`:                      `(has("a") || (has("b") && has("c")))`,
		`(has("a") || has("b")) && !has("c")`:                   `((has("a") || has("b")) && !has("c"))`,
		`all(has("a"), any(has("b"), has("c")), not(has("d")))`: `(has("a") && (has("b") || has("c")) && !has("d"))`,
		`all(has("a"))`:                                           `has("a")`,
		`has("r") && role("clerk", "admin")`:                      `(has("r") && role("clerk", "admin"))`,
		"is(`a\\.b`, 'x')":                                        "", // a character is not a string
		`is("a", 1, -2.5, 1e3, true, false, null, nil)`:           `is("a", 1, -2.5, 1e3, true, false, null, null)`,
		`is("a", 9007199254740993)`:                               `is("a", 9007199254740993)`,
		"is(`https://corp\\.example/x`, \"y\")":                   `is("https://corp\\.example/x", "y")`,
		`is("a", json("[1,{\"b\":null}]"))`:                       `is("a", json("[1,{\"b\":null}]"))`,
		"claim(\"cognito:groups\",\n\t`a`,\n)":                    `claim("cognito:groups", "a")`,
		`authenticated() && (clientCredentials() || humanUser())`: `(authenticated() && (clientCredentials() || humanUser()))`,
		`freshLogin("15m") && acr("gold", "silver")`:              `(freshLogin("15m0s") && acr("gold", "silver"))`,
		`sameAsPath("sub", "id")`:                                 `sameAsPath("sub", "id")`,
		`sameAsPath("sub", "id", "https://a.example", "b")`:       `sameAsPath("sub", "id", "https://a.example", "b")`,
		`issuedBy("https://a.example", "b")`:                      `issuedBy("https://a.example", "b")`,
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

func TestParse_Faults(t *testing.T) {
	for text, want := range map[string][]string{
		``:                                     {"1:1: "},
		`   `:                                  {"1:4: "},
		`is("a", "b") &&`:                      {"1:"},
		`is("a"`:                               {"1:7: "},
		`"a"`:                                  {"1:1: expected a permission"},
		`is`:                                   {"1:1: expected a permission"},
		`1 + 2`:                                {"1:1: expected a permission"},
		`is("a", "b") + has("c")`:              {"1:1: expected a permission"},
		`has("a") && "b"`:                      {"1:13: expected a permission"},
		`-has("a")`:                            {"1:1: expected a permission"},
		`Is("a", "b")`:                         {"1:1: Is is written is"},
		`freshlogin("1m")`:                     {"1:1: freshlogin is written freshLogin"},
		`func("owner")`:                        {"1:"},
		`is("a", "\xff")`:                      {`1:9: "\xff" is not valid UTF-8`},
		"//line x:4711\nowner()":               {"2:1: owner is unknown"},
		"func(":                                {"1:1: func is code"},
		"is(\"a\", \"func\") ||\n func(\"b\")": {"2:2: func is code"},
		"//line x:4711\nfunc(":                 {"2:1: func is code"},
		`func("mine")`:                         {"1:1: func is code: build this permission in the program"},
		`owner("x")`:                           {"1:1: owner is unknown; the functions are absent, acr, all, any, authenticated"},
		`permission.Is("a", "b")`:              {"1:1: write only the name of the function"},
		`is("a", x...)`:                        {"1:1: write each argument"},
		`is()`:                                 {"1:1: Is with an empty path"},
		`is("", "b")`:                          {"1:1: Is with an empty path"},
		`is("a")`:                              {`1:1: Is("a") without a value`},
		`is(1, "b")`:                           {"1:4: expected a string in quotes"},
		`is("a", b)`:                           {"1:9: expected a value"},
		`is("a", has("b"))`:                    {"1:9: expected a value"},
		`is("a", []any{1})`:                    {"1:9: expected a value"},
		`is("a", 1_000)`:                       {"1:9: expected a value: a string in quotes, a JSON number"},
		`is("a", +1)`:                          {"1:9: expected a value"},
		`is("a", -b)`:                          {"1:9: expected a value"},
		`is("a", -"b")`:                        {"1:9: expected a value"},
		`is("a", 0x10)`:                        {"1:9: expected a value"},
		`is("a", -010)`:                        {"1:9: expected a value"},
		`is("a", json("{"))`:                   {"1:9: expected a value"},
		`is("a", json("{\"a\":1,\"a\":2}"))`:   {"1:9: expected a value"},
		`is("a", json(1))`:                     {"1:14: expected a string in quotes", "1:9: expected a value"},
		`has("a", "b")`:                        {"1:1: has takes 1 arguments, got 2"},
		`has()`:                                {"1:1: has takes 1 arguments, got 0"},
		`has(1)`:                               {"1:5: expected a string in quotes"},
		`scope("a b")`:                         {`1:1: Scope: "a b" is not valid (RFC 6749`},
		`scope()`:                              {"1:1: Scope without a name"},
		`role("")`:                             {"1:1: Role without a name"},
		`authenticated("a")`:                   {"1:1: authenticated takes 0 arguments"},
		`clientCredentials("a")`:               {"1:1: clientCredentials takes 0 arguments"},
		`humanUser("a")`:                       {"1:1: humanUser takes 0 arguments"},
		`freshLogin("soon")`:                   {"1:12: expected a duration such as \"15m\""},
		`freshLogin("0s")`:                     {"1:1: FreshLogin(0s)"},
		`freshLogin(5)`:                        {"1:12: expected a string in quotes", "1:12: expected a duration"},
		`truthy("a")`:                          {"1:1: truthy is not available as text: write has, or build compat.Truthy"},
		`Truthy("a") && has("")`:               {"1:1: truthy is not available as text", "1:16: Has with an empty path"},
		`ifElse(has("a"), has("b"))`:           {"1:1: ifElse is unknown"},
		`sameAsPath("sub")`:                    {"1:1: sameAsPath takes at least 2 arguments, got 1"},
		`issuedBy("")`:                         {"1:1: IssuedBy without an issuer"},
		`sameAsPath("sub", "user", "")`:        {"1:1: SameAsPath with an empty issuer"},
		`all()`:                                {"1:1: All without a permission"},
		`not()`:                                {"1:1: not takes 1 arguments"},
		`has("") && is("a") || owner()`:        {"1:1: Has with an empty path", `1:12: Is("a") without a value`, "1:23: owner is unknown"},
		"has(\"a\") &&\n  has(\"\")":           {"2:3: Has with an empty path"},
		`all(has(""), not(has(1)))`:            {"1:5: Has with an empty path", "1:22: expected a string"},
		`has("` + strings.Repeat("a", 17000) + `")`: {"1:1: the text has 17007 bytes, more than 16384"},
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

func TestParse_MaximumLength(t *testing.T) {
	const most = 16 << 10
	text := func(bytes int) string { return `has("` + strings.Repeat("a", bytes-len(`has("")`)) + `")` }
	if _, err := permission.Parse(text(most)); err != nil {
		t.Errorf("%d bytes: %.100v", most, err)
	}
	if _, err := permission.Parse(text(most + 1)); err == nil {
		t.Errorf("%d bytes: no error", most+1)
	}
}

func TestParse_GeneratedRoundTrip(t *testing.T) {
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

func TestParse_SameDecisions(t *testing.T) {
	r := dice(7)
	grants := 0
	for range 100 {
		who := whoHas(t, someClaims(r))
		for range 20 {
			built := aTree(t, r, 2, false, true).permission
			read, err := permission.Parse(permission.Describe(built))
			if err != nil {
				continue // it contains a Func
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

func FuzzParse(f *testing.F) {
	for _, text := range []string{
		`is("pma.role", "admin") && scope("orders:read")`, `!(has("a") || has("b.c")) && authenticated()`, `claim("x", 1.5e3, null) || role("r")`, `truthy("a") && ifElse(has("b"))`,
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
		if check(t, p, nil).Granted() && panicOf(func() { permission.ForRoute(p) }) == "" {
			t.Errorf("%q is granted without a principal", text)
		}
	})
}
