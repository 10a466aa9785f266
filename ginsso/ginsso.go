// Package ginsso lets Gin services accept the company's single sign-on.
//
//	cfg, err := sso.ConfigFromEnv() // SSO_ISSUER and SSO_AUDIENCE
//	// handle err
//	auth, err := sso.New(cfg)
//	// handle err
//	guard := ginsso.New(auth)
//	router.GET("/orders", guard.Require(permission.Has("orders.read")), listOrders)
//
// Handlers get the principal by [Principal], other code by [sso.FromContext].
//
// Gin gives a route the middleware that was added before it: add a guard before the routes, and CORS
// middleware before the guard. See package adapter for several guards on one route.
package ginsso

import (
	"context"
	"maps"
	"net/url"
	"path"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/more-retail/moresso-go/core/adapter"
	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
)

// Guard creates middleware. Create it with [New]. It is safe for concurrent use.
type Guard struct {
	auth   *sso.Authenticator
	denied func(*gin.Context, sso.Denial)
}

// Option configures [New]. A later option overrides an earlier one of the same kind.
type Option func(*Guard)

// WithDenied lets you write refusals. When write is called the request is aborted, and the denial's
// status and headers except Content-Type are set. If write writes nothing or panics, the denial is
// sent. Default: the denial is sent.
func WithDenied(write func(*gin.Context, sso.Denial)) Option {
	return func(g *Guard) { g.denied = write }
}

// WithTokenFrom reads the token from these sources: [sso.TokenFromHeader], [sso.TokenFromCookie],
// [sso.InsecureTokenFromQuery], or the zero [sso.TokenSource] for the Authorization field. A request
// with a value in two of them is refused. WithTokenFrom panics without a source. Default: the
// Authorization field.
func WithTokenFrom(sources ...sso.TokenSource) Option {
	return func(g *Guard) { g.auth = g.auth.TokenFrom(sources...) }
}

// WithTokenInContext keeps a copy of each token in the context of c.Request, where [sso.TokenFromContext]
// finds it. Use it only in a service that must forward tokens. Default: handlers do not get the token.
func WithTokenInContext() Option {
	return func(g *Guard) { g.auth = g.auth.TokenInContext() }
}

// New returns a [Guard]. It panics if a is nil. The caller must close a.
func New(a *sso.Authenticator, opts ...Option) *Guard {
	if a == nil {
		panic("ginsso: New with a nil *sso.Authenticator: create one with sso.New")
	}
	g := &Guard{auth: a}
	for _, opt := range opts {
		opt(g)
	}
	return g
}

// Authenticate returns middleware that requires a valid token: 401 without one, 503 if it cannot be
// verified.
func (g *Guard) Authenticate() gin.HandlerFunc { return g.middleware(g.auth.Authenticate) }

// Require returns middleware that authenticates and requires all of the permissions: 401 without a
// valid token, 403 without a permission. It panics for an invalid permission; see
// [permission.ForRoute].
func (g *Guard) Require(p sso.Permission, more ...sso.Permission) gin.HandlerFunc {
	required := permission.ForRoute(p, more...)
	return g.middleware(func(ctx context.Context, r sso.Request) (context.Context, error) {
		return g.auth.Authorize(ctx, r, required)
	})
}

// Optional returns middleware that accepts requests without credentials as anonymous, also inside
// another guard. Credentials that are present must be valid: an expired token is refused, not
// treated as anonymous.
func (g *Guard) Optional() gin.HandlerFunc { return g.middleware(g.auth.AuthenticateOptional) }

// Principal returns the principal of the request; false for an anonymous request. Without a guard of
// this package it is the principal of the request's context: of a guard around the engine, or of
// ssotest.Request in a test.
func Principal(c *gin.Context) (*sso.Principal, bool) {
	key, _ := (sso.Extension{}).Login(context.Background())
	if _, guarded := c.Get(key); !guarded && c.Request != nil {
		return sso.FromContext(c.Request.Context())
	}
	return sso.FromContext(c)
}

func (g *Guard) middleware(check func(context.Context, sso.Request) (context.Context, error)) gin.HandlerFunc {
	return func(c *gin.Context) {
		ctx, err := check(c.Request.Context(), request{c})
		if err != nil {
			g.refuse(c, sso.DenialOf(err))
			return
		}
		key, login := g.auth.Extension().Login(ctx)
		c.Set(key, login) // for sso.FromContext(c)
		c.Request = c.Request.WithContext(ctx)
	}
}

func (g *Guard) refuse(c *gin.Context, d sso.Denial) {
	c.Abort() // or Gin runs the handler
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
	adapter.Draw(g.auth, func() { g.denied(c, d) }, written, c.Writer.Written, standard)
	c.Writer.WriteHeaderNow()
}

// request implements [sso.Request] over a *gin.Context.
type request struct{ c *gin.Context }

func (r request) http() adapter.HTTPRequest { return adapter.HTTPRequest{R: r.c.Request} }

func (r request) Method() string                   { return r.http().Method() }
func (r request) Header(name string) (string, int) { return r.http().Header(name) }
func (r request) Host() string                     { return r.http().Host() }
func (r request) RequestURI() string               { return r.http().RequestURI() }
func (r request) Pattern() string                  { return r.c.FullPath() }

// PathValue decodes the value if Gin did not, which its settings decide: UseRawPath, UseEscapedPath and
// UnescapePathValues. They cannot be read here, so the path that the values make up is compared with the
// path as it was sent. The value is empty if that is ambiguous.
func (r request) PathValue(name string) string {
	value := r.c.Param(name)
	if !strings.Contains(value, "%") {
		return value
	}
	u, routed := r.c.Request.URL, r.routed()
	decoded := routed == u.Path || routed == clean(u.Path)
	encoded := false
	for _, sent := range []string{u.EscapedPath(), clean(u.EscapedPath()), u.RawPath, clean(u.RawPath)} {
		unescaped, err := url.QueryUnescape(sent) // as Gin does
		decoded = decoded || err == nil && routed == unescaped
		encoded = encoded || routed == sent
	}
	switch {
	case decoded == encoded:
		return ""
	case decoded:
		return value
	}
	value, _ = url.PathUnescape(value) // undecodable values are empty
	return value
}

// routed returns the path by which Gin chose the route, with the values as Gin has them.
func (r request) routed() string {
	params, segments := r.c.Params, strings.Split(r.c.FullPath(), "/")
	for i, segment := range segments {
		at := strings.IndexAny(segment, ":*")
		if at < 0 || len(params) == 0 || segment[at+1:] != params[0].Key {
			continue
		}
		value := params[0].Value
		if segment[at] == '*' {
			value = strings.TrimPrefix(value, "/")
		}
		segments[i], params = segment[:at]+value, params[1:]
	}
	return strings.Join(segments, "/")
}

// clean does what Gin's RemoveExtraSlash does to a path.
func clean(sent string) string {
	cleaned := path.Clean("/" + sent)
	if strings.HasSuffix(sent, "/") && cleaned != "/" {
		cleaned += "/"
	}
	return cleaned
}
