package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/more-retail/moresso-go/tools/internal/repo"
)

// dependency is a module that is compiled in.
type dependency struct {
	path, version string
	files         []file // that have to do with a licence
}

// systems are those on which services run, and the laptops of who writes them.
var systems = []string{"linux", "darwin", "windows"}

// dependencies are the modules of others whose packages come into a build of m, sorted. Of a module that is not
// released they are those of its tests and of the tools that it names, too.
func dependencies(ctx context.Context, root string, m repo.Module) ([]dependency, error) {
	args := []string{"list", "-deps", "-json=Dir,Standard,Module"}
	if !shipped(m) {
		args = append(args, "-test")
	}
	args = append(args, "./...")
	if len(m.File.Tool) > 0 {
		args = append(args, "tool")
	}
	found := map[string]*dependency{}
	for _, system := range systems {
		cmd := exec.CommandContext(ctx, "go", args...)
		cmd.Dir = filepath.Join(root, filepath.FromSlash(m.Dir))
		cmd.Env = append(os.Environ(), "GOWORK=off", "GOOS="+system, "GOARCH=amd64", "CGO_ENABLED=0")
		var complaint bytes.Buffer
		cmd.Stderr = &complaint
		text, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("go list for %s: %w; where a dependency is new or another, make tidy puts every go.mod right\n%s", system, err, complaint.Bytes())
		}
		if err := read(bytes.NewReader(text), found); err != nil {
			return nil, err
		}
	}
	var list []dependency
	for _, path := range slices.Sorted(maps.Keys(found)) {
		list = append(list, *found[path])
	}
	return list, nil
}

// read adds the modules of others that go list tells of, and the licence files that hold for the packages it names.
func read(stream io.Reader, found map[string]*dependency) error {
	for decoder := json.NewDecoder(stream); ; {
		var p struct {
			Dir      string
			Standard bool
			Module   *struct {
				Path, Version, Dir string
				Replace            *struct{ Path, Version string }
			}
		}
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("what go list printed: %w", err)
		}
		m := p.Module
		if p.Standard || m == nil || strings.HasPrefix(m.Path, repo.Prefix) {
			continue
		}
		if m.Replace != nil { // what is built is the other one
			m.Path, m.Version = m.Replace.Path, m.Replace.Version
		}
		d := found[m.Path]
		if d == nil {
			d = &dependency{path: m.Path, version: m.Version}
			found[m.Path] = d
		}
		files, err := licenceFiles(p.Dir, m.Dir)
		if err != nil {
			return err
		}
		for _, f := range files {
			if !slices.Contains(d.files, f) {
				d.files = append(d.files, f)
			}
		}
	}
}
