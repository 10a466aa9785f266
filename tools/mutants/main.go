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
// The faults are compiled in with the overlay of the go command, those in conditions all at once, to be switched on one by one. So the
// tree is never touched and the tests find the files of the repository as always. That is why this is no off-the-shelf tool: gremlins
// copies one module to another place, where `replace ../core` leads nowhere, and takes the failed build for a killed mutant.
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
	together := &tally{dir: "mutants"}
	for _, dir := range packages {
		counts, err := unleash(ctx, root, filepath.ToSlash(filepath.Clean(dir)), chosen, *only == "")
		if ctx.Err() != nil {
			return errors.Join(append(faults, ctx.Err())...)
		}
		if err != nil {
			faults = append(faults, err)
		}
		together.plus(counts)
		if counts.total() > 0 && *report != "" && *only == "" {
			if err := writeReport(*report, root, counts); err != nil {
				return err
			}
		}
	}
	if len(packages) > 1 {
		fmt.Println(together)
	}
	return errors.Join(faults...)
}

// servesTests says of a package that it is for tests and development.
func servesTests(dir string) bool {
	return dir == "core/devissuer" || dir == "redisstore/redistest" || strings.HasPrefix(dir+"/", "core/ssotest/")
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
	return slices.DeleteFunc(dirs, servesTests), nil
}
