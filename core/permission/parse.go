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

// ParseError lists everything that is wrong with the text of a permission; [Parse] returns it as a
// *ParseError, which [errors.As] finds.
type ParseError struct {
	Faults []ParseFault // at least one
}

// ParseFault is one thing that is wrong with the text of a permission.
type ParseFault struct {
	Line, Column int    // where it begins; both count from 1, and columns count bytes
	Problem      string // what is wrong and what to write instead
}

// Error writes one line for each fault: line, column and problem.
func (e *ParseError) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = fmt.Sprintf("%d:%d: %s", f.Line, f.Column, f.Problem)
	}
	return "permission: " + strings.Join(lines, "\n  ")
}

// Parse makes a permission of text, for configuration and command lines. It is written in the
// syntax of Go's expressions, with the functions of this package in lower case:
//
//	is("pma.role", "admin") && scope("orders:read")
//	ifElse(method("GET"), has("orders.read"), role("clerk") || !claim("suspended", true))
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
// any(a, all(b, not(c))). They mean [All], [Any] and [Not], and all(…), any(…) and not(…) do as well.
//
//	is, claim                          a path, and one value or several: [Is], [Claim]
//	has, truthy                        a path: [Has], [Truthy]
//	scope, role, acr, method           one string or several: [Scope], [Role], [ACR], [Method]
//	freshLogin                         a duration such as "15m", as [time.ParseDuration] reads it: [FreshLogin]
//	sameAsPath                         the path of a claim, and the name of a parameter: [SameAsPath]
//	authenticated, humanUser,          nothing: [Authenticated], [HumanUser], [ClientCredentials]
//	clientCredentials
//	all, any                           one permission or several
//	not                                one permission
//	ifElse                             three permissions: [IfElse]
//
// A string stands in quotes or backquotes, as in Go; a number is written as JSON writes it, and
// keeps its digits; json(`[1, 2]`) is a list or an object. Lines break where Go's would: behind an
// operator, a comma or an opening parenthesis. Go's comments are read over. What is code, a [Func]
// or a type of your own, cannot be written.
//
// It fails with a *[ParseError] that names every fault by its position; what would make a
// function of this package panic is a fault too, the empty text among them. At most 16 KiB are
// read; a longer text is refused.
//
// Parse does not ask whether a route can do with what is written: Require panics for "!has(…)"
// alone, as for any Not; see [ForRoute].
func Parse(expr string) (sso.Permission, error) {
	if len(expr) > maxExpression {
		return nil, &ParseError{[]ParseFault{{1, 1, fmt.Sprintf("the text has %d bytes; at most %d are read", len(expr), maxExpression)}}}
	}
	files := token.NewFileSet()
	tree, err := parser.ParseExprFrom(files, "", expr, parser.AllErrors)
	if err != nil {
		if faults := codeFaults(expr); len(faults) > 0 {
			return nil, &ParseError{faults}
		}
		return nil, &ParseError{syntaxFaults(err)}
	}
	r := &reader{files: files, functions: functions()}
	p := r.permission(tree)
	if len(r.faults) > 0 {
		return nil, &ParseError{r.faults}
	}
	return p, nil
}

// codeFaults finds each func, which [Describe] writes of a [Func]. It is a keyword of Go's, so that all its parser
// says is that something else should stand behind it.
func codeFaults(expr string) (faults []ParseFault) {
	file := token.NewFileSet().AddFile("", -1, len(expr))
	var words scanner.Scanner
	words.Init(file, []byte(expr), nil, 0)
	for {
		switch at, word, _ := words.Scan(); word {
		case token.FUNC:
			position := file.PositionFor(at, false)
			faults = append(faults, ParseFault{position.Line, position.Column, "func is code, which no text can bring back: build this permission in the program"})
		case token.EOF:
			return faults
		}
	}
}

func syntaxFaults(err error) []ParseFault {
	var list scanner.ErrorList
	if !errors.As(err, &list) {
		return []ParseFault{{1, 1, err.Error()}}
	}
	faults := make([]ParseFault, len(list))
	for i, e := range list {
		faults[i] = ParseFault{e.Pos.Line, e.Pos.Column, e.Msg}
	}
	return faults
}

// A reader maps Go's syntax tree to permissions. What it cannot map it notes and reads on, so
// that all faults are found; the permissions that it returns count only if there are none.
type reader struct {
	files     *token.FileSet
	functions map[string]func(arguments) sso.Permission
	faults    []ParseFault
}

func (r *reader) fault(at ast.Node, format string, args ...any) {
	position := r.files.PositionFor(at.Pos(), false) // whatever a //line comment says
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
	r.fault(e, `here a permission must stand, such as is("orders.role", "clerk"); combine them by &&, || and !`)
	return nil
}

// operands takes a && b && c apart, which Go's tree holds as (a && b) && c.
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

// build makes a permission unless something is wrong with what it is made of. The message of a
// panic of this package is a fault; any other panic goes on.
func (r *reader) build(at ast.Node, build func() sso.Permission) (p sso.Permission) {
	before := len(r.faults)
	defer func() {
		v := recover()
		message, ours := v.(string)
		switch {
		case v == nil:
		case len(r.faults) > before:
			p = nil // it was built of what is already noted
		case ours:
			r.fault(at, "%s", strings.TrimPrefix(message, "permission: "))
		default:
			panic(v)
		}
	}()
	return build()
}

// arguments are those of one call.
type arguments struct {
	*reader
	name string
	call *ast.CallExpr
}

// functions are those that a text can name. They are no variable, so that a service which reads no
// text carries neither them nor the parser.
func functions() map[string]func(arguments) sso.Permission {
	return map[string]func(arguments) sso.Permission{
		"is":                func(a arguments) sso.Permission { return Is(a.first(), a.values()...) },
		"claim":             func(a arguments) sso.Permission { return Claim(a.first(), a.values()...) },
		"has":               func(a arguments) sso.Permission { return Has(a.only(1)[0]) },
		"truthy":            func(a arguments) sso.Permission { return Truthy(a.only(1)[0]) },
		"scope":             func(a arguments) sso.Permission { return Scope(a.texts()...) },
		"role":              func(a arguments) sso.Permission { return Role(a.texts()...) },
		"authenticated":     func(a arguments) sso.Permission { a.only(0); return Authenticated() },
		"clientCredentials": func(a arguments) sso.Permission { a.only(0); return ClientCredentials() },
		"humanUser":         func(a arguments) sso.Permission { a.only(0); return HumanUser() },
		"freshLogin":        func(a arguments) sso.Permission { return FreshLogin(a.duration()) },
		"acr":               func(a arguments) sso.Permission { return ACR(a.texts()...) },
		"method":            func(a arguments) sso.Permission { return Method(a.texts()...) },
		"sameAsPath":        func(a arguments) sso.Permission { t := a.only(2); return SameAsPath(t[0], t[1]) },
		kindAll:             func(a arguments) sso.Permission { return All(a.permissions(a.call.Args)...) },
		kindAny:             func(a arguments) sso.Permission { return Any(a.permissions(a.call.Args)...) },
		kindNot:             func(a arguments) sso.Permission { a.count(1); return Not(a.permissions(a.call.Args)[0]) },
		kindIfElse: func(a arguments) sso.Permission {
			a.count(3)
			p := a.permissions(a.call.Args)
			return IfElse(p[0], p[1], p[2])
		},
	}
}

func (r *reader) call(e *ast.CallExpr) sso.Permission {
	name, ok := e.Fun.(*ast.Ident)
	if !ok {
		r.fault(e, "write the name of the function alone, such as is(…)")
		return nil
	}
	if e.Ellipsis.IsValid() {
		r.fault(e, "write the arguments out, without …")
		return nil
	}
	function, ok := r.functions[name.Name]
	if !ok {
		r.unknown(e, name.Name)
		return nil
	}
	return r.build(e, func() sso.Permission { return function(arguments{r, name.Name, e}) })
}

func (r *reader) unknown(at ast.Node, name string) {
	for known := range r.functions {
		if strings.EqualFold(known, name) {
			r.fault(at, "%s is written %s", name, known)
			return
		}
	}
	r.fault(at, "%s is unknown; the functions are %s", name, strings.Join(slices.Sorted(maps.Keys(r.functions)), ", "))
}

// errFaulty ends the building of a permission whose arguments are at fault.
var errFaulty = errors.New("permission: faulty arguments")

// count demands a number of arguments.
func (a arguments) count(n int) {
	if len(a.call.Args) != n {
		a.fault(a.call, "%s takes %d arguments and has %d", a.name, n, len(a.call.Args))
		panic(errFaulty) // which build takes for what it is, since a fault was noted
	}
}

// only demands a number of strings.
func (a arguments) only(n int) []string {
	a.count(n)
	return a.texts()
}

// texts are the arguments, all strings.
func (a arguments) texts() []string {
	list := make([]string, len(a.call.Args))
	for i := range a.call.Args {
		list[i] = a.text(i)
	}
	return list
}

func (a arguments) text(i int) string {
	value, _ := a.value(a.call.Args[i])
	text, ok := value.(string)
	if !ok {
		a.fault(a.call.Args[i], "argument %d of %s is a string in quotes", i+1, a.name)
	}
	return text
}

// first is the path before the values.
func (a arguments) first() string {
	if len(a.call.Args) == 0 {
		return "" // for which the function has words of its own
	}
	return a.text(0)
}

// values are the arguments behind the path.
func (a arguments) values() []any {
	var list []any
	for _, e := range a.call.Args[min(1, len(a.call.Args)):] {
		value, ok := a.value(e)
		if !ok {
			a.fault(e, `here a value must stand: a string in quotes, a number, true, false, null, or json("…")`)
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

// value reads a literal. Numbers keep the digits that they are written with.
func (r *reader) value(e ast.Expr) (value any, ok bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		switch e.Kind {
		case token.STRING:
			text, err := strconv.Unquote(e.Value)
			if !utf8.ValidString(text) { // which claims cannot hold
				r.fault(e, "%s is no text in UTF-8", e.Value)
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
		if name, isName := e.Fun.(*ast.Ident); isName && name.Name == jsonCall && len(e.Args) == 1 {
			return r.json(e)
		}
	}
	return nil, false
}

func (r *reader) number(at ast.Node, digits string) any {
	if !json.Valid([]byte(digits)) {
		r.fault(at, "%s is no number as JSON writes them: only decimal digits, without _ and leading zeros", digits)
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
