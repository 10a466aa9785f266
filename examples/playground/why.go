package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/more-retail/moresso-go/core/adapter"
	"github.com/more-retail/moresso-go/core/sso"
)

// An explanation gives the reason for an answer: up to three questions, ending with the first that
// is not answered with yes.
type explanation struct {
	Steps []step `json:"steps"`
	// Log is the cause in the service's log. It is empty if nothing was refused.
	Log string `json:"log,omitempty"`
}

// A step is one question.
type step struct {
	Question string  `json:"question"`
	Verdict  string  `json:"verdict"` // yes, no, unknown or unasked
	Detail   string  `json:"detail,omitempty"`
	Remedy   string  `json:"remedy,omitempty"`
	Checks   []check `json:"checks,omitempty"` // of the token
	Tree     *node   `json:"tree,omitempty"`   // of the permission
}

// A check is a step of the trace of [sso.Authenticator.Explain].
type check struct {
	Name    string `json:"name"`
	Verdict string `json:"verdict"`
	Detail  string `json:"detail,omitempty"`
}

// verdicts are the page's words for the results of checks.
var verdicts = map[string]string{
	"passed": "yes", "failed": "no", "skipped": "skipped", "not reached": "unasked",
}

// explain explains the answer of the first service.
func (p *playground) explain(ctx context.Context, to route, authorization []string, first answer) explanation {
	steps := []step{
		{Question: "Does the request have one bearer token?", Verdict: "yes"},
		{Question: "Is the token valid for this service?", Verdict: "yes"},
		{Question: "Does it have the permission?", Verdict: "yes"},
	}
	why := explanation{Steps: steps}
	if first.cause == nil && first.Status != http.StatusOK { // the service does not work
		for i := range steps {
			steps[i].Verdict = "unknown"
		}
		return why
	}
	if first.cause != nil {
		why.Log = first.cause.Error()
		at, verdict := failedStep(first.cause)
		steps[at].Verdict, steps[at].Remedy = verdict, first.Reason.Remedy()
		for i := at + 1; i < len(steps); i++ {
			steps[i].Verdict = "unasked"
		}
		if at == 0 {
			steps[0].Detail = first.cause.Error()
			return why
		}
	}
	principal, trace, err := p.services[0].Auth.Explain(ctx, strings.TrimPrefix(authorization[0], "Bearer "))
	for _, s := range trace {
		c := check{Name: s.Name, Verdict: verdicts[s.Result]}
		if s.Err != nil {
			c.Detail = fmt.Sprintf("%v (%s)", s.Err, s.Clause)
		}
		steps[1].Checks = append(steps[1].Checks, c)
	}
	if err != nil {
		return why
	}
	steps[1].Detail = fmt.Sprintf("It identifies %q.", principal.Subject())
	if to.permission == nil {
		steps[2].Question, steps[2].Detail = "Does the route require a permission?", "No: any valid token will do."
		return why
	}
	tree := decide(ctx, to.permission, sso.NewAccess(principal, adapter.EventRequest{
		HTTPMethod: "GET", Route: to.Pattern, PathValues: to.values,
	}))
	steps[2].Tree = &tree
	return why
}

// failedStep returns which question a refusal answers, and how.
func failedStep(cause error) (at int, verdict string) {
	switch {
	case errors.Is(cause, sso.ErrNoToken), errors.Is(cause, sso.ErrInvalidRequest):
		return 0, "no"
	case errors.Is(cause, sso.ErrInvalidToken):
		return 1, "no"
	case errors.Is(cause, sso.ErrUnavailable):
		return 1, "unknown"
	}
	return 2, "no"
}
