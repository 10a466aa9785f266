package permission

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/more-retail/moresso-go/core/sso"
)

// Describe renders a permission as text, for audits, documentation and logs; the permissions of
// this package have it as their String method too. [Parse] reads what it prints. A permission of
// your own is shown by its String method, or else by its type; that and a [Func] are code, which no
// text can bring back.
func Describe(p sso.Permission) string { return describe(p).String() }

// DescribeJSON renders a permission as JSON, for programs that audit: an object with `kind`, which
// is the function's name as [Parse] reads it ("is", "all", …) or "func", and, where they apply,
// `path`, `values` and `children`, each of which is such an object. The kind "custom" is a
// permission of your own, whose name is its one value. The children of "ifElse" are the condition,
// what is demanded where it is granted, and what is demanded otherwise.
func DescribeJSON(p sso.Permission) []byte {
	text, err := json.Marshal(describe(p))
	if err != nil {
		panic("permission: " + err.Error()) // it holds nothing but strings and JSON
	}
	return text
}

// A description is a permission taken apart.
type description struct {
	Kind     string        `json:"kind"`
	Path     string        `json:"path,omitempty"`
	Values   []sso.Value   `json:"values,omitempty"`
	Children []description `json:"children,omitempty"`
}

const (
	kindAll    = "all"
	kindAny    = "any"
	kindNot    = "not"
	kindIfElse = "ifElse"
	kindFunc   = "func"
	kindCustom = "custom"
	// jsonCall is how a list or an object is written among values.
	jsonCall = "json"
)

type described interface{ describe() description }

func describe(p sso.Permission) description {
	switch p := p.(type) {
	case described:
		return p.describe()
	case fmt.Stringer:
		return description{Kind: kindCustom, Values: texts([]string{p.String()})}
	}
	return description{Kind: kindCustom, Values: texts([]string{fmt.Sprintf("%T", p)})}
}

func describeAll(list []sso.Permission) []description {
	children := make([]description, len(list))
	for i, p := range list {
		children[i] = describe(p)
	}
	return children
}

// texts makes values of strings.
func texts(list []string) []sso.Value {
	values := make([]sso.Value, len(list))
	for i, text := range list {
		values[i], _ = sso.ValueOf(text) // a string has a JSON form
	}
	return values
}

func (d description) String() string {
	switch d.Kind {
	case kindAll:
		return "(" + d.list(" && ") + ")"
	case kindAny:
		return "(" + d.list(" || ") + ")"
	case kindNot:
		return "!" + d.Children[0].String()
	case kindCustom:
		text, _ := d.Values[0].Text()
		return text
	}
	var arguments []string
	if d.Path != "" {
		arguments = append(arguments, strconv.Quote(d.Path))
	}
	for _, value := range d.Values {
		arguments = append(arguments, literal(value))
	}
	if len(d.Children) > 0 {
		arguments = append(arguments, d.list(", "))
	}
	return d.Kind + "(" + strings.Join(arguments, ", ") + ")"
}

func (d description) list(separator string) string {
	parts := make([]string, len(d.Children))
	for i, child := range d.Children {
		parts[i] = child.String()
	}
	return strings.Join(parts, separator)
}

// literal writes a value in Go's syntax, as far as that goes.
func literal(v sso.Value) string {
	if text, ok := v.Text(); ok {
		return strconv.Quote(text)
	}
	if v.Kind() == "array" || v.Kind() == "object" {
		return jsonCall + "(" + strconv.Quote(v.String()) + ")"
	}
	return v.String()
}
