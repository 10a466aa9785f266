// Deadcode finds functions that nothing reaches: no program of the repository and no test or Example of it.
//
//	cd tools && GOWORK=off go run ./deadcode
//
// It runs golang.org/x/tools/cmd/deadcode, which prints what it finds and never fails, over the workspace and over
// each module outside it. What one run does not reach another may: e2e calls what the released modules have no test
// for. So a function is dead only if every run that sees its package calls it dead.
//
// That holds for the exported names of the library too. One that is dead is not even tested: write the test or the
// Example, or remove the name.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/more-retail/moresso-go/tools/internal/repo"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "deadcode:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	root, modules, err := repo.Here()
	if err != nil {
		return err
	}
	// One after the other: each takes some gigabytes.
	var views []view
	for _, p := range programs(modules) {
		v, err := p.look(ctx, root)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		fmt.Printf("  %-24s %4d packages, %d functions that it does not reach itself\n", p.name, len(v.seen), len(v.dead))
		views = append(views, v)
	}
	found := dead(views)
	for _, f := range found {
		fmt.Println(f)
	}
	if len(found) > 0 {
		return errors.New("nothing reaches these functions, not even a test: remove them, or write the test or the Example")
	}
	return nil
}
