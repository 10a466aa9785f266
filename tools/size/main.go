// Command size prints how many lines of Go each part of the repository has, and how many names it exports.
// It fails if one of them is above its budget. Test files are not counted; comments and blank lines are.
package main

import (
	"bytes"
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"log"
	"os"
	"path"
	"slices"
	"strings"
)

// maxNames is the budget of exported names in all packages that a service can import. The goal is 520. The
// excess are names that users need, such as the reasons of refusals and the methods of test servers.
const maxNames = 662

// private are the modules that are not released.
var private = []string{"bench", "e2e", "examples", "tools"}

// A part is a set of folders with a budget of lines. A file counts for the first part that has its folder, and for everything.
type part struct {
	name    string
	folders []string
	budget  int
	lines   int
}

var everything = part{name: "everything", budget: 29_000}

var parts = []part{
	{name: "core/ssotest, adaptertest and devissuer", folders: []string{"core/ssotest", "core/adaptertest", "core/devissuer"}, budget: 4980},
	{name: "core, all else", folders: []string{"core"}, budget: 10150}, // the goal is 8000
	{name: "redisstore", folders: []string{"redisstore"}, budget: 2100},
	{name: "cmd/sso", folders: []string{"cmd/sso"}, budget: 3310},
	{name: "tools", folders: []string{"tools"}, budget: 1500},
	{name: "bench", folders: []string{"bench"}, budget: 2150},
	{name: "examples and e2e", folders: []string{"examples", "e2e"}, budget: 3900},
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("size: ")
	root := os.DirFS(cmp.Or(strings.Join(os.Args[1:], ""), ".."))
	names, packages := 0, map[string]int{} // lines of each package of core
	err := fs.WalkDir(root, ".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if name := entry.Name(); file != "." && name[0] == '.' || name == "node_modules" || name == "testdata" || name == "bin" {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		text, err := fs.ReadFile(root, file)
		if err != nil {
			return err
		}
		lines := bytes.Count(text, []byte("\n"))
		count(file, lines)
		if strings.HasPrefix(file, "core/") {
			packages[path.Dir(file)] += lines
		}
		exported, err := exportedNames(file, text)
		names += exported
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
	if !report(names, packages) {
		log.Fatal("above the budget")
	}
}

func count(file string, lines int) {
	everything.lines += lines
	for i, p := range parts {
		for _, folder := range p.folders {
			if strings.HasPrefix(file, folder+"/") {
				parts[i].lines += lines
				return
			}
		}
	}
}

// exportedNames counts what a file exports: names of the package, methods and fields.
func exportedNames(file string, text []byte) (names int, err error) {
	module, _, _ := strings.Cut(file, "/")
	if slices.Contains(private, module) || strings.Contains("/"+path.Dir(file)+"/", "/internal/") {
		return 0, nil
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), file, text, parser.SkipObjectResolution)
	if err != nil || parsed.Name.Name == "main" {
		return 0, err
	}
	add := func(idents ...*ast.Ident) (added bool) {
		for _, ident := range idents {
			if ident.IsExported() {
				names++
				added = true
			}
		}
		return added
	}
	for _, decl := range parsed.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			if decl.Recv == nil || ast.IsExported(receiver(decl.Recv.List[0].Type)) {
				add(decl.Name)
			}
		case *ast.GenDecl:
			for _, spec := range decl.Specs {
				switch spec := spec.(type) {
				case *ast.ValueSpec:
					add(spec.Names...)
				case *ast.TypeSpec:
					if add(spec.Name) {
						if structure, ok := spec.Type.(*ast.StructType); ok {
							for _, field := range structure.Fields.List {
								add(field.Names...)
							}
						}
					}
				}
			}
		}
	}
	return names, nil
}

func receiver(expr ast.Expr) string {
	switch expr := expr.(type) {
	case *ast.StarExpr:
		return receiver(expr.X)
	case *ast.IndexExpr:
		return receiver(expr.X)
	case *ast.Ident:
		return expr.Name
	}
	return ""
}

// report prints the numbers and reports whether all are within their budgets.
func report(names int, packages map[string]int) bool {
	ok := true
	line := func(name string, number, budget int) {
		mark := ""
		if number > budget {
			mark = "  TOO MANY"
			ok = false
		}
		fmt.Printf("%-40s %6d of %6d%s\n", name, number, budget, mark)
	}
	for _, p := range append(parts, everything) {
		line(p.name, p.lines, p.budget)
	}
	line("exported names", names, maxNames)
	core, largest := 0, ""
	for name, lines := range packages {
		core += lines
		if lines > packages[largest] {
			largest = name
		}
	}
	line("largest package of core, "+largest, packages[largest], core/4)
	return ok
}
