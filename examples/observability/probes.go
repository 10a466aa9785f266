package observability

import (
	"net/http"

	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/httpsso"
)

// Probes are the routes for operators and the cluster. Serve them on a port of their own that clients cannot reach.
func Probes(auth *sso.Authenticator) http.Handler {
	mux := http.NewServeMux()
	// Alive: the process answers. It does not depend on keys, which a restart does not bring.
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	// Ready: keys are available. The first probe fetches them.
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if err := auth.Ready(r.Context()); err != nil {
			http.Error(w, "no keys", http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.Handle("GET /sso/status", httpsso.Status(auth)) // for operators
	return mux
}
