package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/semver"

	"github.com/more-retail/moresso-go/tools/internal/repo"
)

// release sets a version in every module, has the rehearsal, commits, and tags all released
// modules on that one commit. It pushes nothing. When something is wrong the working tree is put
// back as it was.
func release(ctx context.Context, root, version string) (err error) {
	git := shell{dir: root}
	modules, from, err := checked(root)
	if err != nil {
		return err
	}
	broken, err := brokenPromises(ctx, root)
	if err != nil {
		return err
	}
	if err := releasable(ctx, git, version, modules, broken); err != nil {
		return err
	}
	defer func() {
		if err == nil {
			return
		}
		// Nothing is lost by it: the tree held no change when this began.
		if _, undo := git.run(context.WithoutCancel(ctx), "git", "reset", "--hard", "--quiet", "HEAD"); undo != nil {
			err = errors.Join(err, undo)
		}
	}()
	if err := setVersion(root, modules, from, version); err != nil {
		return err
	}
	for _, m := range modules {
		fmt.Println("tidy", m.Dir)
		if err := (shell{dir: filepath.Join(root, filepath.FromSlash(m.Dir))}).tidy(ctx); err != nil {
			return err
		}
	}
	if semver.Prerelease(version) == "" {
		if err := closeChangelog(filepath.Join(root, "CHANGELOG.md"), version, time.Now()); err != nil {
			return err
		}
		// From now on a change of the public surface is held against this one.
		surface := shell{dir: filepath.Join(root, "tools"), env: []string{"GOWORK=off"}}
		if _, err := surface.run(ctx, "go", "run", "./surface", "record", version); err != nil {
			return err
		}
	}
	if err := rehearse(ctx, root); err != nil {
		return err
	}
	return commitAndTag(ctx, git, version, modules)
}

// releasable refuses what cannot be released, all reasons at once. Broken are the promises of the last release that are.
func releasable(ctx context.Context, git shell, version string, modules []repo.Module, broken []string) error {
	var faults []error
	switch {
	case !semver.IsValid(version) || semver.Canonical(version) != version:
		return fmt.Errorf("%q is no version: write it as v0.1.0 or v0.2.0-rc.1", version)
	case semver.Major(version) != "v0" && semver.Major(version) != "v1":
		faults = append(faults, fmt.Errorf("%s needs module paths that end in /%s (https://go.dev/ref/mod#major-version-suffixes), which these do not", version, semver.Major(version)))
	}
	changes, err := git.run(ctx, "git", "status", "--porcelain", "--untracked-files=all")
	if err != nil {
		return err
	}
	if changes != "" {
		faults = append(faults, fmt.Errorf("the working tree is not clean, so what is released would be no commit: commit or stash\n%s", changes))
	}
	// What the index says not to look at is not what the commit has.
	hidden, err := git.run(ctx, "git", "ls-files", "-v")
	if err != nil {
		return err
	}
	for line := range strings.Lines(hidden) {
		if !strings.HasPrefix(line, "H ") {
			faults = append(faults, fmt.Errorf("git does not see whether a file was changed, or has not got it: %q (git update-index --no-assume-unchanged --no-skip-worktree)", line))
		}
	}
	released, err := os.ReadFile(filepath.Join(git.dir, "api", "released", "VERSION"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	tags, err := git.run(ctx, "git", "tag", "--list", "*/v*")
	if err != nil {
		return err
	}
	newest := ""
	for tag := range strings.FieldsSeq(tags + " " + string(released)) {
		last := tag[strings.LastIndexByte(tag, '/')+1:]
		if semver.IsValid(last) && semver.Compare(version, last) <= 0 {
			faults = append(faults, fmt.Errorf("%s is not above %s, which has been released", version, tag))
		}
		if semver.Compare(last, newest) > 0 {
			newest = last
		}
	}
	faults = append(faults, suits(version, newest, broken))
	for _, m := range modules {
		if !m.Workspace {
			continue
		}
		if tag, err := git.run(ctx, "git", "tag", "--list", m.Dir+"/"+version); err != nil {
			return err
		} else if tag != "" {
			faults = append(faults, fmt.Errorf("the tag %s is there already", strings.TrimSpace(tag)))
		}
	}
	return errors.Join(faults...)
}

const unreleased = "## [Unreleased]"

// brokenPromises are the names that programs may use and that are no longer what they were in the last release.
func brokenPromises(ctx context.Context, root string) ([]string, error) {
	surface := shell{dir: filepath.Join(root, "tools"), env: []string{"GOWORK=off"}}
	text, err := surface.run(ctx, "go", "run", "./surface", "breaks")
	return strings.FieldsFunc(text, func(r rune) bool { return r == '\n' }), err
}

// suits says whether a version keeps the promise of Semantic Versioning: who raises the patch, and from v1 on the
// minor too, need not read what was removed or changed, since nothing was.
func suits(version, newest string, broken []string) error {
	switch {
	case len(broken) == 0 || !semver.IsValid(newest) || newest == "v0.0.0":
		return nil
	case semver.Major(version) == "v0" && semver.MajorMinor(version) == semver.MajorMinor(newest):
		return fmt.Errorf("programs break, which %s after %s denies: raise the minor version, or bring back %s", version, newest, strings.Join(broken, ", "))
	case semver.Major(version) != "v0" && semver.Major(version) == semver.Major(newest):
		return fmt.Errorf("programs break, which %s after %s denies: bring back %s, or raise the major version", version, newest, strings.Join(broken, ", "))
	}
	return nil
}

// closeChangelog gives what is unreleased the version and the day, and begins anew above it.
func closeChangelog(file, version string, day time.Time) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, after, found := strings.Cut(string(text), unreleased+"\n")
	news, _, _ := strings.Cut(after, "\n## [")
	if !found || strings.TrimSpace(news) == "" {
		return fmt.Errorf("CHANGELOG.md: nothing stands under %s, so nobody would learn what %s brings", unreleased, version)
	}
	heading := fmt.Sprintf("%s\n\n## [%s] - %s\n", unreleased, strings.TrimPrefix(version, "v"), day.Format(time.DateOnly))
	return write(file, strings.NewReader(before+heading+after))
}

// commitAndTag leaves one commit and one tag for each released module, or none of them.
func commitAndTag(ctx context.Context, git shell, version string, modules []repo.Module) error {
	message := "release " + version
	for _, command := range [][]string{{"add", "--all"}, {"commit", "--quiet", "--allow-empty", "--message", message}} {
		if _, err := git.run(ctx, "git", command...); err != nil {
			return err
		}
	}
	var tags []string
	for _, m := range modules {
		if !m.Workspace {
			continue
		}
		tag := m.Dir + "/" + version
		if _, err := git.run(ctx, "git", "tag", "--annotate", "--message", message, tag); err != nil {
			ctx := context.WithoutCancel(ctx) // an interrupt must not leave half of it
			if len(tags) > 0 {
				_, undo := git.run(ctx, "git", append([]string{"tag", "--delete"}, tags...)...)
				err = errors.Join(err, undo)
			}
			_, undo := git.run(ctx, "git", "reset", "--hard", "--quiet", "HEAD~1")
			return errors.Join(err, undo)
		}
		tags = append(tags, tag)
	}
	fmt.Printf("%s: one commit, %d tags. To publish them all or none:\n  git push --atomic origin HEAD %s\n", message, len(tags), strings.Join(tags, " "))
	return nil
}
