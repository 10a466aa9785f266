package sso_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/keys"
	"github.com/more-retail/moresso-go/core/sso"
)

// jwkOf returns a public key as a JWK, with changes; nil removes a member.
func jwkOf(t testing.TB, public crypto.PublicKey, changes map[string]any) string {
	t.Helper()
	jwk := map[string]any{"kid": "k1"}
	switch public := public.(type) {
	case *rsa.PublicKey:
		jwk["kty"], jwk["n"], jwk["e"] = "RSA", b64(public.N.Bytes()), b64(big.NewInt(int64(public.E)).Bytes())
	case *ecdsa.PublicKey:
		point, err := public.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		half := len(point) / 2
		jwk["kty"], jwk["crv"], jwk["x"], jwk["y"] = "EC", public.Params().Name, b64(point[1:1+half]), b64(point[1+half:])
	case ed25519.PublicKey:
		jwk["kty"], jwk["crv"], jwk["x"] = "OKP", "Ed25519", b64(public)
	}
	for name, value := range changes {
		if jwk[name] = value; value == nil {
			delete(jwk, name)
		}
	}
	text, err := json.Marshal(jwk)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// certificateOf returns a certificate of a key. With negative its serial number is negative, which package x509
// refuses.
func certificateOf(t testing.TB, key crypto.Signer, negative bool) []byte {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "idp"}, NotAfter: T}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if negative {
		der = slices.Clone(der)
		at := bytes.Index(der, []byte("\x02\x01\x01"))
		der[at+2] = 0xff
		if _, err := x509.ParseCertificate(der); err == nil {
			t.Fatal("package x509 reads a negative serial number")
		}
	}
	return der
}

func certificatePEM(der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// shortP521 is a key whose y begins with a zero byte.
var shortP521 = sync.OnceValue(func() *ecdsa.PrivateKey {
	for {
		key, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
		if err != nil {
			panic(err)
		}
		if point, _ := key.PublicKey.Bytes(); point[67] == 0 && point[68] == 0 {
			return key
		}
	}
})

// A key set that has one meaning is read.
func TestKeySet_Tolerance(t *testing.T) {
	rsaPublic := &rsaKey().PublicKey
	n, short := rsaPublic.N.Bytes(), shortP521()
	point, _ := short.PublicKey.Bytes()
	x, y := point[1:67], point[67:]
	std := base64.StdEncoding.EncodeToString
	set := func(list ...string) string { return `{"keys":[` + strings.Join(list, ",") + `]}` }
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	chain := []string{std(certificateOf(t, rsaKey(), false))}
	small := withExponent(t, 3)
	x25519 := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte("0*0\x05\x06\x03+en\x03!\x00" + strings.Repeat("\x09", 32))})
	many := []string{jwkOf(t, rsaPublic, nil)}
	for i := range 499 {
		many = append(many, jwkOf(t, ada.Public(), map[string]any{"kid": fmt.Sprint(i)}))
	}
	for name, c := range map[string]struct {
		text string
		alg  string
		key  crypto.Signer // nil: nothing is usable
	}{
		"a byte order mark":                       {"\ufeff" + set(jwkOf(t, rsaPublic, nil)), "RS256", rsaKey()},
		"PEM with a byte order mark":              {"\ufeff" + publicPEM(t, rsaPublic), "RS256", rsaKey()},
		"n with padding":                          {set(jwkOf(t, rsaPublic, map[string]any{"n": base64.URLEncoding.EncodeToString(n)})), "RS256", rsaKey()},
		"n in standard base64":                    {set(jwkOf(t, rsaPublic, map[string]any{"n": std(n)})), "RS256", rsaKey()},
		"n with a leading zero, e of four bytes":  {set(jwkOf(t, rsaPublic, map[string]any{"n": b64(append([]byte{0}, n...)), "e": "AAEAAQ"})), "RS256", rsaKey()},
		"y without its leading zeros":             {set(jwkOf(t, short.Public(), map[string]any{"y": b64(y[2:])})), "ES512", short},
		"x with one zero too many":                {set(jwkOf(t, short.Public(), map[string]any{"x": b64(append([]byte{0}, x...))})), "ES512", short},
		"empty use, alg and x5u":                  {set(jwkOf(t, rsaPublic, map[string]any{"use": "", "alg": "", "x5u": ""})), "RS256", rsaKey()},
		"empty key_ops and x5c":                   {set(jwkOf(t, rsaPublic, map[string]any{"key_ops": []string{}, "x5c": []string{}})), "RS256", rsaKey()},
		"null for what is not there":              {set(strings.Replace(jwkOf(t, rsaPublic, nil), "{", `{"use":null,"alg":null,"key_ops":null,"x5c":null,"x5t":null,`, 1)), "RS256", rsaKey()},
		"x5c alone":                               {set(jwkOf(t, rsaPublic, map[string]any{"n": nil, "e": nil, "x5c": chain})), "RS256", rsaKey()},
		"x5c alone, EC":                           {set(jwkOf(t, p256().Public(), map[string]any{"x": nil, "y": nil, "x5c": []string{std(certificateOf(t, p256(), false))}})), "ES256", p256()},
		"x5c alone, with a negative serial":       {set(jwkOf(t, rsaPublic, map[string]any{"n": nil, "e": nil, "x5c": []string{std(certificateOf(t, rsaKey(), true))}})), "RS256", rsaKey()},
		"x5c of another key beside n":             {set(jwkOf(t, rsaPublic, map[string]any{"x5c": []string{std(certificateOf(t, p256(), false))}})), "RS256", rsaKey()},
		"x5c of another type alone":               {set(jwkOf(t, rsaPublic, map[string]any{"n": nil, "e": nil, "x5c": []string{std(certificateOf(t, p256(), false))}})), "RS256", nil},
		"x5c that is not a certificate":           {set(jwkOf(t, rsaPublic, map[string]any{"n": nil, "e": nil, "x5c": []string{"AAAA"}})), "RS256", nil},
		"Google's map of ids to certificates":     {fmt.Sprintf(`{"k0":%q,"k1":%q}`, certificatePEM(certificateOf(t, other, false)), certificatePEM(certificateOf(t, rsaKey(), false))), "RS256", rsaKey()},
		"the same with one that cannot be read":   {fmt.Sprintf(`{"k0":%q,"k1":%q}`, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", certificatePEM(certificateOf(t, rsaKey(), true))), "RS256", rsaKey()},
		"the same with something else in it":      {fmt.Sprintf(`{"k1":%q,"x":"y"}`, certificatePEM(certificateOf(t, rsaKey(), false))), "RS256", nil},
		"the exponent 3":                          {set(jwkOf(t, small.Public(), nil)), "RS256", small},
		"500 keys":                                {set(many...), "RS256", rsaKey()},
		"501 keys":                                {set(append(many, many[0])...), "RS256", nil},
		"one id, two keys, the second signs":      {set(jwkOf(t, &other.PublicKey, nil), jwkOf(t, rsaPublic, nil)), "RS256", rsaKey()},
		"one id, four keys, the last signs":       {set(jwkOf(t, &other.PublicKey, nil), jwkOf(t, small.Public(), nil), jwkOf(t, &secondRSA().PublicKey, nil), jwkOf(t, rsaPublic, nil)), "RS256", rsaKey()},
		"one id, EC and RSA":                      {set(jwkOf(t, p256().Public(), nil), jwkOf(t, rsaPublic, nil)), "RS256", rsaKey()},
		"PEM with a key of unknown type":          {string(x25519) + publicPEM(t, rsaPublic), "RS256", rsaKey()},
		"PEM with a block cut short":              {publicPEM(t, &other.PublicKey)[:200] + "\n" + publicPEM(t, rsaPublic), "RS256", rsaKey()},
		"PEM with a block of another kind":        {"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n" + publicPEM(t, rsaPublic), "RS256", rsaKey()},
		"PEM with a certificate, negative serial": {certificatePEM(certificateOf(t, rsaKey(), true)), "RS256", rsaKey()},
		"PEM with a private key":                  {publicPEM(t, rsaPublic) + privatePEM(t, other), "RS256", nil},
		"PEM with a private key, cut short":       {privatePEM(t, other)[:300] + "\n" + publicPEM(t, rsaPublic), "RS256", nil},
		"an empty private member":                 {set(jwkOf(t, rsaPublic, map[string]any{"d": ""})), "RS256", nil},
		"a symmetric key":                         {set(`{"kty":"oct","kid":"k1","k":"AAAA"}`), "RS256", nil},
		"a member twice":                          {set(strings.Replace(jwkOf(t, rsaPublic, nil), "{", `{"kid":"k1",`, 1)), "RS256", nil},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "keys")
			if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(c.text)) }))
			defer server.Close()
			for _, uri := range []string{server.URL, "file:" + file} {
				cfg := sso.Config{PublicKeyURI: uri, Audience: []string{"api"}, Issuer: issuerID, Algorithms: []string{c.alg}, Now: func() time.Time { return T }, Logger: slog.New(slog.DiscardHandler)}
				auth, err := sso.New(cfg)
				if err != nil {
					if c.key != nil || uri == server.URL {
						t.Fatal(err)
					}
					continue
				}
				t.Cleanup(func() { _ = auth.Close() })
				signer := c.key
				if signer == nil {
					signer = rsaKey()
				}
				_, err = auth.ValidateToken(t.Context(), signedWith(t, jwt.GetSigningMethod(c.alg), signer, headerWith("alg", `"`+c.alg+`"`, "kid", `"k1"`), claimsWith()))
				if (err == nil) != (c.key != nil) || err != nil && !errors.Is(err, sso.ErrUnavailable) {
					t.Errorf("%s: %v", uri, err)
				}
			}
		})
	}
}

// A provider publishes a set; a token by one of its keys names that key as the provider does.
func TestKeySet_Providers(t *testing.T) {
	type header = map[string]any
	rs, other := &rsaKey().PublicKey, &secondRSA().PublicKey
	set := func(list ...string) string { return `{"keys":[` + strings.Join(list, ",") + `]}` }
	one := func(changes map[string]any) string { return jwkOf(t, rs, changes) }
	named := func(public crypto.PublicKey, kid any) string { return jwkOf(t, public, map[string]any{"kid": kid}) }
	der := certificateOf(t, rsaKey(), true)
	sum := sha1.Sum(der)
	x5t, chain := b64(sum[:]), []string{base64.StdEncoding.EncodeToString(der)}
	entra := one(map[string]any{"use": "sig", "x5t": x5t, "x5c": chain, "issuer": "https://login.microsoftonline.com/{tenantid}/v2.0"})
	var chains, hundred []string
	for i := range 26 {
		chains = append(chains, jwkOf(t, other, map[string]any{"kid": fmt.Sprint(i), "x5c": []string{strings.Repeat("AAAA", 512)}}))
	}
	for i := range 100 {
		hundred = append(hundred, named(ada.Public(), fmt.Sprint(i)))
	}
	const (
		mlDSA  = `{"kty":"AKP","kid":"pq","alg":"ML-DSA-65","pub":"AAAA"}`
		k256   = `{"kty":"EC","crv":"secp256k1","kid":"k","x":"AAAA","y":"AAAA"}`
		ed448  = `{"kty":"OKP","crv":"Ed448","kid":"e","alg":"Ed448","x":"AAAA"}`
		shared = `{"kty":"oct","kid":"k1","k":"c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"}`
		umlaut = "Ow9jx/PbG+ß/schlüssel"
	)
	e35 := withExponent(t, 35)
	for name, c := range map[string]struct {
		text   string
		by     crypto.Signer
		header header // beside alg; nil: kid is k1
		want   sso.Reason
	}{
		"a key of a type to come":                {set(mlDSA, one(nil)), rsaKey(), nil, ""},
		"keys of odd types":                      {set(`{"kty":""}`, `{"kty":7}`, `"text"`, `null`, `{}`, one(nil)), rsaKey(), nil, ""},
		"a key on Ed448 and one on secp256k1":    {set(ed448, k256, one(nil)), rsaKey(), nil, ""},
		"Ed25519 by its new name, RSA":           {set(jwkOf(t, ada.Public(), map[string]any{"kid": "ed", "alg": "Ed25519"}), one(nil)), rsaKey(), nil, ""},
		"Ed25519 by its new name, Ed25519":       {set(jwkOf(t, ada.Public(), map[string]any{"kid": "ed", "alg": "Ed25519"}), one(nil)), ada, header{"kid": "ed"}, ""},
		"a malformed key of each kind":           {set(one(map[string]any{"kid": "p", "n": "!"}), jwkOf(t, p256().Public(), map[string]any{"kid": "q", "y": nil}), one(nil)), rsaKey(), nil, ""},
		"no kid, other types beside":             {set(one(map[string]any{"kid": nil}), jwkOf(t, p256().Public(), map[string]any{"kid": nil}), k256, jwkOf(t, other, map[string]any{"kid": "e", "use": "enc"})), rsaKey(), header{}, ""},
		"no kid in the token, two keys, the old": {set(named(rs, "old"), named(other, "new")), rsaKey(), header{}, ""},
		"no kid in the token, two keys, the new": {set(named(rs, "old"), named(other, "new")), secondRSA(), header{}, ""},
		"no kid in the token, neither key":       {set(named(other, "old"), named(&e35.PublicKey, "new")), rsaKey(), header{}, sso.ReasonBadSignature},
		"no kid in the token, kid is null":       {set(named(rs, "old"), named(other, "new")), secondRSA(), header{"kid": nil}, ""},
		"one kid, two keys, the first":           {set(one(nil), named(other, "k1")), rsaKey(), nil, ""},
		"one kid, two keys, neither":             {set(named(other, "k1"), named(&e35.PublicKey, "k1")), rsaKey(), nil, sso.ReasonBadSignature},
		"one kid, EC and RSA":                    {set(jwkOf(t, p256().Public(), nil), one(nil)), p256(), nil, ""},
		"one key for three algorithms":           {set(one(map[string]any{"alg": "RS512"}), one(map[string]any{"alg": "RS384"}), one(map[string]any{"alg": "RS256"})), rsaKey(), nil, ""},
		"one kid for enc and sig":                {set(jwkOf(t, other, map[string]any{"use": "enc", "alg": "RSA-OAEP"}), one(map[string]any{"use": "sig", "alg": "RS256"})), rsaKey(), nil, ""},
		"one kid for enc and sig, by the former": {set(jwkOf(t, other, map[string]any{"use": "enc", "alg": "RSA-OAEP"}), one(map[string]any{"use": "sig", "alg": "RS256"})), secondRSA(), nil, sso.ReasonBadSignature},
		"a key for enc":                          {set(jwkOf(t, other, map[string]any{"kid": "e", "use": "enc"}), one(nil)), secondRSA(), header{"kid": "e"}, sso.ReasonUnknownKey},
		"the same key twice":                     {set(one(nil), one(nil)), rsaKey(), nil, ""},
		"Entra's members":                        {set(entra, named(other, "k2")), rsaKey(), header{"kid": "k1", "x5t": x5t}, ""},
		"Entra's members, no kid":                {set(named(other, "k2"), entra), rsaKey(), header{"x5t": x5t}, ""},
		"Entra's members, no kid, another x5t":   {set(named(other, "k2"), entra), secondRSA(), header{"x5t": x5t}, sso.ReasonBadSignature},
		"a kid and an x5t of no key":             {set(entra, named(other, "k2")), secondRSA(), header{"kid": "k2", "x5t": "MDJlNjIxN2E1OGZlOGVmMGQxOTFlMzBmNmFjZjQ0Y2Y"}, ""},
		"neither use nor alg":                    {set(one(nil)), rsaKey(), nil, ""},
		"WebCrypto's members":                    {set(one(map[string]any{"key_ops": []string{"verify"}, "ext": true, "use": "sig"})), rsaKey(), nil, ""},
		"the exponent 35":                        {set(named(&e35.PublicKey, "k1")), e35, nil, ""},
		"26 keys with certificates, 50 KiB":      {set(append(chains, one(nil))...), rsaKey(), nil, ""},
		"101 keys":                               {set(append(hundred, one(nil))...), rsaKey(), nil, ""},
		"a kid beyond ASCII":                     {set(named(other, "k1"), named(rs, umlaut)), rsaKey(), header{"kid": umlaut}, ""},
		"a symmetric key beside":                 {set(shared, one(nil)), rsaKey(), nil, ""},
		"a token by the symmetric key":           {set(shared, one(nil)), nil, nil, sso.ReasonAlgorithm},
	} {
		t.Run(name, func(t *testing.T) {
			for mark, text := range map[string]string{"": c.text, "after a byte order mark": "\ufeff" + c.text} {
				var server *httptest.Server
				server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path == "/.well-known/openid-configuration" {
						_, _ = fmt.Fprintf(w, "\ufeff{\"issuer\":%q,\"jwks_uri\":%q}", server.URL, server.URL+"/keys")
						return
					}
					_, _ = w.Write([]byte(text))
				}))
				t.Cleanup(server.Close)
				alg, method, key := "HS256", jwt.SigningMethod(jwt.SigningMethodHS256), any([]byte("secretsecretsecretsecret"))
				switch c.by.(type) {
				case *rsa.PrivateKey:
					alg, method, key = "RS256", jwt.SigningMethodRS256, c.by
				case *ecdsa.PrivateKey:
					alg, method, key = "ES256", jwt.SigningMethodES256, c.by
				case ed25519.PrivateKey:
					alg, method, key = "EdDSA", jwt.SigningMethodEdDSA, c.by
				}
				fields := header{"alg": alg}
				if c.header == nil {
					fields["kid"] = "k1"
				}
				maps.Copy(fields, c.header)
				head, err := json.Marshal(fields)
				if err != nil {
					t.Fatal(err)
				}
				token := signedWith(t, method, key, string(head), claimsWith("iss", `"`+server.URL+`"`))
				for how, cfg := range map[string]sso.Config{"by its address": {PublicKeyURI: server.URL + "/keys", Issuer: server.URL}, "discovered": {Issuer: server.URL}} {
					cfg.Audience, cfg.Algorithms, cfg.Now = []string{"api"}, []string{"RS256", "ES256", "EdDSA"}, func() time.Time { return T }
					auth, err := sso.New(cfg)
					if err != nil {
						t.Fatal(err)
					}
					for range 2 { // and from the cache
						if _, err := auth.ValidateToken(t.Context(), token); (err == nil) != (c.want == "") || err != nil && reasonIn(err) != c.want {
							t.Errorf("%s %s: %v, want %q", how, mark, err, c.want)
						}
					}
					_ = auth.Close()
				}
			}
		})
	}
}

// secondRSA is an RSA key of its own.
var secondRSA = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// withExponent returns an RSA key with a small public exponent.
func withExponent(t testing.TB, e int64) *rsa.PrivateKey {
	t.Helper()
	exponent := big.NewInt(e)
	for {
		p, err := rand.Prime(rand.Reader, 1024)
		if err != nil {
			t.Fatal(err)
		}
		q, err := rand.Prime(rand.Reader, 1024)
		if err != nil {
			t.Fatal(err)
		}
		one := big.NewInt(1)
		phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
		d := new(big.Int).ModInverse(exponent, phi)
		n := new(big.Int).Mul(p, q)
		if d == nil || n.BitLen() != 2048 {
			continue
		}
		key := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: n, E: int(e)}, D: d, Primes: []*big.Int{p, q}}
		key.Precompute()
		return key
	}
}

// RFC 9864 gave EdDSA and ECDSA names that say the curve. Providers use the old and the new ones side by side.
func TestSignature_FullySpecified(t *testing.T) {
	for _, c := range []struct {
		key, token string // algorithms
		accepted   []string
		reason     sso.Reason
	}{
		{"Ed25519", "Ed25519", []string{"Ed25519"}, ""},
		{"Ed25519", "EdDSA", []string{"EdDSA"}, ""},
		{"", "Ed25519", []string{"EdDSA"}, ""},
		{"EdDSA", "Ed25519", []string{"EdDSA"}, ""},
		{"EdDSA", "Ed25519", []string{"Ed25519"}, ""},
		{"", "EdDSA", []string{"Ed25519"}, sso.ReasonAlgorithm}, // only the new name is configured
		{"", "Ed25519", []string{"RS256"}, sso.ReasonAlgorithm},
		{"ESP256", "ES256", []string{"ES256"}, ""},
		{"ES256", "ESP256", []string{"ES256"}, ""},
		{"ESP256", "ESP256", []string{"ESP256"}, ""},
		{"ES256", "ESP384", []string{"ES256", "ES384"}, sso.ReasonKeyAlgorithm},
	} {
		t.Run(fmt.Sprint(c.key, " ", c.token, " ", c.accepted), func(t *testing.T) {
			key, method := crypto.Signer(ada), jwt.SigningMethod(jwt.SigningMethodEdDSA)
			if strings.HasPrefix(c.token, "ES") {
				key, method = p256(), jwt.SigningMethodES256
			}
			auth := newAuth(t, func(cfg *sso.Config) {
				cfg.Keys, cfg.Algorithms = static(t, "ada", c.key, key.Public()), c.accepted
			})
			_, err := auth.ValidateToken(t.Context(), signedWith(t, method, key, headerWith("alg", `"`+c.token+`"`), claimsWith()))
			if (err == nil) != (c.reason == "") || err != nil && reasonIn(err) != c.reason {
				t.Errorf("%v; want %q", err, c.reason)
			}
		})
	}
}

// A token without kid may name its key by the certificate. A certificate of another key refuses it.
// The key of an expired certificate verifies tokens, and the log says that it has expired.
func TestKeySet_ExpiredCertificate(t *testing.T) {
	der := certificateOf(t, rsaKey(), false) // until T
	chain := []string{base64.StdEncoding.EncodeToString(der)}
	for name, source := range map[string]func() (keys.Source, error){
		"PEM":       func() (keys.Source, error) { return keys.PEM(certificatePEM(der)) },
		"x5c alone": func() (keys.Source, error) { return keys.JWKS(`{"keys":[{"kid":"a","x5c":["` + chain[0] + `"]}]}`) },
		"x5c beside numbers": func() (keys.Source, error) {
			return keys.JWKS(`{"keys":[` + jwkOf(t, &rsaKey().PublicKey, map[string]any{"x5c": chain}) + `]}`)
		},
		"another x5c": func() (keys.Source, error) {
			return keys.JWKS(`{"keys":[` + jwkOf(t, &rsaKey().PublicKey, map[string]any{"x5c": 7}) + `]}`)
		},
	} {
		for late, warned := range map[time.Duration]bool{-time.Minute: false, time.Minute: name != "another x5c"} {
			keySource, err := source()
			if err != nil {
				t.Fatal(err)
			}
			var log lines
			auth := newAuth(t, func(c *sso.Config) {
				c.Keys, c.Algorithms, c.Logger = keySource, []string{"RS256"}, log.logger(slog.LevelInfo)
				c.Now = func() time.Time { return T.Add(late) }
			})
			if err := auth.Ready(t.Context()); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if text := log.String(); strings.Contains(text, "certificate of a key has expired") != warned {
				t.Errorf("%s, %v after its end: %s", name, late, text)
			}
		}
	}
}

func TestSignature_Certificate(t *testing.T) {
	der := certificateOf(t, rsaKey(), false)
	sum1, sum256 := sha1.Sum(der), sha256.Sum256(der)
	x5t, x5tS256 := b64(sum1[:]), b64(sum256[:])
	first, second := &rsaKey().PublicKey, &secondRSA().PublicKey
	published := map[string]string{
		"x5t as a member":      `{"keys":[` + jwkOf(t, second, map[string]any{"kid": "k2"}) + "," + jwkOf(t, first, map[string]any{"x5t": x5t}) + `]}`,
		"x5t#S256 as a member": `{"keys":[` + jwkOf(t, second, map[string]any{"kid": "k2"}) + "," + jwkOf(t, first, map[string]any{"x5t#S256": x5tS256}) + `]}`,
		"with padding":         `{"keys":[` + jwkOf(t, second, map[string]any{"kid": "k2"}) + "," + jwkOf(t, first, map[string]any{"x5t": x5t + "="}) + `]}`,
		"x5t as the id":        `{"keys":[` + jwkOf(t, second, map[string]any{"kid": "k2"}) + "," + jwkOf(t, first, map[string]any{"kid": x5t}) + `]}`,
		"at another id":        `{"keys":[` + jwkOf(t, second, map[string]any{"kid": "k2"}) + "," + jwkOf(t, first, map[string]any{"kid": "k1"}) + "," + jwkOf(t, first, map[string]any{"kid": "c", "x5t": x5t}) + `]}`,
		"nothing of it":        `{"keys":[` + jwkOf(t, second, map[string]any{"kid": "k2"}) + "," + jwkOf(t, first, nil) + `]}`,
	}
	for name, text := range published {
		source, err := keys.JWKS(text)
		if err != nil {
			t.Fatal(err)
		}
		auth := trusting(t, source, "RS256")
		matches := name != "nothing of it"
		for _, c := range []struct {
			name    string
			key     *rsa.PrivateKey
			header  []string
			refused bool
		}{
			{"the right key", rsaKey(), []string{"x5t", `"` + x5t + `"`, "x5t#S256", `"` + x5tS256 + `"`}, false},
			{"the right key, with padding", rsaKey(), []string{"x5t", `"` + x5t + `="`, "x5t#S256", `"` + x5tS256 + `="`}, false},
			{"another key of the set, with padding", secondRSA(), []string{"x5t", `"` + x5t + `="`, "x5t#S256", `"` + x5tS256 + `="`}, matches && name != "x5t as the id"},
			{"another key of the set", secondRSA(), []string{"x5t", `"` + x5t + `"`, "x5t#S256", `"` + x5tS256 + `"`}, matches},
			{"an unknown certificate", secondRSA(), []string{"x5t", `"AAAA"`}, false},
			{"not a text", secondRSA(), []string{"x5t", `7`, "x5t#S256", `["a"]`}, false},
			{"kid and another's certificate", secondRSA(), []string{"kid", `"k2"`, "x5t", `"` + x5t + `"`, "x5t#S256", `"` + x5tS256 + `"`}, matches && name != "x5t as the id"},
			{"kid, and the certificate at another id", rsaKey(), []string{"kid", `"k1"`, "x5t", `"` + x5t + `"`}, name == "x5t as the id"},
			{"kid and an unknown certificate", secondRSA(), []string{"kid", `"k2"`, "x5t", `"AAAA"`}, false},
		} {
			t.Run(name+"/"+c.name, func(t *testing.T) {
				header := append([]string{"alg", `"RS256"`, "kid", ""}, c.header...)
				token := signedWith(t, jwt.SigningMethodRS256, c.key, headerWith(header...), claimsWith())
				for range 2 { // and from the cache
					if _, err := auth.ValidateToken(t.Context(), token); (err != nil) != c.refused {
						t.Errorf("%v", err)
					}
				}
			})
		}
	}
}

// A provider publishes the next key ahead of time, without ids in its tokens, or all under one id.
func TestValidateToken_KeyPublishedAhead(t *testing.T) {
	for name, kid := range map[string]devissuer.TokenOption{
		"no kid": devissuer.WithoutHeader("kid"), "one kid": devissuer.Header("kid", "default"),
	} {
		t.Run(name, func(t *testing.T) {
			issuer, auth, clock := newProvider(t)
			publish := func() {
				issuer.SetJWKS("")
				set := string(issuer.JWKS())
				for _, id := range issuer.KeyIDs() {
					set = strings.Replace(set, id, "default", 1)
				}
				issuer.SetJWKS(set)
			}
			token := func(name string) string {
				return issuer.MustToken(kid, devissuer.Subject(name), devissuer.ValidFor(3*time.Hour))
			}
			publish()
			cached := token("ada")
			accepts := func(tokens ...string) {
				t.Helper()
				for _, token := range tokens {
					if _, err := auth.ValidateToken(t.Context(), token); err != nil {
						t.Error(err)
					}
				}
			}
			accepts(cached)
			old := issuer.KeyID()
			issuer.Publish()
			publish()
			for _, later := range []time.Duration{6 * time.Minute, 64 * time.Minute} {
				clock.Advance(later)
				accepts(cached, token(later.String()))
			}
			issuer.Use(issuer.KeyIDs()[1])
			accepts(token("by the new key"), cached)
			issuer.SetJWKS("")
			issuer.Retire(old)
			publish()
			clock.Advance(6 * time.Minute)
			accepts(token("by the only key"))
			if _, err := auth.ValidateToken(t.Context(), cached); reasonIn(err) != sso.ReasonBadSignature {
				t.Errorf("a token of the removed key: %v", err)
			}
		})
	}
}
