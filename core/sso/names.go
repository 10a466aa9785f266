package sso

import (
	"strings"

	"github.com/more-retail/moresso-go/core/internal/jsondoc"
)

// Some JSON readers, Go's among them, take "ISS" or even "iſſ" for "iss". A token with such a
// member says one thing to them and another to us, so it is refused, as one with duplicate
// members is.

// headerNames and claimNames are the members that this package and package permission read.
var (
	headerNames = newNames("alg", "b64", "crit", "cty", "kid", "typ", "zip")
	claimNames  = newNames(
		"acr", "amr", "at_hash", "aud", "auth_time", "azp", "c_hash", "cid", "client_id", "cnf", "events", "exp", "gty",
		"iat", "idtyp", "iss", "jti", "nbf", "nonce", "scope", "scp", "sub", "token_use", "typ",
	)
)

type names map[string]bool

func newNames(list ...string) names {
	n := names{}
	for _, name := range list {
		n[name] = true
	}
	return n
}

// with returns the names and one more.
func (n names) with(name string) names {
	if n[name] || name == "" {
		return n
	}
	more := names{name: true}
	for known := range n {
		more[known] = true
	}
	return more
}

// impostor finds a member that equals one of the names but for the case of its letters.
func (n names) impostor(object jsondoc.Value) (name string, found bool) {
	for member := range object.Members() {
		if name, found = n.double(member); found {
			return name, true
		}
	}
	return "", false
}

// double finds the name that a member equals but for the case of its letters.
func (n names) double(member string) (name string, found bool) {
	if n[member] {
		return "", false
	}
	for known := range n {
		if strings.EqualFold(member, known) { // Unicode's simple folding: ſ is s
			return known, true
		}
	}
	return "", false
}
