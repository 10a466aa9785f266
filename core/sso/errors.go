package sso

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// The classes of refusals, for [errors.Is]. Every error of an [Authenticator] for a request belongs
// to one of them. The exceptions are internal errors (500), and the refusal of a cookie from another
// origin (403, `cross_origin`). [DenialOf] returns the response.
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

// The reasons. [ERRORS.md] is generated from these comments, [Reason.Remedy] and the checks.
//
// [ERRORS.md]: https://github.com/more-retail/moresso-go/blob/main/docs/ERRORS.md
const (
	ReasonTooLarge            Reason = "too_large"            // longer than Config.MaxTokenBytes
	ReasonMalformed           Reason = "malformed"            // not two JSON objects and a signature; or names or texts that readers disagree about
	ReasonEncrypted           Reason = "encrypted"            // a JWE
	ReasonAlgorithm           Reason = "algorithm"            // `alg` is missing, or not one of Config.Algorithms
	ReasonCriticalHeader      Reason = "critical_header"      // `crit` requires extensions
	ReasonUnsupportedHeader   Reason = "unsupported_header"   // `zip` or `b64`: another form of payload
	ReasonTokenType           Reason = "token_type"           // `typ` is that of another kind of token, or `cty` that of a token within it
	ReasonKeyID               Reason = "key_id"               // `kid` is not a string, or longer than 256 bytes
	ReasonMissingExpiry       Reason = "missing_expiry"       // no `exp`
	ReasonMalformedClaim      Reason = "malformed_claim"      // a registered claim of the wrong type, or out of range
	ReasonExpired             Reason = "expired"              // `exp` has passed by more than Config.Leeway
	ReasonNotYetValid         Reason = "not_yet_valid"        // `nbf` is in the future
	ReasonIssuedInFuture      Reason = "issued_in_future"     // `iat` is in the future
	ReasonWrongAudience       Reason = "wrong_audience"       // `aud` is missing or names other services
	ReasonWrongIssuer         Reason = "wrong_issuer"         // `iss` is missing or another issuer
	ReasonWrongClient         Reason = "wrong_client"         // `client_id`, else `azp`, `appid` or `cid`, is missing, or not one of Config.ClientIDs; or two differ
	ReasonTokenKind           Reason = "token_kind"           // the claims are those of another kind of token: an ID, refresh or logout token
	ReasonBoundToken          Reason = "bound_token"          // `cnf`: valid only with a proof of possession, which is not checked
	ReasonMissingClaim        Reason = "missing_claim"        // a claim is missing that RFC 9068, or a logout token, requires
	ReasonTooLongLived        Reason = "too_long_lived"       // its lifetime exceeds Config.MaxTokenAge, or it has no `iat`
	ReasonUnknownKey          Reason = "unknown_key"          // the issuer has no such key
	ReasonKeyAlgorithm        Reason = "key_algorithm"        // the key is for another algorithm
	ReasonBadSignature        Reason = "bad_signature"        // the key does not verify the signature
	ReasonMissingToken        Reason = "missing_token"        // no bearer credentials
	ReasonBadCredentials      Reason = "bad_credentials"      // repeated or malformed credentials
	ReasonCrossOrigin         Reason = "cross_origin"         // a token in a cookie, in a request that another site caused
	ReasonAccessDenied        Reason = "access_denied"        // a permission denied the request
	ReasonWeakLogin           Reason = "weak_login"           // the login is too old or too weak (RFC 9470), and nothing else is missing
	ReasonSessionEnded        Reason = "session_ended"        // the user has signed out, or signed in elsewhere
	ReasonNoSession           Reason = "no_session"           // the claims that name the session are missing, empty or not strings
	ReasonReplayed            Reason = "replayed"             // a logout token that was processed before
	ReasonKeysUnavailable     Reason = "keys_unavailable"     // the keys could not be fetched
	ReasonSessionsUnavailable Reason = "sessions_unavailable" // the session store did not answer
	ReasonInternal            Reason = "internal"             // an error of the service, often of a permission
	ReasonCanceled            Reason = "canceled"             // the client disconnected before the answer
)

// Remedy says what to do about a refusal, for operators. It is empty for an unknown reason.
func (r Reason) Remedy() string { return remedies[r] }

var remedies = map[Reason]string{ //nolint:gosec // no credentials
	ReasonTooLarge:          "Have the identity provider leave out what this service does not need, such as long lists of groups. Or raise MaxTokenBytes (SSO_MAX_TOKEN_BYTES), and the server's limit of header fields.",
	ReasonMalformed:         "Send the token unchanged, in one line, without quotes. If it is opaque, have the identity provider issue JWT access tokens, often by requesting this service's audience.",
	ReasonEncrypted:         "Switch off the encryption of access tokens for this client at the identity provider.",
	ReasonAlgorithm:         "If the identity provider signs with this algorithm, add it to Algorithms (SSO_ALGORITHMS). If it does not, the token is forged.",
	ReasonCriticalHeader:    "Remove crit where the token is issued: access tokens need no extensions.",
	ReasonUnsupportedHeader: "Remove zip and b64 where the token is issued.",
	ReasonTokenType:         "Send access_token from the response of the token endpoint. If the provider does not issue the type at+jwt, remove TokenType (SSO_TOKEN_TYPE).",

	ReasonKeyID:               "Fix kid where the token is issued: write a string of at most 256 bytes.",
	ReasonMissingExpiry:       "Set exp where the token is issued: without it a token would be valid forever.",
	ReasonMalformedClaim:      "Fix the claim where the token is issued: dates are numbers of seconds, iss is a non-empty string, sub and client_id are strings, aud is a string or an array of strings.",
	ReasonExpired:             "Get a new token. If it is new, set the clocks: sso doctor compares this machine's with the provider's.",
	ReasonNotYetValid:         "Wait, or set the clocks: sso doctor compares this machine's with the provider's.",
	ReasonIssuedInFuture:      "Set the clocks by NTP: sso doctor compares this machine's with the provider's. Leeway (SSO_LEEWAY) allows a difference of up to 5m.",
	ReasonWrongAudience:       "Get a token for an accepted audience. If these tokens are intended for this service, set Audience (SSO_AUDIENCE) to their aud; if they have none, see SkipAudienceCheck (SSO_SKIP_AUDIENCE_CHECK).",
	ReasonWrongIssuer:         "Get a token of an accepted issuer. If these tokens are those of your identity provider, set Issuer (SSO_ISSUER) to their iss, exactly: a slash at the end counts.",
	ReasonWrongClient:         "Call with a token of an accepted client. If tokens of this client are intended for this service, add it to ClientIDs (SSO_CLIENT_IDS).",
	ReasonTokenKind:           "Send access_token from the response of the token endpoint. If the provider's access tokens are opaque, like Google's, set TokenType (SSO_TOKEN_TYPE) to id_token. If it is the access token of a program without roles, assign it an app role, or set SkipAccessTokenCheck (SSO_SKIP_ACCESS_TOKEN_CHECK).",
	ReasonBoundToken:          "Have unbound tokens issued to this client, without DPoP and mutual TLS. Or check the proof in a proxy.",
	ReasonMissingClaim:        "Have the provider issue the claim. RFC 9068 requires iss, exp, aud, sub, client_id, iat and jti; if the provider cannot issue them, remove TokenType (SSO_TOKEN_TYPE).",
	ReasonTooLongLived:        "Have shorter tokens issued, or raise MaxTokenAge (SSO_MAX_TOKEN_AGE).",
	ReasonUnknownKey:          "Check that token and service belong to the same environment and tenant. If the provider has changed its keys, get a new token. Many of these are an attack by forged key ids.",
	ReasonKeyAlgorithm:        "Compare alg with the provider's keys, which sso doctor lists, and fix what differs at the provider. If nothing does, the token is forged.",
	ReasonBadSignature:        "Get a new token and send it unchanged. If that is refused too, the service has the keys of another environment, or the token is forged.",
	ReasonMissingToken:        `Send "Authorization: Bearer <token>": the scheme, one space, the token. If it is a browser's preflight, put CORS before the guard.`,
	ReasonBadCredentials:      `Send one Authorization field with one token, "Authorization: Bearer <token>", without quotes, commas and line breaks. A proxy may have added another field.`,
	ReasonCrossOrigin:         "Call from the service's own pages, or list the other origin in TokenFromCookie.",
	ReasonAccessDenied:        "Grant the permission where tokens are issued, or require another. The decision is in the log at debug level; sso explain --require prints it too.",
	ReasonWeakLogin:           "Have the user sign in again, as max_age and acr_values in the challenge say.",
	ReasonSessionEnded:        "Have the user sign in again.",
	ReasonNoSession:           "Name the claims that the provider issues in the store's SessionPolicy, or have the provider issue them.",
	ReasonReplayed:            "Ignore it if the identity provider repeats a logout that got no response. Otherwise find out who sends it.",
	ReasonKeysUnavailable:     "Run sso doctor where the service runs: it checks the connection to the provider and what the provider publishes.",
	ReasonSessionsUnavailable: "Restore the session store, or the connection to it. The service then recovers without a restart.",
	ReasonCanceled:            "Nothing. If it is frequent, see why clients give up: the log shows what they waited for.",
	ReasonInternal:            "Fix the permission, or what it calls: the error is in the service's log.",
}

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
	return fmt.Sprintf("%v: %s", ErrAccessDenied, strings.ReplaceAll(e.Decision.Explain(), "\n", "; "))
}

// Unwrap returns [ErrAccessDenied].
func (e *AccessDeniedError) Unwrap() error { return ErrAccessDenied }

// permissionError is the failure of a permission. It is an internal error, regardless of the class of
// the permission's own error, which may come from another Authenticator.
type permissionError AccessDeniedError

func (e *permissionError) Error() string {
	return fmt.Sprintf("sso: the permission failed: %v", e.Decision.Err())
}
func (e *permissionError) Unwrap() error { return e.Decision.Err() }

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

// reasonOf returns the reason of any error.
func reasonOf(err error) Reason {
	if token, ok := err.(*TokenError); ok { //nolint:errorlint // the common case, without an allocation
		return token.Reason
	}
	_, _, reason := classify(err)
	return reason
}

// classify returns the status and the code of the response to any error, and its reason.
func classify(err error) (status int, code string, reason Reason) {
	var (
		token       *TokenError
		failed      *permissionError
		denied      *AccessDeniedError
		unavailable *UnavailableError
	)
	switch { // the first two wrap errors of other code, whose class must not decide
	case errors.As(err, &failed):
		return http.StatusInternalServerError, CodeInternal, ReasonInternal
	case errors.Is(err, ErrUnavailable):
		if errors.As(err, &unavailable) {
			reason = unavailable.Reason
		}
		return http.StatusServiceUnavailable, CodeUnavailable, cmp.Or(reason, ReasonKeysUnavailable)
	case errors.Is(err, ErrNoToken):
		return http.StatusUnauthorized, CodeMissingToken, ReasonMissingToken
	case errors.Is(err, ErrInvalidRequest):
		return http.StatusBadRequest, CodeInvalidRequest, ReasonBadCredentials
	case errors.Is(err, ErrInvalidToken):
		if errors.As(err, &token) {
			reason = token.Reason
		}
		return http.StatusUnauthorized, CodeInvalidToken, cmp.Or(reason, ReasonInternal)
	case errors.Is(err, errCrossOrigin):
		return http.StatusForbidden, CodeCrossOrigin, ReasonCrossOrigin
	case errors.Is(err, ErrAccessDenied):
		if errors.As(err, &denied) {
			if _, alone := denied.Decision.stepUp(); alone {
				return http.StatusUnauthorized, CodeInsufficientUserAuthentication, ReasonWeakLogin
			}
		}
		return http.StatusForbidden, CodeInsufficientScope, ReasonAccessDenied
	}
	return http.StatusInternalServerError, CodeInternal, ReasonInternal
}
