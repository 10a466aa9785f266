package httpsso_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/more-retail/moresso-go/core/adaptertest"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/httpsso"
)

func TestConformance(t *testing.T) { adaptertest.TestHTTPAdapter(t, "net/http", serveMux) }

// serveMux has the suite's routes, with the guard around each handler.
func serveMux(routes []adaptertest.Route) http.Handler {
	mux := http.NewServeMux()
	for _, route := range routes {
		var handler http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			principal, ok := httpsso.Principal(r)
			_, _ = io.WriteString(w, route.Handle(r.Context(), principal, ok))
		})
		for i := range route.Layers {
			handler = middleware(route.Layers[len(route.Layers)-1-i])(handler)
		}
		mux.Handle(route.Path, handler)
	}
	return mux
}

func middleware(layer adaptertest.Layer) func(http.Handler) http.Handler {
	var opts []httpsso.Option
	if len(layer.TokenFrom) > 0 {
		opts = append(opts, httpsso.WithTokenFrom(layer.TokenFrom...))
	}
	if layer.TokenInContext {
		opts = append(opts, httpsso.WithTokenInContext())
	}
	if layer.Denied != nil {
		opts = append(opts, httpsso.WithDenied(func(w http.ResponseWriter, _ *http.Request, d sso.Denial) {
			layer.Denied(d, func(body string) { _, _ = io.WriteString(w, body) })
		}))
	}
	guard := httpsso.New(layer.Auth, opts...)
	switch {
	case layer.Permission != nil:
		return guard.Require(layer.Permission)
	case layer.Optional:
		return guard.Optional()
	default:
		return guard.Authenticate()
	}
}
