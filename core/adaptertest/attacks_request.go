package adaptertest

import (
	"net/http"
	"strings"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/sso"
)

// requestAttacks are about the Authorization header field. Its tokens are valid.
func requestAttacks() []Attack {
	l := &attacks{group: "Authorization", source: "RFC 6750, section 2.1; RFC 9110, section 11.6.2"}
	malformed := func(name, rule string, fields func(valid string) []string) {
		l.fields(name, rule, http.StatusBadRequest, sso.CodeInvalidRequest, func(i *devissuer.Issuer) []string { return fields(i.MustToken()) })
	}
	another := func(name, rule string, field func(valid string) string) {
		l.fields(name, rule, http.StatusUnauthorized, sso.CodeMissingToken, func(i *devissuer.Issuer) []string { return []string{field(i.MustToken())} })
	}
	two := "Two credentials are malformed: another party may read the other one."
	malformed("two fields", two, func(valid string) []string { return []string{bearer(valid), bearer(valid)} })
	malformed("two fields, the first of another scheme", two, func(valid string) []string { return []string{"Basic YWRhOnNlY3JldA==", bearer(valid)} })
	malformed("two fields, the second of another scheme", two, func(valid string) []string { return []string{bearer(valid), "Basic YWRhOnNlY3JldA=="} })
	malformed("two fields, the second empty", two, func(valid string) []string { return []string{bearer(valid), ""} })
	malformed("twenty fields", two, func(valid string) []string {
		fields := []string{bearer(valid)}
		for len(fields) < 20 {
			fields = append(fields, "Bearer x")
		}
		return fields
	})
	for name, separator := range map[string]string{"a comma": ",", "a comma and a space": ", ", "a semicolon": ";"} {
		malformed("two credentials, separated by "+name, two, func(valid string) []string { return []string{bearer(valid) + separator + bearer(valid)} })
	}
	malformed("a scheme and a token more", two, func(valid string) []string { return []string{bearer(valid) + ", Basic YWRhOnNlY3JldA=="} })

	for name, separator := range map[string]string{"a tab": "\t", "a colon": ":", "an equals sign": "=", "a comma": ",", "a no-break space": "\u00a0", "a slash": "/", "a quote": `"`} {
		malformed("scheme and token separated by "+name, "The scheme ends with a space.", func(valid string) []string { return []string{"Bearer" + separator + valid} })
	}
	malformed("the scheme alone", "The scheme alone is not a credential.", func(string) []string { return []string{"Bearer"} })
	malformed("the scheme twice", "A token has no spaces.", func(valid string) []string { return []string{"Bearer Bearer " + valid} })
	malformed("token in quotes", "A token has no quotes.", func(valid string) []string { return []string{`Bearer "` + valid + `"`} })
	malformed("token in brackets", "A token has no brackets.", func(valid string) []string { return []string{"Bearer <" + valid + ">"} })
	malformed("parameter", "Bearer has a token and no parameters.", func(valid string) []string { return []string{"Bearer token=" + valid} })
	malformed("trailing parameter", "Bearer has a token and no parameters.", func(valid string) []string { return []string{bearer(valid) + `; realm="x"`} })
	malformed("another token after a space", "A token has no spaces.", func(valid string) []string { return []string{bearer(valid) + " " + valid} })
	malformed("another token after a tab", "A token has no white space.", func(valid string) []string { return []string{bearer(valid) + "\t" + valid} })
	malformed("letters that are not ASCII", "A token consists of ASCII characters.", func(valid string) []string { return []string{bearer(valid) + "é"} })
	malformed("bytes that are not UTF-8", "A token consists of ASCII characters.", func(valid string) []string { return []string{bearer(valid) + "\xff"} })
	malformed("padding in the middle", "Padding is at the end.", func(valid string) []string { return []string{bearer("=" + valid)} })
	malformed("NUL", "A token has no control characters.", func(valid string) []string { return []string{bearer(valid) + "\x00"} })
	malformed("another field after a line break", "A token has no control characters.", func(valid string) []string { return []string{bearer(valid) + "\r\nX-User: root"} })

	scheme := "Only the scheme Bearer carries bearer tokens."
	for _, name := range []string{"Basic", "Digest", "Negotiate", "DPoP", "JWT", "Token", "Bearer2", "XBearer", "Bearer-Token"} {
		another("scheme "+name, scheme, func(valid string) string { return name + " " + valid })
	}
	another("no scheme", "A token without a scheme is not a credential.", func(valid string) string { return valid })
	another("no space", scheme, func(valid string) string { return "Bearer" + valid })
	another("wide letters", scheme, func(valid string) string { return "Ｂｅａｒｅｒ " + valid })
	another("empty", "An empty field is not a credential.", func(string) string { return "" })
	another("reversed", scheme, func(valid string) string { return valid + " Bearer" })
	l.fields("suffix of a valid token", "A suffix is part of the token.", 0, "", func(i *devissuer.Issuer) []string { return []string{bearer(i.MustToken() + "~~~")} })
	l.fields("valid token with padding", "A token has one encoding.", 0, "", func(i *devissuer.Issuer) []string { return []string{bearer(i.MustToken() + "=")} })
	l.fields("two valid tokens in one", "A token is one token.", 0, "", func(i *devissuer.Issuer) []string { return []string{bearer(strings.Repeat(i.MustToken(), 2))} })
	sortByName(l.list) // maps have no order
	return l.list
}
