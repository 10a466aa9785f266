package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/more-retail/moresso-go/tools/internal/repo"
)

// scanner runs govulncheck.
type scanner struct {
	root     string
	database string
	cache    string // where findings are kept; empty: nowhere
}

// scanAll begins to scan the modules, two at a time, and returns for each what waits for its findings.
func (s scanner) scanAll(ctx context.Context, modules []repo.Module) []func() ([]finding, error) {
	turns := make(chan struct{}, 2) // one loads packages while the other thinks, and each takes a gigabyte
	answers := make([]func() ([]finding, error), len(modules))
	for i, m := range modules {
		var found []finding
		var err error
		done := make(chan struct{})
		go func() {
			defer close(done)
			turns <- struct{}{}
			defer func() { <-turns }()
			found, err = s.scan(ctx, m, modules)
		}()
		answers[i] = func() ([]finding, error) { <-done; return found, err }
	}
	return answers
}

// scan returns what govulncheck finds in a module.
func (s scanner) scan(ctx context.Context, m repo.Module, all []repo.Module) ([]finding, error) {
	if s.cache == "" {
		return s.govulncheck(ctx, m)
	}
	key, err := s.key(m, all)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(s.cache, strings.ReplaceAll(m.Dir, "/", "-")+"-"+key+".json")
	var found []finding
	if text, err := os.ReadFile(file); err == nil && json.Unmarshal(text, &found) == nil {
		return found, nil
	}
	if found, err = s.govulncheck(ctx, m); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(s.cache, 0o755); err != nil {
		return nil, err
	}
	// Of each module the last answer is enough.
	old, err := filepath.Glob(filepath.Join(s.cache, strings.ReplaceAll(m.Dir, "/", "-")+"-"+strings.Repeat("?", len(key))+".json"))
	if err != nil {
		return nil, err
	}
	for _, o := range old {
		_ = os.Remove(o)
	}
	return found, write(file, found)
}

// key is a digest of all that the answer depends on: the sources of the module and of those of the repository that it
// requires, with their go.mod and go.sum, the database, Go, and govulncheck, whose version tools/go.sum has.
func (s scanner) key(m repo.Module, all []repo.Module) (string, error) {
	dirs := []string{m.Dir}
	for _, r := range m.Requirements() {
		for _, other := range all {
			if other.Path() == r.Mod.Path {
				dirs = append(dirs, other.Dir)
			}
		}
	}
	slices.Sort(dirs)
	digest := sha256.New()
	_, _ = fmt.Fprintln(digest, s.database, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	if err := addFile(digest, s.root, filepath.Join(s.root, "tools", "go.sum")); err != nil {
		return "", err
	}
	for _, dir := range dirs {
		err := filepath.WalkDir(filepath.Join(s.root, filepath.FromSlash(dir)), func(file string, entry fs.DirEntry, err error) error {
			switch name := filepath.Base(file); {
			case err != nil:
				return err
			case entry.IsDir() && (name == "node_modules" || name == "testdata"):
				return filepath.SkipDir
			case !entry.IsDir() && (strings.HasSuffix(name, ".go") || name == "go.mod" || name == "go.sum"):
				return addFile(digest, s.root, file)
			}
			return nil
		})
		if err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(digest.Sum(nil)[:8]), nil
}

func addFile(digest io.Writer, root, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	name, err := filepath.Rel(root, file)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(digest, "%s %d\n%s", filepath.ToSlash(name), len(text), text)
	return err
}

func (s scanner) govulncheck(ctx context.Context, m repo.Module) ([]finding, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(s.root, "bin", "govulncheck"), "-db", s.database, "-format", "json", "-test", "./...")
	cmd.Dir = filepath.Join(s.root, filepath.FromSlash(m.Dir))
	cmd.Env = append(os.Environ(), "GOWORK=off")
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	text, err := cmd.Output()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("bin/govulncheck is missing: run make vulncheck, which builds it")
	}
	if err != nil {
		return nil, fmt.Errorf("govulncheck: %w\n%s", err, complaint.Bytes())
	}
	return read(bytes.NewReader(text))
}
