package permission_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
)

func TestThreeValuedLogic(t *testing.T) {
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
	for _, a := range []outcome{granted, denied, failed} {
		for _, b := range []outcome{granted, denied, failed} {
			t.Run("if "+string(a)+" then or else "+string(b), func(t *testing.T) {
				want := b
				if a == failed {
					want = failed
				}
				other := no
				if b != granted {
					other = yes // and never this one
				}
				p := permission.IfElse(values[a], values[b], other)
				if a == denied {
					p = permission.IfElse(values[a], other, values[b])
				}
				if got := outcomeOf(check(t, p, nil)); got != want {
					t.Errorf("%s, want %s", got, want)
				}
			})
		}
	}
	t.Run("a panic is a failure everywhere", func(t *testing.T) {
		for _, p := range []sso.Permission{
			panicking{}, permission.All(yes, panicking{}), permission.Any(no, panicking{}), permission.Not(panicking{}), permission.ForRoute(panicking{}),
		} {
			if got := outcomeOf(check(t, p, nil)); got != failed {
				t.Errorf("%v: %s", p, got)
			}
		}
	})
	t.Run("the zero Decision is a denial everywhere", func(t *testing.T) {
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

// counting tells how often it was asked.
type counting struct {
	asked  *int
	answer sso.Decision
}

func (c counting) Check(context.Context, sso.Access) sso.Decision { *c.asked++; return c.answer }

func TestEachPermissionIsAskedAtMostOnce(t *testing.T) {
	for _, test := range []struct {
		name    string
		combine func(...sso.Permission) sso.Permission
		first   sso.Decision
		second  int // how often the second is asked
	}{
		{"All after a grant", permission.All, sso.Grant(), 1},
		{"All after a denial, to name everything that is missing", permission.All, sso.Deny("c", "r"), 1},
		{"All after a failure, since a denial would decide", permission.All, sso.Fail(errTest), 1},
		{"Any after a grant", permission.Any, sso.Grant(), 0},
		{"Any after a denial", permission.Any, sso.Deny("c", "r"), 1},
		{"Any after a failure, since a grant would decide", permission.Any, sso.Fail(errTest), 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			var first, second int
			check(t, test.combine(counting{&first, test.first}, counting{&second, sso.Grant()}), nil)
			if first != 1 || second != test.second {
				t.Errorf("asked %d and %d times, want 1 and %d", first, second, test.second)
			}
		})
	}
}

func TestARouteNeedsSomethingThatSpeaksForTheCaller(t *testing.T) {
	is, other := permission.Is("p", 1), permission.Has("q")
	all, some, not, ifElse := permission.All, permission.Any, permission.Not, permission.IfElse
	get := permission.Method("GET")
	for _, test := range []struct {
		name string
		p    []sso.Permission
		fine bool
	}{
		{"a leaf", []sso.Permission{is}, true},
		{"a permission of one's own", []sso.Permission{yes}, true},
		{"Not of a leaf", []sso.Permission{not(is)}, false},
		{"Not of a permission of one's own", []sso.Permission{not(no)}, false},
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
		{"a method alone, which speaks for nobody", []sso.Permission{get}, false},
		{"Not of a method", []sso.Permission{not(get)}, false},
		{"a method beside a leaf", []sso.Permission{get, is}, true},
		{"a method, or a leaf", []sso.Permission{some(get, is)}, false},
		{"a method beside Authenticated, or a leaf", []sso.Permission{some(all(get, permission.Authenticated()), is)}, true},
		{"IfElse of a method with two leaves", []sso.Permission{ifElse(get, is, other)}, true},
		{"IfElse of a method, one branch a Not", []sso.Permission{ifElse(get, is, not(other))}, false},
		{"IfElse of a leaf, then a Not, else a leaf", []sso.Permission{ifElse(is, not(other), other)}, true},
		{"IfElse of a leaf, then a leaf, else a Not", []sso.Permission{ifElse(is, other, not(other))}, false},
		{"IfElse of an IfElse that needs a leaf to deny", []sso.Permission{ifElse(ifElse(get, not(is), not(other)), is, not(other))}, true},
		{"IfElse of an IfElse that a method may deny", []sso.Permission{ifElse(ifElse(get, not(is), get), is, not(other))}, false},
		{"IfElse of an Any that needs a leaf to deny", []sso.Permission{ifElse(some(get, not(is)), other, not(other))}, true},
		{"IfElse of an Any that a method denies", []sso.Permission{ifElse(some(get, is), other, not(other))}, false},
		{"IfElse of an All that needs a leaf to deny", []sso.Permission{ifElse(all(not(is), not(other)), other, not(is))}, true},
		{"IfElse of an All that a method may deny", []sso.Permission{ifElse(all(not(is), get), other, not(is))}, false},
		{"Not of IfElse of a leaf, then a Not, else a Not", []sso.Permission{not(ifElse(is, not(other), not(other)))}, true},
		{"Not of IfElse of a method, then leaves", []sso.Permission{not(ifElse(get, is, other))}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			message := panicOf(func() { permission.ForRoute(test.p[0], test.p[1:]...) })
			switch {
			case test.fine && message != "":
				t.Errorf("panics: %s", message)
			case !test.fine && !strings.Contains(message, "demand something positive beside it"):
				t.Errorf("panic is %q, want one that says what to do", message)
			}
		})
	}
	t.Run("the panic shows the permission", func(t *testing.T) {
		message := panicOf(func() { permission.ForRoute(some(is, not(other))) })
		if !strings.Contains(message, `(is("p", 1) || !has("q"))`) {
			t.Error(message)
		}
	})
	t.Run("all of more are demanded", func(t *testing.T) {
		for i := range 3 {
			list := []sso.Permission{yes, yes, yes}
			list[i] = no
			if check(t, permission.ForRoute(list[0], list[1:]...), nil).Granted() {
				t.Errorf("granted though number %d denies", i)
			}
		}
	})
}

func TestADenialExplainsItself(t *testing.T) {
	who := principal(t, `{"permissions":{"orders":{"role":"secret-guest","list":["secret-a"]}},"scope":"orders:read"}`)
	for _, test := range []struct {
		name  string
		p     sso.Permission
		code  string
		says  []string
		depth int // children
	}{
		{
			"Is, of another value", permission.Is("orders.role", "admin", "clerk"), permission.CodeWrongValue,
			[]string{"wrong_value", "orders.role", `one of "admin", "clerk"`, "another string"},
			0,
		},
		{"Is, of a list", permission.Is("orders.list", "admin"), permission.CodeWrongValue, []string{"orders.list", `"admin"`, "an array"}, 0},
		{"Is, where there is nothing", permission.Is("orders.x", "admin"), permission.CodeMissing, []string{"missing", "orders.x", `"admin"`, "nothing"}, 0},
		{"Has", permission.Has("orders.on"), permission.CodeMissing, []string{"missing", "orders.on", "true"}, 0},
		{"Truthy", permission.Truthy("orders.on"), permission.CodeMissing, []string{"missing", "orders.on", "counts as true"}, 0},
		{"Scope names what is missing only", permission.Scope("orders:read", "orders:write"), permission.CodeMissingScope, []string{"missing_scope", "orders:write"}, 0},
		{"Func", permission.Func("owner", func(context.Context, sso.Access) (bool, error) { return false, nil }), permission.CodeRefused, []string{"refused", "owner"}, 0},
		{
			"All names every unmet leaf and no other", permission.All(permission.Has("orders.on"), permission.Scope("orders:read"), permission.Is("orders.role", "admin")), permission.CodeUnmet,
			[]string{"unmet", "orders.on", "orders.role"},
			2,
		},
		{
			"All with one unmet leaf is that leaf", permission.All(permission.Scope("orders:read"), permission.Is("orders.role", "admin")), permission.CodeWrongValue,
			[]string{"wrong_value", "orders.role"},
			0,
		},
		{
			"Any names every alternative", permission.Any(permission.Has("orders.on"), permission.Scope("orders:write")), permission.CodeUnmet,
			[]string{"unmet", "one of these", "orders.on", "orders:write"},
			2,
		},
		{
			"Any names the cheapest alternatives", permission.Any(permission.All(permission.Has("orders.on"), permission.Role("r")), permission.Scope("orders:write"), permission.Claim("x", 1)), permission.CodeUnmet,
			[]string{"unmet", "one of these", "orders:write", "at x", "(1 alternative needs more)"},
			3,
		},
		{"Not names what forbids", permission.Not(permission.Scope("orders:read")), permission.CodeForbidden, []string{"forbidden", `scope("orders:read")`}, 0},
		{"Not of Any names the match alone", permission.Not(permission.Any(permission.Scope("orders:write"), permission.Scope("orders:read"))), permission.CodeForbidden, []string{`must not be so: scope("orders:read")`}, 0},
		{
			"Not of All names the ways out", permission.Not(permission.All(permission.Scope("orders:read"), permission.Claim("sub", "ada"))), permission.CodeUnmet,
			[]string{"one of these", `must not be so: scope("orders:read")`, `must not be so: claim("sub", "ada")`},
			2,
		},
		{"Not of Not names what is missing", permission.Not(permission.Not(permission.Scope("orders:write"))), permission.CodeMissingScope, []string{"orders:write"}, 0},
		{"IfElse names the branch", permission.IfElse(permission.Scope("orders:read"), permission.Role("clerk"), permission.Has("x")), permission.CodeUnmet, []string{`since scope("orders:read") holds`, `the role "clerk"`}, 1},
		{"IfElse names the other branch", permission.IfElse(permission.Role("clerk"), permission.Has("x"), permission.Has("y")), permission.CodeUnmet, []string{`since role("clerk") does not hold`, "at y"}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := check(t, test.p, who)
			if outcomeOf(d) != denied || d.Code() != test.code || d.Remedy() == "" || len(d.Children()) != test.depth {
				t.Errorf("%s: code %q, remedy %q, %d children", outcomeOf(d), d.Code(), d.Remedy(), len(d.Children()))
			}
			explanation := d.Explain()
			for _, part := range test.says {
				if !strings.Contains(explanation, part) {
					t.Errorf("does not say %q:\n%s", part, explanation)
				}
			}
			if strings.Contains(explanation, "secret") {
				t.Errorf("holds a value of the token:\n%s", explanation)
			}
			if strings.Contains(test.name, "no other") && strings.Contains(explanation, "orders:read") {
				t.Errorf("names what is not missing:\n%s", explanation)
			}
		})
	}
	t.Run("what was found can be asked for", func(t *testing.T) {
		d := check(t, permission.Is("orders.role", "admin"), who)
		if !strings.Contains(d.ExplainWithValues(), `found "secret-guest"`) {
			t.Error(d.ExplainWithValues())
		}
		if found, _ := d.Found().Text(); d.Path() != "orders.role" || d.Wanted() != `"admin"` || found != "secret-guest" {
			t.Errorf("path %q, wanted %q, found %q", d.Path(), d.Wanted(), found)
		}
	})
	t.Run("a failure says which", func(t *testing.T) {
		d := check(t, permission.All(yes, permission.Func("owner", func(context.Context, sso.Access) (bool, error) { return false, errTest })), who)
		if !errors.Is(d.Err(), errTest) || !strings.Contains(d.Explain(), "owner") || !strings.Contains(d.Explain(), errTest.Error()) {
			t.Errorf("error %v:\n%s", d.Err(), d.Explain())
		}
	})
	t.Run("the children are the caller's own", func(t *testing.T) {
		d := check(t, permission.Any(no, no), who)
		clear(d.Children())
		if slices.ContainsFunc(d.Children(), func(c sso.Decision) bool { return c.Code() != "no" }) {
			t.Error("changing the copy changed the decision")
		}
	})
}
