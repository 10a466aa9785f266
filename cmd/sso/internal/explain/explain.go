// Package explain says why a token is accepted or refused. It decides nothing: it reports the trace of
// the library's own verification.
package explain

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/more-retail/moresso-go/core/adapter"
	"github.com/more-retail/moresso-go/core/sso"
)

// Verdict is the outcome.
type Verdict string

// The verdicts.
const (
	Accepted Verdict = "accepted" // the token is valid, and has the permission if one is required
	Refused  Verdict = "refused"  // the token is not valid
	Denied   Verdict = "denied"   // the token is valid and lacks the permission
	Unknown  Verdict = "unknown"  // the keys are not available
)

// Result is the outcome of a check.
type Result string

// The results.
const (
	Pass       Result = "pass"
	Fail       Result = "fail"
	Skipped    Result = "skipped"     // the configuration does not require it
	NotReached Result = "not reached" // an earlier check failed
)

// Check is one step of the verification.
type Check struct {
	Name   string `json:"name"` // the header member or claim, or the step
	Result Result `json:"result"`
	Detail string `json:"detail,omitempty"`
	Clause string `json:"clause,omitempty"` // of the standard, if the check failed
	Remedy string `json:"remedy,omitempty"`
}

// Report is the whole explanation.
type Report struct {
	Verdict Verdict    `json:"verdict"`
	Status  int        `json:"status"`           // of the service's response; 200 if the request passes
	Code    string     `json:"code,omitempty"`   // in the response
	Reason  sso.Reason `json:"reason,omitempty"` // in the service's log
	Cause   string     `json:"cause,omitempty"`  // the library's error
	Remedy  string     `json:"remedy,omitempty"`
	Checks  []Check    `json:"checks"`
	Token   *Token     `json:"token,omitempty"` // null if the input has no token
	Require *Decision  `json:"require,omitempty"`

	Principal *sso.Principal `json:"-"` // nil unless the token is valid
}

// failed reports whether a check refused the token.
func (r *Report) failed(name string) bool {
	return slices.ContainsFunc(r.Checks, func(c Check) bool { return c.Name == name && c.Result == Fail })
}

// Question is a token, and the service that would receive it.
type Question struct {
	Config  sso.Config
	Input   Input
	Require sso.Permission // nil: none is required
	Request adapter.EventRequest
	Now     func() time.Time
	KeysAt  string // for Try: the address of keys that were discovered
}

// An inquiry has the data of a report and its remedies.
type inquiry struct {
	*Report

	cfg        sso.Config
	input      Input
	token      Token
	now        time.Time
	discovered string // the issuer, from discovery
}

// Explain verifies an input under a configuration. It fetches keys from the configured source only. The
// error is about the configuration; a refused token is not an error.
func Explain(ctx context.Context, q Question) (*Report, error) {
	cfg := q.Config
	cfg.Now = q.Now
	cfg.Logger = slog.New(slog.DiscardHandler) // it would log what is reported
	auth, err := sso.New(cfg)                  //nolint:contextcheck // it takes none: it reads a key file at once
	if err != nil {
		return nil, err
	}
	defer auth.Close() //nolint:errcheck // nothing is in flight

	c := &inquiry{Report: &Report{Verdict: Accepted, Status: 200, Checks: []Check{}}, cfg: cfg, input: q.Input, now: q.Now()}
	token := q.Input.token()
	if token != "" {
		c.token = read(token)
		c.Token = &c.token
	}
	var principal *sso.Principal
	if err = c.credentials(ctx, auth, q); err == nil {
		var steps []sso.Step
		principal, steps, err = auth.Explain(ctx, token)
		c.discovered = auth.Status()[0].Issuer
		c.trace(steps)
	}
	if c.Principal = principal; err != nil {
		c.refuse(err)
	} else if q.Require != nil {
		c.decide(ctx, q, principal)
	}
	return c.Report, nil
}

// credentials checks the Authorization fields, if the input has any.
func (c *inquiry) credentials(ctx context.Context, auth *sso.Authenticator, q Question) error {
	if q.Input.Fields == nil {
		return nil
	}
	request := q.Request
	request.MultiFields = map[string][]string{"Authorization": q.Input.Fields}
	_, err := auth.Authenticate(ctx, request)
	if errors.Is(err, sso.ErrNoToken) || errors.Is(err, sso.ErrInvalidRequest) {
		c.Checks = append(c.Checks, Check{Name: "credentials", Result: Fail})
		return err
	}
	c.Checks = append(c.Checks, Check{Name: "credentials", Result: Pass, Detail: "one Authorization field with the scheme Bearer"})
	return nil // the token is explained next
}

// trace lists the library's steps. A step that did not run is omitted if another step has its name.
func (c *inquiry) trace(steps []sso.Step) {
	unchecked := map[string]bool{
		"aud":       c.cfg.SkipAudienceCheck,
		"iss":       c.cfg.Issuer == "" && c.discovered == "",
		"client_id": len(c.cfg.ClientIDs) == 0,
	}
	idle := func(s sso.Step) bool { return s.Result == "skipped" || s.Result == "not reached" }
	for i, step := range steps {
		if idle(step) && (slices.ContainsFunc(steps, func(s sso.Step) bool { return s.Name == step.Name && !idle(s) }) ||
			slices.ContainsFunc(steps[i+1:], func(s sso.Step) bool { return s.Name == step.Name })) {
			continue
		}
		check := Check{Name: step.Name, Result: Pass, Detail: c.found(step.Name)}
		switch {
		case step.Result == "failed":
			check.Result, check.Clause = Fail, step.Clause
		case step.Err != nil:
			check.Result, check.Detail = Skipped, step.Err.Error()
		case step.Result == "not reached":
			check.Result, check.Detail = NotReached, ""
		case step.Result == "skipped" || unchecked[step.Name]:
			check.Result, check.Detail = Skipped, check.Detail+", not checked"
		}
		c.Checks = append(c.Checks, check)
	}
}

// found describes what a check looks at.
func (c *inquiry) found(name string) string {
	switch name {
	case "token":
		return fmt.Sprintf("%d bytes in three parts", c.token.Bytes)
	case "header", "payload":
		return "a JSON object without ambiguous names"
	case "key":
		found := []string{"the provider's key for this token"}
		for _, own := range []string{"jwk", "jku", "x5u", "x5c"} {
			if member(c.token.Header, own) != "" {
				found = append(found, own+" in its header is not used")
			}
		}
		return strings.Join(found, "; ")
	case "signature":
		return "verified with the provider's key"
	case "client_id":
		if claim, id := c.token.client(); claim != "" && claim != name {
			return fmt.Sprintf("%s %q", claim, id)
		}
	case "crit", "zip", "b64", "alg", "cty", "typ", "kid":
		return cmp.Or(member(c.token.Header, name), "none")
	}
	for _, m := range Members(c.token.Claims, c.now) {
		if m.Name == strings.TrimPrefix(name, "payload ") {
			return cmp.Or(m.Note, m.Value)
		}
	}
	return "none"
}

// refuse reports the error of the verification, and adds it to the failed check.
func (c *inquiry) refuse(err error) {
	denial := sso.DenialOf(err)
	c.Verdict, c.Status, c.Code = Refused, denial.Status, denial.Code
	if errors.Is(err, sso.ErrUnavailable) {
		c.Verdict = Unknown
	}
	c.Reason, c.Cause = describe(err)
	c.Remedy = c.remedy()
	for i := range c.Checks {
		if c.Checks[i].Result == Fail {
			c.Checks[i].Detail, c.Checks[i].Remedy = c.Cause, c.Remedy
		}
	}
}

// describe returns the reason that the service logs for an error, and the error without it.
func describe(err error) (reason sso.Reason, cause string) {
	var (
		token       *sso.TokenError
		unavailable *sso.UnavailableError
	)
	cause = strings.TrimPrefix(err.Error(), "sso: ")
	switch {
	case errors.As(err, &token):
		return token.Reason, token.Err.Error()
	case errors.As(err, &unavailable):
		return cmp.Or(unavailable.Reason, sso.ReasonKeysUnavailable), unavailable.Err.Error()
	case errors.Is(err, sso.ErrNoToken):
		return sso.ReasonMissingToken, cause
	case errors.Is(err, sso.ErrInvalidRequest):
		return sso.ReasonBadCredentials, cause
	}
	return sso.ReasonInternal, cause
}

// Decode returns the parts of a token, unverified.
func Decode(input Input) (*Token, error) {
	token := read(input.token())
	if token.Header == nil && token.Claims == nil {
		return nil, errors.New("this is not a JWT: its header and claims are unreadable; " + formHint(input.token()))
	}
	return &token, nil
}
