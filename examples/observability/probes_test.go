package observability

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/ssotest"
)

func TestProbes(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	now := time.Now()
	cfg := iss.Config("api")
	cfg.Now = func() time.Time { return now }
	probes := Probes(iss.Authenticator(cfg))
	expect := func(situation string, want map[string]int) {
		t.Helper()
		for path, status := range want {
			w := httptest.NewRecorder()
			probes.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody))
			if w.Code != status {
				t.Errorf("%s: %s is %d, want %d", situation, path, w.Code, status)
			}
		}
	}

	iss.Down()
	expect("without a provider", map[string]int{"/livez": 204, "/readyz": 503, "/sso/status": 503})
	iss.Up()
	now = now.Add(time.Minute) // past the back-off
	expect("with it", map[string]int{"/readyz": 204})
	iss.Down()
	now = now.Add(time.Hour)
	expect("an hour without", map[string]int{"/livez": 204, "/readyz": 204, "/sso/status": 200})
	now = now.Add(time.Hour)
	expect("two hours without", map[string]int{"/livez": 204, "/readyz": 503, "/sso/status": 503})
}
