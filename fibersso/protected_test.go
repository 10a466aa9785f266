package fibersso_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/gofiber/fiber/v2"

	"github.com/more-retail/moresso-go/core/ssotest"
	"github.com/more-retail/moresso-go/fibersso"
)

func TestOpenRoutes(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	guard := fibersso.New(iss.Authenticator(iss.Config("api")))
	handler := func(c *fiber.Ctx) error { return c.SendStatus(http.StatusOK) }
	for _, test := range []struct {
		name  string
		build func(*fiber.App)
		open  []string
	}{
		{"a guard before all routes", func(app *fiber.App) {
			app.Use(guard.Authenticate())
			app.Get("/orders/:id<int>", handler)
			app.Group("/admin").Post("/users/*", handler)
		}, nil},
		{"a route registered before Use", func(app *fiber.App) {
			app.Post("/early", handler)
			app.Use(guard.Authenticate())
			app.Post("/late", handler)
		}, []string{"POST /early"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			app := fiber.New()
			test.build(app)
			routes := fibersso.Routes(app)
			if open := ssotest.OpenRoutes(t, routes, do(app)); !slices.Equal(open, test.open) {
				t.Errorf("open: %q, want %q", open, test.open)
			}
		})
	}
}

func TestAssertProtected(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	guard := fibersso.New(iss.Authenticator(iss.Config("orders-api")))
	app := fiber.New()
	app.Get("/healthz", func(c *fiber.Ctx) error { return c.SendStatus(http.StatusOK) }) // and its HEAD, which Fiber adds
	app.Use(guard.Authenticate())
	app.Get("/orders/:id<int>", func(c *fiber.Ctx) error { return c.SendStatus(http.StatusOK) })

	routes := fibersso.Routes(app)
	do := func(r *http.Request) (*http.Response, error) { return app.Test(r) }
	ssotest.AssertProtected(t, routes, do, "GET /healthz")
}
