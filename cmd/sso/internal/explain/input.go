package explain

import (
	"regexp"
	"strings"
)

// An Input is a token, or the Authorization fields of a request.
type Input struct {
	Token  string
	Fields []string // nil for a token alone
}

// field matches the beginning of an Authorization field.
var field = regexp.MustCompile(`(?i)(?:^|\r?\n)authorization:[ \t]?`)

// ParseInput reads a token, or one or more lines "Authorization: Bearer …", or "Bearer …". It removes one
// line break at the end, and nothing else: the library would see it too.
func ParseInput(text string) Input {
	text = strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\r")
	if start := field.FindStringIndex(text); len(start) > 0 && start[0] == 0 {
		return Input{Fields: field.Split(text, -1)[1:]}
	}
	if scheme, _, found := strings.Cut(text, " "); found && strings.EqualFold(scheme, "Bearer") {
		return Input{Fields: []string{text}}
	}
	return Input{Token: text}
}

// Empty reports whether the token is missing.
func (i Input) Empty() bool { return i.Fields == nil && strings.TrimSpace(i.Token) == "" }

// token returns the token, or "" if it is unclear which part of the input it is.
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
