// Package devissuer is an identity provider for development and tests: an
// issuer in the shape of OpenID Connect that a program starts in one line and
// that does whatever it is told, good or bad.
//
//	issuer, err := devissuer.Start()                     // a real server on 127.0.0.1
//	issuer, err := devissuer.New()                       // in memory, no port, no waiting
//	defer issuer.Close()
//
//	token, err := issuer.Token(devissuer.Permission("pma.role", "admin"))
//	resp, err := issuer.Client().Get(issuer.JWKSURL())
//
// Three things can be asked of it.
//
// Keys: [Issuer.Rotate], [Issuer.Publish], [Issuer.Use] and [Issuer.Retire]
// play a key's whole life; [Issuer.AddRawKey] and [Issuer.SetRawJWKS] publish
// what no decent provider would.
//
// Tokens: [Issuer.Token] mints one with any claim, any header and any fault
// ([Expired], [WrongAudience], [AlgNone], …). What no option asks for is as a
// good provider would have it.
//
// Weather: [Issuer.Down], [Issuer.Slow] and [Issuer.Fault] make the published
// documents unreachable, late or wrong, while the program runs.
//
// # Which option wins
//
// Of the options of [New] and [Start] each sets one thing, and of several of
// one kind the later wins. What cannot work is an error of New and Start that
// names all of it.
//
// The options of a token apply in the order given:
//
//   - Of two that set the same claim or header parameter the later wins, by
//     whatever name: after [Audience], WithoutClaim("aud") leaves it out.
//     [Persona] counts as all its options in its place.
//   - [Permission] adds to the permissions that were set before it, and a
//     later [Claim] of that name replaces them.
//   - [ExpiresAt] says when a token ends. After it [ValidFor] counts from iat
//     again, wherever [IssuedAt] stands.
//   - One key signs: that of the last of [SignedBy], [UnknownKey] and
//     [EmbeddedKey]. It signs in one way: that of the last of [Algorithm],
//     [AlgNone] and [HMACWithPublicKey].
//   - [RawHeader] and [RawPayload] take the place of all that was set, wherever
//     they stand. [BadSignature] and [Tampered] are done to the finished token.
//
// Of troubles, [Issuer.Down] comes first, then [Issuer.Slow], then
// [Issuer.Fault], then [Issuer.SetRawJWKS].
//
// # What it serves
//
//	GET  /.well-known/openid-configuration   the discovery document
//	GET  /jwks.json                          the published keys (RFC 7517)
//	GET  /key.pem                            the public half of the signing key
//	POST /token                              client credentials grant (RFC 6749, section 4.4), for any
//	                                         client, with whatever claims the form asks for
//	POST /rotate                             the same as Issuer.Rotate, from this machine only, and not
//	                                         from another site's page
//
// The token endpoint takes a form of at most 64 KiB. The client names itself by
// HTTP basic authentication or client_id, with any secret or none; its name is
// client_id of the token, and sub without a persona. Beyond the standard's grant_type, which is
// client_credentials, and scope the form may hold the following; later lines
// win over earlier ones.
//
//	persona      the name of somebody whom WithPersona introduced; then a client is not needed
//	audience     aud; may be repeated
//	permissions  a JSON object that is laid over the permissions of the persona
//	claims       a JSON object of claims that replace those above
//	without      the name of a claim that is left out; may be repeated
//	expires_in   seconds; negative for a token that has expired
//
// # In memory or on loopback
//
// [New] opens no port. Its [Issuer.Client] speaks real HTTP over a [net.Pipe]
// to a real [http.Server], and it reaches this issuer only: every other host
// fails to dial and is written down in [Stats.Strays]. Between requests no
// goroutine lives. An issuer made inside a bubble of testing/synctest stays in
// it, so a provider that hangs for an hour costs no time. Use it in tests.
//
// [Start] listens on the loopback interface, for other processes: a demo, a
// command-line tool, a browser. It is of no use inside a bubble.
//
// # Not for production
//
// It hands a token with any permission to whoever asks. [Start] therefore
// refuses every address which is not loopback; whoever mounts
// [Issuer.Handler] on a server of their own has to see to that themselves.
package devissuer
