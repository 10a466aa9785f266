// Package echosso lets Echo v4 services accept the company's single sign-on.
//
//	cfg, err := sso.ConfigFromEnv() // SSO_ISSUER and SSO_AUDIENCE
//	// handle err
//	auth, err := sso.New(cfg)
//	// handle err
//	guard := echosso.New(auth)
//	e.GET("/orders", listOrders, guard.Require(permission.Has("orders.read")))
//
// Handlers get the principal by [Principal], other code by [sso.FromContext].
//
// Refusals are written here and do not reach the server's HTTPErrorHandler. Add CORS middleware before
// the guard. See package adapter for several guards on one route.
package echosso

import (
	"context"
	"maps"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"github.com/more-retail/moresso-go/core/adapter"
	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
)

// Guard creates middleware. Create it with [New]. It is safe for concurrent use.
type Guard struct {
	auth   *sso.Authenticator
	denied func(echo.Context, sso.Denial)
}

// Option configures [New]. A later option overrides an earlier one of the same kind.
type Option func(*Guard)

// WithDenied lets you write refusals. When write is called, the denial's status and headers except
// Content-Type are set. If write writes nothing or panics, the denial is sent. Default: the denial is
// sent.
func WithDenied(write func(echo.Context, sso.Denial)) Option {
	return func(g *Guard) { g.denied = write }
}

// WithTokenFrom reads the token from these sources: [sso.TokenFromHeader], [sso.TokenFromCookie],
// [sso.InsecureTokenFromQuery], or the zero [sso.TokenSource] for the Authorization field. A request
// with a value in two of them is refused. WithTokenFrom panics without a source. Default: the
// Authorization field.
func WithTokenFrom(sources ...sso.TokenSource) Option {
	return func(g *Guard) { g.auth = g.auth.TokenFrom(sources...) }
}

// WithTokenInContext keeps a copy of each token in the context of c.Request(), where [sso.TokenFromContext]
// finds it. Use it only in a service that must forward tokens. Default: handlers do not get the token.
func WithTokenInContext() Option {
	return func(g *Guard) { g.auth = g.auth.TokenInContext() }
}

// New returns a [Guard]. It panics if a is nil. The caller must close a.
func New(a *sso.Authenticator, opts ...Option) *Guard {
	if a == nil {
		panic("echosso: New with a nil *sso.Authenticator: create one with sso.New")
	}
	g := &Guard{auth: a}
	for _, opt := range opts {
		opt(g)
	}
	return g
}

// Authenticate returns middleware that requires a valid token: 401 without one, 503 if it cannot be
// verified.
func (g *Guard) Authenticate() echo.MiddlewareFunc { return g.middleware(g.auth.Authenticate) }

// Require returns middleware that authenticates and requires all of the permissions: 401 without a
// valid token, 403 without a permission. It panics for an invalid permission; see
// [permission.ForRoute].
func (g *Guard) Require(p sso.Permission, more ...sso.Permission) echo.MiddlewareFunc {
	required := permission.ForRoute(p, more...)
	return g.middleware(func(ctx context.Context, r sso.Request) (context.Context, error) {
		return g.auth.Authorize(ctx, r, required)
	})
}

// Optional returns middleware that accepts requests without credentials as anonymous, also inside
// another guard. Credentials that are present must be valid: an expired token is refused, not
// treated as anonymous.
func (g *Guard) Optional() echo.MiddlewareFunc { return g.middleware(g.auth.AuthenticateOptional) }

// principalKey is the key of the principal in Echo's store; Echo's keys are strings.
const principalKey = "github.com/more-retail/moresso-go/echosso.principal"

// Principal returns the principal of the request; false for an anonymous request. Without a guard of
// this package it is the principal of the request's context: of a guard around the server, or of
// ssotest.Request in a test.
func Principal(c echo.Context) (*sso.Principal, bool) {
	principal, guarded := c.Get(principalKey).(*sso.Principal)
	if !guarded && c.Request() != nil {
		return sso.FromContext(c.Request().Context())
	}
	return principal, principal != nil
}

func (g *Guard) middleware(check func(context.Context, sso.Request) (context.Context, error)) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			ctx, err := check(c.Request().Context(), request{adapter.HTTPRequest{R: c.Request()}, c})
			if err != nil {
				return g.refuse(c, sso.DenialOf(err))
			}
			principal, _ := sso.FromContext(ctx)
			c.Set(principalKey, principal)
			c.SetRequest(c.Request().WithContext(ctx))
			return next(c)
		}
	}
}

func (g *Guard) refuse(c echo.Context, d sso.Denial) error {
	response := c.Response()
	if g.denied == nil {
		maps.Copy(response.Header(), d.Header)
		return c.Blob(d.Status, d.Header.Get("Content-Type"), d.Body)
	}
	plain := response.Writer
	response.Status = d.Status
	adapter.DrawHTTP(g.auth, plain, d, func(w http.ResponseWriter) {
		response.Writer = w // also for code that bypasses Echo
		g.denied(c, d)
	})
	response.Writer, response.Committed = plain, true
	return nil
}

// request implements [sso.Request] over an echo.Context.
type request struct {
	adapter.HTTPRequest
	c echo.Context
}

func (r request) Pattern() string { return r.c.Path() }

// PathValue decodes the value, which Echo does not do if the path as sent differs from its default
// encoding.
func (r request) PathValue(name string) string {
	if r.c.Request().URL.RawPath == "" {
		return r.c.Param(name)
	}
	value, _ := url.PathUnescape(r.c.Param(name)) // undecodable values are empty
	return value
}
