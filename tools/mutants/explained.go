package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A key tells a mutant from every other of its package, whatever lines are put in above it.
type key struct {
	file       string
	kind       string
	occurrence int
	text       string
}

func (m mutant) key() key { return key{m.File, m.Kind, m.Occurrence, m.Text} }

func (k key) String() string {
	return fmt.Sprintf("%s %s %d: %s", k.file, k.kind, k.occurrence, k.text)
}

// An explanation says why no test can, or need, tell a mutant from the real thing.
type explanation struct {
	why string
	// sometimes is for a mutant that a race or the order of a map may let live or not: it is not stale when it has been killed.
	sometimes bool
}

// todo is what the command prints where the reason belongs; a file that still has it is refused.
const todo = "WHY?"

// readExplained reads what is known of a package's survivors: a line that names the mutant, then an indented line with the reason,
// which begins with "sometimes:" if the mutant does not always survive. Lines that begin with # are remarks.
func readExplained(root, dir string) (map[key]explanation, error) {
	file := explainedFile(root, dir)
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	known := map[key]explanation{}
	var current key
	for i, line := range strings.Split(string(text), "\n") {
		fault := func(what string) error { return fmt.Errorf("%s:%d: %s", file, i+1, what) }
		switch {
		case strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "\t"):
			why, sometimes := strings.CutPrefix(strings.TrimSpace(line), "sometimes:")
			switch {
			case current == key{}:
				return nil, fault("a reason without a mutant: one line names the mutant, the next gives the reason")
			case why == todo:
				return nil, fault("write the reason in the place of " + todo)
			}
			known[current] = explanation{strings.TrimSpace(why), sometimes}
			current = key{}
		default:
			if current != (key{}) {
				return nil, fault("the mutant before this one has no reason: indent the reason with a tab")
			}
			if current, err = parseKey(line); err != nil {
				return nil, fault(err.Error())
			}
			if _, twice := known[current]; twice {
				return nil, fault("this mutant is explained twice")
			}
		}
	}
	if current != (key{}) {
		return nil, fmt.Errorf("%s: the last mutant has no reason", file)
	}
	return known, nil
}

// explainedFile is the file for the package in dir: explained/core/keys.txt.
func explainedFile(root, dir string) string {
	return filepath.Join(root, "tools", "mutants", "explained", filepath.FromSlash(dir)+".txt")
}

func parseKey(line string) (key, error) {
	head, text, ok := strings.Cut(line, ": ")
	fields := strings.Fields(head)
	if ok && len(fields) == 3 {
		if n, err := strconv.Atoi(fields[2]); err == nil {
			return key{fields[0], fields[1], n, text}, nil
		}
	}
	return key{}, errors.New("want `file kind occurrence: the line of the source`, as the command prints it")
}
