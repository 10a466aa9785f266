// Package fibersso lets Fiber v2 services accept the company's single sign-on.
//
//	cfg, err := sso.ConfigFromEnv() // SSO_ISSUER and SSO_AUDIENCE
//	// handle err
//	auth, err := sso.New(cfg)
//	// handle err
//	guard := fibersso.New(auth)
//	app.Get("/orders", guard.Require(permission.Has("orders.read")), listOrders)
//
// Handlers get the principal by [Principal], other code by [sso.FromContext] of c.UserContext() or
// c.Context(), also in handlers of net/http, and WebSockets by [FromLocals].
//
// Middleware that changes the method or the path while it routes can jump over a guard on the app or on a
// group: Fiber continues at the same place in another list of routes. Guard such routes themselves.
//
// Refusals are written here and do not reach the app's ErrorHandler. Fiber itself refuses tokens larger
// than ReadBufferSize (4 KiB by default) with 431: set 16 KiB. It answers unparsable headers with a
// message that quotes them: see docs/ADAPTERS.md for an ErrorHandler that does not. Add a guard before the routes, and CORS middleware before the guard. See package adapter for several
// guards on one route.
package fibersso

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/utils"

	"github.com/more-retail/moresso-go/core/adapter"
	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
)

// Guard creates middleware. Create it with [New]. It is safe for concurrent use.
type Guard struct {
	auth   *sso.Authenticator
	denied func(*fiber.Ctx, sso.Denial)
}

// Option configures [New]. A later option overrides an earlier one of the same kind.
type Option func(*Guard)

// WithDenied lets you write refusals. When write is called, the denial's status and headers except
// Content-Type are set. If write sets neither a body nor another status, or panics, the denial is
// sent. Default: the denial is sent.
func WithDenied(write func(*fiber.Ctx, sso.Denial)) Option {
	return func(g *Guard) { g.denied = write }
}

// WithTokenFrom reads the token from these sources: [sso.TokenFromHeader], [sso.TokenFromCookie],
// [sso.InsecureTokenFromQuery], or the zero [sso.TokenSource] for the Authorization field. A request
// with a value in two of them is refused. WithTokenFrom panics without a source. Default: the
// Authorization field.
func WithTokenFrom(sources ...sso.TokenSource) Option {
	return func(g *Guard) { g.auth = g.auth.TokenFrom(sources...) }
}

// WithTokenInContext keeps a copy of each token in c.UserContext(), where [sso.TokenFromContext]
// finds it. Use it only in a service that must forward tokens. Default: handlers do not get the token.
func WithTokenInContext() Option {
	return func(g *Guard) { g.auth = g.auth.TokenInContext() }
}

// New returns a [Guard]. It panics if a is nil. The caller must close a.
func New(a *sso.Authenticator, opts ...Option) *Guard {
	if a == nil {
		panic("fibersso: New with a nil *sso.Authenticator: create one with sso.New")
	}
	g := &Guard{auth: a}
	for _, opt := range opts {
		opt(g)
	}
	return g
}

// Authenticate returns middleware that requires a valid token: 401 without one, 503 if it cannot be
// verified.
func (g *Guard) Authenticate() fiber.Handler { return g.middleware(g.auth.Authenticate) }

// Require returns middleware that authenticates and requires all of the permissions: 401 without a
// valid token, 403 without a permission. It panics for an invalid permission; see
// [permission.ForRoute].
func (g *Guard) Require(p sso.Permission, more ...sso.Permission) fiber.Handler {
	required := permission.ForRoute(p, more...)
	return g.middleware(func(ctx context.Context, r sso.Request) (context.Context, error) {
		return g.auth.Authorize(ctx, r, required)
	})
}

// Optional returns middleware that accepts requests without credentials as anonymous, also inside
// another guard. Credentials that are present must be valid: an expired token is refused, not
// treated as anonymous.
func (g *Guard) Optional() fiber.Handler { return g.middleware(g.auth.AuthenticateOptional) }

// Principal returns the principal of the request; false for an anonymous request. Without a guard of
// this package it is the principal of c.UserContext(), such as that of ssotest.Context in a test.
func Principal(c *fiber.Ctx) (*sso.Principal, bool) {
	if key, _ := (sso.Extension{}).Login(context.Background()); c.Locals(key) != nil {
		return sso.FromContext(c.Context())
	}
	return sso.FromContext(c.UserContext())
}

// FromLocals returns the principal in a WebSocket handler, from the Locals of its connection:
//
//	websocket.New(func(conn *websocket.Conn) { principal, ok := fibersso.FromLocals(conn.Locals) })
func FromLocals(locals func(key string, value ...any) any) (*sso.Principal, bool) {
	key, _ := (sso.Extension{}).Login(context.Background())
	ctx, _ := locals(key).(context.Context)
	return sso.FromContext(ctx)
}

// Routes returns the routes of an app for ssotest.AssertProtected, those of mounted apps included. Handlers
// of Use and Group have the method "USE"; Static serves any path below its own. It prepares the app as
// its first request does, so call it after all routes are registered.
func Routes(app *fiber.App) (routes []string) {
	app.Handler()
	all, own := app.GetRoutes(), app.GetRoutes(true)
	handlers := func(list []fiber.Route, method, path string) (n int) { // Fiber joins routes, so it counts handlers
		for _, r := range list {
			if r.Method == method && r.Path == path {
				n += len(r.Handlers)
			}
		}
		return n
	}
	add := func(pattern string, n int) {
		if n > 0 && !slices.Contains(routes, pattern) {
			routes = append(routes, pattern)
		}
	}
	for _, r := range all {
		used := handlers(all, fiber.MethodPost, r.Path) - handlers(own, fiber.MethodPost, r.Path)
		files := handlers(all, fiber.MethodHead, r.Path) - handlers(own, fiber.MethodHead, r.Path) - used // of Static, which has no POST
		add(r.Method+" "+r.Path, handlers(own, r.Method, r.Path))
		add("USE "+r.Path, used)
		add(fiber.MethodGet+" "+strings.TrimSuffix(r.Path, "/")+"/*", files)
	}
	return routes
}

// overriddenKey is the key of the method that a guard has decided about, if middleware has changed it.
type overriddenKey struct{}

var errOverridden = errors.New("middleware changed the method after the guard, so Fiber may have jumped over other guards: guard the route itself, or change the method before the guard and call RestartRouting")

func (g *Guard) middleware(check func(context.Context, sso.Request) (context.Context, error)) fiber.Handler {
	return func(c *fiber.Ctx) error {
		ctx, err := check(c.UserContext(), request{c})
		if err != nil {
			g.refuse(c, sso.DenialOf(err))
			return nil
		}
		key, login := g.auth.Extension().Login(ctx)
		c.Context().SetUserValue(key, login) // for handlers that get c.Context()
		c.SetUserContext(ctx)
		method := c.Method()
		if method != utils.UnsafeString(c.Request().Header.Method()) {
			c.Locals(overriddenKey{}, method)
		}
		err = c.Next()
		if now := c.Method(); now != method && c.Locals(overriddenKey{}) != now {
			g.refuse(c, sso.DenialOf(g.auth.Extension().Refuse(ctx, "fibersso", errOverridden, func(d sso.Denial) sso.Denial { return d })))
			return nil
		}
		return err
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
	// Fiber sends nothing before its handlers have returned, so any response can be replaced.
	adapter.Draw(g.auth, func() { g.denied(c, d) }, written, func() bool { return false }, standard)
}

// request implements [sso.Request] over a *fiber.Ctx. Fiber reuses its memory for the next request, so
// every string that may be kept is copied here.
type request struct{ c *fiber.Ctx }

func (r request) Method() string  { return strings.Clone(r.c.Method()) } // by which Fiber routes; middleware may have overridden it
func (r request) Pattern() string { return r.c.Route().Path }            // of the app, not of the request

func (r request) Host() string       { return string(r.c.Request().Host()) }
func (r request) RequestURI() string { return string(r.c.Request().Header.RequestURI()) }

func (r request) PathValue(name string) string {
	raw := []byte(r.c.Params(name)) // a copy
	if r.c.App().Config().UnescapePath {
		return string(raw)
	}
	value, _ := url.PathUnescape(string(raw)) // undecodable values are empty
	return value
}

func (r request) Header(name string) (first string, n int) {
	value, n := r.field(name)
	return string(value), n
}

// HeaderView implements [adapter.HeaderViewer].
func (r request) HeaderView(name string) (first string, n int) {
	if values := r.normalized(name); len(values) > 0 {
		return utils.UnsafeString(values[0]), len(values)
	}
	value, n := r.field(name)
	return utils.UnsafeString(value), n
}

// normalized returns the Authorization fields without an allocation, if the server normalizes field
// names, as by default. In that case the lower-case name finds the same field. Otherwise it returns
// nothing, and the caller must search all fields.
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

// field searches all fields for a name in any letter case.
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
