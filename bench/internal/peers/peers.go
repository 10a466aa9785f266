// Package peers holds this library and its peers, each as its documentation recommends, with its
// defaults, for what compares them.
package peers

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"time"

	"github.com/MicahParks/keyfunc/v3"
	jwtmiddleware "github.com/auth0/go-jwt-middleware/v2"
	"github.com/auth0/go-jwt-middleware/v2/jwks"
	"github.com/auth0/go-jwt-middleware/v2/validator"
	coreos "github.com/coreos/go-oidc/v3/oidc"
	golangjwt "github.com/golang-jwt/jwt/v5"
	capjwt "github.com/hashicorp/cap/jwt"
	"github.com/lestrrat-go/httprc/v3"
	"github.com/lestrrat-go/jwx/v3/jwk"
	jwxjwt "github.com/lestrrat-go/jwx/v3/jwt"
	"github.com/xenitab/go-oidc-middleware/oidchttp"
	"github.com/xenitab/go-oidc-middleware/options"
	"github.com/zitadel/oidc/v3/pkg/client/rp"
	httphelper "github.com/zitadel/oidc/v3/pkg/http"
	zitadel "github.com/zitadel/oidc/v3/pkg/oidc"

	"github.com/more-retail/moresso-go/core/sso"
)

// Peer is a library in the setting that its documentation recommends, with its defaults.
type Peer struct {
	Name    string
	Modules []string // whose versions are shown, the library's own first
	// Start does what a service does before it listens. What it starts ends with ctx.
	Start func(ctx context.Context, p Provider) (Verifier, error)
}

// Verifier accepts a token by returning nil. A library that speaks HTTP itself returns StatusError.
type Verifier func(ctx context.Context, token string) error

// Provider is what a service knows of its identity provider.
type Provider struct {
	KeysURL, Issuer, Audience string
	// Algorithm is the one that it signs with.
	Algorithm string
	// Client is the only way to reach it.
	Client *http.Client
}

// A StatusError is the status with which a library itself refuses a request.
type StatusError int

func (e StatusError) Error() string { return fmt.Sprintf("answered %d", int(e)) }

// All are this library, first, and its peers.
var All = []Peer{
	{"moresso-go", []string{"github.com/more-retail/moresso-go/core"}, startMoresso},
	{"keyfunc", []string{"github.com/MicahParks/keyfunc/v3", "github.com/MicahParks/jwkset"}, startKeyfunc},
	{"auth0", []string{"github.com/auth0/go-jwt-middleware/v2"}, startAuth0},
	{"go-oidc", []string{"github.com/coreos/go-oidc/v3"}, startGoOIDC},
	{"cap", []string{"github.com/hashicorp/cap", "github.com/coreos/go-oidc/v3"}, startCap},
	{"zitadel", []string{"github.com/zitadel/oidc/v3"}, startZitadel},
	{"jwx", []string{"github.com/lestrrat-go/jwx/v3", "github.com/lestrrat-go/httprc/v3"}, startJWX},
	{"xenitab", []string{"github.com/xenitab/go-oidc-middleware", "github.com/xenitab/go-oidc-middleware/oidchttp"}, startXenitAB},
}

func startMoresso(ctx context.Context, p Provider) (Verifier, error) {
	a, err := sso.New(sso.Config{ //nolint:contextcheck // it does no I/O
		PublicKeyURI: p.KeysURL,
		Issuer:       p.Issuer,
		Audience:     []string{p.Audience},
		Algorithms:   []string{p.Algorithm},
		HTTPClient:   p.Client,
		Logger:       slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { _ = a.Close() })
	return func(ctx context.Context, token string) error {
		if _, err := a.ValidateToken(ctx, token); err != nil {
			return StatusError(sso.DenialOf(err).Status)
		}
		return nil
	}, nil
}

// startKeyfunc is NewDefaultCtx with a client given; the other defaults are the same.
func startKeyfunc(ctx context.Context, p Provider) (Verifier, error) {
	k, err := keyfunc.NewDefaultOverrideCtx(ctx, []string{p.KeysURL}, keyfunc.Override{Client: p.Client})
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, token string) error {
		_, err := golangjwt.Parse(token, k.KeyfuncCtx(ctx),
			golangjwt.WithValidMethods([]string{p.Algorithm}), golangjwt.WithIssuer(p.Issuer), golangjwt.WithAudience(p.Audience))
		return err
	}, nil
}

// startAuth0 keeps keys for the five minutes of auth0's quickstart.
func startAuth0(_ context.Context, p Provider) (Verifier, error) {
	issuer, err := url.Parse(p.Issuer)
	if err != nil {
		return nil, err
	}
	keysURL, err := url.Parse(p.KeysURL)
	if err != nil {
		return nil, err
	}
	caching := jwks.NewCachingProvider(issuer, 5*time.Minute, jwks.WithCustomJWKSURI(keysURL), jwks.WithCustomClient(p.Client))
	v, err := validator.New(caching.KeyFunc, validator.SignatureAlgorithm(p.Algorithm), p.Issuer, []string{p.Audience})
	if err != nil {
		return nil, err
	}
	return answering(jwtmiddleware.New(v.ValidateToken).CheckJWT), nil
}

// answering is the verifier of a middleware for net/http.
func answering(middleware func(http.Handler) http.Handler) Verifier {
	guarded := middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	return func(ctx context.Context, token string) error {
		request := httptest.NewRequestWithContext(ctx, http.MethodGet, "/", http.NoBody)
		request.Header.Set("Authorization", "Bearer "+token)
		response := httptest.NewRecorder()
		guarded.ServeHTTP(response, request)
		if response.Code != http.StatusOK {
			return StatusError(response.Code)
		}
		return nil
	}
}

func startGoOIDC(ctx context.Context, p Provider) (Verifier, error) {
	keySet := coreos.NewRemoteKeySet(coreos.ClientContext(ctx, p.Client), p.KeysURL)
	v := coreos.NewVerifier(p.Issuer, keySet, &coreos.Config{ClientID: p.Audience, SupportedSigningAlgs: []string{p.Algorithm}})
	return func(ctx context.Context, token string) error {
		_, err := v.Verify(ctx, token)
		return err
	}, nil
}

func startCap(ctx context.Context, p Provider) (Verifier, error) {
	keySet, err := capjwt.NewJSONWebKeySet(coreos.ClientContext(ctx, p.Client), p.KeysURL, "")
	if err != nil {
		return nil, err
	}
	v, err := capjwt.NewValidator(keySet)
	if err != nil {
		return nil, err
	}
	expected := capjwt.Expected{Issuer: p.Issuer, Audiences: []string{p.Audience}, SigningAlgorithms: []capjwt.Alg{capjwt.Alg(p.Algorithm)}}
	return func(ctx context.Context, token string) error {
		_, err := v.Validate(ctx, token, expected)
		return err
	}, nil
}

// startZitadel gives the client the limit that zitadel's own default client has.
func startZitadel(_ context.Context, p Provider) (Verifier, error) {
	p.Client.Timeout = httphelper.DefaultHTTPClient.Timeout
	v := rp.NewIDTokenVerifier(p.Issuer, p.Audience, rp.NewRemoteKeySet(p.Client, p.KeysURL), rp.WithSupportedSigningAlgorithms(p.Algorithm))
	return func(ctx context.Context, token string) error {
		_, err := rp.VerifyIDToken[*zitadel.IDTokenClaims](ctx, token, v)
		return err
	}, nil
}

func startJWX(ctx context.Context, p Provider) (Verifier, error) {
	cache, err := jwk.NewCache(ctx, httprc.NewClient())
	if err != nil {
		return nil, err
	}
	if err := cache.Register(ctx, p.KeysURL, jwk.WithHTTPClient(jwk.WrapHTTPClientDefaults(p.Client))); err != nil {
		return nil, err
	}
	keySet, err := cache.CachedSet(p.KeysURL)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, token string) error {
		_, err := jwxjwt.Parse([]byte(token), jwxjwt.WithContext(ctx),
			jwxjwt.WithKeySet(keySet), jwxjwt.WithIssuer(p.Issuer), jwxjwt.WithAudience(p.Audience))
		return err
	}, nil
}

// startXenitAB names the algorithm, as its documentation asks for where a key set tells none.
func startXenitAB(_ context.Context, p Provider) (Verifier, error) {
	return answering(func(next http.Handler) http.Handler {
		return oidchttp.New[map[string]any](next, nil,
			options.WithIssuer(p.Issuer), options.WithJwksUri(p.KeysURL), options.WithRequiredAudience(p.Audience),
			options.WithFallbackSignatureAlgorithm(p.Algorithm), options.WithLazyLoadJwks(true), options.WithHttpClient(p.Client))
	}), nil
}
