package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/more-retail/moresso-go/core/adapter"
	"github.com/more-retail/moresso-go/core/sso"
)

// An explanation tells how an answer came about: the three questions that are asked of every
// request, up to the first that was answered with no.
type explanation struct {
	Steps []step `json:"steps"`
	// Log is the cause as it stands in the service's log; empty where nothing was refused.
	Log string `json:"log,omitempty"`
}

// A step is one question.
type step struct {
	Question string `json:"question"`
	Verdict  string `json:"verdict"` // yes, no, unknown or unasked
	Detail   string `json:"detail,omitempty"`
	Remedy   string `json:"remedy,omitempty"`
	Tree     *node  `json:"tree,omitempty"` // the permission, where it was asked
}

// explain tells how the answer of the first service came about.
func (p *playground) explain(ctx context.Context, to route, token string, first answer) (explanation, error) {
	steps := []step{
		{Question: "Did one bearer token come with the request?", Verdict: "yes"},
		{Question: "Is it genuine, in force, and meant for this service?", Verdict: "yes"},
		{Question: "Does its owner have the permission?", Verdict: "yes"},
	}
	why := explanation{Steps: steps}
	principal := principalOf(first.cause)
	switch {
	case first.Status == http.StatusOK:
		var err error
		if principal, err = p.services[0].Auth.ValidateToken(ctx, token); err != nil {
			return why, nil //nolint:nilerr // it was good a moment ago: there is nothing more to tell
		}
	case first.cause == nil: // the service is out of order
		for i := range steps {
			steps[i].Verdict = "unknown"
		}
		return why, nil
	default:
		why.Log = first.cause.Error()
		at, verdict := failedStep(first.cause)
		steps[at].Verdict, steps[at].Detail, steps[at].Remedy = verdict, about(first.cause), remedies[first.Reason]
		for i := at + 1; i < len(steps); i++ {
			steps[i].Verdict = "unasked"
		}
		if at < 2 {
			return why, nil
		}
	}
	steps[1].Detail = fmt.Sprintf("It speaks for %q.", principal.Subject())
	if to.permission == nil {
		steps[2].Question, steps[2].Detail = "Is a permission demanded?", "None: a good token will do."
		return why, nil
	}
	tree := decide(ctx, to.permission, sso.NewAccess(principal, adapter.EventRequest{
		HTTPMethod: "GET", Route: to.Pattern, PathValues: to.values,
	}))
	steps[2].Tree = &tree
	return why, nil
}

func principalOf(cause error) *sso.Principal {
	var denied *sso.AccessDeniedError
	if errors.As(cause, &denied) {
		return denied.Principal
	}
	return nil
}

// failedStep is the question that a refusal answers, and how.
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

// about is what is wrong, without the class that the step tells already.
func about(cause error) string {
	var token *sso.TokenError
	var unavailable *sso.UnavailableError
	switch {
	case errors.As(cause, &token):
		return token.Err.Error()
	case errors.As(cause, &unavailable):
		return unavailable.Err.Error()
	case errors.Is(cause, sso.ErrAccessDenied):
		return ""
	}
	return cause.Error()
}

// remedies are what to do about a refusal, by its reason: those that the page can bring about.
var remedies = map[sso.Reason]string{
	sso.ReasonMissingToken:      "Send “Authorization: Bearer” and a token.",
	sso.ReasonBadCredentials:    "Send one Authorization header, with one token. A proxy may have added the other.",
	sso.ReasonMalformed:         "Send a signed JWT: three parts with dots between.",
	sso.ReasonAlgorithm:         "Sign with an algorithm that Config.Algorithms lists; by default that is RS256 alone.",
	sso.ReasonExpired:           "Get a new token. If this one is new, compare the clocks.",
	sso.ReasonNotYetValid:       "Wait, or compare the clocks: Config.Leeway forgives a minute.",
	sso.ReasonMissingExpiry:     "Have the issuer set exp: a token that never ends can never be lost safely.",
	sso.ReasonWrongAudience:     "Ask the issuer for a token for this service, or correct Config.Audience.",
	sso.ReasonWrongIssuer:       "Use a token of the issuer that Config.Issuer names.",
	sso.ReasonUnknownKey:        "Use a token that the issuer signed. Fresh keys are looked for at most every 10 seconds.",
	sso.ReasonBadSignature:      "Get a new token: this one was changed after it was signed, or signed by somebody else.",
	sso.ReasonMalformedClaim:    "Have the issuer write the registered claims as RFC 7519 says.",
	sso.ReasonTokenKind:         "Send an access token: this is a token of another kind.",
	sso.ReasonBoundToken:        "Send a token that is not bound to a key.",
	sso.ReasonTooLarge:          "Have the issuer put less into the token, or raise Config.MaxTokenBytes.",
	sso.ReasonKeysUnavailable:   "See why the issuer cannot be reached. The keys that are known serve on meanwhile.",
	sso.ReasonAccessDenied:      "Grant the permission, or ask for something else.",
	sso.ReasonWeakLogin:         "Sign in again.",
	sso.ReasonInternal:          "This is a fault of the service: its log has the cause.",
	sso.ReasonTokenType:         "Send an access token: the header's typ names another kind.",
	sso.ReasonIssuedInFuture:    "Compare the clocks: the token says that it was made later than now.",
	sso.ReasonUnsupportedHeader: "Send a plain JWT: the header asks for something that is not supported.",
}
