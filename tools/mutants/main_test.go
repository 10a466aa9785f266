package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/more-retail/moresso-go/tools/internal/repo"
)

// repository writes a small repository with one package; its test looks at one side of a bound only.
func repository(t *testing.T, explained string) string {
	t.Helper()
	root := t.TempDir()
	for file, text := range map[string]string{
		"go.work":                            "go 1.25.0\nuse ./core\n",
		"core/go.mod":                        "module github.com/more-retail/moresso-go/core\ngo 1.25.0\n",
		"core/p/p.go":                        "package p\n\nfunc Old(age int) bool { return age > 70 }\n\nfunc unused() bool { return true }\n\nvar text = \"a\" + \"b\"\n",
		"core/p/p_test.go":                   "package p\n\nimport \"testing\"\n\nfunc TestOld(t *testing.T) {\n\tif Old(1) || !Old(100) {\n\t\tt.Fail()\n\t}\n}\n",
		"tools/mutants/explained/core/p.txt": explained,
	} {
		file = filepath.Join(root, filepath.FromSlash(file))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

const (
	survivor = "p.go boundary 1: func Old(age int) bool { return age > 70 }\n\tnobody is 70\n"
	unused   = "p.go boolean 1: func unused() bool { return true }\n\tnobody calls it\n"
)

func TestSurvivorsAndExplanationsMustMatch(t *testing.T) {
	for name, c := range map[string]struct {
		explained string
		want      string // in the error; empty for none
	}{
		"every survivor is explained":                      {survivor + unused, ""},
		"a survivor that is not explained":                 {unused, "p.go boundary 1: func Old(age int) bool { return age > 70 }\n\tWHY?"},
		"a line that no test comes past":                   {survivor, "p.go boolean 1: func unused() bool { return true }\n\tWHY?"},
		"an explanation of a mutant that is killed":        {survivor + unused + "p.go negation 1: func Old(age int) bool { return age > 70 }\n\tit is\n", "for it was killed: p.go negation 1"},
		"an explanation of one that is killed at times":    {survivor + unused + "p.go negation 1: func Old(age int) bool { return age > 70 }\n\tsometimes: a race\n", ""},
		"an explanation of a mutant that is there no more": {survivor + unused + "p.go guard 1: if gone {\n\tit was\n", "no such mutant any more: p.go guard 1: if gone {"},
	} {
		t.Run(name, func(t *testing.T) {
			counts, err := unleash(t.Context(), repository(t, c.explained), "core/p", regexp.MustCompile(""), true)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if counts.total() != 3 || counts.killed != 1 || counts.lived != 1 || counts.uncovered != 1 {
				t.Errorf("%v; want one killed, one that lived and one not reached", counts)
			}
		})
	}
}

// The test fails the first time that a fault is switched on, whatever the fault.
func TestASurvivorIsNotKilledByATestThatFailsOnce(t *testing.T) {
	root := repository(t, survivor+unused)
	test := filepath.Join(root, "core", "p", "p_test.go")
	text := "package p\n\nimport (\n\t\"os\"\n\t\"testing\"\n)\n\nfunc TestOld(t *testing.T) {\n\tif fault := os.Getenv(\"" + switchVariable + "\"); fault != \"\" && os.Mkdir(\"failed-\"+fault, 0o700) == nil || Old(1) || !Old(100) {\n\t\tt.Fail()\n\t}\n}\n"
	if err := os.WriteFile(test, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	counts, err := unleash(t.Context(), root, "core/p", regexp.MustCompile(""), true)
	if err != nil || counts.killed != 1 || counts.lived != 1 {
		t.Errorf("%v: %v", counts, err)
	}
}

func TestAReasonMustBeWritten(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"the placeholder is no reason":   {"p.go guard 1: if a {\n\tWHY?\n", "write the reason"},
		"no reason at all":               {"p.go guard 1: if a {\n", "has no reason"},
		"the next mutant instead of one": {"p.go guard 1: if a {\np.go guard 2: if a {\n", "has no reason"},
		"a reason without a mutant":      {"\tbecause\n", "without a mutant"},
		"the same mutant twice":          {strings.Repeat("p.go guard 1: if a {\n\tbecause\n", 2), "explained twice"},
		"a line that names no mutant":    {"p.go guard: if a {\n\tbecause\n", "want `file kind occurrence"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := readExplained(repository(t, c.text), "core/p"); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func TestTestsThatFailAnywayTellNothing(t *testing.T) {
	root := repository(t, "")
	if err := os.WriteFile(filepath.Join(root, "core", "p", "p.go"), []byte("package p\n\nfunc Old(age int) bool { return true }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := unleash(t.Context(), root, "core/p", regexp.MustCompile(""), true); err == nil || !strings.Contains(err.Error(), "the tests fail as they are") {
		t.Errorf("error %v, want that the tests fail as they are", err)
	}
}

func TestABrokenRuleMustBeFoundOut(t *testing.T) {
	const head = "rule: The old are old.\nfile: core/p/p.go\ntests: core/p\n-- old --\n"
	for name, c := range map[string]struct{ text, want string }{
		"the tests fail":                {head + "age > 70\n-- new --\nage < 70\n", ""},
		"the test that is named passes": {strings.Replace(head, "-- old", "run: TestYoung\n-- old", 1) + "age > 70\n-- new --\nage < 70\n", "pass without this rule"},
		"the tests pass":                {head + "age > 70\n-- new --\nage > 60\n", "pass without this rule: The old are old."},
		"the old text is gone":          {head + "age > 75\n-- new --\nage < 70\n", "stands 0 times in core/p/p.go"},
		"the old text is there twice":   {head + "func\n-- new --\nfunk\n", "stands 2 times"},
		"the new text does not compile": {head + "age > 70\n-- new --\nage >\n", "does not compile"},
		"no package to test":            {"rule: r\nfile: f\n-- old --\na\n-- new --\nb\n", "must all be there"},
		"no text":                       {"rule: r\n", "want rule:"},
	} {
		t.Run(name, func(t *testing.T) {
			root := repository(t, "")
			rules := filepath.Join(root, "tools", "mutants", "rules")
			if err := os.MkdirAll(rules, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(rules, "old.txt"), []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			err := breakRules(t.Context(), root, "", "")
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func TestARuleIsNotFoundOutByTestsThatFailAnyway(t *testing.T) {
	root := repository(t, "")
	for file, text := range map[string]string{
		"core/p/p.go":                 "package p\n\nfunc Old(age int) bool { return true }\n",
		"tools/mutants/rules/old.txt": "rule: r\nfile: core/p/p.go\ntests: core/p\n-- old --\ntrue\n-- new --\nfalse\n",
	} {
		file = filepath.Join(root, filepath.FromSlash(file))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := breakRules(t.Context(), root, "", ""); err == nil || !strings.Contains(err.Error(), "the tests fail as they are") {
		t.Errorf("error %v, want that the tests fail as they are", err)
	}
}

// Breaking all rules takes long; that a description has been left behind by the code is known at once.
func TestEveryDescriptionIsUpToDate(t *testing.T) {
	root, err := repo.Root()
	if err != nil {
		t.Fatal(err)
	}
	rules, err := readRules(root)
	if err != nil {
		t.Fatal(err)
	}
	titles := map[string]string{}
	for _, r := range rules {
		if _, err := r.broken(root); err != nil {
			t.Errorf("%s: %v", r.name, err)
		}
		if titles[r.title] != "" || !strings.HasSuffix(r.title, ".") || strings.Contains(r.title, "|") {
			t.Errorf("%s: %q: want one plain sentence that is no other rule's", r.name, r.title)
		}
		titles[r.title] = r.name
	}
}

func TestNoRuleIsNotAllRules(t *testing.T) {
	if err := breakRules(t.Context(), repository(t, ""), "", ""); err == nil || !strings.Contains(err.Error(), "no rule was broken") {
		t.Errorf("error %v, want that no rule was broken", err)
	}
}

func TestPackagesAreCountedTogether(t *testing.T) {
	together := &tally{dir: "all"}
	for range 2 {
		together.plus(&tally{killed: 1, timedOut: 2, lived: 3, uncovered: 4, explained: 5})
	}
	if got, want := together.row(), "| all | 20 | 2 | 4 | 6 | 8 | 4 |"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestTheReportKeepsTheLinesOfOtherPackages(t *testing.T) {
	root := repository(t, "")
	if err := os.MkdirAll(filepath.Join(root, "core", "q"), 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(root, "report.md")
	for _, counts := range []*tally{{dir: "core/q", killed: 1}, {dir: "core/p", lived: 7}, {dir: "core/gone", killed: 3}, {dir: "core/p", killed: 2, lived: 1}} {
		if err := writeReport(file, root, counts); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if want := "|---|---|---|---|---|---|---|\n| core/p | 3 | 2 | 0 | 1 | 0 | 1 |\n| core/q | 1 | 1 | 0 | 0 | 0 | 0 |\n"; !strings.Contains(string(text), want) {
		t.Errorf("the report lacks\n%s\nand says\n%s", want, text)
	}
}

func TestEachPartOfTheReportKeepsTheOther(t *testing.T) {
	root := repository(t, "")
	file := filepath.Join(root, "report.md")
	read := func() string {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	write := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	write(writeReport(file, root, &tally{dir: "core/p", killed: 1}))
	if strings.Contains(read(), "Rules broken by hand") {
		t.Errorf("rules that were never broken are reported:\n%s", read())
	}
	write(writeRules(file, root, []rule{{title: "The young are young.", tests: "core/p"}, {title: "The dead are dead.", tests: "core/p"}}))
	write(writeRules(file, root, []rule{{title: "The old are old.", tests: "core/p"}, {title: "The `young` are young.", tests: "core/p"}}))
	write(writeReport(file, root, &tally{dir: "core/p", killed: 2}))
	want := reportHead + "| core/p | 2 | 2 | 0 | 0 | 0 | 0 |\n" + rulesHead + "| The old are old. | core/p |\n| The `young` are young. | core/p |\n"
	if got := read(); got != want {
		t.Errorf("the report is\n%s\nwant\n%s", got, want)
	}
}

func TestRulesAreReportedOnceAllAreFoundOut(t *testing.T) {
	const head = "rule: The old are old.\nfile: core/p/p.go\ntests: core/p\n-- old --\nage > 70\n-- new --\n"
	for name, c := range map[string]struct {
		change, only string
		want         bool
	}{
		"all are found out":      {"age < 70\n", "", true},
		"one is not found out":   {"age > 60\n", "", false},
		"not all rules were run": {"age < 70\n", "old", false},
	} {
		t.Run(name, func(t *testing.T) {
			root := repository(t, "")
			rules := filepath.Join(root, "tools", "mutants", "rules")
			if err := os.MkdirAll(rules, 0o755); err != nil {
				t.Fatal(err)
			}
			for file, text := range map[string]string{"old.txt": head + c.change, "young.txt": head + "age < 70\n"} {
				if err := os.WriteFile(filepath.Join(rules, file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			report := filepath.Join(root, "report.md")
			_ = breakRules(t.Context(), root, c.only, report) // its error has tests of its own
			if _, err := os.Stat(report); (err == nil) != c.want {
				t.Errorf("the report: %v, want it written: %v", err, c.want)
			}
		})
	}
}
