package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/mod/module"
)

// The Go module proxy serves the reports as a module. That works where https://vuln.go.dev cannot be reached, and the same
// commit always gets the same answer. To pin a newer version, write here what go list -m golang.org/x/vulndb@latest
// prints, and the sum that the failing check then names.
const (
	pinnedPath    = "golang.org/x/vulndb"
	pinnedVersion = "v0.0.0-20261105234957-e22db6528018"
	pinnedSum     = "h1:mfngRv0Yoh0VApsXKEN82CjD99kl7mtparN3bs3JnqI="
)

// pinnedDatabase downloads the pinned reports and writes them to dir in the layout that govulncheck reads:
// https://go.dev/security/vuln/database.
func pinnedDatabase(dir string) error {
	download := exec.Command("go", "mod", "download", "-json", pinnedPath+"@"+pinnedVersion) //nolint:noctx // it runs until it ends
	download.Env = append(os.Environ(), "GOWORK=off")
	text, err := download.Output()
	var got struct{ Dir, Sum, Error string }
	if parseErr := json.Unmarshal(text, &got); parseErr != nil || got.Error != "" {
		return fmt.Errorf("go mod download %s: %w %s; use a proxy that serves it, or VULNDB=https://vuln.go.dev",
			pinnedPath, errors.Join(err, parseErr), got.Error)
	}
	if got.Sum != pinnedSum {
		return fmt.Errorf("%s@%s: sum %s, want %s as pinned in tools/vulncheck/database.go", pinnedPath, pinnedVersion, got.Sum, pinnedSum)
	}
	when, err := module.PseudoVersionTime(pinnedVersion)
	if err != nil {
		return err
	}
	reports := filepath.Join(got.Dir, "data", "osv")
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "index"), 0o700), os.Symlink(reports, filepath.Join(dir, "ID"))); err != nil {
		return err
	}
	modules, err := index(reports)
	if err != nil {
		return err
	}
	return errors.Join(
		write(filepath.Join(dir, "index", "modules.json"), modules),
		write(filepath.Join(dir, "index", "db.json"), map[string]time.Time{"modified": when}),
	)
}

// An indexedModule lists the reports about one module.
type indexedModule struct {
	Path  string        `json:"path"`
	Vulns []indexedVuln `json:"vulns"`
}

type indexedVuln struct {
	ID       string    `json:"id"`
	Modified time.Time `json:"modified"`
}

// index reads a folder of reports in the format of OSV.
func index(reports string) (modules []*indexedModule, err error) {
	files, err := filepath.Glob(filepath.Join(reports, "*.json"))
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("no report in %s", reports)
	}
	if err != nil {
		return nil, err
	}
	byPath := map[string]*indexedModule{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var report struct {
			indexedVuln
			Affected []struct{ Package struct{ Name string } }
		}
		if err := json.Unmarshal(text, &report); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		for _, affected := range report.Affected {
			m := byPath[affected.Package.Name]
			if m == nil {
				m = &indexedModule{Path: affected.Package.Name}
				byPath[m.Path] = m
				modules = append(modules, m)
			}
			// Two version ranges of one module are two entries of the report.
			if n := len(m.Vulns); n == 0 || m.Vulns[n-1].ID != report.ID {
				m.Vulns = append(m.Vulns, report.indexedVuln)
			}
		}
	}
	return modules, nil
}

func write(file string, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o600)
}
