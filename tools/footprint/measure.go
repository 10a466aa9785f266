package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"

	"github.com/more-retail/moresso-go/tools/internal/goproxy"
	"github.com/more-retail/moresso-go/tools/internal/repo"
)

// footprint is what a program weighs.
type footprint struct {
	size     int64 // of the binary, in bytes
	packages int   // compiled in, the standard library's among them
	modules  int   // compiled in, beside its own
	sums     int   // modules that its go.sum names
}

// flags of go build are those for a container: nothing of the machine, no symbols.
var flags = []string{"-trimpath", "-buildvcs=false", "-ldflags=-s -w"}

// workshop is where programs are built, as those who require this library build them: from modules
// that a proxy serves, in folders and a module cache of their own.
type workshop struct {
	dir     string
	version string // of this repository's modules
	modules []repo.Module
	env     []string
}

// open serves every released module of the repository as it stands.
func open(ctx context.Context, root, dir string) (*workshop, error) {
	modules, err := repo.Modules(root)
	if err != nil {
		return nil, err
	}
	w := &workshop{dir: dir, modules: modules}
	for _, m := range modules {
		for _, r := range m.Requirements() {
			w.version = r.Mod.Version // they require each other at one version; see tools/release
		}
	}
	proxy := filepath.Join(dir, "proxy")
	for _, m := range modules {
		if !m.Workspace {
			continue
		}
		folder := filepath.Join(root, filepath.FromSlash(m.Dir))
		goMod, err := os.ReadFile(filepath.Join(folder, "go.mod"))
		if err != nil {
			return nil, err
		}
		v := module.Version{Path: m.Path(), Version: w.version}
		var archive bytes.Buffer
		if err := zip.CreateFromDir(&archive, v, folder); err != nil {
			return nil, fmt.Errorf("%s: %w", m.Dir, err)
		}
		if _, err := goproxy.Add(proxy, v, time.Unix(0, 0), goMod, archive.Bytes()); err != nil {
			return nil, err
		}
	}
	chain, err := goproxy.Chain(ctx, proxy)
	if err != nil {
		return nil, err
	}
	w.env = []string{
		"GOPROXY=" + chain, "GONOSUMDB=" + repo.Prefix + "*", "GOPRIVATE=", "GONOPROXY=", "GOWORK=off",
		"GOFLAGS=-modcacherw", "GOMODCACHE=" + filepath.Join(dir, "modules"), // removed afterwards
		"CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64", "GOAMD64=v1", "GOEXPERIMENT=",
	}
	return w, nil
}

// run gives what a command in a folder prints.
func (w *workshop) run(ctx context.Context, dir string, args ...string) (string, error) {
	command := exec.CommandContext(ctx, "go", args...)
	command.Dir = dir
	command.Env = append(os.Environ(), w.env...)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("go %s, in %s: %w\n%s", strings.Join(args, " "), dir, err, &stderr)
	}
	return stdout.String(), nil
}

// goMod requires the modules of this repository that a program imports. One that imports none has its
// framework at the version that the adapter has it at, so that both programs have the same.
func (w *workshop) goMod(source, adapter string) string {
	var own, others []string
	for _, m := range w.modules {
		if strings.Contains(source, `"`+m.Path()+`"`) || strings.Contains(source, `"`+m.Path()+"/") {
			own = append(own, "require "+m.Path()+" "+w.version)
		}
		if m.Dir != adapter {
			continue
		}
		for _, r := range m.File.Require {
			if !strings.HasPrefix(r.Mod.Path, repo.Prefix) {
				others = append(others, "require "+r.Mod.Path+" "+r.Mod.Version) // tidying drops what is not needed
			}
		}
	}
	if own != nil {
		others = nil
	}
	return "module example.com/orders\n\ngo 1.25.0\n" + strings.Join(append(own, others...), "\n") + "\n"
}

// prepare writes a program into a folder of its own.
func (w *workshop) prepare(ctx context.Context, name, adapter string) (dir string, err error) {
	source, err := sources.ReadFile("services/" + name + ".go.txt")
	if err != nil {
		return "", err
	}
	dir = filepath.Join(w.dir, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	for file, text := range map[string]string{"main.go": string(source), "go.mod": w.goMod(string(source), adapter)} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			return "", err
		}
	}
	_, err = w.run(ctx, dir, "mod", "tidy")
	return dir, err
}

// build builds the program in a folder, and gives the binary.
func (w *workshop) build(ctx context.Context, dir string) ([]byte, error) {
	if _, err := w.run(ctx, dir, append(append([]string{"build"}, flags...), "-o", "service", ".")...); err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(dir, "service"))
}

// measure builds a program and weighs it.
func (w *workshop) measure(ctx context.Context, name, adapter string) (f footprint, err error) {
	dir, err := w.prepare(ctx, name, adapter)
	if err != nil {
		return f, err
	}
	binary, err := w.build(ctx, dir)
	if err != nil {
		return f, err
	}
	f.size = int64(len(binary))
	packages, err := w.run(ctx, dir, "list", "-deps", ".")
	if err != nil {
		return f, err
	}
	modules, err := w.run(ctx, dir, "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", ".")
	if err != nil {
		return f, err
	}
	f.packages, f.modules = distinct(strings.Fields(packages)), distinct(strings.Fields(modules))-1
	sums, err := os.ReadFile(filepath.Join(dir, "go.sum"))
	if os.IsNotExist(err) { // the standard library alone
		return f, nil
	}
	var required []string
	for line := range strings.Lines(string(sums)) {
		required = append(required, strings.Fields(line)[0])
	}
	f.sums = distinct(required)
	return f, err
}

func distinct(names []string) int {
	seen := map[string]bool{}
	for _, name := range names {
		seen[name] = true
	}
	return len(seen)
}

// reproduce builds a program that was measured again, in another folder, with another module cache
// and an empty build cache, and says whether both binaries are the same.
func (w *workshop) reproduce(ctx context.Context, name string) (bool, error) {
	first, err := os.ReadFile(filepath.Join(w.dir, name, "service"))
	if err != nil {
		return false, err
	}
	elsewhere := *w
	elsewhere.dir = filepath.Join(w.dir, "some", "where", "else")
	elsewhere.env = append(append([]string{}, w.env...), "GOMODCACHE="+filepath.Join(elsewhere.dir, "modules"), "GOCACHE="+filepath.Join(elsewhere.dir, "cache"))
	dir, err := elsewhere.prepare(ctx, name, "")
	if err != nil {
		return false, err
	}
	second, err := elsewhere.build(ctx, dir)
	return bytes.Equal(first, second), err
}
