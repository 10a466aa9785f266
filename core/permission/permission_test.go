package permission_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
)

func TestCombinations_ThreeValued(t *testing.T) {
	values := map[outcome]sso.Permission{granted: yes, denied: no, failed: broken}
	for _, test := range []struct{ a, b, all, any outcome }{
		{granted, granted, granted, granted},
		{granted, denied, denied, granted},
		{granted, failed, failed, granted},
		{denied, granted, denied, granted},
		{denied, denied, denied, denied},
		{denied, failed, denied, failed},
		{failed, granted, failed, granted},
		{failed, denied, denied, failed},
		{failed, failed, failed, failed},
	} {
		t.Run(string(test.a)+" and "+string(test.b), func(t *testing.T) {
			a, b := values[test.a], values[test.b]
			if got := outcomeOf(check(t, permission.All(a, b), nil)); got != test.all {
				t.Errorf("All: %s, want %s", got, test.all)
			}
			if got := outcomeOf(check(t, permission.Any(a, b), nil)); got != test.any {
				t.Errorf("Any: %s, want %s", got, test.any)
			}
			if got := outcomeOf(check(t, permission.ForRoute(a, b), nil)); got != test.all {
				t.Errorf("ForRoute: %s, want %s", got, test.all)
			}
		})
	}
	for in, want := range map[outcome]outcome{granted: denied, denied: granted, failed: failed} {
		t.Run("not "+string(in), func(t *testing.T) {
			if got := outcomeOf(check(t, permission.Not(values[in]), nil)); got != want {
				t.Errorf("%s, want %s", got, want)
			}
		})
	}
	t.Run("a panic is a failure", func(t *testing.T) {
		for _, p := range []sso.Permission{
			panicking{}, permission.All(yes, panicking{}), permission.Any(no, panicking{}), permission.Not(panicking{}), permission.ForRoute(panicking{}),
		} {
			if got := outcomeOf(check(t, p, nil)); got != failed {
				t.Errorf("%v: %s", p, got)
			}
		}
	})
	t.Run("the zero Decision is a denial", func(t *testing.T) {
		zero := answer(sso.Decision{})
		for want, p := range map[outcome][]sso.Permission{
			denied:  {zero, permission.All(yes, zero), permission.Any(no, zero)},
			granted: {permission.Not(zero)},
		} {
			for _, p := range p {
				if got := outcomeOf(check(t, p, nil)); got != want {
					t.Errorf("%v: %s, want %s", p, got, want)
				}
			}
		}
	})
}

// counting counts its calls.
type counting struct {
	calls  *int
	answer sso.Decision
}

func (c counting) Check(context.Context, sso.Access) sso.Decision { *c.calls++; return c.answer }

func TestCombinations_CheckOnce(t *testing.T) {
	for _, test := range []struct {
		name    string
		combine func(...sso.Permission) sso.Permission
		first   sso.Decision
		second  int // calls of the second
	}{
		{"All after a grant", permission.All, sso.Grant(), 1},
		{"All after a denial, to list everything that is missing", permission.All, sso.Deny("c", "r"), 1},
		{"All after a failure, since a denial would decide", permission.All, sso.Fail(errTest), 1},
		{"Any after a grant", permission.Any, sso.Grant(), 0},
		{"Any after a denial", permission.Any, sso.Deny("c", "r"), 1},
		{"Any after a failure, since a grant would decide", permission.Any, sso.Fail(errTest), 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			var first, second int
			check(t, test.combine(counting{&first, test.first}, counting{&second, sso.Grant()}), nil)
			if first != 1 || second != test.second {
				t.Errorf("%d and %d calls, want 1 and %d", first, second, test.second)
			}
		})
	}
}

func TestForRoute_NeedsEvidence(t *testing.T) {
	is, other := permission.Is("p", 1), permission.Has("q")
	all, some, not := permission.All, permission.Any, permission.Not
	for _, test := range []struct {
		name string
		p    []sso.Permission
		fine bool
	}{
		{"a leaf", []sso.Permission{is}, true},
		{"a permission of another type", []sso.Permission{yes}, true},
		{"Not of a leaf", []sso.Permission{not(is)}, false},
		{"Not of a permission of another type", []sso.Permission{not(no)}, false},
		{"Not of a scope", []sso.Permission{not(permission.Scope("s"))}, false},
		{"two Nots", []sso.Permission{not(is), not(other)}, false},
		{"Not with a leaf among more", []sso.Permission{not(is), other}, true},
		{"All of a leaf and its Not", []sso.Permission{all(is, not(is))}, true},
		{"Any of a leaf and its Not", []sso.Permission{some(is, not(is))}, false},
		{"Any of a Not and a leaf", []sso.Permission{some(not(is), other)}, false},
		{"Any of two Alls with a leaf each", []sso.Permission{some(all(is, not(other)), all(other, not(is)))}, true},
		{"Any of two Alls, one without a leaf", []sso.Permission{some(all(is, not(other)), all(not(other), not(is)))}, false},
		{"All of an Any with a Not and a leaf", []sso.Permission{all(some(is, not(is)), other)}, true},
		{"Not of Not of a leaf", []sso.Permission{not(not(is))}, true},
		{"Not of Not of Not of a leaf", []sso.Permission{not(not(not(is)))}, false},
		{"Not of All of leaves", []sso.Permission{not(all(is, other))}, false},
		{"Not of Any of leaves", []sso.Permission{not(some(is, other))}, false},
		{"Not of All of Nots, which is Any of leaves", []sso.Permission{not(all(not(is), not(other)))}, true},
		{"Not of Any of Nots, which is All of leaves", []sso.Permission{not(some(not(is), not(other)))}, true},
		{"Not of All of a Not and a leaf, which is Any of a leaf and a Not", []sso.Permission{not(all(not(is), other))}, false},
		{"Not of Any of a Not and a leaf, which is All of a leaf and a Not", []sso.Permission{not(some(not(is), other))}, true},
		{"All of one Not, which is that Not", []sso.Permission{all(not(is))}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			message := panicOf(func() { permission.ForRoute(test.p[0], test.p[1:]...) })
			switch {
			case test.fine && message != "":
				t.Errorf("panics: %s", message)
			case !test.fine && !strings.Contains(message, "alone grants access without any claim"):
				t.Errorf("panic %q does not say what to do", message)
			}
		})
	}
	t.Run("the panic shows the permission", func(t *testing.T) {
		message := panicOf(func() { permission.ForRoute(some(is, not(other))) })
		if !strings.Contains(message, `(is("p", 1) || !has("q"))`) {
			t.Error(message)
		}
	})
	t.Run("all of more are required", func(t *testing.T) {
		for i := range 3 {
			list := []sso.Permission{yes, yes, yes}
			list[i] = no
			if check(t, permission.ForRoute(list[0], list[1:]...), nil).Granted() {
				t.Errorf("granted though number %d denies", i)
			}
		}
	})
}

func TestDecision_Explain(t *testing.T) {
	who := principal(t, `{"permissions":{"orders":{"role":"secret-guest","list":["secret-a"]}},"scope":"orders:read"}`)
	for _, test := range []struct {
		name  string
		p     sso.Permission
		code  string
		says  []string
		depth int // parts
	}{
		{
			"Is, of another value", permission.Is("orders.role", "admin", "clerk"), "wrong_value",
			[]string{"wrong_value", "orders.role", `one of "admin", "clerk"`, "another string"},
			0,
		},
		{"Is, of a list", permission.Is("orders.list", "admin"), "wrong_value", []string{"orders.list", `"admin"`, "an array"}, 0},
		{"Is, absent", permission.Is("orders.x", "admin"), "missing", []string{"missing", "orders.x", `"admin"`, "nothing"}, 0},
		{"Has", permission.Has("orders.on"), "missing", []string{"missing", "orders.on", "true"}, 0},
		{"Scope lists only what is missing", permission.Scope("orders:read", "orders:write"), "missing_scope", []string{"missing_scope", "orders:write"}, 0},
		{"Func", permission.Func("owner", func(context.Context, sso.Access) (bool, error) { return false, nil }), "refused", []string{"refused", "owner"}, 0},
		{
			"All lists every unmet leaf and no other", permission.All(permission.Has("orders.on"), permission.Scope("orders:read"), permission.Is("orders.role", "admin")), "unmet",
			[]string{"unmet", "orders.on", "orders.role"},
			2,
		},
		{
			"All with one unmet leaf is that leaf", permission.All(permission.Scope("orders:read"), permission.Is("orders.role", "admin")), "wrong_value",
			[]string{"wrong_value", "orders.role"},
			0,
		},
		{
			"Any lists every alternative", permission.Any(permission.Has("orders.on"), permission.Scope("orders:write")), "unmet",
			[]string{"unmet", "one of these", "orders.on", "orders:write"},
			2,
		},
		{
			"Any lists the cheapest alternatives", permission.Any(permission.All(permission.Has("orders.on"), permission.Role("r")), permission.Scope("orders:write"), permission.Claim("x", 1)), "unmet",
			[]string{"unmet", "one of these", "orders:write", "at x", "(1 alternative needs more)"},
			3,
		},
		{"Not names what forbids", permission.Not(permission.Scope("orders:read")), "forbidden", []string{"forbidden", `scope("orders:read")`}, 0},
		{"Not of Any names the match alone", permission.Not(permission.Any(permission.Scope("orders:write"), permission.Scope("orders:read"))), "forbidden", []string{`must not hold: scope("orders:read")`}, 0},
		{
			"Not of All names the ways out", permission.Not(permission.All(permission.Scope("orders:read"), permission.Claim("sub", "ada"))), "unmet",
			[]string{"one of these", `must not hold: scope("orders:read")`, `must not hold: claim("sub", "ada")`},
			2,
		},
		{"Not of Not names what is missing", permission.Not(permission.Not(permission.Scope("orders:write"))), "missing_scope", []string{"orders:write"}, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := check(t, test.p, who)
			if outcomeOf(d) != denied || d.Code() != test.code || d.Remedy() == "" || len(d.Details().Parts) != test.depth {
				t.Errorf("%s: code %q, remedy %q, %d parts", outcomeOf(d), d.Code(), d.Remedy(), len(d.Details().Parts))
			}
			explanation := d.Explain()
			for _, part := range test.says {
				if !strings.Contains(explanation, part) {
					t.Errorf("%q is missing:\n%s", part, explanation)
				}
			}
			if strings.Contains(explanation, "secret") {
				t.Errorf("contains a value of the token:\n%s", explanation)
			}
			if strings.Contains(test.name, "no other") && strings.Contains(explanation, "orders:read") {
				t.Errorf("lists what is not missing:\n%s", explanation)
			}
		})
	}
	t.Run("ExplainWithValues", func(t *testing.T) {
		d := check(t, permission.Is("orders.role", "admin"), who)
		if !strings.Contains(d.ExplainWithValues(), `found "secret-guest"`) {
			t.Error(d.ExplainWithValues())
		}
		details := d.Details()
		if found, _ := details.Found.Text(); details.Path != "orders.role" || details.Wanted != `"admin"` || found != "secret-guest" {
			t.Errorf("path %q, wanted %q, found %q", details.Path, details.Wanted, found)
		}
	})
	t.Run("a failure names the function", func(t *testing.T) {
		d := check(t, permission.All(yes, permission.Func("owner", func(context.Context, sso.Access) (bool, error) { return false, errTest })), who)
		if !errors.Is(d.Err(), errTest) || !strings.Contains(d.Explain(), "owner") || !strings.Contains(d.Explain(), errTest.Error()) {
			t.Errorf("error %v:\n%s", d.Err(), d.Explain())
		}
	})
	t.Run("Details returns a copy", func(t *testing.T) {
		d := check(t, permission.Any(no, no), who)
		clear(d.Details().Parts)
		if slices.ContainsFunc(d.Details().Parts, func(part sso.Decision) bool { return part.Code() != "no" }) {
			t.Error("changing the copy changed the decision")
		}
	})
}

func TestCombinations_ManyParts(t *testing.T) {
	for _, n := range []int{15, 16, 17, 40} { // around the number of answers that need no allocation
		var calls int
		list := make([]sso.Permission, n)
		for i := range list {
			list[i] = permission.Has(fmt.Sprint("p", i))
			if i%2 == 0 {
				list[i] = counting{&calls, sso.Deny(fmt.Sprint("own", i), "r")}
			}
		}
		d := check(t, permission.All(list...), nil)
		parts := d.Details().Parts
		if len(parts) != n || calls != (n+1)/2 {
			t.Fatalf("%d parts and %d calls of %d", len(parts), calls, n)
		}
		for i, part := range parts {
			want := "missing"
			if i%2 == 0 {
				want = fmt.Sprint("own", i)
			}
			if part.Code() != want {
				t.Errorf("part %d of %d: %s, want %s", i, n, part.Code(), want)
			}
		}
	}
}
