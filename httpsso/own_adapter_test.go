package httpsso_test

import (
	"context"
	"io"
	"net/http"
	"testing"

	"github.com/more-retail/moresso-go/core/adapter"
	"github.com/more-retail/moresso-go/core/adaptertest"
	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
)

// guarded is the adapter in docs/ADAPTERS.md.

func guarded(auth *sso.Authenticator, p sso.Permission, next http.Handler) http.Handler {
	required := permission.ForRoute(p)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, err := auth.Authorize(r.Context(), ownRequest{adapter.HTTPRequest{R: r}}, required)
		if err != nil {
			sso.DenialOf(err).Write(w)
			return
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// ownRequest implements [sso.Request].
type ownRequest struct{ adapter.HTTPRequest }

func (r ownRequest) Pattern() string              { return r.R.Pattern }
func (r ownRequest) PathValue(name string) string { return r.R.PathValue(name) }

func TestOwnAdapter(t *testing.T) {
	adaptertest.TestHTTPAdapter(t, "our own", func(routes []adaptertest.Route) http.Handler {
		mux := http.NewServeMux()
		for _, route := range routes {
			mux.Handle(route.Path, ownRoute(route))
		}
		return mux
	}, adaptertest.Drawing)
}

func ownRoute(route adaptertest.Route) http.Handler {
	var handler http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		principal, ok := sso.FromContext(r.Context())
		_, _ = io.WriteString(w, route.Handle(r.Context(), principal, ok))
	})
	for i := range route.Layers {
		handler = ownLayer(route.Layers[len(route.Layers)-1-i], handler)
	}
	return handler
}

func ownLayer(layer adaptertest.Layer, next http.Handler) http.Handler {
	auth := layer.Auth
	if len(layer.TokenFrom) > 0 {
		auth = auth.TokenFrom(layer.TokenFrom...)
	}
	if layer.TokenInContext {
		auth = auth.TokenInContext()
	}
	var check func(context.Context, sso.Request) (context.Context, error)
	switch {
	case layer.Permission != nil:
		return guarded(auth, layer.Permission, next)
	case layer.Optional:
		check = auth.AuthenticateOptional
	default:
		check = auth.Authenticate
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, err := check(r.Context(), ownRequest{adapter.HTTPRequest{R: r}})
		if err != nil {
			sso.DenialOf(err).Write(w)
			return
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}
