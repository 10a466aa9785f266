package main

import (
	"slices"
	"strings"
	"testing"
)

// faults are the lines of the only function of a source, as its mutants leave them.
func faults(t *testing.T, body string) []string {
	t.Helper()
	source := "package p\n\nfunc f() {\n\t" + body + "\n}\n"
	mutants, err := mutate("p.go", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, m := range mutants {
		text := strings.TrimPrefix(string(m.apply([]byte(source))), "package p\n\nfunc f() {\n\t")
		lines = append(lines, m.Kind+": "+strings.TrimSuffix(text, "\n}\n"))
	}
	return lines
}

func TestEveryKindOfFaultIsPutIn(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want []string
	}{
		"an equality is turned round":          {"_ = a == b", []string{"negation: _ = (a != b)"}},
		"a bound is moved and turned round":    {"_ = a < b", []string{"boundary: _ = (a <= b)", "negation: _ = (a >= b)"}},
		"an operator of arithmetic is changed": {"_ = a % b", []string{"arithmetic: _ = (a * b)"}},
		"a step is taken the other way":        {"a++", []string{"arithmetic: a--"}},
		"an assignment is changed":             {"a += b", []string{"arithmetic: a -= b"}},
		"a shift is changed":                   {"_ = a << b", []string{"bits: _ = (a >> b)"}},
		"and becomes or":                       {"_ = a && b", []string{"logic: _ = (a || b)"}},
		"a not is lost":                        {"_ = !a", []string{"not: _ = a"}},
		"a sign is lost":                       {"_ = -a", []string{"sign: _ = a"}},
		"true becomes false":                   {"return true", []string{"boolean: return false"}},
		"break becomes continue":               {"break", []string{"loop: continue"}},
		"a guard never holds":                  {"if a { return }", []string{"guard: if false && (a) { return }"}},
		"a guard with a statement before it": {
			"if a := b(); a { continue }",
			[]string{"guard: if a := b(); false && (a) { continue }", "loop: if a := b(); a { break }"},
		},
		"an if that goes on is no guard":       {"if a { b() }", nil},
		"an address and a call are left alone": {"_ = f(&a, *b)", nil},
	} {
		t.Run(name, func(t *testing.T) {
			if got := faults(t, c.body); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestAMutantKeepsItsKeyWhenLinesMove(t *testing.T) {
	keys := func(source string) []string {
		mutants, err := mutate("p.go", []byte(source))
		if err != nil {
			t.Fatal(err)
		}
		var keys []string
		for _, m := range mutants {
			keys = append(keys, m.key().String())
		}
		return keys
	}
	before := keys("package p\n\nvar a = b == c || d == e\n")
	after := keys("package p\n\n// A remark.\nvar x = 1\n\n  var a = b == c || d == e\n")
	want := []string{
		"p.go negation 1: var a = b == c || d == e",
		"p.go logic 1: var a = b == c || d == e",
		"p.go negation 2: var a = b == c || d == e",
	}
	if !slices.Equal(before, want) || !slices.Equal(after, want) {
		t.Errorf("before %q, after %q, want %q", before, after, want)
	}
}

func TestCoverageTellsWhereNoTestComesPast(t *testing.T) {
	c, err := parseCoverage("mode: set\nm/p/a.go:3.10,5.2 1 1\nm/p/a.go:7.10,9.2 1 0\n")
	if err != nil {
		t.Fatal(err)
	}
	for name, place := range map[string]struct {
		line, column int
		want         bool
	}{
		"a line that was run":                       {4, 1, true},
		"a line that was not run":                   {8, 1, false},
		"the first byte of what was not run":        {7, 10, false},
		"the byte before it, which is in no block":  {7, 9, true},
		"what stands outside any block is taken in": {1, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.passed(mutant{File: "a.go", Line: place.line, Column: place.column}); got != place.want {
				t.Errorf("passed %v, want %v", got, place.want)
			}
		})
	}
	if _, err := parseCoverage("m/p/a.go:nonsense"); err == nil {
		t.Error("a profile that cannot be read gives no error")
	}
}
