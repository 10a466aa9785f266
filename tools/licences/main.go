// Licences checks that whoever builds a service with this library may do so: every module that comes into a build of a
// released module has a licence that asks for nothing but to be named (allowed.go says which those are).
//
//	cd tools && GOWORK=off go run ./licences           fails if one has not, or if docs/reports/DEPENDENCIES.md is not up to date
//	cd tools && GOWORK=off go run ./licences -write    the same, and writes docs/reports/DEPENDENCIES.md
//
// What counts is what is compiled in, on Linux, macOS or Windows: go.mod names more than that, for tests and for
// packages that nobody here imports. Of the modules that are not released (bench, e2e, examples, tools) it tells what is not
// allowed, and fails for nothing: nobody gets them with the library.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/more-retail/moresso-go/tools/internal/repo"
)

const document = "docs/reports/DEPENDENCIES.md"

func main() {
	writing := flag.Bool("write", false, "write "+document)
	flag.Parse()
	if err := run(context.Background(), *writing); err != nil {
		fmt.Fprintln(os.Stderr, "licences:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, writing bool) error {
	root, modules, err := repo.Here()
	if err != nil {
		return err
	}
	var faults []string
	var released []brought
	for _, m := range modules {
		list, err := dependencies(ctx, root, m)
		if err != nil {
			return fmt.Errorf("%s: %w", m.Dir, err)
		}
		bad := judge(list)
		if shipped(m) {
			released = append(released, brought{m, list})
			for _, b := range bad {
				faults = append(faults, m.Dir+": "+b)
			}
			fmt.Printf("  %-24s %3d modules, %d not allowed\n", m.Dir, len(list), len(bad))
			continue
		}
		fmt.Printf("  %-24s %3d modules, not released\n", m.Dir, len(list))
		for _, b := range bad {
			fmt.Printf("      note: %s\n", b)
		}
	}
	if len(faults) > 0 {
		return errors.New("faults:\n  " + strings.Join(faults, "\n  ") +
			"\nDo without the module, or take a version with another licence; tools/licences/allowed.go says which are allowed, and why.")
	}
	text := render(released)
	file := filepath.Join(root, filepath.FromSlash(document))
	if writing {
		return os.WriteFile(file, text, 0o644)
	}
	return fresh(file, text)
}

// shipped says whether a service or a developer gets the module with the library.
func shipped(m repo.Module) bool {
	return m.Workspace && m.Dir != "examples" // which is there to be read
}

// fresh says whether the file has this text.
func fresh(file string, text []byte) error {
	have, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if !bytes.Equal(have, text) {
		return fmt.Errorf("%s does not list what is compiled in: run make dependencies, and commit what it writes", document)
	}
	return nil
}
