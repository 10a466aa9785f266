package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/more-retail/moresso-go/core/keys"
	"github.com/more-retail/moresso-go/core/sso"
)

// remedy says what to do about the refusal. It looks at the token for what its sender may have
// meant; what was wrong the library has said.
func (c *inquiry) remedy() string {
	if write, ok := remedies[c.reason]; ok {
		return write(c)
	}
	return "this is a fault of the service, not of the token: see the cause"
}

// plain is a remedy that is the same for every token.
func plain(text string) func(*inquiry) string { return func(*inquiry) string { return text } }

const (
	forgery   = "If the token did not come from your identity provider, somebody made it up: look at who sent it."
	askAgain  = "Get a new token from the identity provider and send it as it came."
	atOrigin  = "This has to be mended where the token is issued: "
	sendRight = "Send the access token instead: it stands as access_token in the answer of the token endpoint."
)

var remedies = map[sso.Reason]func(*inquiry) string{
	sso.ReasonMissingToken:   plain(`Send "Authorization: Bearer <token>": the scheme, one space, the token.`),
	sso.ReasonBadCredentials: plain(`Send one Authorization field with one token in it, "Authorization: Bearer <token>", without quotes, commas and line breaks.`),
	sso.ReasonCrossOrigin:    plain("A token in a cookie counts only for requests of the service's own pages: call from the same origin, or list the other one."),
	sso.ReasonTooLarge: func(c *inquiry) string {
		return fmt.Sprintf("Have the identity provider leave out of the token what this service does not need, such as long lists of groups; or set SSO_MAX_TOKEN_BYTES (--max-token-bytes) to %d or more, if it is a real token and the server in front takes header fields as long.", c.token.Bytes)
	},
	sso.ReasonMalformed: func(c *inquiry) string { return formHint(c.input.token()) },
	sso.ReasonEncrypted: plain(atOrigin + "switch off the encryption of access tokens for this client, so that they are signed only."),
	sso.ReasonAlgorithm: algorithmRemedy,
	sso.ReasonCriticalHeader: plain(atOrigin + `it must not put "crit" into the header, which demands extensions that no access token needs. ` +
		forgery),
	sso.ReasonUnsupportedHeader: plain(atOrigin + `it must not put "zip" or "b64" into the header: tokens are sent as they are. ` + forgery),
	sso.ReasonTokenType: func(c *inquiry) string {
		if c.cfg.TokenType == sso.StrictAccessToken && c.failed() == checkKind {
			return atOrigin + "have it issue access tokens as in RFC 9068 (typ at+jwt), or take SSO_TOKEN_TYPE away."
		}
		return "This is a token of another kind. " + sendRight
	},
	sso.ReasonKeyID:         plain(atOrigin + "kid has to be a string of at most 256 bytes. " + forgery),
	sso.ReasonMissingExpiry: plain(atOrigin + "give its tokens an end (exp); one without can never be taken back. For tests: sso mint makes such tokens."),
	sso.ReasonMalformedClaim: plain(atOrigin + "dates are numbers of seconds, iss, sub and client_id are strings that are not empty, aud is a string or an array of strings. " +
		forgery),
	sso.ReasonExpired: func(c *inquiry) string {
		return "Get a new token. If it is new, a clock is wrong: sso doctor compares this machine's with the provider's."
	},
	sso.ReasonNotYetValid:    plain("Wait until then, or set the clocks: sso doctor compares this machine's with the provider's."),
	sso.ReasonIssuedInFuture: plain("A clock is wrong, this machine's or the provider's: sso doctor compares them. Set it by NTP; a little may be forgiven by SSO_LEEWAY, up to 5m."),
	sso.ReasonWrongAudience:  audienceRemedy,
	sso.ReasonWrongIssuer:    issuerRemedy,
	sso.ReasonWrongClient: func(c *inquiry) string {
		if id := text(c.token.Claims, "client_id"); id != "" {
			return fmt.Sprintf("Call with a token of one of the clients %s; or add %q to SSO_CLIENT_IDS (--client-ids), if its tokens are meant for this service.", quoted(c.cfg.ClientIDs), id)
		}
		return "Call with a token that names its client in client_id; if the provider's tokens never do, SSO_CLIENT_IDS cannot be used: take it away and set SSO_AUDIENCE."
	},
	sso.ReasonTokenKind: kindRemedy,
	sso.ReasonBoundToken: plain("The token is bound to a key of its client (DPoP or mutual TLS), and this service checks bearer tokens only: " +
		"have the provider issue unbound tokens to this client, or put a proxy that checks the proof in front."),
	sso.ReasonMissingClaim: plain(atOrigin + "RFC 9068 demands iss, exp, aud, sub, client_id, iat and jti of access tokens. If your provider cannot, take SSO_TOKEN_TYPE away."),
	sso.ReasonUnknownKey: func(c *inquiry) string {
		return "The provider at the configured address has not published this key. See that token and service belong to the same environment and tenant" + c.whose() +
			"; if the provider has changed its keys, get a new token. sso doctor lists its keys."
	},
	sso.ReasonAmbiguousKey: plain(atOrigin + "it has to name the key in the header (kid), since it publishes several."),
	sso.ReasonKeyAlgorithm: plain("The provider has published the key for another algorithm (or type) than the token names: sso doctor lists them. " + askAgain + " " + forgery),
	sso.ReasonBadSignature: func(c *inquiry) string {
		return "The token was changed after it was signed, or signed by somebody else. " + askAgain + " If that is refused too, the service has keys of another environment than the token" + c.whose() + "."
	},
	sso.ReasonKeysUnavailable: plain("Nobody can tell whether the token is good while the keys cannot be had: sso doctor says why and what to do."),
	sso.ReasonInternal:        plain("This is a fault of the service, not of the token: see the cause."),
}

// whose says which issuer the token names, in brackets.
func (c *inquiry) whose() string {
	if iss := text(c.token.Claims, "iss"); iss != "" {
		return fmt.Sprintf(" (the token says that it is of %q)", iss)
	}
	return ""
}

func algorithmRemedy(c *inquiry) string {
	algorithm := text(c.token.Header, "alg")
	switch {
	case slices.Contains(keys.Algorithms(), algorithm):
		return fmt.Sprintf("If your identity provider signs with %s, say so: SSO_ALGORITHMS=%s (--algorithms). If it does not, the token is not its own.", algorithm, strings.Join(append(slices.Clone(c.algorithms()), algorithm), ","))
	case strings.HasPrefix(strings.ToUpper(algorithm), "HS"):
		return "A symmetric algorithm is never accepted: whoever can verify could also sign. " + atOrigin + "choose RS256 or ES256 for this API. " + forgery
	case strings.EqualFold(strings.TrimSpace(algorithm), "none"), algorithm == "":
		return "A token that is not signed proves nothing. " + atOrigin + "choose RS256 or ES256. " + forgery
	}
	return atOrigin + "it has to sign with one of " + strings.Join(keys.Algorithms(), ", ") + ", spelled like this. " + forgery
}

func audienceRemedy(c *inquiry) string {
	get := fmt.Sprintf("Get a token for %s: name it as audience (or resource, or scope) where the client asks for the token.", quoted(c.cfg.Audience))
	if aud := audiences(c.token); len(aud) > 0 {
		return get + fmt.Sprintf(" If this service is what the provider calls %q, set SSO_AUDIENCE (--audience) to it; never to another service's name.", aud[0])
	}
	return get + " If the provider's access tokens never have aud, as Amazon Cognito's, set SSO_SKIP_AUDIENCE_CHECK with SSO_CLIENT_IDS and SSO_ISSUER."
}

func issuerRemedy(c *inquiry) string {
	trusted := or(c.cfg.Issuer, c.discovered)
	iss := text(c.token.Claims, "iss")
	if strings.TrimSuffix(iss, "/") == strings.TrimSuffix(trusted, "/") && iss != "" {
		return fmt.Sprintf("The two differ by a slash at the end, and issuers are compared to the letter: set SSO_ISSUER (--issuer) to %q if that is your provider.", iss)
	}
	if iss == "" {
		return atOrigin + "its tokens have to say who made them (iss)."
	}
	return fmt.Sprintf("Get a token from %q. If %q is your provider, set SSO_ISSUER (--issuer) to it, to the letter; a service of several issuers joins them by sso.Join.", trusted, iss)
}

func kindRemedy(c *inquiry) string {
	claims := c.token.Claims
	switch {
	case member(claims, "events") != "" || strings.EqualFold(text(claims, "typ"), "logout"):
		return "This is a message about an event, such as a logout. " + sendRight
	case strings.EqualFold(text(claims, "typ"), "refresh") || strings.EqualFold(text(claims, "typ"), "offline"):
		return "This is a refresh token, which only the provider may see. " + sendRight
	}
	return "This is an ID token, which tells a client who signed in. " + sendRight + " Where there is none that can be read, as with Google: SSO_SKIP_TOKEN_KIND_CHECKS=id_token."
}

// audiences are those that the token names.
func audiences(t Token) []string {
	if one := text(t.Claims, "aud"); one != "" {
		return []string{one}
	}
	value, err := sso.ValueOf(t.Claims)
	if err != nil {
		return nil
	}
	list, _ := value.Get("aud").Strings()
	return slices.DeleteFunc(list, func(s string) bool { return s == "" })
}

// formHint guesses what became of a token that has not the form of one.
func formHint(token string) string {
	dots := strings.Count(token, ".")
	switch {
	case strings.TrimSpace(token) == "":
		return "There is no token. Send the whole of it."
	case strings.HasPrefix(strings.TrimSpace(token), "{"):
		return "This is JSON, not the compact form: send the access token alone, three parts joined by dots."
	case strings.ContainsAny(token, `"'`):
		return "Send the token without the quotes around it (jq -r prints without)."
	case strings.ContainsAny(token, " \t\r\n"):
		return "Send the token in one line without spaces: it seems to have been wrapped or copied with something else."
	case strings.Contains(strings.ToLower(token), "%2e"):
		return "The token is percent-encoded: send it as it is."
	case dots == 0 && len(token) < 20:
		return "This is a word, not a token: a variable may not have been set where the header was made."
	case dots == 0:
		return "This looks like an opaque token, which only its issuer can read: have the identity provider issue JWT access tokens, often by asking for this service's audience."
	case dots == 1:
		return "The last part, the signature, is missing: copy the whole token."
	case dots > 2:
		return "A signed token has three parts: this has more. Send one token alone, as it came."
	case strings.Contains(token, "=") || strings.ContainsAny(token, "+/"):
		return "The token has been encoded anew in another alphabet or with padding: send it as it came."
	}
	return askAgain + " If that is refused too, it has to be mended where the token is issued: header and payload are JSON objects in which no name stands twice or in other letters (ISS for iss). " + forgery
}
