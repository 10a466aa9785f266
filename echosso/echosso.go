// Package echosso lets Echo services accept the company's single sign-on.
//
//	cfg, err := sso.ConfigFromEnv() // SSO_ISSUER and SSO_AUDIENCE
//	if err != nil {
//		return err
//	}
//	auth, err := sso.New(cfg)
//	if err != nil {
//		return err
//	}
//	guard := echosso.New(auth)
//	e.GET("/orders", listOrders, guard.Require(permission.Has("orders.read")))
//
// [Guard.Authenticate] demands a good token, [Guard.Require] a permission as well (it
// authenticates by itself), [Guard.Optional] lets requests without credentials pass. They can
// stand on the server, on a group or on a route. Handlers find the principal by [Principal],
// and whatever sees only the request's context by [sso.FromContext].
//
// Refusals are written here and never become errors, so that the server's HTTPErrorHandler
// sees the handlers' own errors only. An Echo group gives its middleware to the routes added
// after it. Put CORS middleware before the guard, so that preflights, which carry no token, are
// answered first.
//
// # Several guards on one way
//
// Each guard on the way of a request decides for itself, the outermost first, and the first that
// refuses answers; no later one opens again what an earlier one closed. So Optional outside and
// Require inside demands a permission, and Require inside Authenticate verifies the token once. A
// guard of another [sso.Authenticator] demands a good token of its own, and handlers find the
// principal of the innermost. Within a guard the order is that of package sso: the credential, the
// token, its session, the permissions.
//
// # How a refusal looks
//
// It is the standard answer of [sso.DenialOf], drawn by [sso.Config].Renderer if there is one, and
// last by [WithDenied]. The cause is in the log alone.
package echosso

import (
	"context"
	"maps"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
)

// Guard makes middleware, by [Guard.Authenticate], [Guard.Require] and [Guard.Optional]. It is made by
// [New], and safe for concurrent use.
type Guard struct {
	auth   *sso.Authenticator
	denied func(echo.Context, sso.Denial)
}

// Option changes a [Guard]: [WithDenied], [WithTokenFrom]. They apply in the order given, and the
// later of two of a kind counts.
type Option func(*Guard)

// WithDenied draws refusals by a function of yours. The refusal's status is set, and so are
// its headers but Content-Type. If the function writes nothing or panics, the standard refusal
// goes out.
func WithDenied(draw func(echo.Context, sso.Denial)) Option {
	return func(g *Guard) { g.denied = draw }
}

// WithTokenFrom reads the token from these places instead of the Authorization field, of which
// one at most may hold something: [sso.TokenFromAuthorization], [sso.TokenFromHeader],
// [sso.TokenFromCookie], [sso.InsecureTokenFromQuery]. It panics without a source.
// Default: [sso.TokenFromAuthorization].
func WithTokenFrom(sources ...sso.TokenSource) Option {
	return func(g *Guard) { g.auth = g.auth.TokenFrom(sources...) }
}

// New makes a [Guard] that asks this authenticator. It panics for a nil one. It does not close it.
func New(a *sso.Authenticator, opts ...Option) *Guard {
	if a == nil {
		panic("echosso: New with a nil *sso.Authenticator: make one by sso.New")
	}
	g := &Guard{auth: a}
	for _, opt := range opts {
		opt(g)
	}
	return g
}

// Authenticate is middleware that demands a good token: 401 without, 503 while nobody can tell.
func (g *Guard) Authenticate() echo.MiddlewareFunc { return g.middleware(g.auth.Authenticate) }

// Require is middleware that demands all of the permissions; it authenticates first. It panics
// for a permission that cannot mean anything; see [permission.ForRoute]. Without a token it answers
// 401, with a good token that lacks one of them 403.
func (g *Guard) Require(p sso.Permission, more ...sso.Permission) echo.MiddlewareFunc {
	demanded := permission.ForRoute(p, more...)
	return g.middleware(func(ctx context.Context, r sso.Request) (context.Context, error) {
		return g.auth.Authorize(ctx, r, demanded)
	})
}

// Optional is middleware that lets requests without an Authorization header, or without anything in
// the places of [WithTokenFrom], pass without a principal, whoever was found before. Anything else
// that is not a good token is refused: an expired one does not make somebody a stranger.
func (g *Guard) Optional() echo.MiddlewareFunc { return g.middleware(g.auth.AuthenticateOptional) }

// principalKey is where Echo's store has the principal; Echo's keys are strings.
const principalKey = "github.com/more-retail/moresso-go/echosso.principal"

// Principal returns whom the request's token speaks for; false for an anonymous request. Where no
// guard of this package has been, it is the principal of the request's context, if there is one: of
// a guard around the whole, or of ssotest.Request in a test.
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
			ctx, err := check(c.Request().Context(), request{sso.HTTPRequest{R: c.Request()}, c})
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
	g.auth.DrawHTTP(c.Request().Context(), plain, d, func(w http.ResponseWriter) {
		response.Writer = w // what writes past Echo keeps the status too
		g.denied(c, d)
	})
	response.Writer, response.Committed = plain, true
	return nil
}

// request is what the core reads of an echo.Context.
type request struct {
	sso.HTTPRequest
	c echo.Context
}

func (r request) Pattern() string { return r.c.Path() }

// PathValue decodes, as Echo itself does not where the path was not in its plainest form.
func (r request) PathValue(name string) string {
	if r.c.Request().URL.RawPath == "" {
		return r.c.Param(name)
	}
	value, _ := url.PathUnescape(r.c.Param(name)) // what cannot be decoded is nothing
	return value
}
