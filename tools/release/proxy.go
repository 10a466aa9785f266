package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"

	"github.com/more-retail/moresso-go/tools/internal/goproxy"
	"github.com/more-retail/moresso-go/tools/internal/repo"
)

// snapshot copies what git would commit of a repository into a repository of its own, so that
// versions can be set there.
func snapshot(ctx context.Context, root, to string) error {
	listed, err := shell{dir: root}.run(ctx, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	if err != nil {
		return err
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(listed, "\x00"), "\x00") {
		if info, err := os.Lstat(filepath.Join(root, name)); err == nil && info.Mode()&fs.ModeSymlink != 0 {
			return fmt.Errorf("%s is a symbolic link, which no zip of a module holds: put the file there", name)
		}
		if err := copyFile(filepath.Join(root, name), filepath.Join(to, name)); err != nil && !os.IsNotExist(err) { // one that was deleted is still listed
			return err
		}
	}
	_, err = shell{dir: to}.run(ctx, "git", "init", "--quiet")
	return err
}

func copyFile(from, to string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, text, info.Mode().Perm())
}

// serve makes the zip of a module as a proxy makes it from the commit HEAD, and puts it into a
// file proxy. It gives the size of the zip.
func serve(root, proxy string, m repo.Module, version string, at time.Time) (int64, error) {
	v := module.Version{Path: m.Path(), Version: version}
	var archive bytes.Buffer
	if err := zip.CreateFromVCS(&archive, v, root, "HEAD", m.Dir); err != nil {
		return 0, fmt.Errorf("%s: %w", m.Dir, err)
	}
	mod, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(m.Dir), "go.mod"))
	if err != nil {
		return 0, err
	}
	file, err := goproxy.Add(proxy, v, at, mod, archive.Bytes())
	if err != nil {
		return 0, err
	}
	return int64(archive.Len()), complete(file, v)
}

// complete says what a zip lacks that its readers need.
func complete(file string, v module.Version) error {
	checked, err := zip.CheckZip(v, file)
	if err != nil {
		return fmt.Errorf("%s: %w", v.Path, err)
	}
	has := map[string]bool{}
	for _, name := range checked.Valid {
		has[strings.TrimPrefix(name, v.String()+"/")] = true
	}
	for _, name := range []string{"go.mod", "LICENSE"} {
		if !has[name] {
			return fmt.Errorf("%s: the zip holds no %s", v.Path, name)
		}
	}
	return nil
}

func write(file string, content io.Reader) error {
	text, err := io.ReadAll(content)
	if err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o644)
}
