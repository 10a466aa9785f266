package keys_test

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/more-retail/moresso-go/core/keys"
)

func raw(text any) []byte {
	b, err := base64.RawURLEncoding.DecodeString(fmt.Sprint(text))
	if err != nil {
		panic(err)
	}
	return b
}

// flipped is a number with its last bit changed: a point that is off its curve.
func flipped(text any) string {
	b := raw(text)
	b[len(b)-1] ^= 1
	return b64(b)
}

func evenRSA() string {
	n := rsaPublic(2048).N
	return b64(n.SetBit(n, 0, 0).Bytes())
}

// smallOrder are the spellings of the points of small order on edwards25519, with either sign.
func smallOrder() []string {
	var list []string
	for _, y := range []string{
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	} {
		point, _ := hex.DecodeString(y)
		list = append(list, b64(point))
		point[31] |= 0x80
		list = append(list, b64(point))
	}
	return list
}

type badKey struct {
	key  any
	says string // a word of the reason
}

func badKeys() map[string]badKey {
	const id = "bad"
	rsa2048, ec, ed := rsaJWK(id, 2048), ecJWK(id, elliptic.P256()), edJWK(id)
	offCurve := ed25519.PublicKey{2, 31: 0} // y = 2 belongs to no point
	table := map[string]badKey{
		"kty AKP":                 {jwk{"kty": "AKP", "kid": id, "alg": "ML-DSA-44", "pub": "AAAA"}, "AKP"},
		"kty of the future":       {jwk{"kty": "XYZ", "kid": id}, "XYZ"},
		"kty missing":             {ec.with("kty", nil), "key type"},
		"kty not a string":        {ec.with("kty", 7), "key type"},
		"kty in lower case":       {rsa2048.with("kty", "rsa"), "key type"},
		"symmetric oct":           {jwk{"kty": "oct", "kid": id, "k": "c2VjcmV0"}, "symmetric"},
		"RSA of 1024 bits":        {rsaJWK(id, 1024), "1024 bits"},
		"RSA of 2047 bits":        {rsaJWK(id, 2047), "2047 bits"},
		"RSA of 8193 bits":        {rsaJWK(id, 8193), "8193 bits"},
		"RSA with leading 0s":     {rsa2048.with("n", b64(append(make([]byte, 200), raw(rsaJWK(id, 1024)["n"])...))), "1024 bits"},
		"RSA without n":           {rsa2048.with("n", nil), `"n"`},
		"RSA without e":           {rsa2048.with("e", nil), `"e"`},
		"RSA, n empty":            {rsa2048.with("n", ""), `"n"`},
		"RSA, n not base64":       {rsa2048.with("n", "%%%"), `"n"`},
		"RSA, n not base64url":    {rsa2048.with("n", fmt.Sprint("*", rsa2048["n"])), `"n"`},
		"RSA, n ends oddly":       {rsa2048.with("n", fmt.Sprint(rsa2048["n"], "*")), `"n"`},
		"RSA, n a number":         {rsa2048.with("n", 12345), `"n"`},
		"RSA, n = 0":              {rsa2048.with("n", "AA"), "without modulus"},
		"RSA, n even":             {rsa2048.with("n", evenRSA()), "even modulus"},
		"RSA, e = 0":              {rsa2048.with("e", "AA"), "exponent 0"},
		"RSA, e = 1":              {rsa2048.with("e", "AQ"), "exponent 1"},
		"RSA, e = 4":              {rsa2048.with("e", "BA"), "exponent 4"},
		"RSA, e even":             {rsa2048.with("e", "AQAC"), "exponent 65538"},
		"RSA, e of 2^31+1":        {rsa2048.with("e", "gAAAAQ"), "exponent above"},
		"RSA, e of 64 bits":       {rsa2048.with("e", "_________w8"), "exponent above"},
		"RSA, e of 512 bits":      {rsa2048.with("e", b64(slices.Repeat([]byte{255}, 64))), "exponent above"},
		"EC without crv":          {ec.with("crv", nil), "curve"},
		"EC on secp256k1":         {ec.with("crv", "secp256k1"), "secp256k1"},
		"EC, crv of another":      {ec.with("crv", "P-384"), "not on its curve"},
		"EC, y missing":           {ec.with("y", nil), `"y"`},
		"EC, x missing":           {ec.with("x", nil), `"x"`},
		"EC, x off the curve":     {ec.with("x", flipped(ec["x"])), "not on its curve"},
		"EC, y off the curve":     {ec.with("y", flipped(ec["y"])), "not on its curve"},
		"EC, the point 0, 0":      {ec.with("x", b64(make([]byte, 32))).with("y", b64(make([]byte, 32))), "not on its curve"},
		"EC, x too short":         {ec.with("x", b64(raw(ec["x"])[:31])), "not on its curve"},
		"EC, x too long":          {ec.with("x", b64(append([]byte{1}, raw(ec["x"])...))), "33"},
		"EC, x and y split oddly": {ec.with("x", b64(raw(ec["x"])[:31])).with("y", b64(slices.Concat([]byte{1}, raw(ec["x"])[31:], raw(ec["y"])))), "34"},
		"OKP X25519":              {ed.with("crv", "X25519"), "X25519"},
		"OKP Ed448":               {ed.with("crv", "Ed448"), "Ed448"},
		"OKP, x missing":          {ed.with("x", nil), `"x"`},
		"OKP, x too short":        {ed.with("x", b64(make([]byte, 31))), "31 bytes"},
		"OKP, x too long":         {ed.with("x", b64(make([]byte, 33))), "33 bytes"},
		"OKP, no point":           {ed.with("x", b64(offCurve)), "not a point"},
		"use enc":                 {ec.with("use", "enc"), "enc"},
		"use SIG":                 {ec.with("use", "SIG"), "SIG"},
		"use a list":              {ec.with("use", []string{"sig"}), "use"},
		"key_ops encrypt":         {ec.with("key_ops", []string{"encrypt", "wrapKey"}), "key_ops"},
		"key_ops sign":            {ec.with("key_ops", []string{"sign"}), "key_ops"},
		"key_ops an empty text":   {ec.with("key_ops", []string{""}), "key_ops"},
		"key_ops a string":        {ec.with("key_ops", "verify"), "key_ops"},
		"alg of another kty":      {ec.with("alg", "RS256"), "contradicts"},
		"alg of another crv":      {ec.with("alg", "ES384"), "contradicts"},
		"alg EdDSA on EC":         {ec.with("alg", "EdDSA"), "contradicts"},
		"alg ES256 on RSA":        {rsa2048.with("alg", "ES256"), "contradicts"},
		"alg HS256":               {rsa2048.with("alg", "HS256"), "HS256"},
		"alg none":                {rsa2048.with("alg", "none"), "none"},
		"alg RSA-OAEP":            {rsa2048.with("alg", "RSA-OAEP"), "RSA-OAEP"},
		"alg a number":            {rsa2048.with("alg", 256), `"alg"`},
		"private RSA":             {rsa2048.with("d", "AQAB"), "private"},
		"private RSA, p only":     {rsa2048.with("p", "AQAB"), "private"},
		"private EC":              {ec.with("d", "AQAB"), "private"},
		"private OKP":             {ed.with("d", ""), "private"},
		"private, oth empty":      {rsa2048.with("oth", []string{}), "private"},
		"kty empty":               {ec.with("kty", ""), "key type"},
		"RSA, n padding alone":    {rsa2048.with("n", "=="), `"n"`},
		"RSA, n in parts":         {rsa2048.with("n", "AQAB=AQAB"), `"n"`},
		"x5c alone, nonsense":     {jwk{"kty": "RSA", "kid": id, "x5c": []string{"bm90IG9uZQ=="}}, "x5c"},
		"x5c alone, not base64":   {jwk{"kty": "RSA", "kid": id, "x5c": []string{"%%"}}, "x5c"},
		"x5c alone, not a text":   {jwk{"kty": "RSA", "kid": id, "x5c": []int{7}}, "x5c"},
		"x5c alone, not a list":   {jwk{"kty": "RSA", "kid": id, "x5c": "x"}, "x5c"},
		"x5c alone, empty":        {jwk{"kty": "RSA", "kid": id, "x5c": []string{}}, `"n"`},
		"x5c of another kty":      {jwk{"kty": "RSA", "kid": id, "x5c": []string{certificate(ecPublic(elliptic.P256()))}}, "contradict"},
		"x5c of another crv":      {jwk{"kty": "EC", "crv": "P-384", "kid": id, "x5c": []string{certificate(ecPublic(elliptic.P256()))}}, "contradict"},
		"x5c of another alg":      {jwk{"kty": "EC", "alg": "ES384", "kid": id, "x5c": []string{certificate(ecPublic(elliptic.P256()))}}, "contradicts"},
		"x5c alone for enc":       {jwk{"kty": "EC", "use": "enc", "kid": id, "x5c": []string{certificate(ecPublic(elliptic.P256()))}}, "enc"},
		"x5c alone, weak":         {jwk{"kty": "RSA", "kid": id, "x5c": []string{certificate(rsaPublic(1024))}}, "1024 bits"},
		"x5c beside half a key":   {rsa2048.with("e", nil).with("x5c", []string{certificate(rsaPublic(2048))}), `"e"`},
		"x5c with a private key":  {jwk{"kty": "EC", "d": "AQAB", "kid": id, "x5c": []string{certificate(ecPublic(elliptic.P256()))}}, "private"},
	}
	for i, x := range smallOrder() {
		table[fmt.Sprint("OKP of small order ", i)] = badKey{ed.with("x", x), "small order"}
	}
	return table
}

// A key without a readable id is left out too.
func TestJWKS_MalformedKeys(t *testing.T) {
	good := ecJWK("good", elliptic.P256())
	for _, text := range []string{
		`null`, `7`, `"text"`, `[]`, `{}`,
		good.with("kid", 7).String(),
		good.with("kid", strings.Repeat("x", 257)).String(),
		`{"kid":"a","kid":"b",` + ecJWK("", elliptic.P256()).with("kid", nil).String()[1:],
		`{"kty":"EC","x":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + `}`,
		`{"kty":"RSA","kid":"\ud800"}`,
	} {
		set, err := keys.ParseJWKS([]byte(jwks(good, text)))
		if err != nil || !slices.Equal(ids(set), []string{"good"}) || len(set.Skipped) != 1 {
			t.Errorf("%.80s: %+v, %v", text, set, err)
		}
	}
}

func TestJWKS_ValidKeys(t *testing.T) {
	ec := ecJWK("a", elliptic.P256())
	for name, key := range map[string]jwk{
		"RSA 2048":              rsaJWK("a", 2048),
		"RSA 4096":              rsaJWK("a", 4096),
		"RSA 8192":              rsaJWK("a", 8192),
		"RSA, n led by a zero":  rsaJWK("a", 2048).with("n", b64(append([]byte{0}, rsaPublic(2048).N.Bytes()...))),
		"RSA, e of 31 bits":     rsaJWK("a", 2048).with("e", "f____w"),
		"P-256":                 ec,
		"P-384":                 ecJWK("a", elliptic.P384()).with("alg", "ES384"),
		"P-521":                 ecJWK("a", elliptic.P521()).with("alg", "ES512"),
		"Ed25519":               edJWK("a").with("alg", "EdDSA"),
		"use and key_ops":       ec.with("use", "sig").with("key_ops", []string{"sign", "verify"}),
		"unknown members":       ec.with("exp", 1).with("iat", []int{1}),
		"null for what is not":  {"d": nil, "alg": nil, "use": nil, "key_ops": nil, "x5c": nil, "kty": ec["kty"], "crv": ec["crv"], "x": ec["x"], "y": ec["y"], "kid": "a"},
		"odd certificates":      ec.with("x5c", []string{"bm90IG9uZQ=="}).with("x5t", "x").with("x5u", "::"),
		"a key id of 256 bytes": ec.with("kid", strings.Repeat("x", 256)),
		"no key id":             ec.with("kid", nil),
	} {
		if set, err := keys.ParseJWKS([]byte(jwks(key))); err != nil || len(set.Keys) != 1 || len(set.Skipped) != 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A key fits the algorithms of its type only.
func TestKey_Fits(t *testing.T) {
	rsaKey, ed := rsaPublic(2048), raw(edJWK("")["x"])
	for _, c := range []struct {
		key  keys.Key
		fits string
	}{
		{keys.Key{Public: rsaKey}, "RS256 RS384 RS512 PS256 PS384 PS512"},
		{keys.Key{Public: rsaKey, Algorithm: "PS384"}, "PS384"},
		{keys.Key{Public: ecPublic(elliptic.P256())}, "ES256 ESP256"},
		{keys.Key{Public: ecPublic(elliptic.P384())}, "ES384 ESP384"},
		{keys.Key{Public: ecPublic(elliptic.P521())}, "ES512 ESP512"},
		{keys.Key{Public: ed25519.PublicKey(ed)}, "EdDSA Ed25519"},
		{keys.Key{Public: ed25519.PublicKey(ed), Algorithm: "EdDSA"}, "EdDSA Ed25519"},
		{keys.Key{Public: ed25519.PublicKey(ed), Algorithm: "Ed25519"}, "EdDSA Ed25519"},
		{keys.Key{Public: ecPublic(elliptic.P384()), Algorithm: "ESP384"}, "ES384 ESP384"},
		{keys.Key{Public: ecPublic(elliptic.P384()), Algorithm: "ESP256"}, ""},
		{keys.Key{Public: []byte("secret")}, ""},
		{keys.Key{Public: []byte("secret"), Algorithm: "HS256"}, ""},
		{keys.Key{}, ""},
	} {
		var got []string
		for _, a := range append(keys.Algorithms(), "HS256", "none", "", "rs256") {
			if c.key.Fits(a) {
				got = append(got, a)
			}
		}
		if strings.Join(got, " ") != c.fits {
			t.Errorf("%T %s fits %v; want %s", c.key.Public, c.key.Algorithm, got, c.fits)
		}
	}
}

// Up to four different keys with one id are tried.
func TestNewSet_Rivals(t *testing.T) {
	const id = "a"
	ec, rsa1 := ecJWK(id, elliptic.P256()), rsaJWK(id, 2048)
	other := ecJWK("b", elliptic.P256())
	for name, c := range map[string]struct {
		list  []any
		keep  int // of those under the id
		fewer int // are skipped
	}{
		"different keys":                       {[]any{ec, ecJWK(id, elliptic.P256())}, 2, 0},
		"three of them":                        {[]any{ec, ecJWK(id, elliptic.P256()), ecJWK(id, elliptic.P256())}, 3, 0},
		"six of them":                          {[]any{ec, ecJWK(id, elliptic.P256()), ecJWK(id, elliptic.P256()), ecJWK(id, elliptic.P256()), ecJWK(id, elliptic.P256()), ecJWK(id, elliptic.P256())}, 4, 2},
		"six without id":                       {[]any{ec, ecJWK("", elliptic.P256()), ecJWK("", elliptic.P256()), ecJWK("", elliptic.P256()), ecJWK("", elliptic.P256()), ecJWK("", elliptic.P256()), ecJWK("", elliptic.P256())}, 1, 2},
		"one key twice":                        {[]any{ec, ec}, 1, 0},
		"use enc beside use sig":               {[]any{ec.with("use", "sig"), ecJWK(id, elliptic.P256()).with("use", "enc")}, 1, 1},
		"a weak one beside a good one":         {[]any{rsaJWK(id, 1024), rsa1}, 1, 1},
		"for different algorithms":             {[]any{rsa1.with("alg", "RS256"), rsaJWK(id, 2048).with("alg", "PS256")}, 2, 0},
		"of different types":                   {[]any{rsa1, ec}, 2, 0},
		"on different curves":                  {[]any{ec, ecJWK(id, elliptic.P384())}, 2, 0},
		"for one algorithm and for any":        {[]any{rsa1.with("alg", "RS256"), rsaJWK(id, 2048)}, 2, 0},
		"one key for two algorithms":           {[]any{rsa1.with("alg", "RS256"), rsa1.with("alg", "PS256")}, 2, 0},
		"one key twice and a different one":    {[]any{ec, ec, ecJWK(id, elliptic.P256())}, 2, 0},
		"without id, tried in turn, both stay": {[]any{ec.with("kid", nil), ecJWK("", elliptic.P256())}, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			set, err := keys.ParseJWKS([]byte(jwks(append(c.list, other)...)))
			if err != nil {
				t.Fatal(err)
			}
			kept := 0
			for _, key := range set.Keys {
				if key.ID == id {
					kept++
				}
			}
			if kept != c.keep || len(set.Skipped) != c.fewer || !slices.Contains(ids(set), "b") {
				t.Fatalf("kept %v, skipped %+v", ids(set), set.Skipped)
			}
		})
	}
}

// Keys that would make package crypto panic are refused.
func TestNewSet_MalformedKeys(t *testing.T) {
	good := ecKey("good")
	for _, public := range []crypto.PublicKey{
		nil, []byte("secret"), "text", (*rsa.PublicKey)(nil), &rsa.PublicKey{}, &rsa.PublicKey{E: 65537},
		&rsa.PublicKey{N: big.NewInt(15), E: 65537}, &rsa.PublicKey{N: rsaPublic(2048).N}, &rsa.PublicKey{N: new(big.Int).Neg(rsaPublic(2048).N), E: 65537},
		(*ecdsa.PublicKey)(nil), &ecdsa.PublicKey{}, &ecdsa.PublicKey{Curve: elliptic.P256()}, &ecdsa.PublicKey{X: big.NewInt(1), Y: big.NewInt(1)},
		&ecdsa.PublicKey{Curve: elliptic.P256(), X: big.NewInt(1)}, &ecdsa.PublicKey{Curve: elliptic.P256(), Y: big.NewInt(1)}, &ecdsa.PublicKey{Curve: elliptic.P224()},
		&ecdsa.PublicKey{Curve: elliptic.P256(), X: big.NewInt(0), Y: big.NewInt(0)},
		&ecdsa.PublicKey{Curve: elliptic.P256(), X: big.NewInt(-1), Y: big.NewInt(1)},
		ed25519.PublicKey(nil),
		ed25519.PublicKey{1},
		ed25519.PublicKey(make([]byte, 32)),
		&ecdh.PublicKey{},
		ecdsa.PublicKey{},
		ed25519.PrivateKey(make([]byte, 64)), &rsa.PrivateKey{},
	} {
		set, err := keys.NewSet(keys.Key{ID: "bad", Public: public}, good)
		if err != nil || !slices.Equal(ids(set), []string{"good"}) || len(set.Skipped) != 1 {
			t.Errorf("%T: %+v, %v", public, set, err)
		}
	}
}

// A JWK's exponent is looked at while it is read; one that a program gives goes past that.
func TestNewSet_LargeExponent(t *testing.T) {
	for exponent, accepted := range map[int64]bool{1<<31 - 1: true, 1<<31 + 1: false, 1<<62 + 1: false} {
		if int64(int(exponent)) != exponent {
			continue // too large for an int of 32 bits
		}
		set, err := keys.NewSet(keys.Key{Public: &rsa.PublicKey{N: rsaPublic(2048).N, E: int(exponent)}}, ecKey("good"))
		if err != nil || (len(set.Skipped) == 0) != accepted {
			t.Errorf("%d: %+v, %v", exponent, set, err)
		}
	}
}

func TestNewSet_Count(t *testing.T) {
	if _, err := keys.NewSet(); err == nil {
		t.Error("an empty set is accepted")
	}
	var list []keys.Key
	for i := range 501 {
		list = append(list, ecKey(fmt.Sprint(i)))
	}
	if _, err := keys.NewSet(list...); err == nil {
		t.Error("501 keys are accepted")
	}
	if set, err := keys.NewSet(list[:500]...); err != nil || len(set.Keys) != 500 {
		t.Errorf("500 keys: %v", err)
	}
}

func TestJWKS_InvalidTexts(t *testing.T) {
	for _, text := range []string{
		"", " ", "null", "7", `"keys"`, "[]", "{}", `{"keys":null}`, `{"keys":{}}`, `{"keys":"x"}`, `{"keys":[]}`, `{"Keys":[` + ecJWK("a", elliptic.P256()).String() + `]}`,
		`{"keys":[` + ecJWK("a", elliptic.P256()).String(), jwks(ecJWK("a", elliptic.P256())) + "x", ecJWK("a", elliptic.P256()).String(), "<html>",
	} {
		if set, err := keys.ParseJWKS([]byte(text)); err == nil {
			t.Errorf("%.60s: %+v", text, set.Keys)
		}
	}
}

// An error shows in logs and in messages at start-up, where the text may be a secret that went
// astray.
func TestOpen_ErrorsWithoutText(t *testing.T) {
	const secret = "s3cr3t"
	private := strings.ReplaceAll(string(newIssuer(t).PrivateKeyPEM()), "PRIVATE KEY", "OPENSSH PRIVATE KEY")
	for _, text := range []string{
		`{"keys":"` + secret + `"}`, `{"keys":[` + secret + `]}`, secret, "{" + secret, `{"keys":[{"kty":"oct","k":"` + secret + `"}]}`,
		"-----BEGIN " + secret, private,
	} {
		for _, parse := range []func([]byte) (*keys.Set, error){keys.ParseJWKS, keys.ParsePEM} {
			if _, err := parse([]byte(text)); err == nil || strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), text[max(0, len(text)-80):]) {
				t.Errorf("%.40q: %v", text, err)
			}
		}
		if _, err := keys.Open(text, keys.Options{}); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("Open(%.40q): %v", text, err)
		}
	}
}

// Five hundred keys are accepted, one more is not.
func TestJWKS_Count(t *testing.T) {
	list := make([]any, 500)
	for i := range list {
		list[i] = ecJWK(fmt.Sprint(i), elliptic.P256())
	}
	if set, err := keys.ParseJWKS([]byte(jwks(list...))); err != nil || len(set.Keys) != 500 {
		t.Fatalf("%+v, %v", set, err)
	}
	// Even if nothing of it could be used.
	for _, more := range []any{ecJWK("500", elliptic.P256()), jwk{"kty": "AKP"}, "null"} {
		set, err := keys.ParseJWKS([]byte(jwks(slices.Concat(list, []any{more})...)))
		if err == nil || !strings.Contains(err.Error(), "at most 500") {
			t.Fatalf("%+v, %v", set, err)
		}
	}
}

// An unusable key is left out, and the others serve.
func TestJWKS_SkipsUnusableKeys(t *testing.T) {
	good := ecJWK("good", elliptic.P256())
	for name, bad := range badKeys() {
		t.Run(name, func(t *testing.T) {
			set, err := keys.ParseJWKS([]byte(jwks(good, bad.key)))
			if err != nil || !slices.Equal(ids(set), []string{"good"}) || len(set.Skipped) != 1 || set.Skipped[0].ID != "bad" || !strings.Contains(set.Skipped[0].Reason, bad.says) {
				t.Errorf("%+v, %v; want a reason with %q", set, err, bad.says)
			}
			// Alone it makes no set.
			if set, err := keys.ParseJWKS([]byte(jwks(bad.key))); err == nil {
				t.Errorf("a set of it alone: %+v", set.Keys)
			}
		})
	}
}
