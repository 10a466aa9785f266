package echosso_test

import (
	"net/http"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/more-retail/moresso-go/core/adaptertest"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/echosso"
)

func TestConformance(t *testing.T) { adaptertest.TestHTTPAdapter(t, "Echo", server) }

// server returns a server with the suite's routes, each with its guard.
func server(routes []adaptertest.Route) http.Handler {
	e := echo.New()
	for _, route := range routes {
		var layers []echo.MiddlewareFunc
		for _, layer := range route.Layers {
			layers = append(layers, middleware(layer))
		}
		e.Any(route.ColonPath(), func(c echo.Context) error {
			principal, ok := echosso.Principal(c)
			return c.String(http.StatusOK, route.Handle(c.Request().Context(), principal, ok))
		}, layers...)
	}
	return e
}

func middleware(layer adaptertest.Layer) echo.MiddlewareFunc {
	var opts []echosso.Option
	if len(layer.TokenFrom) > 0 {
		opts = append(opts, echosso.WithTokenFrom(layer.TokenFrom...))
	}
	if layer.TokenInContext {
		opts = append(opts, echosso.WithTokenInContext())
	}
	if layer.Denied != nil {
		opts = append(opts, echosso.WithDenied(func(c echo.Context, d sso.Denial) {
			layer.Denied(d, func(body string) { _, _ = c.Response().Write([]byte(body)) })
		}))
	}
	guard := echosso.New(layer.Auth, opts...)
	switch {
	case layer.Permission != nil:
		return guard.Require(layer.Permission)
	case layer.Optional:
		return guard.Optional()
	default:
		return guard.Authenticate()
	}
}
