package explain

import (
	"regexp"
	"strings"

	"github.com/more-retail/moresso-go/core/adapter"
)

// An Input is what somebody has at hand of a request: a token, or the Authorization fields.
type Input struct {
	Token  string
	Fields []string // nil for a token alone
}

// field finds the beginnings of Authorization fields.
var field = regexp.MustCompile(`(?i)(?:^|\r?\n)authorization:[ \t]?`)

// ParseInput reads a token, or one or more lines "Authorization: Bearer …", or what stands in
// such a line. One line break at the end is not part of it; all else is, since the library would
// see it too.
func ParseInput(text string) Input {
	text = strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\r")
	if starts := field.FindAllStringIndex(text, -1); len(starts) > 0 && starts[0][0] == 0 {
		var fields []string
		for i, start := range starts {
			end := len(text)
			if i+1 < len(starts) {
				end = starts[i+1][0]
			}
			fields = append(fields, text[start[1]:end])
		}
		return Input{Fields: fields}
	}
	if scheme, _, found := strings.Cut(text, " "); found && strings.EqualFold(scheme, "Bearer") {
		return Input{Fields: []string{text}}
	}
	return Input{Token: text}
}

// Empty reports whether there is nothing to explain.
func (i Input) Empty() bool { return i.Fields == nil && strings.TrimSpace(i.Token) == "" }

// token is the token as far as one can be seen in the input.
func (i Input) token() string {
	if i.Fields == nil {
		return i.Token
	}
	scheme, token, _ := strings.Cut(strings.Trim(i.Fields[0], " \t"), " ")
	if len(i.Fields) > 1 || !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimLeft(token, " ")
}

// request is one with these Authorization fields, and what else a permission may ask for.
type request struct {
	adapter.EventRequest
	fields []string
}

// Header implements [sso.Request].
func (r request) Header(name string) (first string, n int) {
	if !strings.EqualFold(name, "Authorization") || len(r.fields) == 0 {
		return "", 0
	}
	return r.fields[0], len(r.fields)
}
