package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/more-retail/moresso-go/bench/internal/peers"
	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/keys"
	"github.com/more-retail/moresso-go/core/sso"
)

// The tables of the report.
const (
	verifications = "One verification"
	algorithms    = "A new token by algorithm"
	refusals      = "Refusals"
	requests      = "A request over loopback"
)

// The subjects with a target.
const (
	anchor       = "crypto/rsa.VerifyPKCS1v15"
	oursNew      = "moresso-go, a new token"
	oursCached   = "moresso-go, a cached token"
	structClaims = "golang-jwt, struct claims"
)

// addVerifications lists the verification of a token without a framework, and refusals.
func addVerifications(ctx context.Context, p *provider, cached, uncached *sso.Authenticator) []subject {
	token := p.tokens[0]
	list := []subject{{table: verifications, name: anchor, do: p.verification()}}
	add := func(name string, verify peers.Verifier, tokens ...string) {
		i := 0
		list = append(list, subject{table: verifications, name: name, do: func() {
			if err := verify(ctx, tokens[i%len(tokens)]); err != nil {
				panic("speed: " + name + ": " + err.Error())
			}
			i++
		}})
	}
	ours := func(a *sso.Authenticator) peers.Verifier {
		return func(ctx context.Context, token string) error { _, err := a.ValidateToken(ctx, token); return err }
	}
	add(oursNew, ours(uncached), token)
	add(oursCached, ours(cached), token)
	add("moresso-go, 1,000 cached tokens in turn", ours(cached), p.tokens...)
	parser := jwt.NewParser(jwt.WithValidMethods([]string{p.Algorithm()}), jwt.WithIssuer(p.URL()), jwt.WithAudience(p.Audience()[0]))
	key := func(*jwt.Token) (any, error) { return p.public, nil } //nolint:unparam // a jwt.Keyfunc
	add(structClaims, func(_ context.Context, token string) error {
		_, err := parser.ParseWithClaims(token, &accessClaims{}, key)
		return err
	}, token)
	add("golang-jwt, map claims", func(_ context.Context, token string) error { _, err := parser.Parse(token, key); return err }, token)
	for _, peer := range peers.All[1:] {
		add(peer.Name, must(peer.Start(ctx, peers.Of(p.Issuer))), token)
	}
	for _, invalid := range []struct{ name, token string }{
		{"malformed: 8 KiB of letters", strings.Repeat("x", 8<<10)},
		{"malformed: 100,000 dots", strings.Repeat(".", 100_000)},
		{"malformed: header not JSON", p.token(1, devissuer.Raw("swordfish", ""))},
		{"alg none", unsigned(p.token(1, devissuer.Header("alg", "none")))},
		{"longer than 16 KiB", p.tokens[0] + strings.Repeat("A", 16<<10)},
		{"unknown key id", p.token(1, devissuer.UnknownKey(), devissuer.Header("kid", "another"))},
		{"forged signature", p.tokens[0][:strings.LastIndexByte(p.tokens[0], '.')] + p.tokens[1][strings.LastIndexByte(p.tokens[1], '.'):]},
	} {
		list = append(list, subject{table: refusals, name: invalid.name, do: func() {
			if _, err := cached.ValidateToken(ctx, invalid.token); !errors.Is(err, sso.ErrInvalidToken) {
				panic("speed: " + invalid.name + " is not refused")
			}
		}})
	}
	return list
}

// addAlgorithms lists the verification of a new token by each algorithm, and by long RSA keys.
func addAlgorithms(ctx context.Context, list []subject) []subject {
	const issuer = "https://issuer.example"
	add := func(name, algorithm string, private crypto.Signer) {
		source := must(keys.Static(keys.Key{ID: "a", Public: private.Public()}))
		a := must(sso.New(sso.Config{
			Keys: source, Issuer: issuer, Audience: []string{audience}, Algorithms: []string{algorithm}, TokenCache: -1,
			Logger: slog.New(slog.DiscardHandler),
		}))
		context.AfterFunc(ctx, func() { _ = a.Close() })
		t := jwt.NewWithClaims(jwt.GetSigningMethod(algorithm), jwt.MapClaims{
			"iss": issuer, "aud": audience, "exp": time.Now().Add(24 * time.Hour).Unix(), "tenant": strings.Repeat("x", tokenBytes/2),
		})
		t.Header["kid"] = "a"
		token := must(t.SignedString(private))
		list = append(list, subject{table: algorithms, name: name, do: func() { must(a.ValidateToken(ctx, token)) }})
	}
	for _, bits := range []int{2048, 4096} {
		key := must(rsa.GenerateKey(rand.Reader, bits))
		add(fmt.Sprintf("RS256, %d bits", bits), "RS256", key)
		if bits == 2048 {
			add("PS256, 2048 bits", "PS256", key)
		}
	}
	for algorithm, curve := range map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521()} {
		add(algorithm, algorithm, must(ecdsa.GenerateKey(curve, rand.Reader)))
	}
	_, private, err := ed25519.GenerateKey(rand.Reader)
	add("EdDSA", "EdDSA", must(private, err))
	return list
}

// unsigned removes the signature of a token.
func unsigned(token string) string { return token[:strings.LastIndexByte(token, '.')+1] }

type accessClaims struct {
	jwt.RegisteredClaims
	AZP         string         `json:"azp"`
	AuthTime    int64          `json:"auth_time"`
	ClientID    string         `json:"client_id"`
	Scope       string         `json:"scope"`
	Email       string         `json:"email"`
	Name        string         `json:"name"`
	Permissions map[string]any `json:"permissions"`
	Tenant      string         `json:"tenant"`
}
