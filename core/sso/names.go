package sso

import (
	"slices"
	"strings"

	"github.com/more-retail/moresso-go/core/internal/jsondoc"
)

// Some JSON readers, Go's among them, take "ISS" or even "iſſ" for "iss". A token with such a
// member says one thing to them and another to us, so it is refused, as one with duplicate
// members is.

// The members of a header that this package reads, by their places in [header].
const (
	headerAlg = iota
	headerB64
	headerCrit
	headerCty
	headerKid
	headerTyp
	headerZip
	headerMembers
)

// The registered claims that the rules read, by their places in [claims].
const (
	claimAtHash = iota
	claimAud
	claimCHash
	claimClientID
	claimCnf
	claimEvents
	claimExp
	claimIat
	claimIss
	claimJti
	claimNbf
	claimNonce
	claimScope
	claimScp
	claimSub
	claimTokenUse
	claimTyp
	claimMembers
)

// header and claims are what members say that are read; absent where a token has none.
type (
	header [headerMembers]jsondoc.Value
	claims [claimMembers]jsondoc.Value
)

var (
	headerNames = newNames([]string{
		headerAlg: "alg", headerB64: "b64", headerCrit: "crit", headerCty: "cty", headerKid: "kid", headerTyp: "typ", headerZip: "zip",
	})
	// claimNames ends with those that only principals and package permission read.
	claimNames = newNames(append([]string{
		claimAtHash: "at_hash", claimAud: "aud", claimCHash: "c_hash", claimClientID: "client_id", claimCnf: "cnf",
		claimEvents: "events", claimExp: "exp", claimIat: "iat", claimIss: "iss", claimJti: "jti", claimNbf: "nbf",
		claimNonce: "nonce", claimScope: "scope", claimScp: "scp", claimSub: "sub", claimTokenUse: "token_use", claimTyp: "typ",
	}, "acr", "amr", "auth_time", "azp", "cid", "gty", "idtyp"))
)

// names are the members that are read. They are found in one pass over an object.
type names struct {
	list  []string
	place map[string]int    // in list
	lower map[string]string // the names by their lower-case forms, as far as they are ASCII
	plain bool              // all of them are lower-case ASCII
}

func newNames(list []string) names {
	n := names{list: list, place: map[string]int{}, lower: map[string]string{}, plain: true}
	for i, name := range list {
		n.place[name] = i
		n.lower[strings.ToLower(name)] = name
		n.plain = n.plain && isPlain(name)
	}
	return n
}

// with returns the names and one more.
func (n names) with(name string) names {
	if _, known := n.place[name]; known || name == "" {
		return n
	}
	return newNames(append(slices.Clip(n.list), name))
}

// find puts the members of an object that are read into their places, as far as found has them.
// It stops at a member that equals one of the names but for the case of its letters, and
// returns that name.
func (n names) find(object jsondoc.Value, found []jsondoc.Value) (impostorOf string) {
	for member, value := range object.Members() {
		if i, known := n.place[member]; known {
			if i < len(found) {
				found[i] = value
			}
			continue
		}
		if name, double := n.double(member); double {
			return name
		}
	}
	return ""
}

// double finds the name that a member equals but for the case of its letters.
func (n names) double(member string) (name string, found bool) {
	if _, known := n.place[member]; known || n.plain && isPlain(member) {
		return "", false // two lower-case names that differ, differ
	}
	var lower [64]byte
	if len(member) <= len(lower) && isASCII(member) {
		for i := range len(member) {
			lower[i] = member[i]
			if c := member[i]; 'A' <= c && c <= 'Z' {
				lower[i] |= 0x20
			}
		}
		if name, found = n.lower[string(lower[:len(member)])]; found {
			return name, true
		}
		if n.plain {
			return "", false
		}
	}
	for _, known := range n.list {
		if strings.EqualFold(member, known) { // Unicode's simple folding: ſ is s
			return known, true
		}
	}
	return "", false
}

// isPlain reports whether a name is ASCII without capitals.
func isPlain(name string) bool {
	for i := range len(name) {
		if c := name[i]; c >= 0x80 || 'A' <= c && c <= 'Z' {
			return false
		}
	}
	return true
}

func isASCII(name string) bool {
	for i := range len(name) {
		if name[i] >= 0x80 {
			return false
		}
	}
	return true
}
