package routers

import (
	"io"
	"net/http"

	"github.com/more-retail/moresso-go/core/adaptertest"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/httpsso"
)

// middleware returns the adapter's middleware for a layer.
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
