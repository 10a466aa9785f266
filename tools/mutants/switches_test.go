package main

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestFaultsThatCanBeSwitchedOnAreBuiltAtOnce(t *testing.T) {
	for name, c := range map[string]struct{ body, want string }{
		"two faults of one condition": {
			"_ = a < b",
			"_ = (mutantInForce == 1 && ((a <= b)) || mutantInForce == 2 && ((a >= b)) || mutantInForce != 1 && mutantInForce != 2 && (a < b))",
		},
		"a condition inside of another": {
			"_ = c && !d",
			"_ = (mutantInForce == 1 && ((c || !d)) || mutantInForce != 1 && (c && (mutantInForce == 2 && (d) || mutantInForce != 2 && (!d))))",
		},
		"one condition beside another": {
			"f(true, false)",
			"f((mutantInForce == 1 && (false) || mutantInForce != 1 && (true)), (mutantInForce == 2 && (true) || mutantInForce != 2 && (false)))",
		},
		"a guard and what it looks at": {
			"if !a { return }",
			"if (mutantInForce == 1 && (false && (!a)) || mutantInForce == 2 && (a) || mutantInForce != 1 && mutantInForce != 2 && (!a)) { return }",
		},
		"what is no condition stays":    {"a = -b + c", "a = -b + c"},
		"what is constant must stay so": {"const a = b == 1", "const a = b == 1"},
	} {
		t.Run(name, func(t *testing.T) {
			const head, tail = "package p\n\nfunc f() {\n\t", "\n}\n"
			source := []byte(head + c.body + tail)
			mutants, err := mutate("p.go", source)
			if err != nil {
				t.Fatal(err)
			}
			conditions := map[int]mutant{}
			for _, m := range mutants {
				if m.condition {
					conditions[len(conditions)+1] = m
				}
			}
			got := string(withSwitches(source, conditions))
			if got != head+c.want+tail {
				t.Errorf("got\n%s\nwant\n%s", strings.TrimSuffix(strings.TrimPrefix(got, head), tail), c.want)
			}
			if _, err := parser.ParseFile(token.NewFileSet(), "p.go", got, 0); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestWhereSwitchesAreInTheWayTheOutcomeIsTheSame(t *testing.T) {
	const source = "package p\n\nimport \"runtime\"\n\nfunc Old(age int) bool {\n\treturn age > 70 &&\n\t\tage < 200\n}\n\n" +
		"func Line() int {\n\t_, _, line, _ := runtime.Caller(0)\n\treturn line\n}\n"
	const test = "package p\n\nimport \"testing\"\n\nfunc TestOld(t *testing.T) {\n\tif Old(1) || !Old(100) || Old(300) {\n\t\tt.Fail()\n\t}\n}\n"
	for name, more := range map[string]string{
		"nowhere":                         "",
		"the tests fail with them":        "\nfunc TestLine(t *testing.T) {\n\tif Line() != 11 {\n\t\tt.Fail()\n\t}\n}\n",
		"they have a name that is in use": "\nvar mutantInForce bool\n",
	} {
		t.Run(name, func(t *testing.T) {
			root := repository(t, "")
			for file, text := range map[string]string{"p.go": source, "p_test.go": test + more} {
				if err := os.WriteFile(filepath.Join(root, "core", "p", file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			counts, _ := unleash(t.Context(), root, "core/p", regexp.MustCompile(""), true) // its error lists the survivors
			if want := "core/p: 5 mutants, 3 killed, 0 timed out, 2 lived"; !strings.HasPrefix(counts.String(), want) {
				t.Errorf("%v, want %s", counts, want)
			}
		})
	}
}
