package keys_test

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/more-retail/moresso-go/core/internal/compact"
	"github.com/more-retail/moresso-go/core/keys"
)

// example is one of testdata/rfc.json: the examples of the RFCs, each with its section. Keys
// are the public halves. Those of RFC 7520 have no alg.
type example struct {
	Name, Source, Algorithm string
	Key                     json.RawMessage
	Token, Payload          string
}

func examples(t *testing.T) (list []example) {
	t.Helper()
	text, err := os.ReadFile("testdata/rfc.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	if len(list) != 7 {
		t.Fatalf("%d examples", len(list))
	}
	return list
}

func (e example) key(t *testing.T) keys.Key {
	t.Helper()
	set, err := keys.ParseJWKS([]byte(`{"keys":[` + string(e.Key) + `]}`))
	if err != nil || len(set.Keys) != 1 {
		t.Fatalf("%v, %v", set, err)
	}
	return set.Keys[0]
}

// opened returns a token, taken apart, and its payload.
func opened(t *testing.T, token string) (*compact.Token, []byte) {
	t.Helper()
	opened, err := compact.Open(token)
	if err != nil {
		t.Fatal(err)
	}
	if err := opened.ReadHeader(); err != nil {
		t.Fatal(err)
	}
	payload, err := opened.ReadPayload()
	if err != nil {
		t.Fatal(err)
	}
	return opened, payload
}

func TestKey_VerifyRFCExamples(t *testing.T) {
	for _, e := range examples(t) {
		t.Run(e.Source+", "+e.Name, func(t *testing.T) {
			token, payload := opened(t, e.Token)
			if string(payload) != e.Payload {
				t.Errorf("the payload is %q", payload)
			}
			if algorithm, _ := token.Header.Get("alg").Text(); algorithm != e.Algorithm {
				t.Errorf("alg is %q", algorithm)
			}
			key := e.key(t)
			if !key.Verify(e.Algorithm, token.Signed, token.Signature) {
				t.Error("the signature was not verified")
			}
			if key.Verify(e.Algorithm, token.Signed+"A", token.Signature) {
				t.Error("verified for another signing input")
			}
			for _, at := range []int{0, len(token.Signature) / 2, len(token.Signature)/2 - 1, len(token.Signature) - 1} {
				changed := bytes.Clone(token.Signature)
				changed[at] ^= 0x10
				if key.Verify(e.Algorithm, token.Signed, changed) {
					t.Errorf("verified with byte %d of the signature changed", at)
				}
			}
			for _, algorithm := range keys.Algorithms() {
				if keys.OlderName(algorithm) != e.Algorithm && key.Verify(algorithm, token.Signed, token.Signature) {
					t.Errorf("verified as %s", algorithm)
				}
			}
			for _, other := range examples(t) {
				if k := other.key(t); k.Thumbprint() != key.Thumbprint() && k.Verify(e.Algorithm, token.Signed, token.Signature) {
					t.Errorf("verified by the key of %s", other.Source)
				}
			}
			key.Algorithm = "RS512"
			if key.Verify(e.Algorithm, token.Signed, token.Signature) {
				t.Error("verified by a key that is declared for another algorithm")
			}
			if (keys.Key{}).Verify(e.Algorithm, token.Signed, token.Signature) {
				t.Error("verified by the zero key")
			}
		})
	}
}

// The payloads of the RFCs are not all claims.
func TestToken_ReadBodyOfRFCExamples(t *testing.T) {
	for _, e := range examples(t) {
		token, _ := opened(t, e.Token)
		err := token.ReadBody()
		if claims := strings.HasPrefix(e.Payload, "{"); (err == nil) != claims {
			t.Errorf("%s, %s: %v", e.Source, e.Name, err)
		}
	}
}

func TestKey_VerifyAlgorithms(t *testing.T) {
	ed := keys.Key{Public: ed25519.PublicKey(bytes.Repeat([]byte{1}, ed25519.PublicKeySize))}
	fitting := map[string]int{}
	for _, key := range []keys.Key{{Public: rsaPublic(2048)}, {Public: ecPublic(elliptic.P256())}, {Public: ecPublic(elliptic.P384())}, {Public: ecPublic(elliptic.P521())}, ed} {
		for _, algorithm := range []string{"none", "None", "HS256", "HS384", "HS512", "rs256", "", "ES256K", "RSA1_5"} {
			if key.Fits(algorithm) || key.Verify(algorithm, "a.b", nil) {
				t.Errorf("a %T fits %q", key.Public, algorithm)
			}
		}
		for _, algorithm := range keys.Algorithms() {
			if key.Verify(algorithm, "a.b", nil) {
				t.Errorf("a %T verifies nothing as a signature by %s", key.Public, algorithm)
			}
			if key.Fits(algorithm) {
				fitting[algorithm]++
			}
		}
	}
	for _, algorithm := range keys.Algorithms() {
		if fitting[algorithm] != 1 {
			t.Errorf("%d keys fit %s", fitting[algorithm], algorithm)
		}
	}
}

// RFC 7518, section 3.5: the salt is as long as the hash.
func TestKey_VerifyPSSSalt(t *testing.T) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	key := keys.Key{Public: &private.PublicKey}
	for algorithm, hash := range map[string]crypto.Hash{"PS256": crypto.SHA256, "PS384": crypto.SHA384, "PS512": crypto.SHA512} {
		hasher := hash.New()
		hasher.Write([]byte("a.b"))
		for _, salt := range []int{rsa.PSSSaltLengthAuto, 1, 20, hash.Size() - 1, hash.Size(), hash.Size() + 1} {
			signature, err := rsa.SignPSS(rand.Reader, private, hash, hasher.Sum(nil), &rsa.PSSOptions{SaltLength: salt})
			if err != nil {
				t.Fatal(err)
			}
			if got := key.Verify(algorithm, "a.b", signature); got != (salt == hash.Size()) {
				t.Errorf("%s with a salt of %d bytes: %t", algorithm, salt, got)
			}
		}
	}
}
