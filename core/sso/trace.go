package sso

import (
	"context"
	"errors"
	"slices"

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
	Err    error  // of a failed step: what the token holds and what is wanted; of "groups": why they are missing
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
		steps = addStep(steps, checkStep(c, err))
	}
	err := protect.Call(func() error {
		use := func(t *verify.Token) { l = a.newLogin(t, a.cacheKey(token)) }
		if err := a.engine.Verify(ctx, token, verify.AccessToken, nil, trace, use); err != nil {
			return err
		}
		return a.checkSession(ctx, l)
	})
	for _, c := range verify.AccessToken[ran:] {
		steps = addStep(steps, Step{Name: c.Name, Result: "not reached"})
	}
	if a.issuers[0].sessions != nil {
		steps = append(steps, sessionStep(err, l != nil))
	}
	if err != nil {
		return nil, steps, &refusal{cause: public(err), denial: deny(public(err), a.tellScopes)}
	}
	if l.principal.groupsOverage() {
		steps = append(steps, Step{Name: "groups", Result: "skipped", Clause: "Microsoft Entra's groups overage claim", Err: errGroupsOverage})
	}
	return l.principal, steps, nil
}

func checkStep(c *verify.Check, err error) Step {
	switch {
	case err == nil:
		return Step{Name: c.Name, Result: "passed"}
	case errors.Is(err, verify.ErrSkipped):
		return Step{Name: c.Name, Result: "skipped"}
	}
	s := Step{Name: c.Name, Result: "failed", Reason: Reason(c.Reason), Clause: c.Clause, Err: err}
	if outage := public(err); errors.Is(outage, ErrUnavailable) {
		s.Reason = reasonOf(outage)
	}
	return s
}

// addStep adds a step. The checks of one name are one step, which fails if one of them does.
func addStep(steps []Step, s Step) []Step {
	i := slices.IndexFunc(steps, func(earlier Step) bool { return earlier.Name == s.Name })
	switch {
	case i < 0:
	case s.Result == "failed", steps[i].Result == "skipped" && s.Result == "passed":
		steps = slices.Delete(steps, i, i+1)
	default:
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
