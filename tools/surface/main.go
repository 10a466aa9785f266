// Command surface keeps the promises of the public surface. It writes what every public package of the released
// modules shows to api/, so that a change of it is seen in review, and refuses a change that breaks a program
// and is not announced in CHANGELOG.md.
//
//	surface write           writes api/*.txt
//	surface check           fails if they are not what the code says
//	surface compat          the same, and fails if a promise of the last release is broken and not announced
//	surface breaks          prints the promises of the last release that are broken, announced or not
//	surface record v1.2.3   after compat: from now on, api/*.txt is what the release v1.2.3 has promised
//
// The last release is told by the tags of each module; a clone without tags goes by api/released, which
// nothing but record writes.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/more-retail/moresso-go/tools/internal/repo"
)

func main() {
	root, err := repo.Root()
	if err == nil {
		err = run(context.Background(), root, os.Args[1:]...)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, root string, args ...string) error {
	command := strings.Join(args, " ")
	release, recording := strings.CutPrefix(command, "record ")
	if !recording && !slices.Contains([]string{"write", "check", "compat", "breaks"}, command) {
		return errors.New("usage: surface write | check | compat | breaks | record VERSION")
	}
	now, err := load(ctx, root)
	if err != nil {
		return err
	}
	want := map[string][]byte{}
	for file, p := range now.packages {
		want[file] = []byte(write(p))
	}
	switch command {
	case "write":
		return replace(filepath.Join(root, api), want)
	case "check":
		return fresh(root, want)
	case "breaks":
		return printBroken(ctx, root, now)
	}
	if err := errors.Join(fresh(root, want), compatible(ctx, root, now)); err != nil {
		return err
	}
	if !recording {
		fmt.Printf("compat: %d packages keep what was promised, or announce that they do not\n", len(want))
		return nil
	}
	return record(root, release, want)
}

// fresh says whether the texts in api/ are those of the code.
func fresh(root string, want map[string][]byte) error {
	have, err := texts(filepath.Join(root, api))
	if err != nil {
		return err
	}
	var errs []error
	for _, file := range slices.Sorted(maps.Keys(want)) {
		if !bytes.Equal(have[file], want[file]) {
			errs = append(errs, fmt.Errorf("%s/%s is not what the code says: run make api and commit what it writes", api, file))
		}
	}
	for _, file := range slices.Sorted(maps.Keys(have)) {
		if want[file] == nil {
			errs = append(errs, fmt.Errorf("%s/%s describes a package that is gone: run make api and commit its removal", api, file))
		}
	}
	return errors.Join(errs...)
}

// compatible says whether every module keeps what it promised, or announces that it does not.
func compatible(ctx context.Context, root string, now *surface) error {
	changelog, err := os.ReadFile(filepath.Join(root, "CHANGELOG.md"))
	if err != nil {
		return err
	}
	errs := []error{lost(ctx, root, now.modules)}
	for _, module := range now.modules {
		then, err := promised(ctx, root, module)
		if err != nil {
			return err
		}
		errs = append(errs, compare(now, then, string(changelog)))
	}
	return errors.Join(errs...)
}

// printBroken writes a line for each broken promise: its name, and who promised it.
func printBroken(ctx context.Context, root string, now *surface) error {
	for _, module := range now.modules {
		then, err := promised(ctx, root, module)
		if err != nil {
			return err
		}
		all, err := brokenSince(now, then)
		if err != nil {
			return err
		}
		for _, b := range all {
			fmt.Printf("%s (%s)\n", b.name, b.since)
		}
	}
	return nil
}

// lost says which texts of the last release belong to no module that is released now: no module's comparison would see them.
func lost(ctx context.Context, root string, modules []string) error {
	promises, err := texts(filepath.Join(root, released))
	if err != nil {
		return err
	}
	if tag, err := newestTag(ctx, root, "core"); err != nil {
		return err
	} else if tag != "" {
		files, err := git(ctx, root, "ls-tree", "--name-only", tag, api+"/")
		if err != nil {
			return err
		}
		promises = map[string][]byte{}
		for path := range strings.FieldsSeq(files) {
			if strings.HasSuffix(path, ".txt") {
				promises[strings.TrimPrefix(path, api+"/")] = nil
			}
		}
	}
	var errs []error
	for _, file := range slices.Sorted(maps.Keys(promises)) {
		if !slices.ContainsFunc(modules, func(m string) bool { return belongs(file, m) }) {
			errs = append(errs, fmt.Errorf("%s was promised, and no module of go.work has it any more: bring the module back", strings.TrimSuffix(file, ".txt")))
		}
	}
	return errors.Join(errs...)
}
