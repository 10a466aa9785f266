package sso

import (
	"cmp"
	"errors"
	"fmt"
	"time"
)

// The classes of refusals, for [errors.Is]. Every error that an [Authenticator] returns for a
// request belongs to one of them or is an internal error (500), except for the refusal of a cookie
// from another origin (403, `cross_origin`). [DenialOf] returns the response.
var (
	// ErrNoToken: no bearer credentials (401, `missing_token`).
	ErrNoToken = errors.New("sso: no bearer token")
	// ErrInvalidRequest: two credentials, or a malformed one (400, `invalid_request`).
	ErrInvalidRequest = errors.New("sso: malformed credentials")
	// ErrInvalidToken: the token is not valid (401, `invalid_token`); see [TokenError].
	ErrInvalidToken = errors.New("sso: invalid token")
	// ErrAccessDenied: the token is valid and lacks the permission (403, `insufficient_scope`), or
	// its login is too old or too weak (401, `insufficient_user_authentication`); see
	// [AccessDeniedError].
	ErrAccessDenied = errors.New("sso: access denied")
	// ErrUnavailable: keys or the session store are unavailable, so the token may or may not be
	// valid (503, `unavailable`, with Retry-After); see [UnavailableError].
	ErrUnavailable = errors.New("sso: unavailable")
)

// Reason is the reason of a refusal, for operators; clients never see it. The list is closed, so
// alerts and dashboards may rely on it.
type Reason string

// The reasons. [ERRORS.md] says what to fix.
//
// [ERRORS.md]: https://github.com/more-retail/moresso-go/blob/main/docs/ERRORS.md
const (
	ReasonTooLarge            Reason = "too_large"            // longer than Config.MaxTokenBytes
	ReasonMalformed           Reason = "malformed"            // not a compact JWS of JSON objects
	ReasonEncrypted           Reason = "encrypted"            // a JWE
	ReasonAlgorithm           Reason = "algorithm"            // `alg` is missing or not accepted
	ReasonCriticalHeader      Reason = "critical_header"      // `crit` is present
	ReasonTokenType           Reason = "token_type"           // `typ` or `cty` is that of another kind of token
	ReasonKeyID               Reason = "key_id"               // `kid` is not a string, or too long
	ReasonUnsupportedHeader   Reason = "unsupported_header"   // `zip` or `b64`: another form of payload
	ReasonMissingExpiry       Reason = "missing_expiry"       // no `exp`
	ReasonMalformedClaim      Reason = "malformed_claim"      // a registered claim of the wrong type or range
	ReasonExpired             Reason = "expired"              // `exp` has passed
	ReasonNotYetValid         Reason = "not_yet_valid"        // `nbf` is in the future
	ReasonIssuedInFuture      Reason = "issued_in_future"     // `iat` is in the future
	ReasonWrongAudience       Reason = "wrong_audience"       // `aud` is missing or names other services
	ReasonWrongIssuer         Reason = "wrong_issuer"         // `iss` is missing or another issuer
	ReasonWrongClient         Reason = "wrong_client"         // `client_id` is missing or another client
	ReasonTokenKind           Reason = "token_kind"           // its claims are those of another kind of token
	ReasonBoundToken          Reason = "bound_token"          // `cnf`: valid only with a proof of possession
	ReasonMissingClaim        Reason = "missing_claim"        // a claim that RFC 9068, or a logout token, requires
	ReasonUnknownKey          Reason = "unknown_key"          // the issuer has no such key
	ReasonAmbiguousKey        Reason = "ambiguous_key"        // no `kid`, and several keys fit
	ReasonKeyAlgorithm        Reason = "key_algorithm"        // the key is for another algorithm
	ReasonBadSignature        Reason = "bad_signature"        // the key does not verify the signature
	ReasonMissingToken        Reason = "missing_token"        // no bearer credentials
	ReasonBadCredentials      Reason = "bad_credentials"      // repeated or malformed credentials
	ReasonCrossOrigin         Reason = "cross_origin"         // a token in a cookie, from another origin
	ReasonAccessDenied        Reason = "access_denied"        // a permission denied the request
	ReasonWeakLogin           Reason = "weak_login"           // the login is too old or too weak (RFC 9470)
	ReasonSessionEnded        Reason = "session_ended"        // signed out, or signed in elsewhere
	ReasonNoSession           Reason = "no_session"           // the claims that name the session are missing
	ReasonReplayed            Reason = "replayed"             // a logout token that was processed before
	ReasonTooLongLived        Reason = "too_long_lived"       // its lifetime exceeds Config.MaxTokenAge
	ReasonKeysUnavailable     Reason = "keys_unavailable"     // the keys could not be fetched
	ReasonSessionsUnavailable Reason = "sessions_unavailable" // the session store did not answer
	ReasonInternal            Reason = "internal"             // an error of the service: see the logged error
)

// TokenError says why a token was refused. It matches [ErrInvalidToken]; see [errors.As].
type TokenError struct {
	// Name is the header member or claim that was refused, such as "alg" or "aud", or the step:
	// "token", "header", "payload", "key", "signature", "session". Never empty.
	Name   string
	Reason Reason // never empty
	Err    error  // for operators; never contains the token
}

// Error describes the refusal for operators, not for clients.
func (e *TokenError) Error() string {
	return fmt.Sprintf("%v: %s: %s: %v", ErrInvalidToken, e.Reason, e.Name, e.Err)
}

// Unwrap returns [ErrInvalidToken] and the cause.
func (e *TokenError) Unwrap() []error { return []error{ErrInvalidToken, e.Err} }

func tokenError(name string, reason Reason, format string, args ...any) error {
	return &TokenError{Name: name, Reason: reason, Err: fmt.Errorf(format, args...)}
}

// AccessDeniedError is the denial of a principal by a permission. It matches [ErrAccessDenied].
type AccessDeniedError struct {
	Principal *Principal
	Decision  Decision // says why
}

// Error returns the decision in one line, without values of the token.
func (e *AccessDeniedError) Error() string {
	return fmt.Sprintf("%v: %s", ErrAccessDenied, e.Decision.summary())
}

// Unwrap returns [ErrAccessDenied].
func (e *AccessDeniedError) Unwrap() error { return ErrAccessDenied }

// permissionError is the failure of a permission. It is an internal error, whatever class the
// permission's own error belongs to: that may come from another Authenticator.
type permissionError struct {
	principal *Principal
	decision  Decision
}

func (e *permissionError) Error() string {
	return fmt.Sprintf("sso: the permission failed: %v", e.decision.Err())
}

func (e *permissionError) Unwrap() error { return e.decision.Err() }

// UnavailableError means that keys or the session store are unavailable. It matches
// [ErrUnavailable]. A [SessionStore] may return one to set RetryAfter.
type UnavailableError struct {
	Reason     Reason        // [ReasonKeysUnavailable] or [ReasonSessionsUnavailable]
	RetryAfter time.Duration // when to try again; at least a second is sent
	Err        error         // for operators
}

// Error describes the cause for operators. It may contain addresses.
func (e *UnavailableError) Error() string { return fmt.Sprintf("%v: %v", ErrUnavailable, e.Err) }

// Unwrap returns [ErrUnavailable] and the cause.
func (e *UnavailableError) Unwrap() []error { return []error{ErrUnavailable, e.Err} }

// nameOf returns the header member, claim or step that an error is about; empty if there is none.
func nameOf(err error) string {
	var token *TokenError
	if errors.As(err, &token) {
		return token.Name
	}
	return ""
}

// reasonOf returns the reason of any error, in the order of [deny].
func reasonOf(err error) Reason {
	if token, ok := err.(*TokenError); ok { //nolint:errorlint // the common case, without an allocation
		return token.Reason
	}
	var (
		token       *TokenError
		failed      *permissionError
		denied      *AccessDeniedError
		unavailable *UnavailableError
	)
	switch {
	case errors.As(err, &failed):
		return ReasonInternal
	case errors.As(err, &unavailable):
		return cmp.Or(unavailable.Reason, ReasonKeysUnavailable)
	case errors.As(err, &token):
		return token.Reason
	case errors.Is(err, ErrNoToken):
		return ReasonMissingToken
	case errors.Is(err, ErrInvalidRequest):
		return ReasonBadCredentials
	case errors.Is(err, errCrossOrigin):
		return ReasonCrossOrigin
	case errors.As(err, &denied):
		if _, alone := denied.Decision.stepUp(); alone {
			return ReasonWeakLogin
		}
		return ReasonAccessDenied
	}
	return ReasonInternal
}
