package sso_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/more-retail/moresso-go/core/keys"
	"github.com/more-retail/moresso-go/core/sso"
)

// members reads a JSON object with encoding/json, token by token, independently of the code under
// test. ok is false for other texts, and for a duplicate member.
func members(text []byte) (object map[string]json.RawMessage, ok bool) {
	if !utf8.Valid(text) || json.Unmarshal(text, &object) != nil || object == nil {
		return nil, false
	}
	d := json.NewDecoder(bytes.NewReader(text))
	_, _ = d.Token()
	seen := map[string]bool{}
	for d.More() {
		name, err := d.Token()
		key, isText := name.(string)
		var value json.RawMessage
		if err != nil || !isText || seen[key] || d.Decode(&value) != nil {
			return nil, false
		}
		seen[key] = true
	}
	return object, true
}

// given removes the members that are null or empty, where that means absent.
func given(object map[string]json.RawMessage) map[string]json.RawMessage {
	maps.DeleteFunc(object, func(name string, value json.RawMessage) bool {
		return string(value) == "null" && !slices.Contains([]string{"alg", "b64", "crit", "exp", "iss", "sub", "zip"}, name) ||
			string(value) == `""` && slices.Contains([]string{"at_hash", "c_hash", "client_id", "cty", "jti", "kid", "nonce", "sid", "sub", "typ"}, name)
	})
	return object
}

// folded returns a member whose name differs by case, as encoding/json finds it.
func folded(object map[string]json.RawMessage, names ...string) string {
	for member := range object {
		for _, name := range names {
			if member != name && strings.EqualFold(member, name) {
				return member
			}
		}
	}
	return ""
}

// text is a member that is a string.
func text(raw json.RawMessage) (s string, ok bool) {
	return s, len(raw) > 0 && raw[0] == '"' && json.Unmarshal(raw, &s) == nil
}

// refused checks what every refusal must be, and reports whether it is one.
func refused(t *testing.T, p *sso.Principal, err error) bool {
	t.Helper()
	if (p == nil) == (err == nil) {
		t.Fatalf("a principal %v and an error %v", p, err)
	}
	if err != nil && (class(err) != "invalid token" || reasonIn(err) == "none" || reasonIn(err) == sso.ReasonBadSignature) {
		t.Fatalf("%s, %v", class(err), err)
	}
	return err != nil
}

// namesBob reports whether a header names the key of FuzzHeader that did not sign.
func namesBob(h map[string]json.RawMessage) bool {
	kid, _ := text(h["kid"])
	x5t, _ := text(h["x5t"])
	x5tS256, _ := text(h["x5t#S256"])
	bobs := x5t == "bobs" || x5tS256 == "bobs" || kid == "" && (x5t == "bob" || x5tS256 == "bob")
	return kid == "bob" || bobs && x5t != "adas" && x5tS256 != "adas"
}

func FuzzHeader(f *testing.F) {
	for _, token := range allTokens() {
		if header, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[0]); err == nil && len(header) < 5000 {
			f.Add(string(header))
		}
	}
	for _, name := range []string{"alg", "b64", "crit", "cty", "kid", "typ", "zip"} {
		for _, spelling := range spellings(name) {
			f.Add(headerWith(spelling, `"x"`))
		}
	}
	for _, name := range []string{"x5t", "x5t#S256"} {
		for _, value := range []string{`"adas"`, `"bobs"`, `"another"`, `""`, `null`, `7`} {
			f.Add(headerWith(name, value))
			f.Add(headerWith("kid", "", "alg", `"Ed25519"`, name, value))
		}
	}
	f.Add(headerWith("kid", "", "x5t", `"adas"`, "x5t#S256", `"bobs"`))
	source, err := keys.JWKS(`{"keys":[` + jwkOf(f, mallory.Public(), map[string]any{"kid": "bob", "x5t": "bobs", "x5t#S256": "bobs"}) + "," +
		jwkOf(f, ada.Public(), map[string]any{"kid": "ada", "x5t": "adas", "x5t#S256": "adas"}) + `]}`)
	if err != nil {
		f.Fatal(err)
	}
	a := newAuth(f, func(c *sso.Config) { c.Keys = source })
	f.Fuzz(func(t *testing.T, header string) {
		p, err := a.ValidateToken(t.Context(), signed(ada, header, claimsWith()))
		if h, ok := members([]byte(header)); ok && namesBob(h) {
			if err == nil || class(err) != "invalid token" {
				t.Fatalf("%v for a token that names another key: %q", err, header)
			}
			return
		}
		if refused(t, p, err) {
			return
		}
		h, ok := members([]byte(header))
		if !ok {
			t.Fatalf("accepted the header %q", header)
		}
		h = given(h)
		if alg, _ := text(h["alg"]); keys.OlderName(alg) != "EdDSA" {
			t.Fatalf("accepted the alg %s", h["alg"])
		}
		for _, name := range []string{"crit", "zip", "b64"} {
			if h[name] != nil {
				t.Fatalf("accepted %s %s", name, h[name])
			}
		}
		if name := folded(h, "alg", "b64", "crit", "cty", "kid", "typ", "zip"); name != "" {
			t.Fatalf("accepted %q", name)
		}
		if kid, ok := text(h["kid"]); h["kid"] != nil && (!ok || kid != "ada" && kid != "") {
			t.Fatalf("accepted the kid %s", h["kid"])
		}
		if cty, ok := text(h["cty"]); h["cty"] != nil && !ok || strings.EqualFold(cty, "JWT") || strings.EqualFold(cty, "application/jwt") {
			t.Fatalf("accepted the cty %s", h["cty"])
		}
		typ, ok := text(h["typ"])
		if h["typ"] != nil && (!ok || !slices.Contains([]string{"jwt", "at+jwt", "jose"}, strings.TrimPrefix(strings.ToLower(typ), "application/"))) {
			t.Fatalf("accepted the typ %s", h["typ"])
		}
	})
}

func FuzzClaims(f *testing.F) {
	for _, token := range allTokens() {
		if segments := strings.Split(token, "."); len(segments) == 3 {
			if claims, err := base64.RawURLEncoding.DecodeString(segments[1]); err == nil && len(claims) < 5000 {
				f.Add(string(claims))
			}
		}
	}
	for _, test := range kindCases {
		f.Add(claimsWith(test.claims...))
	}
	for _, shape := range shapes {
		f.Add(dated(shape.claims))
	}
	names := []string{
		"at_hash", "aud", "c_hash", "client_id", "cnf", "events", "exp", "iat", "iss", "jti", "nbf", "nonce", "sub", "token_use", "typ", "permissions",
	}
	for _, name := range names {
		for _, spelling := range spellings(name) {
			f.Add(claimsWith(spelling, `"x"`))
		}
	}
	a := newAuth(f)
	f.Fuzz(func(t *testing.T, claims string) {
		p, err := a.ValidateToken(t.Context(), signed(ada, headerWith(), claims))
		if refused(t, p, err) {
			return
		}
		c, ok := members([]byte(claims))
		if !ok {
			t.Fatalf("accepted the claims %q", claims)
		}
		c = given(c)
		present := slices.DeleteFunc(slices.Clone(grantingClaims), func(name string) bool { return c[name] == nil })
		if name := folded(c, append(present, names...)...); name != "" {
			t.Fatalf("accepted %q", name)
		}
		for name, bound := range map[string]struct{ least, most int64 }{ // seconds, with the default leeway
			"exp": {T.Unix() - 60, 253402300799}, "nbf": {0, T.Unix() + 60}, "iat": {0, T.Unix() + 60},
		} {
			if c[name] == nil && name != "exp" {
				continue
			}
			date, ok := number(c[name])
			if !ok || date.Cmp(new(big.Float).SetInt64(bound.least)) < 0 || date.Cmp(big.NewFloat(float64(bound.most)+0.001)) > 0 { // float64 rounds
				t.Fatalf("accepted %s %s", name, c[name])
			}
		}
		if issuer, _ := text(c["iss"]); issuer != issuerID || p.Issuer() != issuer {
			t.Fatalf("accepted the iss %s", c["iss"])
		}
		for _, name := range []string{"sub", "client_id"} {
			if s, ok := text(c[name]); c[name] != nil && (!ok || s == "") {
				t.Fatalf("accepted %s %s", name, c[name])
			}
		}
		var list []string
		single, ok := text(c["aud"])
		if ok {
			list = []string{single}
		} else {
			var raw []json.RawMessage
			if json.Unmarshal(c["aud"], &raw) != nil {
				t.Fatalf("accepted the aud %s", c["aud"])
			}
			for _, e := range raw {
				s, ok := text(e)
				if !ok {
					t.Fatalf("accepted the aud %s", c["aud"])
				}
				list = append(list, s)
			}
		}
		if !slices.Contains(list, "api") || !slices.Equal(list, p.Audience()) {
			t.Fatalf("accepted the aud %s", c["aud"])
		}
		for _, name := range []string{"cnf", "events", "at_hash", "c_hash"} {
			if c[name] != nil {
				t.Fatalf("accepted %s %s", name, c[name])
			}
		}
		use, _ := text(c["token_use"])
		typ, _ := text(c["typ"])
		if strings.EqualFold(use, "id") || slices.Contains([]string{"id", "refresh", "offline", "logout"}, strings.ToLower(typ)) {
			t.Fatalf("accepted token_use %q and typ %q", use, typ)
		}
		if c["nonce"] != nil && c["scope"] == nil && c["scp"] == nil && !strings.EqualFold(typ, "bearer") {
			t.Fatalf("accepted a nonce in %s", claims)
		}
	})
}

// number is a JSON number, exactly enough. It is given numbers of sane length only.
func number(raw json.RawMessage) (*big.Float, bool) {
	if len(raw) == 0 || raw[0] != '-' && (raw[0] < '0' || raw[0] > '9') {
		return nil, false
	}
	f, _, err := big.ParseFloat(string(raw), 10, 200, big.ToNearestEven)
	return f, err == nil
}

// allTokens are the tokens of other tests, valid and invalid.
func allTokens() (list []string) {
	for _, valid := range validTokens() {
		list = append(list, valid.token)
	}
	for _, invalid := range invalidTokens() {
		if len(invalid.token) < 20_000 {
			list = append(list, invalid.token)
		}
	}
	return list
}
