package main

import (
	_ "embed"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
)

//go:embed routes.go
var routesSource string

// serviceFunctions are the functions of routes.go that register the routes, by server.
var serviceFunctions = map[string]string{
	"gin": "ginService", "echo": "echoService", "fiber": "fiberService", "net/http": "httpService", "lambda": "lambdaService",
}

// A source is routes.go, read so that pieces can be cut out of it.
type source struct {
	file *ast.File
	from token.Pos // where the text begins
}

func readSource() (*source, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "routes.go", routesSource, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	return &source{file, file.FileStart}, nil
}

// snippet is the code that protects a route in a service: the permission, the guard and the
// line that puts both before the handler. It is empty if there is none.
func (s *source) snippet(server, pattern string) string {
	var guard, route ast.Node
	spellings := []string{pattern, "GET " + pattern, colons(pattern)}
	ast.Inspect(s.function(serviceFunctions[server]), func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			guard = n
		case *ast.ExprStmt, *ast.KeyValueExpr:
			if slices.ContainsFunc(spellings, func(spelling string) bool { return mentions(n, spelling) }) {
				route = n
			}
			return false
		}
		return true
	})
	if guard == nil || route == nil {
		return ""
	}
	code := s.text(guard) + "\n" + s.text(route) + "\n"
	if _, entry := route.(*ast.KeyValueExpr); entry {
		code = s.text(guard) + "\n\n// one of the function's routes\n" + s.text(route) + ",\n"
	}
	if permission := s.variable(route); permission != nil {
		code = s.text(permission) + "\n\n" + code
	}
	return code
}

// colons writes a pattern as Gin, Echo and Fiber do.
func colons(pattern string) string {
	return strings.NewReplacer("{", ":", "}", "").Replace(pattern)
}

func (s *source) text(n ast.Node) string {
	lines := strings.Split(routesSource[n.Pos()-s.from:n.End()-s.from], "\n")
	for i, line := range lines[1:] {
		lines[i+1] = strings.Replace(line, "\t", "    ", 1)
	}
	return strings.Join(lines, "\n")
}

func (s *source) function(name string) ast.Node {
	for _, d := range s.file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Name.Name == name {
			return f.Body
		}
	}
	return &ast.BlockStmt{}
}

// variable is the declaration of the permission that a node names.
func (s *source) variable(in ast.Node) ast.Node {
	for _, d := range s.file.Decls {
		general, ok := d.(*ast.GenDecl)
		if !ok || general.Tok != token.VAR {
			continue
		}
		for _, spec := range general.Specs {
			if v, ok := spec.(*ast.ValueSpec); ok && isPermission(v) && names(in, v.Names[0].Name) {
				return general
			}
		}
	}
	return nil
}

func isPermission(v *ast.ValueSpec) bool {
	return len(v.Values) == 1 && names(v.Values[0], "permission")
}

func names(in ast.Node, name string) bool {
	return contains(in, func(n ast.Node) bool { id, ok := n.(*ast.Ident); return ok && id.Name == name })
}

func mentions(in ast.Node, text string) bool {
	return contains(in, func(n ast.Node) bool {
		literal, ok := n.(*ast.BasicLit)
		return ok && literal.Value == strconv.Quote(text)
	})
}

func contains(in ast.Node, is func(ast.Node) bool) (found bool) {
	ast.Inspect(in, func(n ast.Node) bool {
		found = found || n != nil && is(n)
		return !found
	})
	return found
}
