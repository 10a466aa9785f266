package sso_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/sso"
)

// kindCases are tokens that [newAuth] trusts, except that their claims may be of another kind.
var kindCases = []struct {
	name   string
	claims []string // changes
	kinds  []string
}{
	{"events of a logout", []string{"events", `{"http://schemas.openid.net/event/backchannel-logout":{}}`}, []string{"event"}},
	{"no events in an object of events", []string{"events", `{}`}, []string{"event"}},
	{"null events", []string{"events", `null`}, nil},
	{"events as a word, with scopes", []string{"events", `"x"`, "scope", `"a"`}, []string{"event"}},
	{"at_hash", []string{"at_hash", `"MTIzNDU2Nzg5MDEyMzQ1Ng"`}, []string{"ID token"}},
	{"at_hash beside scopes", []string{"at_hash", `"x"`, "scope", `"openid"`}, []string{"ID token"}},
	{"a null at_hash", []string{"at_hash", `null`}, nil},
	{"c_hash", []string{"c_hash", `"LDktKdoQak3Pk0cnXxCltA"`}, []string{"ID token"}},
	{"an empty c_hash", []string{"c_hash", `""`}, nil},
	{"s_hash", []string{"s_hash", `"LDktKdoQak3Pk0cnXxCltA"`, "scope", `"openid"`}, []string{"ID token"}},
	{"a null s_hash", []string{"s_hash", `null`}, nil},
	{"token_use id in a list", []string{"token_use", `["access","id"]`}, []string{"ID token"}},
	{"a payload typ of ID in a list", []string{"typ", `["ID"]`}, []string{"ID token"}},
	{"a payload typ of Refresh in a list", []string{"typ", `["Bearer","Refresh"]`}, []string{"refresh token"}},
	{"token_use id", []string{"token_use", `"id"`}, []string{"ID token"}},
	{"token_use ID", []string{"token_use", `"ID"`}, []string{"ID token"}},
	{"token_use id, with scopes", []string{"token_use", `"id"`, "scope", `"a"`, "typ", `"Bearer"`}, []string{"ID token"}},
	{"token_use access", []string{"token_use", `"access"`}, nil},
	{"token_use of something else", []string{"token_use", `"idx"`}, nil},
	{"a payload typ of ID", []string{"typ", `"ID"`}, []string{"ID token"}},
	{"a payload typ of id", []string{"typ", `"id"`}, []string{"ID token"}},
	{"a payload typ of Refresh", []string{"typ", `"Refresh"`}, []string{"refresh token"}},
	{"a payload typ of REFRESH", []string{"typ", `"REFRESH"`, "scope", `"a"`}, []string{"refresh token"}},
	{"a payload typ of Offline", []string{"typ", `"Offline"`, "scope", `"offline_access"`}, []string{"refresh token"}},
	{"a payload typ of Refresh with a nonce and no scope", []string{"typ", `"Refresh"`, "nonce", `"n"`}, []string{"refresh token"}},
	{"a payload typ of Logout", []string{"typ", `"Logout"`}, []string{"event"}},
	{"a payload typ of Logout, and events", []string{"typ", `"Logout"`, "events", `{}`}, []string{"event"}},
	{"a payload typ of Bearer", []string{"typ", `"Bearer"`}, nil},
	{"a payload typ of JWT", []string{"typ", `"JWT"`}, nil},
	{"an empty payload typ", []string{"typ", `""`}, nil},
	{"a payload typ that begins with ID", []string{"typ", `"IDs"`}, nil},
	{"a payload typ that is a number", []string{"typ", `1`}, nil},
	{"nonce alone", []string{"nonce", `"n"`}, []string{"ID token"}},
	{"an empty nonce alone", []string{"nonce", `""`}, nil},
	{"a null nonce alone", []string{"nonce", `null`}, nil},
	{"nonce with scope", []string{"nonce", `"n"`, "scope", `"a"`}, nil},
	{"nonce with an empty scope", []string{"nonce", `"n"`, "scope", `""`}, nil},
	{"nonce with a null scope, which says nothing", []string{"nonce", `"n"`, "scope", `null`}, []string{"ID token"}},
	{"nonce with scp", []string{"nonce", `"n"`, "scp", `["a"]`}, nil},
	{"nonce with a null scp", []string{"nonce", `"n"`, "scp", `null`}, []string{"ID token"}},
	{"nonce with a payload typ of Bearer", []string{"nonce", `"n"`, "typ", `"Bearer"`}, nil},
	{"nonce with a payload typ of bearer", []string{"nonce", `"n"`, "typ", `"bearer"`}, nil},
	{"nonce with another payload typ", []string{"nonce", `"n"`, "typ", `"JWT"`}, []string{"ID token"}},
	{"nonce with Scope deep down", []string{"nonce", `"n"`, "x", `{"scope":"a"}`}, []string{"ID token"}},
	{"events and at_hash", []string{"events", `{}`, "at_hash", `"x"`}, []string{"event", "ID token"}},
	{"a payload typ of ID, and events", []string{"typ", `"ID"`, "events", `{}`}, []string{"ID token", "event"}},
	{"a payload typ of Refresh, and at_hash", []string{"typ", `"Refresh"`, "at_hash", `"x"`}, []string{"refresh token", "ID token"}},
	{"no mark of another kind", nil, nil},
	{"at_hash deep down", []string{"x", `{"at_hash":"x","events":{},"cnf":{}}`}, nil},
}

func TestTokenType_OtherKinds(t *testing.T) {
	for tokenType, accepted := range map[sso.TokenType][]string{sso.AnyAccessToken: nil, sso.AllowIDToken: {"ID token"}} {
		a := newAuth(t, func(c *sso.Config) { c.TokenType = tokenType })
		for _, test := range kindCases {
			t.Run(string(tokenType)+" "+test.name, func(t *testing.T) {
				want := sso.Reason("none")
				if slices.ContainsFunc(test.kinds, func(kind string) bool { return !slices.Contains(accepted, kind) }) {
					want = sso.ReasonTokenKind
				}
				if _, err := a.ValidateToken(t.Context(), token(test.claims...)); reasonIn(err) != want {
					t.Errorf("%v, want %q", err, want)
				}
			})
		}
	}
}

func TestValidateToken_BoundToken(t *testing.T) {
	for _, cnf := range []string{`{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}`, `{"x5t#S256":"bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}`, `{}`, `""`, `"x"`, `[]`, `0`, `false`} {
		for name, a := range map[string]*sso.Authenticator{
			"by default":               newAuth(t),
			"with ID tokens accepted":  newAuth(t, func(c *sso.Config) { c.TokenType = sso.AllowIDToken }),
			"with an RFC 9068 profile": newAuth(t, func(c *sso.Config) { c.TokenType = sso.StrictAccessToken }),
		} {
			if _, err := a.ValidateToken(t.Context(), signed(ada, headerWith("typ", `"at+jwt"`), claimsWith("cnf", cnf, "client_id", `"web"`, "jti", `"1"`))); reasonIn(err) != sso.ReasonBoundToken {
				t.Errorf("%s %s: %v", cnf, name, err)
			}
		}
	}
}

func TestTokenType_Strict(t *testing.T) {
	strict := func(c *sso.Config) { c.TokenType = sso.StrictAccessToken }
	full := func(changes ...string) string {
		return claimsWith(append([]string{"client_id", `"web"`, "jti", `"1"`}, changes...)...)
	}
	header := func(typ string) string { return headerWith("typ", typ) }
	anyIssuer := func(c *sso.Config) { c.TokenType, c.Issuer, c.SkipIssuerCheck = sso.StrictAccessToken, "", true }
	noAudience := func(c *sso.Config) {
		c.TokenType, c.Audience, c.SkipAudienceCheck, c.ClientIDs = sso.StrictAccessToken, nil, true, []string{"web"}
	}
	type test struct {
		name, token string
		reason      sso.Reason
		config      func(*sso.Config)
	}
	tests := []test{
		{"at+jwt with every claim", signed(ada, header(`"at+jwt"`), full()), "", strict},
		{"at+jwt in capitals", signed(ada, header(`"AT+JWT"`), full()), "", strict},
		{"application/at+jwt", signed(ada, header(`"application/at+jwt"`), full()), "", strict},
		{"Application/At+Jwt", signed(ada, header(`"Application/At+Jwt"`), full()), "", strict},
		{"a dotted capital I, which is not an i", signed(ada, header(`"appl\u0130cation/at+jwt"`), full()), sso.ReasonTokenType, strict},
		{"no typ", signed(ada, header(""), full()), sso.ReasonTokenType, strict},
		{"JWT", signed(ada, header(`"JWT"`), full()), sso.ReasonTokenType, strict},
		{"an empty typ", signed(ada, header(`""`), full()), sso.ReasonTokenType, strict},
		{"a null typ", signed(ada, header(`null`), full()), sso.ReasonTokenType, strict},
		{"something that ends with at+jwt", signed(ada, header(`"xat+jwt"`), full()), sso.ReasonTokenType, strict},
		{"application/jwt", signed(ada, header(`"application/jwt"`), full()), sso.ReasonTokenType, strict},
		{"at+jwt with white space", signed(ada, header(`"at+jwt "`), full()), sso.ReasonTokenType, strict},
		{"at+jwt with a parameter", signed(ada, header(`"application/at+jwt; x=1"`), full()), sso.ReasonTokenType, strict},
		{"the typ in the payload instead", signed(ada, header(""), full("typ", `"at+jwt"`)), sso.ReasonTokenType, strict},
		{"jti that is a number", signed(ada, header(`"at+jwt"`), full("jti", `1`)), sso.ReasonMalformedClaim, strict},
		{"jti null", signed(ada, header(`"at+jwt"`), full("jti", `null`)), sso.ReasonMissingClaim, strict},
		{"jti empty", signed(ada, header(`"at+jwt"`), full("jti", `""`)), sso.ReasonMissingClaim, strict},
		{"client_id null", signed(ada, header(`"at+jwt"`), full("client_id", `null`)), sso.ReasonMissingClaim, strict},
		{"sub empty", signed(ada, header(`"at+jwt"`), full("sub", `""`)), sso.ReasonMissingClaim, strict},
		{"jti that is a number, where RFC 9068 is not required", token("jti", `1`), "", func(*sso.Config) {}},
	}
	for name, missing := range map[string]struct {
		reason sso.Reason
		config func(*sso.Config)
	}{
		"iss": {sso.ReasonMissingClaim, anyIssuer}, "exp": {sso.ReasonMissingExpiry, strict}, "aud": {sso.ReasonMissingClaim, noAudience}, "sub": {sso.ReasonMissingClaim, strict},
		"client_id": {sso.ReasonMissingClaim, strict}, "iat": {sso.ReasonMissingClaim, strict}, "jti": {sso.ReasonMissingClaim, strict},
	} {
		tests = append(tests, test{name + " missing", signed(ada, header(`"at+jwt"`), full(name, "")), missing.reason, missing.config})
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := newAuth(t, test.config).ValidateToken(t.Context(), test.token)
			if (err == nil) != (test.reason == "") || err != nil && reasonIn(err) != test.reason {
				t.Errorf("%v, want %q", err, test.reason)
			}
		})
	}
}

// An ID token is for the client that its azp names; aud may list others too.
func TestTokenType_AuthorizedParty(t *testing.T) {
	for name, c := range map[string]struct {
		config func(*sso.Config)
		claims []string
		want   sso.Reason // of an authenticator that accepts ID tokens
	}{
		"no azp":                     {claims: nil},
		"a null azp":                 {claims: []string{"azp", `null`}},
		"an empty azp":               {claims: []string{"azp", `""`}},
		"this client":                {claims: []string{"azp", `"api"`}},
		"another client":             {claims: []string{"azp", `"other"`}, want: sso.ReasonWrongClient},
		"another client, at_hash":    {claims: []string{"azp", `"other"`, "at_hash", `"x"`, "aud", `["other","api"]`}, want: sso.ReasonWrongClient},
		"another spelling":           {claims: []string{"azp", `"API"`}, want: sso.ReasonWrongClient},
		"a number":                   {claims: []string{"azp", `1`}, want: sso.ReasonWrongClient},
		"a list":                     {claims: []string{"azp", `["api"]`}, want: sso.ReasonWrongClient},
		"one of the clients":         {config: func(c *sso.Config) { c.ClientIDs = []string{"app"} }, claims: []string{"azp", `"app"`}},
		"the audience, not a client": {config: func(c *sso.Config) { c.ClientIDs = []string{"app"} }, claims: []string{"azp", `"api"`}, want: sso.ReasonWrongClient},
	} {
		t.Run(name, func(t *testing.T) {
			want := cmp.Or(c.want, "none")
			change := c.config
			if change == nil {
				change = func(*sso.Config) {}
			}
			a := newAuth(t, change, func(c *sso.Config) { c.TokenType = sso.AllowIDToken })
			if _, err := a.ValidateToken(t.Context(), token(c.claims...)); reasonIn(err) != want {
				t.Errorf("got %v, want %q", err, want)
			}
			if _, err := newAuth(t).ValidateToken(t.Context(), token(append(c.claims, "at_hash", "")...)); err != nil {
				t.Errorf("an access token: %v", err)
			}
		})
	}
}

// Access tokens of some providers are recognized by what they all have.
func TestConfig_AccessClaims(t *testing.T) {
	const (
		entra1  = "https://sts.windows.net/aaaabbbb-0000-cccc-1111-dddd2222eeee/"
		entra2  = "https://login.microsoftonline.com/aaaabbbb-0000-cccc-1111-dddd2222eeee/v2.0"
		okta    = "https://shop.okta.com/oauth2/default"
		cognito = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_EXAMPLE"
	)
	for issuer, claims := range map[string][]string{
		entra1: {"scp", "roles", "idtyp"},
		entra2: {"scp", "roles", "idtyp"},
		"https://login.microsoftonline.us/aaaabbbb-0000-cccc-1111-dddd2222eeee/v2.0":         {"scp", "roles", "idtyp"},
		"https://login.partner.microsoftonline.cn/aaaabbbb-0000-cccc-1111-dddd2222eeee/v2.0": {"scp", "roles", "idtyp"},
		"https://LOGIN.microsoftonline.com./aaaabbbb-0000-cccc-1111-dddd2222eeee/v2.0":       {"scp", "roles", "idtyp"},
		"https://shop.ciamlogin.com/aaaabbbb-0000-cccc-1111-dddd2222eeee/v2.0":               {"scp", "roles", "idtyp"},
		okta:                                {"cid"},
		"https://shop.oktapreview.com":      {"cid"},
		cognito:                             {"token_use"},
		"https://login.example.com":         nil,
		"https://okta.com.example":          nil,
		"https://notokta.com":               nil,
		"https://example.com/shop.okta.com": nil,
		"https://cognito-idp.example":       {"token_use"},
	} {
		t.Run(issuer, func(t *testing.T) {
			validate := func(change func(*sso.Config), members ...string) sso.Reason {
				t.Helper()
				a := newAuth(t, func(c *sso.Config) { c.Issuer = issuer }, change)
				_, err := a.ValidateToken(t.Context(), token(append([]string{"iss", `"` + issuer + `"`}, members...)...))
				return reasonIn(err)
			}
			usual := func(*sso.Config) {}
			want := sso.Reason("none")
			if claims != nil {
				want = sso.ReasonTokenKind
			}
			for name, members := range map[string][]string{
				"none": nil, "null": {"scp", "null", "roles", "null", "idtyp", "null", "cid", "null", "token_use", "null"},
				"another spelling": {"SCP", `"a"`, "Roles", `["a"]`, "CID", `"x"`},
			} {
				if got := validate(usual, members...); got != want {
					t.Errorf("%s: got %q, want %q", name, got, want)
				}
			}
			for _, claim := range claims {
				if got := validate(usual, claim, `"access"`); got != "none" {
					t.Errorf("with %s: %q", claim, got)
				}
			}
			if got := validate(func(c *sso.Config) { c.SkipAccessTokenCheck = true }); got != "none" {
				t.Errorf("SkipAccessTokenCheck: %q", got)
			}
			if got := validate(func(c *sso.Config) { c.TokenType = sso.AllowIDToken }); got != "none" {
				t.Errorf("AllowIDToken: %q", got)
			}
		})
	}
}

func TestConfig_ClientIDs(t *testing.T) {
	listed := newAuth(t, func(c *sso.Config) { c.ClientIDs = []string{"web", "app"} })
	unlisted := newAuth(t)
	for clientID, want := range map[string][2]sso.Reason{ // listed, unlisted
		`"web"`:         {"", ""},
		`"app"`:         {"", ""},
		`"\u0077eb"`:    {"", ""},
		`"other"`:       {sso.ReasonWrongClient, ""},
		`"Web"`:         {sso.ReasonWrongClient, ""},
		`"web "`:        {sso.ReasonWrongClient, ""},
		`"web app"`:     {sso.ReasonWrongClient, ""},
		`"we"`:          {sso.ReasonWrongClient, ""},
		`"*"`:           {sso.ReasonWrongClient, ""},
		"":              {sso.ReasonWrongClient, ""},
		`""`:            {sso.ReasonWrongClient, ""},
		`null`:          {sso.ReasonWrongClient, ""},
		`1`:             {sso.ReasonMalformedClaim, sso.ReasonMalformedClaim},
		`["web"]`:       {sso.ReasonMalformedClaim, sso.ReasonMalformedClaim},
		`{"web":"web"}`: {sso.ReasonMalformedClaim, sso.ReasonMalformedClaim},
	} {
		for i, a := range []*sso.Authenticator{listed, unlisted} {
			_, err := a.ValidateToken(t.Context(), token("client_id", clientID))
			if (err == nil) != (want[i] == "") || err != nil && reasonIn(err) != want[i] {
				t.Errorf("client_id %s, listed %t: %v, want %q", clientID, i == 0, err, want[i])
			}
		}
	}
	// Other claims are not the client.
	for _, name := range []string{"sub", "client", "clientId"} {
		if _, err := listed.ValidateToken(t.Context(), token(name, `"web"`)); reasonIn(err) != sso.ReasonWrongClient {
			t.Errorf("%s: %v", name, err)
		}
	}
	t.Run("the list is copied", func(t *testing.T) {
		list := []string{"web"}
		a := newAuth(t, func(c *sso.Config) { c.ClientIDs = list })
		list[0] = "other"
		if _, err := a.ValidateToken(t.Context(), token("client_id", `"web"`)); err != nil {
			t.Error(err)
		}
	})
	t.Run("where the audience is skipped", func(t *testing.T) {
		a := newAuth(t, func(c *sso.Config) { c.Audience, c.SkipAudienceCheck, c.ClientIDs = nil, true, []string{"web"} })
		for _, test := range []struct {
			token  string
			reason sso.Reason
		}{
			{token("aud", "", "client_id", `"web"`), ""},
			{token("aud", `"others"`, "client_id", `"web"`), ""},
			{token("aud", "", "client_id", `"other"`), sso.ReasonWrongClient},
			{token("aud", `"web"`), sso.ReasonWrongClient},
			{token("aud", "", "client_id", `"web"`, "iss", `"https://other.example"`), sso.ReasonWrongIssuer},
			{token("aud", "", "client_id", `"web"`, "iss", ""), sso.ReasonWrongIssuer},
			{token("aud", `["web",1]`, "client_id", `"web"`), sso.ReasonMalformedClaim},
		} {
			if _, err := a.ValidateToken(t.Context(), test.token); (err == nil) != (test.reason == "") || err != nil && reasonIn(err) != test.reason {
				t.Errorf("%v, want %q", err, test.reason)
			}
		}
	})
}

// grantingClaims decide where they are present.
var grantingClaims = []string{"acr", "amr", "auth_time", "azp", "cid", "gty", "idtyp", "scope", "scp"}

// spellings returns spellings of a name that case-insensitive readers treat as the same.
func spellings(name string) []string {
	list := []string{strings.ToUpper(name), strings.ToUpper(name[:1]) + name[1:], name[:len(name)-1] + strings.ToUpper(name[len(name)-1:])}
	for letter, other := range map[string]string{"s": "ſ", "k": "\u212a"} { // long s, Kelvin sign
		if strings.Contains(name, letter) {
			list = append(list, strings.Replace(name, letter, other, 1))
		}
	}
	return slices.DeleteFunc(list, func(s string) bool { return s == name })
}

func TestValidateToken_LookalikeNames(t *testing.T) {
	a := newAuth(t, func(c *sso.Config) { c.TokenType, c.Audience = sso.AllowIDToken, []string{"api", "x"} })
	refused := func(t *testing.T, token string) {
		t.Helper()
		if _, err := a.ValidateToken(t.Context(), token); reasonIn(err) != sso.ReasonMalformed {
			t.Error(err)
		}
	}
	count := 0
	for _, name := range []string{"alg", "b64", "crit", "cty", "kid", "typ", "zip"} {
		for _, spelling := range spellings(name) {
			count++
			t.Run("header "+spelling, func(t *testing.T) {
				refused(t, signed(ada, headerWith(spelling, `"x"`), claimsWith()))
				refused(t, signed(ada, headerWith(spelling, `null`), claimsWith()))
				if _, err := a.ValidateToken(t.Context(), signed(ada, headerWith("x", `{"`+spelling+`":1}`), claimsWith())); err != nil {
					t.Errorf("deep down: %v", err)
				}
			})
		}
	}
	for _, name := range []string{
		"at_hash", "aud", "c_hash", "client_id", "cnf", "events", "exp", "iat", "iss", "jti", "nbf", "nonce", "sub", "token_use", "typ", "permissions",
	} {
		for _, spelling := range spellings(name) {
			count++
			t.Run("payload "+spelling, func(t *testing.T) {
				refused(t, token(spelling, `"x"`))
				refused(t, token(spelling, `null`))
				refused(t, token(name, "", spelling, `"x"`)) // without the right one too
				if _, err := a.ValidateToken(t.Context(), token("x", `{"`+spelling+`":1}`)); err != nil {
					t.Errorf("deep down: %v", err)
				}
			})
		}
	}
	for _, name := range grantingClaims {
		for _, spelling := range spellings(name) {
			count++
			t.Run("payload "+spelling, func(t *testing.T) {
				refused(t, token(name, `"x"`, spelling, `"y"`))
				refused(t, token(spelling, `null`, name, `{}`))
				for _, accepted := range []string{token(spelling, `"x"`), token(spelling, `"x"`, name, `null`), token(name, `"x"`, "x", `{"`+spelling+`":1}`)} {
					if p, err := a.ValidateToken(t.Context(), accepted); err != nil || p.HasScope("x") != (strings.HasPrefix(name, "sc") && p.Claim(name).Kind() == "string") {
						t.Errorf("%q, %v", p.Scopes(), err)
					}
				}
			})
		}
	}
	if count < 90 {
		t.Errorf("%d spellings", count)
	}
	t.Run("escaped", func(t *testing.T) {
		refused(t, signed(ada, headerWith(), strings.Replace(claimsWith(), "{", `{"i\u017fs":"x",`, 1)))
		refused(t, signed(ada, strings.Replace(headerWith(), "{", `{"\u212aid":"x",`, 1), claimsWith()))
	})
	t.Run("similar and longer names are accepted", func(t *testing.T) {
		for _, name := range []string{"іss", "iss ", "issuer", "is", "i\u0131s", "iſ", "s", "_iss", "ıat", "İat", "éxp", "audience", "NAME", "SID", "Jwk", "ROLES"} {
			if _, err := a.ValidateToken(t.Context(), token(name, `"x"`)); err != nil {
				t.Errorf("payload %q: %v", name, err)
			}
			if _, err := a.ValidateToken(t.Context(), signed(ada, headerWith(name, `"x"`), claimsWith())); err != nil {
				t.Errorf("header %q: %v", name, err)
			}
		}
	})
}

// A configured name may be longer than ours, and of any letters.
func TestValidateToken_LookalikeClaims(t *testing.T) {
	for name, claim := range map[string]string{
		"ASCII": "rights", "with a capital": "Rights", "as long as a short one": strings.Repeat("k", 64), "longer": strings.Repeat("k", 65),
		"beyond ASCII": "größe", "beyond ASCII, with a capital": "Größe", "beyond ASCII and longer": strings.Repeat("é", 40),
	} {
		t.Run(name, func(t *testing.T) {
			a := newAuth(t, func(c *sso.Config) { c.PermissionsClaim = claim })
			p, err := a.ValidateToken(t.Context(), token(claim, `{"x":true}`))
			if err != nil || !p.Permissions().Get("x").Exists() {
				t.Fatalf("the claim itself: %v", err)
			}
			for _, other := range []string{strings.ToUpper(claim), strings.ToUpper(claim[:2]) + claim[2:], strings.ToLower(claim)} {
				if other == claim {
					continue
				}
				for _, members := range [][]string{{other, `{}`}, {claim, `{}`, other, `{}`}} {
					if _, err := a.ValidateToken(t.Context(), token(members...)); reasonIn(err) != sso.ReasonMalformed || !strings.Contains(err.Error(), "differs from "+claim+" by letter case alone") {
						t.Errorf("%v: %v", members, err)
					}
				}
			}
			for _, other := range []string{claim + "s", claim + "S", "é" + claim, "", strings.Repeat("K", 63), strings.Repeat("K", 66), "\u0080", "Ñandú"} {
				if _, err := a.ValidateToken(t.Context(), token(other, `{}`)); err != nil {
					t.Errorf("another claim, %q: %v", other, err)
				}
			}
		})
	}
}

// Members that are refused if present, with any value.
func TestValidateToken_RefusedHeaders(t *testing.T) {
	a := newAuth(t)
	for name, reason := range map[string]sso.Reason{
		"crit": sso.ReasonCriticalHeader, "zip": sso.ReasonUnsupportedHeader, "b64": sso.ReasonUnsupportedHeader,
	} {
		for _, value := range []string{`null`, `""`, `"JWT"`, `"DEF"`, `[]`, `["exp"]`, `["b64"]`, `{}`, `0`, `1`, `true`, `false`} {
			if _, err := a.ValidateToken(t.Context(), signed(ada, headerWith(name, value), claimsWith())); reasonIn(err) != reason {
				t.Errorf("%s %s: %v, want %s", name, value, err, reason)
			}
		}
	}
}

func TestValidateToken_Bounds(t *testing.T) {
	text := func(bytes int) string { return `"` + strings.Repeat("x", bytes) + `"` }
	lists := func(levels int) string { return strings.Repeat("[", levels) + strings.Repeat("]", levels) }
	nested := func(levels int) string { return strings.Repeat(`{"a":`, levels) + "1" + strings.Repeat("}", levels) }
	kid := func(bytes int) string { return headerWith("kid", `"`+strings.Repeat("k", bytes)+`"`) }
	for _, test := range []struct {
		name, token string
		reason      sso.Reason
	}{
		{"a header of 11 KiB", headed("x", text(11<<10)), ""},
		{"a header of 13 KiB, which is more in base64", headed("x", text(13<<10)), sso.ReasonTooLarge},
		{"a header 32 levels deep", signed(ada, headerWith("x", nested(31)), claimsWith()), ""},
		{"a header 33 levels deep", signed(ada, headerWith("x", nested(32)), claimsWith()), sso.ReasonMalformed},
		{"claims 32 levels deep", token("x", nested(31)), ""},
		{"claims 33 levels deep", token("x", nested(32)), sso.ReasonMalformed},
		{"permissions 32 levels deep", token("permissions", nested(31)), ""},
		{"a thousand values", token("x", "[1"+strings.Repeat(",1", 999)+"]"), ""},
		{"1,100 values", token("x", "[1"+strings.Repeat(",1", 1099)+"]"), sso.ReasonMalformed},
		{"1,100 empty objects", token("x", "[{}"+strings.Repeat(",{}", 1099)+"]"), sso.ReasonMalformed},
		{"a text of commas, brackets and quotes", token("x", `"`+strings.Repeat(`,[{\"`, 1000)+`"`), ""},
		{"4,096 escapes", token("x", `"`+strings.Repeat(`\n`, 4096)+`"`), ""},
		{"4,097 escapes", token("x", `"`+strings.Repeat(`\n`, 4097)+`"`), sso.ReasonMalformed},
		{"512 claims", token(claimsUpTo(512)...), ""},
		{"513 claims", token(claimsUpTo(513)...), sso.ReasonMalformed},
		{"twelve kilobytes of opening brackets", signed(ada, headerWith(), strings.Repeat("[", 12_000)), sso.ReasonMalformed},
		{"a key id of 256 bytes", signed(ada, kid(256), claimsWith()), sso.ReasonUnknownKey},
		{"a key id of 257 bytes", signed(ada, kid(257), claimsWith()), sso.ReasonKeyID},
		{"sixteen kilobytes of dots", strings.Repeat(".", 16<<10), sso.ReasonMalformed},
		{"sixteen kilobytes and a byte of dots", strings.Repeat(".", 16<<10+1), sso.ReasonTooLarge},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := newAuth(t).ValidateToken(t.Context(), test.token)
			if (err == nil) != (test.reason == "") || err != nil && reasonIn(err) != test.reason {
				t.Errorf("%v, want %q", err, test.reason)
			}
		})
	}
	// The bounds follow from MaxTokenBytes.
	for _, bytes := range []int{1 << 10, 16 << 10, 64 << 10, 1 << 20} {
		a := newAuth(t, func(c *sso.Config) { c.MaxTokenBytes = bytes })
		levels := max(32, bytes/512)
		values := max(256, bytes/16)
		most := bytes*3/4 - 600 // of 4 bytes, base64 encodes 3
		for name, test := range map[string]struct {
			token  string
			reason sso.Reason
		}{
			"the largest header":         {headed("x", text(most)), ""},
			"the largest claims":         {token("x", text(most)), ""},
			"the most audiences":         {token("aud", `["api"`+strings.Repeat(`,"x"`, min(most/4, values-16))+`]`), ""},
			"the most values":            {token("x", `[{"a":"1,2,3,[,{"}`+strings.Repeat(`,1`, min(most/4, values-16))+`]`), ""},
			"too large a header":         {headed("x", text(bytes*3/4)), sso.ReasonTooLarge},
			"too many audiences":         {token("aud", `["api"`+strings.Repeat(`,"x"`, bytes*3/16)+`]`), sso.ReasonTooLarge},
			"the deepest header":         {headed("x", lists(levels-1)), ""},
			"the deepest claims":         {token("x", lists(levels-1)), ""},
			"a header a level deeper":    {headed("x", lists(levels)), sso.ReasonMalformed},
			"claims a level deeper":      {token("x", lists(levels)), sso.ReasonMalformed},
			"permissions a level deeper": {token("permissions", `{"a":`+lists(levels-1)+"}"), sso.ReasonMalformed},
		} {
			t.Run(fmt.Sprint(bytes, " bytes: ", name), func(t *testing.T) {
				if _, err := a.ValidateToken(t.Context(), test.token); (err == nil) != (test.reason == "") || err != nil && reasonIn(err) != test.reason {
					t.Errorf("%v, want %q", err, test.reason)
				}
			})
		}
	}
	t.Run("of several issuers, the largest", func(t *testing.T) {
		small, large := newAuth(t), newAuth(t, func(c *sso.Config) { c.MaxTokenBytes, c.Issuer = 64<<10, "https://other.example" })
		a, err := sso.Join(small, large)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.ValidateToken(t.Context(), token("iss", `"https://other.example"`, "x", lists(127))); err != nil {
			t.Error(err)
		}
	})
}

// Dates beyond 32 bits, on any processor; see also `GOARCH=386 go test`.
func TestValidateToken_DateOverflow(t *testing.T) {
	late := time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		name, claim, date string
		now               time.Time
		reason            sso.Reason
	}{
		{"exp a second before 32 bits end", "exp", "2147483646", T, ""},
		{"exp when 32 bits end", "exp", "2147483647", T, ""},
		{"exp a second after", "exp", "2147483648", T, ""},
		{"exp when unsigned 32 bits end", "exp", "4294967296", T, ""},
		{"exp 2^32 and an hour ago", "exp", "4294967296", time.Unix(1<<32+3600, 0), sso.ReasonExpired},
		{"exp that is now by its lower 32 bits", "exp", "6188519851", time.Unix(6188519851+61, 0), sso.ReasonExpired},
		{"exp in 2200, then", "exp", "7258118401", late, ""},
		{"exp in 2106, in 2200", "exp", "4294967295", late, sso.ReasonExpired},
		{"nbf when 32 bits end", "nbf", "2147483648", T, sso.ReasonNotYetValid},
		{"nbf in 9999", "nbf", "253402300799", T, sso.ReasonNotYetValid},
		{"iat in 9999", "iat", "253402300799", T, sso.ReasonIssuedInFuture},
		{"iat with its lower 32 bits long ago", "iat", "8589934593", T, sso.ReasonIssuedInFuture},
		{"iat beyond 9999", "iat", "253402300800", T, sso.ReasonMalformedClaim},
		{"exp the smallest int64", "exp", "-9223372036854775808", T, sso.ReasonMalformedClaim},
		{"nbf the greatest int64", "nbf", "9223372036854775807", T, sso.ReasonMalformedClaim},
		{"exp 2^64 and what is valid", "exp", "18446744075602998061", T, sso.ReasonMalformedClaim},
		{"exp the greatest float64", "exp", "1.7976931348623157e308", T, sso.ReasonMalformedClaim},
		{"exp with ten thousand digits", "exp", "1" + strings.Repeat("0", 10_000), T, sso.ReasonMalformedClaim},
		{"exp of 32 characters", "exp", "1900000000." + strings.Repeat("0", 21), T, ""},
		{"exp of 33 characters", "exp", "1900000000." + strings.Repeat("0", 22), T, sso.ReasonMalformedClaim},
		{"exp of 1e-400", "exp", "1e-400", T, sso.ReasonMalformedClaim},
		{"nbf of 1e-400", "nbf", "1e-400", T, ""},
		{"nbf of -1e-400", "nbf", "-1e-400", T, sso.ReasonMalformedClaim},
		{"nbf negative by half a second", "nbf", "-0.5", T, sso.ReasonMalformedClaim},
		{"nbf minus zero", "nbf", "-0.0", T, ""},
		{"exp in 9999 and the longest leeway", "exp", "253402300799", time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := newAuth(t, func(c *sso.Config) { c.Now, c.Leeway = func() time.Time { return test.now }, 5*time.Minute })
			claims := []string{"exp", "253402300799", "iat", "", test.claim, test.date}
			if test.reason == sso.ReasonExpired { // beyond any leeway
				a = newAuth(t, func(c *sso.Config) { c.Now = func() time.Time { return test.now } })
			}
			p, err := a.ValidateToken(t.Context(), token(claims...))
			if (err == nil) != (test.reason == "") || err != nil && reasonIn(err) != test.reason {
				t.Fatalf("%v, want %q", err, test.reason)
			}
			if whole, ok := p.Claim("exp").Int64(); err == nil && (!ok || p.ExpiresAt().Unix() != whole) {
				t.Errorf("ExpiresAt is %v", p.ExpiresAt())
			}
		})
	}
	t.Run("by a clock in year 1 and 9999", func(t *testing.T) {
		for _, now := range []time.Time{time.Unix(1<<40, 0), time.Unix(-1<<40, 0), time.Unix(1<<62, 0), time.Unix(-1<<62, 0)} {
			a := newAuth(t, func(c *sso.Config) { c.Now, c.Leeway = func() time.Time { return now }, 5*time.Minute })
			if _, err := a.ValidateToken(t.Context(), token()); class(err) != "invalid token" {
				t.Errorf("at %v: %v", now, err)
			}
		}
	})
}

func TestValidateToken_Subject(t *testing.T) {
	a := newAuth(t)
	for value, reason := range map[string]sso.Reason{
		`"ada"`: "", `" "`: "", `"0"`: "", "": "", `""`: "", `null`: sso.ReasonMalformedClaim, `0`: sso.ReasonMalformedClaim,
		`true`: sso.ReasonMalformedClaim, `["ada"]`: sso.ReasonMalformedClaim, `{"sub":"ada"}`: sso.ReasonMalformedClaim,
	} {
		if _, err := a.ValidateToken(t.Context(), token("sub", value)); (err == nil) != (reason == "") || err != nil && reasonIn(err) != reason {
			t.Errorf("sub %s: %v, want %q", value, err, reason)
		}
	}
}

// claimsUpTo returns claims that make n with the usual five.
func claimsUpTo(n int) (changes []string) {
	for i := range n - 5 {
		changes = append(changes, fmt.Sprint("c", i), "1")
	}
	return changes
}
