package main

import (
	"context"
	"crypto"
	"crypto/rsa"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"

	ginjwt "github.com/appleboy/gin-jwt/v3"
	auth0 "github.com/auth0/go-jwt-middleware/v2"
	"github.com/auth0/go-jwt-middleware/v2/validator"
	"github.com/gin-gonic/gin"
	"github.com/go-chi/jwtauth/v5"
	fiberjwt "github.com/gofiber/contrib/jwt"
	"github.com/gofiber/fiber/v2"
	"github.com/golang-jwt/jwt/v5"
	echojwt "github.com/labstack/echo-jwt/v4"
	"github.com/labstack/echo/v4"
	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/valyala/fasthttp"

	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/echosso"
	"github.com/more-retail/moresso-go/fibersso"
	"github.com/more-retail/moresso-go/ginsso"
	"github.com/more-retail/moresso-go/httpsso"
)

var quiet = slog.New(slog.DiscardHandler)

// The ways in which a route is guarded; the first is not, but for a middleware that does nothing.
const (
	bare     = "bare route"
	withOurs = "moresso-go, known tokens"
	withCold = "moresso-go, new tokens"
)

// A service is one route in one framework, guarded in one way. It answers "ok".
type service struct {
	framework, guard string
	// handler is for net/http's server, app for Fiber's; one of them is set.
	handler http.Handler
	app     *fiber.App
}

func (s service) name() string { return s.framework + ": " + s.guard }

const route = "/orders"

// services are all that are measured. They need nothing but the public key.
func services(jwks []byte, public *rsa.PublicKey) ([]service, error) {
	m := &material{jwks: jwks}
	warm, cold := func() *sso.Authenticator { return m.authenticator(nil) }, func() *sso.Authenticator { return m.authenticator(noCache) }
	var list []service
	n := func(guard string, middleware func(http.Handler) http.Handler) {
		list = append(list, service{framework: "net/http", guard: guard, handler: netHTTP(middleware)})
	}
	n(bare, func(next http.Handler) http.Handler { return next })
	n(withOurs, httpsso.New(warm()).Authenticate())
	n(withCold, httpsso.New(cold()).Authenticate())
	v, err := validator.New(func(context.Context) (any, error) { return public, nil }, validator.RS256, issuer, []string{audience})
	if err != nil {
		return nil, err
	}
	n("auth0", auth0.New(v.ValidateToken).CheckJWT)
	chi := jwtauth.New(jwa.RS256().String(), nil, public)
	n("chi jwtauth", func(next http.Handler) http.Handler { return jwtauth.Verifier(chi)(jwtauth.Authenticator(chi)(next)) })

	gin.SetMode(gin.ReleaseMode)
	g := func(guard string, middleware gin.HandlerFunc) {
		engine := gin.New()
		engine.GET(route, middleware, func(c *gin.Context) { c.String(200, "ok") })
		list = append(list, service{framework: "Gin", guard: guard, handler: engine})
	}
	g(bare, func(*gin.Context) {})
	g(withOurs, ginsso.New(warm()).Authenticate())
	g(withCold, ginsso.New(cold()).Authenticate())
	theirs, err := ginJWT(public)
	if err != nil {
		return nil, err
	}
	g("gin-jwt", theirs)

	e := func(guard string, middleware echo.MiddlewareFunc) {
		engine := echo.New()
		engine.GET(route, func(c echo.Context) error { return c.String(200, "ok") }, middleware)
		list = append(list, service{framework: "Echo", guard: guard, handler: engine})
	}
	e(bare, func(next echo.HandlerFunc) echo.HandlerFunc { return next })
	e(withOurs, echosso.New(warm()).Authenticate())
	e(withCold, echosso.New(cold()).Authenticate())
	e("echo-jwt", echojwt.WithConfig(echojwt.Config{SigningKey: public, SigningMethod: "RS256"}))

	f := func(guard string, middleware fiber.Handler) {
		app := fiber.New(fiber.Config{DisableStartupMessage: true, ReadBufferSize: 16 << 10})
		app.Get(route, middleware, func(c *fiber.Ctx) error { return c.SendString("ok") })
		list = append(list, service{framework: "Fiber", guard: guard, app: app})
	}
	f(bare, func(c *fiber.Ctx) error { return c.Next() })
	f(withOurs, fibersso.New(warm()).Authenticate())
	f(withCold, fibersso.New(cold()).Authenticate())
	f("fiber jwt", fiberjwt.New(fiberjwt.Config{SigningKey: fiberjwt.SigningKey{JWTAlg: "RS256", Key: public}, Claims: jwt.MapClaims{}}))
	return list, nil
}

func netHTTP(middleware func(http.Handler) http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET "+route, middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok")) })))
	return mux
}

// ginJWT is told the key, since it would otherwise want files, a private key among them.
func ginJWT(public *rsa.PublicKey) (gin.HandlerFunc, error) {
	middleware, err := ginjwt.New(&ginjwt.GinJWTMiddleware{
		SigningAlgorithm: "RS256",
		IdentityKey:      "sub",
		KeyFunc:          func(*jwt.Token) (any, error) { return public, nil },
		ParseOptions:     []jwt.ParserOption{jwt.WithValidMethods([]string{"RS256"})},
	})
	if err != nil {
		return nil, fmt.Errorf("gin-jwt: %w", err)
	}
	return middleware.MiddlewareFunc(), nil
}

// measureFrameworks measures a request within the process, without a network.
func measureFrameworks(_ context.Context, m *material, e effort, r *report) error {
	list, err := services(m.jwks, &m.key.PublicKey)
	if err != nil {
		return err
	}
	digest, signature := signed(m.tokens[0])
	subjects := []subject{{anchor, func() {
		if err := rsa.VerifyPKCS1v15(&m.key.PublicKey, crypto.SHA256, digest[:], signature); err != nil {
			panic(err)
		}
	}}}
	for _, s := range list {
		do, err := s.request(m.tokens)
		if err != nil {
			return err
		}
		subjects = append(subjects, subject{s.name(), do})
	}
	for i, ratio := range compare(e, subjects)[1:] {
		r.frameworks = append(r.frameworks, measured{list[i], ratio})
	}
	return nil
}

type measured struct {
	service
	ratio
}

// request is one request with the next of the tokens.
func (s service) request(tokens []string) (do func(), err error) {
	i := 0
	if s.app != nil {
		handler, ctx := s.app.Handler(), &fasthttp.RequestCtx{}
		ctx.Request.SetRequestURI(route)
		return func() {
			ctx.Request.Header.Set("Authorization", "Bearer "+tokens[i%len(tokens)])
			i++
			handler(ctx)
			if ctx.Response.StatusCode() != http.StatusOK {
				panic(fmt.Sprintf("speed: %s: %d %s", s.name(), ctx.Response.StatusCode(), ctx.Response.Body()))
			}
			ctx.Response.Reset()
			ctx.ResetUserValues()
		}, nil
	}
	requests := make([]*http.Request, len(tokens))
	for i, token := range tokens {
		requests[i] = httptest.NewRequest(http.MethodGet, route, http.NoBody)
		requests[i].Header.Set("Authorization", "Bearer "+token)
	}
	w := &discard{}
	return func() {
		*w = discard{header: w.header}
		clear(w.header)
		s.handler.ServeHTTP(w, requests[i%len(requests)])
		i++
		if w.status != http.StatusOK && w.status != 0 {
			panic(fmt.Sprintf("speed: %s: %d", s.name(), w.status))
		}
	}, nil
}

// discard is a response that nobody reads.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header {
	if d.header == nil {
		d.header = http.Header{}
	}
	return d.header
}
func (d *discard) WriteHeader(status int)      { d.status = status }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
