package devissuer_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/keys"
)

func publicKey(text []byte) (any, error) {
	block, rest := pem.Decode(text)
	if block == nil || block.Type != "PUBLIC KEY" || len(rest) > 0 {
		return nil, errors.New("not one PUBLIC KEY block")
	}
	return x509.ParsePKIXPublicKey(block.Bytes)
}

func keySet(t *testing.T, issuer *devissuer.Issuer) []keys.Key {
	t.Helper()
	source, err := keys.JWKS(string(issuer.JWKS()))
	if noKey := (*keys.NoKeyError)(nil); errors.As(err, &noKey) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	set, err := source.Fetch(t.Context(), nil)
	if err != nil || len(set.Skipped) > 0 {
		t.Fatalf("%v, %v", err, set)
	}
	return set.Keys
}

func TestWithAlgorithm(t *testing.T) {
	t.Parallel()
	rsaKey := inMemory(t, devissuer.WithAlgorithm("RS256")).PrivateKeyPEM()
	for _, alg := range []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"} {
		t.Run(alg, func(t *testing.T) {
			t.Parallel()
			opts := []devissuer.Option{devissuer.WithAlgorithm(alg)}
			if alg[0] != 'E' {
				opts = append(opts, devissuer.WithKeyPEM(rsaKey)) // which takes long to generate
			}
			issuer := inMemory(t, opts...)
			token := issuer.MustToken()

			if err := verify(issuer, token); err != nil {
				t.Errorf("by the PEM: %v", err)
			}
			set := keySet(t, issuer)
			if len(set) != 1 {
				t.Fatalf("%d keys in the set, want 1", len(set))
			}
			key := set[0]
			if key.ID != issuer.KeyID() || key.Algorithm != alg || !strings.Contains(string(issuer.JWKS()), `"use":"sig"`) {
				t.Errorf("the key is published as %s", issuer.JWKS())
			}
			if want := key.Thumbprint(); key.ID != want {
				t.Errorf("kid is %s, the RFC 7638 thumbprint %s", key.ID, want)
			}
			if _, err := jwt.Parse(token, func(*jwt.Token) (any, error) { return key.Public, nil }); err != nil {
				t.Errorf("by the key set: %v", err)
			}
		})
	}
}

func TestNew_DefaultKey(t *testing.T) {
	t.Parallel()
	issuer, err := devissuer.New()
	if err != nil {
		t.Fatal(err)
	}
	defer mustClose(t, issuer)
	public, err := publicKey(issuer.PublicPEM())
	if err != nil {
		t.Fatal(err)
	}
	if key, ok := public.(*rsa.PublicKey); !ok || key.N.BitLen() != 2048 || issuer.Algorithm() != "RS256" {
		t.Errorf("%s, %v", issuer.Algorithm(), public)
	}
	if err := verify(issuer, issuer.MustToken()); err != nil {
		t.Error(err)
	}
}

func TestIssuer_KeyLife(t *testing.T) {
	t.Parallel()
	issuer := inMemory(t)
	first := issuer.KeyID()
	kids := func() []string {
		var ids []string
		for _, key := range keySet(t, issuer) {
			ids = append(ids, key.ID)
		}
		if !slices.Equal(ids, issuer.KeyIDs()) {
			t.Errorf("the set has %v, KeyIDs says %v", ids, issuer.KeyIDs())
		}
		return ids
	}
	signs := func() string {
		header, _ := decode(t, issuer.MustToken())
		kid, _ := header["kid"].(string)
		return kid
	}
	expect := func(when, signing string, published ...string) {
		t.Helper()
		if got := signs(); got != signing || got != issuer.KeyID() {
			t.Errorf("%s: %s signs, want %s", when, got, signing)
		}
		if got := kids(); !slices.Equal(got, published) {
			t.Errorf("%s: published are %v, want %v", when, got, published)
		}
	}

	expect("at first", first, first)
	second := issuer.Rotate()
	expect("rotation overlaps", second, first, second)
	third := issuer.Publish()
	expect("a published key does not sign yet", second, first, second, third)
	issuer.Use(third)
	expect("a used key signs", third, first, second, third)
	issuer.Retire(second)
	issuer.Retire(second)
	expect("a retired key is gone, however often retired", third, first, third)
	issuer.Retire()
	expect("all old keys are gone", third, third)
	issuer.Retire(third)
	expect("the signing key may be retired", third)
	issuer.Use(second)
	expect("a retired key can still sign", second)
	fourth := issuer.Publish()
	issuer.Retire(second, fourth)
	expect("several keys are retired at once", second)
}

func TestIssuer_UnknownKeyID(t *testing.T) {
	t.Parallel()
	issuer := inMemory(t)
	for name, call := range map[string]func(string){"Use": issuer.Use, "Retire": func(kid string) { issuer.Retire(kid) }} {
		func() {
			defer func() {
				if text, _ := recover().(string); !strings.Contains(text, name+`("typo")`) {
					t.Errorf("%s of an unknown key: panic with %q", name, text)
				}
			}()
			call("typo")
		}()
	}
}

func TestWithKeyPEM(t *testing.T) {
	t.Parallel()
	for _, alg := range []string{"RS256", "PS384", "ES512", "EdDSA"} {
		t.Run(alg, func(t *testing.T) {
			t.Parallel()
			before := inMemory(t, devissuer.WithAlgorithm(alg))
			token := before.MustToken()
			after := inMemory(t, devissuer.WithAlgorithm(alg), devissuer.WithKeyPEM(before.PrivateKeyPEM()))
			if before.KeyID() != after.KeyID() {
				t.Errorf("key id %s became %s", before.KeyID(), after.KeyID())
			}
			if err := verify(after, token); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("the algorithm follows the key", func(t *testing.T) {
		t.Parallel()
		issuer, err := devissuer.New(devissuer.WithKeyPEM(inMemory(t, devissuer.WithAlgorithm("ES384")).PrivateKeyPEM()))
		if err != nil {
			t.Fatal(err)
		}
		if issuer.Algorithm() != "ES384" {
			t.Errorf("the algorithm is %s", issuer.Algorithm())
		}
	})
}

func TestIssuer_SetJWKS(t *testing.T) {
	t.Parallel()
	issuer := inMemory(t)
	good := string(issuer.JWKS())
	issuer.SetJWKS("nonsense")
	if got := get(t, issuer, issuer.JWKSURL()).body; got != "nonsense" || string(issuer.JWKS()) != got {
		t.Errorf("replaced: %s", got)
	}
	issuer.SetJWKS("")
	if got := get(t, issuer, issuer.JWKSURL()).body; got != good {
		t.Errorf("restored: %s", got)
	}
	issuer.Retire(issuer.KeyID())
	if got := string(issuer.JWKS()); got != `{"keys":[]}` {
		t.Errorf("no key is published: %s", got)
	}
}

func TestNew_InvalidKeys(t *testing.T) {
	t.Parallel()
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sec1, err := x509.MarshalECPrivateKey(ec)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		opts []devissuer.Option
		want string
	}{
		"an algorithm with a shared secret":   {[]devissuer.Option{devissuer.WithAlgorithm("HS256")}, `WithAlgorithm("HS256")`},
		"no algorithm at all":                 {[]devissuer.Option{devissuer.WithAlgorithm("none")}, `WithAlgorithm("none")`},
		"a key without PEM":                   {[]devissuer.Option{devissuer.WithKeyPEM(nil)}, "no PEM block"},
		"a key in another format":             {[]devissuer.Option{devissuer.WithKeyPEM(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: sec1}))}, "openssl pkcs8"},
		"a key block with something else":     {[]devissuer.Option{devissuer.WithKeyPEM(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: sec1}))}, "WithKeyPEM: x509"},
		"a key that does not fit":             {[]devissuer.Option{devissuer.WithAlgorithm("RS256"), devissuer.WithKeyPEM(inMemory(t).PrivateKeyPEM())}, "a key for ES256, WithAlgorithm says RS256"},
		"a curve other than the algorithm's":  {[]devissuer.Option{devissuer.WithAlgorithm("ES512"), devissuer.WithKeyPEM(inMemory(t).PrivateKeyPEM())}, "a key for ES256, WithAlgorithm says ES512"},
		"an unknown algorithm beside the key": {[]devissuer.Option{devissuer.WithAlgorithm("XS1"), devissuer.WithKeyPEM(inMemory(t).PrivateKeyPEM())}, `WithAlgorithm("XS1")`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := devissuer.New(tt.opts...); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want it to say %s", err, tt.want)
			}
		})
	}
}

func TestIssuer_PrivateKeyPEM(t *testing.T) {
	t.Parallel()
	before := inMemory(t)
	old := before.MustToken()
	before.Rotate()
	next := before.Publish()
	retired := before.Publish()
	before.Retire(retired)
	text := before.PrivateKeyPEM()

	after := inMemory(t, devissuer.WithKeyPEM(text))
	published := func(token string) error {
		_, err := jwt.Parse(token, func(parsed *jwt.Token) (any, error) {
			for _, key := range keySet(t, after) {
				if key.ID == parsed.Header["kid"] {
					return key.Public, nil
				}
			}
			return nil, errors.New("no such key")
		})
		return err
	}
	signing := before.KeyID()
	signedBy := func(kid string) string {
		before.Use(kid)
		return before.MustToken()
	}
	for _, token := range []string{old, before.MustToken(), signedBy(next)} {
		if err := published(token); err != nil {
			t.Error(err)
		}
	}
	if err := published(signedBy(retired)); err == nil {
		t.Error("a retired key is published again")
	}
	if after.KeyID() != signing || len(after.KeyIDs()) != 3 {
		t.Errorf("keys %q, signing %q", after.KeyIDs(), after.KeyID())
	}
	if !bytes.Equal(after.PrivateKeyPEM(), text) {
		t.Error("the keys are written in another order")
	}
}
