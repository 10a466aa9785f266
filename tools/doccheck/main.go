// Doccheck holds the documentation of the released packages to two rules: every exported name has a
// doc comment, fields, methods and the members of groups included; and every exported function is
// shown by an Example beside it, or its name stands among the exceptions with a reason.
//
// It prints one line for each fault and ends with 1 if there is any, or one line that all is well. `make lint` runs it.
package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/more-retail/moresso-go/tools/internal/repo"
)

func main() {
	faults, err := run()
	if err != nil {
		fmt.Fprintln(os.Stderr, "doccheck:", err)
		os.Exit(1)
	}
	for _, fault := range faults {
		fmt.Println(fault)
	}
	if len(faults) > 0 {
		os.Exit(1)
	}
	fmt.Println("doccheck: every exported name is explained, and every function shown or excepted")
}

func run() ([]string, error) {
	root, modules, err := repo.Here()
	if err != nil {
		return nil, err
	}
	var dirs []string
	for _, m := range modules {
		if m.Workspace && m.Dir != "examples" { // which is there to be read, not to be imported
			dirs = append(dirs, m.Dir)
		}
	}
	return check(root, dirs, exceptions)
}

// check reads the public packages of some modules, and tells what is wrong with them.
func check(root string, modules []string, exceptions map[string]string) ([]string, error) {
	needed := map[string]bool{} // of the exceptions
	var faults []string
	for _, module := range modules {
		err := filepath.WalkDir(filepath.Join(root, module), func(file string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case !entry.IsDir():
				return nil
			case entry.Name() == "internal" || entry.Name() == "testdata" || strings.HasPrefix(entry.Name(), "."):
				return filepath.SkipDir
			}
			dir, err := filepath.Rel(root, file)
			if err != nil {
				return err
			}
			p, err := read(root, filepath.ToSlash(dir))
			if err != nil {
				return err
			}
			faults = append(faults, p.undocumented()...)
			faults = append(faults, p.notShown(exceptions, needed)...)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(exceptions)) {
		if !needed[name] {
			faults = append(faults, fmt.Sprintf("tools/doccheck: the exception %s is not needed: there is nothing of that name, or Examples show it", name))
		}
	}
	return faults, nil
}

// pkg is one public package: what it exports, and the files that hold its examples.
type pkg struct {
	dir      string // relative to the root
	fset     *token.FileSet
	files    []*ast.File
	examples []*ast.File
}

// read parses the Go files of a folder. A package main, and a folder without Go, come out empty.
func read(root, dir string) (*pkg, error) {
	p := &pkg{dir: dir, fset: token.NewFileSet()}
	names, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		file, err := parser.ParseFile(p.fset, path.Join(dir, filepath.Base(name)), text, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		switch {
		case !strings.HasSuffix(name, "_test.go"):
			if file.Name.Name != "main" {
				p.files = append(p.files, file)
			}
		case slices.ContainsFunc(file.Decls, func(d ast.Decl) bool { return isFunc(d, "Example") }):
			p.examples = append(p.examples, file)
		}
	}
	return p, nil
}

func isFunc(d ast.Decl, prefix string) bool {
	f, ok := d.(*ast.FuncDecl)
	return ok && f.Recv == nil && strings.HasPrefix(f.Name.Name, prefix)
}

// undocumented names what is exported and has no comment of its own.
func (p *pkg) undocumented() (faults []string) {
	want := func(at token.Pos, name string, comments ...*ast.CommentGroup) {
		for _, c := range comments {
			if strings.TrimSpace(c.Text()) != "" {
				return
			}
		}
		faults = append(faults, fmt.Sprintf("%s: %s has no doc comment", p.at(at), name))
	}
	var overview []*ast.CommentGroup
	for _, file := range p.files {
		overview = append(overview, file.Doc)
		for _, decl := range file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if name := funcName(d); name != "" {
					want(d.Pos(), name, d.Doc)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					own := d.Doc // of a declaration that is no group
					if d.Lparen.IsValid() {
						own = nil
					}
					switch s := spec.(type) {
					case *ast.ValueSpec:
						for _, name := range s.Names {
							if name.IsExported() {
								want(name.Pos(), name.Name, own, s.Doc, s.Comment)
							}
						}
					case *ast.TypeSpec:
						if s.Name.IsExported() {
							want(s.Pos(), s.Name.Name, own, s.Doc, s.Comment)
							members(s.Name.Name, s.Type, want)
						}
					}
				}
			}
		}
	}
	if len(p.files) > 0 {
		want(p.files[0].Package, "package "+p.files[0].Name.Name, overview...)
	}
	return faults
}

// members asks for the comments of the fields of a struct, or the methods of an interface. What is
// embedded has its own.
func members(of string, t ast.Expr, want func(at token.Pos, name string, comments ...*ast.CommentGroup)) {
	var list *ast.FieldList
	switch t := t.(type) {
	case *ast.StructType:
		list = t.Fields
	case *ast.InterfaceType:
		list = t.Methods
	default:
		return
	}
	for _, field := range list.List {
		for _, name := range field.Names {
			if name.IsExported() {
				want(name.Pos(), of+"."+name.Name, field.Doc, field.Comment)
				members(of+"."+name.Name, field.Type, want)
			}
		}
	}
}

// funcName is what a function is called in documentation; empty if it does not stand there.
func funcName(d *ast.FuncDecl) string {
	if !d.Name.IsExported() {
		return ""
	}
	if d.Recv == nil {
		return d.Name.Name
	}
	receiver := d.Recv.List[0].Type
	for {
		switch t := receiver.(type) {
		case *ast.StarExpr:
			receiver = t.X
		case *ast.IndexExpr: // a type with a type parameter
			receiver = t.X
		case *ast.Ident:
			if !t.IsExported() {
				return ""
			}
			return t.Name + "." + d.Name.Name
		default:
			return ""
		}
	}
}

// notShown names the functions that no Example mentions. What is excepted, by itself or with its whole
// folder, is marked as needed.
func (p *pkg) notShown(exceptions map[string]string, needed map[string]bool) (faults []string) {
	shown := p.shown()
	for _, file := range p.files {
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || f.Recv != nil || !f.Name.IsExported() || shown[f.Name.Name] {
				continue
			}
			full := p.dir + "." + f.Name.Name
			switch {
			case exceptions[full] != "":
				needed[full] = true
				continue
			case exceptions[p.dir] != "":
				needed[p.dir] = true
				continue
			}
			faults = append(faults, fmt.Sprintf("%s: no Example shows %s: write one in %s, or put %q among the exceptions of tools/doccheck, with a reason", p.at(f.Pos()), f.Name.Name, p.dir, full))
		}
	}
	return faults
}

// shown are the names of this package that its Examples mention, or the helpers beside them.
func (p *pkg) shown() map[string]bool {
	names := map[string]bool{}
	for _, file := range p.examples {
		for _, decl := range file.Decls {
			if isFunc(decl, "Test") || isFunc(decl, "Benchmark") || isFunc(decl, "Fuzz") {
				continue
			}
			ast.Inspect(decl, func(n ast.Node) bool {
				if selector, ok := n.(*ast.SelectorExpr); ok {
					if x, ok := selector.X.(*ast.Ident); ok && x.Name == p.files[0].Name.Name {
						names[selector.Sel.Name] = true
					}
				}
				return true
			})
		}
	}
	return names
}

func (p *pkg) at(pos token.Pos) string {
	position := p.fset.Position(pos)
	return fmt.Sprintf("%s:%d", position.Filename, position.Line)
}
