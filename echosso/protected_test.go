package echosso_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/labstack/echo/v4"
	echomw "github.com/labstack/echo/v4/middleware"

	"github.com/more-retail/moresso-go/core/ssotest"
	"github.com/more-retail/moresso-go/echosso"
)

func TestOpenRoutes(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	guard := echosso.New(iss.Authenticator(iss.Config("api")))
	handler := func(c echo.Context) error { return c.NoContent(http.StatusOK) }
	for _, test := range []struct {
		name  string
		build func(*echo.Echo)
		open  []string
	}{
		{"a guard on the server, after the routes", func(e *echo.Echo) {
			e.GET("/orders/:id", handler)
			e.Use(guard.Authenticate())
		}, nil},
		{"a guard on a group before its routes", func(e *echo.Echo) {
			admin := e.Group("/admin", guard.Authenticate())
			admin.GET("/users/:id", handler)
		}, nil},
		{"a group with middleware, and guards on its routes", func(e *echo.Echo) {
			e.Group("/api", echomw.RequestID()).GET("/orders", handler, guard.Authenticate())
		}, nil},
		{"a route registered before group.Use", func(e *echo.Echo) {
			admin := e.Group("/admin")
			admin.GET("/early", handler)
			admin.Use(guard.Authenticate())
			admin.GET("/late", handler)
		}, []string{"GET /admin/early"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := echo.New()
			test.build(e)
			routes := ssotest.Endpoints(e.Routes(), func(r *echo.Route) string { return r.Method + " " + r.Path })
			open := ssotest.OpenRoutes(t, routes, ssotest.Serve(t, e))
			if !slices.Equal(open, test.open) {
				t.Errorf("open: %q, want %q", open, test.open)
			}
		})
	}
}
