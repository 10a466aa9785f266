package explain

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"

	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
)

// Decision is what a permission answered, and what each of those answered that it is made of.
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

// decide asks the permission, of a principal that a token has proven.
func (r *Report) decide(ctx context.Context, q Question, principal *sso.Principal) {
	access := sso.NewAccess(principal, q.Request)
	decision := sso.Check(ctx, q.Require, access)
	tree := decisionTree(ctx, permission.Describe(q.Require), decision, access)
	tree.Explanation = decision.ExplainWithValues()
	r.Require = &tree
	if decision.Granted() {
		return
	}
	r.Verdict, r.Status, r.Code, r.Reason = Denied, 403, sso.CodeInsufficientScope, sso.ReasonAccessDenied
	r.Cause, r.Remedy = tree.Explanation, decisionRemedy(decision)
	if decision.Err() != nil {
		r.Status, r.Code, r.Reason = 500, sso.CodeInternal, sso.ReasonInternal
	} else if _, alone := decision.StepUp(); alone {
		r.Status, r.Code, r.Reason = 401, sso.CodeInsufficientUserAuthentication, sso.ReasonWeakLogin
	}
}

// decisionTree asks the parts of a permission one by one. The decision about the whole names
// those alone that would change it; a person wants to see the others too.
func decisionTree(ctx context.Context, text string, d sso.Decision, access sso.Access) Decision {
	tree := Decision{Permission: text, Granted: d.Granted()}
	if !d.Granted() {
		tree.Code, tree.Path, tree.Wanted, tree.Found, tree.Remedy = d.Code(), d.Path(), d.Wanted(), d.Found().String(), d.Remedy()
	}
	if d.Err() != nil {
		tree.Error = d.Err().Error()
	}
	for _, part := range parts(text) {
		if p, err := permission.Parse(part); err == nil {
			tree.Children = append(tree.Children, decisionTree(ctx, part, sso.Check(ctx, p, access), access))
		}
	}
	return tree
}

// parts are those that the text of a permission is combined of; none for a leaf.
func parts(text string) []string {
	expression, err := parser.ParseExpr(text)
	if err != nil {
		return nil
	}
	var list []string
	for _, e := range operands(expression) {
		list = append(list, text[e.Pos()-1:e.End()-1]) // positions count from 1
	}
	return list
}

func operands(e ast.Expr) []ast.Expr {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return operands(e.X)
	case *ast.UnaryExpr:
		return []ast.Expr{e.X}
	case *ast.BinaryExpr:
		return append(flat(e.X, e.Op), e.Y)
	case *ast.CallExpr:
		if name, ok := e.Fun.(*ast.Ident); ok && name.Name == "ifElse" {
			return e.Args
		}
	}
	return nil
}

// flat takes a && b && c apart, which Go's tree holds as (a && b) && c.
func flat(e ast.Expr, operator token.Token) []ast.Expr {
	if b, ok := e.(*ast.BinaryExpr); ok && b.Op == operator {
		return append(flat(b.X, operator), b.Y)
	}
	return []ast.Expr{e}
}

// decisionRemedy gathers what would turn a refusal into a grant, from the parts that refused.
func decisionRemedy(d sso.Decision) string {
	if d.Err() != nil {
		return "mend the permission, which failed: " + d.Err().Error()
	}
	var below []string
	for _, child := range d.Children() {
		if !child.Granted() {
			below = append(below, decisionRemedy(child))
		}
	}
	if len(below) == 0 {
		return d.Remedy()
	}
	return d.Remedy() + ": " + strings.Join(below, "; ")
}
