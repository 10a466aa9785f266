package sso

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/more-retail/moresso-go/core/internal/verify"
	"github.com/more-retail/moresso-go/core/keys"
)

// Config says which tokens a service accepts. The zero value accepts none. Issuer and Audience are
// enough; PublicKeyURI replaces Issuer where the provider has no discovery document. [New] checks
// all fields and refuses values that are out of bounds. Code overrides the environment, since only
// [ConfigFromEnv] reads variables.
type Config struct {
	// PublicKeyURI is the location of the identity provider's public keys. It is the https URL of a
	// JWK Set (RFC 7517), a PEM public key or a discovery document, distinguished by their content.
	// It may also be "file:" and the path of a JWK Set or PEM file, or the text of either. http is
	// accepted for loopback only, unless InsecureAllowHTTP. A private key is refused. New reads
	// files, and each refresh reads them again. URLs are fetched when the first request or
	// [Authenticator.Ready] needs keys. With import _ "github.com/more-retail/moresso-go/kmskeys"
	// it may name an AWS KMS key: awskms: and an id, an ARN or an alias; or one of these alone.
	// Default: the keys are discovered from Issuer.
	PublicKeyURI string

	// Keys is a key source of your own, or a static one (see package keys). It excludes
	// PublicKeyURI. HTTPClient and InsecureAllowHTTP do not apply to it. Default: PublicKeyURI.
	Keys keys.Source

	// Audience lists the names of this service at the identity provider. A token must have one of
	// them as `aud` (RFC 7519, section 4.1.3), compared exactly. Required unless SkipAudienceCheck,
	// which excludes it.
	Audience []string

	// SkipAudienceCheck accepts any `aud`, for providers whose access tokens have none, such as
	// Amazon Cognito. It requires ClientIDs and Issuer, which then distinguish your tokens from
	// those for other services, and an empty Audience. Default false.
	SkipAudienceCheck bool

	// ClientIDs lists the OAuth clients whose tokens are accepted, compared exactly. A token names its
	// client in `client_id` (RFC 9068, section 2.2), else `azp` (Keycloak, Auth0, Entra v2, Google), else
	// `appid` (Entra v1), else `cid` (Okta). A token without any is refused, and so is one in which two
	// differ. Default: any client, and tokens without one.
	ClientIDs []string

	// Issuer is the identity provider's identifier. The token's `iss` must equal it (RFC 7519,
	// section 4.1.1). Where a discovery document is used, it defaults to the document's issuer; if
	// it differs, no keys are available (503). With other key sources it is required, unless
	// SkipIssuerCheck is set. Sources that serve many tenants (Microsoft Entra's /common,
	// /organizations, /consumers) require it always.
	Issuer string

	// SkipIssuerCheck accepts any `iss`, or none, of tokens that the keys verify. RFC 8725, section
	// 3.8, requires the check: a provider that signs for several issuers with the same keys lets the
	// users of all of them in. It excludes Issuer. Default false: Issuer is required, except where
	// PublicKeyURI is a discovery document, which names it.
	SkipIssuerCheck bool

	// Algorithms lists the accepted signature algorithms (RFC 7518, section 3.1), which must be in
	// [keys.Algorithms]. Default RS256. Symmetric algorithms and "none" are refused.
	Algorithms []string

	// MaxRSABits bounds the length of RSA keys. Longer ones are skipped, because a forged token costs as
	// much as a valid one. Default 4096, at most 8192.
	MaxRSABits int

	// TokenType says which kinds of JWT are accepted. Default [AnyAccessToken].
	TokenType TokenType

	// SkipAccessTokenCheck accepts tokens of Microsoft Entra without `scp`, `roles` and `idtyp`, of Okta without
	// `cid`, and of Amazon Cognito without `token_use`, which all their access tokens have by their documentation.
	// The issuer, or the address of the keys, says which provider it is. It is for programs to which
	// Entra issues tokens without roles. Default false: such tokens are refused, unless ID tokens are
	// accepted.
	SkipAccessTokenCheck bool

	// Leeway is the allowed clock skew for `exp`, `nbf`, `iat` and a future `auth_time`: a token is
	// valid until `exp` plus Leeway. Default 60 s, at most 5 min; a negative value means none.
	Leeway time.Duration

	// MaxTokenBytes bounds the length of a token; longer ones are refused unread. Default 16 KiB,
	// at most 1 MiB. It also bounds the header, the number of audiences, and the nesting of JSON: 32
	// levels, or one for each 512 bytes. Your server's own bound on header fields may come first.
	MaxTokenBytes int

	// TokenCache is the number of verified tokens that are cached. A cached token costs one SHA-256
	// instead of a signature check; its dates, key and session are still checked on every request.
	// The cache holds the digest and the claims, not the token, and is also bounded to 4 KiB for
	// each entry on average. Default 10,000, at most 1,000,000; a negative value means none.
	TokenCache int

	// Sessions is called on every request to check that the token's session has not ended, after
	// the signature and before any permission. Several guards on one request call it once.
	// Default nil: a token is valid until it expires.
	Sessions SessionStore

	// MaxTokenAge bounds the lifetime of a token, from `iat` to `exp`, without Leeway. A token that
	// lives longer or has no `iat` is refused. A store of revocations can forget them after this
	// time. Default 0: no bound.
	MaxTokenAge time.Duration

	// PermissionsClaim is the path of the claim that permissions are looked up in: an object or a
	// list; see [Principal.Permissions], and [Value.Lookup] for the syntax. Default "permissions".
	PermissionsClaim string

	// GrantablePermissions lists the paths within the permissions that tokens of this issuer may grant,
	// each with everything below it: "orders" includes "orders.read". The rest of the claim is left out of
	// [Principal.Permissions], and so are elements of a list that are not on a path. For an issuer that
	// [Join] adds, such as a partner's. It does not apply to roles, scopes and other claims: combine
	// those with permission.IssuedBy. Default: all.
	GrantablePermissions []string

	// RolesClaim is the path of the claim that roles are looked up in, or several paths separated by
	// commas: each a string or an array of strings. Default "roles". Others are "groups",
	// "cognito:groups" (Amazon Cognito), and "realm_access.roles, resource_access.orders.roles"
	// (Keycloak's realm and its client orders).
	RolesClaim string

	// Wildcard makes "*" in a token's permissions match any value, as more-sso-auth does. Turn it on only if
	// your provider keeps "*" for administrators. Default false: an ordinary value.
	Wildcard bool

	// TellScopes names the missing scopes in the challenge of a 403 (RFC 6750, section 3.1).
	// Default false.
	TellScopes bool

	// InsecureAllowHTTP permits keys to be fetched over http from other machines. An attacker on
	// the network can then replace them and sign tokens. Default false.
	InsecureAllowHTTP bool

	// KeyFetchTimeout ends a fetch of keys, discovery included. A request waits for a fetch at most
	// 3 s, or 1 s if earlier keys can serve; the fetch continues for the next request. Default 10 s,
	// at most 30 s. With RefreshInline a fetch ends with the wait of its request.
	KeyFetchTimeout time.Duration

	// StaleFor is how long the last valid keys serve while the provider cannot be reached, counted
	// from when their refresh was due. A provider that says twice, 30 s apart, that it has no usable
	// key ends them earlier. Default 1 h, at most 24 h; a negative value means not at all.
	StaleFor time.Duration

	// RefreshInline fetches keys that are due within the request that notices, instead of in the
	// background. The request waits at most a second, or 3 s if the last fetch had too little time. It
	// is for processes that are frozen between requests. It is always on in AWS Lambda
	// (AWS_LAMBDA_RUNTIME_API is set). Default false.
	RefreshInline bool

	// HTTPClient fetches keys. Its redirect policy and a longer timeout are ignored: redirects are
	// refused, and KeyFetchTimeout ends a fetch. Default: a client without idle connections that uses
	// the proxy environment variables.
	HTTPClient *http.Client

	// Now is the clock for tokens and keys. It must be safe for concurrent use. While it returns
	// the zero time, requests get 500. Default time.Now.
	Now func() time.Time

	// Logger gets the cause of each refusal (info; warn for 503, error for 500), and events of
	// keys. Tokens are never logged. Default [log/slog.Default].
	Logger *slog.Logger

	// Observe is called for each [Event], for metrics. It is called within requests, so it must be
	// safe for concurrent use and must not block. A panic in it is logged and has no other effect.
	// If nil, events are discarded.
	Observe func(Event)

	// Renderer changes refusals, in all frameworks at once; see [RenderSignIn]. It gets the request
	// and the default refusal. Its result is sent if the status is from 300 to 599; otherwise, or
	// if it panics, the default is sent and an error logged. A 401 keeps its challenge. It must be
	// safe for concurrent use. It is not called outside of a request. Default: problem documents
	// (RFC 9457).
	Renderer func(Request, Denial) Denial
}

// TokenType is a kind of JWT, for [Config.TokenType].
type TokenType string

// The kinds of JWT that a service may accept. Refresh tokens, logout tokens and other security
// events are always refused.
const (
	// AnyAccessToken accepts every JWT that is not recognizably of another kind. An ID token is
	// recognized by `at_hash`, `c_hash` or `s_hash`; by a payload `typ` of ID (Keycloak); by a `token_use` of
	// id (Amazon Cognito); by a `nonce` without `scope`, `scp` or a payload `typ` of Bearer; or because it lacks what every
	// access token of its provider has, see [Config.SkipAccessTokenCheck].
	AnyAccessToken TokenType = verify.AnyAccessToken
	// StrictAccessToken accepts only tokens as defined by RFC 9068: `typ` is at+jwt, and iss, exp,
	// aud, sub, client_id, iat and jti are present.
	StrictAccessToken TokenType = verify.StrictAccessToken
	// AllowIDToken accepts OpenID Connect ID tokens as well, for providers whose access tokens are
	// opaque, such as Google. `azp`, if present, must be one of [Config.ClientIDs], or of
	// [Config.Audience] without any (OpenID Connect Core 1.0, section 3.1.3.7).
	AllowIDToken TokenType = verify.AllowIDToken
)

// ConfigError lists everything that is wrong with a configuration; see [errors.As].
type ConfigError struct {
	Problems []ConfigProblem // at least one
}

// ConfigProblem is one thing that is wrong with a configuration.
type ConfigProblem struct {
	Setting string // the field or the environment variable
	Problem string // what it holds and why that is refused
	Remedy  string // what to write instead
}

// Error returns a line for each problem. It does not repeat values that could be a key or a
// password.
func (e *ConfigError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = fmt.Sprintf("%s %s: %s", p.Setting, p.Problem, p.Remedy)
	}
	if len(lines) == 1 {
		return "sso: configuration: " + lines[0]
	}
	return fmt.Sprintf("sso: configuration: %d problems:\n  %s", len(lines), strings.Join(lines, "\n  "))
}
