package observability

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/more-retail/moresso-go/core/sso"
)

// Prometheus returns a function for [sso.Config.Observe] that counts events.
func Prometheus(registerer prometheus.Registerer) func(sso.Event) {
	events := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "sso_events_total",
		Help: "Requests and key fetches, by their results.",
	}, []string{"kind", "code", "reason"})
	fetched := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "sso_keys_fetched_timestamp_seconds",
		Help: "When keys were last fetched.",
	})
	registerer.MustRegister(events, fetched)

	return func(event sso.Event) {
		// Each label has a closed list of values, so the series are few.
		events.WithLabelValues(string(event.Kind), event.Code, string(event.Reason)).Inc()
		if event.Kind == sso.EventKeysFetched {
			fetched.SetToCurrentTime()
		}
	}
}
