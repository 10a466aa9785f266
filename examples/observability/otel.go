package observability

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/more-retail/moresso-go/core/sso"
)

// OpenTelemetry returns a function for [sso.Config.Observe] that counts events.
func OpenTelemetry(meter metric.Meter) (func(sso.Event), error) {
	events, err := meter.Int64Counter("sso.events", metric.WithUnit("{event}"),
		metric.WithDescription("Requests and key fetches, by their results."))
	if err != nil {
		return nil, err
	}
	return func(event sso.Event) {
		events.Add(context.Background(), 1, metric.WithAttributes(
			attribute.String("sso.kind", string(event.Kind)),
			attribute.String("sso.code", event.Code),
			attribute.String("sso.reason", string(event.Reason)),
			attribute.Bool("sso.cached", event.Cached),
		))
	}, nil
}
