// Package ginsso lets Gin services accept the company's single sign-on.
//
//	cfg, err := sso.ConfigFromEnv() // SSO_ISSUER and SSO_AUDIENCE
//	if err != nil {
//		return err
//	}
//	auth, err := sso.New(cfg)
//	if err != nil {
//		return err
//	}
//	guard := ginsso.New(auth)
//	router.GET("/orders", guard.Require(permission.Has("orders.read")), listOrders)
//
// [Guard.Authenticate] demands a good token, [Guard.Require] a permission as well (it
// authenticates by itself), [Guard.Optional] lets requests without credentials pass. They can
// stand on the engine, on a group or on a route. Handlers find the principal by [Principal],
// and whatever sees only the request's context by [sso.FromContext]; with the engine's
// ContextWithFallback, the *gin.Context itself will do for that.
//
// Gin gives a route the middleware that was added before it: add the guard to the engine or
// the group before the routes. Put CORS middleware before it, so that preflights, which carry
// no token, are answered first.
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
package ginsso

import (
	"context"
	"maps"

	"github.com/gin-gonic/gin"

	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
)

// Guard makes middleware, by [Guard.Authenticate], [Guard.Require] and [Guard.Optional]. It is made by
// [New], and safe for concurrent use.
type Guard struct {
	auth   *sso.Authenticator
	denied func(*gin.Context, sso.Denial)
}

// Option changes a [Guard]: [WithDenied], [WithTokenFrom]. They apply in the order given, and the
// later of two of a kind counts.
type Option func(*Guard)

// WithDenied draws refusals by a function of yours. The request is aborted, the refusal's
// status is set, and so are its headers but Content-Type. If the function writes nothing or
// panics, the standard refusal goes out.
func WithDenied(draw func(*gin.Context, sso.Denial)) Option {
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
		panic("ginsso: New with a nil *sso.Authenticator: make one by sso.New")
	}
	g := &Guard{auth: a}
	for _, opt := range opts {
		opt(g)
	}
	return g
}

// Authenticate is middleware that demands a good token: 401 without, 503 while nobody can tell.
func (g *Guard) Authenticate() gin.HandlerFunc { return g.middleware(g.auth.Authenticate) }

// Require is middleware that demands all of the permissions; it authenticates first. It panics
// for a permission that cannot mean anything; see [permission.ForRoute]. Without a token it answers
// 401, with a good token that lacks one of them 403.
func (g *Guard) Require(p sso.Permission, more ...sso.Permission) gin.HandlerFunc {
	demanded := permission.ForRoute(p, more...)
	return g.middleware(func(ctx context.Context, r sso.Request) (context.Context, error) {
		return g.auth.Authorize(ctx, r, demanded)
	})
}

// Optional is middleware that lets requests without an Authorization header, or without anything in
// the places of [WithTokenFrom], pass without a principal, whoever was found before. Anything else
// that is not a good token is refused: an expired one does not make somebody a stranger.
func (g *Guard) Optional() gin.HandlerFunc { return g.middleware(g.auth.AuthenticateOptional) }

type principalKey struct{}

// Principal returns whom the request's token speaks for; false for an anonymous request. Where no
// guard of this package has been, it is the principal of the request's context, if there is one: of
// a guard around the engine, or of ssotest.Request in a test.
func Principal(c *gin.Context) (*sso.Principal, bool) {
	value, guarded := c.Get(principalKey{})
	if !guarded && c.Request != nil {
		return sso.FromContext(c.Request.Context())
	}
	principal, _ := value.(*sso.Principal)
	return principal, principal != nil
}

func (g *Guard) middleware(check func(context.Context, sso.Request) (context.Context, error)) gin.HandlerFunc {
	return func(c *gin.Context) {
		ctx, err := check(c.Request.Context(), request{c})
		if err != nil {
			g.refuse(c, sso.DenialOf(err))
			return
		}
		principal, _ := sso.FromContext(ctx)
		c.Set(principalKey{}, principal)
		c.Request = c.Request.WithContext(ctx)
	}
}

func (g *Guard) refuse(c *gin.Context, d sso.Denial) {
	c.Abort() // Gin runs the handler unless it is told not to
	standard := func() {
		maps.Copy(c.Writer.Header(), d.Header)
		c.Data(d.Status, d.Header.Get("Content-Type"), d.Body)
	}
	if g.denied == nil {
		standard()
		return
	}
	maps.Copy(c.Writer.Header(), d.Header)
	c.Writer.Header().Del("Content-Type")
	c.Status(d.Status)
	written := func() bool { return c.Writer.Written() || c.Writer.Status() != d.Status }
	g.auth.Draw(c.Request.Context(), func() { g.denied(c, d) }, written, c.Writer.Written, standard)
	c.Writer.WriteHeaderNow()
}

// request is what the core reads of a *gin.Context.
type request struct{ c *gin.Context }

func (r request) http() sso.HTTPRequest { return sso.HTTPRequest{R: r.c.Request} }

func (r request) Method() string                   { return r.http().Method() }
func (r request) Header(name string) (string, int) { return r.http().Header(name) }
func (r request) Host() string                     { return r.http().Host() }
func (r request) RequestURI() string               { return r.http().RequestURI() }
func (r request) Pattern() string                  { return r.c.FullPath() }

// PathValue decodes, as Gin itself does not with UseRawPath and without UnescapePathValues.
func (r request) PathValue(name string) string { return r.http().Decode(r.c.Param(name)) }
