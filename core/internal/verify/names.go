package verify

import (
	"iter"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/more-retail/moresso-go/core/internal/jsondoc"
)

// Names are members that the checks read.
type Names struct {
	list  []string
	plain bool // all are ASCII without capitals
}

// NewNames returns a list of names.
func NewNames(list ...string) Names {
	return Names{list, !slices.ContainsFunc(list, func(name string) bool { return !isPlain(name) })}
}

var (
	headerNames = NewNames("alg", "b64", "crit", "cty", "kid", "typ", "zip")
	logoutNames = NewNames("sid")

	// decisive are registered claims that decide about every token, also by their absence.
	decisive = NewNames("at_hash", "aud", "c_hash", "client_id", "cnf", "events", "exp", "iat", "iss", "jti", "nbf", "nonce", "s_hash", "sub", "token_use", "typ")
	// granting are those that principals and permissions read. They decide where they are present.
	granting = NewNames("acr", "amr", "appid", "auth_time", "azp", "cid", "gty", "idtyp", "scope", "scp")

	// ClaimNames are both.
	ClaimNames = NewNames(slices.Concat(decisive.list, granting.list)...)
)

// neverNull are the members for which null is invalid: they change how a token is read, or are its
// issuer, subject or expiry.
var neverNull = []string{"alg", "b64", "crit", "exp", "iss", "sub", "zip"}

// optionalTexts are members that are absent if they are empty.
var optionalTexts = []string{"appid", "at_hash", "azp", "c_hash", "cid", "client_id", "cty", "jti", "kid", "nonce", "s_hash", "sid", "sub", "typ"}

// member returns a member of a header or of claims. Null is absent, as serializers write it for what is
// not there, except in neverNull, and so are empty optionalTexts.
func member(object jsondoc.Value, name string) jsondoc.Value {
	v := object.Get(name)
	text, _ := v.Text()
	if v.Kind() == jsondoc.Null && !slices.Contains(neverNull, name) ||
		v.Kind() == jsondoc.String && text == "" && slices.Contains(optionalTexts, name) {
		return jsondoc.Value{}
	}
	return v
}

// exact refuses an object with a member that differs from one of the names by letter case alone:
// some readers would take it for that name.
func (n Names) exact(object jsondoc.Value) error {
	for member := range object.Members() {
		if name := n.Lookalike(member); name != "" {
			return lookalike(name)
		}
	}
	return nil
}

func lookalike(name string) error {
	return fail("a member differs from %s by letter case alone", name)
}

// Lookalike returns the name that a member differs from by letter case alone, by Unicode's simple
// folding; empty for all others.
func (n Names) Lookalike(member string) string {
	if n.plain && isPlain(member) {
		return ""
	}
	ascii := isASCII(member)
	for _, name := range n.list {
		if ascii && n.plain && len(member) != len(name) {
			continue
		}
		if member != name && strings.EqualFold(member, name) {
			return name
		}
	}
	return ""
}

func isASCII(name string) bool {
	return strings.IndexFunc(name, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}

// isPlain reports whether a name is ASCII without capitals. Two such names never differ by case.
func isPlain(name string) bool {
	for i := range len(name) {
		if c := name[i]; c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' {
			return false
		}
	}
	return true
}

// Texts yields the strings of a claim that is a string or an array; other elements are left out.
func Texts(claim jsondoc.Value) iter.Seq[string] {
	return func(yield func(string) bool) {
		if text, ok := claim.Text(); ok {
			yield(text)
			return
		}
		for e := range claim.Elements() {
			if text, ok := e.Text(); ok && !yield(text) {
				return
			}
		}
	}
}
