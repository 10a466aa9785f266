package permission

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/more-retail/moresso-go/core/sso"
)

// maxExpression bounds the text that [Parse] reads.
const maxExpression = 16 << 10

// ParseError lists everything that is wrong with the text of a permission. [Parse] returns it as a
// *ParseError, which [errors.As] finds.
type ParseError struct {
	Faults []ParseFault // at least one
}

// ParseFault is one thing that is wrong with the text of a permission.
type ParseFault struct {
	Line, Column int    // where it begins; both count from 1, and columns count bytes
	Problem      string // what is wrong and what to write instead
}

// Error returns one line for each fault: line, column and problem.
func (e *ParseError) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = fmt.Sprintf("%d:%d: %s", f.Line, f.Column, f.Problem)
	}
	return "permission: " + strings.Join(lines, "\n  ")
}

// Parse reads a permission from text, for configuration and command lines. The syntax is that of Go's
// expressions, with the functions of this package in lower case:
//
//	is("pma.role", "admin") && scope("orders:read")
//	has("orders.read") || role("clerk") && absent("suspended")
//
// The grammar, in the notation of Go's specification:
//
//	permission = permission "||" permission | permission "&&" permission | "!" permission
//	           | "(" permission ")" | call .
//	call       = name "(" [ argument { "," argument } ] ")" .
//	argument   = permission | value .
//	value      = string | number | "true" | "false" | "null" | "json" "(" string ")" .
//
// Operators bind as in Go: ! more than &&, and && more than ||, so that a || b && !c is
// any(a, all(b, not(c))). They mean [All], [Any] and [Not], and so do all(…), any(…) and not(…).
//
//	is, claim                          a path, and one value or several: [Is], [Claim]
//	has, absent                        a path: [Has], [Absent]
//	scope, role, acr, issuedBy         one string or several: [Scope], [Role], [ACR], [IssuedBy]
//	freshLogin                         a duration such as "15m", as [time.ParseDuration] reads it: [FreshLogin]
//	sameAsPath                         the path of a claim, the name of a parameter, and issuers: [SameAsPath]
//	authenticated, humanUser,          nothing: [Authenticated], [HumanUser], [ClientCredentials]
//	clientCredentials
//	all, any                           one permission or several
//	not                                one permission
//
// A string is in quotes or backquotes, as in Go. A number is written as in JSON and keeps its digits.
// json(`[1, 2]`) is a list or an object. Lines may break after an operator, a comma or an opening
// parenthesis. Go's comments are ignored. A [Func] or a permission of another type cannot be written.
//
// The error is a *[ParseError] with every problem and its position. Arguments for which a function of
// this package panics are a problem, and so is an empty text. A text of more than 16 KiB is refused.
//
// Parse accepts permissions that a route does not: Require panics for "!has(…)" alone, as for any
// Not; see [ForRoute].
func Parse(expr string) (sso.Permission, error) {
	if len(expr) > maxExpression {
		return nil, &ParseError{[]ParseFault{{1, 1, fmt.Sprintf("the text has %d bytes, more than %d", len(expr), maxExpression)}}}
	}
	r := &reader{text: expr, files: token.NewFileSet()}
	var p sso.Permission
	if tree, err := parser.ParseExprFrom(r.files, "", expr, parser.AllErrors); err != nil {
		r.syntax(err)
	} else {
		p = r.permission(tree)
	}
	if len(r.faults) > 0 {
		return nil, &ParseError{r.faults}
	}
	return p, nil
}

// A reader maps Go's syntax tree to permissions. It continues after an error, to report all errors. Its
// permissions are valid only without errors.
type reader struct {
	text   string
	files  *token.FileSet
	faults []ParseFault
}

func (r *reader) fault(at token.Pos, format string, args ...any) {
	position := r.files.PositionFor(at, false) // not what a //line comment says
	r.faults = append(r.faults, ParseFault{position.Line, position.Column, fmt.Sprintf(format, args...)})
}

// syntax reports the errors of Go's parser, or each func if there is one: [Describe] writes it for a
// [Func], and the parser takes it for a keyword and reports something else.
func (r *reader) syntax(err error) {
	var words scanner.Scanner
	words.Init(r.files.AddFile("", -1, len(r.text)), []byte(r.text), nil, 0)
	for at, word, _ := words.Scan(); word != token.EOF; at, word, _ = words.Scan() {
		if word == token.FUNC {
			r.fault(at, "func is code: build this permission in the program")
		}
	}
	var list scanner.ErrorList
	if len(r.faults) == 0 && errors.As(err, &list) {
		for _, e := range list {
			r.faults = append(r.faults, ParseFault{e.Pos.Line, e.Pos.Column, e.Msg})
		}
	}
}

func (r *reader) permission(e ast.Expr) sso.Permission {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return r.permission(e.X)
	case *ast.UnaryExpr:
		if e.Op == token.NOT {
			return r.build("not", e.Pos(), []ast.Expr{e.X})
		}
	case *ast.BinaryExpr:
		if name := map[token.Token]string{token.LAND: "all", token.LOR: "any"}[e.Op]; name != "" {
			return r.build(name, e.Pos(), operands(e, e.Op))
		}
	case *ast.CallExpr:
		return r.call(e)
	}
	r.fault(e.Pos(), `expected a permission, such as is("orders.role", "clerk"); combine permissions by &&, || and !`)
	return nil
}

// operands returns a, b and c of a && b && c, which is (a && b) && c in Go's tree.
func operands(e ast.Expr, operator token.Token) []ast.Expr {
	if b, ok := e.(*ast.BinaryExpr); ok && b.Op == operator {
		return append(operands(b.X, operator), b.Y)
	}
	return []ast.Expr{e}
}

func (r *reader) call(e *ast.CallExpr) sso.Permission {
	name, ok := e.Fun.(*ast.Ident)
	switch {
	case !ok:
		r.fault(e.Pos(), "write only the name of the function, such as is(…)")
	case e.Ellipsis.IsValid():
		r.fault(e.Pos(), "write each argument, without …")
	case functions[name.Name] == nil:
		r.fault(e.Pos(), "%s", r.unknown(name.Name))
	default:
		return r.build(name.Name, e.Pos(), e.Args)
	}
	return nil
}

func (r *reader) unknown(name string) string {
	if strings.EqualFold(name, "truthy") {
		return "truthy is not available as text: write has, or build compat.Truthy in the program"
	}
	for known := range functions {
		if strings.EqualFold(known, name) {
			return name + " is written " + known
		}
	}
	return name + " is unknown; the functions are " + strings.Join(slices.Sorted(maps.Keys(functions)), ", ")
}

// functions are those that a text can name. Their types say what arguments they take.
var functions = map[string]any{
	"is": Is, "claim": Claim, "absent": Absent, "has": Has, "scope": Scope, "role": Role, "acr": ACR, "freshLogin": FreshLogin,
	"issuedBy": IssuedBy, "authenticated": Authenticated, "clientCredentials": ClientCredentials, "humanUser": HumanUser,
	"sameAsPath": SameAsPath, "all": All, "any": Any, "not": Not,
}

// build calls a function. A panic with a message of this package is an error, unless its cause is among
// the errors of the arguments; any other panic continues.
func (r *reader) build(name string, at token.Pos, args []ast.Expr) (p sso.Permission) {
	before := len(r.faults)
	defer func() {
		v := recover()
		message, ours := v.(string)
		switch {
		case v == nil:
		case !ours:
			panic(v)
		case len(r.faults) == before:
			r.fault(at, "%s", strings.TrimPrefix(message, "permission: "))
		}
	}()
	switch t := reflect.TypeOf(functions[name]); {
	case !t.IsVariadic() && t.NumIn() != len(args):
		r.fault(at, "%s takes %d arguments, got %d", name, t.NumIn(), len(args))
		return nil
	case t.NumIn() > 2 && len(args) < t.NumIn()-1:
		r.fault(at, "%s takes at least %d arguments, got %d", name, t.NumIn()-1, len(args))
		return nil
	}
	switch f := functions[name].(type) {
	case func() sso.Permission:
		return f()
	case func(string) sso.Permission:
		return f(r.string(args[0]))
	case func(string, string, ...string) sso.Permission:
		texts := each(args, r.string)
		return f(texts[0], texts[1], texts[2:]...)
	case func(time.Duration) sso.Permission:
		return f(r.duration(args[0]))
	case func(sso.Permission) sso.Permission:
		return f(r.permission(args[0]))
	case func(...sso.Permission) sso.Permission:
		return f(each(args, r.permission)...)
	case func(...string) sso.Permission:
		return f(each(args, r.string)...)
	case func(string, ...any) sso.Permission:
		if len(args) > 0 {
			return f(r.string(args[0]), each(args[1:], r.value)...)
		}
		return f("") // reports the missing path
	}
	return nil
}

// each reads every argument.
func each[T any](args []ast.Expr, read func(ast.Expr) T) []T {
	list := make([]T, len(args))
	for i, e := range args {
		list[i] = read(e)
	}
	return list
}

func (r *reader) string(e ast.Expr) string {
	literal, ok := e.(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		r.fault(e.Pos(), "expected a string in quotes")
		return ""
	}
	text, _ := strconv.Unquote(literal.Value) // the parser has checked the syntax
	if !utf8.ValidString(text) {              // JSON cannot have it
		r.fault(e.Pos(), "%s is not valid UTF-8", literal.Value)
	}
	return text
}

func (r *reader) duration(e ast.Expr) time.Duration {
	d, err := time.ParseDuration(r.string(e))
	if err != nil {
		r.fault(e.Pos(), "expected a duration such as \"15m\"")
	}
	return d
}

// value reads a literal. Numbers keep their digits.
func (r *reader) value(e ast.Expr) any {
	text := r.text[r.files.Position(e.Pos()).Offset:r.files.Position(e.End()).Offset]
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind == token.STRING {
			return r.string(e)
		}
	case *ast.CallExpr:
		if name, ok := e.Fun.(*ast.Ident); ok && name.Name == "json" && len(e.Args) == 1 {
			text = r.string(e.Args[0])
		}
	case *ast.Ident:
		if e.Name == "nil" {
			text = "null"
		}
	}
	value, err := sso.ValueOf(json.RawMessage(text))
	if err != nil {
		err = cmp.Or(errors.Unwrap(err), err)
		r.fault(e.Pos(), `expected a value: a string in quotes, a JSON number, true, false, null, or json("…"); %v`, err)
	}
	return value
}
