package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const twoPackages = `mode: set
github.com/more-retail/moresso-go/core/sso/a.go:1.1,2.2 3 0
github.com/more-retail/moresso-go/core/sso/a.go:3.1,4.2 7 1
github.com/more-retail/moresso-go/core/keys/b.go:1.1,2.2 10 1
github.com/more-retail/moresso-go/core/sso/a.go:1.1,2.2 3 1
github.com/more-retail/moresso-go/core/sso/a.go:3.1,4.2 7 0
github.com/more-retail/moresso-go/core/keys/b.go:1.1,2.2 10 0
github.com/more-retail/moresso-go/core/keys/c.go:1.1,2.2 10 0
`

func TestABlockThatAnyTestRunsIsCoveredAndCountsOnce(t *testing.T) {
	profile, err := read(strings.NewReader(twoPackages))
	if err != nil {
		t.Fatal(err)
	}
	packages := byPackage(profile)
	want := []measured{{prefix + "core/keys", count{10, 20}}, {prefix + "core/sso", count{10, 10}}}
	if len(packages) != 2 || packages[0] != want[0] || packages[1] != want[1] {
		t.Errorf("%v, want %v", packages, want)
	}
	if total := sum(packages); total != (count{20, 30}) {
		t.Errorf("total %v, want 20 of 30", total)
	}
}

func TestWhatIsNoProfileIsAnError(t *testing.T) {
	if _, err := read(strings.NewReader("ok core 0.1s\n")); err == nil {
		t.Error("it was read")
	}
}

func TestAModuleBelowTheFloorFails(t *testing.T) {
	for name, c := range map[string]struct {
		packages []measured
		fault    string // "" for none
	}{
		"at the floor":                          {[]measured{{"a", count{90, 100}}}, ""},
		"one statement below":                   {[]measured{{"a", count{899, 1000}}}, "core: 899 of 1000"},
		"89.96 % is not rounded up":             {[]measured{{"a", count{8996, 10000}}}, "core: 8996 of 10000"},
		"a low package in a module above":       {[]measured{{"a", count{1, 10}}, {"b", count{190, 190}}}, ""},
		"high packages do not hide a bad total": {[]measured{{"a", count{10, 10}}, {"b", count{50, 90}}}, "core: 60 of 100"},
		"nothing was measured":                  {nil, "no statement at all"},
	} {
		t.Run(name, func(t *testing.T) {
			table, fault := judge("core", c.packages, 90)
			if (fault == "") != (c.fault == "") || !strings.Contains(fault, c.fault) {
				t.Errorf("fault %q, want %q in it", fault, c.fault)
			}
			if !strings.Contains(table, "total of core") {
				t.Errorf("no total in\n%s", table)
			}
		})
	}
}

// twoWays is a function of three statements. A test that takes one way covers two of them.
const twoWays = "package a\n\nfunc Untested(b bool) int {\n\tif b {\n\t\treturn 1\n\t}\n\treturn 2\n}\n"

// repository is a small one, of modules with a function of two ways and a test of this body each.
func repository(t *testing.T, bodies map[string]string) string {
	t.Helper()
	root := t.TempDir()
	work := "go 1.25.0\nuse (\n"
	for module, body := range bodies {
		work += "./" + module + "\n"
		write(t, root, module+"/go.mod", "module "+prefix+module+"\n\ngo 1.25.0\n")
		write(t, root, module+"/a.go", twoWays)
		write(t, root, module+"/a_test.go", "package a\n\nimport \"testing\"\n\nfunc TestIt(t *testing.T) {\n"+body+"\n}\n")
	}
	write(t, root, "go.work", work+")\n")
	return root
}

func TestARunTellsEveryModuleThatFails(t *testing.T) {
	root := repository(t, map[string]string{
		"core":     "Untested(true)\nUntested(false)",
		"ginsso":   "Untested(true)",
		"httpsso":  `t.Error("this is broken")`,
		"examples": `t.Error("nobody runs this")`,
	})
	var table bytes.Buffer
	err := run(t.Context(), &table, root)
	if err == nil {
		t.Fatal("the run passed")
	}
	for _, want := range []string{"ginsso: 2 of 3", "1 of   3 not covered  ginsso/a.go:3 Untested", "httpsso: its tests fail", "this is broken"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
	for _, unwanted := range []string{"\ncore", "core/a.go", "examples"} {
		if strings.Contains(err.Error(), unwanted) {
			t.Errorf("%q is in: %v", unwanted, err)
		}
	}
	if !strings.Contains(table.String(), "100.0 %") {
		t.Errorf("no covered module in\n%s", &table)
	}
}

func TestWithoutRedisItsModuleHasNoNumber(t *testing.T) {
	root := repository(t, map[string]string{"redisstore": "Untested(true)"})
	t.Setenv("PATH", t.TempDir())
	for ci, fails := range map[string]bool{"": false, "true": true} {
		t.Setenv("CI", ci)
		var table bytes.Buffer
		err := run(t.Context(), &table, root)
		if (err != nil) != fails {
			t.Errorf("CI=%s: error %v, want one: %v", ci, err, fails)
		}
		if got := table.String(); !strings.Contains(got, "NOT MEASURED") || !strings.Contains(got, "redis-server") || strings.Contains(got, "%") {
			t.Errorf("CI=%s: printed %q, want that it was not measured, and no number", ci, got)
		}
	}
}

func TestTheFunctionsThatMissMostComeFirst(t *testing.T) {
	root := t.TempDir()
	write(t, root, "core/a.go", "package a\n\nfunc (t T) Some() {\n\tf()\n}\n\nfunc Most() {\n\tf()\n}\n\nfunc All() {\n\tf()\n}\n\nfunc Least() {\n\tf()\n}\n")
	profile, err := read(strings.NewReader("mode: set\n" +
		prefix + "core/a.go:3.20,5.2 5 0\n" + prefix + "core/a.go:7.13,9.2 9 0\n" + prefix + "core/a.go:11.12,13.2 9 1\n" + prefix + "core/a.go:15.14,17.2 1 0\n"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := leastCovered(root, profile, 2)
	want := []measured{{"core/a.go:7 Most", count{0, 9}}, {"core/a.go:3 Some", count{0, 5}}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v (%v), want %v", got, err, want)
	}
}

func write(t *testing.T, root, file, text string) {
	t.Helper()
	file = filepath.Join(root, filepath.FromSlash(file))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
