package signature_test

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/more-retail/moresso-go/core/internal/compact"
	"github.com/more-retail/moresso-go/core/internal/signature"
	"github.com/more-retail/moresso-go/core/keys"
)

// example is one of testdata/rfc.json: the examples of the RFCs, each with its section. Keys
// are the public halves; those of RFC 7520 are without alg.
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

// opened is a token taken apart.
func opened(t *testing.T, token string) (*compact.Token, []byte) {
	t.Helper()
	opened, err := compact.Open(token)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := opened.ReadPayload()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(opened.Release)
	return opened, payload
}

func TestTheExamplesOfTheRFCsAreVerified(t *testing.T) {
	methods := signature.Methods(keys.Algorithms())
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
			if !methods[e.Algorithm].Verify(token.Signed, token.Signature, key) {
				t.Error("the signature was not verified")
			}
			if methods[e.Algorithm].Verify(token.Signed+"A", token.Signature, key) {
				t.Error("another text was verified")
			}
			for _, at := range []int{0, len(token.Signature) / 2, len(token.Signature)/2 - 1, len(token.Signature) - 1} {
				changed := bytes.Clone(token.Signature)
				changed[at] ^= 0x10
				if methods[e.Algorithm].Verify(token.Signed, changed, key) {
					t.Errorf("verified with byte %d of the signature changed", at)
				}
			}
			for algorithm, method := range methods {
				if algorithm != e.Algorithm && method.Verify(token.Signed, token.Signature, key) {
					t.Errorf("verified as %s", algorithm)
				}
			}
			for _, other := range examples(t) {
				if k := other.key(t); k.Thumbprint() != key.Thumbprint() && methods[e.Algorithm].Verify(token.Signed, token.Signature, k) {
					t.Errorf("verified by the key of %s", other.Source)
				}
			}
			key.Algorithm = "RS512"
			if methods[e.Algorithm].Verify(token.Signed, token.Signature, key) {
				t.Error("verified by a key that is for another algorithm")
			}
		})
	}
}

// They sign things other than claims, which no service accepts for a token.
func TestExamplesThatAreNoTokensAreNotReadAsTokens(t *testing.T) {
	for _, e := range examples(t) {
		token, _ := opened(t, e.Token)
		err := token.ReadBody()
		if claims := strings.HasPrefix(e.Payload, "{"); (err == nil) != claims {
			t.Errorf("%s, %s: %v", e.Source, e.Name, err)
		}
	}
}

func TestOnlyAsymmetricAlgorithmsHaveAMethod(t *testing.T) {
	asked := []string{"none", "None", "HS256", "HS384", "HS512", "rs256", "", "ES256K", "Ed25519", "RSA1_5"}
	if methods := signature.Methods(asked); len(methods) != 0 {
		t.Errorf("%v", methods)
	}
	methods := signature.Methods(slices.Concat(asked, keys.Algorithms()))
	if len(methods) != len(keys.Algorithms()) {
		t.Errorf("%d methods", len(methods))
	}
	if methods := signature.Methods(nil); len(methods) != 0 {
		t.Errorf("%v", methods)
	}
}

func TestAZeroMethodVerifiesNothing(t *testing.T) {
	for _, e := range examples(t) {
		token, _ := opened(t, e.Token)
		if (signature.Method{}).Verify(token.Signed, token.Signature, e.key(t)) {
			t.Errorf("%s, %s", e.Source, e.Name)
		}
		if signature.Methods(keys.Algorithms())[e.Algorithm].Verify(token.Signed, token.Signature, keys.Key{}) {
			t.Errorf("%s, %s: without a key", e.Source, e.Name)
		}
	}
}
