package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"

	"github.com/more-retail/moresso-go/tools/internal/repo"
)

func TestAFunctionIsDeadOnlyIfNoRunThatSeesItsPackageReachesIt(t *testing.T) {
	f := function{"p", "F", "p/p.go", 3}
	g := function{"q", "G", "q/q.go", 5}
	for name, c := range map[string]struct {
		views []view
		want  string
	}{
		"no run at all":                            {nil, "[]"},
		"the only run does not reach it":           {[]view{sees("p").without(f)}, "[p/p.go:3: nothing reaches F]"},
		"no run of two reaches it, and it is once": {[]view{sees("p").without(f), sees("p").without(f)}, "[p/p.go:3: nothing reaches F]"},
		"a later run reaches it":                   {[]view{sees("p").without(f), sees("p")}, "[]"},
		"an earlier run reaches it":                {[]view{sees("p"), sees("p").without(f)}, "[]"},
		"another run does not see its package":     {[]view{sees("p").without(f), sees("q")}, "[p/p.go:3: nothing reaches F]"},
		"several, sorted by where they stand":      {[]view{sees("q").without(g), sees("p").without(f)}, "[p/p.go:3: nothing reaches F q/q.go:5: nothing reaches G]"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := fmt.Sprint(dead(c.views)); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

func sees(packages ...string) view {
	v := view{map[string]bool{}, map[function]bool{}}
	for _, p := range packages {
		v.seen[p] = true
	}
	return v
}

func (v view) without(f function) view {
	v.dead[f] = true
	return v
}

func TestAFunctionIsTheSameWhereverDeadcodeRan(t *testing.T) {
	const text = `[{"Name":"p","Path":"ours/core/p","Funcs":[{"Name":"T.F","Position":{"File":%q,"Line":3,"Col":6}}]}]`
	root := t.TempDir()
	want := function{"ours/core/p", "T.F", "core/p/p.go", 3}
	for dir, file := range map[string]string{".": "core/p/p.go", "core": "p/p.go", "e2e": filepath.Join(root, "core", "p", "p.go")} {
		found, err := read(fmt.Appendf(nil, text, file), root, filepath.Join(root, dir))
		if err != nil || len(found) != 1 || !found[want] {
			t.Errorf("run in %s: %v, %v; want %v", dir, found, err, want)
		}
	}
}

func TestAnAnswerThatIsNoneIsNotTakenForAGoodOne(t *testing.T) {
	for _, text := range []string{"", "[{", "no main packages"} {
		if found, err := read([]byte(text), "/r", "/r"); err == nil {
			t.Errorf("%q: no error, and %v", text, found)
		}
	}
	if found, err := read([]byte("null"), "/r", "/r"); err != nil || len(found) != 0 {
		t.Errorf("null, which is nothing found: %v, %v", found, err)
	}
}

func TestTheWorkspaceIsOneProgramAndEveryOtherModuleItsOwn(t *testing.T) {
	module := func(dir string, workspace bool) repo.Module {
		return repo.Module{Dir: dir, File: &modfile.File{}, Workspace: workspace}
	}
	var got []string
	for _, p := range programs([]repo.Module{module("bench", false), module("cmd/sso", true), module("core", true), module("tools", false)}) {
		got = append(got, fmt.Sprintf("%s in %s: %s", p.name, p.dir, strings.Join(p.patterns, " ")))
	}
	want := []string{"workspace in .: ./cmd/sso/... ./core/...", "bench in bench: ./...", "tools in tools: ./..."}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
