package observability_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/examples/observability"
)

// A monitored service.
func Example() {
	var cfg sso.Config
	cfg.Logger = slog.New(observability.LimitRefusals(slog.NewJSONHandler(os.Stderr, nil), 20, time.Minute))
	cfg.Observe = observability.Prometheus(prometheus.DefaultRegisterer)
	cfg.Observe(sso.Event{Kind: sso.EventGranted})
	fmt.Println(cfg.Logger.Enabled(context.Background(), slog.LevelInfo))
	// Output:
	// true
}
