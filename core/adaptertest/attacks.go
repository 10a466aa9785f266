package adaptertest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/sso"
)

// An Attack is a request with an invalid token or a malformed credential. Each breaks one rule. If
// possible, the token is correctly signed, so that nothing else is wrong with it.
type Attack struct { //nolint:recvcheck // what builds one changes it; what reads one gets a copy
	// Name is unique: a group, a slash and the attack. The group "Authorization" is about the header
	// field; the other attacks are a bearer token each.
	Name string
	// Rule is the rule that it breaks.
	Rule string
	// Source is a section of an RFC, or a CVE of the same class.
	Source string
	// Algorithm is the algorithm of the issuers that can mint it; "" for any.
	Algorithm string
	// Status is the status of the response: 400 or 401.
	Status int
	// Code is the code of the response, such as [sso.CodeInvalidToken].
	Code string

	fields func(*devissuer.Issuer) []string
}

// Attacks returns the attacks that a service has to reject and that an issuer of this algorithm can mint;
// for "", those of all algorithms. [TestAdapter] sends them to an adapter. For a service of your own:
//
//	for _, attack := range adaptertest.Attacks(issuer.Algorithm()) {
//		request.Header["Authorization"] = attack.Authorization(issuer)
//		…
//	}
//
// The caller owns the slice.
func Attacks(algorithm string) []Attack {
	list := slices.Concat(
		algorithmAttacks(), embeddedKeyAttacks(), signatureAttacks(), keyIDAttacks(), headerAttacks(), typeAttacks(),
		formAttacks(), jsonAttacks(), sizeAttacks(),
		dateAttacks(), audienceAttacks(), issuerAttacks(), subjectAttacks(), kindAttacks(),
		requestAttacks(),
	)
	for i := range list {
		if list[i].Status == 0 {
			list[i].Status, list[i].Code = http.StatusUnauthorized, sso.CodeInvalidToken
		}
	}
	return slices.DeleteFunc(list, func(a Attack) bool {
		return algorithm != "" && a.Algorithm != "" && a.Algorithm != algorithm
	})
}

// Authorization returns the values of the request's Authorization fields. The issuer mints the token, for
// its audience. One attack publishes a second key. It panics if the issuer has another algorithm than the
// attack needs.
func (a Attack) Authorization(i *devissuer.Issuer) []string { return a.fields(i) }

// sendable reports whether an HTTP client sends these field values.
func sendable(fields []string) bool {
	return !slices.ContainsFunc(fields, func(field string) bool {
		return strings.ContainsFunc(field, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f })
	})
}

// An attacks value collects attacks of a group.
type attacks struct {
	group, source string
	list          []Attack
}

// token adds an attack by a token.
func (l *attacks) token(name, rule string, token func(*devissuer.Issuer) string) *Attack {
	return l.fields(name, rule, 0, "", func(i *devissuer.Issuer) []string { return []string{bearer(token(i))} })
}

// minted adds an attack by a token of the issuer's options.
func (l *attacks) minted(name, rule string, opts ...devissuer.TokenOption) *Attack {
	return l.token(name, rule, func(i *devissuer.Issuer) string { return i.MustToken(opts...) })
}

// claim adds attacks that set a claim to JSON texts, in which $ is the valid value.
func (l *attacks) claim(prefix, rule, claim string, valid func(*devissuer.Issuer) string, texts map[string]string) {
	for name, text := range texts {
		l.token(prefix+name, rule, func(i *devissuer.Issuer) string {
			return i.MustToken(devissuer.Claim(claim, json.RawMessage(strings.ReplaceAll(text, "$", valid(i)))))
		})
	}
}

// fields adds an attack by the header field itself.
func (l *attacks) fields(name, rule string, status int, code string, fields func(*devissuer.Issuer) []string) *Attack {
	l.list = append(l.list, Attack{Name: l.group + "/" + name, Rule: rule, Source: l.source, Status: status, Code: code, fields: fields})
	return &l.list[len(l.list)-1]
}

// from sets another source than the list's.
func (a *Attack) from(source string) *Attack {
	a.Source = source
	return a
}

// by sets the algorithm that the issuer must have.
func (a *Attack) by(algorithm string) {
	a.Algorithm = algorithm
}

// badRequest marks a token whose characters make the request malformed (RFC 6750, section 2.1).
func (a *Attack) badRequest() {
	a.Status, a.Code = http.StatusBadRequest, sso.CodeInvalidRequest
}

func sortByName(list []Attack) {
	slices.SortFunc(list, func(a, b Attack) int { return strings.Compare(a.Name, b.Name) })
}
