// Vulncheck holds every module of the repository against the Go vulnerability database.
//
//	cd tools && GOWORK=off go run ./vulncheck
//
// It runs govulncheck on each module by itself, as a consumer builds it: without the workspace, with the versions
// that the module's own go.mod asks for. What it finds is judged so:
//
//   - A vulnerability of a dependency that is called fails, in every module.
//   - One in a package of a dependency that a released module imports, without calling what is weak, fails as well if
//     there is a fix: whoever uses the module may call it, and gets the version of our go.mod.
//   - One in the standard library of the running Go is printed with the version to upgrade to, and fails nothing: a
//     patch release of Go must not stop whoever builds with the one before, and our modules cannot choose it for them.
//
// What cannot be mended yet is accepted in accepted.go, each with a reason; an entry that is not needed any more fails.
//
// The database is pinned (database.go says which, and how to take a newer one), so that the same commit always gets
// the same answer. -db, or VULNDB for make, names another: https://vuln.go.dev is the live one.
//
// The findings for a module are kept in .cache/vulncheck until its sources, its requirements, Go or the database change.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/more-retail/moresso-go/tools/internal/repo"
)

func main() {
	database := flag.String("db", "", "the database's `address`; empty: the pinned one")
	flag.Parse()
	if err := run(context.Background(), *database); err != nil {
		fmt.Fprintln(os.Stderr, "vulncheck:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, address string) error {
	root, modules, err := repo.Here()
	if err != nil {
		return err
	}
	s := scanner{root: root, database: address, cache: filepath.Join(root, ".cache", "vulncheck")}
	if address == "" {
		dir, err := pinned.prepare(ctx, filepath.Join(root, ".cache", "vulndb"))
		if err != nil {
			return err
		}
		s.database = "file://" + filepath.ToSlash(dir)
		fmt.Printf("The pinned database, as it was on %s.\n", pinned.day())
	} else {
		// What a live database says today it may not say tomorrow.
		s.cache = ""
		fmt.Printf("The database at %s.\n", address)
	}

	standard := map[string]finding{}
	var faults []string
	unused := slices.Clone(accepted)
	for i, answer := range s.scanAll(ctx, modules) {
		m := modules[i]
		found, err := answer()
		if err != nil {
			return fmt.Errorf("%s: %w", m.Dir, err)
		}
		v := judge(found, m.Workspace, accepted)
		fmt.Printf("  %-24s %s\n", m.Dir, v)
		for _, f := range v.faults {
			faults = append(faults, fmt.Sprintf("%s: %s", m.Dir, f.advice()))
		}
		for _, f := range v.accepted {
			unused = slices.DeleteFunc(unused, func(e exception) bool { return e.covers(f) })
		}
		for _, f := range v.standard {
			standard[f.OSV] = f
		}
	}
	if len(standard) > 0 {
		printStandard(standard)
	}
	if address == "" { // another database may not know all of them
		for _, e := range unused {
			faults = append(faults, fmt.Sprintf("%s in %s is accepted and not found any more: remove it from tools/vulncheck/accepted.go", e.osv, e.module))
		}
	}
	if len(faults) > 0 {
		return errors.New("faults:\n  " + strings.Join(faults, "\n  "))
	}
	return nil
}

// printStandard says loudly what this Go's own library is vulnerable to.
func printStandard(found map[string]finding) {
	ids, upgrade := summary(found)
	fmt.Printf("\n*** The standard library of %s has vulnerabilities that code here calls: %s\n", runtime.Version(), strings.Join(ids, ", "))
	if upgrade == "" {
		fmt.Print("*** There is no fix yet; https://pkg.go.dev/vuln/ has each.\n\n")
		return
	}
	fmt.Printf("*** UPGRADE GO to %s or later to build services. This is no fault of the repository, and fails nothing here.\n\n", upgrade)
}
