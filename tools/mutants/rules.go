package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

const rulesHead = `
## Rules broken by hand

` + "`make mutate-rules`" + ` takes away the rules of security one by one, as a careless change would, and demands that the tests of the
package that is named here fail. Each is a file in [tools/mutants/rules](../../tools/mutants/rules).

| the rule that is broken | tests that fail |
|---|---|
`

// A rule is broken by putting one text into the place of another.
type rule struct {
	name     string // of the file that describes it
	title    string
	file     string
	tests    string // the package whose tests must fail
	run      string // which of them are run, as for go test -run; empty for all
	old, new string
}

// readRules reads tools/mutants/rules, sorted by name.
func readRules(root string) ([]rule, error) {
	files, err := filepath.Glob(filepath.Join(root, "tools", "mutants", "rules", "*.txt"))
	if err != nil {
		return nil, err
	}
	var rules []rule
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
		rules = append(rules, r)
	}
	return rules, nil
}

// parseRule reads a description: three lines (rule, file and tests) and perhaps a fourth (run, where the package's tests take long, go
// by real time, or fail for another reason first), then the old text and the new.
func parseRule(text string) (rule, error) {
	head, change, ok := strings.Cut(text, "\n-- old --\n")
	before, after, found := strings.Cut(change, "\n-- new --\n")
	if !ok || !found || strings.TrimSpace(before) == "" {
		return rule{}, errors.New("want rule:, file: and tests:, then `-- old --` with the text to be replaced and `-- new --`")
	}
	r := rule{old: before, new: strings.TrimSuffix(after, "\n")}
	for line := range strings.SplitSeq(strings.TrimSpace(head), "\n") {
		name, value, _ := strings.Cut(line, ": ")
		switch name {
		case "rule":
			r.title = value
		case "file":
			r.file = value
		case "tests":
			r.tests = value
		case "run":
			r.run = value
		default:
			return rule{}, fmt.Errorf("%q: want rule, file, tests or run", name)
		}
	}
	if r.title == "" || r.file == "" || r.tests == "" {
		return rule{}, errors.New("rule:, file: and tests: must all be there")
	}
	return r, nil
}

// broken is the file of a rule without the rule. The old text must be found exactly once, or the description is out of date.
func (r rule) broken(root string) ([]byte, error) {
	source, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(r.file)))
	if err != nil {
		return nil, err
	}
	if n := strings.Count(string(source), r.old); n != 1 {
		return nil, fmt.Errorf("the old text stands %d times in %s, want once: bring the description up to date", n, r.file)
	}
	return []byte(strings.Replace(string(source), r.old, r.new, 1)), nil
}

// row is the rule's line in the report.
func (r rule) row() string { return fmt.Sprintf("| %s | %s |", r.title, r.tests) }

// sideBySide is how many tests are built and run at a time: as many as go test ./... runs on the smallest machine.
const sideBySide = 2

// longWait is for tests that wait for what never comes once a rule is broken.
const longWait = 3 * time.Minute

// breakRules breaks every rule whose name matches, and fails unless the tests find each of them out. The report is written only if
// that is so of all rules.
func breakRules(ctx context.Context, root, only, report string) error {
	chosen, err := regexp.Compile(only)
	if err != nil {
		return fmt.Errorf("-only: %w", err)
	}
	rules, err := readRules(root)
	if err != nil {
		return err
	}
	broken, byTests := 0, map[string][]rule{}
	for _, r := range rules {
		if chosen.MatchString(r.name) {
			broken++
			byTests[r.tests] = append(byTests[r.tests], r)
		}
	}
	if broken == 0 {
		return errors.New("no rule was broken: tools/mutants/rules has no description, or none whose name matches")
	}
	var (
		workers sync.WaitGroup
		mu      sync.Mutex
		faults  []error
	)
	free := make(chan struct{}, sideBySide)
	for _, dir := range slices.SortedFunc(maps.Keys(byTests), func(a, b string) int { // the longest first
		return cmp.Or(len(byTests[b])-len(byTests[a]), strings.Compare(a, b))
	}) {
		free <- struct{}{}
		workers.Go(func() {
			defer func() { <-free }()
			found := breakAll(ctx, root, dir, byTests[dir])
			mu.Lock()
			defer mu.Unlock()
			faults = append(faults, found...)
		})
	}
	workers.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	fmt.Printf("%d rules broken, %d faults\n", broken, len(faults))
	if len(faults) == 0 && broken == len(rules) && report != "" {
		return writeRules(report, root, rules)
	}
	return errors.Join(faults...)
}

// breakAll breaks the rules that the tests of one package must find out, and returns a fault for each that they do not.
func breakAll(ctx context.Context, root, dir string, rules []rule) (faults []error) {
	work, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return []error{err}
	}
	defer func() { _ = os.RemoveAll(work) }()
	runners := map[string]*runner{} // by the tests that they run; nil for those that fail as they are
	for _, rule := range rules {
		r, measured := runners[rule.run]
		if !measured {
			r = &runner{root: root, dir: dir, tests: rule.run, work: work}
			if _, err := r.measure(ctx); err != nil {
				faults = append(faults, err)
				r = nil
			} else {
				for i := range r.rounds {
					r.rounds[i].limit = max(r.rounds[i].limit, longWait)
				}
			}
			runners[rule.run] = r
		}
		err := errors.New("not broken, since the tests fail as they are")
		test := ""
		if r != nil {
			test, err = r.breakRule(ctx, rule)
		}
		if ctx.Err() != nil {
			return faults
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", rule.name, err))
			fmt.Printf("FAILED     %s: %v\n", rule.name, err)
			continue
		}
		fmt.Printf("found out  %s: %s %s\n", rule.name, rule.title, test)
	}
	return faults
}

// failedTest finds the test that failed first; it is named when the tests have ended, or not at all if they could not.
var failedTest = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)

// breakRule tells the test that has found the rule broken.
func (r *runner) breakRule(ctx context.Context, rule rule) (test string, err error) {
	text, err := rule.broken(r.root)
	if err != nil {
		return "", err
	}
	ok, err := r.build(ctx, map[string][]byte{rule.file: text})
	if err != nil {
		return "", err
	}
	if !ok {
		return "", errors.New("the new text does not compile")
	}
	result, output, err := r.run(ctx)
	if err != nil {
		return "", err
	}
	if result != killed {
		return "", fmt.Errorf("the tests of %s %v: %s", rule.tests, map[outcome]string{lived: "pass without this rule", timedOut: "never end"}[result], rule.title)
	}
	if found := failedTest.FindStringSubmatch(output); found != nil {
		test = "(" + found[1] + ")"
	}
	return test, nil
}
