// Package httpsso lets net/http services, and everything that speaks net/http's middleware,
// accept the company's single sign-on.
//
//	cfg, err := sso.ConfigFromEnv() // SSO_ISSUER and SSO_AUDIENCE
//	if err != nil {
//		return err
//	}
//	auth, err := sso.New(cfg)
//	if err != nil {
//		return err
//	}
//	guard := httpsso.New(auth)
//	mux.Handle("GET /orders", guard.Require(permission.Has("orders.read"))(listOrders)) // an http.Handler
//
// [Guard.Authenticate] demands a good token, [Guard.Require] a permission as well (it
// authenticates by itself), [Guard.Optional] lets requests without credentials pass. Handlers
// find the principal by [Principal], and whatever sees only the request's context by
// [sso.FromContext].
//
// Put the guard on each route, as above; put CORS middleware outside, so that preflights, which carry
// no token, are answered before this. A guard around the whole mux protects everything, but comes
// before the route is chosen: permissions there see no pattern and no path values.
//
// [BackChannelLogout] and [Status] are handlers for the identity provider and for the operator.
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
package httpsso

import (
	"context"
	"net/http"

	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
)

// Guard makes middleware, by [Guard.Authenticate], [Guard.Require] and [Guard.Optional]. It is made by
// [New], and safe for concurrent use.
type Guard struct {
	auth   *sso.Authenticator
	denied func(http.ResponseWriter, *http.Request, sso.Denial)
}

// Option changes a [Guard]: [WithDenied], [WithTokenFrom]. They apply in the order given, and the
// later of two of a kind counts.
type Option func(*Guard)

// WithDenied draws refusals by a function of yours. The refusal's headers but Content-Type are
// set already, and its status goes out unless the function writes another. If the function
// writes nothing or panics, the standard refusal goes out.
func WithDenied(draw func(http.ResponseWriter, *http.Request, sso.Denial)) Option {
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
		panic("httpsso: New with a nil *sso.Authenticator: make one by sso.New")
	}
	g := &Guard{auth: a}
	for _, opt := range opts {
		opt(g)
	}
	return g
}

// Authenticate is middleware that demands a good token: 401 without, 503 while nobody can tell. Put
// around a nil handler it panics, as all middleware of a [Guard] does.
func (g *Guard) Authenticate() func(http.Handler) http.Handler {
	return g.middleware(g.auth.Authenticate)
}

// Require is middleware that demands all of the permissions; it authenticates first. It panics
// for a permission that cannot mean anything; see [permission.ForRoute]. Without a token it answers
// 401, with a good token that lacks one of them 403.
func (g *Guard) Require(p sso.Permission, more ...sso.Permission) func(http.Handler) http.Handler {
	demanded := permission.ForRoute(p, more...)
	return g.middleware(func(ctx context.Context, r sso.Request) (context.Context, error) {
		return g.auth.Authorize(ctx, r, demanded)
	})
}

// Optional is middleware that lets requests without an Authorization header, or without anything in
// the places of [WithTokenFrom], pass without a principal, whoever was found before. Anything else
// that is not a good token is refused: an expired one does not make somebody a stranger.
func (g *Guard) Optional() func(http.Handler) http.Handler {
	return g.middleware(g.auth.AuthenticateOptional)
}

// Principal returns whom the request's token speaks for; false for an anonymous request, and where no
// guard has been.
func Principal(r *http.Request) (*sso.Principal, bool) { return sso.FromContext(r.Context()) }

func (g *Guard) middleware(check func(context.Context, sso.Request) (context.Context, error)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		if f, isFunc := next.(http.HandlerFunc); next == nil || isFunc && f == nil {
			panic("httpsso: a guard around a nil http.Handler: give it the handler that it is to protect")
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx, err := check(r.Context(), request{sso.HTTPRequest{R: r}})
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
	g.auth.DrawHTTP(r.Context(), w, d, func(w http.ResponseWriter) { g.denied(w, r, d) })
}

// request is what the core reads of an *http.Request.
type request struct{ sso.HTTPRequest }

func (r request) Pattern() string { return r.R.Pattern }

// PathValue decodes what chi, unlike [http.ServeMux], leaves as it came.
func (r request) PathValue(name string) string { return r.Decode(r.R.PathValue(name)) }
