package httpsso

import (
	"encoding/json"
	"net/http"

	"github.com/more-retail/moresso-go/core/sso"
)

// Status returns a handler that reports the state of the keys to operators, as a JSON list of
// [keys.Status]. The status is 200 if every source has usable keys, else 503, also for a nil
// authenticator. It fetches nothing; for a readiness probe call [sso.Authenticator.Ready]. It
// contains no secret, but addresses and error texts: serve it to operators only. It responds to GET
// and HEAD.
//
// [keys.Status]: https://pkg.go.dev/github.com/more-retail/moresso-go/core/keys#Status
func Status(a *sso.Authenticator) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
			return
		}
		sources := a.Status()
		usable := len(sources) > 0
		for _, source := range sources {
			usable = usable && source.Usable
		}
		body, err := json.MarshalIndent(map[string]any{"usable": usable, "keys": sources}, "", "  ")
		if err != nil {
			http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		if !usable {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = w.Write(append(body, '\n'))
	})
}
