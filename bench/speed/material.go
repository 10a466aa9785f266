package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/more-retail/moresso-go/core/keys"
	"github.com/more-retail/moresso-go/core/sso"
)

const (
	issuer   = "https://login.example.com/"
	audience = "https://orders.example.com"
	keyID    = "2026-01-a"
	// tokenBytes is the length of the reference token.
	tokenBytes = 1024
)

// material is a provider's key and good tokens, all different, of one length.
type material struct {
	key    *rsa.PrivateKey
	tokens []string
	jwks   []byte
	now    time.Time
}

func newMaterial(tokens int) (*material, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	m := &material{key: key, now: time.Now()}
	m.jwks, err = json.Marshal(map[string]any{"keys": []any{map[string]string{
		"kty": "RSA", "kid": keyID, "alg": "RS256", "use": "sig",
		"n": base64.RawURLEncoding.EncodeToString(key.N.Bytes()), "e": "AQAB",
	}}})
	for i := range tokens {
		m.tokens = append(m.tokens, m.token(map[string]any{"alg": "RS256", "kid": keyID, "typ": "JWT"}, i))
	}
	return m, err
}

// claims are fifteen, as real access tokens have, padded so that the token has its length.
func (m *material) claims(i, padding int) map[string]any {
	return map[string]any{
		"iss": issuer, "aud": audience, "sub": fmt.Sprintf("user-%06d", i), "azp": audience,
		"iat": m.now.Unix(), "nbf": m.now.Unix(), "exp": m.now.Add(24 * time.Hour).Unix(), "auth_time": m.now.Unix(),
		"jti": fmt.Sprintf("0b6f9a52-5a0e-4f5c-9a7e-%012d", i), "client_id": "web", "scope": "orders:read orders:write",
		"email": "ada.lovelace@example.com", "name": "Ada Lovelace",
		"permissions": map[string]any{"orders": map[string]any{"role": "clerk", "read": true}, "stores": []int{17, 42}},
		"tenant":      strings.Repeat("x", padding),
	}
}

// token is signed by the provider's key, whatever its header says.
func (m *material) token(header map[string]any, i int) string {
	for padding := 100; ; {
		t := &jwt.Token{Header: header, Claims: jwt.MapClaims(m.claims(i, padding)), Method: jwt.SigningMethodRS256}
		text, err := t.SignedString(m.key)
		if err != nil {
			panic("speed: " + err.Error()) // a key of this program's own
		}
		if len(text) == tokenBytes || padding == 0 {
			return text
		}
		padding = max(0, padding+(tokenBytes-len(text))*3/4) // three bytes are four letters
		if d := tokenBytes - len(text); d > -2 && d < 2 {
			return text // no padding reaches it
		}
	}
}

// authenticator is this library over the provider's keys.
func (m *material) authenticator(change func(*sso.Config)) *sso.Authenticator {
	source, err := keys.JWKS(string(m.jwks))
	if err != nil {
		panic("speed: " + err.Error()) // keys of this program's own
	}
	return newAuthenticator(source, change)
}

func newAuthenticator(source keys.Source, change func(*sso.Config)) *sso.Authenticator {
	cfg := sso.Config{Keys: source, Issuer: issuer, Audience: []string{audience}, Logger: quiet}
	if change != nil {
		change(&cfg)
	}
	a, err := sso.New(cfg)
	if err != nil {
		panic("speed: " + err.Error()) // as above
	}
	return a
}

func noCache(c *sso.Config) { c.TokenCache = sso.NoTokenCache }

func (m *material) publicPEM() []byte {
	der, err := x509.MarshalPKIXPublicKey(&m.key.PublicKey)
	if err != nil {
		panic("speed: " + err.Error()) // as above
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// signed is what a token's signature is about, hashed, and the signature.
func signed(token string) (digest [32]byte, signature []byte) {
	dot := strings.LastIndexByte(token, '.')
	signature, err := base64.RawURLEncoding.DecodeString(token[dot+1:])
	if err != nil {
		panic("speed: " + err.Error()) // as above
	}
	return sha256.Sum256([]byte(token[:dot])), signature
}
