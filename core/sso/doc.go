// Package sso lets a service accept its company's single sign-on.
//
// An [Authenticator] verifies the bearer token of a request (RFC 6750) with the identity provider's
// keys, turns it into a [Principal] and checks the [Permission] that the route requires. Create one
// with [New] from a [Config]. Two settings are enough: the issuer, from which the keys are
// discovered, and the audience, which is the name of your service.
//
//	cfg, err := sso.ConfigFromEnv() // SSO_ISSUER and SSO_AUDIENCE
//	if err != nil {
//		return err // names every variable with a problem, and what to write
//	}
//	auth, err := sso.New(cfg)
//	if err != nil {
//		return err
//	}
//	defer auth.Close() // after the server has shut down
//
// Services mostly use it through an adapter: ginsso, echosso, fibersso, httpsso or lambdasso. All of
// them respond alike, since the response is decided here (see [DenialOf]). Package permission has
// the permissions, package keys the key sources, package ssotest what tests need.
//
// # Checks
//
//  1. The credential: one token, in one of the configured places. Without one the error is
//     [ErrNoToken], with two [ErrInvalidRequest].
//  2. The cache of verified tokens: a cached token skips steps 3 and 4; its dates and key are still
//     checked. The cache never refuses a token.
//  3. The form, the header and the claims (RFC 7515, RFC 7519, RFC 8725): what needs no key.
//  4. The key and the signature, then the issuer if only discovery knows it.
//  5. The session, if [Config.Sessions] is set.
//  6. The permission.
//
// The first check that fails refuses the request. A token that fails a check of step 3 gets 401 even
// while no key is available (503). With several issuers ([Join]), `iss` selects the rules before the
// header is checked. [Authenticator.Explain] returns the checks of a token, docs/ERRORS.md lists
// them.
//
// # Refusals
//
// The client gets a status, a challenge and a problem document (RFC 9457) with a code, and nothing
// about the cause. The cause goes to [Config.Logger] and [Config.Observe] with a [Reason] of a closed
// list. 401 means that the token is invalid, 503 that its validity is unknown. [Config.Renderer] may
// change the response, and then an adapter's option WithDenied.
package sso
