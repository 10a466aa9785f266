package sso

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/more-retail/moresso-go/core/internal/keycache"
	"github.com/more-retail/moresso-go/core/internal/protect"
	"github.com/more-retail/moresso-go/core/internal/verify"
)

// Event is passed to [Config.Observe], for metrics. A request may cause several, such as
// [EventAuthenticated] and then [EventGranted].
type Event struct {
	// Kind says what happened; the other fields depend on it.
	Kind EventKind
	// Context is that of the request, for its trace and its values; nil for a fetch of keys.
	Context context.Context //nolint:containedctx // an event belongs to one request
	// Code of a refusal, as the client sees it; empty for other kinds.
	Code string
	// Reason of a refusal, or [ReasonCanceled]; empty for other kinds.
	Reason Reason
	// Cached reports that the token was found in the cache ([Config.TokenCache]). False for other
	// kinds than EventAuthenticated.
	Cached bool
	// Source of the keys, for fetches; empty for other kinds.
	Source string
	// Err is the cause of a refusal or of a failed fetch. It never contains a token.
	Err error
}

// EventKind is the kind of an [Event].
type EventKind string

// The kinds of events.
const (
	EventAuthenticated EventKind = "authenticated" // a token is valid
	EventGranted       EventKind = "granted"       // a permission was granted
	EventRefused       EventKind = "refused"       // a request, a token or a logout token was refused
	EventCanceled      EventKind = "canceled"      // the client disconnected before the answer
	EventKeysFetched   EventKind = "keys_fetched"  // keys were fetched
	EventKeysFailed    EventKind = "keys_failed"   // an attempt to fetch keys failed
	// EventSessionUnknown: a token was accepted although its session could not be looked up; see
	// [SessionPolicy.InsecureIgnoreOutage].
	EventSessionUnknown EventKind = "session_unknown"
	// EventSessionRevoked: a logout token ended what it names; see package logout.
	EventSessionRevoked EventKind = "session_revoked"
)

// Extension gives packages adapter and logout access to an [Authenticator]. Services do not need it.
type Extension struct{ a *Authenticator }

// Extension returns the [Extension] of a.
func (a *Authenticator) Extension() Extension { return Extension{a} }

// Engine returns the checks, issuer by issuer; nil for a nil or zero Authenticator.
func (e Extension) Engine() *verify.Engine {
	if !e.a.made() {
		return nil
	}
	return e.a.engine
}

// ReadsCookies reports whether a token may be in a cookie; see [TokenFromCookie].
func (e Extension) ReadsCookies() bool {
	return slices.ContainsFunc(e.a.sources, func(s TokenSource) bool { return s.kind == inCookie })
}

// Login returns what an adapter puts into its framework's own context, so that [FromContext] finds the
// principal of ctx there: a key, and a [context.Context].
func (Extension) Login(ctx context.Context) (key string, login any) { return storeKey, loginOf(ctx) }

// Observe calls [Config.Observe].
func (e Extension) Observe(event Event) { e.a.observe(event) }

// Refuse logs and observes a cause, prefixed by what, and returns an error for [DenialOf]. The
// function change returns the response, given the default one.
func (e Extension) Refuse(ctx context.Context, what string, cause error, change func(Denial) Denial) error {
	cause = fmt.Errorf("%s: %w", what, public(cause))
	d := change(deny(cause, e.a.tellScopes))
	e.a.report(ctx, nil, cause, d.Code, d.Status)
	return &refusal{cause: cause, denial: d}
}

// SessionsUnavailable returns the error for a session store that could not answer.
func (e Extension) SessionsUnavailable(err error) error { return unavailableSessions(err) }

// Protect calls a function of the service. It logs a panic with the function's name and returns
// false.
func (e Extension) Protect(name string, call func()) bool { return e.a.protect(name, call) }

func (a *Authenticator) observe(e Event) {
	if a.observer != nil {
		a.protect("Config.Observe", func() { a.observer(e) })
	}
}

func (a *Authenticator) protect(name string, call func()) bool {
	err := protect.Run(call)
	if err == nil {
		return true
	}
	_ = protect.Run(func() { // the logger is the service's own, too
		a.logger.Error("sso: function of the service panicked", "function", name, "panic", strings.TrimPrefix(err.Error(), "panic: "))
	})
	return false
}

// report logs and observes a refusal. The log has everything except the token.
func (a *Authenticator) report(ctx context.Context, r Request, cause error, code string, status int) {
	event := Event{Kind: EventRefused, Context: ctx, Code: code, Reason: reasonOf(cause), Err: cause}
	if disconnected(ctx, cause) {
		event.Kind, event.Code, event.Reason = EventCanceled, "", ReasonCanceled
	}
	_ = protect.Run(func() { a.logRefusal(ctx, r, cause, event.Reason, code, status) })
	a.observe(event)
}

// disconnected reports whether a request was refused because its client did not wait for the answer. That
// is not an outage.
func disconnected(ctx context.Context, cause error) bool {
	return ctx != nil && errors.Is(ctx.Err(), context.Canceled) && (errors.Is(cause, context.Canceled) || errors.Is(cause, context.Cause(ctx)))
}

func (a *Authenticator) logRefusal(ctx context.Context, r Request, cause error, reason Reason, code string, status int) {
	level := slog.LevelInfo
	switch {
	case reason == ReasonCanceled:
	case code == CodeUnavailable:
		level = slog.LevelWarn
	case code == CodeInternal:
		level = slog.LevelError
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
	if token := (*TokenError)(nil); errors.As(cause, &token) && token.Name != "" {
		attrs = append(attrs, slog.String("check", token.Name))
	}
	if reason == ReasonWrongAudience || reason == ReasonWrongIssuer { // often the setting is wrong, not the token
		attrs = append(attrs, slog.String("hint", reason.Remedy()))
	}
	if r != nil {
		path, _, _ := strings.Cut(r.RequestURI(), "?") // the query may hold secrets
		attrs = append(attrs, slog.String("method", verify.Printable(r.Method())), slog.String("pattern", r.Pattern()), slog.String("path", verify.Printable(path)))
	}
	if principal, decision, ok := decisionOf(cause); ok {
		attrs = append(attrs, slog.Any("principal", principal))
		if principal.groupsOverage() {
			attrs = append(attrs, slog.String("hint", errGroupsOverage.Error()))
		}
		if names := decision.names(); len(names) > 0 {
			attrs = append(attrs, slog.String("permission", strings.Join(names, ", ")))
		}
		if a.logger.Enabled(ctx, slog.LevelDebug) {
			attrs = append(attrs, slog.String("decision", decision.Explain()))
			if panicked := (*protect.PanicError)(nil); errors.As(cause, &panicked) {
				attrs = append(attrs, slog.String("stack", panicked.Stack))
			}
		}
	}
	a.logger.LogAttrs(ctx, level, "sso: refused", attrs...)
}

// decisionOf returns the decision of a denial by a permission; false for other refusals.
func decisionOf(cause error) (*Principal, Decision, bool) {
	var (
		failed *permissionError
		denied *AccessDeniedError
	)
	if errors.As(cause, &failed) {
		denied = (*AccessDeniedError)(failed)
	} else if !errors.As(cause, &denied) {
		return nil, Decision{}, false
	}
	return denied.Principal, denied.Decision, true
}

func (a *Authenticator) fetched(f keycache.FetchEvent) {
	e := Event{Kind: EventKeysFetched, Source: f.Source, Err: f.Err}
	if e.Err != nil {
		e.Kind = EventKeysFailed
	}
	a.observe(e)
}
