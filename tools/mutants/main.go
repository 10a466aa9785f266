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
// The faults are compiled in with the overlay of the go command, so the tree is never touched and the tests find the files of the
// repository as always. That is why this is no off-the-shelf tool: gremlins copies one module to another place, where `replace
// ../core` leads nowhere, and takes the failed build for a killed mutant.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

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

// A part narrows what is done with a package whose tests take too long to be run for every mutant.
type part struct {
	files []string
	tests string
	why   string
}

var parts = map[string]part{}

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
	r := &runner{root: root, dir: dir, tests: parts[dir].tests, work: work}
	covered, err := r.measure(ctx)
	if err != nil {
		return counts, err
	}
	files, err := sources(r.command(ctx, "go", "list", "-f", `{{join .GoFiles "\n"}}`, "."))
	if err != nil {
		return counts, err
	}
	if some := parts[dir].files; some != nil {
		files = some
	}
	var faults []string
	for _, file := range files {
		source, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(dir), file))
		if err != nil {
			return counts, err
		}
		mutants, err := mutate(file, source)
		if err != nil {
			return counts, err
		}
		for _, m := range mutants {
			why, explained := known[m.key()]
			delete(known, m.key())
			if !chosen.MatchString(m.key().String()) {
				continue
			}
			result, err := r.try(ctx, m, source, covered)
			if err != nil {
				return counts, err
			}
			counts.add(result, explained)
			switch survived := result == lived || result == uncovered; {
			case survived && !explained:
				faults = append(faults, fmt.Sprintf("%s\n\t%s", m.key(), todo))
			case !survived && explained && !why.sometimes:
				faults = append(faults, fmt.Sprintf("# take away, for it was %v: %s", result, m.key()))
			}
			fmt.Printf("%-10v %s/%s:%d:%d %s %s\n", result, dir, m.File, m.Line, m.Column, m.Kind, m.Text)
		}
	}
	if all {
		for k := range known {
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

// try runs the tests for one mutant.
func (r *runner) try(ctx context.Context, m mutant, source []byte, covered coverage) (outcome, error) {
	if !covered.passed(m) {
		return uncovered, nil
	}
	ok, err := r.build(ctx, map[string][]byte{r.dir + "/" + m.File: m.apply(source)})
	if err != nil {
		return 0, err
	}
	if !ok {
		return notViable, nil
	}
	result, _, err := r.run(ctx)
	return result, err
}

func sources(list *exec.Cmd) ([]string, error) {
	list.Stderr = os.Stderr
	output, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	return strings.Fields(string(output)), nil
}
