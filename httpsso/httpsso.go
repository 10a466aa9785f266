// Package httpsso lets net/http services accept the company's single sign-on.
//
//	cfg, err := sso.ConfigFromEnv() // SSO_ISSUER and SSO_AUDIENCE
//	// handle err
//	auth, err := sso.New(cfg)
//	// handle err
//	guard := httpsso.New(auth)
//	mux.Handle("GET /orders", guard.Require(permission.Has("orders.read"))(listOrders))
//
// Handlers get the principal by [Principal] or [sso.FromContext].
//
// A guard around the whole mux runs before the route is chosen: its permissions see no pattern and no
// path values. Put CORS middleware outside of the guard. See package adapter for several guards on one route. The
// middleware works with every router that takes func(http.Handler) http.Handler, such as chi.
package httpsso

import (
	"context"
	"net/http"

	"github.com/more-retail/moresso-go/core/adapter"
	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
)

// Guard creates middleware. Create it with [New]. It is safe for concurrent use.
type Guard struct {
	auth   *sso.Authenticator
	denied func(http.ResponseWriter, *http.Request, sso.Denial)
}

// Option configures [New]. A later option overrides an earlier one of the same kind.
type Option func(*Guard)

// WithDenied lets you write refusals. When write is called, the denial's headers except Content-Type
// are set; its status is sent unless write sends another. If write writes nothing or panics, the
// denial is sent. Default: the denial is sent.
func WithDenied(write func(http.ResponseWriter, *http.Request, sso.Denial)) Option {
	return func(g *Guard) { g.denied = write }
}

// WithTokenFrom reads the token from these sources: [sso.TokenFromHeader], [sso.TokenFromCookie],
// [sso.InsecureTokenFromQuery], or the zero [sso.TokenSource] for the Authorization field. A request
// with a value in two of them is refused. WithTokenFrom panics without a source. Default: the
// Authorization field.
func WithTokenFrom(sources ...sso.TokenSource) Option {
	return func(g *Guard) { g.auth = g.auth.TokenFrom(sources...) }
}

// WithTokenInContext keeps a copy of each token in the request's context, where [sso.TokenFromContext]
// finds it. Use it only in a service that must forward tokens. Default: handlers do not get the token.
func WithTokenInContext() Option {
	return func(g *Guard) { g.auth = g.auth.TokenInContext() }
}

// New returns a [Guard]. It panics if a is nil. The caller must close a.
func New(a *sso.Authenticator, opts ...Option) *Guard {
	if a == nil {
		panic("httpsso: New with a nil *sso.Authenticator: create one with sso.New")
	}
	g := &Guard{auth: a}
	for _, opt := range opts {
		opt(g)
	}
	return g
}

// Authenticate returns middleware that requires a valid token: 401 without one, 503 if it cannot be
// verified. Like all middleware of a [Guard] it panics for a nil handler.
func (g *Guard) Authenticate() func(http.Handler) http.Handler {
	return g.middleware(g.auth.Authenticate)
}

// Require returns middleware that authenticates and requires all of the permissions: 401 without a
// valid token, 403 without a permission. It panics for an invalid permission; see
// [permission.ForRoute].
func (g *Guard) Require(p sso.Permission, more ...sso.Permission) func(http.Handler) http.Handler {
	required := permission.ForRoute(p, more...)
	return g.middleware(func(ctx context.Context, r sso.Request) (context.Context, error) {
		return g.auth.Authorize(ctx, r, required)
	})
}

// Optional returns middleware that accepts requests without credentials as anonymous, also inside
// another guard. Credentials that are present must be valid: an expired token is refused, not
// treated as anonymous.
func (g *Guard) Optional() func(http.Handler) http.Handler {
	return g.middleware(g.auth.AuthenticateOptional)
}

// Principal returns the principal of the request; false for an anonymous request and without a guard.
// It is [sso.FromContext].
func Principal(r *http.Request) (*sso.Principal, bool) { return sso.FromContext(r.Context()) }

func (g *Guard) middleware(check func(context.Context, sso.Request) (context.Context, error)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		if f, isFunc := next.(http.HandlerFunc); next == nil || isFunc && f == nil {
			panic("httpsso: a guard around a nil http.Handler: pass the handler to protect")
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx, err := check(r.Context(), request{adapter.HTTPRequest{R: r}})
			if err != nil {
				g.refuse(w, r, sso.DenialOf(err))
				return
			}
			next.ServeHTTP(w, r.WithContext(ctx))
		})
	}
}

func (g *Guard) refuse(w http.ResponseWriter, r *http.Request, d sso.Denial) {
	if g.denied == nil {
		d.Write(w)
		return
	}
	adapter.DrawHTTP(g.auth, w, d, func(w http.ResponseWriter) { g.denied(w, r, d) })
}

// request implements [sso.Request] over an *http.Request.
type request struct{ adapter.HTTPRequest }

func (r request) Pattern() string { return r.R.Pattern }

// PathValue decodes the value, which chi does not do, unlike [http.ServeMux].
func (r request) PathValue(name string) string { return r.Decode(r.R.PathValue(name)) }
