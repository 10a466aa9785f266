package repo_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/more-retail/moresso-go/tools/internal/repo"
)

func TestTheModulesAreThoseOfTheRepository(t *testing.T) {
	root, modules, err := repo.Here()
	if _, missing := os.Stat(filepath.Join(root, "go.work")); missing != nil {
		t.Error(missing)
	}
	if err != nil {
		t.Fatal(err)
	}
	workspace := map[string]bool{}
	for _, m := range modules {
		workspace[m.Dir] = m.Workspace
	}
	for dir, want := range map[string]bool{"core": true, "cmd/sso": true, "ginsso": true, "bench": false, "e2e": false, "tools": false, "core/internal/wycheproof": false} {
		if got, found := workspace[dir]; !found || got != want {
			t.Errorf("%s: found %v, in the workspace %v; want %v", dir, found, got, want)
		}
	}
}

func TestAModuleIsCalledAsItsFolder(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "go.work"), "go 1.25.0\nuse ./core\n")
	write(t, filepath.Join(root, "core", "go.mod"), "module "+repo.Prefix+"kernel\n")
	if _, err := repo.Modules(root); err == nil || !strings.Contains(err.Error(), "must be "+repo.Prefix+"core") {
		t.Errorf("error %v, want the path that the module should have", err)
	}
}

// A module that is passed over in silence is checked by nothing.
func TestEveryFolderOfTheWorkspaceIsAModule(t *testing.T) {
	for work, want := range map[string]string{
		"go 1.25.0\n":                              "names no module",
		"go 1.25.0\nuse ./core\nuse ./gone\n":      "names gone, where there is no module",
		"go 1.25.0\nuse ./core\nuse /srv/ginsso\n": "names /srv/ginsso, where there is no module: write the folder as ./ginsso",
	} {
		root := t.TempDir()
		write(t, filepath.Join(root, "go.work"), work)
		write(t, filepath.Join(root, "core", "go.mod"), "module "+repo.Prefix+"core\n")
		if _, err := repo.Modules(root); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", work, err, want)
		}
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
