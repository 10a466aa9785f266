// Package sso lets a service accept its company's single sign-on.
//
// An [Authenticator] takes the bearer token of a request (RFC 6750), proves it with the
// identity provider's public key, turns it into a [Principal], and asks whether that principal
// holds the [Permission] which a route demands. It is made once, by [New], out of a [Config]
// in which two settings are enough: where the public key is, and by which audience the service
// is known.
//
//	cfg, err := sso.ConfigFromEnv() // SSO_PUBLIC_KEY_URI, SSO_AUDIENCE and SSO_ISSUER
//	auth, err := sso.New(cfg)
//
// Services rarely call it directly: the adapters for Gin, Echo, Fiber, net/http and AWS Lambda
// do, and put the principal where [FromContext] finds it. All of them answer alike, since what
// a refusal looks like is decided here (see [DenialOf]).
//
// # What is checked, in which order
//
// The form of the credential; the form of the token (a JWS in compact serialisation, RFC
// 7515); its header against the allowed algorithms; the claims that need no key (`exp`, `nbf`,
// `iat`, `aud`, `iss`: RFC 7519, section 4.1); then the signature with the key that the token
// names; last the permission. The first rule that is broken refuses. A token that breaks a
// rule which needs no key is refused as bad even while no key can be had.
//
// # What a refusal says
//
// The client gets a status, a challenge and a short problem document (RFC 9457) with a code,
// and nothing about the cause. The cause goes to [Config.Logger], with a [Reason] out of a
// closed list. "Bad token" (401) and "cannot tell" (503) are never confused: see
// [ErrInvalidToken] and [ErrUnavailable].
package sso
