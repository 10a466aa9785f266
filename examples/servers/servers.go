// Package servers starts the same service in every framework that moresso-go has an adapter for. The examples,
// the end-to-end tests and the benchmarks use it, so that all of them configure and start a framework alike.
//
// [Start] starts Gin, Echo, Fiber, net/http and AWS Lambda, each with an authenticator of its own:
//
//	service := servers.Routes(servers.Route{Path: "/orders", Permission: clerk, Handle: listOrders})
//	servers.RunFunction(service.Functions(), nil) // first in main: the Lambda function is this program again
//	list, stop, err := servers.Start(ctx, servers.Options{Config: cfg}, service)
//
// A [Service] may also register the routes of each framework by functions of its own. To start one framework:
//
//	url, stop, err := servers.Serve(ctx, servers.Gin(func(e *gin.Engine) { e.GET("/orders", listOrders) }))
//	url, stop, err := servers.Serve(ctx, servers.Echo(func(e *echo.Echo) { e.GET("/orders", listOrders) }))
//	url, stop, err := servers.Serve(ctx, servers.HTTP(func(m *http.ServeMux) { m.HandleFunc("GET /orders", listOrders) }))
//	url, stop, err := servers.ServeFiber(ctx, servers.Fiber(func(a *fiber.App) { a.Get("/orders", listOrders) }))
//
// [Gin], [Echo], [HTTP] and [Fiber] alone build what a benchmark calls without a network.
package servers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/gofiber/fiber/v2"
	"github.com/labstack/echo/v4"

	"github.com/more-retail/moresso-go/core/keys"
	"github.com/more-retail/moresso-go/core/sso"
)

// stopLimit bounds how long a server may take to end.
const stopLimit = 30 * time.Second

// Service registers the routes of a service in each framework. RESTAPI may be nil, the others are needed.
type Service struct {
	Gin   func(*gin.Engine, *sso.Authenticator)
	Echo  func(*echo.Echo, *sso.Authenticator)
	Fiber func(*fiber.App, *sso.Authenticator)
	HTTP  func(*http.ServeMux, *sso.Authenticator)
	// HTTPAPI and RESTAPI return the handlers of a Lambda function behind that kind of API Gateway, by the
	// gateway's routes ("GET /orders").
	HTTPAPI func(*sso.Authenticator) map[string]HTTPAPIHandler
	RESTAPI func(*sso.Authenticator) map[string]RESTAPIHandler
}

// Options configure the servers.
type Options struct {
	// Config configures each server's authenticator. A Lambda function gets its PublicKeyURI, Issuer, Audience
	// and Leeway as environment variables. Without a Logger the servers log nothing.
	Config sso.Config
	// Env is added to the environment of the functions ("NAME=value").
	Env []string
	// Stderr gets what the functions log. If nil, it is discarded.
	Stderr io.Writer
}

// Server is a running service.
type Server struct {
	Name, URL string
	// Auth is the service's authenticator. It is nil for a Lambda function, which is another process.
	Auth *sso.Authenticator

	report func(context.Context) (Report, error)
	stop   func() error
}

// Report is an operator's view of a service.
type Report struct {
	// Keys is the state of the service's key cache.
	Keys keys.Status `json:"keys"`
	// Refusals counts the refused requests.
	Refusals int `json:"refusals"`
	// Reason is the reason that the log has for the last refusal, and Error its cause. Both are empty if no
	// request was refused.
	Reason sso.Reason `json:"reason,omitempty"`
	Error  string     `json:"error,omitempty"`
	// Cause is the error itself. It is nil for a Lambda function.
	Cause error `json:"-"`
}

// Report returns what the operator of the service sees.
func (s *Server) Report(ctx context.Context) (Report, error) { return s.report(ctx) }

// Start starts the service in every framework. The servers are named gin, echo, fiber, net/http, lambda and, if
// there is a RESTAPI, lambda rest. The program must call [RunFunction] with the service's functions. The caller
// must call stop if err is nil.
func Start(ctx context.Context, o Options, s Service) (list []*Server, stop func() error, err error) {
	stop = func() error {
		var errs []error
		for _, server := range slices.Backward(list) {
			if err := server.stop(); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", server.Name, err))
			}
		}
		return errors.Join(errs...)
	}
	add := func(server *Server, failed error) {
		if failed != nil {
			err = errors.Join(err, failed)
			return
		}
		list = append(list, server)
	}
	add(start("gin", o, func(a *sso.Authenticator) (string, func() error, error) {
		return Serve(ctx, Gin(func(e *gin.Engine) { s.Gin(e, a) }))
	}))
	add(start("echo", o, func(a *sso.Authenticator) (string, func() error, error) {
		return Serve(ctx, Echo(func(e *echo.Echo) { s.Echo(e, a) }))
	}))
	add(start("fiber", o, func(a *sso.Authenticator) (string, func() error, error) {
		return ServeFiber(ctx, Fiber(func(app *fiber.App) { s.Fiber(app, a) }))
	}))
	add(start("net/http", o, func(a *sso.Authenticator) (string, func() error, error) {
		return Serve(ctx, HTTP(func(m *http.ServeMux) { s.HTTP(m, a) }))
	}))
	add(startLambda(ctx, lambdaHTTP, o, httpAPI, routeKeys(s.HTTPAPI)))
	if s.RESTAPI != nil {
		add(startLambda(ctx, lambdaREST, o, restAPI, routeKeys(s.RESTAPI)))
	}
	if err != nil {
		return nil, nil, errors.Join(err, stop())
	}
	return list, stop, nil
}

// start starts a server with an authenticator of its own.
func start(name string, o Options, serve func(*sso.Authenticator) (url string, stop func() error, err error)) (*Server, error) {
	seen := &journal{}
	auth, err := sso.New(seen.watch(o.Config))
	if err != nil {
		return nil, err
	}
	url, stop, err := serve(auth)
	if err != nil {
		return nil, errors.Join(err, auth.Close())
	}
	return &Server{
		Name: name, URL: url, Auth: auth,
		report: func(context.Context) (Report, error) { return seen.report(auth), nil },
		stop:   func() error { return errors.Join(stop(), auth.Close()) },
	}, nil
}

var quietGin = sync.OnceFunc(func() { gin.SetMode(gin.ReleaseMode) })

// Gin returns a Gin router with the routes that register adds.
func Gin(register func(*gin.Engine)) *gin.Engine {
	quietGin()
	engine := gin.New()
	register(engine)
	return engine
}

// Echo returns an Echo router with the routes that register adds.
func Echo(register func(*echo.Echo)) *echo.Echo {
	e := echo.New()
	register(e)
	return e
}

// HTTP returns a mux of net/http with the routes that register adds.
func HTTP(register func(*http.ServeMux)) *http.ServeMux {
	mux := http.NewServeMux()
	register(mux)
	return mux
}

// Fiber returns a Fiber app with the routes that register adds.
func Fiber(register func(*fiber.App)) *fiber.App {
	app := fiber.New(fiber.Config{
		DisableStartupMessage: true,
		ReadBufferSize:        16 << 10, // for tokens larger than 4 KiB
		ErrorHandler:          func(c *fiber.Ctx, _ error) error { return c.SendStatus(http.StatusBadRequest) },
	})
	register(app)
	return app
}

// Serve serves a handler on a free port of the loopback interface, until stop is called.
func Serve(ctx context.Context, handler http.Handler) (url string, stop func() error, err error) {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	return listen(ctx, server.Serve, server.Close)
}

// ServeFiber serves a Fiber app on a free port of the loopback interface, until stop is called.
func ServeFiber(ctx context.Context, app *fiber.App) (url string, stop func() error, err error) {
	return listen(ctx, app.Listener, func() error { return app.ShutdownWithTimeout(stopLimit) })
}

func listen(ctx context.Context, serve func(net.Listener) error, shutdown func() error) (string, func() error, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	served := make(chan error, 1)
	go func() { served <- serve(listener) }()
	return "http://" + listener.Addr().String(), func() error {
		err := shutdown()
		if ended := <-served; !errors.Is(ended, http.ErrServerClosed) {
			err = errors.Join(err, ended)
		}
		return err
	}, nil
}

// journal keeps what the operator of a service sees of refusals. It is the handler of the service's log.
type journal struct {
	next slog.Handler

	mu     sync.Mutex
	logged sso.Reason
	last   Report
}

// watch returns the configuration with a log and an observer that write into the journal.
func (j *journal) watch(c sso.Config) sso.Config {
	j.next = slog.DiscardHandler
	if c.Logger != nil {
		j.next = c.Logger.Handler()
	}
	c.Logger, c.Observe = slog.New(j), j.observe
	return c
}

func (j *journal) Enabled(context.Context, slog.Level) bool { return true }
func (j *journal) WithAttrs([]slog.Attr) slog.Handler       { return j }
func (j *journal) WithGroup(string) slog.Handler            { return j }

func (j *journal) Handle(ctx context.Context, record slog.Record) error {
	record.Attrs(func(a slog.Attr) bool {
		if a.Key == "reason" {
			j.mu.Lock()
			defer j.mu.Unlock()
			j.logged = sso.Reason(a.Value.String())
		}
		return true
	})
	if !j.next.Enabled(ctx, record.Level) {
		return nil
	}
	return j.next.Handle(ctx, record)
}

// observe notes a refusal, which the service has logged just before.
func (j *journal) observe(e sso.Event) {
	if e.Kind == sso.EventRefused {
		j.mu.Lock()
		defer j.mu.Unlock()
		j.last = Report{Refusals: j.last.Refusals + 1, Reason: j.logged, Error: e.Err.Error(), Cause: e.Err}
	}
}

func (j *journal) report(auth *sso.Authenticator) Report {
	j.mu.Lock()
	defer j.mu.Unlock()
	r := j.last
	r.Keys = auth.Status()[0]
	return r
}
