// Command configuration writes the reference of all settings, docs/CONFIGURATION.md, out of the
// comments in the source of package sso. Run it by make docs.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"log"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

func main() {
	source := flag.String("source", "core/sso", "the `folder` of package sso")
	out := flag.String("o", "docs/CONFIGURATION.md", "the `file` to write")
	flag.Parse()
	page, err := page(*source)
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(*out, page, 0o644); err != nil { //nolint:gosec // a page for everybody
		log.Fatal(err)
	}
}

// setting is a field of sso.Config.
type setting struct{ name, kind, doc string }

// source is what the page is made of.
type source struct {
	settings  []setting
	variables map[string][]string // by field
	held      map[string]string   // what a variable holds, by its name
	values    map[string][]value  // constants, by their type
	bounds    []value             // the constants that are no type's
}

// value is a constant and what its comment says.
type value struct{ name, text, doc string }

// page writes the whole page.
func page(folder string) ([]byte, error) {
	s := source{variables: map[string][]string{}, held: map[string]string{}, values: map[string][]value{}}
	files := token.NewFileSet()
	for _, name := range []string{"config.go", "env.go"} {
		file, err := parser.ParseFile(files, filepath.Join(folder, name), nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		for _, declaration := range file.Decls {
			if err := s.read(files, declaration); err != nil {
				return nil, err
			}
		}
	}
	if len(s.settings) == 0 || len(s.variables) == 0 || len(s.held) == 0 {
		return nil, fmt.Errorf("%s has %d settings, %d of them with variables, of which %d are described", folder, len(s.settings), len(s.variables), len(s.held))
	}
	var b bytes.Buffer
	if err := s.write(&b); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func (s *source) read(files *token.FileSet, declaration ast.Decl) error {
	switch d := declaration.(type) {
	case *ast.FuncDecl:
		if d.Name.Name == "ConfigFromEnv" {
			for line := range strings.Lines(d.Doc.Text()) {
				if m := variable.FindStringSubmatch(line); m != nil {
					s.held[m[1]] = m[2]
				}
			}
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				if fields, ok := spec.Type.(*ast.StructType); ok && spec.Name.Name == "Config" {
					return s.readFields(files, fields)
				}
			case *ast.ValueSpec:
				if d.Tok == token.CONST {
					s.readConstant(files, spec)
				} else if spec.Names[0].Name == "envNames" {
					return s.readVariables(spec)
				}
			}
		}
	}
	return nil
}

// variable is a line of the table in the comment of ConfigFromEnv.
var variable = regexp.MustCompile(`^\s+(SSO_\w+)\s+(.+?)\s*$`)

func (s *source) readFields(files *token.FileSet, fields *ast.StructType) error {
	for _, field := range fields.Fields.List {
		for _, name := range field.Names {
			if !name.IsExported() {
				continue
			}
			if field.Doc == nil {
				return fmt.Errorf("the field %s has no comment", name.Name)
			}
			s.settings = append(s.settings, setting{name.Name, printed(files, field.Type), field.Doc.Text()})
		}
	}
	return nil
}

func (s *source) readConstant(files *token.FileSet, spec *ast.ValueSpec) {
	if !spec.Names[0].IsExported() || len(spec.Values) != 1 {
		return
	}
	doc := spec.Doc.Text() + spec.Comment.Text()
	v := value{spec.Names[0].Name, printed(files, spec.Values[0]), doc}
	if kind, ok := spec.Type.(*ast.Ident); ok {
		s.values[kind.Name] = append(s.values[kind.Name], v)
		return
	}
	s.bounds = append(s.bounds, v)
}

func (s *source) readVariables(spec *ast.ValueSpec) error {
	list, ok := spec.Values[0].(*ast.CompositeLit)
	if !ok {
		return fmt.Errorf("envNames is no literal")
	}
	for _, element := range list.Elts {
		pair, isPair := element.(*ast.KeyValueExpr)
		if !isPair {
			return fmt.Errorf("envNames has an element without a key")
		}
		field, err := text(pair.Key)
		if err != nil {
			return err
		}
		names, isList := pair.Value.(*ast.CompositeLit)
		if !isList {
			return fmt.Errorf("the variables of %s are no list", field)
		}
		for _, name := range names.Elts {
			name, err := text(name)
			if err != nil {
				return err
			}
			s.variables[field] = append(s.variables[field], name)
		}
	}
	return nil
}

func text(e ast.Expr) (string, error) {
	literal, ok := e.(*ast.BasicLit)
	if !ok {
		return "", fmt.Errorf("%T where a text was expected", e)
	}
	return strconv.Unquote(literal.Value)
}

func printed(files *token.FileSet, node ast.Node) string {
	var b strings.Builder
	if err := printer.Fprint(&b, files, node); err != nil {
		return err.Error() // the page would show it, and no reader would miss it
	}
	return b.String()
}

const opening = `<!-- Written by make docs out of the comments in core/sso; do not edit. -->

# Configuration

Every setting of ` + "`sso.Config`" + `, and the environment variable that ` + "`sso.ConfigFromEnv`" + ` reads it from. A variable that is empty counts as not set; ` + "`sso.ConfigFromLookup`" + ` reads the same names from elsewhere. ` + "`sso.New`" + ` checks everything, without any network, and names all faults in one error; ` + "`sso doctor`" + ` checks the provider too ([CLI.md](CLI.md)).

Two settings start a service, and a third belongs to them: where the keys are, which audience it is, and whose tokens these are.

`

func (s *source) write(b *bytes.Buffer) error {
	b.WriteString(opening + "```sh\nexport SSO_PUBLIC_KEY_URI=https://login.example.com/.well-known/jwks.json\nexport SSO_AUDIENCE=orders-api\nexport SSO_ISSUER=https://login.example.com\n```\n\n")
	b.WriteString("| field | type | environment | which holds |\n|---|---|---|---|\n")
	described := 0
	for _, f := range s.settings {
		names, held := "in code only", ""
		if variables := s.variables[f.name]; len(variables) > 0 {
			names, held = code(variables), s.held[variables[0]]
			if held == "" {
				return fmt.Errorf("the comment of ConfigFromEnv does not tell what %s holds", variables[0])
			}
			described++
		}
		_, _ = fmt.Fprintf(b, "| [`%s`](#%s) | `%s` | %s | %s |\n", f.name, strings.ToLower(f.name), f.kind, names, held)
	}
	if described != len(s.variables) {
		return fmt.Errorf("%d fields have variables, of %d that are read", described, len(s.variables))
	}
	for _, f := range s.settings {
		_, _ = fmt.Fprintf(b, "\n## %s\n\n", f.name)
		_, _ = fmt.Fprintf(b, "`%s`", f.kind)
		if variables := s.variables[f.name]; len(variables) > 0 {
			_, _ = fmt.Fprintf(b, ", %s", code(variables))
		}
		_, _ = fmt.Fprintf(b, "\n\n%s\n", prose(f.doc))
		if values := s.values[strings.TrimPrefix(f.kind, "[]")]; len(values) > 0 {
			b.WriteString("\n| constant | value | |\n|---|---|---|\n")
			table(b, values)
		}
	}
	b.WriteString("\n## Bounds and defaults\n\n| constant | value | |\n|---|---|---|\n")
	table(b, s.bounds)
	return nil
}

func table(b *bytes.Buffer, values []value) {
	for _, v := range values {
		_, _ = fmt.Fprintf(b, "| `sso.%s` | `%s` | %s |\n", v.name, v.text, prose(v.doc))
	}
}

func code(names []string) string { return "`" + strings.Join(names, "`, or `") + "`" }

var (
	reference = regexp.MustCompile(`\[([\w./]+)\]([^(]|$)`) // to another name, as Go's documentation has them
	folders   = regexp.MustCompile(`[\w.]+/`)
)

// prose is a comment as Markdown: one paragraph a line.
func prose(comment string) string {
	comment = strings.ReplaceAll(strings.TrimSpace(comment), "\n\n", "\x00")
	comment = strings.ReplaceAll(comment, "\n", " ")
	comment = reference.ReplaceAllStringFunc(comment, func(found string) string {
		m := reference.FindStringSubmatch(found)
		return "`" + folders.ReplaceAllString(m[1], "") + "`" + m[2]
	})
	return strings.ReplaceAll(comment, "\x00", "\n\n")
}
