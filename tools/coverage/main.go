// Command coverage prints which share of the statements of each module its own tests run, by package,
// and fails where it is less than the floor. Packages count wherever in the module the test is:
// core/ssotest's conformance suite tests core/sso too. The test kits (core/ssotest, core/devissuer,
// redisstore/redistest) count like all other packages, for services rely on them.
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/tools/cover"

	"github.com/more-retail/moresso-go/tools/internal/repo"
)

const (
	prefix = repo.Prefix
	floor  = 90 // percent of a module's statements
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("coverage: ")
	root, err := repo.Root()
	if err != nil {
		log.Fatal(err)
	}
	if err := run(context.Background(), os.Stdout, root); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("coverage: every module measured has at least %d %%\n", floor)
}

// needs are the programs without which a module's tests are skipped, so that its number would be a false one.
var needs = map[string][]string{"redisstore": {"redis-server", "redis-cli"}}

// run measures every module, also after one that fails, so that one run shows every fault.
func run(ctx context.Context, w io.Writer, root string) error {
	modules, err := repo.Modules(root)
	if err != nil {
		return err
	}
	var faults []string
	for _, m := range modules {
		if !m.Workspace || m.Dir == "examples" { // nobody imports the examples
			continue
		}
		if lacking := missing(needs[m.Dir]); lacking != "" {
			note := fmt.Sprintf("%s: NOT MEASURED, since this machine has no %s: run scripts/e2e-deps", m.Dir, lacking)
			if _, err := fmt.Fprintf(w, "%s\n\n", note); err != nil {
				return err
			}
			if os.Getenv("CI") == "true" { // where everything must be there
				faults = append(faults, note)
			}
			continue
		}
		profile, err := measure(ctx, filepath.Join(root, filepath.FromSlash(m.Dir)))
		if err != nil {
			faults = append(faults, fmt.Sprintf("%s: %v", m.Dir, err))
			continue
		}
		table, fault := judge(m.Dir, byPackage(profile), floor)
		if _, err := io.WriteString(w, table); err != nil {
			return err
		}
		if fault == "" {
			continue
		}
		faults = append(faults, fault)
		functions, err := leastCovered(root, profile, 15)
		if err != nil {
			return err
		}
		for _, f := range functions {
			faults = append(faults, fmt.Sprintf("  %3d of %3d not covered  %s", f.missed(), f.statements, f.name))
		}
	}
	if len(faults) > 0 {
		return fmt.Errorf("FAILED\n%s", strings.Join(faults, "\n"))
	}
	return nil
}

// missing is the first program that is not there.
func missing(programs []string) string {
	for _, program := range programs {
		if _, err := exec.LookPath(program); err != nil {
			return program
		}
	}
	return ""
}

// measure runs the tests of the module in dir, without the race detector, which would only slow them,
// and without vet, which make lint runs.
func measure(ctx context.Context, dir string) ([]*cover.Profile, error) {
	temporary, err := os.MkdirTemp("", "coverage")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(temporary) //nolint:errcheck // a file left in the temporary folder hurts nobody
	profile := filepath.Join(temporary, "profile")
	test := exec.CommandContext(ctx, "go", "test", "-vet=off", "-coverpkg=./...", "-coverprofile="+profile, "./...")
	test.Dir = dir
	test.Env = append(os.Environ(), "GOWORK=off")
	if output, err := test.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("its tests fail: %w\n%s", err, bytes.TrimSpace(output))
	}
	file, err := os.Open(profile)
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // it was only read
	return read(file)
}
