package keys_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/more-retail/moresso-go/core/keys"
)

// usable says that every key of a set can verify: the packages of crypto find the signature
// wrong, and not the key.
func usable(t *testing.T, set *keys.Set) {
	t.Helper()
	if len(set.Keys) == 0 || len(set.Keys)+len(set.Skipped) > 500 {
		t.Fatalf("%d keys, %d skipped", len(set.Keys), len(set.Skipped))
	}
	for i, key := range set.Keys {
		if len(key.ID) > 256 || key.Thumbprint() == "" {
			t.Errorf("key id of %d bytes, thumbprint %q", len(key.ID), key.Thumbprint())
		}
		if !slices.ContainsFunc(keys.Algorithms(), key.Fits) {
			t.Errorf("a key that fits nothing: %+v", key)
		}
		for _, algorithm := range keys.Algorithms() {
			rivals := 0
			for _, other := range set.Keys[:i] {
				if key.ID == other.ID && key.Fits(algorithm) && other.Fits(algorithm) {
					rivals++
				}
			}
			if rivals > 3 && keys.Certificate(key) == "" {
				t.Errorf("more than four keys that one token could mean by %q", key.ID)
			}
		}
		switch public := key.Public.(type) {
		case *rsa.PublicKey:
			if bits := public.N.BitLen(); bits < 2048 || bits > 8192 || public.N.Bit(0) == 0 || public.E < 3 || public.E%2 == 0 {
				t.Errorf("RSA of %d bits, exponent %d", bits, public.E)
			}
			signature := make([]byte, public.Size())
			if err := rsa.VerifyPKCS1v15(public, crypto.SHA256, make([]byte, 32), signature); err == nil || !strings.Contains(err.Error(), "verification error") {
				t.Errorf("an RSA key that cannot verify: %v", err)
			}
		case *ecdsa.PublicKey:
			if _, err := public.ECDH(); err != nil || public.Params().BitSize < 256 {
				t.Errorf("an EC key that cannot verify: %v", err)
			}
		case ed25519.PublicKey:
			err := ed25519.VerifyWithOptions(public, nil, make([]byte, 64), &ed25519.Options{})
			if err == nil || !strings.Contains(err.Error(), "invalid signature") {
				t.Errorf("an Ed25519 key that cannot verify, or verifies anything: %v", err)
			}
		default:
			t.Errorf("a key of the type %T", public)
		}
	}
}

func FuzzJWKS(f *testing.F) {
	ec := ecJWK("good", elliptic.P256())
	f.Add([]byte(jwks(ec, rsaJWK("rsa", 2048).with("alg", "RS256"), edJWK("ed").with("use", "sig"))))
	for _, bad := range badKeys() {
		f.Add([]byte(jwks(bad.key, ec)))
	}
	for _, text := range []string{"", "{}", `{"keys":[]}`, `{"keys":[null,7,[],{}]}`, `{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AA"}]}`, jwks(ec, ec), jwks(ec, ecJWK("good", elliptic.P256()))} {
		f.Add([]byte(text))
	}
	f.Add([]byte(jwks(ec.with("use", "").with("key_ops", []string{}).with("x", fmt.Sprint(ec["x"], "=")).with("x5t", "AAAA=="))))
	f.Add([]byte(jwks(jwk{"kid": "a", "x5c": []string{certificate(ecPublic(elliptic.P256()))}}, rsaJWK("b", 2048).with("e", "+/=="))))
	f.Add([]byte(jwk{"a": publicPEM(ecPublic(elliptic.P256())), "b": pemBlock("CERTIFICATE", certificateDER(rsaPublic(2048), nil))}.String()))
	f.Fuzz(func(t *testing.T, text []byte) {
		if set, err := keys.ParseJWKS(text); err == nil {
			usable(t, set)
		}
	})
}

func FuzzPEM(f *testing.F) {
	ec, rs := publicPEM(ecPublic(elliptic.P256())), publicPEM(rsaPublic(2048))
	f.Add(ec + rs)
	f.Add(strings.ReplaceAll(ec, "\n", `\n`))
	f.Add(certificatePEM(f))
	f.Add(publicPEM(ecPublic(elliptic.P224())))
	f.Add(publicPEM(rsaPublic(1024)))
	f.Add(publicPEM(ed25519.PublicKey(raw(edJWK("")["x"]))))
	f.Add(publicPEM(ed25519.PublicKey(raw(smallOrder()[0]))))
	f.Add(pemBlock("PRIVATE KEY", []byte{1}))
	f.Add(ec[:len(ec)/2])
	f.Add(bom + ec + bom + ec[:len(ec)/2] + rs)
	for _, change := range oddCertificates {
		f.Add(pemBlock("X509 CERTIFICATE", certificateDER(ecPublic(elliptic.P256()), change)))
	}
	f.Add("-----BEGIN -----\n-----END -----\n")
	f.Fuzz(func(t *testing.T, text string) {
		if set, err := keys.ParsePEM([]byte(text)); err == nil {
			usable(t, set)
			if n := len(set.Keys) + len(set.Skipped); n > strings.Count(text, "-----BEGIN") {
				t.Errorf("%d keys from a text without PEM", n)
			}
		}
		if source, err := keys.PEM(text); err == nil {
			set, err := source.Fetch(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			usable(t, set)
		}
	})
}

func FuzzDiscovery(f *testing.F) {
	const issuer, well = "https://idp.example", "/.well-known/openid-configuration"
	good := `{"issuer":"https://idp.example","jwks_uri":"https://idp.example/keys"}`
	f.Add(good)
	for _, change := range []string{
		"http://idp.example/keys", "https://evil.example/keys", "https://IDP.example:443/keys", "https://user@idp.example/keys", "https://idp.example.evil.example/keys",
		"//idp.example/keys", "/keys", "https:keys", "https://idp.example:/keys", "https://idp.example/../keys", `https://idp.example\\@evil.example/keys`, "https://keys.example:444/",
	} {
		f.Add(strings.ReplaceAll(good, "https://idp.example/keys", change))
	}
	f.Add(strings.ReplaceAll(good, `"https://idp.example"`, `"https://idp.example/"`))
	f.Add(`{"issuer":7,"jwks_uri":null}`)
	f.Add(bom + good)
	f.Add(jwk{"issuer": publicPEM(ecPublic(elliptic.P256()))}.String())
	f.Add(`{"issuer":"https://idp.example","keys":[]}`)
	f.Add(jwks(ecJWK("a", elliptic.P256())))
	f.Add(publicPEM(ecPublic(elliptic.P256())))
	set := jwks(ecJWK("a", elliptic.P256()))
	f.Fuzz(func(t *testing.T, text string) {
		web := &everywhere{first: issuer + well, document: text, rest: set}
		source, err := keys.Discovery(issuer, keys.Options{HTTPClient: web.client()})
		if err != nil {
			t.Fatal(err)
		}
		got, err := source.Fetch(t.Context(), nil)
		if len(web.hosts) > 2 {
			t.Fatalf("%d requests", len(web.hosts))
		}
		for _, host := range web.hosts {
			if !strings.HasPrefix(host, "https://") || strings.Contains(host, "@") {
				t.Fatalf("request to %s", host)
			}
		}
		if err != nil {
			return
		}
		usable(t, got)
		if len(web.hosts) == 2 && got.Issuer != issuer || len(web.hosts) == 1 && got.Issuer != "" {
			t.Fatalf("issuer %q after %d requests", got.Issuer, len(web.hosts))
		}
	})
}

var _ fmt.Stringer = jwk{} // which is how it gets into a set
