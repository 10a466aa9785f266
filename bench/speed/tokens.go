package main

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/sso"
)

const (
	audience = "https://orders.example.com"
	// tokenBytes is the length of the reference token.
	tokenBytes = 1024
)

// provider is an issuer, its public key, and valid tokens that all differ.
type provider struct {
	*devissuer.Issuer
	public *rsa.PublicKey
	tokens []string
}

// must panics if the set-up of a measurement fails.
func must[T any](v T, err error) T {
	if err != nil {
		panic("speed: " + err.Error())
	}
	return v
}

func newProvider(tokens int) *provider {
	issuer := must(devissuer.New(devissuer.WithLifetime(24*time.Hour), devissuer.WithAudience(audience)))
	block, _ := pem.Decode(issuer.PublicPEM())
	public, ok := must(x509.ParsePKIXPublicKey(block.Bytes)).(*rsa.PublicKey)
	if !ok {
		panic("speed: not an RSA key")
	}
	p := &provider{Issuer: issuer, public: public}
	for i := range tokens {
		p.tokens = append(p.tokens, p.token(i))
	}
	return p
}

// token returns a token with 15 claims, as real access tokens have, of at most tokenBytes bytes.
func (p *provider) token(i int, options ...devissuer.TokenOption) string {
	mint := func(padding int) string { return p.MustToken(append(claims(i, padding), options...)...) }
	return mint(max(0, tokenBytes-len(mint(0))) * 3 / 4) // three bytes are four characters
}

// claims sets the claims of a token beside iss, aud, iat and exp.
func claims(i, padding int) (options []devissuer.TokenOption) {
	for name, value := range map[string]any{
		"sub": fmt.Sprintf("user-%06d", i), "azp": audience, "client_id": "web", "scope": "orders:read",
		"nbf": time.Now().Unix(), "auth_time": time.Now().Unix(), "jti": fmt.Sprintf("0b6f9a52-%012d", i),
		"email": "ada.lovelace@example.com", "name": "Ada Lovelace",
		"permissions": map[string]any{"orders": map[string]any{"role": "clerk", "read": true}, "stores": []int{17, 42}},
		"tenant":      strings.Repeat("x", padding),
	} {
		options = append(options, devissuer.Claim(name, value))
	}
	return append(options, devissuer.Header("typ", "JWT"))
}

// authenticator returns this library with a cache for so many tokens; 0 is the default, and a
// negative number disables the cache. It has fetched the keys.
func (p *provider) authenticator(ctx context.Context, cache int) *sso.Authenticator {
	a := must(sso.New(sso.Config{
		PublicKeyURI: p.JWKSURL(),
		Issuer:       p.URL(),
		Audience:     p.Audience(),
		Algorithms:   []string{p.Algorithm()},
		HTTPClient:   p.Client(),
		TokenCache:   cache,
		Logger:       slog.New(slog.DiscardHandler),
	}))
	context.AfterFunc(ctx, func() { _ = a.Close() })
	for _, token := range p.tokens {
		must(a.ValidateToken(ctx, token))
	}
	return a
}

// verification returns what everything is compared with: one RSA verification of the standard
// library.
func (p *provider) verification() func() {
	dot := strings.LastIndexByte(p.tokens[0], '.')
	digest := sha256.Sum256([]byte(p.tokens[0][:dot]))
	signature := must(base64.RawURLEncoding.DecodeString(p.tokens[0][dot+1:]))
	return func() {
		if err := rsa.VerifyPKCS1v15(p.public, crypto.SHA256, digest[:], signature); err != nil {
			panic(err)
		}
	}
}
