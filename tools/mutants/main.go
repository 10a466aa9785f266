// Command mutants proves that the tests would notice if a security rule were removed. Each file in tools/mutants/rules
// breaks one rule in the source. The tests of the package that the file names must then fail.
//
//	mutants [-o report] [-only regexp]
//	mutants -check
//
// It runs in the root of the repository. The tests are built with the overlay flag of the go command, so no file of the
// repository changes. With -check, no test runs: the command only verifies that each rule still matches the source.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"
)

const reportHead = `# Security rules, each broken once

Written by ` + "`make mutate-rules`" + `; do not edit. Each rule is broken in the source, as a careless change would. The tests of the package
that is named here then fail. The rules are the files in [tools/mutants/rules](../../tools/mutants/rules).

| rule | tests that fail |
|---|---|
`

func main() {
	log.SetFlags(0)
	log.SetPrefix("mutants: ")
	check := flag.Bool("check", false, "only verify that each rule matches the source")
	only := flag.String("only", "", "use the rules whose package/name matches this `regexp`")
	report := flag.String("o", "", "the `file` that lists the rules, written if all were found")
	flag.Parse()
	root, err := os.Getwd()
	if err == nil {
		err = run(root, *only, *report, *check)
	}
	if err != nil {
		log.Fatal(err)
	}
}

func run(root, only, report string, check bool) error {
	pattern, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	rules, err := readRules(root, pattern)
	if err != nil {
		return err
	}
	if len(rules) == 0 {
		return errors.New("no rule matches")
	}
	var errs []error
	for _, r := range rules {
		if err := r.check(root); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", r.name, err))
		}
	}
	if check || len(errs) > 0 {
		log.Printf("%d rules, %d do not match", len(rules), len(errs))
		return errors.Join(errs...)
	}
	if err := breakAll(root, rules); err != nil {
		return err
	}
	log.Printf("%d rules broken, each found by tests", len(rules))
	if report == "" || only != "" {
		return nil
	}
	text := []byte(reportHead)
	for _, r := range rules {
		text = fmt.Appendf(text, "| %s | %s |\n", r.title, r.tests)
	}
	return os.WriteFile(report, text, 0o600)
}

// breakAll breaks the rules, two at a time.
func breakAll(root string, rules []rule) error {
	baselines := map[string]func() error{} // by the tests that run
	errs := make([]error, len(rules))
	var workers sync.WaitGroup
	limit := make(chan struct{}, 2)
	for i, r := range rules {
		key := r.tests + " " + r.run
		if baselines[key] == nil {
			baselines[key] = sync.OnceValue(func() error {
				output, err := test(root, r, nil)
				if err != nil {
					return fmt.Errorf("%w\n%s", err, output)
				}
				return nil
			})
		}
		limit <- struct{}{}
		workers.Go(func() {
			found, err := breakRule(root, r, baselines[key])
			if err != nil {
				found, errs[i] = "NOT FOUND, "+err.Error(), fmt.Errorf("%s: %w", r.name, err)
			}
			log.Printf("%s: %s", r.name, found)
			<-limit
		})
	}
	workers.Wait()
	return errors.Join(errs...)
}

var errFailed = errors.New("a test fails")

var failedTest = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)|^panic: .*`)

// breakRule returns the first test that fails without the rule.
func breakRule(root string, r rule, baseline func() error) (found string, err error) {
	if err := baseline(); err != nil {
		return "", fmt.Errorf("no rule is broken yet: %w", err)
	}
	text, err := r.broken(root)
	if err != nil {
		return "", err
	}
	output, err := test(root, r, text)
	if err == nil {
		return "", fmt.Errorf("the tests of %s pass", r.tests)
	}
	if !errors.Is(err, errFailed) {
		return "", err
	}
	return failedTest.FindString(output), nil
}

// script builds the tests in the folder $0 and runs those that match $1. Memory is limited, because a broken loop can
// allocate without end. Vet is off, since a test must find the broken rule.
const script = `go test -c -vet=off -overlay "$0/overlay.json" -o "$0/package.test" . || exit 99
ulimit -v 8000000 2>/dev/null
exec "$0/package.test" -test.failfast -test.timeout=3m -test.run="$1"`

// test builds and runs the tests of a rule with text, if there is one, in place of its file. If a test failed, err is errFailed.
func test(root string, r rule, text []byte) (output string, err error) {
	work, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(work) //nolint:errcheck // a temporary folder
	broken, replaced := filepath.Join(work, "broken.go"), map[string]string{}
	if text != nil {
		replaced[filepath.Join(root, r.file)] = broken
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replaced})
	if err := errors.Join(err, os.WriteFile(broken, text, 0o600), os.WriteFile(filepath.Join(work, "overlay.json"), overlay, 0o600)); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", script, work, r.run)
	cmd.Dir = filepath.Join(root, r.tests)
	cmd.Env = append(os.Environ(), "GOWORK="+filepath.Join(root, "go.work"))
	cmd.WaitDelay = 5 * time.Second
	printed, err := cmd.CombinedOutput()
	switch output = string(printed); {
	case err == nil:
		return output, nil
	case ctx.Err() != nil || strings.Contains(output, "panic: test timed out after"):
		return output, errors.New("the tests do not end")
	case cmd.ProcessState.ExitCode() == 99:
		return output, fmt.Errorf("the tests do not build\n%s", output)
	}
	return output, errFailed
}
