// Package observability shows how to monitor a service: a log with a limit for refusals, and Config.Observe as metrics
// of Prometheus and OpenTelemetry.
package observability

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// limitRefusals is a slog.Handler that logs the first refusals of each reason in a period. The first one of the next
// period says how many were left out. All other records pass.
type limitRefusals struct {
	slog.Handler
	budget *budget
}

type budget struct {
	most   int           // refusals of one reason in a period
	period time.Duration // from the first of them

	mu    sync.Mutex
	seen  map[string]int // by reason, of which there is a closed list
	begun map[string]time.Time
}

// LimitRefusals wraps a handler. Warnings and errors always pass: they are about the service, not about its clients.
func LimitRefusals(next slog.Handler, most int, period time.Duration) slog.Handler {
	return limitRefusals{next, &budget{most: most, period: period, seen: map[string]int{}, begun: map[string]time.Time{}}}
}

func (h limitRefusals) Handle(ctx context.Context, r slog.Record) error {
	if r.Message == "sso: refused" && r.Level < slog.LevelWarn {
		reason := ""
		r.Attrs(func(a slog.Attr) bool {
			if a.Key == "reason" {
				reason = a.Value.String()
			}
			return reason == ""
		})
		pass, left := h.budget.spend(reason, r.Time)
		if !pass {
			return nil
		}
		if left > 0 {
			r = r.Clone()
			r.AddAttrs(slog.Int("left_out", left))
		}
	}
	return h.Handler.Handle(ctx, r)
}

// spend reports whether a refusal may be logged, and how many of its reason were left out before it.
func (b *budget) spend(reason string, now time.Time) (pass bool, left int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if now.Sub(b.begun[reason]) >= b.period {
		left = max(0, b.seen[reason]-b.most)
		b.begun[reason], b.seen[reason] = now, 0
	}
	b.seen[reason]++
	return b.seen[reason] <= b.most, left
}

func (h limitRefusals) WithAttrs(attrs []slog.Attr) slog.Handler {
	return limitRefusals{h.Handler.WithAttrs(attrs), h.budget}
}

func (h limitRefusals) WithGroup(name string) slog.Handler {
	return limitRefusals{h.Handler.WithGroup(name), h.budget}
}
