package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/mod/semver"
)

const (
	api      = "api"          // the texts of now
	released = "api/released" // those of the last release, for clones that have no tags
	version  = "VERSION"      // in api/released: the release; v0.0.0 before the first
)

// baseline is what a module promised last.
type baseline struct {
	name    string // for people: core/v1.2.3
	version string // v1.2.3
	texts   map[string][]byte
}

// promised finds the baseline of a module: the texts in its newest release that HEAD comes from, by its tag, or
// what is recorded if there is none.
func promised(ctx context.Context, root, module string) (*baseline, error) {
	tag, err := newestTag(ctx, root, module)
	if err != nil {
		return nil, err
	}
	if tag == "" {
		return recorded(root, module)
	}
	b := &baseline{name: tag, version: strings.TrimPrefix(tag, module+"/"), texts: map[string][]byte{}}
	files, err := git(ctx, root, "ls-tree", "--name-only", tag, api+"/")
	if err != nil {
		return nil, err
	}
	for path := range strings.FieldsSeq(files) {
		if file := strings.TrimPrefix(path, api+"/"); belongs(file, module) {
			text, err := git(ctx, root, "show", tag+":"+path)
			if err != nil {
				return nil, err
			}
			b.texts[file] = []byte(text)
		}
	}
	return b, nil
}

// newestTag is the highest release of a module in the history of HEAD; a release candidate promises nothing.
func newestTag(ctx context.Context, root, module string) (string, error) {
	if _, err := os.Stat(filepath.Join(root, ".git")); errors.Is(err, fs.ErrNotExist) {
		return "", nil // sources without their history
	}
	tags, err := git(ctx, root, "tag", "--merged", "HEAD", "--list", module+"/v*")
	if err != nil {
		return "", err
	}
	newest := ""
	for tag := range strings.FieldsSeq(tags) {
		v := strings.TrimPrefix(tag, module+"/")
		if semver.IsValid(v) && semver.Prerelease(v) == "" && (newest == "" || semver.Compare(v, newest) > 0) {
			newest = v
		}
	}
	if newest == "" {
		return "", nil
	}
	return module + "/" + newest, nil
}

// recorded is the baseline that the last release left in api/released.
func recorded(root, module string) (*baseline, error) {
	v, err := os.ReadFile(filepath.Join(root, released, version))
	if err != nil {
		return nil, fmt.Errorf("nobody knows what was promised last; bring %s back from git: %w", released, err)
	}
	all, err := texts(filepath.Join(root, released))
	if err != nil {
		return nil, err
	}
	b := &baseline{version: strings.TrimSpace(string(v)), texts: map[string][]byte{}}
	b.name = released + ", " + b.version
	for file, text := range all {
		if belongs(file, module) {
			b.texts[file] = text
		}
	}
	return b, nil
}

// texts reads a folder of them.
func texts(dir string) (map[string][]byte, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil {
		return nil, err
	}
	all := map[string][]byte{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		all[filepath.Base(file)] = text
	}
	return all, nil
}

// record makes texts the promise of a release.
func record(root, v string, promise map[string][]byte) error {
	if !semver.IsValid(v) || semver.Prerelease(v) != "" {
		return fmt.Errorf("record %q: say the version that is released, such as v1.2.3", v)
	}
	dir := filepath.Join(root, released)
	if err := replace(dir, promise); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, version), []byte(v+"\n"), 0o644)
}

// replace writes a folder of texts and removes those that are no longer among them.
func replace(dir string, want map[string][]byte) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	have, err := texts(dir)
	if err != nil {
		return err
	}
	for file := range have {
		if _, ok := want[file]; !ok {
			if err := os.Remove(filepath.Join(dir, file)); err != nil {
				return err
			}
		}
	}
	for file, text := range want {
		if err := os.WriteFile(filepath.Join(dir, file), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func git(ctx context.Context, root string, args ...string) (string, error) {
	command := exec.CommandContext(ctx, "git", args...)
	command.Dir = root
	out, err := command.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return "", fmt.Errorf("git %s: %w: %s", strings.Join(args, " "), err, exit.Stderr)
	}
	return string(out), err
}
