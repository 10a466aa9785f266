package sso_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"math/big"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/more-retail/moresso-go/core/keys"
	"github.com/more-retail/moresso-go/core/sso"
)

func ecKey(curve elliptic.Curve) func() *ecdsa.PrivateKey {
	return sync.OnceValue(func() *ecdsa.PrivateKey {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			panic(err)
		}
		return key
	})
}

var p256, p384, p521 = ecKey(elliptic.P256()), ecKey(elliptic.P384()), ecKey(elliptic.P521())

// signers has a key for each algorithm.
func signers() map[string]crypto.Signer {
	return map[string]crypto.Signer{
		"RS256": rsaKey(), "RS384": rsaKey(), "RS512": rsaKey(), "PS256": rsaKey(), "PS384": rsaKey(), "PS512": rsaKey(),
		"ES256": p256(), "ES384": p384(), "ES512": p521(), "EdDSA": ada,
	}
}

func trusting(t *testing.T, source keys.Source, algorithms ...string) *sso.Authenticator {
	t.Helper()
	return newAuth(t, func(c *sso.Config) { c.Keys, c.Algorithms = source, algorithms })
}

func TestSignature_Algorithms(t *testing.T) {
	all := signers()
	for _, algorithm := range keys.Algorithms() {
		if all[keys.OlderName(algorithm)] == nil {
			t.Fatalf("the test lacks %s", algorithm)
		}
	}
	tokens := map[string]string{}
	for algorithm, key := range all {
		tokens[algorithm] = signedWith(t, jwt.GetSigningMethod(algorithm), key, headerWith("alg", `"`+algorithm+`"`), claimsWith())
	}
	for algorithm, key := range all {
		t.Run(algorithm, func(t *testing.T) {
			only := trusting(t, static(t, "ada", "", key.Public()), algorithm)
			every := trusting(t, static(t, "ada", "", key.Public()), keys.Algorithms()...)
			declared := trusting(t, static(t, "ada", algorithm, key.Public()), keys.Algorithms()...)
			for other, token := range tokens {
				reason := func(a *sso.Authenticator) sso.Reason {
					t.Helper()
					_, err := a.ValidateToken(t.Context(), token)
					if err == nil {
						return ""
					}
					return reasonIn(err)
				}
				fits := keys.Key{Public: key.Public()}.Fits(other)
				wantOnly, wantEvery, wantDeclared := sso.ReasonAlgorithm, sso.ReasonKeyAlgorithm, sso.ReasonKeyAlgorithm
				if other == algorithm {
					wantOnly, wantDeclared = "", ""
				}
				if fits {
					wantEvery = ""
				}
				if got := reason(only); got != wantOnly {
					t.Errorf("%s where %s alone is allowed: %q, want %q", other, algorithm, got, wantOnly)
				}
				if got := reason(every); got != wantEvery {
					t.Errorf("%s where all are allowed: %q, want %q", other, got, wantEvery)
				}
				if got := reason(declared); got != wantDeclared {
					t.Errorf("%s where the key is declared for %s: %q, want %q", other, algorithm, got, wantDeclared)
				}
			}
			// The same bytes, tampered with.
			segments := strings.Split(tokens[algorithm], ".")
			signature, err := base64.RawURLEncoding.DecodeString(segments[2])
			if err != nil {
				t.Fatal(err)
			}
			for _, i := range []int{0, len(signature) / 2, len(signature) - 1} {
				changed := bytes.Clone(signature)
				changed[i] ^= 1
				if _, err := only.ValidateToken(t.Context(), segments[0]+"."+segments[1]+"."+b64(changed)); reasonIn(err) != sso.ReasonBadSignature {
					t.Errorf("with byte %d changed: %v", i, err)
				}
			}
			for name, changed := range map[string][]byte{
				"a leading zero": append([]byte{0}, signature...), "a trailing zero": append(bytes.Clone(signature), 0),
				"the first byte missing": signature[1:], "the last byte missing": signature[:len(signature)-1], "all zeros": make([]byte, len(signature)),
				"all ones": bytes.Repeat([]byte{0xff}, len(signature)),
			} {
				if _, err := only.ValidateToken(t.Context(), segments[0]+"."+segments[1]+"."+b64(changed)); reasonIn(err) != sso.ReasonBadSignature {
					t.Errorf("with %s: %v", name, err)
				}
			}
		})
	}
}

// A header whose alg is not that by which the token was signed.
func TestSignature_WrongAlgorithm(t *testing.T) {
	source := static(t, "ada", "", rsaKey().Public())
	a := trusting(t, source, keys.Algorithms()...)
	for signedBy, claimed := range map[string]string{"RS256": "RS512", "RS512": "PS512", "PS256": "RS256", "PS384": "PS256"} {
		token := signedWith(t, jwt.GetSigningMethod(signedBy), rsaKey(), headerWith("alg", `"`+claimed+`"`), claimsWith())
		if _, err := a.ValidateToken(t.Context(), token); reasonIn(err) != sso.ReasonBadSignature {
			t.Errorf("%s that says %s: %v", signedBy, claimed, err)
		}
	}
	t.Run("HMAC with the text of the public key", func(t *testing.T) {
		for _, algorithm := range []string{"HS256", "RS256", "none", "EdDSA"} {
			for _, header := range []string{headerWith("alg", `"`+algorithm+`"`), headerWith("alg", `"`+algorithm+`"`, "kid", "")} {
				input := b64([]byte(header)) + "." + b64([]byte(claimsWith()))
				mac := hmac.New(sha256.New, []byte(publicPEM(t, rsaKey().Public())))
				mac.Write([]byte(input))
				if _, err := a.ValidateToken(t.Context(), input+"."+b64(mac.Sum(nil))); class(err) != "invalid token" {
					t.Errorf("%s: %v", header, err)
				}
			}
		}
	})
}

func TestSignature_PSSSalt(t *testing.T) {
	a := trusting(t, static(t, "ada", "", rsaKey().Public()), "PS256")
	for length, accepted := range map[int]bool{32: true, 0: false, 20: false, 31: false, 33: false, 64: false, 222: false} {
		header := headerWith("alg", `"PS256"`)
		input := b64([]byte(header)) + "." + b64([]byte(claimsWith()))
		digest := sha256.Sum256([]byte(input))
		options := &rsa.PSSOptions{SaltLength: length, Hash: crypto.SHA256}
		if length == 0 { // which the standard library takes for "as long as possible"
			options.SaltLength = rsa.PSSSaltLengthAuto
		}
		signature, err := rsa.SignPSS(rand.Reader, rsaKey(), crypto.SHA256, digest[:], options)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.ValidateToken(t.Context(), input+"."+b64(signature)); (err == nil) != accepted {
			t.Errorf("a salt of %d bytes: %v", length, err)
		}
	}
}

func TestSignature_ECDSALength(t *testing.T) {
	a := trusting(t, static(t, "ada", "", p256().Public()), "ES256")
	input := b64([]byte(headerWith("alg", `"ES256"`))) + "." + b64([]byte(claimsWith()))
	digest := sha256.Sum256([]byte(input))
	n := elliptic.P256().Params().N
	pair := func(r, s *big.Int) []byte {
		return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	}
	r, s, err := ecdsa.Sign(rand.Reader, p256(), digest[:])
	if err != nil {
		t.Fatal(err)
	}
	der, err := asn1.Marshal(struct{ R, S *big.Int }{r, s})
	if err != nil {
		t.Fatal(err)
	}
	zero, one := new(big.Int), big.NewInt(1)
	for _, test := range []struct {
		name      string
		signature []byte
		accepted  bool
	}{
		{"r and s", pair(r, s), true},
		{"DER", der, false},
		{"s and r", pair(s, r), false},
		{"two zeros", pair(zero, zero), false},
		{"r and zero", pair(r, zero), false},
		{"zero and s", pair(zero, s), false},
		{"one and one", pair(one, one), false},
		{"the order twice, which is zero", pair(n, n), false},
		{"r and the order", pair(r, n), false},
		{"r padded", append([]byte{0}, pair(r, s)...), false},
		{"both padded", append(append([]byte{0}, r.FillBytes(make([]byte, 32))...), append([]byte{0}, s.FillBytes(make([]byte, 32))...)...), false},
		{"as long as one of P-384", append(make([]byte, 32), pair(r, s)...), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := a.ValidateToken(t.Context(), input+"."+b64(test.signature)); (err == nil) != test.accepted {
				t.Error(err)
			}
		})
	}
}

// A signature whose second half is the same number modulo the group's order (RFC 8032, section
// 5.1.7 requires that it be less).
func TestSignature_Ed25519(t *testing.T) {
	valid := token()
	input, text := valid[:strings.LastIndexByte(valid, '.')], valid[strings.LastIndexByte(valid, '.')+1:]
	signature, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	half := slices.Clone(signature[32:])
	slices.Reverse(half)
	other := new(big.Int).Add(new(big.Int).SetBytes(half), order).FillBytes(make([]byte, 32))
	slices.Reverse(other)
	if _, err := newAuth(t).ValidateToken(t.Context(), input+"."+b64(append(slices.Clone(signature[:32]), other...))); reasonIn(err) != sso.ReasonBadSignature {
		t.Error(err)
	}
}

func TestSignature_KeyID(t *testing.T) {
	bob, eve := ed25519.NewKeyFromSeed([]byte("bob's key for tests: 32 bytes ok")), ed25519.NewKeyFromSeed([]byte("eve's key for tests: 32 bytes ok"))
	source, err := keys.Static(keys.Key{ID: "ada", Public: ada.Public()}, keys.Key{ID: "bob", Public: bob.Public()}, keys.Key{ID: "rsa", Public: rsaKey().Public()})
	if err != nil {
		t.Fatal(err)
	}
	a := trusting(t, source, keys.Algorithms()...)
	for _, test := range []struct {
		name, token string
		reason      sso.Reason
	}{
		{"the right one", signed(bob, headerWith("kid", `"bob"`), claimsWith()), ""},
		{"another of the set, which is not tried", signed(bob, headerWith("kid", `"ada"`), claimsWith()), sso.ReasonBadSignature},
		{"one of another type", signed(ada, headerWith("kid", `"rsa"`), claimsWith()), sso.ReasonKeyAlgorithm},
		{"one that is not in the set", signed(ada, headerWith("kid", `"eve"`), claimsWith()), sso.ReasonUnknownKey},
		{"none, where several fit", signed(ada, headerWith("kid", ""), claimsWith()), ""},
		{"none, where the second fits", signed(bob, headerWith("kid", ""), claimsWith()), ""},
		{"none, and signed by none of them", signed(eve, headerWith("kid", ""), claimsWith()), sso.ReasonBadSignature},
		{"an empty one, where several fit", signed(ada, headerWith("kid", `""`), claimsWith()), ""},
		{"none, where one fits", signedWith(t, jwt.SigningMethodRS256, rsaKey(), headerWith("kid", "", "alg", `"RS256"`), claimsWith()), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := a.ValidateToken(t.Context(), test.token); (err == nil) != (test.reason == "") || (err != nil && reasonIn(err) != test.reason) {
				t.Errorf("%v, want %q", err, test.reason)
			}
		})
	}
	t.Run("keys without ids are tried in turn", func(t *testing.T) {
		source, err := keys.Static(keys.Key{Public: ada.Public()}, keys.Key{Public: bob.Public()})
		if err != nil {
			t.Fatal(err)
		}
		a := trusting(t, source, "EdDSA")
		for _, key := range []ed25519.PrivateKey{ada, bob} {
			for _, kid := range []string{"", `"any"`} {
				if _, err := a.ValidateToken(t.Context(), signed(key, headerWith("kid", kid), claimsWith())); err != nil {
					t.Error(err)
				}
			}
		}
		if _, err := a.ValidateToken(t.Context(), signed(mallory, headerWith("kid", ""), claimsWith())); reasonIn(err) != sso.ReasonBadSignature {
			t.Error(err)
		}
	})
}
