package adapter_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/more-retail/moresso-go/core/adapter"
	"github.com/more-retail/moresso-go/core/keys"
	"github.com/more-retail/moresso-go/core/sso"
)

func newAuth(t *testing.T, logger *slog.Logger) *sso.Authenticator {
	t.Helper()
	source, err := keys.Static(keys.Key{Public: ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)).Public()})
	if err != nil {
		t.Fatal(err)
	}
	a, err := sso.New(sso.Config{Keys: source, Audience: []string{"api"}, Issuer: "https://issuer.example", Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// panicky is a log handler that panics.
type panicky struct{}

func (panicky) Enabled(context.Context, slog.Level) bool  { return true }
func (panicky) Handle(context.Context, slog.Record) error { panic("the log") }
func (panicky) WithAttrs([]slog.Attr) slog.Handler        { return panicky{} }
func (panicky) WithGroup(string) slog.Handler             { return panicky{} }

func TestDrawHTTP(t *testing.T) {
	standard := string(sso.DenialOf(sso.ErrNoToken).Body)
	for _, test := range []struct {
		name         string
		custom       func(http.ResponseWriter)
		status       int
		body, typ    string
		panics       bool
		statusesSent []int
	}{
		{"a body", func(w http.ResponseWriter) { _, _ = io.WriteString(w, "mine"); _, _ = io.WriteString(w, "!") }, 401, "mine!", "", false, []int{401}},
		{"a status", func(w http.ResponseWriter) { w.WriteHeader(http.StatusForbidden) }, 403, "", "", false, []int{403}},
		{"the smallest final status", func(w http.ResponseWriter) { w.WriteHeader(http.StatusOK) }, 200, "", "", false, []int{200}},
		{"a status and a body", func(w http.ResponseWriter) { w.WriteHeader(http.StatusForbidden); _, _ = io.WriteString(w, "mine") }, 403, "mine", "", false, []int{403}},
		{"an announcement, and then a body", func(w http.ResponseWriter) { w.WriteHeader(http.StatusEarlyHints); _, _ = io.WriteString(w, "mine") }, 401, "mine", "", false, []int{103, 401}},
		{"an announcement alone", func(w http.ResponseWriter) { w.WriteHeader(http.StatusEarlyHints) }, 401, standard, "application/problem+json", false, []int{103, 401}},
		{"a flush", func(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() }, 401, "", "", false, []int{401}},
		{"a flush, and then a body", func(w http.ResponseWriter) { flush(w); _, _ = io.WriteString(w, "mine") }, 401, "mine", "", false, []int{401}},
		{"what is not supported", func(w http.ResponseWriter) { _ = http.NewResponseController(w).EnableFullDuplex() }, 401, standard, "application/problem+json", false, []int{401}},
		{"nothing", func(http.ResponseWriter) {}, 401, standard, "application/problem+json", false, []int{401}},
		{"a panic", func(http.ResponseWriter) { panic("no") }, 401, standard, "application/problem+json", true, []int{401}},
		{"a panic halfway", func(w http.ResponseWriter) { _, _ = io.WriteString(w, "mine"); panic("no") }, 401, "mine", "", true, []int{401}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var log bytes.Buffer
			a := newAuth(t, slog.New(slog.NewTextHandler(&log, nil)))
			w := &statuses{ResponseRecorder: httptest.NewRecorder()}
			adapter.DrawHTTP(a, w, sso.DenialOf(sso.ErrNoToken), test.custom)
			if !slices.Equal(w.sent, test.statusesSent) || w.Body.String() != test.body {
				t.Errorf("%v %s", w.sent, w.Body)
			}
			if h := w.Header(); h.Get("Content-Type") != test.typ || h.Get("WWW-Authenticate") != "Bearer" || h.Get("Cache-Control") != "no-store" {
				t.Errorf("%v", h)
			}
			if logged := strings.Contains(log.String(), "WithDenied"); logged != test.panics {
				t.Errorf("the log is %q", log.String())
			}
		})
	}
}

// flush flushes as handlers do that are older than [http.ResponseController].
func flush(w http.ResponseWriter) {
	if f, ok := w.(http.Flusher); ok {
		f.Flush()
	}
}

// statuses records the statuses that were sent.
type statuses struct {
	*httptest.ResponseRecorder
	sent []int
}

func (w *statuses) WriteHeader(status int) {
	w.sent = append(w.sent, status)
	if status >= http.StatusOK { // the recorder takes the first for the answer
		w.ResponseRecorder.WriteHeader(status)
	}
}

func TestDraw(t *testing.T) {
	for _, test := range []struct {
		name           string
		custom         func(*bool)
		wantStandard   bool
		panickyLogging bool
		status         bool // one is set, and not sent
	}{
		{"a custom answer", func(written *bool) { *written = true }, false, false, false},
		{"nothing written", func(*bool) {}, true, false, false},
		{"a status alone", func(*bool) {}, false, false, true},
		{"a status, and then a panic", func(*bool) { panic("no") }, true, false, true},
		{"a panic before anything", func(*bool) { panic("no") }, true, false, false},
		{"a panic halfway", func(written *bool) { *written = true; panic("no") }, false, false, false},
		{"a panic, and a log that panics", func(*bool) { panic("no") }, true, true, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			logger := slog.New(slog.DiscardHandler)
			if test.panickyLogging {
				logger = slog.New(panicky{})
			}
			a := newAuth(t, logger)
			var written, standard bool
			adapter.Draw(a, func() { test.custom(&written) }, func() bool { return written || test.status }, func() bool { return written }, func() { standard = true })
			if standard != test.wantStandard {
				t.Errorf("the standard answer: %t", standard)
			}
		})
	}
}
