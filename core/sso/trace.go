package sso

import (
	"context"
	"errors"

	"github.com/more-retail/moresso-go/core/internal/protect"
	"github.com/more-retail/moresso-go/core/internal/verify"
)

// Step is a check of [Authenticator.Explain], about one header member or claim of the token, or one
// step of its verification.
type Step struct {
	Name   string // as [TokenError.Name]
	Result string // "passed", "failed", "skipped" (not required) or "not reached"
	Reason Reason // of a failed step
	Clause string // of the standard, for a failed step
	Err    error  // of a failed step: what the token holds and what is wanted
}

// Explain verifies a token like [Authenticator.ValidateToken] and returns each step: the checks that
// ran, in their order, and those that did not. It does not use the cache, does not log and does not
// call [Config.Observe]. The error is that of ValidateToken; the principal is nil with it.
func (a *Authenticator) Explain(ctx context.Context, token string) (*Principal, []Step, error) {
	if !a.made() {
		return nil, nil, errNotMade
	}
	var (
		l     *login
		steps []Step
		ran   int
	)
	trace := func(c *verify.Check, err error) {
		ran++
		steps = addStep(steps, c, err)
	}
	err := protect.Call(func() error {
		use := func(t *verify.Token) { l = a.newLogin(t, a.cacheKey(token)) }
		if err := a.engine.Verify(ctx, token, verify.AccessToken, nil, trace, use); err != nil {
			return err
		}
		return a.checkSession(ctx, l)
	})
	for i := ran; i < len(verify.AccessToken); i++ {
		if name := verify.AccessToken[i].Name; steps[len(steps)-1].Name != name {
			steps = append(steps, Step{Name: name, Result: "not reached"})
		}
	}
	if a.issuers[0].sessions != nil {
		steps = append(steps, sessionStep(err, l != nil))
	}
	if err != nil {
		return nil, steps, &refusal{cause: public(err), denial: deny(public(err), a.tellScopes)}
	}
	return l.principal, steps, nil
}

// addStep adds the result of a check. Consecutive checks of one name are one step.
func addStep(steps []Step, c *verify.Check, err error) []Step {
	s := Step{Name: c.Name, Result: "passed"}
	switch {
	case errors.Is(err, verify.ErrSkipped):
		s.Result = "skipped"
	case err != nil:
		s.Result, s.Reason, s.Clause, s.Err = "failed", Reason(c.Reason), c.Clause, err
		if outage := public(err); errors.Is(outage, ErrUnavailable) {
			s.Reason = reasonOf(outage)
		}
	}
	if last := len(steps) - 1; last >= 0 && steps[last].Name == s.Name {
		if s.Result != "skipped" {
			steps[last] = s
		}
		return steps
	}
	return append(steps, s)
}

func sessionStep(err error, verified bool) Step {
	s := Step{Name: "session", Result: "passed"}
	switch {
	case !verified:
		s.Result = "not reached"
	case err != nil:
		s.Result, s.Reason, s.Err = "failed", reasonOf(err), err
	}
	return s
}
