// Package repo knows where the repository is and which modules it holds, for the programs that check it.
package repo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
)

// Prefix begins the path of every module of the repository; what follows is the module's folder.
const Prefix = "github.com/more-retail/moresso-go/"

// Module is one module of the repository.
type Module struct {
	Dir       string // relative to the root, with slashes: core, cmd/sso
	File      *modfile.File
	Workspace bool // named by go.work, and so released; the others are for this repository alone
}

// Path is the module's path.
func (m Module) Path() string { return m.File.Module.Mod.Path }

// Requirements are those on other modules of the repository.
func (m Module) Requirements() []*modfile.Require {
	var own []*modfile.Require
	for _, r := range m.File.Require {
		if strings.HasPrefix(r.Mod.Path, Prefix) {
			own = append(own, r)
		}
	}
	return own
}

// Root finds the repository's root: the closest folder with a go.work, from the working directory upwards.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.work")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no go.work here or above: run this inside the repository")
		}
		dir = parent
	}
}

// Here is the repository around the working directory: its root, and its modules as by [Modules].
func Here() (root string, modules []Module, err error) {
	if root, err = Root(); err == nil {
		modules, err = Modules(root)
	}
	return root, modules, err
}

// Modules reads every go.mod below root, sorted by folder. It fails where go.work names none, or a folder that has none:
// whoever looks at all modules would look at too few.
func Modules(root string) ([]Module, error) {
	used, err := workspace(root)
	if err != nil {
		return nil, err
	}
	var modules []Module
	err = filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if name := entry.Name(); file != root && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "testdata" || name == "bin") {
				return filepath.SkipDir
			}
			return nil
		}
		if entry.Name() != "go.mod" {
			return nil
		}
		m, err := read(root, file)
		if err != nil {
			return err
		}
		m.Workspace = slices.Contains(used, m.Dir)
		modules = append(modules, m)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(used) == 0 {
		return nil, errors.New("go.work names no module")
	}
	for _, dir := range used {
		if !slices.ContainsFunc(modules, func(m Module) bool { return m.Dir == dir }) {
			return nil, fmt.Errorf("go.work names %s, where there is no module: write the folder as ./%s", dir, path.Base(dir))
		}
	}
	slices.SortFunc(modules, func(a, b Module) int { return strings.Compare(a.Dir, b.Dir) })
	return modules, nil
}

// workspace are the folders that go.work names.
func workspace(root string) ([]string, error) {
	file := filepath.Join(root, "go.work")
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	work, err := modfile.ParseWork(file, text, nil)
	if err != nil {
		return nil, err
	}
	var dirs []string
	for _, use := range work.Use {
		dirs = append(dirs, path.Clean(use.Path))
	}
	return dirs, nil
}

func read(root, file string) (Module, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return Module{}, err
	}
	parsed, err := modfile.Parse(file, text, nil)
	if err != nil {
		return Module{}, err
	}
	dir, err := filepath.Rel(root, filepath.Dir(file))
	if err != nil {
		return Module{}, err
	}
	m := Module{Dir: filepath.ToSlash(dir), File: parsed}
	if parsed.Module == nil || parsed.Module.Mod.Path != Prefix+m.Dir {
		return Module{}, fmt.Errorf("%s/go.mod: the module path must be %s%s, as its folder is called", m.Dir, Prefix, m.Dir)
	}
	return m, nil
}
