package sso_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/more-retail/moresso-go/core/adapter"
	"github.com/more-retail/moresso-go/core/sso"
)

func validated(t *testing.T, token string, change ...func(*sso.Config)) *sso.Principal {
	t.Helper()
	p, err := newAuth(t, change...).ValidateToken(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPrincipal(t *testing.T) {
	p := validated(t, token(
		"jti", `"id-1"`, "aud", `["web","api"]`, "scope", `" orders:read  orders:write "`, "scp", `"other"`, "nbf", "1",
		"permissions", `{"orders":{"role":"clerk"}}`, "https://corp.example/roles", `["a"]`, "exp", seconds(time.Hour)+".5",
	))
	for what, got := range map[string][2]any{
		"Subject":           {p.Subject(), "ada"},
		"Issuer":            {p.Issuer(), issuerID},
		"TokenID":           {p.TokenID(), "id-1"},
		"Audience":          {p.Audience(), []string{"web", "api"}},
		"HasAudience":       {p.HasAudience("web"), true},
		"HasAudience, case": {p.HasAudience("Web"), false},
		"ExpiresAt":         {p.ExpiresAt().Equal(T.Add(time.Hour + 500*time.Millisecond)), true},
		"IssuedAt":          {p.IssuedAt().Equal(T), true},
		"Scopes":            {p.Scopes(), []string{"orders:read", "orders:write"}},
		"HasScope":          {p.HasScope("orders:write"), true},
		"HasScope, empty":   {p.HasScope(""), false},
		"HasScope, of scp":  {p.HasScope("other"), false},
		"Claim":             {p.Claim("permissions.orders.role").String(), "clerk"},
		"Claim, escaped":    {p.Claim(`https://corp\.example/roles`).String(), `["a"]`},
		"Claim, absent":     {p.Claim("permissions.x.role").Exists(), false},
		"Permissions":       {p.Permissions().String(), `{"orders":{"role":"clerk"}}`},
	} {
		if !reflect.DeepEqual(got[0], got[1]) {
			t.Errorf("%s is %#v, want %#v", what, got[0], got[1])
		}
	}
}

func TestPrincipal_MissingClaims(t *testing.T) {
	for name, p := range map[string]*sso.Principal{
		"a nil principal": nil, "a zero principal": {},
		"a token with the required claims only": validated(t, signed(ada, headerWith(), `{"aud":"api","exp":`+seconds(time.Hour)+`}`), func(c *sso.Config) { c.Issuer, c.SkipIssuerCheck = "", true }),
		"one of a token with other types":       validated(t, token("jti", "1", "scope", "1", "permissions", `null`, "iat", ""), func(c *sso.Config) { c.PermissionsClaim = "nowhere.at.all" }),
	} {
		t.Run(name, func(t *testing.T) {
			if p.TokenID() != "" || p.HasScope("a") || p.HasScope("") || p.Scopes() != nil || !p.IssuedAt().IsZero() || p.HasAudience("") || p.HasAudience("other") ||
				p.Claim("a.b").Exists() || p.Claim("").Exists() || p.Permissions().Exists() {
				t.Errorf("%v", p)
			}
			if strings.Contains(name, "other types") {
				return
			}
			if p.Subject() != "" || p.Issuer() != "" {
				t.Errorf("%v", p)
			}
			if strings.Contains(name, "required") { // which are aud and exp
				return
			}
			if p.Audience() != nil {
				t.Errorf("%v", p)
			}
			var target map[string]any
			if err := p.Decode(&target); err == nil || target != nil {
				t.Errorf("Decode: %v, %v", target, err)
			}
			if !p.ExpiresAt().IsZero() || p.LogValue().Kind() != slog.KindGroup {
				t.Errorf("%v", p)
			}
		})
	}
}

func TestPrincipal_Scopes(t *testing.T) {
	for _, test := range []struct {
		name string
		set  []string
		want []string
	}{
		{"a string", []string{"scope", `"a b"`}, []string{"a", "b"}},
		{"an array", []string{"scope", `["a","b"]`}, []string{"a", "b"}},
		{"an array with other types", []string{"scope", `["a",1,null,["b"],""]`}, []string{"a"}},
		{"scp", []string{"scp", `"a b"`}, []string{"a", "b"}},
		{"scope before scp", []string{"scope", `"a"`, "scp", `"b"`}, []string{"a"}},
		{"a null scope before scp", []string{"scope", `null`, "scp", `"b"`}, []string{"b"}},
		{"a tab, which separates nothing", []string{"scope", `"a\tb"`}, []string{"a\tb"}},
		{"an empty string", []string{"scope", `""`}, nil},
		{"a number", []string{"scope", `1`}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := validated(t, token(test.set...))
			if got := p.Scopes(); !reflect.DeepEqual(got, test.want) {
				t.Errorf("%q, want %q", got, test.want)
			}
			for _, scope := range []string{"a", "b", "", "a b"} {
				if p.HasScope(scope) != slices.Contains(test.want, scope) {
					t.Errorf("HasScope(%q) is %t", scope, p.HasScope(scope))
				}
			}
		})
	}
}

func TestPrincipal_Copies(t *testing.T) {
	p := validated(t, token("aud", `["api","web"]`, "scope", `"a b"`, "o", `{"list":[1,{"k":"v"}]}`))
	before := p.Claim("o").String()
	clear(p.Audience())
	clear(p.Scopes())
	text, err := p.Claim("o").MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	clear(text)
	list, _ := p.Claim("aud").Strings()
	clear(list)
	if !slices.Equal(p.Audience(), []string{"api", "web"}) || !slices.Equal(p.Scopes(), []string{"a", "b"}) || p.Claim("o").String() != before {
		t.Errorf("not a copy: %q, %q, %s", p.Audience(), p.Scopes(), p.Claim("o"))
	}
}

func TestPrincipal_LogValue(t *testing.T) {
	var log lines
	p := validated(t, token("secret", `"hunter2"`))
	log.logger(slog.LevelInfo).Info("x", "principal", p)
	if text := log.String(); !strings.Contains(text, `"principal":{"subject":"ada","issuer":"`+issuerID+`"}`) || strings.Contains(text, "hunter2") {
		t.Error(text)
	}
}

// A request or a token cannot fill the log, nor begin a line in it.
func TestLog_Bounded(t *testing.T) {
	long := strings.Repeat("x", 10_000)
	for name, text := range map[string]string{
		"long": long, "a line break": "a\nlevel=ERROR msg=forged", "a carriage return": "a\rb", "an escape sequence": "a\x1b[2Jb",
		"a line separator": "a\u2028b", "right to left": "a\u202eb", "not UTF-8": "a\xffb", "long, of line breaks": strings.Repeat("\n", 10_000),
	} {
		t.Run(name, func(t *testing.T) {
			var records []slog.Record
			a := newAuth(t, func(c *sso.Config) { c.Logger = slog.New(keeper{&records}) })
			subject, err := json.Marshal(strings.ToValidUTF8(text, "?"))
			if err != nil {
				t.Fatal(err)
			}
			r := adapter.EventRequest{HTTPMethod: text, Path: "/" + text, Fields: map[string]string{"Authorization": "Bearer " + token("sub", string(subject))}}
			if _, err := a.Authorize(t.Context(), r, denied{}); err == nil {
				t.Fatal("granted")
			}
			if len(records) != 1 {
				t.Fatalf("%d records", len(records))
			}
			var check func(...slog.Attr)
			check = func(attrs ...slog.Attr) {
				for _, attr := range attrs {
					value := attr.Value.Resolve()
					if value.Kind() == slog.KindGroup {
						check(value.Group()...)
						continue
					}
					if text := value.String(); len(text) > 1000 || strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsPrint(c) }) || !utf8.ValidString(text) {
						t.Errorf("%s is %.50q… of %d bytes", attr.Key, text, len(text))
					}
				}
			}
			records[0].Attrs(func(attr slog.Attr) bool { check(attr); return true })
		})
	}
}

// keeper is a handler that keeps the records of refusals.
type keeper struct{ records *[]slog.Record }

func (keeper) Enabled(context.Context, slog.Level) bool { return true }
func (k keeper) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "sso: refused" {
		*k.records = append(*k.records, r)
	}
	return nil
}
func (k keeper) WithAttrs([]slog.Attr) slog.Handler { return k }
func (k keeper) WithGroup(string) slog.Handler      { return k }

// denied denies everyone.
type denied struct{}

func (denied) Check(context.Context, sso.Access) sso.Decision { return sso.Deny("no", "stay away") }

func TestPrincipal_PermissionsClaim(t *testing.T) {
	for path, want := range map[string]string{
		"":                           `1`,
		"permissions":                `1`,
		`https://corp\.example/p`:    `2`,
		"resource_access.orders":     `3`,
		"resource_access.orders.x":   ``,
		`resource_access\.orders`:    `4`,
		`a\\b`:                       `5`,
		"resource_access..orders":    ``,
		"resource_access.orders.":    ``,
		"https://corp.example/p":     ``,
		`https://corp\.example/p.\q`: ``,
	} {
		p := validated(t, token("permissions", "1", "https://corp.example/p", "2", "resource_access", `{"orders":3}`, "resource_access.orders", "4", `a\b`, "5"), func(c *sso.Config) {
			c.PermissionsClaim = path
		})
		if got := p.Permissions().String(); got != want {
			t.Errorf("%q leads to %q, want %q", path, got, want)
		}
	}
	t.Run("a claim that differs by case", func(t *testing.T) {
		for path, claim := range map[string]string{"Permissions": "permissions", "permissions": "permiſſions", `https://corp\.example/roles.x`: "https://Corp.example/roles", "roles.a": "ROLES"} {
			a := newAuth(t, func(c *sso.Config) { c.PermissionsClaim = path })
			if _, err := a.ValidateToken(t.Context(), token(claim, "1")); reasonIn(err) != sso.ReasonMalformed {
				t.Errorf("%q where %q is configured: %v", claim, path, err)
			}
			if _, err := a.ValidateToken(t.Context(), token("x", `{"`+claim+`":1}`)); err != nil { // below the top level
				t.Errorf("%q deep down where %q is configured: %v", claim, path, err)
			}
		}
	})
}

func TestValueOf(t *testing.T) {
	for _, test := range []struct {
		name string
		v    any
		want string // empty: refused
	}{
		{"nil", nil, `null`},
		{"a string", "a<é>", `"a<é>"`},
		{"an integer", int64(9007199254740993), `9007199254740993`},
		{"a json.Number", json.Number("1.50"), `1.50`},
		{"a list", []any{1, "a", nil}, `[1,"a",null]`},
		{"a sso.Value", validated(t, token("x", `[1]`)).Claim("x"), `[1]`},
		{"JSON with a member twice", json.RawMessage(`{"a":1,"a":2}`), ``},
		{"infinity", math.Inf(1), ``},
		{"a function", func() {}, ``},
		{"33 levels", deep(33), ``},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := sso.ValueOf(test.v)
			if (err != nil) != (test.want == "") {
				t.Fatal(err)
			}
			if err == nil && test.want != `"a<é>"` && got.String() != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
			if text, ok := got.Text(); ok && text != "a<é>" {
				t.Errorf("%q", text)
			}
		})
	}
}

func deep(levels int) any {
	if levels == 0 {
		return 1
	}
	return []any{deep(levels - 1)}
}

func TestValue_String(t *testing.T) {
	p := validated(t, token("x", `{"s":"a \"b\" \n","e":"","n":1.50,"t":true,"z":null,"l":["a",1],"o":{"a":"b"}}`))
	for name, want := range map[string]string{"s": "a \"b\" \n", "e": "", "n": "1.50", "t": "true", "z": "null", "l": `["a",1]`, "o": `{"a":"b"}`, "absent": ""} {
		v := p.Claim("x." + name)
		if v.String() != want || fmt.Sprintf("%q", v) != strconv.Quote(want) {
			t.Errorf("%s prints as %s, want %s", name, v, want)
		}
	}
}

func TestValue_Absent(t *testing.T) {
	var v sso.Value
	_, isText := v.Text()
	_, isBool := v.Bool()
	_, isInt := v.Int64()
	_, isFloat := v.Float64()
	_, isList := v.Strings()
	if v.Exists() || isText || isBool || isInt || isFloat || isList || v.Len() != 0 || v.Get("a").Exists() || v.Lookup("a.b").Exists() ||
		v.Kind() != "nothing" || v.String() != "" || v.Equal(sso.Value{}) || v.Decode(new(any)) == nil ||
		len(slices.Collect(v.Elements())) != 0 || len(maps.Collect(v.Members())) != 0 {
		t.Error("a method of an absent value returned one")
	}
	if text, err := json.Marshal(map[string]any{"a": v}); err != nil || string(text) != `{"a":null}` {
		t.Errorf("%s, %v", text, err)
	}
}

func TestValue_Types(t *testing.T) {
	p := validated(t, token("x", `{"s":"a","b":true,"n":1.5,"i":7,"z":null,"l":["a","b"],"m":["a",1],"o":{"k":1}}`))
	x := p.Claim("x")
	if s, ok := x.Get("s").Text(); !ok || s != "a" {
		t.Error("Text")
	}
	if b, ok := x.Get("b").Bool(); !ok || !b {
		t.Error("Bool")
	}
	if f, ok := x.Get("n").Float64(); !ok || f != 1.5 {
		t.Error("Float64")
	}
	if i, ok := x.Get("i").Int64(); !ok || i != 7 {
		t.Error("Int64")
	}
	if _, ok := x.Get("n").Int64(); ok {
		t.Error("Int64 of a fraction")
	}
	if list, ok := x.Get("l").Strings(); !ok || !slices.Equal(list, []string{"a", "b"}) {
		t.Error("Strings")
	}
	if list, ok := x.Get("s").Strings(); !ok || !slices.Equal(list, []string{"a"}) {
		t.Error("Strings of one")
	}
	if list, ok := x.Get("m").Strings(); ok || list != nil {
		t.Error("Strings of other types")
	}
	if x.Get("z").Kind() != "null" || !x.Get("z").Exists() || x.Get("l").Kind() != "array" || x.Len() != 8 || x.Get("o").Kind() != "object" {
		t.Error("kinds")
	}
	var names []string
	for name, member := range x.Members() {
		names = append(names, name)
		if name == "i" || !member.Exists() {
			break
		}
	}
	if !slices.Equal(names, []string{"s", "b", "n", "i"}) {
		t.Errorf("members %q", names)
	}
	for e := range x.Get("l").Elements() {
		if s, _ := e.Text(); s != "a" {
			t.Errorf("element %q", s)
		}
		break
	}
	var target struct {
		K int `json:"k"`
	}
	if err := x.Get("o").Decode(&target); err != nil || target.K != 1 {
		t.Errorf("%+v, %v", target, err)
	}
	if text, err := json.Marshal(x.Get("o")); err != nil || string(text) != `{"k":1}` {
		t.Errorf("%s, %v", text, err)
	}
}

func TestValue_AbsentJSON(t *testing.T) {
	v, err := sso.ValueOf(sso.Value{})
	if err != nil || v.Exists() {
		t.Errorf("%v, %v", v, err)
	}
	if text, err := json.Marshal(struct{ V sso.Value }{}); err != nil || string(text) != `{"V":null}` {
		t.Errorf("%s, %v", text, err)
	}
	if err := (sso.Value{}).Decode(&struct{}{}); err == nil || err.Error() != "sso: no such claim" {
		t.Errorf("decoded: %v", err)
	}
	var unsupported *json.UnsupportedTypeError
	if _, err := sso.ValueOf(func() {}); !errors.As(err, &unsupported) || !strings.Contains(err.Error(), "func() has no JSON form") {
		t.Errorf("%v", err)
	}
}
