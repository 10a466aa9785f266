package sso_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/sso"
)

// badToken is a token that [newAuth] refuses, and why. Those whose reason is not about the
// signature are signed properly, so that nothing else is wrong with them.
type badToken struct {
	name   string
	token  string
	reason sso.Reason
}

func seconds(d time.Duration) string { return fmt.Sprint(T.Add(d).Unix()) }

// invalidTokens are used by the tests of the rules and by those of what is logged.
func invalidTokens() []badToken {
	valid := token()
	segments := strings.Split(valid, ".")
	header := func(changes ...string) string { return signed(ada, headerWith(changes...), claimsWith()) }
	raw := func(header, payload string) string { return signed(ada, header, payload) }
	signature, err := base64.RawURLEncoding.DecodeString(segments[2])
	if err != nil {
		panic(err)
	}
	flipped := func(bit int) string {
		changed := bytes.Clone(signature)
		changed[bit/8] ^= 1 << (bit % 8)
		return segments[0] + "." + segments[1] + "." + b64(changed)
	}
	mac := hmac.New(sha256.New, ada.Public().(ed25519.PublicKey)) //nolint:errcheck // what Ed25519 keys are
	hs := b64([]byte(headerWith("alg", `"HS256"`))) + "." + segments[1]
	mac.Write([]byte(hs))
	publicJWK := `{"kty":"OKP","crv":"Ed25519","x":"` + b64(mallory.Public().(ed25519.PublicKey)) + `"}` //nolint:errcheck // as above

	list := []badToken{
		// Form.
		{"nothing", "", sso.ReasonMalformed},
		{"a word", "swordfish-swordfish-swordfish", sso.ReasonMalformed},
		{"two segments", segments[0] + "." + segments[1], sso.ReasonMalformed},
		{"no signature", segments[0] + "." + segments[1] + ".", sso.ReasonMalformed},
		{"four segments", valid + "." + segments[2], sso.ReasonMalformed},
		{"an encrypted token", segments[0] + ".AAAA.BBBB.CCCC.DDDD", sso.ReasonEncrypted},
		{"JSON serialisation", `{"payload":"` + segments[1] + `","signatures":[]}`, sso.ReasonMalformed},
		{"a megabyte", valid + strings.Repeat("A", 1<<20), sso.ReasonTooLarge},
		{"a leading space", " " + valid, sso.ReasonMalformed},
		{"a trailing line break", valid + "\n", sso.ReasonMalformed},
		{"a line break within the signature", valid[:len(valid)-5] + "\n" + valid[len(valid)-5:], sso.ReasonMalformed},
		{"padding", valid + "==", sso.ReasonMalformed},
		{"altered trailing bits of the signature", valid[:len(valid)-1] + string(valid[len(valid)-1]+1), sso.ReasonMalformed},
		{"a header that is not JSON", raw("header", claimsWith()), sso.ReasonMalformed},
		{"a header with a member twice", raw(`{"alg":"EdDSA","kid":"ada","kid":"bob"}`, claimsWith()), sso.ReasonMalformed},
		{"a header with a member twice, once escaped", raw(`{"alg":"none","\u0061lg":"EdDSA"}`, claimsWith()), sso.ReasonMalformed},
		{"a payload of null", raw(headerWith(), `null`), sso.ReasonMalformed},
		{"a payload that is an array", raw(headerWith(), `[`+claimsWith()+`]`), sso.ReasonMalformed},
		{"a claim twice", raw(headerWith(), strings.Replace(claimsWith(), `{`, `{"aud":"other",`, 1)), sso.ReasonMalformed},
		{"a claim twice deep down", token("permissions", `{"a":{"b":1,"b":2}}`), sso.ReasonMalformed},
		{"claims with trailing data", raw(headerWith(), claimsWith()+`{}`), sso.ReasonMalformed},
		{"claims that are not UTF-8", token("x", "\"\xff\""), sso.ReasonMalformed},
		{"claims 33 levels deep", token("x", strings.Repeat("[", 32)+strings.Repeat("]", 32)), sso.ReasonMalformed},

		// Header.
		{"no alg", header("alg", ""), sso.ReasonAlgorithm},
		{"alg null", header("alg", `null`), sso.ReasonAlgorithm},
		{"alg as an array", header("alg", `["EdDSA"]`), sso.ReasonAlgorithm},
		{"alg in lower case", header("alg", `"eddsa"`), sso.ReasonAlgorithm},
		{"alg with a space", header("alg", `"EdDSA "`), sso.ReasonAlgorithm},
		{"alg none", header("alg", `"none"`), sso.ReasonAlgorithm},
		{"alg None", header("alg", `"None"`), sso.ReasonAlgorithm},
		{"alg empty", header("alg", `""`), sso.ReasonAlgorithm},
		{"an algorithm that is not listed", header("alg", `"RS256"`), sso.ReasonAlgorithm},
		{"an algorithm of another curve", header("alg", `"Ed448"`), sso.ReasonAlgorithm},
		{"an algorithm in another case", header("alg", `"ed25519"`), sso.ReasonAlgorithm},
		{"HS256 with the public key as secret", hs + "." + b64(mac.Sum(nil)), sso.ReasonAlgorithm},
		{"an alg of a kilobyte", header("alg", `"`+strings.Repeat("x", 1<<10)+`"`), sso.ReasonAlgorithm},
		{"crit", header("crit", `["exp"]`), sso.ReasonCriticalHeader},
		{"an empty crit", header("crit", `[]`), sso.ReasonCriticalHeader},
		{"a null crit", header("crit", `null`), sso.ReasonCriticalHeader},
		{"b64 false", header("b64", `false`), sso.ReasonUnsupportedHeader},
		{"b64 true", header("b64", `true`), sso.ReasonUnsupportedHeader},
		{"zip", header("zip", `"DEF"`), sso.ReasonUnsupportedHeader},
		{"a null zip", header("zip", `null`), sso.ReasonUnsupportedHeader},
		{"typ of a logout token", header("typ", `"logout+jwt"`), sso.ReasonTokenType},
		{"typ of a DPoP proof", header("typ", `"dpop+jwt"`), sso.ReasonTokenType},
		{"typ of a security event", header("typ", `"secevent+jwt"`), sso.ReasonTokenType},
		{"typ of an ID token hint", header("typ", `"JWT "`), sso.ReasonTokenType},
		{"typ as a number", header("typ", `1`), sso.ReasonTokenType},
		{"typ as an array", header("typ", `["JWT"]`), sso.ReasonTokenType},
		{"cty of a token", header("cty", `"JWT"`), sso.ReasonTokenType},
		{"kid as a number", header("kid", `1`), sso.ReasonKeyID},
		{"kid as an array", header("kid", `["ada"]`), sso.ReasonKeyID},
		{"kid of 257 bytes", header("kid", `"`+strings.Repeat("k", 257)+`"`), sso.ReasonKeyID},
		{"another kid", header("kid", `"bob"`), sso.ReasonUnknownKey},
		{"kid in another case", header("kid", `"Ada"`), sso.ReasonUnknownKey},
		{"kid with a line break", header("kid", `"ada\nlevel=ERROR"`), sso.ReasonUnknownKey},
		{"kid that is a path", header("kid", `"../../dev/null"`), sso.ReasonUnknownKey},
		{"kid that is SQL", header("kid", `"ada' OR 1=1 --"`), sso.ReasonUnknownKey},

		// Dates.
		{"no exp", token("exp", ""), sso.ReasonMissingExpiry},
		{"EXP in capitals", token("exp", "", "EXP", seconds(time.Hour)), sso.ReasonMalformed},
		{"exp null", token("exp", `null`), sso.ReasonMalformedClaim},
		{"exp as a string", token("exp", `"`+seconds(time.Hour)+`"`), sso.ReasonMalformedClaim},
		{"exp as an array", token("exp", `[`+seconds(time.Hour)+`]`), sso.ReasonMalformedClaim},
		{"exp as an object", token("exp", `{}`), sso.ReasonMalformedClaim},
		{"exp true", token("exp", `true`), sso.ReasonMalformedClaim},
		{"exp 0", token("exp", `0`), sso.ReasonMalformedClaim},
		{"exp minus 0", token("exp", `-0`), sso.ReasonMalformedClaim},
		{"exp 0.0", token("exp", `0.0`), sso.ReasonMalformedClaim},
		{"exp half a second after 1970", token("exp", `0.5`), sso.ReasonMalformedClaim},
		{"exp negative", token("exp", `-1`), sso.ReasonMalformedClaim},
		{"exp 1e30", token("exp", `1e30`), sso.ReasonMalformedClaim},
		{"exp 1e400", token("exp", `1e400`), sso.ReasonMalformedClaim},
		{"exp minus 1e400", token("exp", `-1e400`), sso.ReasonMalformedClaim},
		{"exp 1e999999999", token("exp", `1e999999999`), sso.ReasonMalformedClaim},
		{"exp 9007199254740993", token("exp", `9007199254740993`), sso.ReasonMalformedClaim},
		{"exp the largest int64", token("exp", `9223372036854775807`), sso.ReasonMalformedClaim},
		{"exp one more than the largest int64", token("exp", `9223372036854775808`), sso.ReasonMalformedClaim},
		{"exp the largest uint64 and one, which wraps to 0", token("exp", `18446744073709551616`), sso.ReasonMalformedClaim},
		{"exp in the year 10000", token("exp", `253402300800`), sso.ReasonMalformedClaim},
		{"exp in the last half second of the year 9999", token("exp", `253402300799.5`), sso.ReasonMalformedClaim},
		{"exp in milliseconds", token("exp", fmt.Sprint(T.Add(time.Hour).UnixMilli())), sso.ReasonMalformedClaim},
		{"exp a minute ago", token("exp", seconds(-time.Minute)), sso.ReasonExpired},
		{"exp in 1970", token("exp", `1`), sso.ReasonExpired},
		{"nbf as a string", token("nbf", `"0"`), sso.ReasonMalformedClaim},
		{"nbf negative", token("nbf", `-1`), sso.ReasonMalformedClaim},
		{"nbf 1e30", token("nbf", `1e30`), sso.ReasonMalformedClaim},
		{"nbf 1e400", token("nbf", `1e400`), sso.ReasonMalformedClaim},
		{"nbf in an hour", token("nbf", seconds(time.Hour)), sso.ReasonNotYetValid},
		{"iat as a string", token("iat", `"0"`), sso.ReasonMalformedClaim},
		{"iat negative", token("iat", `-1`), sso.ReasonMalformedClaim},
		{"iat 1e30", token("iat", `1e30`), sso.ReasonMalformedClaim},
		{"iat in an hour", token("iat", seconds(time.Hour)), sso.ReasonIssuedInFuture},

		// Audience.
		{"no aud", token("aud", ""), sso.ReasonWrongAudience},
		{"AUD in capitals", token("aud", "", "AUD", `"api"`), sso.ReasonMalformed},
		{"aud null", token("aud", `null`), sso.ReasonWrongAudience},
		{"aud as a number", token("aud", `1`), sso.ReasonMalformedClaim},
		{"aud true", token("aud", `true`), sso.ReasonMalformedClaim},
		{"aud as an object", token("aud", `{"api":true}`), sso.ReasonMalformedClaim},
		{"aud another", token("aud", `"other"`), sso.ReasonWrongAudience},
		{"aud empty", token("aud", `""`), sso.ReasonWrongAudience},
		{"aud an empty array", token("aud", `[]`), sso.ReasonWrongAudience},
		{"aud others", token("aud", `["a","b"]`), sso.ReasonWrongAudience},
		{"aud in another case", token("aud", `"API"`), sso.ReasonWrongAudience},
		{"aud that begins with ours", token("aud", `"api2"`), sso.ReasonWrongAudience},
		{"aud that ours begins with", token("aud", `"ap"`), sso.ReasonWrongAudience},
		{"aud with a slash", token("aud", `"api/"`), sso.ReasonWrongAudience},
		{"aud with white space", token("aud", `" api"`), sso.ReasonWrongAudience},
		{"aud with ours among others in one string", token("aud", `"web api"`), sso.ReasonWrongAudience},
		{"aud with ours in an array in an array", token("aud", `[["api"]]`), sso.ReasonMalformedClaim},
		{"aud with ours beside a number", token("aud", `["api",1]`), sso.ReasonMalformedClaim},
		{"aud with ours beside null", token("aud", `[null,"api"]`), sso.ReasonMalformedClaim},
		{"aud a wildcard", token("aud", `"*"`), sso.ReasonWrongAudience},
		{"aud with a line break between", token("aud", "[\"a\",\n\"level=ERROR\"]"), sso.ReasonWrongAudience},

		// Issuer and subject.
		{"no iss", token("iss", ""), sso.ReasonWrongIssuer},
		{"ISS in capitals", token("iss", "", "ISS", `"`+issuerID+`"`), sso.ReasonMalformed},
		{"iss null", token("iss", `null`), sso.ReasonMalformedClaim},
		{"iss empty", token("iss", `""`), sso.ReasonMalformedClaim},
		{"iss as an array", token("iss", `["`+issuerID+`"]`), sso.ReasonMalformedClaim},
		{"iss another", token("iss", `"https://evil.example"`), sso.ReasonWrongIssuer},
		{"iss with a trailing slash", token("iss", `"`+issuerID+`/"`), sso.ReasonWrongIssuer},
		{"iss in another case", token("iss", `"https://Issuer.example"`), sso.ReasonWrongIssuer},
		{"iss over http", token("iss", `"http://issuer.example"`), sso.ReasonWrongIssuer},
		{"iss that begins with ours", token("iss", `"`+issuerID+`.evil.example"`), sso.ReasonWrongIssuer},
		{"iss of a kilobyte", token("iss", `"https://`+strings.Repeat("x", 1<<10)+`"`), sso.ReasonWrongIssuer},
		{"sub null", token("sub", `null`), sso.ReasonMalformedClaim},
		{"sub as a number", token("sub", `7`), sso.ReasonMalformedClaim},

		// Signature.
		{"another's signature under the trusted key's id", signed(mallory, headerWith(), claimsWith()), sso.ReasonBadSignature},
		{"another's signature without a key id", signed(mallory, headerWith("kid", ""), claimsWith()), sso.ReasonBadSignature},
		{"another's signature with an empty key id", signed(mallory, headerWith("kid", `""`), claimsWith()), sso.ReasonBadSignature},
		{"another's signature under another key id", signed(mallory, headerWith("kid", `"mallory"`), claimsWith()), sso.ReasonUnknownKey},
		{"another's signature with the key brought along", signed(mallory, headerWith("jwk", publicJWK), claimsWith()), sso.ReasonBadSignature},
		{"another's signature with the key brought along and no key id", signed(mallory, headerWith("jwk", publicJWK, "kid", ""), claimsWith()), sso.ReasonBadSignature},
		{"another's signature with an address for the key", signed(mallory, headerWith("jku", `"https://evil.example/jwks.json"`, "x5u", `"https://evil.example/x5u"`), claimsWith()), sso.ReasonBadSignature},
		{"another's signature with a certificate", signed(mallory, headerWith("x5c", `["MIIB"]`), claimsWith()), sso.ReasonBadSignature},
		{"the first bit of the signature flipped", flipped(0), sso.ReasonBadSignature},
		{"the last bit of the signature flipped", flipped(511), sso.ReasonBadSignature},
		{"a bit in the middle of the signature flipped", flipped(255), sso.ReasonBadSignature},
		{"a signature of zeros", segments[0] + "." + segments[1] + "." + b64(make([]byte, 64)), sso.ReasonBadSignature},
		{"a signature a byte too short", segments[0] + "." + segments[1] + "." + b64(signature[:63]), sso.ReasonBadSignature},
		{"a signature a byte too long", segments[0] + "." + segments[1] + "." + b64(append(bytes.Clone(signature), 0)), sso.ReasonBadSignature},
		{"a signature of one byte", segments[0] + "." + segments[1] + ".AA", sso.ReasonBadSignature},
		{"the signature of another token", segments[0] + "." + segments[1] + "." + strings.Split(token("sub", `"bob"`), ".")[2], sso.ReasonBadSignature},
		{"claims changed after signing", segments[0] + "." + b64([]byte(claimsWith("sub", `"root"`))) + "." + segments[2], sso.ReasonBadSignature},
		{"a header changed after signing", b64([]byte(headerWith("typ", `"at+jwt"`))) + "." + segments[1] + "." + segments[2], sso.ReasonBadSignature},
		{"white space added to the claims after signing", segments[0] + "." + b64([]byte(" "+claimsWith())) + "." + segments[2], sso.ReasonBadSignature},
	}
	return list
}

// goodToken is a token that [newAuth] accepts.
type goodToken struct{ name, token string }

func validTokens() []goodToken {
	header := func(changes ...string) string { return signed(ada, headerWith(changes...), claimsWith()) }
	list := []goodToken{
		{"the usual", token()},
		{"no typ", header("typ", "")},
		{"typ in lower case", header("typ", `"jwt"`)},
		{"typ of an access token", header("typ", `"at+jwt"`)},
		{"typ of an access token in capitals", header("typ", `"AT+JWT"`)},
		{"typ with its prefix", header("typ", `"application/at+jwt"`)},
		{"no kid, and one key", header("kid", "")},
		{"an empty kid, and one key", header("kid", `""`)},
		{"an unknown header", header("https://corp.example/x", `{"a":[1]}`)},
		{"keys of its own beside a valid signature", header("jku", `"https://evil.example"`, "jwk", `{}`, "x5c", `1`)},
		{"aud as an array", token("aud", `["api"]`)},
		{"aud as an array with others before", token("aud", `["a","b","api"]`)},
		{"a thousand audiences", token("aud", `["api"`+strings.Repeat(`,"x"`, 999)+`]`)},
		{"no sub", token("sub", "")},
		{"no iat", token("iat", "")},
		{"iat 0", token("iat", `0`)},
		{"nbf 0", token("nbf", `0`)},
		{"nbf now", token("nbf", seconds(0))},
		{"exp with a fraction", token("exp", seconds(time.Hour)+".75")},
		{"exp with an exponent", token("exp", `1.9e9`)},
		{"exp in the last second of the year 9999", token("exp", `253402300799`)},
		{"exp in the last second of the year 9999, as a fraction", token("exp", `253402300799.0`)},
		{"exp in the last second of the year 9999, with an exponent", token("exp", `2.53402300799e11`)},
		{"iat before 2000", token("iat", `1`)},
		{"claims in another order", signed(ada, headerWith(), `{"exp":`+seconds(time.Hour)+`,"aud":"api","x":null,"iss":"`+issuerID+`"}`)},
		{"white space in the JSON", signed(ada, " \n"+headerWith()+"\t", "\r\n "+claimsWith()+" ")},
		{"escapes in the JSON", signed(ada, `{"\u0061lg":"Ed\u0044SA","kid":"\u0061da"}`, strings.ReplaceAll(claimsWith(), `"api"`, `"\u0061pi"`))},
		{"claims 32 levels deep", token("x", strings.Repeat("[", 31)+strings.Repeat("]", 31))},
	}
	return list
}

func TestValidateToken_Valid(t *testing.T) {
	a := newAuth(t)
	for _, test := range validTokens() {
		t.Run(test.name, func(t *testing.T) {
			p, err := a.ValidateToken(t.Context(), test.token)
			if err != nil {
				t.Fatal(err)
			}
			if p.Issuer() != issuerID || !p.HasAudience("api") {
				t.Errorf("the principal has the issuer %q and the audience %q", p.Issuer(), p.Audience())
			}
		})
	}
}

func TestValidateToken_Reasons(t *testing.T) {
	a := newAuth(t)
	for _, test := range invalidTokens() {
		t.Run(test.name, func(t *testing.T) {
			p, err := a.ValidateToken(t.Context(), test.token)
			if p != nil {
				t.Fatal("accepted")
			}
			if class(err) != "invalid token" || reasonIn(err) != test.reason {
				t.Errorf("%s, %s; want %s (%v)", class(err), reasonIn(err), test.reason, err)
			}
			got, want := sso.DenialOf(err), sso.DenialOf(sso.ErrInvalidToken)
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("got %v, which reveals the cause", got)
			}
		})
	}
}

// Only signatures of the trusted key are valid: every token is tried again, signed by mallory.
func TestValidateToken_Signature(t *testing.T) {
	a := newAuth(t)
	for _, test := range validTokens() {
		t.Run(test.name, func(t *testing.T) {
			input := test.token[:strings.LastIndexByte(test.token, '.')]
			_, err := a.ValidateToken(t.Context(), input+"."+b64(ed25519.Sign(mallory, []byte(input))))
			if reasonIn(err) != sso.ReasonBadSignature {
				t.Errorf("%v, want an invalid signature", err)
			}
		})
	}
}

func TestValidateToken_Dates(t *testing.T) {
	for _, test := range []struct {
		name   string
		leeway time.Duration
		claim  string
		at     string // seconds from T
		reason sso.Reason
	}{
		{"exp a second ahead", -1, "exp", "1", ""},
		{"exp now", -1, "exp", "0", sso.ReasonExpired},
		{"exp half a second ahead", -1, "exp", "0.5", ""},
		{"exp half a second ago", -1, "exp", "-0.5", sso.ReasonExpired},
		{"exp 59 s ago, allowed", time.Minute, "exp", "-59", ""},
		{"exp 59.5 s ago, allowed", time.Minute, "exp", "-59.5", ""},
		{"exp 60 s ago, no longer allowed", time.Minute, "exp", "-60", sso.ReasonExpired},
		{"exp 299 s ago, allowed by the longest leeway", 5 * time.Minute, "exp", "-299", ""},
		{"exp 300 s ago, beyond the longest leeway", 5 * time.Minute, "exp", "-300", sso.ReasonExpired},
		{"exp a second ago with a leeway of a second", time.Second, "exp", "-1", sso.ReasonExpired},
		{"exp by the default leeway", 0, "exp", "-59", ""},
		{"exp beyond the default leeway", 0, "exp", "-60", sso.ReasonExpired},
		{"nbf now", -1, "nbf", "0", ""},
		{"nbf a second ahead", -1, "nbf", "1", sso.ReasonNotYetValid},
		{"nbf half a second ahead", -1, "nbf", "0.5", sso.ReasonNotYetValid},
		{"nbf half a second ago", -1, "nbf", "-0.5", ""},
		{"nbf 60 s ahead, allowed", time.Minute, "nbf", "60", ""},
		{"nbf 61 s ahead", time.Minute, "nbf", "61", sso.ReasonNotYetValid},
		{"nbf 60.5 s ahead", time.Minute, "nbf", "60.5", sso.ReasonNotYetValid},
		{"iat now", -1, "iat", "0", ""},
		{"iat a second ahead", -1, "iat", "1", sso.ReasonIssuedInFuture},
		{"iat 60 s ahead, allowed", time.Minute, "iat", "60", ""},
		{"iat 61 s ahead", time.Minute, "iat", "61", sso.ReasonIssuedInFuture},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := newAuth(t, func(c *sso.Config) { c.Leeway = test.leeway })
			offset, err := time.ParseDuration(test.at + "s")
			if err != nil {
				t.Fatal(err)
			}
			at := T.Add(offset)
			date := fmt.Sprintf("%d.%d", at.Unix(), at.Nanosecond()/1e8)
			for _, date := range []string{date, strings.TrimSuffix(date, ".0")} {
				if _, err := a.ValidateToken(t.Context(), token(test.claim, date)); (err != nil) != (test.reason != "") || (err != nil && reasonIn(err) != test.reason) {
					t.Errorf("%s %s: %v, want %q", test.claim, date, err, test.reason)
				}
			}
		})
	}
	t.Run("by a clock in another time zone", func(t *testing.T) {
		a := newAuth(t, func(c *sso.Config) {
			c.Leeway = -1
			c.Now = func() time.Time { return T.In(time.FixedZone("", 14*3600)) }
		})
		if _, err := a.ValidateToken(t.Context(), token("exp", seconds(time.Second))); err != nil {
			t.Error(err)
		}
		if _, err := a.ValidateToken(t.Context(), token("exp", seconds(0))); reasonIn(err) != sso.ReasonExpired {
			t.Error(err)
		}
	})
	t.Run("by a clock at zero, never", func(t *testing.T) {
		a := newAuth(t, func(c *sso.Config) { c.Now = func() time.Time { return time.Time{} } })
		if p, err := a.ValidateToken(t.Context(), token("iat", "", "exp", "1")); p != nil || class(err) != "internal" {
			t.Errorf("%v", err)
		}
	})
}

func TestValidateToken_Unconfigured(t *testing.T) {
	skipped := func(c *sso.Config) { c.Audience, c.SkipAudienceCheck, c.ClientIDs = nil, true, []string{"web"} }
	for _, test := range []struct {
		name   string
		change func(*sso.Config)
		token  string
		reason sso.Reason
	}{
		{"any audience, skipped", skipped, token("client_id", `"web"`, "aud", `"other"`), ""},
		{"no audience, skipped", skipped, token("client_id", `"web"`, "aud", ""), ""},
		{"a malformed audience, though skipped", skipped, token("client_id", `"web"`, "aud", `{}`), sso.ReasonMalformedClaim},
		{"one of two audiences", func(c *sso.Config) { c.Audience = []string{"a", "api"} }, token(), ""},
		{"neither of two audiences", func(c *sso.Config) { c.Audience = []string{"a", "b"} }, token(), sso.ReasonWrongAudience},
		{"any issuer", func(c *sso.Config) { c.Issuer, c.SkipIssuerCheck = "", true }, token("iss", `"https://other.example"`), ""},
		{"no issuer", func(c *sso.Config) { c.Issuer, c.SkipIssuerCheck = "", true }, token("iss", ""), ""},
		{"a malformed issuer, though unchecked", func(c *sso.Config) { c.Issuer, c.SkipIssuerCheck = "", true }, token("iss", `1`), sso.ReasonMalformedClaim},
		{"a bound of its own", func(c *sso.Config) { c.MaxTokenBytes = len(token()) }, token(), ""},
		{"a byte over a bound of its own", func(c *sso.Config) { c.MaxTokenBytes = len(token()) - 1 }, token(), sso.ReasonTooLarge},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := newAuth(t, test.change).ValidateToken(t.Context(), test.token)
			if (err == nil) != (test.reason == "") || (err != nil && reasonIn(err) != test.reason) {
				t.Errorf("%v, want %q", err, test.reason)
			}
		})
	}
}

func TestValue_Integers(t *testing.T) {
	p, err := newAuth(t).ValidateToken(t.Context(), token("n", `9007199254740993`, "deep", `{"list":[9007199254740993]}`))
	if err != nil {
		t.Fatal(err)
	}
	if n, ok := p.Claim("n").Int64(); !ok || n != 9007199254740993 {
		t.Errorf("Int64 is %d", n)
	}
	if s := p.Claim("deep").String(); s != `{"list":[9007199254740993]}` {
		t.Errorf("String is %s", s)
	}
	var target struct {
		N    int64 `json:"n"`
		Deep struct {
			List []json.Number `json:"list"`
		} `json:"deep"`
	}
	if err := p.Decode(&target); err != nil || target.N != 9007199254740993 || target.Deep.List[0] != "9007199254740993" {
		t.Errorf("Decode: %+v, %v", target, err)
	}
}
