package httpsso_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/keys"
	"github.com/more-retail/moresso-go/core/ssotest"
	"github.com/more-retail/moresso-go/httpsso"
)

type statusReport struct {
	Usable bool          `json:"usable"`
	Keys   []keys.Status `json:"keys"`
}

func TestStatus_NoAuthenticator(t *testing.T) {
	w := httptest.NewRecorder()
	httpsso.Status(nil).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/status", http.NoBody))
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), `"usable": false`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestStatus(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	now := time.Now()
	cfg := iss.Config("api")
	cfg.Now = func() time.Time { return now }
	auth := iss.Authenticator(cfg)
	get := func(method string) (int, statusReport) {
		t.Helper()
		w := httptest.NewRecorder()
		httpsso.Status(auth).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, "/status", http.NoBody))
		var report statusReport
		if w.Header().Get("Content-Type") == "application/json" {
			if err := json.Unmarshal(w.Body.Bytes(), &report); err != nil {
				t.Fatal(err)
			}
		}
		return w.Code, report
	}

	if code, report := get(http.MethodGet); code != http.StatusServiceUnavailable || report.Usable || report.Keys[0].Fetches != 0 {
		t.Errorf("before the first fetch: %d %+v", code, report)
	}
	if err := auth.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	code, report := get(http.MethodGet)
	if code != http.StatusOK || !report.Usable || strings.Join(report.Keys[0].KeyIDs, " ") != iss.KeyID() || report.Keys[0].Source != iss.JWKSURL() {
		t.Errorf("with keys: %d %+v", code, report)
	}
	iss.Down()
	now = now.Add(3 * time.Hour)
	_ = auth.Ready(t.Context())
	if code, report := get(http.MethodGet); code != http.StatusServiceUnavailable || report.Keys[0].LastError == "" || report.Keys[0].NextAttempt.IsZero() {
		t.Errorf("past the stale bound: %d %+v", code, report)
	}
	now = time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC) // JSON has no form for this year
	_ = auth.Ready(t.Context())
	if code, _ := get(http.MethodGet); code != http.StatusInternalServerError {
		t.Errorf("after the last year: %d", code)
	}
	if code, _ := get(http.MethodPost); code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", code)
	}
}
