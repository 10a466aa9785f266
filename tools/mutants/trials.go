package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

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
	if err := r.tryAll(ctx, name, trials, covered, known); err != nil {
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

// tryAll runs the tests for every mutant, several at a time; once more for one that is known to survive and does not, since tests that
// wait in real time may fail for reasons of their own.
func (r *runner) tryAll(ctx context.Context, name string, trials []*trial, covered coverage, known map[key]explanation) error {
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
				try := func() {
					switch {
					case !covered.passed(t.mutant):
						t.outcome = uncovered
					case switches != nil && t.condition:
						t.outcome, _, err = switches.switched(number).run(ctx)
					default:
						t.outcome, err = alone.try(ctx, t)
					}
				}
				try()
				if _, survives := known[t.key()]; survives && err == nil && t.outcome == killed {
					try()
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
