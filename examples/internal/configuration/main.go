// Command configuration writes docs/CONFIGURATION.md from [sso.Settings] and the comments of [sso.Config] (make docs).
package main

import (
	_ "embed"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"log"
	"os"
	"regexp"
	"strings"

	"github.com/more-retail/moresso-go/core/sso"
)

func main() {
	text, err := page("core/sso/config.go")
	if err == nil {
		err = os.WriteFile("docs/CONFIGURATION.md", []byte(text), 0o644) //nolint:gosec // a document
	}
	if err != nil {
		log.Fatal(err)
	}
}

//go:embed intro.txt
var intro string

func page(source string) (string, error) {
	var b strings.Builder
	b.WriteString(intro)
	for _, s := range sso.Settings() {
		fmt.Fprintf(&b, "| [`%s`](#%s) | `%s` | `--%s` | %s | %s |\n", s.Field, strings.ToLower(s.Field), s.Variable, s.Flag, s.Default, strings.ReplaceAll(s.Text, "`", "")) // the flags' placeholders
	}
	file, err := parser.ParseFile(token.NewFileSet(), source, nil, parser.ParseComments)
	if err != nil {
		return "", err
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.TypeSpec); ok && spec.Name.Name != "Config" {
			return false
		}
		if field, ok := n.(*ast.Field); ok && len(field.Names) == 1 && field.Names[0].IsExported() {
			fmt.Fprintf(&b, "\n## %s\n\n`%s`\n\n%s\n", field.Names[0], types.ExprString(field.Type), prose(field.Doc.Text()))
		}
		return true
	})
	return b.String(), nil
}

var reference = regexp.MustCompile(`\[(?:\w+/)*([\w.]+)\]([^(]|$)`) // to another name, in Go's documentation

// prose returns a comment as Markdown, with one line for each paragraph.
func prose(comment string) string {
	lines := strings.NewReplacer("\n\n", "\n\n", "\n", " ").Replace(strings.TrimSpace(comment))
	return reference.ReplaceAllString(lines, "`$1`$2")
}
