package sso

import (
	"fmt"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"
)

// hints say to whoever reads the log which setting a refusal may be about, where most often it is
// the setting that is wrong and not the token.
var hints = map[Reason]string{
	ReasonWrongAudience: "get a token for an audience that is wanted; or, if these tokens are meant for this service, set Audience (SSO_AUDIENCE) to what they have as aud; if they have none, see SkipAudienceCheck (SSO_SKIP_AUDIENCE_CHECK)",
	ReasonWrongIssuer:   "get a token of an issuer that is trusted; or, if these tokens are those of your identity provider, set Issuer (SSO_ISSUER) to what they have as iss, to the letter",
}

// bySlash says so where two issuers differ by a slash at the end, which one does not see: they are
// two issuers all the same (RFC 7519, section 4.1.1).
func bySlash(one, other string) string {
	if one != other && strings.TrimSuffix(one, "/") == strings.TrimSuffix(other, "/") {
		return ": they differ by the slash at the end"
	}
	return ""
}

// pathOf is the path that a request was sent to, without the query, which may hold what nobody may
// read; empty if the request does not tell.
func pathOf(r Request) string {
	target, ok := r.(Target)
	if !ok {
		return ""
	}
	path, _, _ := strings.Cut(target.RequestURI(), "?")
	return clipped(path)
}

// panicError is a panic of somebody's permission, with the way to it.
type panicError struct {
	text  string
	stack string
}

func (e *panicError) Error() string { return e.text }

// mostStack bounds what of a stack is kept, in bytes: the innermost calls.
const mostStack = 16 << 10

// panicked is what has to be called where a panic of a permission was recovered.
func panicked(p Permission, v any) *panicError {
	stack := debug.Stack()
	return &panicError{
		text:  fmt.Sprintf("sso: the permission %s panicked: %v", nameOf(p), v),
		stack: string(stack[:min(len(stack), mostStack)]),
	}
}

// nameOf is how a permission calls itself, or else its type.
func nameOf(p Permission) (name string) {
	defer func() {
		if recover() != nil || name == "" {
			name = fmt.Sprintf("%T", p)
		}
		name = clipped(name)
	}()
	if s, ok := p.(fmt.Stringer); ok {
		name = s.String()
	}
	return name
}

// withName says of a decision whose it is, unless it is a grant, or by a permission of package
// permission, whose decisions say that themselves.
func withName(d Decision, p Permission) Decision {
	if d.Granted() || d.get().by != "" || isUsual(p) {
		return d
	}
	return d.with(func(t *detail) { t.by = nameOf(p) })
}

func isUsual(p Permission) bool {
	t := reflect.TypeOf(p)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.PkgPath() == usualPermissions
}

const usualPermissions = "github.com/more-retail/moresso-go/core/permission"

// mostNames bounds the names in a log line.
const mostNames = 8

// names lists whose decisions a decision rests on, as far as they are permissions of the service's
// own.
func (d Decision) names() (list []string) {
	if by := d.get().by; by != "" {
		list = append(list, by)
	}
	for _, child := range d.get().Parts {
		for _, name := range child.names() {
			if len(list) < mostNames && !slices.Contains(list, name) {
				list = append(list, name)
			}
		}
	}
	return list
}
