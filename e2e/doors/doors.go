// Package doors opens every front door of the library at once, as real servers that are configured alike: Gin,
// Echo, Fiber, net/http, and Lambda behind API Gateway's HTTP API and REST API. A Lambda function is a process
// of its own, which runs the real client of the Runtime API; see [Function].
//
// Each door is a service by itself, with its own [sso.Authenticator]. All serve the same two routes, /me for a
// good token and /admin for the permission pma.role, and answer with the principal that the handler was given.
package doors

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/gofiber/fiber/v2"
	"github.com/labstack/echo/v4"

	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/echosso"
	"github.com/more-retail/moresso-go/fibersso"
	"github.com/more-retail/moresso-go/ginsso"
	"github.com/more-retail/moresso-go/httpsso"
)

// The routes that every door has, for GET.
const (
	Me    = "/me"    // for a good token
	Admin = "/admin" // for a token with permissions.pma.role "admin"
)

// requestLimit bounds one request to a door, and the end of a function's process.
const requestLimit = 30 * time.Second

// Settings are what every door is told.
type Settings struct {
	PublicKeyURI string
	Issuer       string
	Audience     []string
	Leeway       time.Duration
	// Clock is for tests that move time on; nil: the real time.
	Clock *Clock
}

// A Door is a running service behind one front door.
type Door struct {
	Name string

	url      string
	client   *http.Client
	journal  *journal
	accepted atomic.Int64 // answers with 200
}

// Answer is what a door answers. Doors are alike if their answers are equal.
type Answer struct {
	Status int
	Header http.Header // all but Date
	Body   string
	// Reason is what the service's log says of a refusal; empty where nothing was refused.
	Reason string
}

// Open opens all doors, until the test ends.
func Open(tb testing.TB, s Settings) []*Door {
	tb.Helper()
	quietGin()
	return []*Door{
		local(tb, "Gin", s, openGin),
		local(tb, "Echo", s, openEcho),
		local(tb, "Fiber", s, openFiber),
		local(tb, "net/http", s, openServeMux),
		function(tb, "Lambda, HTTP API", s, httpAPI),
		function(tb, "Lambda, REST API", s, restAPI),
	}
}

// Get sends a request, with these fields Authorization.
func (d *Door) Get(ctx context.Context, path string, authorization ...string) (Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, requestLimit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url+path, http.NoBody)
	if err != nil {
		return Answer{}, err
	}
	for _, value := range authorization {
		req.Header.Add("Authorization", value)
	}
	res, err := d.client.Do(req)
	if err != nil {
		return Answer{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return Answer{}, err
	}
	if res.StatusCode == http.StatusOK {
		d.accepted.Add(1)
	}
	a := Answer{Status: res.StatusCode, Header: res.Header, Body: string(body)}
	a.Header.Del("Date")
	if a.Header.Get("Content-Type") == "application/problem+json" {
		a.Reason, err = d.journal.reason(ctx)
	}
	return a, err
}

// ended is called when the service is: whom it refused its handler must not have seen.
func (d *Door) ended(tb testing.TB) {
	tb.Helper()
	if ran, accepted := d.journal.visited(), d.accepted.Load(); ran != accepted {
		tb.Errorf("%s: the handler ran %d times, for %d accepted requests", d.Name, ran, accepted)
	}
	d.journal.tell(tb, d.Name)
}

// service is what stands behind a door, in whichever process.
type service struct {
	auth   *sso.Authenticator
	logger *slog.Logger
}

func newService(config sso.Config, log io.Writer) (service, error) {
	config.Logger = slog.New(slog.NewJSONHandler(log, nil))
	auth, err := sso.New(config)
	return service{auth, config.Logger}, err
}

// greeting is what a handler answers to a principal.
func (s service) greeting(ctx context.Context, p *sso.Principal, ok bool) []byte {
	s.logger.InfoContext(ctx, handled)
	body, err := json.Marshal(map[string]any{
		"known":    ok,
		"subject":  p.Subject(),
		"issuer":   p.Issuer(),
		"audience": p.Audience(),
	})
	if err != nil {
		panic(err) // strings have a JSON form
	}
	return body
}

// local opens a door in the test's own process. open serves the routes by a framework, and returns the address.
func local(tb testing.TB, name string, s Settings, open func(testing.TB, service) string) *Door {
	tb.Helper()
	d := newDoor(name)
	behind, err := newService(sso.Config{
		PublicKeyURI: s.PublicKeyURI,
		Issuer:       s.Issuer,
		Audience:     s.Audience,
		Leeway:       s.Leeway,
		Now:          s.Clock.now(),
	}, d.journal)
	if err != nil {
		tb.Fatalf("%s: %v", name, err)
	}
	tb.Cleanup(func() {
		if err := behind.auth.Close(); err != nil {
			tb.Errorf("%s: %v", name, err)
		}
		d.ended(tb)
	})
	d.url = open(tb, behind)
	tb.Cleanup(d.client.CloseIdleConnections) // before the server ends, which may wait for that
	return d
}

func newDoor(name string) *Door {
	return &Door{
		Name:    name,
		client:  &http.Client{Transport: &http.Transport{}},
		journal: &journal{reasons: make(chan string, 1024)},
	}
}

// demanded is the permission for [Admin].
func demanded() sso.Permission { return permission.Is("pma.role", "admin") }

const bodyType = "application/json"

// quietGin ends gin's talk on the standard output. The setting is the process's.
var quietGin = sync.OnceFunc(func() { gin.SetMode(gin.ReleaseMode) })

func openGin(tb testing.TB, s service) string {
	tb.Helper()
	guard := ginsso.New(s.auth)
	handler := func(c *gin.Context) {
		p, ok := ginsso.Principal(c)
		c.Data(http.StatusOK, bodyType, s.greeting(c.Request.Context(), p, ok))
	}
	engine := gin.New()
	engine.GET(Me, guard.Authenticate(), handler)
	engine.GET(Admin, guard.Require(demanded()), handler)
	return serve(tb, engine)
}

func openEcho(tb testing.TB, s service) string {
	tb.Helper()
	guard := echosso.New(s.auth)
	handler := func(c echo.Context) error {
		p, ok := echosso.Principal(c)
		return c.Blob(http.StatusOK, bodyType, s.greeting(c.Request().Context(), p, ok))
	}
	e := echo.New()
	e.GET(Me, handler, guard.Authenticate())
	e.GET(Admin, handler, guard.Require(demanded()))
	return serve(tb, e)
}

func openServeMux(tb testing.TB, s service) string {
	tb.Helper()
	guard := httpsso.New(s.auth)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, ok := httpsso.Principal(r)
		w.Header().Set("Content-Type", bodyType)
		_, _ = w.Write(s.greeting(r.Context(), p, ok))
	})
	mux := http.NewServeMux()
	mux.Handle("GET "+Me, guard.Authenticate()(handler))
	mux.Handle("GET "+Admin, guard.Require(demanded())(handler))
	return serve(tb, mux)
}

func openFiber(tb testing.TB, s service) string {
	tb.Helper()
	guard := fibersso.New(s.auth)
	handler := func(c *fiber.Ctx) error {
		p, ok := fibersso.Principal(c)
		c.Set(fiber.HeaderContentType, bodyType)
		return c.Send(s.greeting(c.UserContext(), p, ok))
	}
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Get(Me, guard.Authenticate(), handler)
	app.Get(Admin, guard.Require(demanded()), handler)

	listener, err := new(net.ListenConfig).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- app.Listener(listener) }()
	tb.Cleanup(func() {
		if err := errors.Join(app.ShutdownWithTimeout(requestLimit), <-served); err != nil {
			tb.Errorf("Fiber: %v", err)
		}
	})
	return "http://" + listener.Addr().String()
}

func serve(tb testing.TB, handler http.Handler) string {
	tb.Helper()
	server := httptest.NewServer(handler)
	tb.Cleanup(server.Close)
	return server.URL
}
