package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/mod/module"
)

// source is a version of the module that holds the reports, golang.org/x/vulndb: the Go module proxy serves it where
// https://vuln.go.dev cannot be reached.
type source struct{ path, version, sum string }

// pinned is the database that everybody checks against. To take a newer one, write here the version that
// go list -m golang.org/x/vulndb@latest prints, and the sum that the failing make vulncheck then names.
var pinned = source{
	path:    "golang.org/x/vulndb",
	version: "v0.0.0-20261105234957-e22db6528018",
	sum:     "h1:mfngRv0Yoh0VApsXKEN82CjD99kl7mtparN3bs3JnqI=",
}

// day is the one on which the database was as it is.
func (s source) day() string {
	when, err := module.PseudoVersionTime(s.version)
	if err != nil {
		return s.version
	}
	return when.Format(time.DateOnly)
}

// prepare returns a folder below cache with the database, and makes it if need be.
func (s source) prepare(ctx context.Context, cache string) (string, error) {
	dir := filepath.Join(cache, s.version)
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	reports, err := s.download(ctx)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	// It gets its name when it is whole, so that half a database is never taken for one.
	half, err := os.MkdirTemp(cache, "half-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(half) }()
	when, err := module.PseudoVersionTime(s.version)
	if err != nil {
		return "", err
	}
	if err := build(reports, half, when); err != nil {
		return "", err
	}
	if err := os.Rename(half, dir); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	return dir, nil
}

// download returns the folder with the reports, of a module whose sum is the pinned one.
func (s source) download(ctx context.Context) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", s.path+"@"+s.version)
	cmd.Env = append(os.Environ(), "GOWORK=off")
	text, err := cmd.Output()
	var got struct{ Dir, Sum, Error string }
	if parseErr := json.Unmarshal(text, &got); parseErr != nil {
		return "", fmt.Errorf("go mod download %s@%s: %w", s.path, s.version, errors.Join(err, parseErr))
	}
	if got.Error != "" {
		return "", fmt.Errorf("the vulnerability database cannot be had from the module proxy: %s\n"+
			"with a proxy that can be reached, or VULNDB=https://vuln.go.dev, run make vulncheck again", got.Error)
	}
	if got.Sum != s.sum {
		return "", fmt.Errorf("%s@%s has the sum %s, and %s is pinned in tools/vulncheck/database.go: "+
			"if you have not just changed the version there, the proxy serves something else than it did", s.path, s.version, got.Sum, s.sum)
	}
	return filepath.Join(got.Dir, "data", "osv"), nil
}

// report is what the index needs out of a report in the format of OSV.
type report struct {
	ID       string    `json:"id"`
	Modified time.Time `json:"modified"`
	Affected []struct {
		Package struct {
			Name string `json:"name"`
		} `json:"package"`
	} `json:"affected"`
}

// The index, as https://go.dev/security/vuln/database lays it down. The optional "fixed" of a report, with which a
// reader spares itself some files, is left out, and so is index/vulns.json, which govulncheck does not read.
type (
	indexedModule struct {
		Path  string        `json:"path"`
		Vulns []indexedVuln `json:"vulns"`
	}
	indexedVuln struct {
		ID       string    `json:"id"`
		Modified time.Time `json:"modified"`
	}
	indexedDatabase struct {
		Modified time.Time `json:"modified"`
	}
)

// build makes a database out of a folder of reports, in the layout that govulncheck reads.
func build(reports, dir string, when time.Time) error {
	files, err := filepath.Glob(filepath.Join(reports, "*.json"))
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return fmt.Errorf("no report in %s: an empty database would find nothing", reports)
	}
	for _, sub := range []string{"ID", "index"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return err
		}
	}
	byPath := map[string]*indexedModule{}
	for _, file := range files {
		if err := add(byPath, file, dir); err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(file), err)
		}
	}
	modules := make([]*indexedModule, 0, len(byPath))
	for _, m := range byPath {
		modules = append(modules, m)
	}
	slices.SortFunc(modules, func(a, b *indexedModule) int { return cmp.Compare(a.Path, b.Path) })
	return errors.Join(
		write(filepath.Join(dir, "index", "modules.json"), modules),
		write(filepath.Join(dir, "index", "db.json"), indexedDatabase{when}),
	)
}

// add copies a report and enters it into the index.
func add(byPath map[string]*indexedModule, file, dir string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var r report
	if err := json.Unmarshal(text, &r); err != nil {
		return err
	}
	if r.ID+".json" != filepath.Base(file) {
		return fmt.Errorf("the report calls itself %q", r.ID)
	}
	for _, a := range r.Affected {
		m := byPath[a.Package.Name]
		if m == nil {
			m = &indexedModule{Path: a.Package.Name}
			byPath[a.Package.Name] = m
		}
		// Two ranges of one module are two entries in the report, and one in the index.
		if n := len(m.Vulns); n == 0 || m.Vulns[n-1].ID != r.ID {
			m.Vulns = append(m.Vulns, indexedVuln{r.ID, r.Modified})
		}
	}
	return os.WriteFile(filepath.Join(dir, "ID", r.ID+".json"), bytes.TrimSpace(text), 0o600)
}

func write(file string, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o600)
}
