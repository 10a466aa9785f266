// Package devissuer is an identity provider for development and tests: an OpenID Connect issuer
// whose keys, tokens and failures a program controls.
//
//		issuer, err := devissuer.Start() // a server on 127.0.0.1
//		issuer, err := devissuer.New()   // in memory, without a port
//		defer issuer.Close()
//
//		token, err := issuer.Token(devissuer.Permission("pma.role", "admin"))
//		resp, err := issuer.Client().Get(issuer.JWKSURL())
//
//	  - Keys: [Issuer.Rotate], [Issuer.Publish], [Issuer.Use] and [Issuer.Retire] are the steps of a
//	    key's life. [Issuer.SetJWKS] publishes malformed keys.
//	  - Tokens: [Issuer.Token] mints a token with any claim, any header and many faults ([Expired],
//	    [WrongAudience], [BadSignature], …). By default the token is valid.
//	  - Outages: [Issuer.Down], [Issuer.Slow] and [Issuer.Fault] make the published documents
//	    unreachable, late or wrong. Down overrides Slow, Slow delays Fault, and Fault overrides
//	    SetJWKS.
//
// # Which option wins
//
// The options of a token apply in the order given:
//
//   - Of two options that set the same claim or header parameter, the later wins: after
//     [Audience], WithoutClaim("aud") omits it. [Persona] combines several options.
//   - [Permission] adds to the permissions before it. A later [Claim] of that name replaces them.
//   - Claim("exp", …) sets the end of a token. A [ValidFor] after it counts from iat again.
//   - [Raw] replaces what was set, in any position. [BadSignature] changes the finished token.
//
// # What it serves
//
//	GET  /.well-known/openid-configuration   the discovery document
//	GET  /jwks.json                          the published keys (RFC 7517)
//	GET  /key.pem                            the public half of the signing key
//	POST /token                              client credentials grant (RFC 6749, section 4.4)
//	POST /rotate                             rotates the key; see WithRotate
//	POST /down, POST /up                     as Issuer.Down and Issuer.Up
//
// The last three are for this machine only, and not for other sites' pages. The token endpoint takes
// a form of at most 64 KiB from any client. The client names itself by HTTP basic authentication or
// client_id, with any secret or none. The name becomes client_id of the token, and sub unless there
// is a persona. The form has grant_type, which is client_credentials, and may have scope and the
// following; later lines override earlier ones.
//
//	persona      the name of a persona of WithPersona; then no client is needed
//	audience     aud; may be repeated
//	permissions  a JSON object that is merged into the permissions of the persona
//	claims       a JSON object of claims that replace those above
//	without      the name of a claim to omit; may be repeated
//	expires_in   seconds; negative for a token that has expired
//
// # In memory or on loopback
//
// [New] opens no port. [Issuer.Client] uses HTTP over a [net.Pipe] to an [http.Server]. It reaches
// this issuer only; see [Stats.Strays]. No goroutine runs between requests. An issuer that is made
// inside a bubble of testing/synctest stays in it, so that an hour of waiting costs no time.
//
// [Start] listens on a loopback address, for other processes. It does not work inside a bubble.
//
// # Not for production
//
// The issuer gives a token with any permission to any client. If you mount [Issuer.Handler] on a
// server of your own, or use [WithInsecureListen], make sure that only trusted machines reach it.
package devissuer
