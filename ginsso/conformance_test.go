package ginsso_test

import (
	"net/http"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/more-retail/moresso-go/core/adaptertest"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/ginsso"
)

func TestMain(m *testing.M) {
	gin.SetMode(gin.TestMode)
	m.Run()
}

func TestConformance(t *testing.T) { adaptertest.TestHTTPAdapter(t, "Gin", engine) }

// engine returns an engine with the suite's routes, each with its guard.
func engine(routes []adaptertest.Route) http.Handler {
	engine := gin.New()
	for _, route := range routes {
		var handlers []gin.HandlerFunc
		for _, layer := range route.Layers {
			handlers = append(handlers, middleware(layer))
		}
		handlers = append(handlers, func(c *gin.Context) {
			principal, ok := ginsso.Principal(c)
			c.String(http.StatusOK, "%s", route.Handle(c.Request.Context(), principal, ok))
		})
		engine.Any(route.ColonPath(), handlers...)
	}
	return engine
}

func middleware(layer adaptertest.Layer) gin.HandlerFunc {
	var opts []ginsso.Option
	if len(layer.TokenFrom) > 0 {
		opts = append(opts, ginsso.WithTokenFrom(layer.TokenFrom...))
	}
	if layer.TokenInContext {
		opts = append(opts, ginsso.WithTokenInContext())
	}
	if layer.Denied != nil {
		opts = append(opts, ginsso.WithDenied(func(c *gin.Context, d sso.Denial) {
			layer.Denied(d, func(body string) { _, _ = c.Writer.WriteString(body) })
		}))
	}
	guard := ginsso.New(layer.Auth, opts...)
	switch {
	case layer.Permission != nil:
		return guard.Require(layer.Permission)
	case layer.Optional:
		return guard.Optional()
	default:
		return guard.Authenticate()
	}
}
