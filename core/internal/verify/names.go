package verify

import (
	"iter"
	"strings"
	"unicode/utf8"

	"github.com/more-retail/moresso-go/core/internal/jsondoc"
)

// HeaderNames are the header members that the checks read.
var HeaderNames = []string{"alg", "b64", "crit", "cty", "kid", "typ", "zip"}

// ClaimNames are the registered claims that the checks, principals and permissions read.
var ClaimNames = []string{
	"acr", "amr", "at_hash", "aud", "auth_time", "azp", "c_hash", "cid", "client_id", "cnf", "events", "exp", "gty", "iat",
	"idtyp", "iss", "jti", "nbf", "nonce", "scope", "scp", "sub", "token_use", "typ",
}

// exact refuses an object with a member that differs from one of the names by letter case alone:
// some readers would take it for that name.
func exact(object jsondoc.Value, names []string) error {
	for member := range object.Members() {
		if name := Lookalike(member, names); name != "" {
			return fail("a member differs from %s by letter case alone", name)
		}
	}
	return nil
}

// Lookalike returns the name that a member differs from by letter case alone, by Unicode's simple
// folding; empty if there is none.
func Lookalike(member string, names []string) string {
	plain := isPlain(member)
	for _, name := range names {
		if member != name && !(plain && isPlain(name)) && strings.EqualFold(member, name) {
			return name
		}
	}
	return ""
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
