package main

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
)

// A node is a permission, or a part of one, with what it says of a request.
type node struct {
	Text     string `json:"text"`    // the expression; of a combination only its word
	Verdict  string `json:"verdict"` // granted, denied or failed
	Detail   string `json:"detail,omitempty"`
	Children []node `json:"children,omitempty"`
}

// description is what permission.DescribeJSON prints.
type description struct {
	Kind     string            `json:"kind"`
	Path     string            `json:"path"`
	Values   []json.RawMessage `json:"values"`
	Children []description     `json:"children"`
}

// decide asks every part of a permission by itself. The library stops at the first part that
// settles the matter, which is right for a service; who wants to understand an answer wants to
// see them all.
func decide(ctx context.Context, p sso.Permission, access sso.Access) (node, error) {
	var d description
	if err := json.Unmarshal(permission.DescribeJSON(p), &d); err != nil {
		return node{}, err
	}
	return d.decide(ctx, access)
}

// words are how the combinations are called on the page.
var words = map[string]string{"all": "all of", "any": "any of", "not": "not", "ifElse": "if, then, else"}

func (d description) decide(ctx context.Context, access sso.Access) (node, error) {
	text := d.String()
	p, err := permission.Parse(text)
	if err != nil {
		return node{}, err
	}
	decision := sso.Check(ctx, p, access)
	n := node{Text: text, Verdict: "denied"}
	switch {
	case decision.Granted():
		n.Verdict = "granted"
	case decision.Err() != nil:
		n.Verdict = "failed"
	}
	if word := words[d.Kind]; word != "" {
		n.Text = word
	} else if n.Verdict != "granted" {
		n.Detail = strings.TrimPrefix(decision.ExplainWithValues(), "denied: ")
	}
	for _, part := range d.Children {
		child, err := part.decide(ctx, access)
		if err != nil {
			return node{}, err
		}
		n.Children = append(n.Children, child)
	}
	return n, nil
}

// String writes the permission as permission.Parse reads it.
func (d description) String() string {
	var arguments []string
	if d.Path != "" {
		arguments = append(arguments, strconv.Quote(d.Path))
	}
	for _, value := range d.Values {
		arguments = append(arguments, string(value))
	}
	for _, child := range d.Children {
		arguments = append(arguments, child.String())
	}
	return d.Kind + "(" + strings.Join(arguments, ", ") + ")"
}
