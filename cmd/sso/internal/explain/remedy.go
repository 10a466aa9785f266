package explain

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/more-retail/moresso-go/core/keys"
	"github.com/more-retail/moresso-go/core/sso"
)

const (
	forgery   = "If it is not from your identity provider, it is forged: find out who sent it."
	askAgain  = "Get a new token from the identity provider and send it unchanged."
	atOrigin  = "Fix this where the token is issued: "
	sendRight = "Send the access token instead: access_token in the response of the token endpoint."
)

// remedy returns what to do about a refusal: the library's remedy, unless the token shows what was meant.
func (c *inquiry) remedy() string {
	switch c.Reason {
	case sso.ReasonTooLarge:
		return fmt.Sprintf("Have the identity provider leave out what this service does not need, such as long lists of groups. If the server in front accepts header fields of this length, you can also set SSO_MAX_TOKEN_BYTES (--max-token-bytes) to %d.", c.token.Bytes)
	case sso.ReasonMalformed:
		return formHint(c.input.token())
	case sso.ReasonAlgorithm:
		return c.algorithmRemedy()
	case sso.ReasonTokenType:
		if typ := text(c.token.Header, "typ"); c.cfg.TokenType == sso.StrictAccessToken && (typ == "" || strings.EqualFold(typ, "JWT")) {
			return atOrigin + "have it issue access tokens as in RFC 9068 (typ at+jwt), or remove SSO_TOKEN_TYPE (--token-type)."
		}
		return "This is a token of another kind. " + sendRight
	case sso.ReasonWrongAudience:
		return c.audienceRemedy()
	case sso.ReasonWrongIssuer:
		return c.issuerRemedy()
	case sso.ReasonWrongClient:
		if _, id := c.token.client(); id != "" {
			accepted := c.cfg.ClientIDs
			if accepted == nil {
				accepted = c.cfg.Audience // of an ID token
			}
			return fmt.Sprintf("Call with a token of one of the clients %q. If tokens of %q are for this service, add it to SSO_CLIENT_IDS (--client-ids).", accepted, id)
		}
		return "Call with a token that names its client in client_id, azp, appid or cid. If the provider's tokens never do, remove SSO_CLIENT_IDS and set SSO_AUDIENCE."
	case sso.ReasonTokenKind:
		return c.kindRemedy()
	case sso.ReasonUnknownKey, sso.ReasonBadSignature:
		return c.Reason.Remedy() + c.issuer()
	}
	return c.Reason.Remedy()
}

// client returns the client that the token names, and the claim that names it.
func (t *Token) client() (claim, id string) {
	for _, claim := range []string{"client_id", "azp", "appid", "cid"} {
		if id := text(t.Claims, claim); id != "" {
			return claim, id
		}
	}
	return "", ""
}

// audience returns the audiences of the token that are strings.
func (t *Token) audience() (list []string) {
	if one := text(t.Claims, "aud"); one != "" {
		return []string{one}
	}
	if json.Unmarshal([]byte(member(t.Claims, "aud")), &list) != nil {
		return nil
	}
	return list
}

// issuer names the token's issuer, by which its environment can be recognized.
func (c *inquiry) issuer() string {
	if iss := text(c.token.Claims, "iss"); iss != "" {
		return fmt.Sprintf(" The token names the issuer %q.", iss)
	}
	return ""
}

func (c *inquiry) algorithmRemedy() string {
	algorithm := text(c.token.Header, "alg")
	switch {
	case slices.Contains(keys.Algorithms(), algorithm):
		return fmt.Sprintf("If your identity provider signs with %s, add it to SSO_ALGORITHMS (--algorithms). If it does not, the token is forged.", algorithm)
	case strings.HasPrefix(strings.ToUpper(algorithm), "HS"):
		return "Symmetric algorithms are never accepted: every service that verifies could also sign. " + atOrigin + "choose RS256 or ES256 for this API. " + forgery
	case strings.EqualFold(strings.TrimSpace(algorithm), "none"), algorithm == "":
		return "A token without a signature proves nothing. " + atOrigin + "choose RS256 or ES256. " + forgery
	}
	return atOrigin + "sign with one of " + strings.Join(keys.Algorithms(), ", ") + ", in this spelling. " + forgery
}

func (c *inquiry) audienceRemedy() string {
	get := fmt.Sprintf("Get a token for %q: name it as audience (or resource, or scope) where the client requests the token.", c.cfg.Audience)
	if audience := c.token.audience(); len(audience) > 0 {
		return get + fmt.Sprintf(" If the provider's name for this service is %q, set SSO_AUDIENCE (--audience) to it; never to another service's name.", audience[0])
	}
	return get + " If the provider's access tokens never have aud, like Amazon Cognito's, set SSO_SKIP_AUDIENCE_CHECK with SSO_CLIENT_IDS and SSO_ISSUER."
}

func (c *inquiry) issuerRemedy() string {
	trusted := cmp.Or(c.cfg.Issuer, c.discovered)
	iss := text(c.token.Claims, "iss")
	switch {
	case iss == "":
		return atOrigin + "its tokens must name their issuer (iss)."
	case strings.TrimSuffix(iss, "/") == strings.TrimSuffix(trusted, "/"):
		return fmt.Sprintf("The two differ by a slash at the end, and must be equal: set SSO_ISSUER (--issuer) to %q if that is your provider.", iss)
	}
	return fmt.Sprintf("Get a token from %q. If %q is your provider, set SSO_ISSUER (--issuer) to it exactly. A service of several issuers joins them by sso.Join.", trusted, iss)
}

func (c *inquiry) kindRemedy() string {
	typ := strings.ToLower(text(c.token.Claims, "typ"))
	switch {
	case member(c.token.Claims, "events") != "", typ == "logout":
		return "This is a message about an event, such as a logout. " + sendRight
	case typ == "refresh", typ == "offline":
		return "This is a refresh token, which is for the provider only. " + sendRight
	case c.failed("access claims"):
		return "This is an ID token, or the access token of a program without roles. " + sendRight + " Give a program an app role, or set SSO_SKIP_ACCESS_TOKEN_CHECK=true (--skip-access-token-check)."
	}
	return "This is an ID token, which is for the client only. " + sendRight + " If your provider's access tokens are opaque, like Google's, set SSO_TOKEN_TYPE=id_token (--token-type)."
}

// formHint guesses what happened to a token that is malformed.
func formHint(token string) string {
	dots := strings.Count(token, ".")
	switch trimmed := strings.TrimSpace(token); {
	case trimmed == "":
		return "The token is empty. Send the whole token."
	case strings.HasPrefix(trimmed, "{"):
		return "This is JSON: send the access token alone, three parts joined by dots."
	case strings.ContainsAny(token, `"'`):
		return "Send the token without the quotes around it (jq -r prints none)."
	case strings.ContainsAny(token, " \t\r\n"):
		return "Send the token in one line without spaces: it was wrapped, or copied with other text."
	case strings.Contains(strings.ToLower(token), "%2e"):
		return "The token is percent-encoded: send it unchanged."
	case dots == 0 && len(token) < 20:
		return "This is a word, not a token: a variable may not have been set where the header was made."
	case dots == 0:
		return "This is probably an opaque token, which only its issuer can read: have the identity provider issue JWT access tokens, often by requesting this service's audience."
	case dots == 1:
		return "The last part, the signature, is missing: copy the whole token."
	case dots > 2:
		return "A signed token has three parts, this one has more. Send one token, unchanged."
	case strings.Contains(token, "=") || strings.ContainsAny(token, "+/"):
		return "The token was re-encoded with another alphabet or with padding: send it unchanged."
	}
	return askAgain + " If that is refused too, fix it where the token is issued: header and payload must be JSON objects without duplicate names, also in other letter case (ISS for iss). " + forgery
}
