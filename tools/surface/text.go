package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"
	"time"
)

// A text of the public surface is Go without bodies. That reads well, a diff of it shows one name a line, and the
// type checker can read it again: so the text of a release is all that is needed to compare with it, years
// later and offline, when neither the old sources nor what they were built with are at hand.

// write is the text of a package's public surface.
func write(p *types.Package) string {
	w := writer{pkg: p, imports: map[string]string{}, shown: map[string]bool{}}
	var groups [4]strings.Builder // constants, variables, functions, types
	for _, name := range p.Scope().Names() {
		object := p.Scope().Lookup(name)
		if !object.Exported() {
			continue
		}
		switch object := object.(type) {
		case *types.Const:
			groups[0].WriteString(w.constant(object))
		case *types.Var:
			fmt.Fprintf(&groups[1], "var %s %s\n", name, w.typ(object.Type()))
		case *types.Func:
			fmt.Fprintf(&groups[2], "func %s%s\n", name, w.signature(object))
		case *types.TypeName:
			groups[3].WriteString(w.declaration(object))
		}
	}
	body := groups[0].String() + groups[1].String() + groups[2].String() + groups[3].String()
	// An unexported type that an exported name mentions is seen too: func(*config) is another type than func(*draft).
	for more := body; more != ""; body += more {
		more = w.mentioned(more)
	}

	var text strings.Builder
	fmt.Fprintf(&text, "// `make api` writes this: the public surface of the package.\n\npackage %s // import %q\n\n", p.Name(), p.Path())
	for _, path := range slices.Sorted(maps.Keys(w.imports)) {
		if name := w.imports[path]; strings.HasSuffix(path, "/"+name) || path == name {
			fmt.Fprintf(&text, "import %q\n", path)
		} else {
			fmt.Fprintf(&text, "import %s %q\n", name, path)
		}
	}
	if len(w.imports) > 0 {
		text.WriteString("\n")
	}
	return text.String() + body
}

type writer struct {
	pkg     *types.Package
	imports map[string]string // names by path
	shown   map[string]bool   // types with a declaration
}

// qualifier names a package and remembers that it has to be imported.
func (w *writer) qualifier(p *types.Package) string {
	if p == w.pkg {
		return ""
	}
	if name, ok := w.imports[p.Path()]; ok {
		return name
	}
	name := p.Name()
	for taken := slices.Collect(maps.Values(w.imports)); slices.Contains(taken, name); {
		name += "2"
	}
	w.imports[p.Path()] = name
	return name
}

func (w *writer) typ(t types.Type) string { return types.TypeString(t, w.qualifier) }

// signature is what follows the name of a function or method.
func (w *writer) signature(f *types.Func) string {
	s := f.Signature()
	plain := types.NewSignatureType(nil, nil, nil, s.Params(), fromSource(s.Results()), s.Variadic())
	return w.parameters(s.TypeParams()) + strings.TrimPrefix(w.typ(plain), "func")
}

// fromSource drops the names of results if they are not from the source: the compiler makes up some, such as #rv1.
func fromSource(results *types.Tuple) *types.Tuple {
	var nameless []*types.Var
	madeUp := false
	for r := range results.Variables() {
		madeUp = madeUp || !token.IsIdentifier(r.Name())
		nameless = append(nameless, types.NewVar(token.NoPos, r.Pkg(), "", r.Type()))
	}
	if madeUp {
		return types.NewTuple(nameless...)
	}
	return results
}

func (w *writer) constant(c *types.Const) string {
	kind := ""
	if basic, ok := c.Type().(*types.Basic); !ok || basic.Info()&types.IsUntyped == 0 {
		kind = " " + w.typ(c.Type())
	}
	text := "const " + c.Name() + kind + " = " + c.Val().ExactString()
	if kind == " time.Duration" {
		n, _ := constant.Int64Val(c.Val())
		text += " // " + time.Duration(n).String()
	}
	return text + "\n"
}

// declaration is that of a type, with the methods that it shows.
func (w *writer) declaration(name *types.TypeName) string {
	w.shown[name.Name()] = true
	if alias, ok := name.Type().(*types.Alias); ok {
		return fmt.Sprintf("type %s%s = %s\n", name.Name(), w.parameters(alias.TypeParams()), w.typ(alias.Rhs()))
	}
	named, ok := name.Type().(*types.Named)
	if !ok {
		return fmt.Sprintf("type %s = %s\n", name.Name(), w.typ(name.Type()))
	}
	head := "type " + name.Name() + w.parameters(named.TypeParams()) + " "
	switch underlying := named.Underlying().(type) {
	case *types.Interface:
		return head + "interface " + block(w.elements(underlying))
	case *types.Struct:
		return head + "struct " + block(w.fields(underlying)) + w.methods(named)
	default:
		return head + w.typ(underlying) + "\n" + w.methods(named)
	}
}

func block(lines []string) string {
	if len(lines) == 0 {
		return "{}\n"
	}
	return "{\n\t" + strings.Join(lines, "\n\t") + "\n}\n"
}

func (w *writer) parameters(list *types.TypeParamList) string {
	if list.Len() == 0 {
		return ""
	}
	var each []string
	for p := range list.TypeParams() {
		each = append(each, p.Obj().Name()+" "+w.typ(p.Constraint()))
	}
	return "[" + strings.Join(each, ", ") + "]"
}

// fields are those that can be named from outside, in their order, and whether == works where they do not tell.
func (w *writer) fields(s *types.Struct) []string {
	var lines []string
	hidden := false // something that cannot be compared
	for f := range s.Fields() {
		embedded, isStruct := pointed(f.Type()).Underlying().(*types.Struct)
		switch {
		case f.Exported() && f.Embedded():
			lines = append(lines, w.typ(f.Type()))
		case f.Exported():
			lines = append(lines, f.Name()+" "+w.typ(f.Type()))
		default:
			hidden = hidden || !types.Comparable(f.Type())
			if f.Embedded() && isStruct {
				lines = append(lines, slices.DeleteFunc(w.fields(embedded), func(line string) bool { return strings.HasPrefix(line, "_ ") })...)
			}
		}
	}
	if hidden {
		lines = append(lines, "_ [0]func() // cannot be compared")
	}
	return lines
}

func pointed(t types.Type) types.Type {
	if p, ok := t.Underlying().(*types.Pointer); ok {
		return p.Elem()
	}
	return t
}

// methods are those of a type itself and those of what it embeds without showing it.
func (w *writer) methods(named *types.Named) string {
	receiver := named.Obj().Name()
	if list := named.TypeParams(); list.Len() > 0 {
		var names []string
		for p := range list.TypeParams() {
			names = append(names, p.Obj().Name())
		}
		receiver += "[" + strings.Join(names, ", ") + "]"
	}
	values := types.NewMethodSet(named)
	var text strings.Builder
	for m := range types.NewMethodSet(types.NewPointer(named)).Methods() {
		f, ok := m.Obj().(*types.Func)
		if !ok || !f.Exported() {
			continue
		}
		if s, isStruct := named.Underlying().(*types.Struct); isStruct && len(m.Index()) > 1 && s.Field(m.Index()[0]).Exported() {
			continue
		}
		star := "*"
		if values.Lookup(w.pkg, f.Name()) != nil {
			star = ""
		}
		fmt.Fprintf(&text, "func (%s%s) %s%s\n", star, receiver, f.Name(), w.signature(f))
	}
	return text.String()
}

// elements are all methods of an interface, wherever they come from, and what a constraint admits.
func (w *writer) elements(i *types.Interface) []string {
	var lines []string
	for m := range i.Methods() {
		lines = append(lines, m.Name()+w.signature(m))
	}
	slices.Sort(lines)
	return append(lines, w.constraints(i)...)
}

func (w *writer) constraints(i *types.Interface) []string {
	var lines []string
	for e := range i.EmbeddedTypes() {
		if under, ok := e.Underlying().(*types.Interface); !ok || !under.IsMethodSet() {
			lines = append(lines, w.typ(e))
		}
	}
	return lines
}

// mentioned are the declarations of the package's unexported types that a text names and that stand nowhere yet.
func (w *writer) mentioned(text string) string {
	file, err := parser.ParseFile(token.NewFileSet(), "", "package p\n"+text, parser.SkipObjectResolution)
	if err != nil {
		panic(fmt.Sprintf("%s: what was written is no Go: %v", w.pkg.Path(), err))
	}
	var more strings.Builder
	var visit func(ast.Node) bool
	visit = func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			return false // of another package
		case *ast.Field:
			ast.Inspect(n.Type, visit) // its name names no type
			return false
		case *ast.Ident:
			if name, ok := w.pkg.Scope().Lookup(n.Name).(*types.TypeName); ok && !name.Exported() && !w.shown[n.Name] {
				more.WriteString(w.declaration(name))
			}
		}
		return true
	}
	ast.Inspect(file, visit)
	return more.String()
}

// read is the other way round: the package of a text. A type of another package that is gone by now is unknown in
// it, and so differs from whatever stands there now.
func read(file string, text []byte, path string, imports types.Importer) (*types.Package, error) {
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, file, bytes.TrimSpace(text), parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("this was not written by make api: %w", err)
	}
	config := types.Config{Importer: imports, IgnoreFuncBodies: true, Error: func(error) {}}
	p, _ := config.Check(path, set, []*ast.File{parsed}, nil)
	return p, nil
}
