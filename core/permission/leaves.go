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

// Codes of denials, as [sso.Decision.Code] gives them: a word for logs and tests. No client sees
// them.
const (
	CodeMissing      = "missing"       // the path leads nowhere, or to null
	CodeWrongValue   = "wrong_value"   // it leads to something else
	CodeMissingScope = "missing_scope" // an OAuth scope was not granted
	CodeMissingRole  = "missing_role"  // none of the roles is there
	CodeNobody       = "nobody"        // there is no principal
	CodeWrongCaller  = "wrong_caller"  // the token does not show that a person, or a program, calls
	CodeOldLogin     = "old_login"     // the login is too old, or lies ahead of this clock
	CodeNoAuthTime   = "no_auth_time"  // the token does not tell when the login was
	CodeWeakLogin    = "weak_login"    // the login was not by one of the means wanted
	CodeNotOwn       = "not_own"       // the path names somebody else's
	CodeWrongMethod  = "wrong_method"  // the request has another method
	CodeRefused      = "refused"       // a function said no
	CodeForbidden    = "forbidden"     // what Not forbids is there
	CodeUnmet        = "unmet"         // of a combination; its children say why
)

// wildcard in a token's permissions stands for any value.
const wildcard = "*"

// A path is a dotted path taken apart once, when the permission is built.
type path struct {
	text   string
	names  []string
	claims bool // it starts at the token's root, and not at its permissions
}

func newPath(function, text string) path {
	if text == "" {
		panic("permission: " + function + " with an empty path, which would look at nothing in particular")
	}
	return path{text: text, names: sso.SplitPath(text)}
}

func newClaim(function, text string) path {
	p := newPath(function, text)
	p.claims = true
	return p
}

// in follows the path through what the token of a principal says.
func (p *path) in(access sso.Access) sso.Value {
	v := access.Principal().Permissions()
	if p.claims {
		v = access.Principal().Claims()
	}
	for _, name := range p.names {
		v = v.Get(name)
	}
	return v
}

// isWildcard reports whether a value is the wildcard, and wildcards mean something.
func (p *path) isWildcard(v sso.Value, access sso.Access) bool {
	if p.claims || !access.WildcardGrants() {
		return false
	}
	text, ok := v.Text()
	return ok && text == wildcard
}

// deny explains what a path led to instead.
func (p *path) deny(access sso.Access, wanted string) sso.Decision {
	found, code := p.in(access), CodeWrongValue
	if !found.Exists() || found.IsNull() {
		code = CodeMissing
	}
	root := "permissions"
	if p.claims {
		root = "claims"
	} else if claim := access.PermissionsClaim(); claim != root {
		root += " (its claim " + claim + ")"
	}
	return sso.Deny(code, fmt.Sprintf("the token's %s need %s at %s", root, wanted, p.text)).WithValue(p.text, wanted, found)
}

// Is demands that the value at a path, within the token's permissions, is one of those wanted.
// Where the token has a list, one of its elements must be; where it has "*", any value is granted
// (unless [sso.Config.DisableWildcard]). An absent value and null are denied, whatever is wanted.
//
// Values may be of any Go type with a JSON form. A slice or an array among them is spread, one
// level deep, so that Is("orders.role", roles...) with roles of type []any and Is("orders.role",
// roles) mean the same; bytes and what marshals itself are not spread.
//
// It panics without a path, without values, and for a value that has no JSON form. A denial has
// the code [CodeMissing] or [CodeWrongValue].
func Is(dotted string, values ...any) sso.Permission {
	return newIs("Is", "is", newPath("Is", dotted), values)
}

// Claim demands of the claim at a path, from the token's root, what [Is] demands within its
// permissions; but "*" means nothing there. A dot within a claim's name is written `\.`, as in
// `https://corp\.example/roles`. It panics as Is does, and denies with the same codes.
func Claim(dotted string, values ...any) sso.Permission {
	return newIs("Claim", "claim", newClaim("Claim", dotted), values)
}

func newIs(function, kind string, at path, values []any) sso.Permission {
	p := &is{path: at, kind: kind}
	called := "permission: " + function + "(" + strconv.Quote(at.text) + ")"
	for _, value := range spread(values) {
		wanted, err := sso.ValueOf(value)
		if err != nil {
			panic(called + ": " + err.Error())
		}
		if !wanted.Exists() {
			panic(called + " with an absent sso.Value, which equals nothing")
		}
		p.values = append(p.values, wanted)
		if text, ok := wanted.Text(); ok {
			p.texts = append(p.texts, text)
		}
	}
	if len(p.values) == 0 {
		panic(called + " without a value: say which, or use Has for true")
	}
	p.wanted = oneOf(p.values)
	return p
}

// oneOf writes alternatives for people.
func oneOf(values []sso.Value) string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = v.String()
	}
	if len(list) == 1 {
		return list[0]
	}
	return "one of " + strings.Join(list, ", ")
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
	kind   string
	values []sso.Value
	texts  []string // the strings among them
	wanted string   // for people
}

func (p *is) Check(_ context.Context, access sso.Access) sso.Decision {
	if p.holds(access) {
		return sso.Grant()
	}
	return p.path.deny(access, p.wanted)
}

func (p *is) holds(access sso.Access) bool {
	found := p.path.in(access)
	if text, ok := found.Text(); ok { // by far the most frequent case
		return slices.Contains(p.texts, text) || p.path.isWildcard(found, access)
	}
	switch {
	case found.IsNull(): // as good as absent, even where null is wanted
		return false
	case found.IsArray():
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

func (p *is) describe() description {
	return description{Kind: p.kind, Path: p.path.text, Values: p.values}
}

func (p *is) String() string { return Describe(p) }

// Has demands that the value at a path, within the token's permissions, is true, or "*" (unless
// [sso.Config.DisableWildcard]). Nothing else will do: not 1, not "true", not a list with true in
// it. It panics without a path. A denial has the code [CodeMissing] or [CodeWrongValue].
func Has(dotted string) sso.Permission { return &has{newPath("Has", dotted)} }

type has struct{ path path }

func (p *has) Check(_ context.Context, access sso.Access) sso.Decision {
	if p.holds(access) {
		return sso.Grant()
	}
	return p.path.deny(access, "true")
}

func (p *has) holds(access sso.Access) bool {
	found := p.path.in(access)
	yes, _ := found.Bool()
	return yes || p.path.isWildcard(found, access)
}

func (p *has) describe() description { return description{Kind: "has", Path: p.path.text} }

func (p *has) String() string { return Describe(p) }

// Truthy demands what the Python edition takes for true when it is asked for a path without a
// value: true, a number other than 0, a string or an object that is not empty. "false" and
// "0" are strings that are not empty, and so is "*", whether or not wildcards are switched off; a
// list is never true. Use [Has] unless you migrate. It panics without a path. A denial has the code
// [CodeMissing] or [CodeWrongValue].
func Truthy(dotted string) sso.Permission { return &truthy{newPath("Truthy", dotted)} }

type truthy struct{ path path }

func (p *truthy) Check(_ context.Context, access sso.Access) sso.Decision {
	if p.holds(access) {
		return sso.Grant()
	}
	return p.path.deny(access, "a value that counts as true")
}

func (p *truthy) holds(access sso.Access) bool { return isTruthy(p.path.in(access)) }

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

func (p *truthy) describe() description { return description{Kind: "truthy", Path: p.path.text} }

func (p *truthy) String() string { return Describe(p) }

// Scope demands every one of the OAuth scopes named (RFC 6749, section 3.3), in the claims that
// [sso.Principal.HasScope] looks at; for one of several write Any(Scope(…), Scope(…)). The client
// is told which are missing if [sso.Config.TellScopes] says so. It panics without a name, and for a
// name that cannot be a scope: several in one string are several arguments. A denial has the code
// [CodeMissingScope].
func Scope(names ...string) sso.Permission {
	if len(names) == 0 {
		panic("permission: Scope without a name")
	}
	for _, name := range names {
		if !isToken(name) {
			panic(fmt.Sprintf("permission: Scope: %q cannot be the name of a scope (RFC 6749, section 3.3); give each scope as an argument of its own", name))
		}
	}
	return scope(slices.Clone(names))
}

// isToken checks the syntax of a scope (RFC 6749, section 3.3), which is also what fits into a
// challenge.
func isToken(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(c rune) bool { return c <= ' ' || c >= 0x7f || c == '"' || c == '\\' })
}

type scope []string

func (p scope) Check(_ context.Context, access sso.Access) sso.Decision {
	if p.holds(access) {
		return sso.Grant()
	}
	var missing []string
	for _, name := range p {
		if !access.Principal().HasScope(name) {
			missing = append(missing, name)
		}
	}
	list := strings.Join(missing, " ")
	return sso.Deny(CodeMissingScope, "the token needs the scope "+list).WithScopes(missing...)
}

func (p scope) holds(access sso.Access) bool {
	for _, name := range p {
		if !access.Principal().HasScope(name) {
			return false
		}
	}
	return true
}

func (p scope) describe() description { return description{Kind: "scope", Values: texts(p)} }

func (p scope) String() string { return Describe(p) }

// Role demands one of the roles named, in the claim that [sso.Config.RolesClaim] says; see
// [sso.Principal.HasRole]; for every one of several write All(Role(…), Role(…)). "*" is a role like
// any other. It panics without a name and for an empty one. A denial has the code [CodeMissingRole].
func Role(names ...string) sso.Permission {
	if len(names) == 0 || slices.Contains(names, "") {
		panic("permission: Role without a name, or with an empty one")
	}
	return role(slices.Clone(names))
}

type role []string

func (p role) Check(_ context.Context, access sso.Access) sso.Decision {
	if p.holds(access) {
		return sso.Grant()
	}
	return sso.Deny(CodeMissingRole, "the token needs the role "+oneOf(texts(p))+" in its claim "+access.RolesClaim())
}

func (p role) holds(access sso.Access) bool {
	return slices.ContainsFunc(p, access.Principal().HasRole)
}

func (p role) describe() description { return description{Kind: "role", Values: texts(p)} }

func (p role) String() string { return Describe(p) }

// Func is a permission by a function: true grants, false denies with the code [CodeRefused], an
// error refuses with 500 and is logged, whatever the bool beside it. A panic counts as an error.
// The name stands for it in explanations and in [Describe], and begins what is logged of an error.
// The function must be safe for concurrent use and honour its context, which is the request's: an
// answer after that has ended counts as an error. It may be asked more than once for a request, and
// not at all where something else decides. Func panics without a name or a function.
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

func (p *function) describe() description {
	return description{Kind: kindFunc, Values: texts([]string{p.name})}
}

func (p *function) String() string { return Describe(p) }
