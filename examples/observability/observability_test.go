package observability

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/core/ssotest"
	"github.com/more-retail/moresso-go/httpsso"
)

// exercise sends a service one request that is granted, one that is denied and one without token.
func exercise(t *testing.T, change func(*sso.Config)) {
	t.Helper()
	iss := ssotest.NewIssuer(t)
	cfg := iss.Config("api")
	change(&cfg)
	guard := httpsso.New(iss.Authenticator(cfg))
	handler := guard.Require(permission.Is("orders.role", "clerk"))(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for _, token := range []string{iss.Token(devissuer.Permission("orders.role", "clerk")), iss.Token(), ""} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/orders", http.NoBody)
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		handler.ServeHTTP(httptest.NewRecorder(), r)
	}
}

func TestPrometheus(t *testing.T) {
	registry := prometheus.NewRegistry()
	exercise(t, func(cfg *sso.Config) { cfg.Observe = Prometheus(registry) })

	w := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody))
	for _, want := range []string{
		`sso_events_total{code="",kind="authenticated",reason=""} 2`,
		`sso_events_total{code="",kind="granted",reason=""} 1`,
		`sso_events_total{code="",kind="keys_fetched",reason=""} 1`,
		`sso_events_total{code="insufficient_scope",kind="refused",reason="access_denied"} 1`,
		`sso_events_total{code="missing_token",kind="refused",reason="missing_token"} 1`,
		"sso_keys_fetched_timestamp_seconds ",
	} {
		if !strings.Contains(w.Body.String(), "\n"+want) {
			t.Errorf("no line %q in\n%s", want, w.Body)
		}
	}
}

func TestOpenTelemetry(t *testing.T) {
	reader := sdk.NewManualReader()
	observe, err := OpenTelemetry(sdk.NewMeterProvider(sdk.WithReader(reader)).Meter("orders"))
	if err != nil {
		t.Fatal(err)
	}
	exercise(t, func(cfg *sso.Config) { cfg.Observe = observe })

	var collected metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &collected); err != nil {
		t.Fatal(err)
	}
	counts := map[string]int64{}
	for _, scope := range collected.ScopeMetrics {
		for _, m := range scope.Metrics {
			sum, ok := m.Data.(metricdata.Sum[int64])
			if !ok {
				t.Fatalf("%s is a %T", m.Name, m.Data)
			}
			for _, point := range sum.DataPoints {
				kind, _ := point.Attributes.Value("sso.kind")
				reason, _ := point.Attributes.Value("sso.reason")
				counts[m.Name+" "+kind.AsString()+" "+reason.AsString()] += point.Value
			}
		}
	}
	for name, want := range map[string]int64{
		"sso.events authenticated ":         2,
		"sso.events granted ":               1,
		"sso.events keys_fetched ":          1,
		"sso.events refused access_denied":  1,
		"sso.events refused missing_token":  1,
		"sso.events refused wrong_audience": 0,
	} {
		if counts[name] != want {
			t.Errorf("%s: %d, want %d", name, counts[name], want)
		}
	}
}

func TestLimitRefusals_Flood(t *testing.T) {
	var out strings.Builder
	handler := LimitRefusals(slog.NewJSONHandler(&out, nil), 3, time.Minute)
	begun := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	log := func(after time.Duration, level slog.Level, message, reason string) {
		r := slog.NewRecord(begun.Add(after), level, message, 0)
		r.AddAttrs(slog.String("code", "invalid_token"), slog.String("reason", reason))
		if err := handler.WithAttrs([]slog.Attr{slog.String("service", "orders")}).Handle(context.Background(), r); err != nil {
			t.Fatal(err)
		}
	}
	for range 10 {
		log(0, slog.LevelInfo, "sso: refused", "expired")
	}
	log(time.Second, slog.LevelInfo, "sso: refused", "unknown_key")
	for range 5 {
		log(time.Second, slog.LevelWarn, "sso: refused", "keys_unavailable")
		log(time.Second, slog.LevelInfo, "another message", "expired")
	}
	log(time.Minute, slog.LevelInfo, "sso: refused", "expired")

	counts, left := map[string]int{}, 0.0
	decoder := json.NewDecoder(strings.NewReader(out.String()))
	for {
		var line map[string]any
		if err := decoder.Decode(&line); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		counts[line["msg"].(string)+" "+line["reason"].(string)]++ //nolint:errcheck,forcetypeassert // a panic would do
		if n, ok := line["left_out"].(float64); ok {
			left += n
		}
		if line["service"] != "orders" {
			t.Errorf("an attribute is lost: %v", line)
		}
	}
	for line, want := range map[string]int{"sso: refused expired": 4, "sso: refused unknown_key": 1, "sso: refused keys_unavailable": 5, "another message expired": 5} {
		if counts[line] != want {
			t.Errorf("%s: %d lines, want %d", line, counts[line], want)
		}
	}
	if left != 7 {
		t.Errorf("left_out sums up to %v, want 7", left)
	}
}

// The limit applies to the real records of the library.
func TestLimitRefusals_Records(t *testing.T) {
	var out strings.Builder
	exercise(t, func(cfg *sso.Config) {
		cfg.Logger = slog.New(LimitRefusals(slog.NewTextHandler(&out, nil), 0, time.Minute))
	})
	if strings.Contains(out.String(), "sso: refused") || !strings.Contains(out.String(), "sso: keys changed") {
		t.Error(out.String())
	}
}
