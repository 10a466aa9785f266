package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// ERRORS.md has one row for every code. Package core/sso writes and tests the tables of reasons.
func TestErrorsPage_Codes(t *testing.T) {
	_, section, _ := strings.Cut(read(t, filepath.Join(root, "docs", "ERRORS.md")), "## What the client sees\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var got []string
	for _, row := range rows(section) {
		got = append(got, strings.Trim(row[1], "`"))
	}
	want := constants(t, filepath.Join(root, "core", "sso", "denial.go"), "Code")
	slices.Sort(got)
	slices.Sort(want)
	if len(want) < 5 || !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

var separator = regexp.MustCompile(`^\|[-|]+\|$`)

// rows returns the cells of all tables in a text, without their headings.
func rows(text string) (all [][]string) {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if !strings.HasPrefix(line, "| ") || i+1 < len(lines) && separator.MatchString(lines[i+1]) {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		all = append(all, cells)
	}
	return all
}

// constants returns the values of a file's string constants whose names have a prefix.
func constants(t *testing.T, path, prefix string) (values []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != len(spec.Names) {
			return true
		}
		for i, name := range spec.Names {
			if literal, ok := spec.Values[i].(*ast.BasicLit); ok && strings.HasPrefix(name.Name, prefix) {
				value, err := strconv.Unquote(literal.Value)
				if err != nil {
					t.Fatal(err)
				}
				values = append(values, value)
			}
		}
		return true
	})
	return values
}
