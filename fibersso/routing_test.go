package fibersso_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
	"github.com/gofiber/fiber/v2/middleware/rewrite"

	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/core/ssotest"
	"github.com/more-retail/moresso-go/fibersso"
)

// override changes the method as the header says.
func override(c *fiber.Ctx) error {
	if method := c.Get("X-HTTP-Method-Override"); method != "" {
		c.Method(method)
	}
	return c.Next()
}

// overriding sends a GET with an override to DELETE.
func overriding(t *testing.T, app *fiber.App, token string) (status int, body string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/orders", http.NoBody)
	r.Header.Set("X-HTTP-Method-Override", http.MethodDelete)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := app.Test(r, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(text)
}

// failures is a testing.TB that records its errors.
type failures struct {
	testing.TB
	list []string
}

func (f *failures) Helper() {}
func (f *failures) Errorf(format string, args ...any) {
	f.list = append(f.list, fmt.Sprintf(format, args...))
}

func do(app *fiber.App) ssotest.Do {
	return func(r *http.Request) (*http.Response, error) { return app.Test(r, -1) }
}

// Middleware that changes the method while Fiber routes can jump over a guard that comes after it. A guard
// on the route cannot be jumped over, and AssertProtected finds the others.
func TestGuard_JumpedOver(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	guard := fibersso.New(iss.Authenticator(iss.Config("api")))
	for name, c := range map[string]struct {
		build func(*fiber.App)
		safe  bool
	}{
		"a guard on the app":   {func(app *fiber.App) { app.Use(guard.Authenticate()); app.Delete("/orders", ok) }, false},
		"a guard on a group":   {func(app *fiber.App) { app.Group("/orders", guard.Authenticate()).Delete("/", ok) }, false},
		"a guard on the route": {func(app *fiber.App) { app.Delete("/orders", guard.Authenticate(), ok) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			app := fiber.New()
			app.Use(override)
			app.Get("/orders", ok) // public
			app.Get("/health", ok)
			c.build(app)
			status, _ := overriding(t, app, "")
			if c.safe && status != http.StatusUnauthorized {
				t.Errorf("%d", status)
			}
			found := &failures{TB: t}
			ssotest.AssertProtected(found, slices.DeleteFunc(fibersso.Routes(app), func(r string) bool { return r == "USE /" }), do(app), "GET /orders", "GET /health")
			if (len(found.list) == 0) != c.safe || !c.safe && !strings.Contains(strings.Join(found.list, "\n"), "override of the method") {
				t.Errorf("%d, AssertProtected: %q", status, found.list)
			}
		})
	}
	t.Run("rewrite", func(t *testing.T) {
		app := fiber.New()
		app.Use(rewrite.New(rewrite.Config{Rules: map[string]string{"/old": "/orders"}}))
		app.Delete("/orders", guard.Authenticate(), ok)
		if status, _ := send(t, app, http.MethodDelete, "/old", ""); status != http.StatusUnauthorized {
			t.Errorf("%d", status)
		}
	})
}

// A guard has decided about the method that it saw. If a later one answers, the response is withheld.
func TestGuard_OverriddenAfterwards(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	guard := fibersso.New(iss.Authenticator(iss.Config("api")))
	restart := func(c *fiber.Ctx) error {
		if method := c.Get("X-HTTP-Method-Override"); method != "" && c.Method() != method {
			c.Method(method)
			return c.RestartRouting()
		}
		return c.Next()
	}
	for name, c := range map[string]struct {
		middleware fiber.Handler
		want       int
	}{
		"continues": {override, http.StatusInternalServerError},
		"restarts":  {restart, http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			app := fiber.New()
			app.Use(guard.Authenticate(), c.middleware)
			app.Delete("/orders", ok)
			if status, body := overriding(t, app, iss.Token()); status != c.want || strings.Contains(body, "in") != (c.want == http.StatusOK) && c.want == http.StatusOK {
				t.Errorf("%d %s, want %d", status, body, c.want)
			}
			if status, _ := overriding(t, app, ""); status != http.StatusUnauthorized {
				t.Errorf("without a token: %d", status)
			}
		})
	}
}

// The principal is in every context that a handler can have.
func TestPrincipal_InContexts(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	guard := fibersso.New(iss.Authenticator(iss.Config("api")))
	subject := func(ctx context.Context) string { p, _ := sso.FromContext(ctx); return p.Subject() }
	app := fiber.New()
	app.Use(guard.Optional())
	app.Get("/contexts", func(c *fiber.Ctx) error {
		p, _ := fibersso.Principal(c)
		// A WebSocket gets the Locals with string keys: github.com/gofiber/contrib/websocket.
		locals := map[string]any{}
		c.Context().VisitUserValues(func(key []byte, value any) { locals[string(key)] = value })
		q, _ := fibersso.FromLocals(func(key string, _ ...any) any { return locals[key] })
		return c.SendString(strings.Join([]string{p.Subject(), q.Subject(), subject(c.Context()), subject(c.UserContext())}, " "))
	})
	app.Get("/adapted", adaptor.HTTPHandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, subject(r.Context())) }))
	for path, want := range map[string]string{"/contexts": "ada ada ada ada", "/adapted": "ada"} {
		if _, body := send(t, app, http.MethodGet, path, iss.Token()); body != want {
			t.Errorf("%s: %q, want %q", path, body, want)
		}
		if _, body := send(t, app, http.MethodGet, path, ""); strings.TrimSpace(body) != "" {
			t.Errorf("%s, anonymous: %q", path, body)
		}
	}
}

// The path to return to is the one that the browser sent.
func TestRenderSignIn_PathAsSent(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	cfg := iss.Config("api")
	cfg.Renderer = func(r sso.Request, d sso.Denial) sso.Denial { d.Header.Set("X-Path", r.RequestURI()); return d }
	app := fiber.New()
	app.Get("/files/*", fibersso.New(iss.Authenticator(cfg)).Authenticate(), ok)
	for _, path := range []string{"/files/a%2Fb", "/files/a%20b?c=d%2Fe", "/files//a"} {
		response, err := app.Test(httptest.NewRequest(http.MethodGet, path, http.NoBody))
		if err != nil {
			t.Fatal(err)
		}
		if got := response.Header.Get("X-Path"); got != path {
			t.Errorf("%s became %s", path, got)
		}
		_ = response.Body.Close()
	}
}

func TestRoutes(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	guard := fibersso.New(iss.Authenticator(iss.Config("api"))).Authenticate()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "x"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	next := func(c *fiber.Ctx) error { return c.Next() }
	for name, c := range map[string]struct {
		build func(*fiber.App)
		open  []string
	}{
		"guarded": {func(app *fiber.App) {
			app.Use(next, guard)
			app.Static("/files", folder)
			app.Get("/orders/:id<int>", ok)
			sub := fiber.New()
			sub.Get("/people", ok)
			app.Mount("/hr", sub)
		}, nil},
		"a guard on each": {func(app *fiber.App) { app.Use(next); app.Get("/orders/:id<int>", guard, ok) }, nil},
		"a mounted app": {func(app *fiber.App) {
			sub := fiber.New()
			sub.Get("/people", ok)
			app.Mount("/hr", sub)
			app.Use(guard)
		}, []string{"GET /hr/people", "HEAD /hr/people"}},
		"files":                   {func(app *fiber.App) { app.Static("/files", folder); app.Use(guard) }, []string{"GET /files/*"}},
		"files beside middleware": {func(app *fiber.App) { app.Use(next); app.Static("/", folder); app.Use(guard) }, []string{"GET /*"}},
		"files beside a route":    {func(app *fiber.App) { app.Get("/", guard, ok); app.Static("/", folder) }, []string{"GET /*"}},
		"files beside both": {func(app *fiber.App) {
			app.Use("/files", next)
			app.Get("/files", guard, ok)
			app.Static("/files", folder)
		}, []string{"GET /files/*"}},
		"a prefix beside all methods": {func(app *fiber.App) { app.All("/admin", guard, ok); app.Use("/admin", ok) }, []string{"USE /admin"}},
		"a prefix beside a route":     {func(app *fiber.App) { app.Get("/admin", guard, ok); app.Use("/admin", ok) }, []string{"USE /admin"}},
		"a handler for a prefix":      {func(app *fiber.App) { app.Use("/admin", ok); app.Use(guard) }, []string{"USE /admin"}},
		"a handler of a group":        {func(app *fiber.App) { app.Group("/admin", ok); app.Use(guard) }, []string{"USE /admin"}},
		"a route before the guard":    {func(app *fiber.App) { app.Post("/early", ok); app.Use(guard); app.Post("/late", ok) }, []string{"POST /early"}},
		"a mounted app before a guard": {func(app *fiber.App) {
			sub := fiber.New()
			sub.Use(guard)
			sub.Get("/people", ok)
			app.Mount("/hr", sub)
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			app := fiber.New()
			c.build(app)
			routes := fibersso.Routes(app)
			if open := ssotest.OpenRoutes(t, routes, do(app)); !slices.Equal(slices.Sorted(slices.Values(open)), c.open) {
				t.Errorf("open: %q of %q, want %q", open, routes, c.open)
			}
		})
	}
}
