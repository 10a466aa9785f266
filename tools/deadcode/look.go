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
	"strings"

	"github.com/more-retail/moresso-go/tools/internal/repo"
)

// program is what one run looks at: the main packages and tests that some patterns name.
type program struct {
	name     string
	dir      string // relative to the root
	patterns []string
	alone    bool // outside the workspace
}

// programs are the workspace as a whole, and each module outside it.
func programs(modules []repo.Module) []program {
	list := []program{{name: "workspace", dir: "."}}
	for _, m := range modules {
		if m.Workspace {
			list[0].patterns = append(list[0].patterns, "./"+m.Dir+"/...")
		} else {
			list = append(list, program{name: m.Dir, dir: m.Dir, patterns: []string{"./..."}, alone: true})
		}
	}
	return list
}

// function is one that a run does not reach.
type function struct {
	pkg, name string
	file      string // relative to the root
	line      int
}

func (f function) String() string {
	return fmt.Sprintf("%s:%d: nothing reaches %s", f.file, f.line, f.name)
}

// view is what a run says.
type view struct {
	seen map[string]bool // the packages of the repository that are part of it
	dead map[function]bool
}

// dead are the functions that no view which sees their package reaches, sorted by where they stand.
func dead(views []view) []function {
	var list []function
	for i, v := range views {
		for f := range v.dead {
			reached := slices.ContainsFunc(views, func(other view) bool { return other.seen[f.pkg] && !other.dead[f] })
			told := slices.ContainsFunc(views[:i], func(earlier view) bool { return earlier.dead[f] })
			if !reached && !told {
				list = append(list, f)
			}
		}
	}
	slices.SortFunc(list, func(a, b function) int {
		return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.line, b.line), cmp.Compare(a.name, b.name))
	})
	return list
}

// look runs deadcode.
func (p program) look(ctx context.Context, root string) (view, error) {
	dir := filepath.Join(root, filepath.FromSlash(p.dir))
	flags := []string{"-test", "-json", "-filter", "^" + repo.Prefix}
	text, err := p.run(ctx, root, filepath.Join(root, "bin", "deadcode"), append(flags, p.patterns...)...)
	if errors.Is(err, fs.ErrNotExist) {
		return view{}, errors.New("bin/deadcode is missing: run make deadcode, which builds it")
	}
	if err != nil {
		return view{}, err
	}
	v := view{seen: map[string]bool{}}
	if v.dead, err = read(text, root, dir); err != nil {
		return view{}, err
	}
	packages, err := p.run(ctx, root, "go", append([]string{"list", "-deps", "-test", "-f", "{{.ImportPath}}"}, p.patterns...)...)
	if err != nil {
		return view{}, err
	}
	for line := range strings.Lines(string(packages)) {
		// A package that is compiled anew for a test is followed by the test's name: core/sso [core/sso.test].
		name, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		if strings.HasPrefix(name, repo.Prefix) {
			v.seen[name] = true
		}
	}
	for f := range v.dead {
		if !v.seen[f.pkg] {
			return view{}, fmt.Errorf("deadcode speaks of %s, which go list does not know", f.pkg)
		}
	}
	return v, nil
}

func (p program) run(ctx context.Context, root, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = filepath.Join(root, filepath.FromSlash(p.dir))
	cmd.Env = append(os.Environ(), "GOWORK="+filepath.Join(root, "go.work"))
	if p.alone {
		cmd.Env = append(cmd.Env, "GOWORK=off")
	}
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	text, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", filepath.Base(name), err, complaint.Bytes())
	}
	return text, nil
}

// read takes the functions out of what deadcode prints when it runs in dir.
func read(text []byte, root, dir string) (map[function]bool, error) {
	var packages []struct {
		Path  string
		Funcs []struct {
			Name     string
			Position struct {
				File string
				Line int
			}
		}
	}
	if err := json.Unmarshal(text, &packages); err != nil {
		return nil, fmt.Errorf("what deadcode printed: %w", err)
	}
	found := map[function]bool{}
	for _, p := range packages {
		for _, f := range p.Funcs {
			file := f.Position.File
			if !filepath.IsAbs(file) {
				file = filepath.Join(dir, file)
			}
			file, err := filepath.Rel(root, file)
			if err != nil {
				return nil, err
			}
			found[function{p.Path, f.Name, filepath.ToSlash(file), f.Position.Line}] = true
		}
	}
	return found, nil
}
