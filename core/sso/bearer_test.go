package sso_test

import (
	"strings"
	"testing"

	"github.com/more-retail/moresso-go/core/sso"
)

func TestTheAuthorizationHeaderIsReadStrictly(t *testing.T) {
	a := newAuth(t)
	good := token()
	for _, test := range []struct {
		name    string
		request request
		want    string
	}{
		{"no header", request{}, "no token"},
		{"an empty header", request{""}, "no token"},
		{"white space alone", request{" \t "}, "no token"},
		{"a good token", request{"Bearer " + good}, "accepted"},
		{"the scheme in lower case", request{"bearer " + good}, "accepted"},
		{"the scheme in capitals", request{"BEARER " + good}, "accepted"},
		{"two spaces", request{"Bearer  " + good}, "accepted"},
		{"white space around it all", request{" \tBearer " + good + "\t "}, "accepted"},
		{"another scheme", request{"Basic YWRhOnNlY3JldA=="}, "no token"},
		{"another scheme with a good token", request{"DPoP " + good}, "no token"},
		{"a scheme that ends in Bearer", request{"XBearer " + good}, "no token"},
		{"a scheme that begins with Bearer", request{"BearerX " + good}, "no token"},
		{"a raw token", request{good}, "no token"},
		{"a raw token with a space behind", request{good + " "}, "no token"},
		{"a raw token with a space before and something behind", request{good + " x"}, "no token"},
		{"the scheme and the token without a space", request{"Bearer" + good}, "no token"},
		{"the scheme alone", request{"Bearer"}, "invalid request"},
		{"the scheme and a space", request{"Bearer "}, "invalid request"},
		{"the scheme and spaces", request{"Bearer    "}, "invalid request"},
		{"the scheme and padding alone", request{"Bearer =="}, "invalid request"},
		{"an equals sign for the space", request{"Bearer=" + good}, "invalid request"},
		{"a colon for the space", request{"Bearer:" + good}, "invalid request"},
		{"a comma for the space", request{"Bearer," + good}, "invalid request"},
		{"a colon before the space", request{"Bearer: " + good}, "invalid request"},
		{"a tab for the space", request{"Bearer\t" + good}, "invalid request"},
		{"a quote for the space", request{`Bearer"` + good}, "invalid request"},
		{"DEL for the space", request{"Bearer\x7f" + good}, "invalid request"},
		{"a NUL for the space", request{"Bearer\x00" + good}, "invalid request"},
		{"a no-break space for the space", request{"Bearer\u00a0" + good}, "invalid request"},
		{"a space and a tab", request{"Bearer \t" + good}, "invalid request"},
		{"quotes", request{`Bearer "` + good + `"`}, "invalid request"},
		{"the scheme twice", request{"Bearer Bearer " + good}, "invalid request"},
		{"a parameter", request{"Bearer token=" + good}, "invalid request"},
		{"a good token and a word", request{"Bearer " + good + " x"}, "invalid request"},
		{"a good token and a comma", request{"Bearer " + good + ","}, "invalid request"},
		{"two good tokens joined by a comma", request{"Bearer " + good + ", Bearer " + good}, "invalid request"},
		{"two good tokens joined without a space", request{"Bearer " + good + ",Bearer " + good}, "invalid request"},
		{"another scheme joined before", request{"Basic YQ==, Bearer " + good}, "no token"},
		{"another scheme joined behind", request{"Bearer " + good + ", Basic YQ=="}, "invalid request"},
		{"a NUL in the token", request{"Bearer " + good[:9] + "\x00" + good[9:]}, "invalid request"},
		{"a NUL behind the token", request{"Bearer " + good + "\x00"}, "invalid request"},
		{"a line break in the token", request{"Bearer " + good[:9] + "\n" + good[9:]}, "invalid request"},
		{"a line break behind the token", request{"Bearer " + good + "\r\n"}, "invalid request"},
		{"a letter beyond ASCII in the token", request{"Bearer é" + good}, "invalid request"},
		{"a byte that is no UTF-8 in the token", request{"Bearer \xff" + good}, "invalid request"},
		{"a percent escape in the token", request{"Bearer %41" + good}, "invalid request"},
		{"a letter beyond ASCII in the scheme", request{"Béarer " + good}, "no token"},
		{"a long s, which folds to an s elsewhere", request{"Baſic " + good}, "no token"},
		{"a token that is none", request{"Bearer abc"}, "invalid token"},
		{"a token with characters that only other tokens have", request{"Bearer a~b+c/d"}, "invalid token"},
		{"a good token with padding", request{"Bearer " + good + "="}, "invalid token"},
		{"a megabyte", request{"Bearer " + strings.Repeat("A", 1<<20)}, "invalid token"},
		{"two headers", request{"Bearer " + good, "Bearer " + good}, "invalid request"},
		{"two headers, the first bad", request{"Bearer x", "Bearer " + good}, "invalid request"},
		{"two headers, the second of another scheme", request{"Bearer " + good, "Basic YQ=="}, "invalid request"},
		{"two headers, the first of another scheme", request{"Basic YQ==", "Bearer " + good}, "invalid request"},
		{"two headers, the first empty", request{"", "Bearer " + good}, "invalid request"},
		{"two empty headers", request{"", ""}, "invalid request"},
	} {
		t.Run(test.name, func(t *testing.T) {
			ctx, err := a.Authenticate(t.Context(), test.request)
			if got := class(err); got != test.want {
				t.Fatalf("Authenticate: %s, want %s (%v)", got, test.want, err)
			}
			if _, ok := sso.FromContext(ctx); ok != (test.want == "accepted") {
				t.Errorf("Authenticate: the context holds a principal: %t", ok)
			}
			if ctx, err = a.Authorize(t.Context(), test.request, granting); class(err) != test.want {
				t.Errorf("Authorize: %v, want %s", err, test.want)
			}
			if _, ok := sso.FromContext(ctx); ok != (test.want == "accepted") {
				t.Errorf("Authorize: the context holds a principal: %t", ok)
			}
			want := test.want
			if len(test.request) == 0 {
				want = "accepted"
			}
			ctx, err = a.AuthenticateOptional(t.Context(), test.request)
			if class(err) != want {
				t.Errorf("AuthenticateOptional: %v, want %s", err, want)
			}
			if _, ok := sso.FromContext(ctx); ok != (test.want == "accepted") {
				t.Errorf("AuthenticateOptional: the context holds a principal: %t", ok)
			}
		})
	}
}
