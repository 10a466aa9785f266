package wycheproof

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"testing"

	vectors "github.com/c2sp/wycheproof"

	"github.com/more-retail/moresso-go/core/internal/compact"
	"github.com/more-retail/moresso-go/core/internal/keycache"
	"github.com/more-retail/moresso-go/core/keys"
	"github.com/more-retail/moresso-go/core/sso"
)

// file has the members of a vector file that the tests read.
type file struct {
	NumberOfTests int `json:"numberOfTests"`
	TestGroups    []group
}

type group struct {
	Comment      string
	Public       json.RawMessage // a JWK or a JWK Set; absent where the key is symmetric
	PublicKeyPem string          `json:"publicKeyPem"`
	Tests        []vector
}

type vector struct {
	TcID    int `json:"tcId"`
	Comment string
	Result  string
	Flags   []string
	JWS     json.RawMessage // a string, or an object in JSON serialisation
	JWE     json.RawMessage
	Msg     string
	Sig     string
}

func read(t *testing.T, name string) file {
	t.Helper()
	text, err := fs.ReadFile(vectors.TestVectors, name)
	if err != nil {
		t.Fatal(err)
	}
	var f file
	if err := json.Unmarshal(text, &f); err != nil {
		t.Fatal(err)
	}
	return f
}

// token is a vector's token as a client would send it.
func token(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	return string(raw) // JSON serialisation
}

// set makes a JWK Set of a JWK, or leaves a set as it is.
func set(public json.RawMessage) string {
	if strings.Contains(string(public), `"keys"`) {
		return string(public)
	}
	return `{"keys":[` + string(public) + `]}`
}

// accepts reports whether a token's signature is valid. It does not check claims.
func accepts(t *testing.T, set, token string) bool {
	t.Helper()
	source, err := keys.JWKS(set)
	if err != nil {
		return false
	}
	parsed, err := compact.Open(token)
	if err != nil {
		return false
	}
	if parsed.ReadHeader() != nil {
		return false
	}
	if _, err := parsed.ReadPayload(); err != nil {
		return false
	}
	algorithm, _ := parsed.Header.Get("alg").Text()
	keyID, _ := parsed.Header.Get("kid").Text()
	match, err := keycache.New(source, keycache.Options{}).Find(t.Context(), keycache.Ref{KeyID: keyID}, algorithm)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(match.Keys, func(k keys.Key) bool {
		return k.Verify(algorithm, parsed.Signed, parsed.Signature)
	})
}

// exceptions are the valid vectors that are refused, with the reason.
var exceptions = map[string]string{
	"json_web_signature_test.json 346": "RFC 7520's figure 20 is PS384; the vector's key says PS256",
	"json_web_signature_test.json 347": "RFC 7520's figure 27 is ES512; the vector's key says ES521, which is not an algorithm",
	"json_web_signature_test.json 350": "as 346, with key_ops",
	"json_web_signature_test.json 351": "as 347, with key_ops",
}

func TestVectors_Tokens(t *testing.T) {
	for name, want := range map[string]int{ // the asymmetric vectors of each file
		"json_web_signature_test.json": 361,
		"json_web_crypto_test.json":    0,
		"json_web_key_test.json":       0,
	} {
		t.Run(name, func(t *testing.T) {
			count, refused := 0, 0
			for _, g := range read(t, name).TestGroups {
				for _, v := range g.Tests {
					if g.Public == nil { // symmetric, which is refused without exception
						if accepts(t, `{"keys":[]}`, token(v.JWS)) {
							t.Errorf("%d %s: accepted without a key", v.TcID, v.Comment)
						}
						continue
					}
					count++
					got := accepts(t, set(g.Public), token(v.JWS))
					reason, excepted := exceptions[fmt.Sprintf("%s %d", name, v.TcID)]
					switch {
					case excepted && v.Result == "valid":
						refused++
						if got {
							t.Errorf("%d %s: accepted, though %s", v.TcID, v.Comment, reason)
						}
					case got != (v.Result == "valid"):
						t.Errorf("%d %s (%s): accepted %t, the vector is %s", v.TcID, v.Comment, g.Comment, got, v.Result)
					}
				}
			}
			t.Logf("%d asymmetric vectors, %d of them valid and refused for a listed reason", count, refused)
			if count == 0 || want != 0 && count != want {
				t.Errorf("%d asymmetric vectors, want %d", count, want)
			}
		})
	}
}

// Bare signatures, without a token around them.
func TestVectors_BareSignatures(t *testing.T) {
	for name, algorithm := range map[string]string{
		"ed25519_test.json":                      "EdDSA",
		"ecdsa_secp256r1_sha256_p1363_test.json": "ES256",
		"ecdsa_secp384r1_sha384_p1363_test.json": "ES384",
		"ecdsa_secp521r1_sha512_p1363_test.json": "ES512",
	} {
		t.Run(name, func(t *testing.T) {
			f, count := read(t, name), 0
			for _, g := range f.TestGroups {
				source, err := keys.PEM(g.PublicKeyPem)
				var key keys.Key
				if err == nil {
					set, _ := source.Fetch(t.Context(), nil)
					key = set.Keys[0]
				}
				for _, v := range g.Tests {
					count++
					got := err == nil && key.Verify(algorithm, string(unhex(t, v.Msg)), unhex(t, v.Sig))
					if got != (v.Result == "valid") {
						t.Errorf("%d %s: accepted %t, the vector is %s (key: %v)", v.TcID, v.Comment, got, v.Result, err)
					}
				}
			}
			if count != f.NumberOfTests || count < 100 {
				t.Errorf("%d vectors of %d", count, f.NumberOfTests)
			}
		})
	}
}

// From end to end no vector is a token that a service accepts: none has claims. None may make
// it panic either, which would be logged as an error.
func TestVectors_EndToEnd(t *testing.T) {
	for _, name := range []string{
		"json_web_signature_test.json", "json_web_crypto_test.json", "json_web_key_test.json", "json_web_encryption_test.json",
	} {
		t.Run(name, func(t *testing.T) {
			count := 0
			for _, g := range read(t, name).TestGroups {
				a := authenticator(t, g.Public)
				for _, v := range g.Tests {
					for _, raw := range []json.RawMessage{v.JWS, v.JWE} {
						if raw == nil {
							continue
						}
						count++
						_, err := a.ValidateToken(t.Context(), token(raw))
						if d := sso.DenialOf(err); d.Status != 401 || d.Code != sso.CodeInvalidToken {
							t.Errorf("%d %s: %d %s (%v)", v.TcID, v.Comment, d.Status, d.Code, err)
						}
					}
				}
			}
			if count == 0 {
				t.Error("no vector")
			}
		})
	}
}

// authenticator trusts a vector's keys, or where they cannot be used, a key that signed none.
func authenticator(t *testing.T, public json.RawMessage) *sso.Authenticator {
	t.Helper()
	const other = `{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`
	source, err := keys.JWKS(set(public))
	if err != nil {
		if source, err = keys.JWKS(set(json.RawMessage(other))); err != nil {
			t.Fatal(err)
		}
	}
	a, err := sso.New(sso.Config{
		Keys: source, Audience: []string{"api"}, Issuer: "https://issuer.example", Algorithms: keys.Algorithms(),
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	return a
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	raw, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
