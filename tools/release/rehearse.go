package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/semver"

	"github.com/more-retail/moresso-go/tools/internal/goproxy"
	"github.com/more-retail/moresso-go/tools/internal/repo"
)

// rehearse releases the repository as it stands to strangers of its own making: it checks the
// go.mod files, serves every module at a version that nobody has seen before, and has modules
// elsewhere, with empty module caches, require it, build it and be called.
func rehearse(ctx context.Context, root string) error {
	modules, version, err := checked(root)
	if err != nil {
		return err
	}
	temp, err := os.MkdirTemp("", "moresso-release-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp) //nolint:errcheck // a folder for temporary files, which the system clears
	now := time.Now()
	candidate, err := candidateOf(ctx, root, version, now)
	if err != nil {
		return err
	}
	fmt.Printf("%d modules require each other at %s; rehearsed as %s\n", len(modules), version, candidate)

	copied := filepath.Join(temp, "repository")
	if err := snapshot(ctx, root, copied); err != nil {
		return err
	}
	if err := prepare(ctx, copied, version, candidate); err != nil {
		return err
	}
	proxy := filepath.Join(temp, "proxy")
	for _, m := range modules {
		if !m.Workspace {
			continue
		}
		size, err := serve(copied, proxy, m, candidate, now)
		if err != nil {
			return err
		}
		fmt.Printf("  %-16s %6.1f KiB\n", m.Dir, float64(size)/1024)
	}
	visit := visitor{temp: temp, repository: copied, candidate: candidate}
	if visit.proxies, err = goproxy.Chain(ctx, proxy); err != nil {
		return err
	}
	return visit.all(ctx, modules)
}

// checked reads the modules and refuses what faults finds in them.
func checked(root string) (modules []repo.Module, version string, err error) {
	modules, err = repo.Modules(root)
	if err != nil {
		return nil, "", err
	}
	lowest, err := goVersion(root)
	if err != nil {
		return nil, "", err
	}
	if found := faults(modules, lowest); len(found) > 0 {
		return nil, "", errors.New("these modules cannot be required by anybody:\n  " + strings.Join(found, "\n  "))
	}
	version, err = versionOf(modules)
	return modules, version, err
}

// candidateOf is a release candidate that no cache knows: of the version that the modules require
// each other at, or of the one after it when that has been released.
func candidateOf(ctx context.Context, root, version string, now time.Time) (string, error) {
	tag, err := shell{dir: root}.run(ctx, "git", "tag", "--list", "core/"+version)
	if err != nil {
		return "", err
	}
	next := strings.TrimSuffix(version, semver.Prerelease(version))
	if tag != "" && next == version {
		var major, minor, patch int
		if _, err := fmt.Sscanf(version, "v%d.%d.%d", &major, &minor, &patch); err != nil {
			return "", err
		}
		next = fmt.Sprintf("v%d.%d.%d", major, minor, patch+1)
	}
	return fmt.Sprintf("%s-rc.%d", next, now.UnixNano()), nil
}

// prepare does in a copy what a release does: it sets the version, tidies, and commits.
func prepare(ctx context.Context, root, from, to string) error {
	modules, err := repo.Modules(root)
	if err != nil {
		return err
	}
	if err := setVersion(root, modules, from, to); err != nil {
		return err
	}
	for _, m := range modules {
		if !m.Workspace {
			continue
		}
		if err := (shell{dir: filepath.Join(root, filepath.FromSlash(m.Dir))}).tidy(ctx); err != nil {
			return err
		}
	}
	git := shell{dir: root}
	if _, err := git.run(ctx, "git", "add", "--all"); err != nil {
		return err
	}
	_, err = git.run(ctx, "git", "-c", "user.name=rehearsal", "-c", "user.email=rehearsal@invalid", "-c", "commit.gpgsign=false",
		"commit", "--quiet", "--no-verify", "--message", "release "+to)
	return err
}
