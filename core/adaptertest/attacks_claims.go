package adaptertest

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/more-retail/moresso-go/core/devissuer"
)

// dateAttacks are about exp, nbf and iat.
func dateAttacks() []Attack {
	l := &attacks{group: "date", source: "RFC 7519, sections 4.1.4 and 2; claim-type confusion"}
	claim := func(name, text string) devissuer.TokenOption { return devissuer.Claim(name, json.RawMessage(text)) }
	l.minted("expired for an hour", "exp is in the future.", devissuer.Expired())
	l.minted("expired for two minutes", "exp is in the future.", devissuer.ValidFor(-2*time.Minute))
	l.minted("no exp", "exp is required.", devissuer.WithoutClaim("exp"))
	l.minted("not valid yet", "nbf is in the past.", devissuer.NotYetValid()).from("RFC 7519, section 4.1.5")
	l.minted("issued in an hour", "iat is not in the future.", devissuer.IssuedAt(time.Now().Add(time.Hour))).from("RFC 7519, section 4.1.6")
	for name, text := range map[string]string{
		"a string": `"99999999999"`, "text": `"NaN"`, "a date in words": `"2099-01-01T00:00:00Z"`, "null": `null`, "true": `true`, "an array": `[99999999999]`, "an empty array": `[]`, "an object": `{"$gt":0}`,
		"negative": `-1`, "1e30": `1e30`, "1e400": `1e400`, "-1e400": `-1e400`, "beyond int64": `9223372036854775808`, "the most of int64": `9223372036854775807`, "beyond uint64": `18446744073709551616`,
		"two to the 64th and some": `18446744083709551616`, "the year 10000": `253402300800`, "the empty string": `""`,
	} {
		l.minted("exp is "+name, "exp is a JSON number within a sane range; nothing is converted.", claim("exp", text))
		if text == `null` { // absent, where the claim is not required
			continue
		}
		if text != `-1` { // dates before 1970 are in the past
			l.minted("nbf is "+name, "nbf is a JSON number within a sane range; nothing is converted.", claim("nbf", text)).from("RFC 7519, section 4.1.5; claim-type confusion")
		}
		l.minted("iat is "+name, "iat is a JSON number within a sane range; nothing is converted.", claim("iat", text)).from("RFC 7519, section 4.1.6; claim-type confusion")
	}
	for _, text := range []string{"0", "-0", "0.0", "0.5", "1e-400", "-99999999999", "1e3"} {
		l.minted("exp is "+text, "exp is in the future.", claim("exp", text))
	}
	sortByName(l.list) // maps have no order
	return l.list
}

// audienceAttacks are tokens for another audience.
func audienceAttacks() []Attack {
	l := &attacks{group: "aud", source: "RFC 7519, section 4.1.3; CVE-2020-26160"}
	l.minted("another's", "A token is for the service that it names.", devissuer.WrongAudience())
	l.minted("another service's, replayed", "A token for one service is not valid for another.", devissuer.Audience("other-api"))
	l.minted("others'", "A token is for the services that it names.", devissuer.Audience("other-audience", "other-api"))
	l.minted("missing", "A token without an audience is for no service.", devissuer.WithoutClaim("aud"))
	for _, text := range []string{`null`, `""`, `[]`, `[""]`, `{}`, `true`, `0`, `"*"`, `["*"]`, `[[]]`, `[null]`} {
		l.minted(text, "A token without an audience is for no service.", devissuer.Claim("aud", json.RawMessage(text)))
	}
	exact := "The audience matches exactly."
	shape := "aud is a string, or an array of strings."
	l.claim("ours ", exact, "aud", audience, map[string]string{
		"with a suffix": `"$-admin"`, "with a prefix": `"not-$"`, "trailing space": `"$ "`, "leading space": `" $"`, "trailing NUL": `"$\u0000"`,
		"trailing line break": `"$\n"`, "trailing slash": `"$/"`, "as an address": `"https://$"`, "JSON in a string": `"[\"$\"]"`, "pattern": `".*"`,
		"among others, separated by spaces": `"other-audience $ x"`, "among others, separated by commas": `"other-audience,$"`,
	})
	l.claim("ours ", shape, "aud", audience, map[string]string{
		"in an array in the array": `[["$"]]`, "as a name in an object": `{"$":true}`, "in an object": `{"0":"$"}`,
		"with a number": `["$",1]`, "with null": `[null,"$"]`, "with an object": `["$",{}]`,
	})
	for name, c := range map[string]struct {
		rule   string
		change func(ours string) any
	}{
		"in capitals":    {exact, func(s string) any { return strings.ToUpper(s) }},
		"with a capital": {exact, func(s string) any { return strings.ToUpper(s[:1]) + s[1:] }},
		"a prefix of it": {exact, func(s string) any { return s[:len(s)-1] }},
		"a suffix of it": {exact, func(s string) any { return s[1:] }},
		"as letters":     {shape, func(s string) any { return strings.Split(s, "") }},
	} {
		l.token("ours "+name, c.rule, func(i *devissuer.Issuer) string { return i.MustToken(devissuer.Claim("aud", c.change(audience(i)))) })
	}
	l.token("ours in azp instead", "The client is not the audience.", func(i *devissuer.Issuer) string {
		return i.MustToken(devissuer.WithoutClaim("aud"), devissuer.Claim("azp", audience(i)))
	})
	l.token("ours in client_id instead", "The client is not the audience.", func(i *devissuer.Issuer) string {
		return i.MustToken(devissuer.WithoutClaim("aud"), devissuer.Claim("client_id", audience(i)))
	})
	l.token("ours in the header", "The audience is in the payload.", func(i *devissuer.Issuer) string {
		return i.MustToken(devissuer.WithoutClaim("aud"), devissuer.Header("aud", audience(i)))
	}).from("RFC 7519, section 5.3")
	sortByName(l.list) // maps have no order
	return l.list
}

// issuerAttacks are tokens with another iss.
func issuerAttacks() []Attack {
	l := &attacks{group: "iss", source: "RFC 7519, section 4.1.1; RFC 8725, section 3.8; CVE-2024-53861"}
	l.minted("another's", "The issuer is the trusted one.", devissuer.IssuedBy(attackerURL))
	l.minted("missing", "iss is required.", devissuer.WithoutClaim("iss"))
	for _, text := range []string{`null`, `""`, `[]`, `{}`, `true`, `0`, `"null"`} {
		l.minted(text, "iss is a non-empty string.", devissuer.Claim("iss", json.RawMessage(text)))
	}
	exact := "The issuer matches exactly; URLs are not normalised."
	l.claim("ours, ", exact, "iss", (*devissuer.Issuer).URL, map[string]string{
		"trailing slash": `"$/"`, "two trailing slashes": `"$//"`, "with a path": `"$/tenant"`, "with a dot segment": `"$/."`, "with a query": `"$?"`,
		"with a fragment": `"$#"`, "another host": `"$.attacker.example"`, "as a user name": `"$@attacker.example"`, "with a port": `"$:443"`,
		"trailing dot": `"$."`, "trailing space": `"$ "`, "leading space": `" $"`, "trailing NUL": `"$\u0000"`, "trailing line break": `"$\n"`,
		"zero-width space": `"$\u200b"`, "in an array": `["$"]`, "in an array of two": `["` + attackerURL + `","$"]`, "in an object": `{"url":"$"}`,
		"after another's": `"` + attackerURL + ` $"`, "inside of another's": `"` + attackerURL + `/?$"`,
		"with a forged log line": `"$\nlevel=INFO msg=authenticated"`,
	})
	for name, change := range map[string]func(ours string) string{
		"a prefix of it": func(s string) string { return s[:len(s)-1] },
		"without scheme": func(s string) string { return s[strings.Index(s, "//")+2:] },
		"another scheme": func(s string) string { return "ftp" + strings.TrimPrefix(s, "https") },
		"in capitals":    strings.ToUpper,
		"host in capitals": func(s string) string {
			scheme, host, _ := strings.Cut(s, "//")
			return scheme + "//" + strings.ToUpper(host)
		},
		"percent-encoded":   url.QueryEscape,
		"look-alike letter": func(s string) string { return strings.Replace(s, "p", "р", 1) }, // Cyrillic
	} {
		l.token("ours, "+name, exact, func(i *devissuer.Issuer) string { return i.MustToken(devissuer.Claim("iss", change(i.URL()))) })
	}
	l.token("ours in the header", "The issuer is in the payload.", func(i *devissuer.Issuer) string {
		return i.MustToken(devissuer.WithoutClaim("iss"), devissuer.Header("iss", i.URL()))
	}).from("RFC 7519, section 5.3")
	sortByName(l.list) // maps have no order
	return l.list
}

// subjectAttacks are tokens without a valid subject or client.
func subjectAttacks() []Attack {
	l := &attacks{group: "sub", source: "RFC 7519, section 4.1.2; claim-type confusion"}
	for _, text := range []string{`null`, `0`, `1`, `true`, `["ada"]`, `{"id":"ada"}`, `[]`} {
		l.minted(text, "sub, if present, is a string.", devissuer.Claim("sub", json.RawMessage(text)))
	}
	for _, text := range []string{`1`, `["app"]`, `{}`} {
		l.minted("client_id "+text, "client_id, if present, is a string.", devissuer.Claim("client_id", json.RawMessage(text))).from("RFC 8693, section 4.3; claim-type confusion")
	}
	return l.list
}

// kindAttacks are valid tokens of the provider that are not bearer access tokens.
func kindAttacks() []Attack {
	l := &attacks{group: "kind", source: "RFC 8725, section 2.8"}
	idToken := "An ID token identifies the user to a client; it is not for an API."
	l.minted("ID token: nonce", idToken, devissuer.Claim("nonce", "n-0S6_WzA2Mj")).from("OpenID Connect Core 1.0, section 2")
	l.minted("ID token: at_hash", idToken, devissuer.Claim("at_hash", "77QmUPtjPfzWtF2AnpK9RQ"), devissuer.Scope("openid")).from("OpenID Connect Core 1.0, section 3.3.2.11")
	l.minted("ID token: c_hash", idToken, devissuer.Claim("c_hash", "LDktKdoQak3Pk0cnXxCltA"), devissuer.Scope("openid")).from("OpenID Connect Core 1.0, section 3.3.2.11")
	l.minted("ID token: token_use id", idToken, devissuer.Claim("token_use", "id")).from("Amazon Cognito, using the ID token")
	for _, typ := range []string{"ID", "Refresh", "Offline", "Logout", "refresh"} {
		l.minted("payload typ "+typ, "Keycloak puts the kind of a token into the payload.", devissuer.Claim("typ", typ), devissuer.Scope("openid")).from("Keycloak, TokenUtil")
	}
	event := "A security event is not an access token."
	l.minted("logout token", event, devissuer.Claim("events", map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}), devissuer.Claim("sid", "08a5019c")).
		from("OpenID Connect Back-Channel Logout 1.0, section 2.4")
	l.minted("security event", event, devissuer.Claim("events", map[string]any{"https://schemas.openid.net/secevent/risc/event-type/account-disabled": map[string]any{}}), devissuer.Scope("openid")).from("RFC 8417, section 2.2")
	bound := "A token that is bound to a key needs a proof of that key."
	for _, text := range []string{
		`{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}`, `{"x5t#S256":"bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}`, `{"jwk":{"kty":"oct","k":"AAAA"}}`, `{}`, `"x"`,
	} {
		l.minted("bound, cnf "+fmt.Sprintf("%.12s", text), bound, devissuer.Claim("cnf", json.RawMessage(text))).from("RFC 7800, section 3.1; RFC 9449, section 7.2; RFC 8705, section 3")
	}
	return l.list
}
