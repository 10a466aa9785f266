package main

import (
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"

	"github.com/more-retail/moresso-go/tools/internal/repo"
)

// faults are what would keep a stranger's module from building with these. The workspace hides
// every one of them: there a module is found by its folder, whatever its go.mod says.
func faults(modules []repo.Module, goVersion string) []string {
	var found []string
	fault := func(m repo.Module, format string, args ...any) {
		found = append(found, m.Dir+"/go.mod: "+fmt.Sprintf(format, args...))
	}
	released := map[string]repo.Module{}
	for _, m := range modules {
		if m.Workspace {
			released[m.Path()] = m
		}
	}
	next, err := versionOf(modules)
	if err != nil {
		found = append(found, err.Error())
	}
	for _, m := range modules {
		replaced := map[string]bool{}
		for _, r := range m.File.Replace {
			replaced[r.Old.Path] = true
			target, own := strings.CutPrefix(r.Old.Path, repo.Prefix)
			if !own {
				if m.Workspace {
					fault(m, "replaces %s, which nobody who requires this module will do: require a version that works as it is", r.Old.Path)
				}
				continue
			}
			want := relative(m.Dir, target)
			if r.Old.Version != "" || r.New.Version != "" || path.Clean(r.New.Path) != path.Clean(want) {
				fault(m, "write: replace %s => %s", r.Old.Path, want)
			}
		}
		for _, r := range m.Requirements() {
			target := strings.TrimPrefix(r.Mod.Path, repo.Prefix)
			if _, ok := released[r.Mod.Path]; !ok && m.Workspace {
				fault(m, "requires %s, which is not released: add ./%s to go.work, or do without", r.Mod.Path, target)
			}
			if err == nil && r.Mod.Version != next {
				fault(m, "requires %s at %s; all modules are released together, so write %s (scripts/release sets it everywhere)", r.Mod.Path, r.Mod.Version, next)
			}
			if !replaced[r.Mod.Path] {
				fault(m, "nothing replaces %s, so GOWORK=off builds with what was released last, if anything: write replace %s => %s",
					r.Mod.Path, r.Mod.Path, relative(m.Dir, target))
			}
		}
		if m.Workspace && (m.File.Go == nil || m.File.Go.Version != goVersion) {
			fault(m, "write: go %s (as in go.work; every released module promises the same)", goVersion)
		}
		if m.Workspace && m.File.Toolchain != nil {
			fault(m, "names toolchain %s, which who requires the module does not see: take the line out", m.File.Toolchain.Name)
		}
	}
	return found
}

// versionOf is the version under which the modules require each other: the most frequent one,
// so that one wrong requirement is told from the right ones.
func versionOf(modules []repo.Module) (string, error) {
	count := map[string]int{}
	best := ""
	for _, m := range modules {
		for _, r := range m.Requirements() {
			count[r.Mod.Version]++
			if v := r.Mod.Version; best == "" || count[v] > count[best] {
				best = v
			}
		}
	}
	switch {
	case best == "":
		return "", fmt.Errorf("no module requires another of the repository: where is %score?", repo.Prefix)
	case semver.Canonical(best) != best, module.IsPseudoVersion(best), semver.Compare(best, "v0.0.0") <= 0:
		return "", fmt.Errorf("the modules require each other at %s, which is no version that can be released: scripts/release sets one", best)
	}
	return best, nil
}

// relative is the way from one module's folder to another's, as a replace writes it.
func relative(from, to string) string {
	way, err := filepath.Rel(filepath.FromSlash(from), filepath.FromSlash(to))
	if err != nil { // both are relative to the root
		return to
	}
	return filepath.ToSlash(way)
}
