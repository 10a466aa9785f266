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
//	has("orders.read") || role("clerk") && !claim("suspended", true)
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
//	has                                a path: [Has]
//	scope, role, acr                   one string or several: [Scope], [Role], [ACR]
//	freshLogin                         a duration such as "15m", as [time.ParseDuration] reads it: [FreshLogin]
//	sameAsPath                         the path of a claim, and the name of a parameter: [SameAsPath]
//	authenticated, humanUser,          nothing: [Authenticated], [HumanUser], [ClientCredentials]
//	clientCredentials
//	all, any                           one permission or several
//	not                                one permission
//
// A string is in quotes or backquotes, as in Go. A number is written as in JSON and keeps its digits.
// json(`[1, 2]`) is a list or an object. Lines may break after an operator, a comma or an opening
// parenthesis. Go's comments are ignored. A [Func] or a permission of another type cannot be written.
//
// The error is a *[ParseError] with every fault and its position. Whatever makes a function of this
// package panic is a fault, and so is an empty text. A text of more than 16 KiB is refused.
//
// Parse accepts permissions that a route does not: Require panics for "!has(…)" alone, as for any
// Not; see [ForRoute].
func Parse(expr string) (sso.Permission, error) {
	if len(expr) > maxExpression {
		return nil, &ParseError{[]ParseFault{{1, 1, fmt.Sprintf("the text has %d bytes, more than %d", len(expr), maxExpression)}}}
	}
	r := &reader{files: token.NewFileSet(), functions: functions()}
	tree, err := parser.ParseExprFrom(r.files, "", expr, parser.AllErrors)
	if err != nil {
		return nil, &ParseError{syntaxFaults(expr, err)}
	}
	p := r.permission(tree)
	if len(r.faults) > 0 {
		return nil, &ParseError{r.faults}
	}
	return p, nil
}

// syntaxFaults returns the errors of Go's parser, or each func if there is one: [Describe] writes it
// for a [Func], and the parser takes it for a keyword and reports something else.
func syntaxFaults(expr string, err error) (faults []ParseFault) {
	file := token.NewFileSet().AddFile("", -1, len(expr))
	var words scanner.Scanner
	words.Init(file, []byte(expr), nil, 0)
	for at, word, _ := words.Scan(); word != token.EOF; at, word, _ = words.Scan() {
		if word == token.FUNC {
			position := file.PositionFor(at, false)
			faults = append(faults, ParseFault{position.Line, position.Column, "func is code: build this permission in the program"})
		}
	}
	if len(faults) > 0 {
		return faults
	}
	var list scanner.ErrorList
	if !errors.As(err, &list) {
		return []ParseFault{{1, 1, err.Error()}}
	}
	for _, e := range list {
		faults = append(faults, ParseFault{e.Pos.Line, e.Pos.Column, e.Msg})
	}
	return faults
}

// A reader maps Go's syntax tree to permissions. It goes on after a fault, to find all of them. Its
// permissions count only if there are no faults.
type reader struct {
	files     *token.FileSet
	functions map[string]func(arguments) sso.Permission
	faults    []ParseFault
}

func (r *reader) fault(at ast.Node, format string, args ...any) {
	position := r.files.PositionFor(at.Pos(), false) // not what a //line comment says
	r.faults = append(r.faults, ParseFault{position.Line, position.Column, fmt.Sprintf(format, args...)})
}

func (r *reader) permission(e ast.Expr) sso.Permission {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return r.permission(e.X)
	case *ast.UnaryExpr:
		if e.Op == token.NOT {
			return r.build(e, func() sso.Permission { return Not(r.permission(e.X)) })
		}
	case *ast.BinaryExpr:
		if e.Op == token.LAND || e.Op == token.LOR {
			combine := All
			if e.Op == token.LOR {
				combine = Any
			}
			return r.build(e, func() sso.Permission { return combine(r.permissions(operands(e, e.Op))...) })
		}
	case *ast.CallExpr:
		return r.call(e)
	}
	r.fault(e, `expected a permission, such as is("orders.role", "clerk"); combine permissions by &&, || and !`)
	return nil
}

// operands returns a, b and c of a && b && c, which is (a && b) && c in Go's tree.
func operands(e ast.Expr, operator token.Token) []ast.Expr {
	if b, ok := e.(*ast.BinaryExpr); ok && b.Op == operator {
		return append(operands(b.X, operator), b.Y)
	}
	return []ast.Expr{e}
}

func (r *reader) permissions(list []ast.Expr) []sso.Permission {
	permissions := make([]sso.Permission, len(list))
	for i, e := range list {
		permissions[i] = r.permission(e)
	}
	return permissions
}

// build builds a permission. A panic with a message of this package is a fault; any other panic goes
// on.
func (r *reader) build(at ast.Node, build func() sso.Permission) (p sso.Permission) {
	before := len(r.faults)
	defer func() {
		v := recover()
		message, ours := v.(string)
		switch {
		case v == nil:
		case len(r.faults) > before:
			p = nil // the cause is among the faults
		case ours:
			r.fault(at, "%s", strings.TrimPrefix(message, "permission: "))
		default:
			panic(v)
		}
	}()
	return build()
}

// arguments are the arguments of one call.
type arguments struct {
	*reader
	name string
	call *ast.CallExpr
}

// functions returns the functions that a text can name. A variable would link the parser into services
// that do not call Parse.
func functions() map[string]func(arguments) sso.Permission {
	return map[string]func(arguments) sso.Permission{
		"is":                func(a arguments) sso.Permission { return Is(a.text(0), a.values()...) },
		"claim":             func(a arguments) sso.Permission { return Claim(a.text(0), a.values()...) },
		"has":               func(a arguments) sso.Permission { return Has(a.only(1)[0]) },
		"scope":             func(a arguments) sso.Permission { return Scope(a.texts()...) },
		"role":              func(a arguments) sso.Permission { return Role(a.texts()...) },
		"authenticated":     func(a arguments) sso.Permission { a.only(0); return Authenticated() },
		"clientCredentials": func(a arguments) sso.Permission { a.only(0); return ClientCredentials() },
		"humanUser":         func(a arguments) sso.Permission { a.only(0); return HumanUser() },
		"freshLogin":        func(a arguments) sso.Permission { return FreshLogin(a.duration()) },
		"acr":               func(a arguments) sso.Permission { return ACR(a.texts()...) },
		"sameAsPath":        func(a arguments) sso.Permission { t := a.only(2); return SameAsPath(t[0], t[1]) },
		"all":               func(a arguments) sso.Permission { return All(a.permissions(a.call.Args)...) },
		"any":               func(a arguments) sso.Permission { return Any(a.permissions(a.call.Args)...) },
		"not":               func(a arguments) sso.Permission { a.count(1); return Not(a.permissions(a.call.Args)[0]) },
	}
}

func (r *reader) call(e *ast.CallExpr) sso.Permission {
	name, ok := e.Fun.(*ast.Ident)
	switch {
	case !ok:
		r.fault(e, "write only the name of the function, such as is(…)")
	case e.Ellipsis.IsValid():
		r.fault(e, "write each argument, without …")
	case r.functions[name.Name] == nil:
		r.unknown(e, name.Name)
	default:
		return r.build(e, func() sso.Permission { return r.functions[name.Name](arguments{r, name.Name, e}) })
	}
	return nil
}

func (r *reader) unknown(at ast.Node, name string) {
	if strings.EqualFold(name, "truthy") {
		r.fault(at, "truthy is not available as text: write has, or build compat.Truthy in the program")
		return
	}
	for known := range r.functions {
		if strings.EqualFold(known, name) {
			r.fault(at, "%s is written %s", name, known)
			return
		}
	}
	r.fault(at, "%s is unknown; the functions are %s", name, strings.Join(slices.Sorted(maps.Keys(r.functions)), ", "))
}

// errFaulty ends the building of a permission whose arguments are wrong. It is a panic's value.
var errFaulty = errors.New("permission: wrong arguments")

// count requires a number of arguments.
func (a arguments) count(n int) {
	if len(a.call.Args) != n {
		a.fault(a.call, "%s takes %d arguments, got %d", a.name, n, len(a.call.Args))
		panic(errFaulty) // build ignores it, because there is a fault
	}
}

// only requires a number of strings.
func (a arguments) only(n int) []string {
	a.count(n)
	return a.texts()
}

// texts returns the arguments, which must be strings.
func (a arguments) texts() []string {
	list := make([]string, len(a.call.Args))
	for i := range a.call.Args {
		list[i] = a.text(i)
	}
	return list
}

// text returns an argument, which must be a string; empty if there is none, which the function reports.
func (a arguments) text(i int) string {
	if i >= len(a.call.Args) {
		return ""
	}
	value, _ := a.value(a.call.Args[i])
	text, ok := value.(string)
	if !ok {
		a.fault(a.call.Args[i], "argument %d of %s must be a string in quotes", i+1, a.name)
	}
	return text
}

// values returns the arguments after the path.
func (a arguments) values() []any {
	var list []any
	for _, e := range a.call.Args[min(1, len(a.call.Args)):] {
		value, ok := a.value(e)
		if !ok {
			a.fault(e, `expected a value: a string in quotes, a number, true, false, null, or json("…")`)
		}
		list = append(list, value)
	}
	return list
}

func (a arguments) duration() time.Duration {
	text := a.only(1)[0]
	d, err := time.ParseDuration(text)
	if err != nil {
		a.fault(a.call, "freshLogin takes a duration such as \"15m\"")
		panic(errFaulty)
	}
	return d
}

// value reads a literal. Numbers keep their digits.
func (r *reader) value(e ast.Expr) (value any, ok bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		switch e.Kind {
		case token.STRING:
			text, err := strconv.Unquote(e.Value)
			if !utf8.ValidString(text) { // JSON cannot have it
				r.fault(e, "%s is not valid UTF-8", e.Value)
			}
			return text, err == nil
		case token.INT, token.FLOAT:
			return r.number(e, e.Value), true
		}
	case *ast.UnaryExpr:
		if literal, isLiteral := e.X.(*ast.BasicLit); isLiteral && e.Op == token.SUB && (literal.Kind == token.INT || literal.Kind == token.FLOAT) {
			return r.number(e, "-"+literal.Value), true
		}
	case *ast.Ident:
		value, ok = map[string]any{"true": true, "false": false, "null": nil, "nil": nil}[e.Name]
		return value, ok
	case *ast.CallExpr:
		if name, isName := e.Fun.(*ast.Ident); isName && name.Name == "json" && len(e.Args) == 1 {
			return r.json(e)
		}
	}
	return nil, false
}

func (r *reader) number(at ast.Node, digits string) any {
	if !json.Valid([]byte(digits)) {
		r.fault(at, "%s is not a JSON number: write decimal digits, without _ and leading zeros", digits)
		return nil
	}
	return json.Number(digits)
}

func (r *reader) json(e *ast.CallExpr) (any, bool) {
	text, _ := r.value(e.Args[0])
	written, ok := text.(string)
	if !ok {
		return nil, false
	}
	value, err := sso.ValueOf(json.RawMessage(written))
	if err != nil {
		r.fault(e, "json(…): %v", cmp.Or(errors.Unwrap(err), err))
		return nil, true
	}
	return value, true
}
