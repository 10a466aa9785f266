// Package fibersso lets Fiber services accept the company's single sign-on.
//
//	cfg, err := sso.ConfigFromEnv() // SSO_ISSUER and SSO_AUDIENCE
//	if err != nil {
//		return err
//	}
//	auth, err := sso.New(cfg)
//	if err != nil {
//		return err
//	}
//	guard := fibersso.New(auth)
//	app.Get("/orders", guard.Require(permission.Has("orders.read")), listOrders)
//
// [Guard.Authenticate] demands a good token, [Guard.Require] a permission as well (it
// authenticates by itself), [Guard.Optional] lets requests without credentials pass. They can
// stand on the app, on a group or on a route. Handlers find the principal by [Principal], and
// whatever sees only a context by [sso.FromContext] with Fiber's UserContext.
//
// Refusals are written here and never become errors, so that the app's ErrorHandler sees the
// handlers' own errors only. Fiber runs handlers in the order in which they were added: add
// the guard before the routes, and CORS middleware before the guard, so that preflights, which
// carry no token, are answered first.
//
// Two things are the server's own, before this is reached. Tokens larger than Fiber's
// ReadBufferSize (4 KiB by default) are refused with 431: set 16 KiB. And a request whose headers
// cannot be parsed is answered with the parser's message, which quotes them, the token
// included: give the app an ErrorHandler that neither sends nor logs err.Error() of such, as
// the example in examples/fiber does.
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
package fibersso

import (
	"context"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/utils"

	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
)

// Guard makes middleware, by [Guard.Authenticate], [Guard.Require] and [Guard.Optional]. It is made by
// [New], and safe for concurrent use.
type Guard struct {
	auth   *sso.Authenticator
	denied func(*fiber.Ctx, sso.Denial)
}

// Option changes a [Guard]: [WithDenied], [WithTokenFrom]. They apply in the order given, and the
// later of two of a kind counts.
type Option func(*Guard)

// WithDenied draws refusals by a function of yours. The refusal's status is set, and so are
// its headers but Content-Type. If the function writes neither a body nor another status, or panics,
// the standard refusal goes out.
func WithDenied(draw func(*fiber.Ctx, sso.Denial)) Option {
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
		panic("fibersso: New with a nil *sso.Authenticator: make one by sso.New")
	}
	g := &Guard{auth: a}
	for _, opt := range opts {
		opt(g)
	}
	return g
}

// Authenticate is middleware that demands a good token: 401 without, 503 while nobody can tell.
func (g *Guard) Authenticate() fiber.Handler { return g.middleware(g.auth.Authenticate) }

// Require is middleware that demands all of the permissions; it authenticates first. It panics
// for a permission that cannot mean anything; see [permission.ForRoute]. Without a token it answers
// 401, with a good token that lacks one of them 403.
func (g *Guard) Require(p sso.Permission, more ...sso.Permission) fiber.Handler {
	demanded := permission.ForRoute(p, more...)
	return g.middleware(func(ctx context.Context, r sso.Request) (context.Context, error) {
		return g.auth.Authorize(ctx, r, demanded)
	})
}

// Optional is middleware that lets requests without an Authorization header, or without anything in
// the places of [WithTokenFrom], pass without a principal, whoever was found before. Anything else
// that is not a good token is refused: an expired one does not make somebody a stranger.
func (g *Guard) Optional() fiber.Handler { return g.middleware(g.auth.AuthenticateOptional) }

type principalKey struct{}

// Principal returns whom the request's token speaks for; false for an anonymous request. Where no
// guard of this package has been, it is the principal of c.UserContext(), if there is one: of
// ssotest.Context in a test.
func Principal(c *fiber.Ctx) (*sso.Principal, bool) {
	principal, guarded := c.Locals(principalKey{}).(*sso.Principal)
	if !guarded {
		return sso.FromContext(c.UserContext())
	}
	return principal, principal != nil
}

func (g *Guard) middleware(check func(context.Context, sso.Request) (context.Context, error)) fiber.Handler {
	return func(c *fiber.Ctx) error {
		ctx, err := check(c.UserContext(), request{c})
		if err != nil {
			g.refuse(c, sso.DenialOf(err))
			return nil
		}
		principal, _ := sso.FromContext(ctx)
		c.Locals(principalKey{}, principal)
		c.SetUserContext(ctx)
		return c.Next()
	}
}

func (g *Guard) refuse(c *fiber.Ctx, d sso.Denial) {
	r := c.Response()
	headers := func() {
		c.Status(d.Status)
		for name, values := range d.Header {
			r.Header.Del(name)
			for _, value := range values {
				r.Header.Add(name, value)
			}
		}
	}
	standard := func() {
		headers()
		r.SetBody(d.Body)
	}
	if g.denied == nil {
		standard()
		return
	}
	headers()
	r.Header.Del(fiber.HeaderContentType)
	written := func() bool {
		return r.StatusCode() >= fiber.StatusOK && (r.StatusCode() != d.Status || r.IsBodyStream() || len(r.Body()) > 0)
	}
	// Fiber sends nothing before its handlers have returned, so anything can be taken back.
	g.auth.Draw(c.UserContext(), func() { g.denied(c, d) }, written, func() bool { return false }, standard)
}

// request is what the core reads of a *fiber.Ctx. Fiber reuses its memory for the next
// request, so every string that may be kept is copied here, where it enters.
type request struct{ c *fiber.Ctx }

func (r request) Method() string  { return strings.Clone(r.c.Method()) } // which middleware may have overridden, and by which Fiber routes
func (r request) Pattern() string { return r.c.Route().Path }            // of the app, not of the request

func (r request) Host() string       { return string(r.c.Request().Host()) }
func (r request) RequestURI() string { return string(r.c.Request().RequestURI()) }

func (r request) PathValue(name string) string {
	raw := []byte(r.c.Params(name)) // a copy
	if r.c.App().Config().UnescapePath {
		return string(raw)
	}
	value, _ := url.PathUnescape(string(raw)) // what cannot be decoded is nothing
	return value
}

func (r request) Header(name string) (first string, n int) {
	value, n := r.field(name)
	return string(value), n
}

// HeaderView implements [sso.HeaderViewer], for tokens: they are long, and are not kept.
func (r request) HeaderView(name string) (first string, n int) {
	if values := r.normalized(name); len(values) > 0 {
		return utils.UnsafeString(values[0]), len(values)
	}
	value, n := r.field(name)
	return utils.UnsafeString(value), n
}

// normalized finds Authorization fields without an allocation, if the server has normalized the
// names of fields, as it does unless it is told not to: then, and only then, asking in small
// letters finds the same field. Otherwise it finds nothing, and every field has to be looked at.
func (r request) normalized(name string) [][]byte {
	if name != fiber.HeaderAuthorization {
		return nil
	}
	h := &r.c.Request().Header
	small := h.Peek("authorization")
	values := h.PeekAll(fiber.HeaderAuthorization)
	if len(small) == 0 || len(values) == 0 || len(values[0]) == 0 || &small[0] != &values[0][0] {
		return nil
	}
	return values
}

// field looks at every field, whatever the case of its name's letters.
func (r request) field(name string) (first []byte, n int) {
	for key, value := range r.c.Request().Header.All() {
		if strings.EqualFold(utils.UnsafeString(key), name) {
			if n == 0 {
				first = value
			}
			n++
		}
	}
	return first, n
}
