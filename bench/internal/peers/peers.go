// Package peers sets up this library and its peers as their documentation recommends, with their
// defaults.
package peers

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/MicahParks/keyfunc/v3"
	jwtmiddleware "github.com/auth0/go-jwt-middleware/v3"
	"github.com/auth0/go-jwt-middleware/v3/jwks"
	"github.com/auth0/go-jwt-middleware/v3/validator"
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

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/sso"
)

// A Peer is a library that verifies tokens.
type Peer struct {
	Name    string
	Modules []string // the modules whose versions are reported
	// Start does what a service does before it listens. Its goroutines end with ctx.
	Start func(ctx context.Context, p Provider) (Verifier, error)
}

// A Verifier accepts a token by returning nil. A library that writes the HTTP response returns a
// [StatusError].
type Verifier func(ctx context.Context, token string) error

// Provider is the configuration of a service.
type Provider struct {
	KeysURL, Issuer, Audience, Algorithm string
	// Client is the only client that reaches the provider.
	Client *http.Client
}

// Of returns the provider for a development issuer.
func Of(issuer *devissuer.Issuer) Provider {
	return Provider{issuer.JWKSURL(), issuer.URL(), issuer.Audience()[0], issuer.Algorithm(), issuer.Client()}
}

// A StatusError is the status of the response with which a library refuses a request.
type StatusError int

func (e StatusError) Error() string { return fmt.Sprintf("status %d", int(e)) }

// All lists this library, first, and its peers.
var All = []Peer{
	{"moresso-go", []string{"github.com/more-retail/moresso-go/core"}, startMoresso},
	{"keyfunc", []string{"github.com/MicahParks/keyfunc/v3", "github.com/MicahParks/jwkset"}, startKeyfunc},
	{"auth0", []string{"github.com/auth0/go-jwt-middleware/v3"}, startAuth0},
	{"go-oidc", []string{"github.com/coreos/go-oidc/v3"}, startGoOIDC},
	{"cap", []string{"github.com/hashicorp/cap"}, startCap},
	{"zitadel", []string{"github.com/zitadel/oidc/v3"}, startZitadel},
	{"jwx", []string{"github.com/lestrrat-go/jwx/v3", "github.com/lestrrat-go/httprc/v3"}, startJWX},
	{"xenitab", []string{"github.com/xenitab/go-oidc-middleware", "github.com/xenitab/go-oidc-middleware/oidchttp"}, startXenitAB},
}

// Versions lists the versions of Go, of the peers, and of other modules that are linked into the
// program.
func Versions(modules ...string) string {
	for _, p := range All {
		modules = append(modules, p.Modules...)
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	list := []string{info.GoVersion}
	for _, m := range info.Deps {
		switch {
		case !slices.Contains(modules, m.Path):
		case m.Replace != nil:
			list = append(list, m.Path+" (this tree)")
		default:
			list = append(list, m.Path+" "+m.Version)
		}
	}
	return "- " + strings.Join(list, "\n- ") + "\n"
}

func startMoresso(ctx context.Context, p Provider) (Verifier, error) {
	a, err := sso.New(sso.Config{ //nolint:contextcheck // New does no I/O
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

// startKeyfunc does what keyfunc.NewDefaultCtx does, with another client.
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

func startAuth0(_ context.Context, p Provider) (Verifier, error) {
	middleware, err := Auth0(p)
	if err != nil {
		return nil, err
	}
	return handled(middleware), nil
}

// Auth0 returns the middleware of auth0. The client gets the timeout of auth0's default client.
func Auth0(p Provider) (func(http.Handler) http.Handler, error) {
	issuer, err := url.Parse(p.Issuer)
	if err != nil {
		return nil, err
	}
	keysURL, err := url.Parse(p.KeysURL)
	if err != nil {
		return nil, err
	}
	p.Client.Timeout = 30 * time.Second
	caching, err := jwks.NewCachingProvider(jwks.WithIssuerURL(issuer), jwks.WithCustomJWKSURI(keysURL), jwks.WithCustomClient(p.Client))
	if err != nil {
		return nil, err
	}
	v, err := validator.New(validator.WithKeyFunc(caching.KeyFunc), validator.WithAlgorithm(validator.SignatureAlgorithm(p.Algorithm)),
		validator.WithIssuer(p.Issuer), validator.WithAudience(p.Audience))
	if err != nil {
		return nil, err
	}
	middleware, err := jwtmiddleware.New(jwtmiddleware.WithValidator(v))
	if err != nil {
		return nil, err
	}
	return middleware.CheckJWT, nil
}

// handled returns the verifier of a middleware for net/http.
func handled(middleware func(http.Handler) http.Handler) Verifier {
	guarded := middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	return func(ctx context.Context, token string) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "/", http.NoBody)
		if err != nil {
			return err
		}
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

// startZitadel gives the client the timeout of zitadel's default client.
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

// startXenitAB names the algorithm, as its documentation requires for keys without alg.
func startXenitAB(_ context.Context, p Provider) (Verifier, error) {
	return handled(func(next http.Handler) http.Handler {
		return oidchttp.New[map[string]any](next, nil,
			options.WithIssuer(p.Issuer), options.WithJwksUri(p.KeysURL), options.WithRequiredAudience(p.Audience),
			options.WithFallbackSignatureAlgorithm(p.Algorithm), options.WithLazyLoadJwks(true), options.WithHttpClient(p.Client))
	}), nil
}
