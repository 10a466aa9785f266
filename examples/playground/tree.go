package main

import (
	"context"
	"strings"

	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
)

// A node is a permission, or a part of one, with its decision.
type node struct {
	Text     string `json:"text"`    // the expression, or the word for a combination
	Verdict  string `json:"verdict"` // granted, denied or failed
	Detail   string `json:"detail,omitempty"`
	Children []node `json:"children,omitempty"`
}

// decide checks every part of a permission by itself, because the library stops at the first part that
// decides.
func decide(ctx context.Context, p sso.Permission, access sso.Access) node {
	decision := sso.Check(ctx, p, access)
	n := node{Text: permission.Describe(p), Verdict: "denied"}
	switch {
	case decision.Granted():
		n.Verdict = "granted"
	case decision.Err() != nil:
		n.Verdict = "failed"
	}
	parts := permission.Parts(p)
	if len(parts) > 0 {
		n.Text = word(n.Text, permission.Describe(parts[0]))
	} else if n.Verdict != "granted" {
		n.Detail = strings.TrimPrefix(decision.ExplainWithValues(), "denied: ")
	}
	for _, part := range parts {
		n.Children = append(n.Children, decide(ctx, part, access))
	}
	return n
}

// word names a combination, by what is before and after its first part.
func word(text, first string) string {
	switch {
	case strings.HasPrefix(text, "!"):
		return "not"
	case strings.HasPrefix(text, "("+first+" && "):
		return "all of"
	}
	return "any of"
}
