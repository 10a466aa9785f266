// Package routers runs the conformance suite for the net/http adapter with other routers.
package routers

import (
	"io"
	"net/http"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/gorilla/mux"

	"github.com/more-retail/moresso-go/core/adaptertest"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/core/ssotest"
	"github.com/more-retail/moresso-go/httpsso"
)

func TestConformance(t *testing.T) {
	adaptertest.TestHTTPAdapter(t, "chi", chiRouter)
	// gorilla does not set the path values of net/http.
	adaptertest.TestHTTPAdapter(t, "gorilla", gorillaRouter, adaptertest.PathValues)
}

func chiRouter(routes []adaptertest.Route) http.Handler {
	router := chi.NewRouter()
	for _, route := range routes {
		var layers []func(http.Handler) http.Handler
		for _, layer := range route.Layers {
			layers = append(layers, middleware(layer))
		}
		router.With(layers...).Handle(route.Path, handler(route))
	}
	return router
}

func gorillaRouter(routes []adaptertest.Route) http.Handler {
	router := mux.NewRouter()
	for _, route := range routes {
		guarded := handler(route)
		for i := range route.Layers {
			guarded = middleware(route.Layers[len(route.Layers)-1-i])(guarded)
		}
		router.Handle(route.Path, guarded)
	}
	return router
}

func handler(route adaptertest.Route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		principal, ok := httpsso.Principal(r)
		_, _ = io.WriteString(w, route.Handle(r.Context(), principal, ok))
	})
}

// chi sets path values as they were sent if their encoding is unusual, and else decoded.
func TestGuard_PathValueDecoded(t *testing.T) {
	adaptertest.TestPathValues(t, false, func(auth *sso.Authenticator, p sso.Permission) ssotest.Do {
		router := chi.NewRouter()
		router.With(httpsso.New(auth).Require(p)).Get("/users/{user}", func(http.ResponseWriter, *http.Request) {})
		return ssotest.InProcess(router)
	})
}
