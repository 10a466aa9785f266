package permission_test

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/more-retail/moresso-go/core/internal/jsondoc"
	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
)

// These tests generate permissions and claims from a universe so small that grants and denials are both
// common. The seeds are fixed, so a failure can be reproduced.

func dice(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 2030)) }

func pick[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

var scalars = []any{"admin", "clerk", "*", "", true, false, nil, 0, 1, 2.5, json.Number("1.0"), json.Number("9007199254740993")}

func aPath(r *rand.Rand) string { return pick(r, "a", "b", "a.x", "a.y", "b.x", "b.y.z") }

func aValue(r *rand.Rand, depth int) any {
	switch n := r.IntN(10); {
	case depth > 0 && n < 2:
		return anObject(r, depth-1)
	case depth > 0 && n < 4:
		list := make([]any, r.IntN(3))
		for i := range list {
			list[i] = aValue(r, depth-1)
		}
		return list
	default:
		return pick(r, scalars...)
	}
}

func anObject(r *rand.Rand, depth int) map[string]any {
	object := map[string]any{}
	for range r.IntN(4) {
		object[pick(r, "a", "b", "x", "y", "z")] = aValue(r, depth)
	}
	return object
}

func someClaims(r *rand.Rand) map[string]any {
	claims := map[string]any{}
	if r.IntN(10) > 0 {
		claims["permissions"] = anObject(r, 3)
	}
	if r.IntN(3) > 0 {
		claims["scope"] = pick(r, "", "s") + " " + pick(r, "", "t")
	}
	return claims
}

func whoHas(t *testing.T, claims map[string]any) *sso.Principal {
	t.Helper()
	text, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	return principal(t, string(text))
}

// aLeaf returns a leaf that grants only on evidence in the token.
func aLeaf(r *rand.Rand) sso.Permission {
	switch r.IntN(10) {
	case 8:
		return permission.Claim(pick(r, "permissions.", "")+aPath(r), pick(r, scalars...))
	case 9:
		return permission.Authenticated()
	case 0:
		return permission.Has(aPath(r))
	case 1, 2:
		return permission.Scope(pick(r, "s", "t"))
	case 3:
		return permission.Scope("s", "t")
	case 4:
		return permission.Func("subject", func(_ context.Context, access sso.Access) (bool, error) {
			return access.Principal().Subject() != "", nil
		})
	case 5:
		return permission.Is(aPath(r), pick(r, scalars...), pick(r, scalars...))
	default:
		return permission.Is(aPath(r), pick(r, scalars...))
	}
}

// A tree is a permission, and a model of it.
type tree struct {
	permission sso.Permission
	model      func(*sso.Principal) outcome
}

// aTree returns a permission with leaves that fail if failures is set, and with Nots if negation is set.
func aTree(t *testing.T, r *rand.Rand, depth int, failures, negation bool) tree {
	t.Helper()
	n := r.IntN(10)
	switch {
	case depth == 0 || n < 3:
		leaf := aLeaf(r)
		if failures && r.IntN(4) == 0 {
			leaf = pick[sso.Permission](r, broken, panicking{})
		}
		return tree{leaf, func(who *sso.Principal) outcome { return outcomeOf(check(t, leaf, who)) }}
	case negation && n < 5:
		inner := aTree(t, r, depth-1, failures, negation)
		return tree{permission.Not(inner.permission), func(who *sso.Principal) outcome {
			return map[outcome]outcome{granted: denied, denied: granted, failed: failed}[inner.model(who)]
		}}
	}
	children := make([]tree, 1+r.IntN(3))
	list := make([]sso.Permission, len(children))
	for i := range children {
		children[i] = aTree(t, r, depth-1, failures, negation)
		list[i] = children[i].permission
	}
	combine, decisive, otherwise := permission.All, denied, granted
	if n < 8 {
		combine, decisive, otherwise = permission.Any, granted, denied
	}
	return tree{combine(list...), func(who *sso.Principal) outcome {
		worst := otherwise
		for _, child := range children {
			switch child.model(who) {
			case decisive:
				return decisive
			case failed:
				worst = failed
			}
		}
		return worst
	}}
}

func TestProperty_LawsOfLogic(t *testing.T) {
	r := dice(1)
	seen := map[outcome]int{}
	for range 80 {
		who := whoHas(t, someClaims(r))
		is := func(p sso.Permission) outcome { return outcomeOf(check(t, p, who)) }
		for range 20 {
			a, b, c := aTree(t, r, 3, true, true), aTree(t, r, 2, true, true), aTree(t, r, 2, true, true)
			seen[is(a.permission)]++
			same := func(law string, x, y sso.Permission) {
				t.Helper()
				if is(x) != is(y) {
					t.Errorf("%s: %v is %s, %v is %s", law, x, is(x), y, is(y))
				}
			}
			if got, want := is(a.permission), a.model(who); got != want {
				t.Errorf("%v: %s, want %s", a.permission, got, want)
			}
			all, some, not := permission.All, permission.Any, permission.Not
			p, q, s := a.permission, b.permission, c.permission
			same("De Morgan", not(all(p, q)), some(not(p), not(q)))
			same("De Morgan", not(some(p, q)), all(not(p), not(q)))
			same("double negation", not(not(p)), p)
			same("associativity", all(p, all(q, s)), all(all(p, q), s))
			same("associativity", some(p, some(q, s)), some(some(p, q), s))
			same("commutativity", all(p, q), all(q, p))
			same("commutativity", some(p, q), some(q, p))
			same("distributivity", all(p, some(q, s)), some(all(p, q), all(p, s)))
			same("idempotence", all(p, p), p)
			same("idempotence", some(p, p), p)
			same("determinism", p, p)
			if contradiction := all(p, not(p)); is(contradiction) == granted {
				t.Errorf("%v is granted", contradiction)
			}
		}
		if t.Failed() {
			return
		}
	}
	for _, o := range []outcome{granted, denied, failed} {
		if seen[o] < 100 {
			t.Errorf("only %d permissions were %s: too few", seen[o], o)
		}
	}
}

// more returns the given claims and others.
func more(r *rand.Rand, v any, depth int) any {
	switch v := v.(type) {
	case map[string]any:
		grown := map[string]any{}
		for name, member := range v {
			grown[name] = more(r, member, depth-1)
		}
		for range r.IntN(3) {
			if name := pick(r, "a", "b", "x", "y", "z"); grown[name] == nil {
				grown[name] = aValue(r, max(depth, 0))
			}
		}
		return grown
	case []any:
		grown := slices.Clone(v)
		for range r.IntN(3) {
			grown = append(grown, pick(r, scalars...))
		}
		return grown
	}
	return v
}

func TestProperty_MoreClaims(t *testing.T) {
	r := dice(2)
	grants := 0
	for range 200 {
		claims := someClaims(r)
		grown := map[string]any{"permissions": more(r, claims["permissions"], 3), "scope": pick(r, "", "s ", "t ")}
		if claims["scope"] != nil {
			grown["scope"] = grown["scope"].(string) + claims["scope"].(string) //nolint:errcheck // both are strings
		}
		if claims["permissions"] == nil {
			grown["permissions"] = anObject(r, 3)
		}
		before, after := whoHas(t, claims), whoHas(t, grown)
		for range 20 {
			p := aTree(t, r, 3, false, false).permission
			if check(t, p, before).Granted() {
				grants++
				if d := check(t, p, after); !d.Granted() {
					t.Fatalf("%v is granted on %v and not on %v: %s", p, claims, grown, d.Explain())
				}
			}
		}
	}
	if grants < 300 {
		t.Errorf("only %d grants", grants)
	}
}

// A permission that ForRoute accepts is never granted without claims.
func TestProperty_ForRoute(t *testing.T) {
	r := dice(3)
	empty := []*sso.Principal{nil, {}}
	accepted, refused, opens := 0, 0, 0
	for i := range 10_000 {
		p := aTree(t, r, 4, i%2 == 0, true).permission
		granted := slices.ContainsFunc(empty, func(who *sso.Principal) bool { return check(t, p, who).Granted() })
		if panicOf(func() { permission.ForRoute(p) }) != "" {
			refused++
			if granted {
				opens++
			}
			continue
		}
		accepted++
		if granted {
			t.Fatalf("ForRoute accepts %v, which is granted without claims", p)
		}
	}
	if accepted < 1000 || refused < 1000 || opens < 1000 {
		t.Errorf("%d accepted, %d refused, %d of them granted without claims: too few", accepted, refused, opens)
	}
}

// A failure never turns a denial into a grant.
func TestProperty_Failures(t *testing.T) {
	r := dice(4)
	for i := range 3000 {
		who := &sso.Principal{}
		if i%50 == 0 {
			who = whoHas(t, someClaims(r))
		}
		p := aTree(t, r, 3, false, true).permission
		for _, failing := range []sso.Permission{broken, panicking{}} {
			without := check(t, p, who).Granted()
			if check(t, permission.All(p, failing), who).Granted() || check(t, permission.All(failing, p), who).Granted() {
				t.Fatalf("%v is granted beside a failure", p)
			}
			if check(t, permission.Any(p, failing), who).Granted() != without || check(t, permission.Any(permission.Not(failing), p), who).Granted() != without {
				t.Fatalf("%v decides otherwise beside a failing alternative", p)
			}
		}
	}
}

// FuzzCheck compares Is and Has with a model, on arbitrary claims.
func FuzzCheck(f *testing.F) {
	f.Add(`{"permissions":{"a":{"x":"admin"}},"scope":"s"}`, "a.x", `"admin"`)
	f.Add(`{"permissions":{"a":["*",1.0,{"b":null}]}}`, "a", `[1,{"b":null}]`)
	f.Add(`{"permissions":{"a.b":"*"}}`, `a\.b`, `null`)
	f.Add(`{"permissions":null}`, ".", `{}`)
	f.Add(`{"permissions":["a.b","read:orders"]}`, "a.b", `"a.b"`)
	f.Add(`{"permissions":{"":{"":9007199254740993}}}`, ".", `9007199254740992`)
	f.Fuzz(func(t *testing.T, claims, path, wanted string) {
		var object map[string]json.RawMessage
		if json.Unmarshal([]byte(claims), &object) != nil || object == nil || path == "" {
			return
		}
		value, err := sso.ValueOf(json.RawMessage(wanted))
		if err != nil {
			return
		}
		payload, err := json.Marshal(map[string]any{"permissions": object["permissions"], "scope": object["scope"]})
		if err != nil {
			return
		}
		if _, err := sso.ValueOf(json.RawMessage(payload)); err != nil {
			return // duplicates, or too deep
		}
		if depth := strings.Count(string(payload), "[") + strings.Count(string(payload), "{"); depth > 30 || len(payload) > 8000 {
			return
		}
		who := principal(t, string(payload))
		is, has := permission.Is(path, value), permission.Has(path)
		found := who.Permissions().Lookup(path)
		star, isText := found.Text()
		isStar := isText && star == "*"
		want := found.Exists() && found.Kind() != "null" && (isStar || found.Equal(value) && found.Kind() != "array")
		for e := range found.Elements() {
			want = want || e.Equal(value)
		}
		listed := false
		for e := range who.Permissions().Elements() {
			name, ok := e.Text()
			listed = listed || ok && name == strings.Join(jsondoc.SplitPath(path), ".")
		}
		for p, want := range map[sso.Permission]bool{
			is:  want,
			has: listed || found.Kind() == "boolean" && found.String() == "true" || isStar,
		} {
			d := check(t, p, who)
			if d.Granted() != want || d.Err() != nil {
				t.Errorf("%v on %s: %s, want granted %s", p, payload, d.Explain(), strconv.FormatBool(want))
			}
			if check(t, permission.Not(p), who).Granted() == want {
				t.Errorf("Not of %v on %s is wrong", p, payload)
			}
		}
	})
}
