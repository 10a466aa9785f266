// Package sso lets a service accept its company's single sign-on.
//
// An [Authenticator] takes the bearer token of a request (RFC 6750), proves it with the
// identity provider's public key, turns it into a [Principal], and asks whether that principal
// holds the [Permission] which a route demands. It is made once, by [New], out of a [Config]
// in which two settings are enough: the issuer, from which the public keys are discovered, and
// by which audience the service is known.
//
//	cfg, err := sso.ConfigFromEnv() // SSO_ISSUER and SSO_AUDIENCE
//	if err != nil {
//		return err // names every variable that is wrong, and what to write
//	}
//	auth, err := sso.New(cfg)
//	if err != nil {
//		return err
//	}
//	defer auth.Close() // where the server has been shut down
//
// Services rarely call it directly: the adapters for Gin, Echo, Fiber, net/http and AWS Lambda
// (modules ginsso, echosso, fibersso, httpsso and lambdasso) do, and put the principal where
// [FromContext] finds it. All of them answer alike, since what a refusal looks like is decided
// here (see [DenialOf]). What a route may demand is in package permission; where keys come from
// and how they are kept, in package keys; what tests need, in package ssotest. A token that comes
// another way than in an HTTP request goes to [Authenticator.ValidateToken].
//
// # Which setting wins
//
// Code wins over the environment, since nothing but [ConfigFromEnv] reads these variables: what it
// returns can be changed before it goes to [New]. Of two variables for one setting, SSO_PUBLIC_KEY_URI
// wins over PUBLIC_KEY_URI, and SSO_AUDIENCE over AUDIENCE. Keys come from [Config.Keys] or from
// [Config.PublicKeyURI], of which only one may be given, and are discovered from [Config.Issuer]
// where neither is. The issuer that tokens must have is [Config.Issuer]; where that is empty, the
// one that a discovery document at PublicKeyURI names; where there is none, it is not checked. A
// document that names another issuer than Config.Issuer gives no keys. Everything else has one
// place, and settings that contradict each other are refused by New instead of weighed.
//
// # What is checked, in which order
//
//  1. The credential: where the token stands, that it stands there once, and its length. Without
//     any it is [ErrNoToken], and two are [ErrInvalidRequest].
//  2. The form of the token: a JWS in compact serialisation (RFC 7515).
//  3. Its header: crit, zip and b64, `alg` against [Config.Algorithms], `typ`, `cty`, `kid`; and
//     that the key exists, where that is known without asking.
//  4. The claims that need no key: `exp`, [Config.MaxTokenAge], `nbf`, `iat`, `aud`, `iss`,
//     `client_id`, and that nothing shows another kind of token (RFC 7519, section 4.1; RFC 8725).
//  5. The signature, with the key that the token names; then the issuer, if only discovery told it.
//  6. The session, if there is a store to ask: see [Config.Sessions].
//  7. The permission.
//
// The first rule that is broken refuses. A token that breaks a rule which needs no key is refused
// as bad (401) even while no key can be had (503), and a permission is never asked about a token
// that is not good. A token that has been verified lately skips 2 to 5, but for its dates and its
// key, and is never refused for being remembered: see [Config.TokenCache]. Of several issuers
// ([Join]) `iss` chooses the rules before the header is judged.
//
// # What a refusal says
//
// The client gets a status, a challenge and a short problem document (RFC 9457) with a code,
// and nothing about the cause. The cause goes to [Config.Logger] and [Config.Observe], with a
// [Reason] out of a closed list. "Bad token" (401) and "cannot tell" (503) are never confused: see
// [ErrInvalidToken] and [ErrUnavailable]. The standard answer goes to [Config.Renderer], if there is
// one, and what comes of it to an adapter's option WithDenied, which has the last word.
package sso
