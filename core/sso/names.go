package sso

import (
	"slices"
	"strings"
	"unicode/utf8"

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
	list    []string
	byFirst [256][]int        // places in list, by the first byte of the name
	lower   map[string]string // the names by their lower-case forms, as far as they are short and ASCII
	others  []string          // the rest of them, which somebody's configuration brought
	plain   bool              // all of them are lower-case ASCII
}

func newNames(list []string) *names {
	n := &names{list: list, lower: map[string]string{}, plain: true}
	for i, name := range list {
		n.byFirst[name[0]] = append(n.byFirst[name[0]], i)
		if isASCII(name) && len(name) <= maxNameBytes {
			n.lower[strings.ToLower(name)] = name
		} else {
			n.others = append(n.others, name)
		}
		n.plain = n.plain && isPlain(name)
	}
	return n
}

// with returns the names and one more.
func (n *names) with(name string) *names {
	if name == "" || n.place(name) >= 0 {
		return n
	}
	return newNames(append(slices.Clip(n.list), name))
}

// find puts the members of an object that are read into their places, as far as found has them.
// It stops at a member that equals one of the names but for the case of its letters, and
// returns that name.
func (n *names) find(object jsondoc.Value, found []jsondoc.Value) (impostorOf string) {
	for member, value := range object.Members() {
		if i := n.place(member); i >= 0 {
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

// place is that of a name in the list; -1 if it is not one of them.
func (n *names) place(name string) int {
	if name == "" {
		return -1
	}
	for _, i := range n.byFirst[name[0]] {
		if n.list[i] == name {
			return i
		}
	}
	return -1
}

// double finds the name that a member equals but for the case of its letters, by Unicode's simple
// folding: beyond ASCII, ſ is s and the Kelvin sign is k, and nothing else is a letter of ours.
func (n *names) double(member string) (name string, found bool) {
	if n.plain && isPlain(member) {
		return "", false // two lower-case names that differ, differ
	}
	var lower [maxNameBytes]byte
	length, ascii := 0, true
	for _, c := range member {
		switch {
		case length == len(lower):
			ascii = false
		case 'A' <= c && c <= 'Z':
			lower[length] = byte(c) | 0x20
		case c < utf8.RuneSelf:
			lower[length] = byte(c) //nolint:gosec // ASCII
		case c == 'ſ':
			lower[length] = 's'
		case c == '\u212a': // the Kelvin sign
			lower[length] = 'k'
		default:
			ascii = false
		}
		if !ascii {
			break
		}
		length++
	}
	if ascii {
		if name, found = n.lower[string(lower[:length])]; found && name != member {
			return name, true
		}
	}
	for _, known := range n.others {
		if known != member && strings.EqualFold(member, known) {
			return known, true
		}
	}
	return "", false
}

// maxNameBytes is more than any name has that is compared so.
const maxNameBytes = 64

// isPlain reports whether a name is ASCII without capitals.
func isPlain(name string) bool {
	for i := range len(name) {
		if c := name[i]; c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' {
			return false
		}
	}
	return true
}

func isASCII(name string) bool {
	for i := range len(name) {
		if name[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
