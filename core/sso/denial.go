package sso

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Codes of refusals: what a client reads in the body, as the member `code`. They are RFC 6750's
// where it has one.
const (
	// CodeMissingToken (401): no bearer credentials at all; see [ErrNoToken].
	CodeMissingToken = "missing_token"
	// CodeInvalidRequest (400): credentials that are repeated or malformed; see [ErrInvalidRequest].
	CodeInvalidRequest = "invalid_request"
	// CodeInvalidToken (401): the token is not good; see [ErrInvalidToken].
	CodeInvalidToken = "invalid_token"
	// CodeInsufficientScope (403): a good token without the permission; see [ErrAccessDenied].
	CodeInsufficientScope = "insufficient_scope"
	// CodeInsufficientUserAuthentication (401) is RFC 9470's: a good token, whose login is too old
	// or too weak.
	CodeInsufficientUserAuthentication = "insufficient_user_authentication"

	// CodeCrossOrigin (403): the token came in a cookie, with a request that another site caused.
	CodeCrossOrigin = "cross_origin"

	// CodeUnavailable (503): nobody can tell now; see [ErrUnavailable].
	CodeUnavailable = "unavailable"
	// CodeInternal (500): a fault of the service itself, which the log has.
	CodeInternal = "internal"
)

// Denial is a refusal as it goes out: what an adapter writes and a [Config.Renderer] may
// redraw.
type Denial struct {
	Status int         // an HTTP status
	Code   string      // one of the codes; a renderer cannot change it
	Header http.Header // what to send besides Content-Length; canonical names
	Body   []byte      // may be empty
}

// DenialOf says how any error is answered. It is total: an error that this package does not
// know, nil included, is an internal fault (500), and nothing of its text goes out. So is one
// whose methods panic, as those of a nil pointer in an error may.
//
// For errors that an [Authenticator] returned, wrapped or not, the answer has been drawn already,
// by its configuration: realm, renderer and all. Each call returns a copy, to change as you like.
func DenialOf(err error) (d Denial) {
	defer func() {
		if recover() != nil {
			d = internalFault()
		}
	}()
	var r *refusal
	if errors.As(err, &r) {
		return r.denial.clone()
	}
	return draw(err, "", false)
}

// refusal is the error that an Authenticator returns: the cause, and the answer to it.
type refusal struct {
	cause  error
	denial Denial
}

func (r *refusal) Error() string { return r.cause.Error() }
func (r *refusal) Unwrap() error { return r.cause }

// draw makes the standard answer to an error.
func draw(err error, realm string, tellScopes bool) Denial {
	var (
		unavailable *UnavailableError
		accessDeny  *AccessDeniedError
		failed      *permissionError
	)
	switch { // the first two carry the errors of other people's code, which must not decide
	case errors.As(err, &failed):
		return internalFault()
	case errors.Is(err, ErrUnavailable):
		d := newDenial(http.StatusServiceUnavailable, CodeUnavailable, "")
		after := time.Second
		if errors.As(err, &unavailable) {
			after = max(after, unavailable.RetryAfter)
		}
		d.Header.Set("Retry-After", strconv.FormatInt(int64(math.Ceil(after.Seconds())), 10))
		return d
	case errors.Is(err, ErrNoToken):
		return newDenial(http.StatusUnauthorized, CodeMissingToken, challenge(realm))
	case errors.Is(err, ErrInvalidRequest):
		return newDenial(http.StatusBadRequest, CodeInvalidRequest, challenge(realm, "error", CodeInvalidRequest))
	case errors.Is(err, ErrInvalidToken):
		return newDenial(http.StatusUnauthorized, CodeInvalidToken, challenge(realm, "error", CodeInvalidToken))
	case errors.Is(err, errCrossOrigin):
		return newDenial(http.StatusForbidden, CodeCrossOrigin, "")
	case errors.Is(err, ErrAccessDenied):
		if errors.As(err, &accessDeny) {
			if login, alone := accessDeny.Decision.stepUp(); alone {
				return stepUpDenial(login, realm)
			}
		}
		params := []string{"error", CodeInsufficientScope}
		if tellScopes && accessDeny != nil {
			scopes := slices.DeleteFunc(accessDeny.Decision.missingScopes(), func(s string) bool { return !isScope(s) })
			if len(scopes) > 0 {
				params = append(params, "scope", strings.Join(scopes, " "))
			}
		}
		return newDenial(http.StatusForbidden, CodeInsufficientScope, challenge(realm, params...))
	}
	return internalFault()
}

// stepUpDenial asks for another login (RFC 9470, section 3).
func stepUpDenial(login stepUp, realm string) Denial {
	params := []string{"error", CodeInsufficientUserAuthentication}
	if values := slices.DeleteFunc(login.acrValues, func(s string) bool { return !isScope(s) }); len(values) > 0 { // of the same syntax
		params = append(params, "acr_values", strings.Join(values, " "))
	}
	if login.maxAge > 0 {
		params = append(params, "max_age", strconv.FormatInt(int64(login.maxAge/time.Second), 10))
	}
	return newDenial(http.StatusUnauthorized, CodeInsufficientUserAuthentication, challenge(realm, params...))
}

func internalFault() Denial {
	return newDenial(http.StatusInternalServerError, CodeInternal, "")
}

// challenge writes WWW-Authenticate (RFC 6750, section 3). Its parameters are quoted strings;
// the configuration is checked not to hold anything that would have to be escaped.
func challenge(realm string, params ...string) string {
	if realm != "" {
		params = append([]string{"realm", realm}, params...)
	}
	var b strings.Builder
	b.WriteString("Bearer")
	for i := 0; i+1 < len(params); i += 2 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, ` %s="%s"`, params[i], params[i+1])
	}
	return b.String()
}

// isScope checks the syntax of scope-token (RFC 6749, section 3.3): what fits it cannot break
// out of a quoted string.
func isScope(s string) bool {
	return s != "" && strings.IndexFunc(s, func(c rune) bool { return c <= ' ' || c >= 0x7f || c == '"' || c == '\\' }) < 0
}

func newDenial(status int, code, challenge string) Denial {
	d := Denial{
		Status: status,
		Code:   code,
		Header: http.Header{
			"Content-Type":  {"application/problem+json"},
			"Cache-Control": {"no-store"},
		},
		// about:blank: the status says it all (RFC 9457, section 4.2.1).
		Body: fmt.Appendf(nil, `{"type":"about:blank","title":%q,"status":%d,"code":%q}`, http.StatusText(status), status, code),
	}
	if challenge != "" {
		d.Header.Set("WWW-Authenticate", challenge)
	}
	return d
}

func (d Denial) clone() Denial {
	d.Header = d.Header.Clone()
	d.Body = append([]byte(nil), d.Body...)
	return d
}

// refuse turns a cause into the error that goes back to the adapter, and tells the operator.
func (a *Authenticator) refuse(ctx context.Context, r Request, cause error) error {
	if a.plain() && isTokenError(cause) { // which DenialOf draws all the same, should anybody ask
		a.tell(ctx, r, cause, CodeInvalidToken, http.StatusUnauthorized)
		return cause
	}
	denial := draw(cause, a.realm, a.tellScopes)
	if a.renderer != nil && r != nil {
		denial = a.render(ctx, r, denial)
	}
	a.tell(ctx, r, cause, denial.Code, denial.Status)
	return &refusal{cause: cause, denial: denial}
}

// plain reports whether refusals look as they do for everybody.
func (a *Authenticator) plain() bool { return a.realm == "" && a.renderer == nil }

// isTokenError reports whether an error is a bad token and nothing more, so that no error within
// it can decide how it is answered.
func isTokenError(err error) bool {
	_, ok := err.(*TokenError) //nolint:errorlint // an error around it may be of another class
	return ok
}

// render lets the user's renderer redraw a refusal, as far as it stays one: should it panic or
// answer with success, the standard answer goes out; a 401 keeps its challenge (RFC 9110,
// section 11.6.1).
func (a *Authenticator) render(ctx context.Context, r Request, standard Denial) (drawn Denial) {
	done := false // as in guard
	defer func() {
		if v := recover(); !done {
			a.report("Config.Renderer: the renderer's place was taken by the standard answer", v)
			drawn = standard
		}
	}()
	drawn = a.renderer(r, standard.clone()).clone() // the user may return the same header every time
	if drawn.Status < 300 || drawn.Status > 599 {
		quietly(func() {
			a.logger.ErrorContext(ctx, "sso: the renderer answered a refusal with a status that is none; the standard answer was sent", "status", drawn.Status)
		})
		done = true
		return standard
	}
	drawn.Code = standard.Code
	drawn.Header = sendable(drawn.Header)
	if len(drawn.Body) > 0 && drawn.Header.Get("Content-Type") == "" {
		drawn.Header.Set("Content-Type", "text/plain; charset=utf-8") // servers would guess, each its own way
	}
	if drawn.Status == http.StatusUnauthorized && drawn.Header.Get("WWW-Authenticate") == "" {
		drawn.Header.Set("WWW-Authenticate", cmp.Or(standard.Header.Get("WWW-Authenticate"), challenge(a.realm)))
	}
	done = true
	return drawn
}

// sendable returns the fields of a header that every server sends alike: by their canonical
// names, without what could end a line, and without the length, which servers count themselves.
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

// notInFieldName tells what cannot be part of a field's name (RFC 9110, section 5.6.2).
func notInFieldName(c rune) bool {
	return c <= ' ' || c >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c)
}
