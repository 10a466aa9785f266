package ssotest

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/keys"
	"github.com/more-retail/moresso-go/core/sso"
)

// NewPrincipal returns the principal of a token with these options, as an authenticator with default
// settings makes it. It panics if the authenticator rejects the token, for instance because it has
// expired. The audience and the issuer may be any.
//
//	clerk := ssotest.NewPrincipal(devissuer.Subject("grace"), devissuer.Permission("orders.role", "clerk"))
//
// Use it with [Request], [Context] and [Access]. It opens no route.
func NewPrincipal(opts ...devissuer.TokenOption) *sso.Principal {
	issuer, err := devissuer.New(FastKeys())
	if err != nil {
		panic("ssotest: " + err.Error())
	}
	defer issuer.Close() //nolint:errcheck // it has not served
	principal, err := principalOf(issuer, &sso.Config{Now: time.Now}, opts)
	if err != nil {
		panic("ssotest: NewPrincipal: " + err.Error())
	}
	return principal
}

// Principal is [NewPrincipal] for a token of this issuer: with its personas, its identifier, its
// audience and its clock. PermissionsClaim, RolesClaim, Wildcard, Leeway and TokenType are those
// of the latest [Issuer.Authenticator]. The test fails if the token is rejected.
func (i *Issuer) Principal(opts ...devissuer.TokenOption) *sso.Principal {
	i.t.Helper()
	settings := sso.Config{}
	if latest := i.settings.Load(); latest != nil {
		settings = *latest
	}
	settings.Now = i.Now
	principal, err := principalOf(i.Issuer, &settings, opts)
	if err != nil {
		i.t.Fatalf("ssotest: %v", err)
	}
	return principal
}

// contexts holds the context that the authenticator of a principal returned with it, by principal.
var contexts sync.Map

// principalOf mints a token and verifies it with an authenticator of its own. A guard relies only on
// its own authenticator's logins, and therefore not on this one.
func principalOf(issuer *devissuer.Issuer, settings *sso.Config, opts []devissuer.TokenOption) (*sso.Principal, error) {
	token, err := issuer.Token(opts...)
	if err != nil {
		return nil, err
	}
	published, err := keys.JWKS(string(issuer.JWKS()))
	if err != nil {
		return nil, err
	}
	cfg := sso.Config{
		Keys: published, Algorithms: []string{issuer.Algorithm()}, Now: settings.Now, Logger: slog.New(slog.DiscardHandler), TokenCache: -1,
		PermissionsClaim: settings.PermissionsClaim, RolesClaim: settings.RolesClaim, Wildcard: settings.Wildcard, Leeway: settings.Leeway,
		TokenType: settings.TokenType,
	}
	cfg.Issuer, cfg.Audience = addressed(issuer, token)
	auth, err := sso.New(cfg)
	if err != nil {
		return nil, fmt.Errorf("the token with these claims is rejected: %w", err)
	}
	defer auth.Close() //nolint:errcheck // nothing is in flight
	ctx, err := auth.Authenticate(context.Background(), bearerRequest(token))
	if err != nil {
		return nil, fmt.Errorf("the token with these claims is rejected: %w", err)
	}
	principal, _ := sso.FromContext(ctx)
	contexts.Store(principal, ctx)
	return principal, nil
}

// addressed returns the issuer and the audience of a token, and those of its issuer where the token
// has none.
func addressed(issuer *devissuer.Issuer, token string) (iss string, aud []string) {
	payload, _ := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1]) // canonical
	var claims struct {
		Issuer   string          `json:"iss"`
		Audience json.RawMessage `json:"aud"`
	}
	_ = json.Unmarshal(payload, &claims) // the authenticator reports what is wrong
	var one string
	if json.Unmarshal(claims.Audience, &aud) != nil && json.Unmarshal(claims.Audience, &one) == nil {
		aud = []string{one}
	}
	if len(aud) == 0 {
		aud = issuer.Audience()
	}
	return cmp.Or(claims.Issuer, issuer.URL()), aud
}

// bearerRequest is a request with a token in its Authorization field.
type bearerRequest string

func (bearerRequest) Method() string          { return http.MethodGet }
func (bearerRequest) Pattern() string         { return "/" }
func (bearerRequest) PathValue(string) string { return "" }
func (bearerRequest) Host() string            { return "" }
func (bearerRequest) RequestURI() string      { return "/" }

func (r bearerRequest) Header(name string) (first string, n int) {
	if name != "Authorization" {
		return "", 0
	}
	return "Bearer " + string(r), 1
}

// Context returns a context in which [sso.FromContext] and the Principal functions of the adapters
// find a principal of [NewPrincipal] or [Issuer.Principal]. It panics for another principal. If
// principal is nil, it returns ctx.
//
// It is not an authentication: an adapter's Authenticate, Require and Optional, and the methods of
// an [sso.Authenticator], do not rely on it.
func Context(ctx context.Context, principal *sso.Principal) context.Context {
	if principal == nil {
		return ctx
	}
	verified, ok := contexts.Load(principal)
	if !ok {
		panic("ssotest: Context requires a principal of NewPrincipal or Issuer.Principal; for any other, guard the handler and send a token")
	}
	return principalContext{ctx, verified.(context.Context)} //nolint:errcheck // contexts has no other type
}

// principalContext is a context with the login of another.
type principalContext struct {
	context.Context
	verified context.Context
}

func (c principalContext) Value(key any) any {
	if value := c.verified.Value(key); value != nil {
		return value
	}
	return c.Context.Value(key)
}
