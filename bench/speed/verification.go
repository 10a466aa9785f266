package main

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/auth0/go-jwt-middleware/v2/validator"
	"github.com/go-jose/go-jose/v4"
	josejwt "github.com/go-jose/go-jose/v4/jwt"
	"github.com/golang-jwt/jwt/v5"
	kataras "github.com/kataras/jwt"

	"github.com/more-retail/moresso-go/bench/internal/peers"
	"github.com/more-retail/moresso-go/core/sso"
)

// oursCold and so on are the subjects that the goals are about.
const (
	anchor      = "crypto/rsa.VerifyPKCS1v15"
	digestOnly  = "SHA-256 of the token"
	oursCold    = "moresso-go, a new token"
	oursWarm    = "moresso-go, a known token"
	oursWarm1k  = "moresso-go, 1,000 known tokens in turn"
	forged      = "a forged signature"
	unknownKey  = "an unknown key id"
	notOurToken = "refused: "
)

// measureVerification measures one verification without any framework, and refusals.
func measureVerification(ctx context.Context, m *material, e effort, r *report) error {
	token := m.tokens[0]
	digest, signature := signed(token)
	raw := []byte(token)
	must := func(err error) {
		if err != nil {
			panic("speed: " + err.Error())
		}
	}
	subjects := []subject{
		{anchor, func() { must(rsa.VerifyPKCS1v15(&m.key.PublicKey, crypto.SHA256, digest[:], signature)) }},
		{digestOnly, func() {
			if sha256.Sum256(raw) == digest { // which is of a part of it: the result is used, or it might not be computed
				panic("speed: two texts of one digest")
			}
		}},
	}
	ours := func(name string, a *sso.Authenticator, tokens ...string) {
		i := 0
		subjects = append(subjects, subject{name, func() {
			_, err := a.ValidateToken(ctx, tokens[i%len(tokens)])
			must(err)
			i++
		}})
	}
	cold, warm := m.authenticator(noCache), m.authenticator(nil)
	for _, token := range m.tokens { // all are known before the first is timed
		_, err := warm.ValidateToken(ctx, token)
		must(err)
	}
	ours(oursCold, cold, token)
	ours(oursWarm, warm, token)
	ours(oursWarm1k, warm, m.tokens...)
	theirs, stop, err := m.peers(ctx)
	if err != nil {
		return err
	}
	defer stop()
	for _, p := range theirs {
		if err := p.verify(); err != nil {
			return fmt.Errorf("%s refuses the token: %w", p.name, err)
		}
		subjects = append(subjects, subject{p.name, func() { must(p.verify()) }})
	}
	r.verification = compare(e, subjects)
	r.tokenBytes = len(token)
	return measureRefusals(ctx, m, e, r, subjects[0])
}

// measureRefusals measures what is not let in, where known tokens come too.
func measureRefusals(ctx context.Context, m *material, e effort, r *report, anchor subject) error {
	fetches := 0
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fetches++
		_, _ = w.Write(m.jwks)
	}))
	defer provider.Close()
	a, err := sso.New(sso.Config{PublicKeyURI: provider.URL, Issuer: issuer, Audience: []string{audience}, Logger: quiet})
	if err != nil {
		return err
	}
	defer a.Close() //nolint:errcheck // nothing is open any more
	if _, err := a.ValidateToken(ctx, m.tokens[0]); err != nil {
		return err
	}
	parts := strings.Split(m.tokens[0], ".")
	bad := func(header map[string]any) string { return m.token(header, 1) }
	subjects := []subject{anchor}
	for _, c := range []struct{ name, token string }{
		{"malformed: 8 KiB of letters", strings.Repeat("x", 8<<10)},
		{"malformed: 100,000 dots", strings.Repeat(".", 100_000)},
		{"malformed: a header that is no JSON", base64.RawURLEncoding.EncodeToString([]byte("swordfish")) + "." + parts[1] + "." + parts[2]},
		{"alg: none", base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + parts[1] + "." + parts[2]},
		{"longer than 16 KiB", m.tokens[0] + strings.Repeat("A", 16<<10)},
		{unknownKey, bad(map[string]any{"alg": "RS256", "kid": "another", "typ": "JWT"})},
		{forged, m.tokens[0][:len(m.tokens[0])-len(parts[2])] + strings.Split(m.tokens[1], ".")[2]},
	} {
		var r sso.Request = bearer("Bearer " + c.token)
		subjects = append(subjects, subject{notOurToken + c.name, func() {
			if _, err := a.Authenticate(ctx, r); !errors.Is(err, sso.ErrInvalidToken) {
				panic(fmt.Sprintf("speed: %s: %v", c.name, err))
			}
		}})
	}
	if _, err := a.ValidateToken(ctx, subjectsUnknown(m)); err == nil {
		return errors.New("an unknown key id was accepted")
	}
	before := fetches
	r.refusals = compare(e, subjects)[1:]
	r.fetches = fetches - before
	return nil
}

// bearer is a request with nothing but its Authorization field.
type bearer string

func (bearer) Method() string                { return http.MethodGet }
func (bearer) Pattern() string               { return route }
func (bearer) PathValue(string) string       { return "" }
func (b bearer) Header(string) (string, int) { return string(b), 1 }

// subjectsUnknown is a token by a key that the provider does not have.
func subjectsUnknown(m *material) string {
	return m.token(map[string]any{"alg": "RS256", "kid": "another", "typ": "JWT"}, 1)
}

// peer is a library with its settings made, about to verify the reference token.
type peer struct {
	name   string
	verify func() error
}

// peers are those that can be had without a framework.
func (m *material) peers(ctx context.Context) (list []peer, stop func(), err error) {
	ctx, cancel := context.WithCancel(ctx)
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(m.jwks) }))
	stop = func() { cancel(); provider.Close() }
	token, public := m.tokens[0], &m.key.PublicKey
	keyOf := func(*jwt.Token) (any, error) { return public, nil } //nolint:unparam // a jwt.Keyfunc
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithIssuer(issuer), jwt.WithAudience(audience))
	auth0, err := validator.New(func(context.Context) (any, error) { return public, nil }, validator.RS256, issuer, []string{audience})
	if err != nil {
		return nil, stop, err
	}
	byID := kataras.Keys{}
	byID.Register(kataras.RS256, keyID, public, nil)
	list = []peer{
		{"golang-jwt, struct claims", func() error {
			_, err := parser.ParseWithClaims(token, &structClaims{}, keyOf)
			return err
		}},
		{"golang-jwt, map claims", func() error { _, err := parser.Parse(token, keyOf); return err }},
		{"kataras", func() error {
			var claims map[string]any
			return byID.VerifyToken([]byte(token), &claims, kataras.Expected{Issuer: issuer})
		}},
		{"go-jose", func() error {
			parsed, err := josejwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256})
			if err != nil {
				return err
			}
			var registered josejwt.Claims
			var all map[string]any
			if err := parsed.Claims(public, &registered, &all); err != nil {
				return err
			}
			return registered.Validate(josejwt.Expected{Issuer: issuer, AnyAudience: []string{audience}, Time: time.Now()})
		}},
		{"auth0", func() error { _, err := auth0.ValidateToken(ctx, token); return err }},
	}
	for _, p := range peers.All[1:] {
		switch p.Name {
		case "keyfunc", "go-oidc", "cap", "zitadel", "jwx":
			verify, err := p.Start(ctx, peers.Provider{KeysURL: provider.URL, Issuer: issuer, Audience: audience, Algorithm: "RS256", Client: provider.Client()})
			if err != nil {
				return nil, stop, fmt.Errorf("%s: %w", p.Name, err)
			}
			list = append(list, peer{p.Name, func() error { return verify(ctx, token) }})
		}
	}
	return list, stop, nil
}

type structClaims struct {
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
