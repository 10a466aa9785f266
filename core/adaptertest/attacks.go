package adaptertest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/sso"
)

// An Attack is one thing that somebody sends in place of a good token. Each breaks one rule;
// where it can, it is properly signed, so that nothing else is wrong with it.
type Attack struct { //nolint:recvcheck // what builds one changes it; what reads one gets a copy
	// Name is unique: the group, a slash, and what is done.
	Name string
	// Rule says in a sentence what it breaks.
	Rule string
	// Source is where the rule comes from: a clause of an RFC, or a CVE of its class.
	Source string
	// Algorithm is that of the issuer which the attack is made for; empty if it is made for
	// any. An issuer of another algorithm cannot mint it.
	Algorithm string
	// Token mints the token. Nil for an attack by the header field itself.
	Token func(*devissuer.Issuer) string
	// Authorization makes the values of the Authorization fields. Nil where Token is given,
	// which is then sent in the usual way.
	Authorization func(*devissuer.Issuer) []string
	// Status is that of the refusal, if it is sent in a request: 400 or 401.
	Status int
	// Code is that of the refusal: [sso.CodeInvalidToken] or another of package sso.
	Code string
}

// Attacks is the corpus of what a service has to refuse. Every adapter of this library is held
// to it by [TestAdapter], and a service of your own can be:
//
//	for _, attack := range adaptertest.Attacks() {
//		if !attack.Suits(issuer) {
//			continue
//		}
//		request.Header["Authorization"] = attack.Fields(issuer)
//		…
//	}
//
// The slice is the caller's own. The tokens are minted when asked for, by the issuer that is
// given, for the audience that its tokens are for; one attack publishes a second key.
func Attacks() []Attack {
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
	return list
}

// Suits reports whether the attack can be minted by an issuer.
func (a Attack) Suits(i *devissuer.Issuer) bool {
	return a.Algorithm == "" || a.Algorithm == i.Algorithm()
}

// Fields are the values of the Authorization fields that carry the attack.
func (a Attack) Fields(i *devissuer.Issuer) []string {
	if a.Authorization != nil {
		return a.Authorization(i)
	}
	return []string{bearer(a.Token(i))}
}

// sendable reports whether an HTTP client would send a field value; what it would not can only
// reach a service by other ways.
func sendable(fields []string) bool {
	return !slices.ContainsFunc(fields, func(field string) bool {
		return strings.ContainsFunc(field, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f })
	})
}

// needs lists what a front door must be able to do to be sent these fields.
func needs(fields []string) (features []Feature) {
	if len(fields) > 1 {
		features = append(features, RepeatedFields)
	}
	if len(strings.Join(fields, "")) > smallHeader {
		features = append(features, LargeHeaders)
	}
	return features
}

// smallHeader is what any front door takes: some bound all header fields of a request to 4 KiB.
const smallHeader = 3 << 10

// An attacks value is a list in the making: its methods add what most attacks share.
type attacks struct {
	group, source string
	list          []Attack
}

// token adds an attack by a token.
func (l *attacks) token(name, rule string, token func(*devissuer.Issuer) string) *Attack {
	l.list = append(l.list, Attack{Name: l.group + "/" + name, Rule: rule, Source: l.source, Token: token})
	return &l.list[len(l.list)-1]
}

// minted adds an attack by a token that the issuer's options can make.
func (l *attacks) minted(name, rule string, opts ...devissuer.TokenOption) *Attack {
	return l.token(name, rule, func(i *devissuer.Issuer) string { return i.MustToken(opts...) })
}

// fields adds an attack by the header field itself.
func (l *attacks) fields(name, rule string, status int, code string, fields func(*devissuer.Issuer) []string) {
	l.list = append(l.list, Attack{Name: l.group + "/" + name, Rule: rule, Source: l.source, Authorization: fields, Status: status, Code: code})
}

// from names another source than the list's.
func (a *Attack) from(source string) *Attack {
	a.Source = source
	return a
}

// by says of which algorithm the issuer has to be.
func (a *Attack) by(algorithm string) {
	a.Algorithm = algorithm
}

// badRequest says that the token is no bearer token by its characters alone (RFC 6750, section
// 2.1), so that the request is malformed.
func (a *Attack) badRequest() {
	a.Status, a.Code = http.StatusBadRequest, sso.CodeInvalidRequest
}

// String is name, rule and source, for a test's log.
func (a Attack) String() string { return fmt.Sprintf("%s: %s (%s)", a.Name, a.Rule, a.Source) }

func sortByName(list []Attack) {
	slices.SortFunc(list, func(a, b Attack) int { return strings.Compare(a.Name, b.Name) })
}
