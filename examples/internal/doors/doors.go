// Package doors opens one service in each framework, and a Lambda function, over one issuer. What
// they serve is the caller's; see [Services].
package doors

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/gofiber/fiber/v2"
	"github.com/labstack/echo/v4"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/keys"
	"github.com/more-retail/moresso-go/core/sso"
)

// Services say what each front door serves. All fields are needed.
type Services struct {
	Gin   func(*gin.Engine, *sso.Authenticator)
	Echo  func(*echo.Echo, *sso.Authenticator)
	Fiber func(*fiber.App, *sso.Authenticator)
	HTTP  func(*http.ServeMux, *sso.Authenticator)
	// Lambda are the guarded handlers of the function, by the routes that API Gateway knows them
	// by ("GET /orders").
	Lambda func(*sso.Authenticator) map[string]Handler
}

// A Door is one running service with an authenticator of its own.
type Door struct {
	Name, URL string
	// Auth is the service's authenticator; nil for the Lambda function, which is another process.
	Auth *sso.Authenticator

	report func(context.Context) (Report, error)
}

// Report is what a service's operator can see.
type Report struct {
	// Keys tells how the service's cache of keys stands.
	Keys keys.Status `json:"keys"`
	// Reason and Error say why the latest refused request was refused; empty if none was.
	Reason sso.Reason `json:"reason,omitempty"`
	Error  string     `json:"error,omitempty"`
	// Cause is the error itself; nil for the Lambda function, whose errors cross no process.
	Cause error `json:"-"`
}

// Report asks the service what its operator can see.
func (d Door) Report(ctx context.Context) (Report, error) { return d.report(ctx) }

// journal remembers the latest refusal, as an operator would learn it.
type journal struct {
	mu   sync.Mutex
	last sso.Event
}

func (j *journal) observe(e sso.Event) {
	if e.Kind == sso.EventRefused {
		j.mu.Lock()
		j.last = e
		j.mu.Unlock()
	}
}

func (j *journal) report(auth *sso.Authenticator) Report {
	j.mu.Lock()
	defer j.mu.Unlock()
	r := Report{Keys: auth.Status()[0], Reason: j.last.Reason, Cause: j.last.Err}
	if r.Cause != nil {
		r.Error = r.Cause.Error()
	}
	return r
}

// Open starts the services, the Lambda function as this program with the argument -function, and
// returns them in the order Gin, Echo, Fiber, net/http, Lambda. Their tokens are the issuer's, for
// the audience. stop ends them all and is never nil.
func Open(ctx context.Context, issuer *devissuer.Issuer, audience string, s Services) (list []Door, stop func(), err error) {
	var stops []func() // to be called in reverse
	stop = func() {
		for ; len(stops) > 0; stops = stops[:len(stops)-1] {
			stops[len(stops)-1]()
		}
	}
	open := func(name string, serve func(net.Listener, *sso.Authenticator) (stop func())) {
		if err != nil {
			return
		}
		seen := &journal{}
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
		if listener, err = listen(ctx); err != nil {
			return
		}
		stops = append(stops, serve(listener, auth))
		list = append(list, Door{
			Name: name, URL: "http://" + listener.Addr().String(), Auth: auth,
			report: func(context.Context) (Report, error) { return seen.report(auth), nil },
		})
	}
	open("gin", func(l net.Listener, auth *sso.Authenticator) func() {
		gin.SetMode(gin.ReleaseMode)
		router := gin.New()
		s.Gin(router, auth)
		return serveHTTP(l, router)
	})
	open("echo", func(l net.Listener, auth *sso.Authenticator) func() {
		e := echo.New()
		s.Echo(e, auth)
		return serveHTTP(l, e)
	})
	open("fiber", func(l net.Listener, auth *sso.Authenticator) func() {
		app := fiber.New(fiber.Config{
			DisableStartupMessage: true,
			ReadBufferSize:        16 << 10, // for tokens larger than 4 KiB
			ErrorHandler:          func(c *fiber.Ctx, _ error) error { return c.SendStatus(http.StatusBadRequest) },
		})
		s.Fiber(app, auth)
		go func() { _ = app.Listener(l) }() // ends with Shutdown
		return func() { _ = app.Shutdown() }
	})
	open("net/http", func(l net.Listener, auth *sso.Authenticator) func() {
		mux := http.NewServeMux()
		s.HTTP(mux, auth)
		return serveHTTP(l, mux)
	})
	if err != nil {
		return nil, stop, err
	}
	lambda, stopLambda, err := openLambda(ctx, issuer, audience, s)
	if err != nil {
		return nil, stop, err
	}
	stops = append(stops, stopLambda)
	return append(list, lambda), stop, nil
}

func listen(ctx context.Context) (net.Listener, error) {
	return (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
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

// decode reads what the function reports.
func decode(text string) (r Report, err error) {
	err = json.Unmarshal([]byte(text), &r)
	return r, err
}

// Print lists the issuer and the services, each with a path that it serves.
func Print(w io.Writer, issuer *devissuer.Issuer, list []Door, path string) {
	_, _ = fmt.Fprintf(w, "An issuer at %s, and five services that trust it:\n", issuer.URL())
	for _, d := range list {
		_, _ = fmt.Fprintf(w, "  %-8s %s%s\n", d.Name, d.URL, path)
	}
	_, _ = fmt.Fprintln(w)
}
