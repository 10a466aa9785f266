// Links checks every link in the repository's Markdown files, as GitHub understands them: that the file is there, that
// the heading is there, that a reference is defined, and that an address elsewhere has the form of one that others can
// follow. It asks nobody else's server: what is down there now would fail a change that has nothing to do with it.
//
//	cd tools && GOWORK=off go run ./links
package main

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/more-retail/moresso-go/tools/internal/repo"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "links:", err)
		os.Exit(1)
	}
}

func run() error {
	root, err := repo.Root()
	if err != nil {
		return err
	}
	t, err := readTree(root)
	if err != nil {
		return err
	}
	faults := t.check()
	for _, f := range faults {
		fmt.Println(f)
	}
	if len(faults) > 0 {
		return fmt.Errorf("%d links lead nowhere", len(faults))
	}
	links := 0
	for _, p := range t.pages {
		links += len(p.links)
	}
	if links == 0 {
		return fmt.Errorf("no link below %s", root)
	}
	fmt.Printf("%d Markdown files, %d links, each leads somewhere\n", len(t.pages), links)
	return nil
}

// tree is what a clone of the repository holds.
type tree struct {
	names map[string]bool // of files and folders, relative to the root, with slashes
	pages map[string]*page
}

// readTree walks over the files. What is built, fetched or installed is not part of the repository, and a link to it
// leads nowhere in a fresh clone.
func readTree(root string) (*tree, error) {
	t := &tree{names: map[string]bool{}, pages: map[string]*page{}}
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		if entry.IsDir() && (name == ".git" || name == ".cache" || name == "bin" || entry.Name() == "node_modules") {
			return filepath.SkipDir
		}
		t.names[name] = true
		if entry.IsDir() || !isMarkdown(name) {
			return nil
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		t.pages[name] = parse(text)
		return nil
	})
	return t, err
}

func isMarkdown(name string) bool { return strings.EqualFold(path.Ext(name), ".md") }
