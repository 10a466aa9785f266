package sso

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/more-retail/moresso-go/core/internal/keycache"
)

// Event is what [Config.Observe] is told, for metrics. A request may cause several:
// [EventAuthenticated] and then [EventGranted], say.
type Event struct {
	// Kind says what happened; the other fields depend on it.
	Kind EventKind
	// Code of a refusal, as the client sees it; empty for other kinds.
	Code string
	// Reason of a refusal; empty for other kinds.
	Reason Reason
	// Known says that a token was not verified anew, since it was remembered
	// ([Config.TokenCache]). False for other kinds than EventAuthenticated.
	Known bool
	// Source of the keys, for fetches; empty for other kinds.
	Source string
	// Err is the cause of a refusal or of a failed fetch. It never holds a token.
	Err error
}

// EventKind tells events apart.
type EventKind string

// The kinds of events.
const (
	EventAuthenticated EventKind = "authenticated" // a token was found to be good
	EventGranted       EventKind = "granted"       // a permission was granted
	EventRefused       EventKind = "refused"       // a request, a token or a logout token was refused
	EventKeysFetched   EventKind = "keys_fetched"  // keys arrived
	EventKeysFailed    EventKind = "keys_failed"   // an attempt to fetch keys failed
	// EventSessionUnknown: a token passed whose session could not be looked up, by
	// [SessionPolicy.InsecureIgnoreOutage].
	EventSessionUnknown EventKind = "session_unknown"
	// EventSessionRevoked: a logout token has ended what it names; see [BackChannelLogout].
	EventSessionRevoked EventKind = "session_revoked"
)

// observe tells the user's code, if it wants to know.
func (a *Authenticator) observe(e Event) {
	if a.observer != nil {
		a.callObserver(e)
	}
}

// callObserver calls the user's code, whose panic must decide nothing.
func (a *Authenticator) callObserver(e Event) {
	done := false // as in guard
	defer func() {
		if v := recover(); !done {
			a.report("Config.Observe", v)
		}
	}()
	a.observer(e)
	done = true
}

// report logs a panic of the user's code.
func (a *Authenticator) report(where string, panicked any) {
	quietly(func() {
		a.logger.Error("sso: a function of the service's own panicked", "function", where, "panic", fmt.Sprint(panicked))
	})
}

// quietly calls other people's code, a logger mostly, whose panic must decide nothing and
// cannot be told to anybody.
func quietly(call func()) {
	defer func() { _ = recover() }()
	call()
}

// tell logs a refusal and reports it. Whoever reads the log learns all but the token.
func (a *Authenticator) tell(ctx context.Context, r Request, cause error, code string, status int) {
	reason := reasonOf(cause)
	quietly(func() { a.logRefusal(ctx, r, cause, reason, code, status) })
	a.observe(Event{Kind: EventRefused, Code: code, Reason: reason, Err: cause})
}

func (a *Authenticator) logRefusal(ctx context.Context, r Request, cause error, reason Reason, code string, status int) {
	level := slog.LevelInfo
	switch code {
	case CodeUnavailable:
		level = slog.LevelWarn
	case CodeInternal:
		level = slog.LevelError
		if errors.Is(cause, context.Canceled) && ctx.Err() != nil {
			level = slog.LevelInfo // the client has gone: no fault of the service
		}
	}
	if !a.logger.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("code", code),
		slog.String("reason", string(reason)),
		slog.Int("status", status),
		slog.String("error", cause.Error()),
	}
	if hint := hints[reason]; hint != "" {
		attrs = append(attrs, slog.String("hint", hint))
	}
	if r != nil {
		pattern := r.Pattern()
		attrs = append(attrs, slog.String("method", r.Method()), slog.String("pattern", pattern))
		if path := pathOf(r); pattern == "" && path != "" { // what else tells where it was?
			attrs = append(attrs, slog.String("path", path))
		}
	}
	if principal, decision, ok := decisionOf(cause); ok {
		attrs = append(attrs, slog.Any("principal", principal))
		if names := decision.names(); len(names) > 0 {
			attrs = append(attrs, slog.String("permission", strings.Join(names, ", ")))
		}
		if a.logger.Enabled(ctx, slog.LevelDebug) {
			attrs = append(attrs, slog.String("decision", decision.Explain()))
			if panicked := (*panicError)(nil); errors.As(cause, &panicked) {
				attrs = append(attrs, slog.String("stack", panicked.stack))
			}
		}
	}
	a.logger.LogAttrs(ctx, level, "sso: refused", attrs...)
}

// decisionOf finds the decision that a refusal rests on, if it rests on one.
func decisionOf(cause error) (*Principal, Decision, bool) {
	var failed *permissionError
	if errors.As(cause, &failed) {
		return failed.principal, failed.decision, true
	}
	var denied *AccessDeniedError
	if errors.As(cause, &denied) {
		return denied.Principal, denied.Decision, true
	}
	return nil, Decision{}, false
}

func (a *Authenticator) fetched(f keycache.FetchEvent) {
	if f.Err != nil {
		a.observe(Event{Kind: EventKeysFailed, Source: f.Source, Err: f.Err})
		return
	}
	a.observe(Event{Kind: EventKeysFetched, Source: f.Source})
}
