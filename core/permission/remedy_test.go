package permission_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
)

// A world is a token and a request.
type world struct {
	claims  map[string]any
	request request
}

// set sets the claim at a path without escaped dots; nil removes it.
func (w *world) set(path string, value any) {
	object := w.claims
	names := strings.Split(path, ".")
	for _, name := range names[:len(names)-1] {
		next, ok := object[name].(map[string]any)
		if !ok {
			next = map[string]any{}
			object[name] = next
		}
		object = next
	}
	delete(object, names[len(names)-1])
	if value != nil {
		object[names[len(names)-1]] = value
	}
}

func (w *world) list(claim string) []string {
	list, _ := w.claims[claim].([]string)
	return list
}

func (w *world) add(claim string, names ...string) {
	w.claims[claim] = append(slices.Clone(w.list(claim)), names...)
}

func (w *world) remove(claim string, names ...string) {
	w.claims[claim] = slices.DeleteFunc(slices.Clone(w.list(claim)), func(name string) bool { return slices.Contains(names, name) })
}

// generator builds leaves that each look at a claim of their own, so that each can be changed alone.
// Half of them hold at first.
type generator struct {
	*rand.Rand
	world world
	n     int
	once  map[string]bool
}

func (g *generator) leaf() sso.Permission {
	g.n++
	name, holds := fmt.Sprintf("n%d", g.n), g.IntN(2) == 0
	held := func(set func()) {
		if holds {
			set()
		}
	}
	wanted := []any{"admin", "a \"quoted\" one", true, 7, json.Number("9007199254740993"), map[string]any{"k": []any{1}}}[g.IntN(6)]
	kind := g.IntN(8)
	if unique := []string{"fresh", "acr"}; kind < 2 {
		if g.once[unique[kind]] {
			return g.leaf()
		}
		g.once[unique[kind]] = true
	}
	switch kind {
	case 0:
		held(func() { g.world.set("auth_time", now.Add(-time.Second).Unix()) })
		return permission.FreshLogin(time.Minute)
	case 1:
		held(func() { g.world.set("acr", "gold") })
		return permission.ACR("gold", "silver")
	case 2:
		g.world.request.values[name] = "value-" + name
		held(func() { g.world.set("own."+name, "value-"+name) })
		return permission.SameAsPath("own."+name, name)
	case 3:
		held(func() { g.world.add("scope", name+"a", name+"b") })
		return permission.Scope(name+"a", name+"b")
	case 4:
		held(func() { g.world.add("roles", name) })
		return permission.Role(name, name+"-other")
	case 5:
		held(func() { g.world.set("c."+name, wanted) })
		return permission.Claim("c."+name, wanted, "other")
	case 6:
		held(func() { g.world.set("permissions."+name+".on", true) })
		return permission.Has(name + ".on")
	default:
		held(func() { g.world.set("permissions."+name+".x", wanted) })
		return permission.Is(name+".x", wanted)
	}
}

func (g *generator) tree(depth int) sso.Permission {
	if depth == 0 {
		return g.leaf()
	}
	switch g.IntN(5) {
	case 0:
		return g.leaf()
	case 1:
		return permission.Not(g.tree(depth - 1))
	case 2:
		return permission.Any(g.tree(depth-1), g.tree(depth-1))
	}
	return permission.All(g.tree(depth-1), g.tree(depth-1), g.leaf())
}

// A line is one of an explanation, with those that are indented below it.
type line struct {
	text  string
	below []*line
}

func lines(explanation string) *line {
	root := &line{}
	open := []*line{root}
	for text := range strings.Lines(explanation) {
		trimmed := strings.TrimLeft(text, " ")
		depth := (len(text) - len(trimmed)) / 2
		l := &line{text: strings.TrimSuffix(trimmed, "\n")}
		open = append(open[:depth+1], l)
		open[depth].below = append(open[depth].below, l)
	}
	return root.below[0]
}

var remedies = map[*regexp.Regexp]func(w *world, found []string) error{
	regexp.MustCompile(`; the token's (permissions|claims)(?: \(an object\)| \(absent\))? need (?:one of )?(.+) at (\S+)$`): func(w *world, found []string) error {
		path := found[3]
		if found[1] == "permissions" {
			path = "permissions." + path
		}
		decoder := json.NewDecoder(strings.NewReader(found[2])) // the first of several
		decoder.UseNumber()
		var value any
		err := decoder.Decode(&value)
		w.set(path, value)
		return err
	},
	regexp.MustCompile(`; the token needs the scope (.+)$`): func(w *world, found []string) error {
		w.add("scope", strings.Fields(found[1])...)
		return nil
	},
	regexp.MustCompile(`; the token needs (?:the role|one of the roles) "([^"]+)"`): func(w *world, found []string) error {
		w.add("roles", found[1])
		return nil
	},
	regexp.MustCompile(`; sign in again: auth_time may be at most 1m0s ago$`): func(w *world, _ []string) error {
		w.set("auth_time", now.Unix())
		return nil
	},
	regexp.MustCompile(`; configure the identity provider to put auth_time into its access tokens`): func(w *world, _ []string) error {
		w.set("auth_time", now.Unix())
		return nil
	},
	regexp.MustCompile(`; sign in so that acr is (?:one of )?"([^"]+)"`): func(w *world, found []string) error {
		w.set("acr", found[1])
		return nil
	},
	regexp.MustCompile(`; use a token whose (\S+) equals the path parameter (\S+)$`): func(w *world, found []string) error {
		w.set(found[1], w.request.values[found[2]])
		return nil
	},
}

var forbidden = regexp.MustCompile(`; this must not hold: (\w+)\((.*)\)$`)

// apply follows an explanation: the first of alternatives, otherwise all of it.
func (w *world) apply(t *testing.T, l *line) {
	if strings.HasSuffix(l.text, "one of these is needed") {
		w.apply(t, l.below[0])
		return
	}
	if len(l.below) > 0 {
		for _, part := range l.below {
			w.apply(t, part)
		}
		return
	}
	for pattern, remedy := range remedies {
		if found := pattern.FindStringSubmatch(l.text); found != nil {
			if err := remedy(w, found); err != nil {
				t.Fatalf("%s: %v", l.text, err)
			}
			return
		}
	}
	found := forbidden.FindStringSubmatch(l.text)
	if found == nil {
		t.Fatalf("unknown remedy: %q", l.text)
	}
	path := regexp.MustCompile(`^"([^"]+)"`).FindStringSubmatch(found[2])
	switch found[1] {
	case "is", "has":
		w.set("permissions."+path[1], nil)
	case "claim", "sameAsPath":
		w.set(path[1], nil)
	case "scope":
		w.remove("scope", path[1])
	case "role":
		w.remove("roles", path[1])
	case "freshLogin":
		w.set("auth_time", nil)
	case "acr":
		w.set("acr", nil)
	default:
		t.Fatalf("unknown remedy: %q", l.text)
	}
}

func TestRemedy_TurnsDenialIntoGrant(t *testing.T) {
	denials := 0
	for seed := uint64(0); denials < 300; seed++ {
		g := &generator{Rand: dice(100 + seed), world: world{claims: map[string]any{"permissions": map[string]any{}}, request: request{values: map[string]string{}}}, once: map[string]bool{}}
		p := g.tree(3)
		w := g.world
		before := checkRequest(t, p, whoHas(t, w.claims), w.request)
		if before.Err() != nil {
			t.Fatalf("%v: %s", p, before.Explain())
		}
		if before.Granted() {
			continue
		}
		denials++
		was := fmt.Sprint(maps.Clone(w.claims), w.request)
		w.apply(t, lines(before.Explain()))
		if after := checkRequest(t, p, whoHas(t, w.claims), w.request); !after.Granted() {
			t.Fatalf("%v\non %s:\n%s\nand then on %v %v:\n%s", p, was, before.Explain(), w.claims, w.request, after.Explain())
		}
	}
}
