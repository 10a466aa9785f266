package sso

import (
	"slices"
	"strings"

	"github.com/more-retail/moresso-go/core/internal/jsondoc"
)

// JWTs of many kinds are signed by the same keys; taking one for another is the confusion that
// RFC 8725, section 2.8 warns of. The header's `typ` tells some of them apart; here are those
// that only their claims give away.

// kindsOf names the kinds of token that claims give away, of which one may show several; none:
// nothing speaks against an access token.
func kindsOf(c *claims) (kinds []TokenKind) {
	has := func(name int) bool { return c[name].Kind() != jsondoc.Absent }
	payloadType, _ := c[claimTyp].Text() // Keycloak's; not the header's
	use, _ := c[claimTokenUse].Text()    // Amazon Cognito's
	is := func(word string) bool { return strings.EqualFold(payloadType, word) }
	switch {
	case is("id"):
		kinds = append(kinds, KindIDToken)
	case is("refresh"), is("offline"):
		kinds = append(kinds, KindRefreshToken)
	case is("logout"):
		kinds = append(kinds, KindEvent)
	}
	if has(claimEvents) { // RFC 8417, section 2.2; OpenID Connect Back-Channel Logout 1.0, section 2.4
		kinds = append(kinds, KindEvent)
	}
	if has(claimAtHash) || has(claimCHash) || strings.EqualFold(use, "id") { // OpenID Connect Core 1.0, section 3.3.2.11
		kinds = append(kinds, KindIDToken)
	}
	// Older Keycloak and Azure B2C put nonce into access tokens, beside these; a null says nothing.
	says := func(name int) bool { return has(name) && c[name].Kind() != jsondoc.Null }
	if len(kinds) == 0 && has(claimNonce) && !says(claimScope) && !says(claimScp) && !is("bearer") {
		kinds = append(kinds, KindIDToken)
	}
	return kinds
}

// kind refuses tokens of other kinds, and those that are good only with a proof that a bearer
// token does not bring.
func (r *rules) kind(c *candidate) error {
	for _, kind := range kindsOf(&c.claims) {
		if !slices.Contains(r.otherKinds, kind) {
			return badToken(ReasonTokenKind, "by its claims it is of the kind %s, not an access token", kind)
		}
	}
	if c.claims[claimCnf].Kind() != jsondoc.Absent {
		return badToken(ReasonBoundToken, "cnf binds it to a key of the client's (RFC 7800), which a bearer token does not prove")
	}
	if !r.accessTokens {
		return nil
	}
	if !strings.EqualFold(c.typ, "at+jwt") && !strings.EqualFold(c.typ, "application/at+jwt") {
		return badToken(ReasonTokenType, "typ %q is not at+jwt (RFC 9068, section 2.1)", clipped(c.typ))
	}
	for _, place := range []int{claimIss, claimExp, claimAud, claimSub, claimClientID, claimIat, claimJti} { // section 2.2
		if c.claims[place].Kind() == jsondoc.Absent {
			return badToken(ReasonMissingClaim, "%s is missing (RFC 9068, section 2.2)", claimNames.list[place])
		}
	}
	_, err := c.identifier(claimJti) // the others have been read
	return err
}

// client checks `client_id` (RFC 9068, section 2.2; RFC 8693, section 4.3).
func (r *rules) client(c *candidate) error {
	id, err := c.identifier(claimClientID)
	if err != nil {
		return err
	}
	if len(r.clientIDs) > 0 && !slices.Contains(r.clientIDs, id) {
		return badToken(ReasonWrongClient, "client_id is %q where one of %q is wanted", clipped(id), r.clientIDs)
	}
	return nil
}
