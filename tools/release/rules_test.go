package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/modfile"

	"github.com/more-retail/moresso-go/tools/internal/repo"
)

func TestWhatNobodyCouldRequireIsAFault(t *testing.T) {
	const good = "go 1.25.0\nrequire github.com/more-retail/moresso-go/core v0.1.0\nreplace github.com/more-retail/moresso-go/core => ../core\n"
	for name, c := range map[string]struct{ adapter, want string }{
		"a module as it should be has none": {good, ""},
		"a requirement of core at v0.0.0": {
			strings.ReplaceAll(good, "v0.1.0", "v0.0.0"), "ginsso/go.mod: requires github.com/more-retail/moresso-go/core at v0.0.0",
		},
		"a replace that is missing": {
			"go 1.25.0\nrequire github.com/more-retail/moresso-go/core v0.1.0\n", "write replace github.com/more-retail/moresso-go/core => ../core",
		},
		"a replace that leads elsewhere":        {strings.ReplaceAll(good, "../core", "../cores"), "write: replace github.com/more-retail/moresso-go/core => ../core"},
		"a replace that is for one version":     {strings.ReplaceAll(good, "core =>", "core v0.1.0 =>"), "write: replace github.com/more-retail/moresso-go/core => ../core"},
		"another version than the others":       {strings.ReplaceAll(good, "v0.1.0", "v0.2.0"), "write v0.1.0 (scripts/release sets it everywhere)"},
		"a replace of somebody else's module":   {good + "replace github.com/gin-gonic/gin => ../../gin\n", "which nobody who requires this module will do"},
		"another Go than the workspace's":       {strings.ReplaceAll(good, "1.25.0", "1.26.0"), "write: go 1.25.0"},
		"a toolchain":                           {good + "toolchain go1.26.8\n", "names toolchain go1.26.8"},
		"a requirement of what is not released": {good + "require github.com/more-retail/moresso-go/bench v0.1.0\nreplace github.com/more-retail/moresso-go/bench => ../bench\n", "which is not released"},
	} {
		t.Run(name, func(t *testing.T) {
			modules := []repo.Module{parse(t, "core", "go 1.25.0\n", true), parse(t, "ginsso", c.adapter, true), parse(t, "httpsso", good, true), parse(t, "e2e", good, false)}
			found := strings.Join(faults(modules, "1.25.0"), "\n")
			if c.want == "" && found != "" || !strings.Contains(found, c.want) {
				t.Errorf("found %q, want %q", found, c.want)
			}
		})
	}
}

func TestAllAtAVersionThatCannotBeReleasedIsAFault(t *testing.T) {
	for _, version := range []string{"v0.0.0", "v0.0.0-20260101000000-abcdefabcdef"} {
		text := "go 1.25.0\nrequire github.com/more-retail/moresso-go/core " + version + "\nreplace github.com/more-retail/moresso-go/core => ../core\n"
		modules := []repo.Module{parse(t, "core", "go 1.25.0\n", true), parse(t, "ginsso", text, true)}
		if found := strings.Join(faults(modules, "1.25.0"), "\n"); !strings.Contains(found, "which is no version that can be released") {
			t.Errorf("%s: found %q", version, found)
		}
	}
}

func parse(t *testing.T, dir, text string, workspace bool) repo.Module {
	t.Helper()
	file, err := modfile.Parse(dir+"/go.mod", []byte("module "+repo.Prefix+dir+"\n"+text), nil)
	if err != nil {
		t.Fatal(err)
	}
	return repo.Module{Dir: dir, File: file, Workspace: workspace}
}

func TestOnlyACleanTreeAndAHigherVersionAreReleased(t *testing.T) {
	root := t.TempDir()
	git := shell{dir: root, env: []string{"GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@invalid", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@invalid"}}
	do := func(args ...string) {
		t.Helper()
		if _, err := git.run(t.Context(), "git", args...); err != nil {
			t.Fatal(err)
		}
	}
	do("init", "--quiet")
	do("commit", "--quiet", "--allow-empty", "--message", "first")
	do("tag", "core/v0.1.0")
	modules := []repo.Module{parse(t, "core", "go 1.25.0\n", true), parse(t, "ginsso", "go 1.25.0\n", true)}
	for version, want := range map[string]string{
		"v0.2.0": "", "v0.1.1-rc.1": "",
		"0.2.0": "is no version", "v0.2": "is no version", "v0.1.0": "is not above core/v0.1.0", "v0.1.0-rc.1": "is not above", "v2.0.0": "needs module paths that end in /v2",
	} {
		if err := releasable(t.Context(), git, version, modules, nil); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", version, err, want)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "new.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := releasable(t.Context(), git, "v0.2.0", modules, nil); err == nil || !strings.Contains(err.Error(), "not clean") {
		t.Errorf("an unclean tree: %v", err)
	}
	if err := os.Remove(filepath.Join(root, "new.txt")); err != nil {
		t.Fatal(err)
	}
	// What git is told to overlook is not overlooked.
	do("config", "status.showUntrackedFiles", "no")
	if err := os.WriteFile(filepath.Join(root, "secret.pem"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := releasable(t.Context(), git, "v0.2.0", modules, nil); err == nil || !strings.Contains(err.Error(), "secret.pem") {
		t.Errorf("a file that git status does not show: %v", err)
	}
	do("add", "secret.pem")
	do("commit", "--quiet", "--message", "second")
	do("update-index", "--assume-unchanged", "secret.pem")
	if err := releasable(t.Context(), git, "v0.2.0", modules, nil); err == nil || !strings.Contains(err.Error(), "h secret.pem") {
		t.Errorf("a file whose changes git does not see: %v", err)
	}
	do("update-index", "--no-assume-unchanged", "secret.pem")
	do("tag", "ginsso/v0.9.0")
	if err := releasable(t.Context(), git, "v0.2.0", modules, nil); err == nil || !strings.Contains(err.Error(), "is not above ginsso/v0.9.0") {
		t.Errorf("below the version of another module: %v", err)
	}
	do("tag", "--delete", "ginsso/v0.9.0")
	// Nor does an interrupt leave half of a release.
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	if err := commitAndTag(ctx, git, "v0.2.0", modules); err == nil {
		t.Error("an interrupt was no fault")
	}
	// One tag that is there already leaves none of the others, and no commit.
	do("tag", "ginsso/v0.2.0")
	if err := commitAndTag(t.Context(), git, "v0.2.0", modules); err == nil {
		t.Error("a tag that is there already was no fault")
	}
	if tags, err := git.run(t.Context(), "git", "tag", "--list", "core/v0.2.0"); err != nil || tags != "" {
		t.Errorf("left the tag %q (%v)", tags, err)
	}
	do("tag", "--delete", "ginsso/v0.2.0")
	if err := commitAndTag(t.Context(), git, "v0.2.0", modules); err != nil {
		t.Fatal(err)
	}
	tagged, err := git.run(t.Context(), "git", "tag", "--points-at", "HEAD")
	if err != nil || tagged != "core/v0.2.0\nginsso/v0.2.0\n" {
		t.Errorf("HEAD has the tags %q (%v), want one for each module", tagged, err)
	}
}

func TestTheChangelogIsClosedUnderTheVersion(t *testing.T) {
	file := filepath.Join(t.TempDir(), "CHANGELOG.md")
	day := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"# Changelog\n\n## [Unreleased]\n\n- news\n": "# Changelog\n\n## [Unreleased]\n\n## [0.1.0] - 2026-12-01\n\n- news\n",
		"## [Unreleased]\n\n## [0.0.9]\n- old\n":     "",
		"# Changelog\n":                              "",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		err := closeChangelog(file, "v0.1.0", day)
		got, readErr := os.ReadFile(file)
		if readErr != nil {
			t.Fatal(readErr)
		}
		if want == "" && (err == nil || string(got) != text) || want != "" && string(got) != want {
			t.Errorf("%q became %q (%v), want %q", text, got, err, want)
		}
	}
}

func TestAVersionSuitsWhatBreaks(t *testing.T) {
	for _, c := range []struct {
		version, newest string
		broken          []string
		suits           bool
	}{
		{"v0.1.1", "v0.1.0", nil, true},
		{"v1.0.1", "v1.0.0", nil, true},
		{"v0.1.1", "v0.1.0", []string{"sso.Config.Foo"}, false},
		{"v0.2.0", "v0.1.0", []string{"sso.Config.Foo"}, true},
		{"v0.2.0-rc.1", "v0.1.0", []string{"sso.Config.Foo"}, true},
		{"v1.0.0", "v0.9.0", []string{"sso.Config.Foo"}, true},
		{"v1.1.0", "v1.0.0", []string{"sso.Config.Foo"}, false},
		{"v1.0.1", "v1.0.0", []string{"sso.Config.Foo"}, false},
		{"v0.1.0", "v0.0.0", []string{"sso.Config.Foo"}, true},
		{"v0.1.0", "", []string{"sso.Config.Foo"}, true},
	} {
		if err := suits(c.version, c.newest, c.broken); (err == nil) != c.suits {
			t.Errorf("%s after %s with %q: %v", c.version, c.newest, c.broken, err)
		}
	}
}
