// Mutants proves that the tests can fail. It puts one small fault after another into the shipped code (a condition turned round,
// a bound moved by one, a guard taken away …) and runs the package's own tests each time. A mutant that survives is either a test
// that is missing or a change that makes no difference; the latter is explained in tools/mutants/explained, or the command fails.
//
//	mutants                 every package that a service may ship
//	mutants core/keys       one package
//	mutants -only cache.go core/keys
//	mutants -rules          the rules of security, each broken by hand (tools/mutants/rules)
//	mutants -rules -only nonce
//
// The faults are compiled in with the overlay of the go command, those in conditions all at once, to be switched on one by one (see
// switches.go). So the tree is never touched and the tests find the files of the
// repository as always. That is why this is no off-the-shelf tool: gremlins copies one module to another place, where `replace
// ../core` leads nowhere, and takes the failed build for a killed mutant.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/more-retail/moresso-go/tools/internal/repo"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := command(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func command(ctx context.Context) error {
	rules := flag.Bool("rules", false, "break the rules of security instead, each by hand")
	report := flag.String("o", "", "file to write the counts, or with -rules the rules, into; whatever was not run stays as it is")
	only := flag.String("only", "", "run only mutants whose key matches this expression, and write no counts")
	flag.Parse()
	root, err := repo.Root()
	if err != nil {
		return err
	}
	if *rules {
		return breakRules(ctx, root, *only, *report)
	}
	chosen, err := regexp.Compile(*only)
	if err != nil {
		return fmt.Errorf("-only: %w", err)
	}
	packages := flag.Args()
	if len(packages) == 0 {
		if packages, err = shipped(ctx, root); err != nil {
			return err
		}
	}
	var faults []error
	for _, dir := range packages {
		counts, err := unleash(ctx, root, filepath.ToSlash(filepath.Clean(dir)), chosen, *only == "")
		if ctx.Err() != nil {
			return errors.Join(append(faults, ctx.Err())...)
		}
		if err != nil {
			faults = append(faults, err)
		}
		if counts.total() > 0 && *report != "" && *only == "" {
			if err := writeReport(*report, root, counts); err != nil {
				return err
			}
		}
	}
	return errors.Join(faults...)
}

// shipped are the packages that a service may hold: those of the workspace, without programs, examples and what serves tests.
func shipped(ctx context.Context, root string) ([]string, error) {
	modules, err := repo.Modules(root)
	if err != nil {
		return nil, err
	}
	var dirs []string
	for _, m := range modules {
		if !m.Workspace || strings.HasPrefix(m.Dir, "cmd/") || m.Dir == "examples" {
			continue
		}
		list := exec.CommandContext(ctx, "go", "list", "-f", "{{if .TestGoFiles}}{{.Dir}}{{else if .XTestGoFiles}}{{.Dir}}{{end}}", "./"+m.Dir+"/...")
		list.Dir = root
		list.Env = append(os.Environ(), "GOWORK="+filepath.Join(root, "go.work"))
		list.Stderr = os.Stderr
		output, err := list.Output()
		if err != nil {
			return nil, fmt.Errorf("go list ./%s/...: %w", m.Dir, err)
		}
		for dir := range strings.FieldsSeq(string(output)) {
			relative, err := filepath.Rel(root, dir)
			if err != nil {
				return nil, err
			}
			dirs = append(dirs, filepath.ToSlash(relative))
		}
	}
	return slices.DeleteFunc(dirs, func(dir string) bool {
		return dir == "core/ssotest" || strings.HasPrefix(dir, "core/ssotest/") || dir == "core/devissuer"
	}), nil
}

// A trial is a mutant and what came of it.
type trial struct {
	mutant
	source []byte
	outcome
}

// unleash runs the tests of a package for each of its mutants that is chosen. The error says which survivors are not explained, and
// which explanations are not needed any more; the latter only if all were run.
func unleash(ctx context.Context, root, dir string, chosen *regexp.Regexp, all bool) (*tally, error) {
	counts := &tally{dir: dir}
	known, err := readExplained(root, dir)
	if err != nil {
		return counts, err
	}
	work, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return counts, err
	}
	defer func() { _ = os.RemoveAll(work) }()
	r := &runner{root: root, dir: dir, work: work}
	trials, name, err := r.trials(ctx)
	if err != nil {
		return counts, err
	}
	stale := maps.Clone(known)
	for _, t := range trials {
		delete(stale, t.key())
	}
	trials = slices.DeleteFunc(trials, func(t *trial) bool { return !chosen.MatchString(t.key().String()) })
	covered, err := r.measure(ctx)
	if err != nil {
		return counts, err
	}
	if err := r.tryAll(ctx, name, trials, covered); err != nil {
		return counts, err
	}
	var faults []string
	for _, t := range trials {
		why, explained := known[t.key()]
		counts.add(t.outcome, explained)
		switch survived := t.outcome == lived || t.outcome == uncovered; {
		case survived && !explained:
			faults = append(faults, fmt.Sprintf("%s\n\t%s", t.key(), todo))
		case !survived && explained && !why.sometimes:
			faults = append(faults, fmt.Sprintf("# take away, for it was %v: %s", t.outcome, t.key()))
		}
	}
	if all {
		for k := range stale {
			faults = append(faults, fmt.Sprintf("# take away, for there is no such mutant any more: %s", k))
		}
	}
	fmt.Println(counts)
	if len(faults) > 0 {
		slices.Sort(faults)
		return counts, fmt.Errorf("%s: write a test, or put the mutant and the reason into %s:\n\n%s\n", dir, explainedFile(root, dir), strings.Join(faults, "\n")) //nolint:revive,staticcheck // the list is to be copied
	}
	return counts, nil
}

// trials are the mutants of the package, none of them tried yet, and the name of the package.
func (r *runner) trials(ctx context.Context) (trials []*trial, name string, err error) {
	list := r.command(ctx, "go", "list", "-f", `{{.Name}} {{join .GoFiles " "}}`, ".")
	list.Stderr = os.Stderr
	output, err := list.Output()
	if err != nil {
		return nil, "", fmt.Errorf("go list: %w", err)
	}
	fields := strings.Fields(string(output))
	for _, file := range fields[1:] {
		source, err := os.ReadFile(filepath.Join(r.root, filepath.FromSlash(r.dir), file))
		if err != nil {
			return nil, "", err
		}
		mutants, err := mutate(file, source)
		if err != nil {
			return nil, "", err
		}
		for _, m := range mutants {
			trials = append(trials, &trial{mutant: m, source: source})
		}
	}
	return trials, fields[0], nil
}

// tryAll runs the tests for every mutant, several at a time.
func (r *runner) tryAll(ctx context.Context, name string, trials []*trial, covered coverage) error {
	switches, err := r.buildSwitches(ctx, name, trials)
	if err != nil {
		return err
	}
	var (
		workers sync.WaitGroup
		mu      sync.Mutex // holds what is printed together
		faults  []error
	)
	next := make(chan int)
	for i := range sideBySide {
		alone, err := r.beside(strconv.Itoa(i))
		if err != nil {
			return err
		}
		workers.Go(func() {
			for number := range next {
				t := trials[number-1]
				var err error
				switch {
				case !covered.passed(t.mutant):
					t.outcome = uncovered
				case switches != nil && t.condition:
					t.outcome, _, err = switches.switched(number).run(ctx)
				default:
					t.outcome, err = alone.try(ctx, t)
				}
				mu.Lock()
				if err != nil {
					faults = append(faults, err)
				}
				fmt.Printf("%-10v %s/%s:%d:%d %s %s\n", t.outcome, r.dir, t.File, t.Line, t.Column, t.Kind, t.Text)
				mu.Unlock()
			}
		})
	}
	for i := range trials {
		if ctx.Err() != nil {
			break
		}
		next <- i + 1
	}
	close(next)
	workers.Wait()
	return errors.Join(append(faults, ctx.Err())...)
}

// try builds and runs the tests with one mutant.
func (r *runner) try(ctx context.Context, t *trial) (outcome, error) {
	ok, err := r.build(ctx, map[string][]byte{r.dir + "/" + t.File: t.apply(t.source)})
	if err != nil {
		return 0, err
	}
	if !ok {
		return notViable, nil
	}
	result, _, err := r.run(ctx)
	return result, err
}
