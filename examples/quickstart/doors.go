package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/gofiber/fiber/v2"
	"github.com/labstack/echo/v4"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/echosso"
	"github.com/more-retail/moresso-go/fibersso"
	"github.com/more-retail/moresso-go/ginsso"
	"github.com/more-retail/moresso-go/httpsso"
)

const (
	audience = "orders-api"
	route    = "/orders"
)

// clerk is what the route demands.
var clerk = permission.Is("orders.role", "clerk")

// A door is one running service.
type door struct {
	name, url string
	reasons   *reasons
}

// reasons remembers why the last request was refused, as an operator would learn it.
type reasons struct{ last atomic.Value }

func (r *reasons) observe(e sso.Event) {
	if e.Kind == sso.EventRefused {
		r.last.Store(e.Reason)
	}
}

// openDoors starts a service in each framework, each with an authenticator of its own.
func openDoors(ctx context.Context, issuer *devissuer.Issuer) (doors []door, stop func(), err error) {
	var stops []func()
	stop = func() {
		for _, s := range stops {
			s()
		}
	}
	defer func() {
		if err != nil {
			stop()
		}
	}()
	open := func(name string, serve func(net.Listener, *sso.Authenticator) (stop func())) {
		if err != nil {
			return
		}
		seen := &reasons{}
		var auth *sso.Authenticator
		auth, err = sso.New(sso.Config{
			PublicKeyURI: issuer.JWKSURL(),
			Audience:     []string{audience},
			Issuer:       issuer.URL(),
			Logger:       slog.New(slog.DiscardHandler),
			Observe:      seen.observe,
		})
		if err != nil {
			return
		}
		stops = append(stops, func() { _ = auth.Close() })
		var listener net.Listener
		if listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
			return
		}
		stops = append([]func(){serve(listener, auth)}, stops...)
		doors = append(doors, door{name, "http://" + listener.Addr().String(), seen})
	}
	open("gin", func(l net.Listener, auth *sso.Authenticator) func() { return serveHTTP(l, ginService(auth)) })
	open("echo", func(l net.Listener, auth *sso.Authenticator) func() { return serveHTTP(l, echoService(auth)) })
	open("fiber", serveFiber)
	open("net/http", func(l net.Listener, auth *sso.Authenticator) func() { return serveHTTP(l, httpService(auth)) })
	if err != nil {
		return nil, stop, err
	}
	lambda, stopLambda, err := openLambda(ctx, issuer)
	if err != nil {
		return nil, stop, err
	}
	stops = append([]func(){stopLambda}, stops...)
	return append(doors, lambda), stop, nil
}

func ginService(auth *sso.Authenticator) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	router.GET(route, ginsso.New(auth).Require(clerk), func(c *gin.Context) {
		principal, _ := ginsso.Principal(c)
		c.String(http.StatusOK, "hello %s\n", principal.Subject())
	})
	return router
}

func echoService(auth *sso.Authenticator) http.Handler {
	e := echo.New()
	e.GET(route, func(c echo.Context) error {
		principal, _ := echosso.Principal(c)
		return c.String(http.StatusOK, "hello "+principal.Subject()+"\n")
	}, echosso.New(auth).Require(clerk))
	return e
}

func httpService(auth *sso.Authenticator) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET "+route, httpsso.New(auth).Require(clerk)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		principal, _ := httpsso.Principal(r)
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, "hello "+principal.Subject()+"\n") //nolint:gosec // plain text, of a verified token
	})))
	return mux
}

func serveFiber(listener net.Listener, auth *sso.Authenticator) func() {
	app := fiber.New(fiber.Config{
		DisableStartupMessage: true,
		ReadBufferSize:        16 << 10, // for tokens larger than 4 KiB
		ErrorHandler:          func(c *fiber.Ctx, _ error) error { return c.SendStatus(http.StatusBadRequest) },
	})
	app.Get(route, fibersso.New(auth).Require(clerk), func(c *fiber.Ctx) error {
		principal, _ := fibersso.Principal(c)
		return c.SendString("hello " + principal.Subject() + "\n")
	})
	go func() { _ = app.Listener(listener) }() // ends with Shutdown
	return func() { _ = app.Shutdown() }
}

func serveHTTP(listener net.Listener, handler http.Handler) func() {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			slog.Error("a server ended", "error", err)
		}
	}()
	return func() { _ = server.Close() }
}
