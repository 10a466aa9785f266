package main

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"

	ginjwt "github.com/appleboy/gin-jwt/v3"
	"github.com/gin-gonic/gin"
	"github.com/go-chi/jwtauth/v5"
	fiberjwt "github.com/gofiber/contrib/jwt"
	"github.com/gofiber/fiber/v2"
	"github.com/golang-jwt/jwt/v5"
	echojwt "github.com/labstack/echo-jwt/v4"
	"github.com/labstack/echo/v4"
	"github.com/lestrrat-go/jwx/v3/jwa"

	"github.com/more-retail/moresso-go/bench/internal/peers"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/echosso"
	"github.com/more-retail/moresso-go/examples/servers"
	"github.com/more-retail/moresso-go/fibersso"
	"github.com/more-retail/moresso-go/ginsso"
	"github.com/more-retail/moresso-go/httpsso"
)

const path = "/orders"

// route is one route of one framework behind one middleware. It answers "ok".
type route struct {
	framework, guard string
	start            start
}

// The guards that every framework has. The bare route has a middleware that does nothing.
const (
	bare         = "bare route"
	withCached   = "moresso-go, cached tokens"
	withUncached = "moresso-go, new tokens"
)

// frameworkModules are the modules whose versions are reported, in addition to those of the peers.
var frameworkModules = []string{
	"github.com/golang-jwt/jwt/v5", "github.com/go-chi/jwtauth/v5", "github.com/appleboy/gin-jwt/v3", "github.com/gin-gonic/gin",
	"github.com/labstack/echo-jwt/v4", "github.com/labstack/echo/v4", "github.com/gofiber/contrib/jwt", "github.com/gofiber/fiber/v2",
}

// routes has one row for each framework: its server, its middleware that does nothing, its adapter,
// and its peers.
func routes(p *provider, cached, uncached *sso.Authenticator) []route {
	auth0 := must(peers.Auth0(peers.Of(p.Issuer)))
	ginJWT := must(ginjwt.New(&ginjwt.GinJWTMiddleware{
		SigningAlgorithm: p.Algorithm(),
		IdentityKey:      "sub",
		KeyFunc:          func(*jwt.Token) (any, error) { return p.public, nil }, // else it requires a file with a private key
		ParseOptions:     []jwt.ParserOption{jwt.WithValidMethods([]string{p.Algorithm()})},
	}))
	echoJWT := echojwt.WithConfig(echojwt.Config{SigningKey: p.public, SigningMethod: p.Algorithm()})
	fiberJWT := fiberjwt.New(fiberjwt.Config{SigningKey: fiberjwt.SigningKey{JWTAlg: p.Algorithm(), Key: p.public}, Claims: jwt.MapClaims{}})
	chi := jwtauth.New(jwa.RS256().String(), nil, p.public)
	chiJWT := func(next http.Handler) http.Handler { return jwtauth.Verifier(chi)(jwtauth.Authenticator(chi)(next)) }

	return slices.Concat(
		framework("net/http", serveHTTP, func(next http.Handler) http.Handler { return next },
			httpsso.New(cached).Authenticate(), httpsso.New(uncached).Authenticate(),
			peer[func(http.Handler) http.Handler]{"auth0", auth0}, peer[func(http.Handler) http.Handler]{"chi jwtauth", chiJWT}),
		framework("Gin", serveGin, func(*gin.Context) {},
			ginsso.New(cached).Authenticate(), ginsso.New(uncached).Authenticate(), peer[gin.HandlerFunc]{"gin-jwt", ginJWT.MiddlewareFunc()}),
		framework("Echo", serveEcho, func(next echo.HandlerFunc) echo.HandlerFunc { return func(c echo.Context) error { return next(c) } },
			echosso.New(cached).Authenticate(), echosso.New(uncached).Authenticate(), peer[echo.MiddlewareFunc]{"echo-jwt", echoJWT}),
		framework("Fiber", serveFiber, (*fiber.Ctx).Next,
			fibersso.New(cached).Authenticate(), fibersso.New(uncached).Authenticate(), peer[fiber.Handler]{"fiber jwt", fiberJWT}),
	)
}

// peer is the middleware of another library.
type peer[M any] struct {
	name       string
	middleware M
}

// framework returns the routes of one framework, the one without a middleware first.
func framework[M any](name string, serve func(M) start, none, cached, uncached M, others ...peer[M]) (list []route) {
	for _, p := range append([]peer[M]{{bare, none}, {withCached, cached}, {withUncached, uncached}}, others...) {
		list = append(list, route{name, p.name, serve(p.middleware)})
	}
	return list
}

// start starts a server and returns its URL.
type start func(context.Context) (url string, stop func() error, err error)

func serve(h http.Handler) start {
	return func(ctx context.Context) (string, func() error, error) { return servers.Serve(ctx, h) }
}

func serveHTTP(middleware func(http.Handler) http.Handler) start {
	return serve(servers.HTTP(func(m *http.ServeMux) {
		m.Handle("GET "+path, middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok")) })))
	}))
}

func serveGin(middleware gin.HandlerFunc) start {
	return serve(servers.Gin(func(e *gin.Engine) {
		e.GET(path, middleware, func(c *gin.Context) { c.String(http.StatusOK, "ok") })
	}))
}

func serveEcho(middleware echo.MiddlewareFunc) start {
	return serve(servers.Echo(func(e *echo.Echo) {
		e.GET(path, func(c echo.Context) error { return c.String(http.StatusOK, "ok") }, middleware)
	}))
}

func serveFiber(middleware fiber.Handler) start {
	app := servers.Fiber(func(a *fiber.App) {
		a.Get(path, middleware, func(c *fiber.Ctx) error { return c.SendString("ok") })
	})
	return func(ctx context.Context) (string, func() error, error) { return servers.ServeFiber(ctx, app) }
}

// client starts the server of the route. get sends one request over a connection that is kept until
// ctx ends.
func (r route) client(ctx context.Context) (get func(token string) error) {
	url, stop, err := r.start(ctx)
	must(url, err)
	conn := must((&net.Dialer{}).DialContext(ctx, "tcp", strings.TrimPrefix(url, "http://")))
	context.AfterFunc(ctx, func() { _ = conn.Close(); _ = stop() })
	var request, response []byte
	return func(token string) error {
		request = append(request[:0], "GET "+path+" HTTP/1.1\r\nHost: orders.example.com\r\nAuthorization: Bearer "...)
		if _, err := conn.Write(append(append(request, token...), "\r\n\r\n"...)); err != nil {
			return err
		}
		response = response[:0]
		for !bytes.HasSuffix(response, []byte("\r\n\r\nok")) {
			response = slices.Grow(response, 4<<10)
			n, err := conn.Read(response[len(response):cap(response)])
			if err != nil {
				return err
			}
			response = response[:len(response)+n]
			if !bytes.HasPrefix(response, []byte("HTTP/1.1 200 ")) {
				return errors.New("refused: " + string(response))
			}
		}
		return nil
	}
}

// addRequests adds a request to each route to the list.
func addRequests(ctx context.Context, p *provider, cached, uncached *sso.Authenticator, list []subject) []subject {
	base := 0
	for _, r := range routes(p, cached, uncached) {
		if r.guard == bare {
			base = len(list)
		}
		get, name, i := r.client(ctx), r.framework+": "+r.guard, 0
		list = append(list, subject{requests, name, base, func() {
			if err := get(p.tokens[i%len(p.tokens)]); err != nil {
				panic("speed: " + name + ": " + err.Error())
			}
			i++
		}})
	}
	return list
}
