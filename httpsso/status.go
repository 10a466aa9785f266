package httpsso

import (
	"encoding/json"
	"net/http"

	"github.com/more-retail/moresso-go/core/sso"
)

// Status is a handler that tells an operator how an authenticator's keys stand, as JSON:
// source by source the ids in force, their age, the last error and the next attempt. It
// answers 200 if every source has keys to verify tokens with, else 503. It fetches nothing;
// for a readiness probe that may, call [sso.Authenticator.Ready]. It holds no secret, but
// addresses and error texts: serve it where only operators come. It answers GET and HEAD, and for a
// nil authenticator 503. Each source is a [keys.Status].
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
