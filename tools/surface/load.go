package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/more-retail/moresso-go/tools/internal/repo"
)

// unpromised is the one released module whose packages nobody is meant to import.
const unpromised = "examples"

// surface is what the released modules show, and the way to find the packages that they mention.
type surface struct {
	modules  []string                  // their folders
	packages map[string]*types.Package // by the name of the file in api/: core-sso.txt
	imports  types.Importer
}

// load asks the go command for the public packages of the workspace at root. It reads what the compiler
// exports, as the compiler does itself: no source is checked twice, and what is in the build cache is at hand.
func load(ctx context.Context, root string) (*surface, error) {
	modules, err := repo.Modules(root)
	if err != nil {
		return nil, err
	}
	s := &surface{packages: map[string]*types.Package{}}
	args := []string{"list", "-export", "-deps", "-json=ImportPath,Name,Export,DepOnly"}
	for _, m := range modules {
		if m.Workspace && m.Dir != unpromised {
			s.modules = append(s.modules, m.Dir)
			args = append(args, "./"+m.Dir+"/...")
		}
	}
	list := exec.CommandContext(ctx, "go", args...)
	list.Dir = root
	list.Env = append(os.Environ(), "GOWORK="+filepath.Join(root, "go.work"))
	var problem bytes.Buffer
	list.Stderr = &problem
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("the modules do not build: go list: %w\n%s", err, problem.String())
	}

	exports := map[string]string{}
	var public []string
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			ImportPath, Name, Export string
			DepOnly                  bool
		}
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		exports[p.ImportPath] = p.Export
		if !p.DepOnly && p.Name != "main" && !slices.Contains(strings.Split(p.ImportPath, "/"), "internal") {
			public = append(public, p.ImportPath)
		}
	}
	s.imports = importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) {
		if exports[path] == "" {
			return nil, fmt.Errorf("nothing imports %s any longer", path)
		}
		return os.Open(exports[path])
	})
	for _, path := range public {
		p, err := s.imports.Import(path)
		if err != nil {
			return nil, err
		}
		s.packages[fileOf(strings.TrimPrefix(path, repo.Prefix))] = p
	}
	return s, nil
}

// fileOf is the file in api/ of a package, or the beginning of those of a module.
func fileOf(folder string) string {
	return strings.ReplaceAll(folder, "/", "-") + ".txt"
}

// belongs says whether a file in api/ describes a package of the module in that folder.
func belongs(file, module string) bool {
	stem := strings.TrimSuffix(fileOf(module), ".txt")
	return file == stem+".txt" || strings.HasPrefix(file, stem+"-")
}
