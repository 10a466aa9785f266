package sso_test

import (
	"strings"
	"testing"

	"github.com/more-retail/moresso-go/core/sso"
)

func TestAuthenticate_AuthorizationField(t *testing.T) {
	a := newAuth(t)
	valid := token()
	for _, test := range []struct {
		name    string
		request request
		want    string
	}{
		{"no header", request{}, "no token"},
		{"an empty header", request{""}, "no token"},
		{"white space alone", request{" \t "}, "no token"},
		{"a valid token", request{"Bearer " + valid}, "accepted"},
		{"the scheme in lower case", request{"bearer " + valid}, "accepted"},
		{"the scheme in capitals", request{"BEARER " + valid}, "accepted"},
		{"two spaces", request{"Bearer  " + valid}, "accepted"},
		{"white space around the value", request{" \tBearer " + valid + "\t "}, "accepted"},
		{"another scheme", request{"Basic YWRhOnNlY3JldA=="}, "no token"},
		{"another scheme with a valid token", request{"DPoP " + valid}, "no token"},
		{"a scheme that ends in Bearer", request{"XBearer " + valid}, "no token"},
		{"a scheme that begins with Bearer", request{"BearerX " + valid}, "no token"},
		{"a raw token", request{valid}, "no token"},
		{"a raw token and a space", request{valid + " "}, "no token"},
		{"a raw token between a space and a word", request{valid + " x"}, "no token"},
		{"the scheme and the token without a space", request{"Bearer" + valid}, "no token"},
		{"the scheme alone", request{"Bearer"}, "invalid request"},
		{"the scheme and a space", request{"Bearer "}, "invalid request"},
		{"the scheme and spaces", request{"Bearer    "}, "invalid request"},
		{"the scheme and padding alone", request{"Bearer =="}, "invalid request"},
		{"an equals sign for the space", request{"Bearer=" + valid}, "invalid request"},
		{"a colon for the space", request{"Bearer:" + valid}, "invalid request"},
		{"a comma for the space", request{"Bearer," + valid}, "invalid request"},
		{"a colon before the space", request{"Bearer: " + valid}, "invalid request"},
		{"a tab for the space", request{"Bearer\t" + valid}, "invalid request"},
		{"a quote for the space", request{`Bearer"` + valid}, "invalid request"},
		{"DEL for the space", request{"Bearer\x7f" + valid}, "invalid request"},
		{"a NUL for the space", request{"Bearer\x00" + valid}, "invalid request"},
		{"a no-break space for the space", request{"Bearer\u00a0" + valid}, "invalid request"},
		{"a space and a tab", request{"Bearer \t" + valid}, "invalid request"},
		{"quotes", request{`Bearer "` + valid + `"`}, "invalid request"},
		{"the scheme twice", request{"Bearer Bearer " + valid}, "invalid request"},
		{"a parameter", request{"Bearer token=" + valid}, "invalid request"},
		{"a valid token and a word", request{"Bearer " + valid + " x"}, "invalid request"},
		{"a valid token and a comma", request{"Bearer " + valid + ","}, "invalid request"},
		{"two valid tokens joined by a comma", request{"Bearer " + valid + ", Bearer " + valid}, "invalid request"},
		{"two valid tokens joined without a space", request{"Bearer " + valid + ",Bearer " + valid}, "invalid request"},
		{"another scheme before it, joined", request{"Basic YQ==, Bearer " + valid}, "no token"},
		{"another scheme after it, joined", request{"Bearer " + valid + ", Basic YQ=="}, "invalid request"},
		{"a NUL in the token", request{"Bearer " + valid[:9] + "\x00" + valid[9:]}, "invalid request"},
		{"a NUL after the token", request{"Bearer " + valid + "\x00"}, "invalid request"},
		{"a line break in the token", request{"Bearer " + valid[:9] + "\n" + valid[9:]}, "invalid request"},
		{"a line break after the token", request{"Bearer " + valid + "\r\n"}, "invalid request"},
		{"a letter beyond ASCII in the token", request{"Bearer é" + valid}, "invalid request"},
		{"a byte that is not UTF-8 in the token", request{"Bearer \xff" + valid}, "invalid request"},
		{"a percent escape in the token", request{"Bearer %41" + valid}, "invalid request"},
		{"a letter beyond ASCII in the scheme", request{"Béarer " + valid}, "no token"},
		{"a long s, which folds to an s elsewhere", request{"Baſic " + valid}, "no token"},
		{"not a JWT", request{"Bearer abc"}, "invalid token"},
		{"a token that is not a JWT, with all characters", request{"Bearer a~b+c/d"}, "invalid token"},
		{"a valid token with padding", request{"Bearer " + valid + "="}, "invalid token"},
		{"a megabyte", request{"Bearer " + strings.Repeat("A", 1<<20)}, "invalid token"},
		{"two headers", request{"Bearer " + valid, "Bearer " + valid}, "invalid request"},
		{"two headers, the first invalid", request{"Bearer x", "Bearer " + valid}, "invalid request"},
		{"two headers, the second of another scheme", request{"Bearer " + valid, "Basic YQ=="}, "invalid request"},
		{"two headers, the first of another scheme", request{"Basic YQ==", "Bearer " + valid}, "invalid request"},
		{"two headers, the first empty", request{"", "Bearer " + valid}, "invalid request"},
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
			if len(test.request) == 0 || len(test.request) == 1 && strings.Trim(test.request[0], " \t") == "" {
				want = "accepted" // as anonymous
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
