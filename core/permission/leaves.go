package permission

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/more-retail/moresso-go/core/sso"
)

// Codes of denials, as [sso.Decision.Code] gives them.
const (
	CodeMissing      = "missing"       // the path leads nowhere, or to null
	CodeWrongValue   = "wrong_value"   // it leads to something else
	CodeMissingScope = "missing_scope" // an OAuth scope was not granted
	CodeRefused      = "refused"       // a function said no
	CodeForbidden    = "forbidden"     // what Not forbids is there
	CodeUnmet        = "unmet"         // of a combination; its children say why
)

// wildcard in a token stands for any value.
const wildcard = "*"

// A path is a dotted path taken apart once, when the permission is built.
type path struct {
	text  string
	names []string
}

func newPath(function, text string) path {
	if text == "" {
		panic("permission: " + function + " with an empty path, which would look at nothing in particular")
	}
	return path{text, sso.SplitPath(text)}
}

// in follows the path through the permissions of a principal.
func (p path) in(access sso.Access) sso.Value {
	v := access.Principal().Permissions()
	for _, name := range p.names {
		v = v.Get(name)
	}
	return v
}

// isWildcard reports whether a value is the wildcard, and wildcards mean something.
func isWildcard(v sso.Value, access sso.Access) bool {
	text, ok := v.Text()
	return ok && text == wildcard && access.WildcardGrants()
}

// deny explains what a path led to instead.
func (p path) deny(found sso.Value, wanted string) sso.Decision {
	code := CodeWrongValue
	if !found.Exists() || found.IsNull() {
		code = CodeMissing
	}
	return sso.Deny(code, fmt.Sprintf("the token's permissions need %s at %s", wanted, p.text)).WithValue(p.text, wanted, found)
}

// Is demands that the value at a path is one of those wanted. Where the token has a list, one
// of its elements must be; where it has "*", any value is granted.
//
// Values may be of any Go type with a JSON form. A slice among them is spread, one level deep,
// so that Is("orders.role", roles...) and Is("orders.role", roles) mean the same. It panics
// without a path or without values.
func Is(dotted string, values ...any) sso.Permission {
	p := &is{path: newPath("Is", dotted)}
	for _, value := range spread(values) {
		wanted, err := sso.ValueOf(value)
		if err != nil {
			panic("permission: Is(" + strconv.Quote(dotted) + "): " + err.Error())
		}
		if !wanted.Exists() {
			panic("permission: Is(" + strconv.Quote(dotted) + ") with an absent sso.Value, which equals nothing")
		}
		p.values = append(p.values, wanted)
	}
	if len(p.values) == 0 {
		panic("permission: Is(" + strconv.Quote(dotted) + ") without a value: use Has for true")
	}
	texts := make([]string, len(p.values))
	for i, v := range p.values {
		texts[i] = v.String()
	}
	p.wanted = texts[0]
	if len(texts) > 1 {
		p.wanted = "one of " + strings.Join(texts, ", ")
	}
	p.text = fmt.Sprintf("is(%q, %s)", dotted, strings.Join(texts, ", "))
	return p
}

// spread replaces each slice by its elements. Bytes are no list to JSON.
func spread(values []any) []any {
	var flat []any
	for _, value := range values {
		v := reflect.ValueOf(value)
		_, marshals := value.(json.Marshaler) // json.RawMessage among them
		if marshals || !v.IsValid() || (v.Kind() != reflect.Slice && v.Kind() != reflect.Array) || v.Type().Elem().Kind() == reflect.Uint8 {
			flat = append(flat, value)
			continue
		}
		for i := range v.Len() {
			flat = append(flat, v.Index(i).Interface())
		}
	}
	return flat
}

type is struct {
	path   path
	values []sso.Value
	wanted string // for people
	text   string
}

func (p *is) Check(_ context.Context, access sso.Access) sso.Decision {
	found := p.path.in(access)
	if found.Exists() && !found.IsNull() && (isWildcard(found, access) || p.matches(found)) {
		return sso.Grant()
	}
	return p.path.deny(found, p.wanted)
}

func (p *is) matches(found sso.Value) bool {
	if found.IsArray() {
		for element := range found.Elements() {
			if p.contains(element) {
				return true
			}
		}
		return false
	}
	return p.contains(found)
}

func (p *is) contains(v sso.Value) bool { return slices.ContainsFunc(p.values, v.Equal) }

func (p *is) String() string { return p.text }

// Has demands that the value at a path is true or "*". It panics without a path.
func Has(dotted string) sso.Permission { return &has{newPath("Has", dotted)} }

type has struct{ path path }

func (p *has) Check(_ context.Context, access sso.Access) sso.Decision {
	found := p.path.in(access)
	if yes, _ := found.Bool(); yes || isWildcard(found, access) {
		return sso.Grant()
	}
	return p.path.deny(found, "true")
}

func (p *has) String() string { return fmt.Sprintf("has(%q)", p.path.text) }

// Truthy demands what the Python edition takes for true when it is asked for a path without a
// value: true, a number other than 0, a string or an object that is not empty. "false" and
// "0" are strings that are not empty; a list is never true. Use [Has] unless you migrate. It
// panics without a path.
func Truthy(dotted string) sso.Permission { return &truthy{newPath("Truthy", dotted)} }

type truthy struct{ path path }

func (p *truthy) Check(_ context.Context, access sso.Access) sso.Decision {
	found := p.path.in(access)
	if isTruthy(found) {
		return sso.Grant()
	}
	return p.path.deny(found, "a value that counts as true")
}

func isTruthy(v sso.Value) bool {
	switch v.Kind() {
	case "boolean":
		yes, _ := v.Bool()
		return yes
	case "number":
		number, ok := v.Float64() // as Python reads it, which takes 1e-400 for 0
		return number != 0 || !ok
	case "string":
		text, _ := v.Text()
		return text != ""
	case "object":
		return v.Len() > 0
	}
	return false
}

func (p *truthy) String() string { return fmt.Sprintf("truthy(%q)", p.path.text) }

// Scope demands every one of the OAuth scopes named (RFC 6749, section 3.3). It panics without
// a name, and for a name that cannot be a scope: several in one string are several arguments.
func Scope(names ...string) sso.Permission {
	if len(names) == 0 {
		panic("permission: Scope without a name")
	}
	for _, name := range names {
		if name == "" || strings.ContainsFunc(name, func(c rune) bool { return c <= ' ' || c >= 0x7f || c == '"' || c == '\\' }) {
			panic(fmt.Sprintf("permission: Scope: %q cannot be the name of a scope (RFC 6749, section 3.3); give each scope as an argument of its own", name))
		}
	}
	return scope(slices.Clone(names))
}

type scope []string

func (p scope) Check(_ context.Context, access sso.Access) sso.Decision {
	for _, name := range p {
		if !access.Principal().HasScope(name) {
			return p.deny(access)
		}
	}
	return sso.Grant()
}

func (p scope) deny(access sso.Access) sso.Decision {
	var missing []string
	for _, name := range p {
		if !access.Principal().HasScope(name) {
			missing = append(missing, name)
		}
	}
	list := strings.Join(missing, " ")
	return sso.Deny(CodeMissingScope, "the token needs the scope "+list).WithScopes(missing...)
}

func (p scope) String() string {
	quoted := make([]string, len(p))
	for i, name := range p {
		quoted[i] = strconv.Quote(name)
	}
	return "scope(" + strings.Join(quoted, ", ") + ")"
}

// Func is a permission by a function: true grants, false denies, an error refuses with 500 and
// is logged. The name stands for it in explanations. The function must be safe for concurrent
// use and honour its context, which is the request's. It panics without a name or a function.
func Func(name string, check func(context.Context, sso.Access) (bool, error)) sso.Permission {
	if name == "" || check == nil {
		panic("permission: Func needs a name and a function")
	}
	return &function{name, check}
}

type function struct {
	name  string
	check func(context.Context, sso.Access) (bool, error)
}

func (p *function) Check(ctx context.Context, access sso.Access) sso.Decision {
	ok, err := p.check(ctx, access)
	switch {
	case err != nil:
		return sso.Fail(fmt.Errorf("%s: %w", p.name, err))
	case !ok:
		return sso.Deny(CodeRefused, p.name+" must hold")
	}
	return sso.Grant()
}

func (p *function) String() string { return fmt.Sprintf("func(%q)", p.name) }
