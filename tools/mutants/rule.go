package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// A rule replaces one text of a source file by another that breaks it. The tests of a package must then fail.
type rule struct {
	name     string // of its file in tools/mutants/rules
	title    string
	file     string
	tests    string // the folder of the package
	run      string // which of its tests run, as for go test -run; empty for all
	old, new string
}

// readRules reads the rules whose package and name match the pattern.
func readRules(root string, only *regexp.Regexp) (rules []rule, err error) {
	files, err := filepath.Glob(filepath.Join(root, "tools", "mutants", "rules", "*.txt"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		r, err := parseRule(string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		r.name = strings.TrimSuffix(filepath.Base(file), ".txt")
		if only.MatchString(r.tests + "/" + r.name) {
			rules = append(rules, r)
		}
	}
	return rules, nil
}

// parseRule reads the lines rule, file, tests and, if only some tests are to run, run. The old and the new text follow.
func parseRule(text string) (rule, error) {
	head, change, ok := strings.Cut(text, "\n-- old --\n")
	before, after, found := strings.Cut(change, "\n-- new --\n")
	if !ok || !found || strings.TrimSpace(before) == "" {
		return rule{}, errors.New("want the lines rule, file and tests, then `-- old --`, a text, `-- new --` and a text")
	}
	r := rule{old: before, new: strings.TrimSuffix(after, "\n")}
	fields := map[string]*string{"rule": &r.title, "file": &r.file, "tests": &r.tests, "run": &r.run}
	for line := range strings.SplitSeq(strings.TrimSpace(head), "\n") {
		name, value, _ := strings.Cut(line, ": ")
		if fields[name] == nil {
			return rule{}, fmt.Errorf("unknown line %q, want rule, file, tests or run", name)
		}
		*fields[name] = value
	}
	if r.title == "" || r.file == "" || r.tests == "" {
		return rule{}, errors.New("the lines rule, file and tests are required")
	}
	return r, nil
}

// broken returns the source file with the new text.
func (r rule) broken(root string) ([]byte, error) {
	source, err := os.ReadFile(filepath.Join(root, r.file))
	if err != nil {
		return nil, err
	}
	if n := strings.Count(string(source), r.old); n != 1 {
		return nil, fmt.Errorf("the old text appears %d times in %s, want once: update the rule", n, r.file)
	}
	return []byte(strings.Replace(string(source), r.old, r.new, 1)), nil
}

// check reports whether the rule matches the source and its tests exist.
func (r rule) check(root string) error {
	if _, err := r.broken(root); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(root, r.tests, "*_test.go"))
	if err != nil {
		return err
	}
	var tests strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		tests.Write(text)
	}
	for name := range strings.SplitSeq(r.run, "|") {
		if !strings.Contains(tests.String(), "\nfunc "+cmp.Or(name, "Test")) {
			return fmt.Errorf("%s has no test %s: update the rule", r.tests, name)
		}
	}
	return nil
}
