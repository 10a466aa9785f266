package explain

import (
	"context"
	"strings"

	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
)

// Decision is the result of a permission with the results of its parts.
type Decision struct {
	Permission  string     `json:"permission"`
	Granted     bool       `json:"granted"`
	Code        string     `json:"code,omitempty"`
	Path        string     `json:"path,omitempty"`
	Wanted      string     `json:"wanted,omitempty"`
	Found       string     `json:"found,omitempty"` // JSON text
	Remedy      string     `json:"remedy,omitempty"`
	Error       string     `json:"error,omitempty"`
	Explanation string     `json:"explanation,omitempty"` // the library's, of the whole
	Children    []Decision `json:"children,omitempty"`
}

// decide checks the permission, for the principal of a verified token.
func (r *Report) decide(ctx context.Context, q Question, principal *sso.Principal) {
	access := sso.NewAccess(principal, nil) // without path values, nothing is known of the request
	if request := q.Request; len(request.PathValues) > 0 {
		for name := range request.PathValues {
			request.Route += "/{" + name + "}"
		}
		access = sso.NewAccess(principal, request)
	}
	decision := sso.Check(ctx, q.Require, access)
	tree := decisionTree(ctx, q.Require, decision, access)
	tree.Explanation = decision.ExplainWithValues()
	r.Require = &tree
	if decision.Granted() {
		return
	}
	denial := sso.DenialOf(&sso.AccessDeniedError{Principal: principal, Decision: decision})
	r.Verdict, r.Status, r.Code, r.Reason = Denied, denial.Status, denial.Code, sso.ReasonAccessDenied
	r.Cause, r.Remedy = tree.Explanation, decisionRemedy(decision)
	if decision.Err() != nil {
		r.Status, r.Code, r.Reason = 500, sso.CodeInternal, sso.ReasonInternal
	} else if r.Code == sso.CodeInsufficientUserAuthentication {
		r.Reason = sso.ReasonWeakLogin
	}
}

// decisionTree checks the parts of a permission one by one. The decision about the whole lists only
// the parts that would change it.
func decisionTree(ctx context.Context, p sso.Permission, d sso.Decision, access sso.Access) Decision {
	tree := Decision{Permission: permission.Describe(p), Granted: d.Granted()}
	if !d.Granted() {
		details := d.Details()
		tree.Code, tree.Path, tree.Wanted, tree.Found, tree.Remedy = d.Code(), details.Path, details.Wanted, found(details.Found), d.Remedy()
	}
	if d.Err() != nil {
		tree.Error = d.Err().Error()
	}
	for _, part := range permission.Parts(p) {
		tree.Children = append(tree.Children, decisionTree(ctx, part, sso.Check(ctx, part, access), access))
	}
	return tree
}

// found returns the value of a token as JSON, "" if it is absent.
func found(v sso.Value) string {
	if !v.Exists() {
		return ""
	}
	text, _ := v.MarshalJSON() // never fails
	return string(text)
}

// decisionRemedy returns what would turn a refusal into a grant, from the parts that refused.
func decisionRemedy(d sso.Decision) string {
	if d.Err() != nil {
		return "fix the permission, which failed: " + d.Err().Error()
	}
	var below []string
	for _, part := range d.Details().Parts {
		if !part.Granted() {
			below = append(below, decisionRemedy(part))
		}
	}
	if len(below) == 0 {
		return d.Remedy()
	}
	return d.Remedy() + ": " + strings.Join(below, "; ")
}
