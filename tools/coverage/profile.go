package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/cover"
)

// count is how many statements there are and how many ran.
type count struct{ covered, statements int }

func (c count) with(block cover.ProfileBlock) count {
	c.statements += block.NumStmt
	if block.Count > 0 {
		c.covered += block.NumStmt
	}
	return c
}

func (c count) missed() int { return c.statements - c.covered }

// percent is 100 where there is nothing to cover.
func (c count) percent() float64 {
	if c.statements == 0 {
		return 100
	}
	return 100 * float64(c.covered) / float64(c.statements)
}

// below compares whole numbers, so that 89.96 % is not rounded up to the floor.
func (c count) below(floor int) bool { return 100*c.covered < floor*c.statements }

// measured is a module, a package or a function with what the tests cover of it.
type measured struct {
	name string
	count
}

// read reads a profile. With -coverpkg every test binary reports every package, so a block stands
// there several times; [cover.ParseProfilesFromReader] merges those of one file.
func read(profile io.Reader) ([]*cover.Profile, error) { return cover.ParseProfilesFromReader(profile) }

// byPackage sums a profile up by package, in their order.
func byPackage(profile []*cover.Profile) []measured {
	packages := map[string]count{}
	for _, file := range profile {
		c := packages[path.Dir(file.FileName)]
		for _, block := range file.Blocks {
			c = c.with(block)
		}
		packages[path.Dir(file.FileName)] = c
	}
	var list []measured
	for _, name := range slices.Sorted(maps.Keys(packages)) {
		list = append(list, measured{name, packages[name]})
	}
	return list
}

// leastCovered are the functions with most statements that no test runs, n of them at most: those for
// which a test would help most. The sources are looked for below root.
func leastCovered(root string, profile []*cover.Profile, n int) ([]measured, error) {
	var list []measured
	for _, file := range profile {
		name := strings.TrimPrefix(file.FileName, prefix)
		files := token.NewFileSet()
		source, err := parser.ParseFile(files, filepath.Join(root, filepath.FromSlash(name)), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, declaration := range source.Decls {
			function, ok := declaration.(*ast.FuncDecl)
			if !ok {
				continue
			}
			first, last := files.Position(function.Pos()).Line, files.Position(function.End()).Line
			var c count
			for _, block := range file.Blocks {
				if first <= block.StartLine && block.EndLine <= last {
					c = c.with(block)
				}
			}
			if c.missed() > 0 {
				list = append(list, measured{fmt.Sprintf("%s:%d %s", name, first, function.Name.Name), c})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b measured) int { return b.missed() - a.missed() })
	return list[:min(n, len(list))], nil
}

func sum(packages []measured) count {
	var total count
	for _, p := range packages {
		total.covered += p.covered
		total.statements += p.statements
	}
	return total
}

// judge makes a table of a module's packages and its total, and says what is wrong with it, "" if nothing is.
func judge(module string, packages []measured, floor int) (table, fault string) {
	var text strings.Builder
	line := func(row measured, mark string) {
		if !row.below(floor) {
			mark = ""
		}
		fmt.Fprintf(&text, "%-32s %5d of %5d  %5.1f %%%s\n", strings.TrimPrefix(row.name, prefix), row.covered, row.statements, row.percent(), mark)
	}
	for _, row := range packages {
		line(row, "  low")
	}
	total := sum(packages)
	line(measured{"total of " + module, total}, "  below the floor")
	switch {
	case total.statements == 0:
		fault = module + ": the profile holds no statement at all"
	case total.below(floor):
		fault = fmt.Sprintf("%s: %d of %d statements are covered (%.1f %%), at least %d %% must be", module, total.covered, total.statements, total.percent(), floor)
	}
	return text.String() + "\n", fault
}
