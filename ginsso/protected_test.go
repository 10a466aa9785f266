package ginsso_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/ssotest"
	"github.com/more-retail/moresso-go/ginsso"
)

func TestOpenRoutes(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	guard := ginsso.New(iss.Authenticator(iss.Config("api")))
	handler := func(c *gin.Context) { c.Status(http.StatusOK) }
	for _, test := range []struct {
		name  string
		build func(*gin.Engine)
		open  []string
	}{
		{"a guard before all routes", func(e *gin.Engine) {
			e.Use(guard.Authenticate())
			e.GET("/orders/:id", handler)
			e.Group("/admin").POST("/users", handler)
		}, nil},
		{"a route registered before Use", func(e *gin.Engine) {
			e.GET("/early", handler)
			e.Use(guard.Authenticate())
			e.GET("/late", handler)
		}, []string{"GET /early"}},
		{"a group made before engine.Use", func(e *gin.Engine) {
			admin := e.Group("/admin")
			e.Use(guard.Authenticate())
			admin.GET("/users/*path", handler) // the group copied the engine's middleware when it was made
			e.GET("/late", handler)
		}, []string{"GET /admin/users/*path"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			engine := gin.New()
			test.build(engine)
			routes := ssotest.Endpoints(engine.Routes(), func(r gin.RouteInfo) string { return r.Method + " " + r.Path })
			open := ssotest.OpenRoutes(t, routes, ssotest.Serve(t, engine))
			if !slices.Equal(open, test.open) {
				t.Errorf("open: %q, want %q", open, test.open)
			}
		})
	}
}

func TestAssertProtected(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	guard := ginsso.New(iss.Authenticator(iss.Config("api")))
	engine := gin.New()
	engine.GET("/healthz", func(c *gin.Context) { c.Status(http.StatusOK) })
	orders := engine.Group("/orders", guard.Authenticate())
	orders.GET("/:id", func(c *gin.Context) { c.Status(http.StatusOK) })
	orders.DELETE("/:id", guard.Require(permission.Role("admin")), func(c *gin.Context) { c.Status(http.StatusOK) })

	routes := ssotest.Endpoints(engine.Routes(), func(r gin.RouteInfo) string { return r.Method + " " + r.Path })
	ssotest.AssertProtected(t, routes, ssotest.Serve(t, engine), "GET /healthz")
}
