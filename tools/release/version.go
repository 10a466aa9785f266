package main

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/mod/modfile"

	"github.com/more-retail/moresso-go/tools/internal/repo"
)

// setVersion makes the modules require each other at a version, where they have required each
// other at another. A requirement at a third is left alone: it is a fault, and faults tells it.
func setVersion(root string, modules []repo.Module, from, to string) error {
	for _, m := range modules {
		for _, r := range m.Requirements() {
			if r.Mod.Version != from {
				continue
			}
			if err := m.File.AddRequire(r.Mod.Path, to); err != nil {
				return err
			}
		}
		text, err := m.File.Format()
		if err != nil {
			return fmt.Errorf("%s/go.mod: %w", m.Dir, err)
		}
		if err := os.WriteFile(filepath.Join(root, filepath.FromSlash(m.Dir), "go.mod"), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// goVersion is the lowest Go that the workspace promises.
func goVersion(root string) (string, error) {
	file := filepath.Join(root, "go.work")
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	work, err := modfile.ParseWork(file, text, nil)
	if err != nil {
		return "", err
	}
	if work.Go == nil {
		return "", fmt.Errorf("%s: no go line", file)
	}
	return work.Go.Version, nil
}
