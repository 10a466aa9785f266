package observability

import (
	"net/http"

	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/httpsso"
)

// Probes are the routes by which an operator and a cluster watch the sign-on of a service. Serve
// them where only those come, on a port of their own.
func Probes(auth *sso.Authenticator) http.Handler {
	mux := http.NewServeMux()
	// Alive: the process answers. It never asks for keys, since a restart brings none.
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	// Ready: there are keys to verify tokens with. The first probe fetches them.
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if err := auth.Ready(r.Context()); err != nil {
			http.Error(w, "no keys", http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.Handle("GET /sso/status", httpsso.Status(auth)) // for people
	return mux
}
