package permission

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/more-retail/moresso-go/core/internal/jsondoc"
	"github.com/more-retail/moresso-go/core/sso"
)

// A path is a dotted path, split once when the permission is built.
type path struct {
	text   string
	names  []string
	claims bool // from the token's root instead of its permissions
}

func newPath(function, text string, claims bool) path {
	if text == "" {
		panic("permission: " + function + " with an empty path")
	}
	return path{text: text, names: jsondoc.SplitPath(text), claims: claims}
}

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

// isWildcard reports whether a value in the token's permissions matches any other.
func (p *path) isWildcard(v sso.Value, access sso.Access) bool {
	text, ok := v.Text()
	return ok && text == "*" && !p.claims && access.WildcardGrants()
}

// deny explains that the path leads to something else.
func (p *path) deny(access sso.Access, wanted string) sso.Decision {
	found, code := p.in(access), "wrong_value"
	if !found.Exists() || found.Kind() == "null" {
		code = "missing"
	}
	root := "claims"
	if !p.claims {
		root = permissionsFound(access)
	}
	remedy := fmt.Sprintf("the token's %s need %s at %s", root, wanted, p.text)
	return sso.Deny(code, remedy).With(sso.Details{Path: p.text, Wanted: wanted, Found: found})
}

// permissionsFound describes the token's permissions: their claim, unless it is the usual one, and their
// JSON type.
func permissionsFound(access sso.Access) string {
	text := "permissions ("
	if claim := access.PermissionsClaim(); claim != "permissions" {
		text += "its claim " + claim + ", "
	}
	kind := access.Principal().Permissions().Kind()
	known := map[string]string{"nothing": "absent", "object": "an object", "array": "an array"}
	return text + cmp.Or(known[kind], "a JSON "+kind) + ")"
}

// Is requires that the value at a path within the token's permissions is one of those given. If
// the token has a list, one of its elements must be. If it has "*", any value is granted if
// [sso.Config.Wildcard] is set. An absent value and null are denied, even if nil is given.
//
// Values may be of any Go type with a JSON form. A slice or an array among them is replaced by its
// elements, one level deep, so that Is("orders.role", roles...) with roles of type []any and
// Is("orders.role", roles) mean the same. Bytes and types that marshal themselves are single values.
//
// It panics without a path, without values, and for a value that has no JSON form. A denial has
// the code "missing" or "wrong_value".
func Is(dotted string, values ...any) sso.Permission {
	return isOneOf("Is", newPath("Is", dotted, false), values)
}

// Claim requires of the claim at a path from the token's root what [Is] requires within the token's
// permissions, except that "*" has no meaning. A dot within a claim's name is written `\.`, as in
// `https://corp\.example/roles`. It panics and denies as Is does.
func Claim(dotted string, values ...any) sso.Permission {
	return isOneOf("Claim", newPath("Claim", dotted, true), values)
}

// Absent requires that the token has no claim at a path from its root, or null. Every value denies, also
// false and "". Where a provider writes false for the usual case, require
// Any(Absent("suspended"), Claim("suspended", false)). A route must require another permission too;
// see [ForRoute]. It panics without a path. A denial has the code "forbidden".
func Absent(dotted string) sso.Permission {
	at := newPath("Absent", dotted, true)
	absent := func(v sso.Value) bool { return !v.Exists() || v.Kind() == "null" }
	return &node{
		text:      call("absent", texts(dotted)...),
		byAbsence: true,
		holds: func(access sso.Access) bool {
			return access.Principal().Claims().Exists() && absent(at.in(access))
		},
		deny: func(access sso.Access) sso.Decision {
			return sso.Deny("forbidden", "the token must not have "+dotted).With(sso.Details{Path: dotted, Wanted: "nothing", Found: at.in(access)})
		},
	}
}

func isOneOf(function string, at path, values []any) sso.Permission {
	var wanted []sso.Value
	called := "permission: " + function + "(" + strconv.Quote(at.text) + ")"
	for _, value := range flat(values) {
		v, err := sso.ValueOf(value)
		if err != nil {
			panic(called + ": " + err.Error())
		}
		if !v.Exists() {
			panic(called + " with an absent sso.Value, which equals nothing")
		}
		wanted = append(wanted, v)
	}
	if len(wanted) == 0 {
		panic(called + " without a value: add one, or use Has for true")
	}
	isWanted := func(v sso.Value) bool { return slices.ContainsFunc(wanted, v.Equal) }
	return &node{
		text: call(strings.ToLower(function), append(texts(at.text), wanted...)...),
		holds: func(access sso.Access) bool {
			found := at.in(access)
			switch found.Kind() {
			case "null": // counts as absent
				return false
			case "array":
				for element := range found.Elements() {
					if isWanted(element) {
						return true
					}
				}
				return false
			}
			return isWanted(found) || at.isWildcard(found, access)
		},
		deny: func(access sso.Access) sso.Decision { return at.deny(access, oneOf(wanted, "", "one of ")) },
	}
}

// oneOf lists alternatives for people.
func oneOf(values []sso.Value, one, several string) string {
	list := make([]string, len(values))
	for i, v := range values {
		text, _ := v.MarshalJSON() // never fails
		list[i] = string(text)
	}
	if len(list) > 1 {
		one = several
	}
	return one + strings.Join(list, ", ")
}

// flat replaces each slice by its elements. Bytes are a single value in JSON.
func flat(values []any) []any {
	var list []any
	for _, value := range values {
		v := reflect.ValueOf(value)
		_, marshals := value.(json.Marshaler) // such as json.RawMessage
		if marshals || !v.IsValid() || (v.Kind() != reflect.Slice && v.Kind() != reflect.Array) || v.Type().Elem().Kind() == reflect.Uint8 {
			list = append(list, value)
			continue
		}
		for i := range v.Len() {
			list = append(list, v.Index(i).Interface())
		}
	}
	return list
}

// Has requires that the value at a path within the token's permissions is true, or "*" if
// [sso.Config.Wildcard] is set. It denies every other value, such as 1, "true" and a list that contains
// true. If the permissions are a list, as those of Auth0 are, one of its elements must be the path
// itself, as in Has("read:orders"). It panics without a path. A denial has the code "missing" or
// "wrong_value".
func Has(dotted string) sso.Permission {
	at := newPath("Has", dotted, false)
	name := strings.Join(at.names, ".") // as an element of a list
	return &node{
		text: call("has", texts(dotted)...),
		holds: func(access sso.Access) bool {
			for e := range access.Principal().Permissions().Elements() {
				if text, ok := e.Text(); ok && text == name {
					return true
				}
			}
			found := at.in(access)
			yes, _ := found.Bool()
			return yes || at.isWildcard(found, access)
		},
		deny: func(access sso.Access) sso.Decision {
			if list := access.Principal().Permissions(); list.Kind() == "array" {
				wanted := strconv.Quote(name)
				return sso.Deny("missing", fmt.Sprintf("the token's %s need the element %s", permissionsFound(access), wanted)).
					With(sso.Details{Path: at.text, Wanted: wanted, Found: list})
			}
			return at.deny(access, "true")
		},
	}
}

// Scope requires every one of the OAuth scopes (RFC 6749, section 3.3), in the claims that
// [sso.Principal.HasScope] reads. For one of several, write Any(Scope(…), Scope(…)). The client sees
// the missing scopes if [sso.Config.TellScopes] is set. It panics without a name, and for a name that is
// not a valid scope, such as two scopes in one string. A denial has the code "missing_scope".
func Scope(names ...string) sso.Permission {
	names = tokens("Scope", names)
	return &node{
		text: call("scope", texts(names...)...),
		holds: func(access sso.Access) bool {
			return !slices.ContainsFunc(names, func(name string) bool { return !access.Principal().HasScope(name) })
		},
		deny: func(access sso.Access) sso.Decision {
			missing := slices.DeleteFunc(slices.Clone(names), access.Principal().HasScope)
			return sso.Deny("missing_scope", "the token needs the scope "+strings.Join(missing, " ")).With(sso.Details{Scopes: missing})
		},
	}
}

// tokens returns a copy of a function's arguments. It panics if one is not a valid scope
// (RFC 6749, section 3.3), which is also what a challenge can contain.
func tokens(function string, names []string) []string {
	if len(names) == 0 {
		panic("permission: " + function + " without a name")
	}
	for _, name := range names {
		if name == "" || strings.ContainsFunc(name, func(c rune) bool { return c <= ' ' || c >= 0x7f || c == '"' || c == '\\' }) {
			panic(fmt.Sprintf("permission: %s: %q is not valid (RFC 6749, section 3.3); pass each name as an argument of its own", function, name))
		}
	}
	return slices.Clone(names)
}

// Role requires one of the roles, in the claim that [sso.Config.RolesClaim] names; see
// [sso.Principal.HasRole]. For every one of several, write All(Role(…), Role(…)). "*" is a role like
// any other. It panics without a name and for an empty one. A denial has the code "missing_role".
func Role(names ...string) sso.Permission {
	if len(names) == 0 || slices.Contains(names, "") {
		panic("permission: Role without a name, or with an empty one")
	}
	names = slices.Clone(names)
	wanted := oneOf(texts(names...), "the role ", "one of the roles ")
	return &node{
		text:  call("role", texts(names...)...),
		holds: func(access sso.Access) bool { return slices.ContainsFunc(names, access.Principal().HasRole) },
		deny: func(access sso.Access) sso.Decision {
			return sso.Deny("missing_role", "the token needs "+wanted+" in its claim "+access.RolesClaim())
		},
	}
}

// Func returns a permission that calls a function: true grants, false denies with the code
// "refused", and an error fails, even beside true. A panic counts as an error. The name identifies the
// permission in explanations, in the log and in [Describe]. The function must be safe for concurrent use
// and honor its context, which is that of the request: an answer after the context has ended counts
// as an error. It is called at most once for each place where it is used, and not if another permission
// decides before. Func panics without a name or a function.
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

// Check implements [sso.Permission].
func (p *function) Check(ctx context.Context, access sso.Access) sso.Decision {
	ok, err := p.check(ctx, access)
	switch {
	case err != nil:
		return sso.Fail(fmt.Errorf("%s: %w", p.name, err))
	case !ok:
		return sso.Deny("refused", p.name+" must hold")
	}
	return sso.Grant()
}

// String implements [fmt.Stringer]; see [Describe].
func (p *function) String() string { return call("func", texts(p.name)...) }
