// Sleeps finds tests that sleep in real time: they are slow, and on a busy machine they fail.
//
//	cd tools && GOWORK=off go run ./sleeps
//
// In a test file time.Sleep, and a bare receive from time.After, which is the same in other words, must stand within a
// function literal that is handed to synctest.Test, where time is false and costs nothing. A helper that is only
// called from such a bubble says so in its doc comment: "It runs in a bubble." A test of something that keeps its own
// real time, as Redis does, says why on the line itself or the one above: "real time: the reason".
//
// Programs in bench and e2e may sleep while they wait for others.
package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/more-retail/moresso-go/tools/internal/repo"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "sleeps:", err)
		os.Exit(1)
	}
}

func run() error {
	root, err := repo.Root()
	if err != nil {
		return err
	}
	faults, files, err := search(root)
	if err != nil {
		return err
	}
	for _, f := range faults {
		fmt.Println(f)
	}
	if len(faults) > 0 {
		return fmt.Errorf("%d tests sleep in real time: put them into synctest.Test, or wait for what happens instead of for time", len(faults))
	}
	if files == 0 {
		return fmt.Errorf("no test file below %s", root)
	}
	fmt.Printf("%d test files, none sleeps in real time without a reason\n", files)
	return nil
}

// search reads every test file below root that must not sleep.
func search(root string) (faults []string, files int, err error) {
	err = filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, relErr := filepath.Rel(root, file)
		if relErr != nil {
			return relErr
		}
		if entry.IsDir() {
			base := entry.Name()
			if name == "bench" || name == "e2e" || base == "node_modules" || base == "testdata" || (name != "." && strings.HasPrefix(base, ".")) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, "_test.go") {
			return nil
		}
		files++
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		found, err := check(filepath.ToSlash(name), text)
		faults = append(faults, found...)
		return err
	})
	return faults, files, err
}

// check returns the sleeps of a file, as "file:line: what".
func check(name string, text []byte) ([]string, error) {
	files := token.NewFileSet()
	parsed, err := parser.ParseFile(files, name, text, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	reasons := map[int]bool{} // the lines that give one
	for _, group := range parsed.Comments {
		for _, c := range group.List {
			if _, reason, found := strings.Cut(c.Text, "real time: "); found && strings.TrimSpace(reason) != "" {
				reasons[files.Position(c.Pos()).Line] = true
			}
		}
	}
	clock, synctest := importedAs(parsed, "time"), importedAs(parsed, "testing/synctest")
	var faults []string
	report := func(at token.Pos, what string) {
		if line := files.Position(at).Line; !reasons[line] && !reasons[line-1] {
			faults = append(faults, fmt.Sprintf("%s:%d: %s outside a bubble of testing/synctest", name, line, what))
		}
	}
	var visit func(ast.Node) bool
	visit = func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			return n.Doc == nil || !strings.Contains(n.Doc.Text(), "runs in a bubble")
		case *ast.CommClause:
			// A select that has time.After among others waits for them, with a limit; only its body may sleep.
			for _, s := range n.Body {
				ast.Inspect(s, visit)
			}
			return false
		case *ast.CallExpr:
			if is(n.Fun, synctest, "Test") {
				return false
			}
		case *ast.SelectorExpr: // a call, or the function handed on as a value
			if is(n, clock, "Sleep") {
				report(n.Pos(), "time.Sleep")
			}
		case *ast.UnaryExpr:
			if call, ok := n.X.(*ast.CallExpr); ok && n.Op == token.ARROW && is(call.Fun, clock, "After") {
				report(n.Pos(), "a wait for time.After")
			}
		}
		return true
	}
	ast.Inspect(parsed, visit)
	return faults, nil
}

// importedAs is the name that a file knows a package by; empty if it does not.
func importedAs(file *ast.File, path string) string {
	for _, i := range file.Imports {
		if i.Path.Value != `"`+path+`"` {
			continue
		}
		if i.Name != nil {
			return i.Name.Name
		}
		return path[strings.LastIndex(path, "/")+1:]
	}
	return ""
}

func is(expr ast.Expr, pkg, name string) bool {
	selector, ok := expr.(*ast.SelectorExpr)
	if !ok || pkg == "" || selector.Sel.Name != name {
		return false
	}
	of, ok := selector.X.(*ast.Ident)
	return ok && of.Name == pkg
}
