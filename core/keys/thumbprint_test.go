package keys_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"testing"

	"github.com/more-retail/moresso-go/core/keys"
)

// RFC 7638, section 3.1, and RFC 8037, appendix A.3.
func TestKey_ThumbprintRFCExamples(t *testing.T) {
	for set, want := range map[string]string{
		`{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}`: "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
		`{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`: "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
	} {
		parsed, err := keys.ParseJWKS([]byte(`{"keys":[` + set + `]}`))
		if err != nil {
			t.Fatal(err)
		}
		if got := parsed.Keys[0].Thumbprint(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// Of 300 keys on each curve some have coordinates that begin with a zero, which counts.
func TestKey_ThumbprintFixedWidth(t *testing.T) {
	list := []crypto.PublicKey{rsaPublic(2048), &rsa.PublicKey{N: rsaPublic(2048).N, E: 1<<31 - 1}}
	for range 300 {
		for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
			private, err := ecdsa.GenerateKey(curve, rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, private.Public())
		}
	}
	for _, public := range list {
		if got, want := (keys.Key{Public: public}).Thumbprint(), thumbprint(t, public); got != want {
			t.Errorf("%T: %s, want %s", public, got, want)
		}
	}
}

// thumbprint is RFC 7638 once more, by package json and the numbers of the key.
func thumbprint(t *testing.T, public crypto.PublicKey) string {
	t.Helper()
	encode := base64.RawURLEncoding.EncodeToString
	var members map[string]string
	switch k := public.(type) {
	case *rsa.PublicKey:
		members = map[string]string{"kty": "RSA", "n": encode(k.N.Bytes()), "e": encode(big.NewInt(int64(k.E)).Bytes())}
	case *ecdsa.PublicKey:
		size := (k.Params().BitSize + 7) / 8
		members = map[string]string{
			"kty": "EC", "crv": k.Params().Name,
			"x": encode(k.X.FillBytes(make([]byte, size))), "y": encode(k.Y.FillBytes(make([]byte, size))),
		}
	}
	text, err := json.Marshal(members) // which sorts the names
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(text)
	return encode(sum[:])
}

func TestKey_ThumbprintOfOtherTypes(t *testing.T) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	offCurve := &ecdsa.PublicKey{Curve: elliptic.P256(), X: big.NewInt(1), Y: big.NewInt(1)}
	for name, key := range map[string]crypto.PublicKey{
		"nothing": nil, "a text": "key", "a private key": private, "a nil RSA key": (*rsa.PublicKey)(nil), "an RSA key without modulus": &rsa.PublicKey{E: 65537},
		"a nil EC key": (*ecdsa.PublicKey)(nil), "an EC key without curve": &ecdsa.PublicKey{}, "an EC key without point": &ecdsa.PublicKey{Curve: elliptic.P256()},
		"an EC key without y": &ecdsa.PublicKey{Curve: elliptic.P256(), X: big.NewInt(1)}, "an EC key without x": &ecdsa.PublicKey{Curve: elliptic.P256(), Y: big.NewInt(1)},
		"a point off its curve": offCurve, "an Ed25519 key of 31 bytes": ed25519.PublicKey(private[:31]),
	} {
		if got := (keys.Key{Public: key}).Thumbprint(); got != "" {
			t.Errorf("%s: %s", name, got)
		}
	}
}
