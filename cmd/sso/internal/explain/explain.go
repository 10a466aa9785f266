// Package explain says why a token is accepted or refused. It decides nothing: the library judges
// the token, as it would in a service, and what is told here is taken from its answer.
package explain

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/more-retail/moresso-go/core/adapter"
	"github.com/more-retail/moresso-go/core/sso"
)

// Verdict is the outcome of it all.
type Verdict string

// The verdicts.
const (
	Accepted Verdict = "accepted" // a good token, and the permission if one was asked for
	Refused  Verdict = "refused"  // not a good token
	Denied   Verdict = "denied"   // a good token without the permission
	Unknown  Verdict = "unknown"  // the keys cannot be had, so nobody can tell
)

// Report is the whole explanation.
type Report struct {
	Verdict Verdict    `json:"verdict"`
	Status  int        `json:"status"`           // what a service would answer, 200 for a good request
	Code    string     `json:"code,omitempty"`   // that clients see
	Reason  sso.Reason `json:"reason,omitempty"` // that the service's log has
	Cause   string     `json:"cause,omitempty"`  // in the library's words
	Remedy  string     `json:"remedy,omitempty"` // what to do about it
	Checks  []Check    `json:"checks"`
	Token   *Token     `json:"token,omitempty"` // null if none could be seen
	Require *Decision  `json:"require,omitempty"`
}

// Question is what is asked: would this pass?
type Question struct {
	Config  sso.Config
	Input   Input
	Require sso.Permission // nil: no permission is asked for
	Request adapter.EventRequest
	Now     func() time.Time // nil: time.Now
}

// Explain judges an input by a configuration. It reaches nothing but the configured key source.
// Its error is about the configuration; a token that is refused is no error.
func Explain(ctx context.Context, q Question) (*Report, error) {
	if q.Now == nil {
		q.Now = time.Now
	}
	var reason sso.Reason
	cfg := q.Config
	cfg.Now = q.Now
	cfg.Logger = slog.New(slog.DiscardHandler) // it would say the same in other words
	cfg.Renderer = nil
	cfg.Observe = func(e sso.Event) {
		if e.Kind == sso.EventRefused {
			reason = e.Reason
		}
	}
	auth, err := sso.New(cfg) //nolint:contextcheck // New takes none: it reads a key file at once, for no request
	if err != nil {
		return nil, err
	}
	defer auth.Close() //nolint:errcheck // nothing is in flight any more

	principal, err := judge(ctx, auth, q)
	report := &Report{Verdict: Accepted, Status: 200}
	c := &inquiry{cfg: cfg, input: q.Input, now: q.Now(), reason: reason, err: err, principal: principal}
	if token := q.Input.token(); token != "" {
		read, parts := read(token)
		c.token, c.parts = read, parts
		report.Token = &read
	}
	if status := auth.Status(); len(status) > 0 {
		c.discovered = status[0].Issuer
	}
	if err != nil {
		denial := sso.DenialOf(err)
		report.Verdict, report.Status, report.Code, report.Reason = Refused, denial.Status, denial.Code, reason
		if errors.Is(err, sso.ErrUnavailable) {
			report.Verdict = Unknown
		}
		report.Cause, report.Remedy = cause(err), c.remedy()
	}
	report.Checks = c.checks() //nolint:contextcheck // what it asks needs no keys, and no waiting
	if err == nil && q.Require != nil {
		report.decide(ctx, q, principal)
	}
	return report, nil
}

// judge asks the library in the way in which a request would.
func judge(ctx context.Context, auth *sso.Authenticator, q Question) (*sso.Principal, error) {
	if q.Input.Fields == nil {
		return auth.ValidateToken(ctx, q.Input.Token)
	}
	ctx, err := auth.Authenticate(ctx, request{q.Request, q.Input.Fields})
	if err != nil {
		return nil, err
	}
	principal, _ := sso.FromContext(ctx)
	return principal, nil
}

// cause is the library's own text, without the class of the error, which the report names.
func cause(err error) string {
	var token *sso.TokenError
	var unavailable *sso.UnavailableError
	switch {
	case errors.As(err, &unavailable):
		return unavailable.Err.Error()
	case errors.As(err, &token):
		return token.Err.Error()
	}
	return strings.TrimPrefix(err.Error(), "sso: ")
}

// Decode takes a token apart without judging it.
func Decode(input Input) (*Token, error) {
	token, _ := read(input.token())
	if token.Header == nil && token.Claims == nil {
		return nil, errors.New("this is no JWT: neither its header nor its claims can be read; " + formHint(input.token()))
	}
	for _, part := range []*json.RawMessage{&token.Header, &token.Claims} {
		if *part == nil {
			*part = json.RawMessage("null")
		}
	}
	return &token, nil
}
