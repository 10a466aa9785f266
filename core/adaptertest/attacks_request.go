package adaptertest

import (
	"net/http"
	"strings"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/sso"
)

// requestAttacks are about the Authorization header field. The tokens in it are good.
func requestAttacks() []Attack {
	l := &attacks{group: "Authorization", source: "RFC 6750, section 2.1; RFC 9110, section 11.6.2"}
	malformed := func(name, rule string, fields func(good string) []string) {
		l.fields(name, rule, http.StatusBadRequest, sso.CodeInvalidRequest, func(i *devissuer.Issuer) []string { return fields(i.MustToken()) })
	}
	another := func(name, rule string, field func(good string) string) {
		l.fields(name, rule, http.StatusUnauthorized, sso.CodeMissingToken, func(i *devissuer.Issuer) []string { return []string{field(i.MustToken())} })
	}
	two := "Two credentials are none: another party may look at the other one."
	malformed("two fields", two, func(good string) []string { return []string{bearer(good), bearer(good)} })
	malformed("two fields, the first of another scheme", two, func(good string) []string { return []string{"Basic YWRhOnNlY3JldA==", bearer(good)} })
	malformed("two fields, the second of another scheme", two, func(good string) []string { return []string{bearer(good), "Basic YWRhOnNlY3JldA=="} })
	malformed("two fields, the second empty", two, func(good string) []string { return []string{bearer(good), ""} })
	malformed("twenty fields", two, func(good string) []string {
		fields := []string{bearer(good)}
		for len(fields) < 20 {
			fields = append(fields, "Bearer x")
		}
		return fields
	})
	for name, separator := range map[string]string{"a comma": ",", "a comma and a space": ", ", "a semicolon": ";"} {
		malformed("two credentials, separated by "+name, two, func(good string) []string { return []string{bearer(good) + separator + bearer(good)} })
	}
	malformed("a scheme and a token more", two, func(good string) []string { return []string{bearer(good) + ", Basic YWRhOnNlY3JldA=="} })

	for name, separator := range map[string]string{"a tab": "\t", "a colon": ":", "an equals sign": "=", "a comma": ",", "a no-break space": "\u00a0", "a slash": "/", "a quote": `"`} {
		malformed("scheme and token separated by "+name, "The scheme ends with a space.", func(good string) []string { return []string{"Bearer" + separator + good} })
	}
	malformed("the scheme alone", "The scheme alone is no credential.", func(string) []string { return []string{"Bearer"} })
	malformed("the scheme twice", "A token has no spaces.", func(good string) []string { return []string{"Bearer Bearer " + good} })
	malformed("token in quotes", "A token has no quotes.", func(good string) []string { return []string{`Bearer "` + good + `"`} })
	malformed("token in brackets", "A token has no brackets.", func(good string) []string { return []string{"Bearer <" + good + ">"} })
	malformed("parameter", "Bearer has a token and no parameters.", func(good string) []string { return []string{"Bearer token=" + good} })
	malformed("parameter behind", "Bearer has a token and no parameters.", func(good string) []string { return []string{bearer(good) + `; realm="x"`} })
	malformed("another token behind a space", "A token has no spaces.", func(good string) []string { return []string{bearer(good) + " " + good} })
	malformed("another token behind a tab", "A token has no white space.", func(good string) []string { return []string{bearer(good) + "\t" + good} })
	malformed("letters that are not ASCII", "A token is of ASCII letters.", func(good string) []string { return []string{bearer(good) + "é"} })
	malformed("bytes that are not UTF-8", "A token is of ASCII letters.", func(good string) []string { return []string{bearer(good) + "\xff"} })
	malformed("padding in the middle", "Padding stands at the end.", func(good string) []string { return []string{bearer("=" + good)} })
	malformed("NUL", "A token has no control characters.", func(good string) []string { return []string{bearer(good) + "\x00"} })
	malformed("another field behind a line break", "A token has no control characters.", func(good string) []string { return []string{bearer(good) + "\r\nX-User: root"} })

	scheme := "Only the scheme Bearer carries bearer tokens."
	for _, name := range []string{"Basic", "Digest", "Negotiate", "DPoP", "JWT", "Token", "Bearer2", "XBearer", "Bearer-Token"} {
		another("scheme "+name, scheme, func(good string) string { return name + " " + good })
	}
	another("no scheme", "A token without a scheme is no credential.", func(good string) string { return good })
	another("no space", scheme, func(good string) string { return "Bearer" + good })
	another("wide letters", scheme, func(good string) string { return "Ｂｅａｒｅｒ " + good })
	another("empty", "An empty field is no credential.", func(string) string { return "" })
	another("reversed", scheme, func(good string) string { return good + " Bearer" })
	l.fields("unsigned tail of a good token", "What stands behind a token is part of it.", 0, "", func(i *devissuer.Issuer) []string { return []string{bearer(i.MustToken() + "~~~")} })
	l.fields("good token with padding", "A token is spelled in one way.", 0, "", func(i *devissuer.Issuer) []string { return []string{bearer(i.MustToken() + "=")} })
	l.fields("two good tokens in one", "A token is one token.", 0, "", func(i *devissuer.Issuer) []string { return []string{bearer(strings.Repeat(i.MustToken(), 2))} })
	sortByName(l.list) // maps have no order
	return l.list
}
