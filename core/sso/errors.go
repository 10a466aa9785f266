package sso

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// The classes of refusals, for [errors.Is]. Every error that an [Authenticator] returns for a
// request belongs to one of them or is an internal fault (500), but for the refusal of a cookie
// that another site had sent (403, `cross_origin`); [DenialOf] says how each is answered.
var (
	// ErrNoToken: no bearer credentials at all (401, `missing_token`).
	ErrNoToken = errors.New("sso: no bearer token")
	// ErrInvalidRequest: two credentials, or one malformed as a header (400, `invalid_request`).
	ErrInvalidRequest = errors.New("sso: malformed credentials")
	// ErrInvalidToken: the token is not good (401, `invalid_token`); [TokenError] says why.
	ErrInvalidToken = errors.New("sso: invalid token")
	// ErrAccessDenied: a good token without the permission (403, `insufficient_scope`), or one
	// whose login is too old or too weak (401, `insufficient_user_authentication`);
	// [AccessDeniedError] holds the decision.
	ErrAccessDenied = errors.New("sso: access denied")
	// ErrUnavailable: nobody can tell whether the token is good, since the keys or the session
	// store cannot be had (503, `unavailable`, with Retry-After); [UnavailableError] says why.
	ErrUnavailable = errors.New("sso: unavailable")
)

// Reason says why a token was refused. The list is closed; alerts and dashboards may rely on
// it. It is for operators: clients never see it.
type Reason string

// The reasons. [ERRORS.md] says of each what to fix.
//
// [ERRORS.md]: https://github.com/more-retail/moresso-go/blob/main/docs/ERRORS.md
const (
	ReasonTooLarge            Reason = "too_large"            // longer than Config.MaxTokenBytes
	ReasonMalformed           Reason = "malformed"            // not a compact JWS of JSON objects
	ReasonEncrypted           Reason = "encrypted"            // a JWE
	ReasonAlgorithm           Reason = "algorithm"            // `alg` is missing or not allowed
	ReasonCriticalHeader      Reason = "critical_header"      // `crit` is present
	ReasonTokenType           Reason = "token_type"           // `typ` or `cty` names another kind of token
	ReasonKeyID               Reason = "key_id"               // `kid` is not a string, or too long
	ReasonUnsupportedHeader   Reason = "unsupported_header"   // `zip` or `b64`: another form of payload
	ReasonMissingExpiry       Reason = "missing_expiry"       // no `exp`
	ReasonMalformedClaim      Reason = "malformed_claim"      // a registered claim of the wrong type or range
	ReasonExpired             Reason = "expired"              // `exp` has passed
	ReasonNotYetValid         Reason = "not_yet_valid"        // `nbf` lies ahead
	ReasonIssuedInFuture      Reason = "issued_in_future"     // `iat` lies ahead
	ReasonWrongAudience       Reason = "wrong_audience"       // `aud` is missing or names others
	ReasonWrongIssuer         Reason = "wrong_issuer"         // `iss` is missing or another
	ReasonWrongClient         Reason = "wrong_client"         // `client_id` is missing or another
	ReasonTokenKind           Reason = "token_kind"           // by its claims another kind of token than the one that is wanted
	ReasonBoundToken          Reason = "bound_token"          // `cnf`: good only with a proof of possession
	ReasonMissingClaim        Reason = "missing_claim"        // a claim that RFC 9068, or a logout token, requires is missing
	ReasonUnknownKey          Reason = "unknown_key"          // the provider has no such key
	ReasonAmbiguousKey        Reason = "ambiguous_key"        // no `kid`, and several keys fit
	ReasonKeyAlgorithm        Reason = "key_algorithm"        // the key is for another algorithm
	ReasonBadSignature        Reason = "bad_signature"        // the key proves the token false
	ReasonMissingToken        Reason = "missing_token"        // no bearer credentials
	ReasonBadCredentials      Reason = "bad_credentials"      // repeated or malformed credentials
	ReasonCrossOrigin         Reason = "cross_origin"         // a token in a cookie, sent by another site
	ReasonAccessDenied        Reason = "access_denied"        // a permission said no
	ReasonWeakLogin           Reason = "weak_login"           // the login is too old or too weak (RFC 9470)
	ReasonSessionEnded        Reason = "session_ended"        // signed out, or signed in elsewhere
	ReasonNoSession           Reason = "no_session"           // the claims that name the session are missing
	ReasonReplayed            Reason = "replayed"             // a logout token that has done its work
	ReasonTooLongLived        Reason = "too_long_lived"       // good for longer than Config.MaxTokenAge
	ReasonKeysUnavailable     Reason = "keys_unavailable"     // nobody can tell, for want of keys
	ReasonSessionsUnavailable Reason = "sessions_unavailable" // nobody can tell, for want of the session store
	ReasonInternal            Reason = "internal"             // a fault of the service: see the logged error
)

// TokenError says why a token was refused. It matches [ErrInvalidToken]; get at it with [errors.As].
type TokenError struct {
	Reason Reason // never empty
	Err    error  // for the operator; never holds the token
}

// Error is for the operator, and not for the client: it says what was wrong with which claim.
func (e *TokenError) Error() string {
	return fmt.Sprintf("%v: %s: %v", ErrInvalidToken, e.Reason, e.Err)
}

// Unwrap gives access to the cause.
func (e *TokenError) Unwrap() error { return e.Err }

// Is matches [ErrInvalidToken].
func (e *TokenError) Is(target error) bool { return target == ErrInvalidToken }

func badToken(reason Reason, format string, args ...any) error {
	if len(args) == 0 {
		return badTokenWith(reason, format, "")
	}
	return &TokenError{Reason: reason, Err: fmt.Errorf(format, args...)}
}

// badTokenWith is a bad token whose message is put together when somebody reads it, not before:
// a flood of bad tokens must not cost what a flood of good ones does. The value is clipped.
func badTokenWith(reason Reason, format, value string) error {
	f := &struct {
		TokenError
		message
	}{TokenError{Reason: reason}, message{format, value}}
	f.Err = &f.message
	return &f.TokenError
}

// message is a text in the making.
type message struct{ format, value string }

func (m *message) Error() string {
	if m.value == "" && !strings.Contains(m.format, "%") {
		return m.format
	}
	return fmt.Sprintf(m.format, clipped(m.value))
}

// AccessDeniedError carries the decision that refused a principal. It matches
// [ErrAccessDenied].
type AccessDeniedError struct {
	Principal *Principal // who was refused
	Decision  Decision   // a denial, which says why
}

// Error is for the operator: the decision in a line, without what the token held.
func (e *AccessDeniedError) Error() string {
	return fmt.Sprintf("%v: %s", ErrAccessDenied, e.Decision.summary())
}

// Is matches [ErrAccessDenied].
func (e *AccessDeniedError) Is(target error) bool { return target == ErrAccessDenied }

// permissionError means that a permission could not tell. That is an internal fault, whatever
// the error of the permission stands for elsewhere: it may come from another Authenticator.
type permissionError struct {
	principal *Principal
	decision  Decision
}

func (e *permissionError) Error() string {
	return fmt.Sprintf("sso: a permission failed: %v", e.decision.Err())
}

func (e *permissionError) Unwrap() error { return e.decision.Err() }

// UnavailableError means that nobody can tell, for want of keys or of the session store. It matches
// [ErrUnavailable]. A [SessionStore] may return one to say when asking again makes sense.
type UnavailableError struct {
	RetryAfter time.Duration // in how long asking again makes sense; under a second counts as one
	Err        error         // for the operator
}

// Error is for the operator: it may hold addresses.
func (e *UnavailableError) Error() string { return fmt.Sprintf("%v: %v", ErrUnavailable, e.Err) }

// Unwrap gives access to the cause.
func (e *UnavailableError) Unwrap() error { return e.Err }

// Is matches [ErrUnavailable].
func (e *UnavailableError) Is(target error) bool { return target == ErrUnavailable }

// reasonOf names the cause of any error in one word for the log.
func reasonOf(err error) Reason {
	if bad, ok := err.(*TokenError); ok { //nolint:errorlint // most refusals are just this, and this costs nothing
		return bad.Reason
	}
	var (
		token    *TokenError
		failed   *permissionError
		denied   *AccessDeniedError
		sessions *sessionsUnavailableError
	)
	switch { // in the order of draw
	case errors.As(err, &failed):
		return ReasonInternal
	case errors.As(err, &sessions):
		return ReasonSessionsUnavailable
	case errors.Is(err, ErrUnavailable):
		return ReasonKeysUnavailable
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
	case errors.Is(err, ErrAccessDenied):
		return ReasonAccessDenied
	}
	return ReasonInternal
}
