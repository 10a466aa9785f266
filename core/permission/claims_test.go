package permission_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
)

type role string

// joined is a list that is one string in JSON.
type joined []string

func (j joined) MarshalJSON() ([]byte, error) { return json.Marshal(strings.Join(j, ",")) }

func TestIs_JSONMeaning(t *testing.T) {
	for _, test := range []struct {
		name   string
		found  string // JSON at permissions.p
		wanted []any
		want   bool
	}{
		{"an int", `7`, []any{7}, true},
		{"an int8", `7`, []any{int8(7)}, true},
		{"an int64 beyond 2^53", `9007199254740993`, []any{int64(9007199254740993)}, true},
		{"its neighbour", `9007199254740993`, []any{int64(9007199254740992)}, false},
		{"a float64 that is its neighbour", `9007199254740993`, []any{float64(9007199254740993)}, false},
		{"a uint64 beyond every int64", `18446744073709551615`, []any{uint64(math.MaxUint64)}, true},
		{"a float64", `0.5`, []any{0.5}, true},
		{"a float64 without a fraction", `1`, []any{1.0}, true},
		{"a json.Number", `1e2`, []any{json.Number("100")}, true},
		{"a bool", `true`, []any{true}, true},
		{"a bool against a number", `1`, []any{true}, false},
		{"a number against a bool", `true`, []any{1}, false},
		{"a number against a string", `"1"`, []any{1}, false},
		{"a string against a number", `1`, []any{"1"}, false},
		{"a number against a string that is empty", `""`, []any{1}, false},
		{"a string type", `"admin"`, []any{role("admin")}, true},
		{"a string with characters that HTML escapes", `"a<b>&c"`, []any{"a<b>&c"}, true},
		{"nil against null", `null`, []any{nil}, false},
		{"nil against false", `false`, []any{nil}, false},
		{"a pointer", `"admin"`, []any{new(string)}, false},
		{"a time", `"2030-01-02T03:04:05Z"`, []any{now}, true},
		{"a duration, which is a number", `1000000000`, []any{time.Second}, true},
		{"a struct against an object in another order", `{"b":2,"a":1}`, []any{struct {
			A int `json:"a"`
			B int `json:"b"`
		}{1, 2}}, true},
		{"a map against an object with more", `{"a":1,"b":2}`, []any{map[string]int{"a": 1}}, false},
		{"json.RawMessage with an object", `{"a":1}`, []any{json.RawMessage(`{"a":1.0}`)}, true},
		{"json.RawMessage with an array, which is not spread", `"a"`, []any{json.RawMessage(`["a"]`)}, false},
		{"a slice with a JSON form of its own, which is not spread", `"a,b"`, []any{joined{"a", "b"}}, true},
		{"a slice with a JSON form of its own against its element", `"b"`, []any{joined{"a", "b"}}, false},
		{"bytes, which are one Base64 string", `"YWRh"`, []any{[]byte("ada")}, true},
		{"several values", `"b"`, []any{"a", "b"}, true},
		{"several values of several types", `2`, []any{"a", true, 2}, true},
		{"a []string", `"b"`, []any{[]string{"a", "b"}}, true},
		{"a slice of a string type", `"b"`, []any{[]role{"a", "b"}}, true},
		{"an array", `"b"`, []any{[2]string{"a", "b"}}, true},
		{"a slice among others", `"c"`, []any{"a", []string{"b", "c"}}, true},
		{"a slice in a slice, which is a value", `[["a"]]`, []any{[][]string{{"a"}}}, true},
		{"a slice in a slice against its element", `"a"`, []any{[][]string{{"a"}}}, false},
		{"an sso.Value", `[1,{"a":2}]`, []any{valueOf(map[string]int{"a": 2})}, true},
		{"a list that holds it", `["x","b"]`, []any{"a", "b"}, true},
		{"a list that does not", `["x","y"]`, []any{"a", "b"}, false},
		{"a list that holds it one level too deep", `[["a"]]`, []any{"a"}, false},
		{"an empty list", `[]`, []any{"a"}, false},
		{"a list with null against nil, which is membership", `[null]`, []any{nil}, true},
		{"the wildcard", `"*"`, []any{"a"}, true},
		{"the wildcard in a list", `["*"]`, []any{"a"}, false},
		{"the wildcard in a list, wanted by name", `["*"]`, []any{"*"}, true},
		{"a wanted wildcard, which is a string like others", `"a"`, []any{"*"}, false},
		{"two stars", `"**"`, []any{"a"}, false},
		{"a pattern", `"adm*"`, []any{"admin"}, false},
		{"another case", `"Admin"`, []any{"admin"}, false},
		{"a longer string", `"administrator"`, []any{"admin"}, false},
		{"white space", `"admin "`, []any{"admin"}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := permission.Is("p", test.wanted...)
			if d := check(t, p, principal(t, `{"permissions":{"p":`+test.found+`}}`)); d.Granted() != test.want || d.Err() != nil {
				t.Errorf("%v on %s: %s", p, test.found, d.Explain())
			}
		})
	}
}

func valueOf(v any) sso.Value {
	value, err := sso.ValueOf(v)
	if err != nil {
		panic(err)
	}
	return value
}

func TestPath_ExactNames(t *testing.T) {
	who := principal(t, `{"permissions":{
		"a":{"b":{"c":true},"B":{"c":false}},
		"a.b.c":true, "dotted.name":{"x":true},
		"https://corp.example/roles":{"admin":true},
		"back\\slash":true, "":{"":true}, "*":{"c":true}, "s":"text", "l":[{"c":true}], "n":null,
		"été":true
	}, "outside":true}`)
	for _, test := range []struct {
		name, path string
		want       bool
	}{
		{"three levels", `a.b.c`, true},
		{"another case", `a.B.c`, false},
		{"literal dots", `a\.b\.c`, true},
		{"a literal dot and a level", `dotted\.name.x`, true},
		{"a URL as a name", `https://corp\.example/roles.admin`, true},
		{"a URL without escapes", `https://corp.example/roles.admin`, false},
		{"a backslash", `back\\slash`, true},
		{"a backslash that escapes nothing", `back\slash`, true},
		{"a backslash at the end", `a.b.c\`, false},
		{"empty names", `.`, true},
		{"a dot at the end", `a.b.c.`, false},
		{"a dot at the beginning", `.a.b.c`, false},
		{"a wildcard as a step of the token", `x.c`, false},
		{"a wildcard as a step of the path, which is a name", `*.c`, true},
		{"through a string", `s.text`, false},
		{"through a list", `l.c`, false},
		{"through a list by its index", `l.0.c`, false},
		{"through null", `n.c`, false},
		{"beyond the leaf", `a.b.c.d`, false},
		{"a claim beside permissions", `outside`, false},
		{"a name beyond ASCII", `été`, true},
		{"white space around a name", ` a.b.c`, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if d := check(t, permission.Has(test.path), who); d.Granted() != test.want {
				t.Error(d.Explain())
			}
			if d := check(t, permission.Is(test.path, true), who); d.Granted() != test.want {
				t.Error(d.Explain())
			}
		})
	}
}

func TestHas_EveryKind(t *testing.T) {
	for _, test := range []struct {
		found string // empty: nothing
		has   bool
	}{
		{``, false},
		{`null`, false},
		{`true`, true},
		{`false`, false},
		{`0`, false},
		{`-0`, false},
		{`0.0e5`, false},
		{`1e-400`, false},
		{`1e-99999999999`, false},
		{`1`, false},
		{`0.1`, false},
		{`1e400`, false},
		{`""`, false},
		{`"*"`, true},
		{`"true"`, false},
		{`"false"`, false},
		{`"0"`, false},
		{`[]`, false},
		{`[true]`, false},
		{`["*"]`, false},
		{`{}`, false},
		{`{"a":false}`, false},
	} {
		t.Run("on "+test.found, func(t *testing.T) {
			claims := `{"permissions":{"p":` + test.found + `}}`
			if test.found == "" {
				claims = `{"permissions":{}}`
			}
			who := principal(t, claims)
			if d := check(t, permission.Has("p"), who); d.Granted() != test.has {
				t.Error(d.Explain())
			}
		})
	}
}

// Permissions may be a list of names, as Auth0 issues them.
func TestHas_List(t *testing.T) {
	for _, test := range []struct {
		path, permissions string
		has               bool
	}{
		{`read:orders`, `["read:orders"]`, true},
		{`read:orders`, `["write:orders","read:orders"]`, true},
		{`orders.read`, `["orders.read"]`, true},
		{`https://api\.example/read`, `["https://api.example/read"]`, true},
		{`a\.b.c`, `["a.b.c"]`, true},
		{`orders`, `["orders.read"]`, false},
		{`orders.read`, `["orders"]`, false},
		{`read:orders`, `["Read:Orders"]`, false},
		{`read:orders`, `["read:orders "]`, false},
		{`read:orders`, `["read:orders2"]`, false},
		{`read:orders`, `["read:orders write:orders"]`, false},
		{`read:orders`, `[]`, false},
		{`read:orders`, `["*"]`, false},
		{`*`, `["*"]`, true},
		{`read:orders`, `[["read:orders"]]`, false},
		{`read:orders`, `[{"read:orders":true}]`, false},
		{`read:orders`, `{"list":["read:orders"]}`, false},
		{`read:orders`, `"read:orders"`, false},
		{`read:orders`, `{"read:orders":true}`, true},
		{`true`, `[true]`, false},
		{`1`, `[1]`, false},
		{`null`, `[null]`, false},
		{`0`, `["read:orders"]`, false},
	} {
		who := principal(t, `{"permissions":`+test.permissions+`}`)
		if d := check(t, permission.Has(test.path), who); d.Granted() != test.has {
			t.Errorf("Has(%q) on %s: %s", test.path, test.permissions, d.Explain())
		}
		if d := check(t, permission.Not(permission.Has(test.path)), who); d.Granted() == test.has {
			t.Errorf("Not(Has(%q)) on %s: %s", test.path, test.permissions, d.Explain())
		}
		if d := check(t, permission.Is(test.path, test.path, true), who); strings.HasPrefix(test.permissions, "[") && d.Granted() {
			t.Errorf("Is(%q) on %s: granted", test.path, test.permissions)
		}
	}
}

func TestHas_ExplainsShape(t *testing.T) {
	for permissions, want := range map[string]string{
		`["write:orders"]`:      `denied: missing at read:orders, wanted "read:orders", found an array; the token's permissions (an array) need the element "read:orders"`,
		`{"read:orders":false}`: `denied: wrong_value at read:orders, wanted true, found another boolean; the token's permissions (an object) need true at read:orders`,
		`"read:orders"`:         `denied: missing at read:orders, wanted true, found nothing; the token's permissions (a JSON string) need true at read:orders`,
		`null`:                  `denied: missing at read:orders, wanted true, found nothing; the token's permissions (a JSON null) need true at read:orders`,
		``:                      `denied: missing at read:orders, wanted true, found nothing; the token's permissions (absent) need true at read:orders`,
	} {
		claims := `{"permissions":` + permissions + `}`
		if permissions == "" {
			claims = `{}`
		}
		if got := check(t, permission.Has("read:orders"), principal(t, claims)).Explain(); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", permissions, got, want)
		}
	}
	who := principal(t, `{"permissions":["write:orders"]}`)
	if got := check(t, permission.Has("read:orders"), who).ExplainWithValues(); !strings.Contains(got, `found ["write:orders"];`) {
		t.Error(got)
	}
	if got := check(t, permission.Is("orders.role", "clerk"), who).Explain(); !strings.HasSuffix(got, `the token's permissions (an array) need "clerk" at orders.role`) {
		t.Error(got)
	}
}

func TestWildcard_Disabled(t *testing.T) {
	const claims = `{"permissions":{"p":"*"}}`
	for _, test := range []struct {
		name    string
		p       sso.Permission
		on, off bool
	}{
		{"Is", permission.Is("p", "admin"), true, false},
		{"Is of a number", permission.Is("p", 1), true, false},
		{"Is of the star itself", permission.Is("p", "*"), true, true},
		{"Has", permission.Has("p"), true, false},
		{"Not", permission.Not(permission.Is("p", "admin")), false, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			if d := check(t, test.p, principal(t, claims)); d.Granted() != test.on {
				t.Error("on:", d.Explain())
			}
			if d := check(t, test.p, withoutWildcard(t, claims)); d.Granted() != test.off {
				t.Error("off:", d.Explain())
			}
		})
	}
}

func TestScope_ClaimForms(t *testing.T) {
	for _, test := range []struct {
		name, claims string
		want         bool
	}{
		{"a string", `{"scope":"x orders:read orders:write y"}`, true},
		{"a string with the two alone", `{"scope":"orders:write orders:read"}`, true},
		{"an array", `{"scope":["orders:read","orders:write"]}`, true},
		{"scp as a string", `{"scp":"orders:read orders:write"}`, true},
		{"scp as an array", `{"scp":["orders:read","orders:write"]}`, true},
		{"scope before scp", `{"scope":"x","scp":"orders:read orders:write"}`, false},
		{"a null scope before scp", `{"scope":null,"scp":"orders:read orders:write"}`, true},
		{"one of the two", `{"scope":"orders:read"}`, false},
		{"one in each claim", `{"scope":"orders:read","scp":"orders:write"}`, false},
		{"neither", `{}`, false},
		{"another case", `{"scope":"Orders:Read orders:write"}`, false},
		{"a longer scope", `{"scope":"orders:reader orders:write"}`, false},
		{"commas", `{"scope":"orders:read,orders:write"}`, false},
		{"an array with both in one string", `{"scope":["orders:read orders:write"]}`, false},
		{"an object", `{"scope":{"orders:read":true,"orders:write":true}}`, false},
		{"an array in an array", `{"scope":[["orders:read","orders:write"]]}`, false},
		{"a star, which means nothing here", `{"scope":"*"}`, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if d := check(t, permission.Scope("orders:read", "orders:write"), principal(t, test.claims)); d.Granted() != test.want {
				t.Error(d.Explain())
			}
		})
	}
}

func TestFunc(t *testing.T) {
	for _, test := range []struct {
		name  string
		check func(context.Context, sso.Access) (bool, error)
		want  outcome
	}{
		{"true", func(context.Context, sso.Access) (bool, error) { return true, nil }, granted},
		{"false", func(context.Context, sso.Access) (bool, error) { return false, nil }, denied},
		{"an error", func(context.Context, sso.Access) (bool, error) { return false, errTest }, failed},
		{"true and an error", func(context.Context, sso.Access) (bool, error) { return true, errTest }, failed},
		{"a panic", func(context.Context, sso.Access) (bool, error) { panic("no") }, failed},
		{"a panic with an error", func(context.Context, sso.Access) (bool, error) { panic(errTest) }, failed},
		{"an index out of range", func(_ context.Context, access sso.Access) (bool, error) { return access.PathValue("id")[7] == 0, nil }, failed},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := check(t, permission.Func("owner", test.check), principal(t, `{}`))
			if got := outcomeOf(d); got != test.want {
				t.Errorf("%s, want %s", d.Explain(), test.want)
			}
			if strings.Contains(test.name, "an error") && !strings.Contains(test.name, "panic") {
				if !errors.Is(d.Err(), errTest) || !strings.Contains(d.Err().Error(), "owner") {
					t.Errorf("the error is %v, want the function's own with its name", d.Err())
				}
			}
		})
	}
	t.Run("arguments are the request's context and access", func(t *testing.T) {
		type key struct{}
		who := principal(t, `{}`)
		p := permission.Func("f", func(ctx context.Context, access sso.Access) (bool, error) {
			return ctx.Value(key{}) == "here" && access.Principal() == who, nil
		})
		if d := p.Check(context.WithValue(t.Context(), key{}, "here"), sso.NewAccess(who, nil)); !d.Granted() {
			t.Error(d.Explain())
		}
	})
}

func TestLeaf_WithoutPrincipal(t *testing.T) {
	for name, p := range map[string]sso.Permission{
		"Is": permission.Is("p", nil), "Has": permission.Has("p"), "Scope": permission.Scope("s"),
		"All": permission.All(permission.Has("p"), permission.Scope("s")), "Any": permission.Any(permission.Has("p"), permission.Scope("s")),
	} {
		for whose, who := range map[string]*sso.Principal{"nil": nil, "the zero": {}, "one without permissions": principal(t, `{}`), "one whose permissions are null": principal(t, `{"permissions":null}`)} {
			if got := outcomeOf(check(t, p, who)); got != denied {
				t.Errorf("%s for %s principal: %s", name, whose, got)
			}
		}
	}
}

// SameAsPath fails for a parameter that the route does not have, regardless of the claim.
func TestSameAsPath_WrongParameter(t *testing.T) {
	who := principal(t, `{"own":"7"}`)
	r := request{values: map[string]string{"id": "7"}} // of /orders/{id}
	for _, claim := range []string{"own", "absent"} {
		wrong := permission.SameAsPath(claim, "order")
		for p, want := range map[sso.Permission]outcome{
			wrong: failed, permission.Not(wrong): failed, permission.Any(wrong, yes): granted, permission.Any(wrong, no): failed, permission.All(wrong, no): denied, permission.All(wrong, yes): failed,
			permission.All(permission.SameAsPath("own", "id"), permission.Not(permission.SameAsPath("absent", "id"))): granted,
		} {
			d := checkRequest(t, p, who, r)
			if outcomeOf(d) != want || want == failed && !strings.Contains(d.Err().Error(), `sameAsPath("`+claim+`", "order"): panic: sso: PathValue("order"): the route "/orders/{id}"`) {
				t.Errorf("%v: %s", p, d.Explain())
			}
		}
	}
	for _, own := range []string{`"Ada \ud83d"`, `"Ada \ufffd"`} { // which read alike
		ada := request{values: map[string]string{"id": "Ada \ufffd"}}
		if d := checkRequest(t, permission.SameAsPath("own", "id"), principal(t, `{"own":`+own+`}`), ada); d.Code() != "not_own" {
			t.Errorf("%s: %s", own, d.Explain())
		}
		if d := check(t, permission.Claim("own", "Ada \ufffd"), principal(t, `{"own":`+own+`}`)); d.Granted() != strings.Contains(own, "fffd") {
			t.Errorf("%s: %s", own, d.Explain())
		}
	}
	if d := checkRequest(t, permission.SameAsPath("own", "id"), who, request{}); d.Code() != "not_own" || d.Err() != nil {
		t.Errorf("a value that is empty: %s", d.Explain())
	}
}

func TestBuild_Panics(t *testing.T) {
	var (
		nilPointer *pointer
		nilFunc    checkFunc
	)
	for _, test := range []struct {
		name  string
		build func()
		says  []string
	}{
		{"Is without a path", func() { permission.Is("", 1) }, []string{"Is", "empty path"}},
		{"Claim without a path", func() { permission.Claim("", 1) }, []string{"Claim with an empty path"}},
		{"Claim without values", func() { permission.Claim("a.b") }, []string{`Claim("a.b")`, "without a value"}},
		{"Role without a name", func() { permission.Role() }, []string{"Role without a name"}},
		{"Role with an empty name", func() { permission.Role("a", "") }, []string{"empty one"}},
		{"FreshLogin of nothing", func() { permission.FreshLogin(0) }, []string{"FreshLogin(0s)", "at least a second"}},
		{"FreshLogin of less than a second", func() { permission.FreshLogin(time.Second - 1) }, []string{"FreshLogin(999.999999ms)"}},
		{"FreshLogin of less than nothing", func() { permission.FreshLogin(-time.Hour) }, []string{"FreshLogin(-1h0m0s)"}},
		{"ACR without a value", func() { permission.ACR() }, []string{"ACR without a name"}},
		{"ACR that would break a challenge", func() { permission.ACR(`a"b`) }, []string{`ACR: "a\"b" is not valid`}},
		{"ACR with a control character", func() { permission.ACR("gold\x7f") }, []string{`"gold\x7f" is not valid`}},
		{"ACR of two in one", func() { permission.ACR("gold silver") }, []string{"argument of its own"}},
		{"SameAsPath without a claim", func() { permission.SameAsPath("", "id") }, []string{"SameAsPath with an empty path"}},
		{"SameAsPath without a parameter", func() { permission.SameAsPath("sub", "") }, []string{"path parameter"}},
		{"Is without values", func() { permission.Is("a.b") }, []string{`Is("a.b")`, "without a value", "use Has"}},
		{"Is with an empty slice", func() { permission.Is("a.b", []string{}) }, []string{`Is("a.b")`, "without a value"}},
		{"Is with a nil slice", func() { permission.Is("a.b", []string(nil)) }, []string{`Is("a.b")`, "without a value"}},
		{"Is with two empty slices", func() { permission.Is("a.b", []any{}, [0]int{}) }, []string{`Is("a.b")`, "without a value"}},
		{"Is with a function", func() { permission.Is("a.b", func() {}) }, []string{`Is("a.b")`, "func()", "JSON"}},
		{"Is with a channel in a slice", func() { permission.Is("a.b", []any{1, make(chan int)}) }, []string{`Is("a.b")`, "chan int"}},
		{"Is with NaN", func() { permission.Is("a.b", math.NaN()) }, []string{`Is("a.b")`, "NaN"}},
		{"Is with a invalid json.Number", func() { permission.Is("a.b", json.Number("one")) }, []string{`Is("a.b")`, "json.Number"}},
		{"Is with JSON that has a member twice", func() { permission.Is("a.b", json.RawMessage(`{"a":1,"a":2}`)) }, []string{`Is("a.b")`, "json.RawMessage"}},
		{"Is with an absent sso.Value", func() { permission.Is("a.b", sso.Value{}) }, []string{`Is("a.b")`, "absent"}},
		{"Has without a path", func() { permission.Has("") }, []string{"Has", "empty path"}},
		{"Scope without a name", func() { permission.Scope() }, []string{"Scope", "without a name"}},
		{"Scope with an empty name", func() { permission.Scope("a", "") }, []string{"Scope", `""`}},
		{"Scope with two in one string", func() { permission.Scope("a b") }, []string{"Scope", `"a b"`, "argument of its own"}},
		{"Scope with a quote", func() { permission.Scope(`a"b`) }, []string{"Scope", "is not valid (RFC 6749"}},
		{"Scope with a line break", func() { permission.Scope("a\r\nSet-Cookie: b") }, []string{"Scope", "is not valid (RFC 6749"}},
		{"Scope beyond ASCII", func() { permission.Scope("é") }, []string{"Scope", "is not valid (RFC 6749"}},
		{"Func without a name", func() { permission.Func("", func(context.Context, sso.Access) (bool, error) { return true, nil }) }, []string{"Func", "name"}},
		{"Func without a function", func() { permission.Func("f", nil) }, []string{"Func", "function"}},
		{"All of nothing", func() { permission.All() }, []string{"All", "without a permission"}},
		{"All of an empty list", func() { permission.All([]sso.Permission{}...) }, []string{"All", "without a permission"}},
		{"All with a nil", func() { permission.All(yes, nil) }, []string{"All", "nil"}},
		{"All with a nil alone", func() { permission.All(nil) }, []string{"All", "nil"}},
		{"All with a nil pointer", func() { permission.All(yes, nilPointer) }, []string{"All", "nil *permission_test.pointer"}},
		{"All with a nil function", func() { permission.All(yes, nilFunc) }, []string{"All", "nil permission_test.checkFunc"}},
		{"Any of nothing", func() { permission.Any() }, []string{"Any", "without a permission"}},
		{"Any with a nil", func() { permission.Any(nil, yes) }, []string{"Any", "nil"}},
		{"Any with a nil pointer alone", func() { permission.Any(nilPointer) }, []string{"Any", "nil *permission_test.pointer"}},
		{"Not with a nil", func() { permission.Not(nil) }, []string{"Not", "nil"}},
		{"Not with a nil pointer", func() { permission.Not(nilPointer) }, []string{"Not", "nil *permission_test.pointer"}},
		{"ForRoute with Absent alone", func() { permission.ForRoute(permission.Absent("suspended")) }, []string{"alone grants"}},
		{"ForRoute with Absent or a role", func() { permission.ForRoute(permission.Any(permission.Role("a"), permission.Absent("suspended"))) }, []string{"alone grants"}},
		{"Absent without a path", func() { permission.Absent("") }, []string{"Absent", "empty path"}},
		{"ForRoute with a nil", func() { permission.ForRoute(nil) }, []string{"nil"}},
		{"ForRoute with a nil among more", func() { permission.ForRoute(yes, yes, nil) }, []string{"nil"}},
		{"ForRoute with a nil pointer", func() { permission.ForRoute(nilPointer) }, []string{"nil *permission_test.pointer"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			message := panicOf(test.build)
			if !strings.HasPrefix(message, "permission: ") {
				t.Fatalf("panic %q is not of this package", message)
			}
			for _, part := range test.says {
				if !strings.Contains(message, part) {
					t.Errorf("panic %q does not contain %q", message, part)
				}
			}
		})
	}
}

// onList checks a permission on the permissions of another principal.
type onList struct {
	sso.Permission
	who *sso.Principal
}

func (p onList) Check(ctx context.Context, _ sso.Access) sso.Decision {
	return p.Permission.Check(ctx, sso.NewAccess(p.who, nil))
}

// withRequest checks a permission on a request.
type withRequest struct {
	sso.Permission
	who *sso.Principal
}

var ownRequest sso.Request = request{values: map[string]string{"id": "ada"}}

func (p withRequest) Check(ctx context.Context, _ sso.Access) sso.Decision {
	return p.Permission.Check(ctx, sso.NewAccess(p.who, ownRequest))
}

type pointer struct{}

func (*pointer) Check(context.Context, sso.Access) sso.Decision { return sso.Grant() }

type checkFunc func() sso.Decision

func (f checkFunc) Check(context.Context, sso.Access) sso.Decision { return f() }

func TestBuild_CopiesArguments(t *testing.T) {
	values := []any{"admin"}
	scopes := []string{"a"}
	list := []sso.Permission{no, no}
	is, scope, some := permission.Is("p", values...), permission.Scope(scopes...), permission.Any(list...)
	values[0], scopes[0], list[0] = "clerk", "b", yes
	who := principal(t, `{"permissions":{"p":"clerk"},"scope":"b"}`)
	for _, p := range []sso.Permission{is, scope, some} {
		if d := check(t, p, who); d.Granted() {
			t.Errorf("%v: granted", p)
		}
	}
}

func TestDescribe(t *testing.T) {
	for want, p := range map[string]fmt.Stringer{
		`is("a.b", "x", 1, true, null, json("{\"k\":[2]}"))`: stringer(permission.Is("a.b", "x", []any{1, true, nil}, map[string][]int{"k": {2}})),
		`is("a", "\u202e", "\a", "é")`:                       stringer(permission.Is("a", "\u202e", "\a", "é")), // nothing turns the text around
		`has("a.b")`:                                         stringer(permission.Has("a.b")),
		`scope("a", "b")`:                                    stringer(permission.Scope("a", "b")),
		`claim("cognito:groups", 1)`:                         stringer(permission.Claim("cognito:groups", 1)),
		`role("a", "b")`:                                     stringer(permission.Role("a", "b")),
		`authenticated()`:                                    stringer(permission.Authenticated()),
		`clientCredentials()`:                                stringer(permission.ClientCredentials()),
		`humanUser()`:                                        stringer(permission.HumanUser()),
		`freshLogin("15m0s")`:                                stringer(permission.FreshLogin(15 * time.Minute)),
		`acr("gold", "silver")`:                              stringer(permission.ACR("gold", "silver")),
		`sameAsPath("sub", "id")`:                            stringer(permission.SameAsPath("sub", "id")),
		`!(has("a") || has("b"))`:                            stringer(permission.Not(permission.Any(permission.Has("a"), permission.Has("b")))),
		`!!has("a")`:                                         stringer(permission.Not(permission.Not(permission.Has("a")))),
		`func("owner")`:                                      stringer(permission.Func("owner", func(context.Context, sso.Access) (bool, error) { return true, nil })),
		`(has("a") && !has("b") && (has("c") || permission_test.panicking))`: stringer(permission.All(permission.Has("a"), permission.Not(permission.Has("b")), permission.Any(permission.Has("c"), panicking{}))),
	} {
		if got := p.String(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	if got := permission.Describe(nil); got != "<nil>" {
		t.Error(got)
	}
}

func stringer(p sso.Permission) fmt.Stringer {
	s, ok := p.(fmt.Stringer)
	if !ok {
		panic(fmt.Sprintf("%T is not a fmt.Stringer", p))
	}
	return s
}

func TestGrant_AllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	who := principal(t, `{"permissions":{"shop":{"orders":{"role":"clerk","roles":["x","clerk"],"level":3,"on":true,"all":"*"}}},"scope":"a orders:read","roles":["clerk"],"acr":"gold","auth_time":`+fmt.Sprint(now.Unix())+`}`)
	for name, p := range map[string]sso.Permission{
		"Is with a string":             permission.Is("shop.orders.role", "admin", "clerk"),
		"Is with a list":               permission.Is("shop.orders.roles", "admin", "clerk"),
		"Is with a number":             permission.Is("shop.orders.level", 3),
		"Is with the wildcard":         permission.Is("shop.orders.all", "admin"),
		"Has":                          permission.Has("shop.orders.on"),
		"Has in a list":                onList{permission.Has("read:orders"), principal(t, `{"permissions":["a","read:orders"]}`)},
		"Scope":                        permission.Scope("orders:read"),
		"combinations three deep":      permission.All(permission.Is("shop.orders.role", "clerk"), permission.Any(permission.All(permission.Has("shop.orders.on"), permission.Scope("orders:read")), no)),
		"Claim":                        permission.Claim("sub", "ada"),
		"Role":                         permission.Role("boss", "clerk"),
		"Authenticated":                permission.Authenticated(),
		"HumanUser":                    permission.HumanUser(),
		"FreshLogin":                   permission.FreshLogin(time.Hour),
		"ACR":                          permission.ACR("gold"),
		"SameAsPath":                   withRequest{permission.SameAsPath("sub", "id"), who},
		"Any beside a denial":          permission.Any(permission.Has("nothing"), permission.Has("shop.orders.on")),
		"Any beside an All":            permission.Any(permission.Has("nothing"), permission.All(permission.Has("shop.orders.on"), permission.Role("clerk"))),
		"Any of Any":                   permission.Any(permission.Has("nothing"), permission.Any(permission.Has("nothing"), permission.Role("clerk"))),
		"Any beside a denied All":      permission.Any(permission.All(permission.Has("nothing"), permission.Role("boss")), permission.Role("clerk")),
		"Not":                          permission.Not(permission.Role("boss")),
		"Not of All":                   permission.Not(permission.All(permission.Role("clerk"), permission.Role("boss"))),
		"a permission of another type": permission.All(permission.Role("clerk"), yes),
		"what an adapter requires":     permission.ForRoute(permission.Has("shop.orders.on"), permission.Scope("orders:read")),
	} {
		t.Run(name, func(t *testing.T) {
			ctx, access := t.Context(), sso.NewAccess(who, nil)
			if d := sso.Check(ctx, p, access); !d.Granted() {
				t.Fatal(d.Explain())
			}
			if n := testing.AllocsPerRun(100, func() { sso.Check(ctx, p, access) }); n != 0 {
				t.Errorf("%v allocations", n)
			}
		})
	}
}
