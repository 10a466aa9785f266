package sso

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/more-retail/moresso-go/core/internal/protect"
)

// Codes of refusals: the member `code` of the response body. They are RFC 6750's where it has one.
const (
	// CodeMissingToken (401): no bearer credentials; see [ErrNoToken].
	CodeMissingToken = "missing_token"
	// CodeInvalidRequest (400): repeated or malformed credentials; see [ErrInvalidRequest].
	CodeInvalidRequest = "invalid_request"
	// CodeInvalidToken (401): the token is not valid; see [ErrInvalidToken].
	CodeInvalidToken = "invalid_token"
	// CodeInsufficientScope (403): the permission is missing; see [ErrAccessDenied].
	CodeInsufficientScope = "insufficient_scope"
	// CodeInsufficientUserAuthentication (401): the login is too old or too weak (RFC 9470).
	CodeInsufficientUserAuthentication = "insufficient_user_authentication"

	// CodeCrossOrigin (403): a token in a cookie, in a request from another origin.
	CodeCrossOrigin = "cross_origin"

	// CodeUnavailable (503): keys or sessions are unavailable; see [ErrUnavailable].
	CodeUnavailable = "unavailable"
	// CodeInternal (500): an error of the service itself, which is in the log.
	CodeInternal = "internal"
)

// Denial is the response to a refused request: adapters write it, and a [Config.Renderer] may change
// it.
type Denial struct {
	Status int         // an HTTP status
	Code   string      // one of the codes; a renderer cannot change it
	Header http.Header // all fields except Content-Length; canonical names
	Body   []byte      // may be empty
}

// Write sends a denial. Header fields that w has already are kept, except those of the same names.
func (d Denial) Write(w http.ResponseWriter) {
	maps.Copy(w.Header(), d.Header)
	w.WriteHeader(d.Status)
	_, _ = w.Write(d.Body) // fails if the client has gone
}

// DenialOf returns the response to any error. Unknown errors, nil, and errors whose methods panic
// are internal errors (500), whose text is not sent.
//
// For an error of an [Authenticator], wrapped or not, it returns the response by that
// authenticator's configuration and renderer. Each call returns a copy that you may change.
func DenialOf(err error) (d Denial) {
	if protect.Run(func() {
		if r, ok := errors.AsType[*refusal](err); ok {
			d = r.denial.clone()
		} else {
			d = deny(err, false)
		}
	}) != nil {
		return newDenial(http.StatusInternalServerError, CodeInternal)
	}
	return d
}

// refusal is the error that an Authenticator returns: the cause, and the response to it.
type refusal struct {
	cause  error
	denial Denial
}

func (r *refusal) Error() string { return r.cause.Error() }
func (r *refusal) Unwrap() error { return r.cause }

// deny returns the default response to an error.
func deny(err error, tellScopes bool) Denial {
	status, code, _ := classify(err)
	d := newDenial(status, code)
	params := []string{"error", code}
	var denied *AccessDeniedError
	switch code {
	case CodeInternal, CodeCrossOrigin:
		return d
	case CodeUnavailable:
		after := time.Second
		if unavailable := (*UnavailableError)(nil); errors.As(err, &unavailable) {
			after = max(after, unavailable.RetryAfter)
		}
		d.Header.Set("Retry-After", strconv.FormatInt(int64(math.Ceil(after.Seconds())), 10))
		return d
	case CodeMissingToken:
		params = nil
	case CodeInsufficientScope:
		if tellScopes && errors.As(err, &denied) {
			params = append(params, "scope", scopeList(denied.Decision.missingScopes()))
		}
	case CodeInsufficientUserAuthentication: // RFC 9470, section 3
		errors.As(err, &denied)
		login, _ := denied.Decision.stepUp()
		params = append(params, "acr_values", scopeList(login.acrValues)) // of the same syntax
		if login.maxAge > 0 {
			params = append(params, "max_age", strconv.FormatInt(int64(login.maxAge/time.Second), 10))
		}
	}
	d.Header.Set("WWW-Authenticate", challenge(params...))
	return d
}

// challenge returns the value of WWW-Authenticate (RFC 6750, section 3). No parameter contains a
// character that must be escaped in a quoted string; empty ones are left out.
func challenge(params ...string) string {
	var b strings.Builder
	b.WriteString("Bearer")
	for i := 0; i+1 < len(params); i += 2 {
		if params[i+1] == "" {
			continue
		}
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, ` %s="%s"`, params[i], params[i+1])
	}
	return b.String()
}

// isScope checks the syntax of scope-token (RFC 6749, section 3.3), which is safe in a quoted
// string.
func isScope(s string) bool {
	return s != "" && strings.IndexFunc(s, func(c rune) bool { return c <= ' ' || c >= 0x7f || c == '"' || c == '\\' }) < 0
}

// scopeList returns the valid scopes of a list as one parameter.
func scopeList(list []string) string {
	return strings.Join(slices.DeleteFunc(list, func(s string) bool { return !isScope(s) }), " ")
}

func newDenial(status int, code string) Denial {
	return Denial{
		Status: status,
		Code:   code,
		Header: http.Header{
			"Content-Type":  {"application/problem+json"},
			"Cache-Control": {"no-store"},
		},
		// about:blank: the status is the type (RFC 9457, section 4.2.1).
		Body: fmt.Appendf(nil, `{"type":"about:blank","title":%q,"status":%d,"code":%q}`, http.StatusText(status), status, code),
	}
}

func (d Denial) clone() Denial {
	d.Header = d.Header.Clone()
	d.Body = append([]byte(nil), d.Body...)
	return d
}

// refuse logs a cause and returns the error for the adapter.
func (a *Authenticator) refuse(ctx context.Context, r Request, cause error) error {
	cause = public(cause)
	if _, ok := cause.(*TokenError); ok && a.renderer == nil { //nolint:errorlint // an error around it may be of another class
		a.report(ctx, r, cause, CodeInvalidToken, http.StatusUnauthorized) // the common case; DenialOf returns the response
		return cause
	}
	denial := deny(cause, a.tellScopes)
	if a.renderer != nil && r != nil {
		denial = a.render(ctx, r, denial)
	}
	a.report(ctx, r, cause, denial.Code, denial.Status)
	return &refusal{cause: cause, denial: denial}
}

// render lets [Config.Renderer] change a refusal. The default is sent if it panics or returns a
// success; a 401 keeps its challenge (RFC 9110, section 11.6.1).
func (a *Authenticator) render(ctx context.Context, r Request, standard Denial) Denial {
	var d Denial
	if !a.protect("Config.Renderer", func() { d = a.renderer(r, standard.clone()).clone() }) { // it may return the same header every time
		return standard
	}
	if d.Status < 300 || d.Status > 599 {
		_ = protect.Run(func() {
			a.logger.ErrorContext(ctx, "sso: renderer returned an invalid status, sent the default response", "status", d.Status)
		})
		return standard
	}
	d.Code = standard.Code
	d.Header = sendable(d.Header)
	if len(d.Body) > 0 && d.Header.Get("Content-Type") == "" {
		d.Header.Set("Content-Type", "text/plain; charset=utf-8") // servers would guess differently
	}
	if d.Status == http.StatusUnauthorized && d.Header.Get("WWW-Authenticate") == "" {
		d.Header.Set("WWW-Authenticate", cmp.Or(standard.Header.Get("WWW-Authenticate"), challenge()))
	}
	return d
}

// sendable returns the fields of a header that all servers send unchanged: with canonical names and
// without line breaks. It omits Content-Length, which servers set.
func sendable(header http.Header) http.Header {
	clean := http.Header{}
	for name, values := range header {
		if name == "" || strings.ContainsFunc(name, notInFieldName) || strings.EqualFold(name, "Content-Length") {
			continue
		}
		for _, value := range values {
			if !strings.ContainsAny(value, "\r\n\x00") {
				clean.Add(name, value)
			}
		}
	}
	return clean
}

// notInFieldName reports whether c may not appear in a field name (RFC 9110, section 5.6.2).
func notInFieldName(c rune) bool {
	return c <= ' ' || c >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c)
}
