package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	const head = "rule: It adds.\nfile: m/m.go\ntests: m\n"
	for name, test := range map[string]struct{ rule, want string }{
		"a test fails":                {head + "-- old --\na + b\n-- new --\na - b\n", ""},
		"no test fails":               {head + "-- old --\na + b\n-- new --\nb + a\n", "pass"},
		"the new text does not build": {head + "-- old --\na + b\n-- new --\na + c\n", "do not build"},
		"no match":                    {head + "-- old --\na * b\n-- new --\na - b\n", "appears 0 times"},
		"several matches":             {head + "-- old --\na\n-- new --\nb\n", "times in m/m.go"},
		"no such test":                {head + "run: TestB\n-- old --\na + b\n-- new --\na - b\n", "no test TestB"},
		"an unknown line":             {head + "what: x\n-- old --\na + b\n-- new --\na - b\n", `unknown line "what"`},
		"no new text":                 {head + "-- old --\na + b\n", "want the lines"},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			for file, text := range map[string]string{
				"go.work":                   "go 1.25.0\n\nuse ./m\n",
				"m/go.mod":                  "module m\n\ngo 1.25.0\n",
				"m/m.go":                    "package m\n\nfunc add(a, b int) int { return a + b }\n",
				"m/m_test.go":               "package m\n\nimport \"testing\"\n\nfunc TestA(t *testing.T) {\n\tif add(1, 2) != 3 {\n\t\tt.Fatal()\n\t}\n}\n",
				"tools/mutants/rules/r.txt": test.rule,
			} {
				write(t, filepath.Join(root, file), text)
			}
			report := filepath.Join(root, "report.md")
			err := run(root, "", report, false)
			text, readErr := os.ReadFile(report)
			switch {
			case test.want == "" && (err != nil || !strings.HasSuffix(string(text), "| It adds. | m |\n")):
				t.Errorf("%v, %v, report %q", err, readErr, text)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want) || readErr == nil):
				t.Errorf("%v, want %q; report %q", err, test.want, text)
			}
		})
	}
}

func TestReadRules(t *testing.T) {
	rules, err := readRules("../..", regexp.MustCompile("^core/keys/"))
	if err != nil || len(rules) == 0 {
		t.Fatal(len(rules), err)
	}
	for _, r := range rules {
		if r.tests != "core/keys" {
			t.Errorf("%s is about %s", r.name, r.tests)
		}
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
