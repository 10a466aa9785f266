package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/exp/apidiff"

	"github.com/more-retail/moresso-go/tools/internal/repo"
)

// The text of a package must say all that a comparison asks about: read again, it is the package itself.
func TestATextSaysAllThatIsCompared(t *testing.T) {
	root, err := repo.Root()
	if err != nil {
		t.Fatal(err)
	}
	now, err := load(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	if now.packages["core-sso.txt"] == nil || now.packages["redisstore-redistest.txt"] == nil {
		t.Fatalf("packages are missing: %v", now.packages)
	}
	for file, p := range now.packages {
		if strings.Contains(file, "internal") || strings.HasPrefix(file, "examples") || strings.HasPrefix(file, "cmd") {
			t.Errorf("%s is of no public package", file)
		}
		again, err := read(file, []byte(write(p)), p.Path(), now.imports)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		for _, change := range append(apidiff.Changes(again, p).Changes, apidiff.Changes(p, again).Changes...) {
			t.Errorf("%s: %s", file, change.Message)
		}
		if write(again) != write(p) {
			t.Errorf("%s: written again, the text differs:\n%s", file, write(again))
		}
	}
}

const source = `package sso

import "time"

const CodeExpired = "expired"

type Config struct {
	Audience string
	Leeway   time.Duration
	hidden
}

type hidden struct{ Realm string }

func (hidden) Describe() string { return "" }

type Store interface{ Check(id string) error }

type Event interface{ int | string }

type Guard struct{ count int }

func (g *Guard) Require(name string) error { return nil }

type Option func(*options)

type options struct{}

func New(c Config, more ...Option) *Guard { return nil }
`

const adapter = `package ginsso

import "github.com/more-retail/moresso-go/core/sso"

func Wrap(g *sso.Guard) {}
`

const changelog = "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- `sso.Config.Audience`, `sso.New`.\n"

// repository is a small one that has promised the surface of source: by a tag of core, or by its record alone.
func repository(t *testing.T, tagged bool) (root string) {
	t.Helper()
	root = t.TempDir()
	edit(t, root, "go.work", "", "go 1.25.0\nuse ./core\nuse ./ginsso\n")
	for _, module := range []string{"core", "ginsso"} {
		edit(t, root, module+"/go.mod", "", "module "+repo.Prefix+module+"\n\ngo 1.25.0\n")
	}
	edit(t, root, "core/sso/sso.go", "", source)
	edit(t, root, "core/internal/deep/deep.go", "", "package deep\n\nfunc Hidden() {}\n")
	edit(t, root, "ginsso/ginsso.go", "", adapter)
	edit(t, root, "CHANGELOG.md", "", changelog)
	edit(t, root, "api/released/VERSION", "", "v0.0.0\n")
	surfaceDoes(t, root, "write")
	surfaceDoes(t, root, "record", "v0.1.0")
	for _, args := range [][]string{
		{"init", "-q"},
		{"add", "."},
		{"-c", "user.name=test", "-c", "user.email=test@example.com", "commit", "-q", "-m", "all"},
	} {
		if _, err := git(t.Context(), root, args...); err != nil {
			t.Fatal(err)
		}
	}
	if !tagged {
		return root
	}
	for _, tag := range []string{"core/v0.1.0", "core/v0.0.9", "core/v0.2.0-rc.1", "ginsso/v0.1.0"} {
		if _, err := git(t.Context(), root, "tag", tag); err != nil {
			t.Fatal(err)
		}
	}
	// With a tag the record does not count, whatever it says.
	if err := record(root, "v0.0.0", nil); err != nil {
		t.Fatal(err)
	}
	return root
}

// edit replaces text of a file, which must be there, or writes the file if old is empty.
func edit(t *testing.T, root, file, old, replacement string) {
	t.Helper()
	file = filepath.Join(root, file)
	text := replacement
	if old != "" {
		before, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(before), old) {
			t.Fatalf("%s has no %q", file, old)
		}
		text = strings.Replace(string(before), old, replacement, 1)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func surfaceDoes(t *testing.T, root string, args ...string) {
	t.Helper()
	if err := run(t.Context(), root, args...); err != nil {
		t.Fatalf("surface %v: %v", args, err)
	}
}

func TestABrokenPromiseIsAnnounced(t *testing.T) {
	t.Parallel()
	const removed = "func (g *Guard) Require(name string) error { return nil }\n"
	entry := func(heading, text string) string {
		return "# Changelog\n\n## [Unreleased]\n\n### " + heading + "\n\n- " + text + "\n"
	}
	for name, c := range map[string]struct {
		old, replacement string // in sso.go
		changelog        string // instead of the one with no announcement
		want             []string
	}{
		"nothing has changed":                     {},
		"a removed method is named":               {old: removed, want: []string{"- `sso.Guard.Require`: removed.", `"### Removed"`}},
		"a removed method is announced":           {old: removed, changelog: entry("Removed", "`sso.Guard.Require`: take `New`.")},
		"a change announces as well":              {old: removed, changelog: entry("Changed", "Of `sso.Guard`,\n  `sso.Guard.Require` is gone.")},
		"an addition announces nothing":           {old: removed, changelog: entry("Added", "`sso.Guard.Require`"), want: []string{"- `sso.Guard.Require`"}},
		"an announcement names the whole":         {old: removed, changelog: entry("Removed", "`sso.Guard`, `Require`, sso.Guard.Require"), want: []string{"- `sso.Guard.Require`"}},
		"the section of the release counts":       {old: removed, changelog: "## [Unreleased]\n\n## [0.2.0] - 2030-01-02\n\n### Removed\n\n- `sso.Guard.Require`\n\n## [0.1.0]\n"},
		"what was announced long ago does not":    {old: removed, changelog: "## [Unreleased]\n\n## [0.1.0] - 2030-01-02\n\n### Removed\n\n- `sso.Guard.Require`\n", want: []string{"- `sso.Guard.Require`"}},
		"a removed field":                         {old: "Audience string", want: []string{"- `sso.Config.Audience`: removed."}},
		"a removed field of what is embedded":     {old: "Realm string", want: []string{"- `sso.Config.Realm`: removed."}},
		"a removed method of what is embedded":    {old: `func (hidden) Describe() string { return "" }`, want: []string{"- `sso.Config.Describe`: removed."}},
		"a field of another type":                 {old: "Leeway   time.Duration", replacement: "Leeway time.Time", want: []string{"- `sso.Config.Leeway`: changed from time.Duration to time.Time.", `"### Changed"`}},
		"a removed constant":                      {old: `const CodeExpired = "expired"`, want: []string{"- `sso.CodeExpired`: removed."}},
		"a constant of another value":             {old: `"expired"`, replacement: `"too_old"`, want: []string{"- `sso.CodeExpired`: value changed"}},
		"a function with another signature":       {old: "New(c Config, more ...Option)", replacement: "New(c *Config, more ...Option)", want: []string{"- `sso.New`: changed from func(Config, ...Option) *Guard to func(*Config, ...Option) *Guard."}},
		"a function with one more parameter":      {old: "New(c Config, more", replacement: "New(c Config, again bool, more", want: []string{"- `sso.New`: changed"}},
		"an interface has grown":                  {old: "Check(id string) error }", replacement: "Check(id string) error; Close() }", want: []string{"- `sso.Store.Close`: added."}},
		"a constraint admits less":                {old: "int | string", replacement: "int", want: []string{"- `sso.Event`: no longer admits string."}},
		"a constraint admits more":                {old: "int | string", replacement: "int | string | bool"},
		"a struct can no longer be compared":      {old: "count int", replacement: "count []int", want: []string{"- `sso.Guard`: old is comparable, new is not."}},
		"a parameter has another name":            {old: "New(c Config", replacement: "New(config Config"},
		"a name, a field and a method more":       {old: "type Guard struct{ count int }", replacement: "type Guard struct{ count int; More bool }\nfunc (Guard) Close() {}\nfunc Open() {}"},
		"what is not public may go":               {old: "count int"},
		"an option is a function of another type": {old: "func(*options)\n\ntype options struct{}", replacement: "func(options)\n\ntype options struct{}", want: []string{"- `sso.Option`: changed"}},
	} {
		for promise, tagged := range map[string]bool{"recorded": false, "tagged": true} {
			t.Run(name+", "+promise, func(t *testing.T) {
				t.Parallel()
				root := repository(t, tagged)
				if c.old != "" {
					edit(t, root, "core/sso/sso.go", c.old, c.replacement)
					if !strings.Contains(contents(t, root, "core/sso/sso.go"), "time.") {
						edit(t, root, "core/sso/sso.go", `import "time"`, "")
					}
				}
				if c.changelog != "" {
					edit(t, root, "CHANGELOG.md", "", c.changelog)
				}
				surfaceDoes(t, root, "write")
				err := run(t.Context(), root, "compat")
				if len(c.want) == 0 && err != nil {
					t.Errorf("refused: %v", err)
				}
				for _, want := range c.want {
					if err == nil || !strings.Contains(err.Error(), want) {
						t.Errorf("error %v, want %s", err, want)
					}
				}
				if err != nil && strings.Count(err.Error(), "\n- `") > 1 {
					t.Errorf("more than the one fault: %v", err)
				}
			})
		}
	}
}

func contents(t *testing.T, root, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestAPackageThatIsGoneIsAnnounced(t *testing.T) {
	for promise, tagged := range map[string]bool{"recorded": false, "tagged": true} {
		t.Run(promise, func(t *testing.T) {
			root := repository(t, tagged)
			edit(t, root, "ginsso/ginsso.go", "", "// Package ginsso is empty.\npackage ginsso\n")
			if err := os.RemoveAll(filepath.Join(root, "core", "sso")); err != nil {
				t.Fatal(err)
			}
			surfaceDoes(t, root, "write")
			err := run(t.Context(), root, "compat")
			if err == nil || !strings.Contains(err.Error(), "- `core/sso`: removed.") || !strings.Contains(err.Error(), "- `ginsso.Wrap`: removed.") {
				t.Fatalf("error %v, want both", err)
			}
			edit(t, root, "CHANGELOG.md", "", changelog+"\n### Removed\n\n- `core/sso`, and so `ginsso.Wrap`.\n")
			surfaceDoes(t, root, "compat")
		})
	}
}

func TestATypeOfAnotherPackageIsRenamed(t *testing.T) {
	root := repository(t, true)
	edit(t, root, "core/sso/sso.go", "", strings.ReplaceAll(source, "Guard", "Keeper"))
	edit(t, root, "ginsso/ginsso.go", "*sso.Guard", "*sso.Keeper")
	surfaceDoes(t, root, "write")
	err := run(t.Context(), root, "compat")
	for _, want := range []string{"- `sso.Guard`: removed.", "- `ginsso.Wrap`: changed", "compared with ginsso/v0.1.0"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

func TestStaleTextsAreRefused(t *testing.T) {
	for _, verb := range [][]string{{"check"}, {"compat"}, {"record", "v0.2.0"}} {
		root := repository(t, false)
		edit(t, root, "core/sso/sso.go", "func New(", "func Open() {}\n\nfunc New(")
		edit(t, root, "api/gone.txt", "", "package gone\n")
		err := run(t.Context(), root, verb...)
		for _, want := range []string{"api/core-sso.txt", "api/gone.txt", "run make api"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v: error %v, want %s", verb, err, want)
			}
		}
		surfaceDoes(t, root, "write")
		surfaceDoes(t, root, verb...)
	}
}

func TestARecordIsThePromiseOfTheNextRelease(t *testing.T) {
	root := repository(t, false)
	edit(t, root, "core/sso/sso.go", "func New(", "func Open() {}\n\nfunc New(")
	surfaceDoes(t, root, "write")
	edit(t, root, "core/sso/sso.go", "func Open() {}", "")
	surfaceDoes(t, root, "write")
	surfaceDoes(t, root, "compat") // it came and went between two releases

	edit(t, root, "core/sso/sso.go", "func New(", "func Open() {}\n\nfunc New(")
	surfaceDoes(t, root, "write")
	surfaceDoes(t, root, "record", "v0.2.0")
	edit(t, root, "core/sso/sso.go", "func Open() {}", "")
	surfaceDoes(t, root, "write")
	for _, verb := range [][]string{{"compat"}, {"record", "v0.3.0"}} {
		if err := run(t.Context(), root, verb...); err == nil || !strings.Contains(err.Error(), "`sso.Open`") || !strings.Contains(err.Error(), "v0.2.0") {
			t.Errorf("%v: error %v, want sso.Open and the release that promised it", verb, err)
		}
	}
}

func TestWithoutAPromiseNothingPasses(t *testing.T) {
	root := repository(t, false)
	if err := os.RemoveAll(filepath.Join(root, released)); err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), root, "compat"); err == nil || !strings.Contains(err.Error(), "bring api/released back") {
		t.Errorf("error %v, want what to do", err)
	}
}

func TestAShallowCloneGoesByTheRecord(t *testing.T) {
	origin := repository(t, false)
	if _, err := git(t.Context(), origin, "tag", "core/v0.1.0"); err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(t.TempDir(), "clone")
	clone := exec.CommandContext(t.Context(), "git", "clone", "-q", "--depth=1", "--no-tags", "file://"+origin, root)
	if out, err := clone.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	surfaceDoes(t, root, "compat")
	edit(t, root, "core/sso/sso.go", `const CodeExpired = "expired"`, "")
	if err := run(t.Context(), root, "compat"); err == nil || !strings.Contains(err.Error(), "`sso.CodeExpired`") {
		t.Errorf("error %v, want sso.CodeExpired", err)
	}
}

func TestWrongUseIsRefused(t *testing.T) {
	root := repository(t, false)
	for _, args := range [][]string{nil, {"wirte"}, {"record"}, {"record", "next"}, {"record", "v1.0.0-rc.1"}, {"compat", "v1.0.0"}} {
		if err := run(t.Context(), root, args...); err == nil {
			t.Errorf("surface %v passed", args)
		}
	}
}
