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
// Tokens: [Issuer.Token] mints one with any claim, any header and any fault.
// What no option asks for is as a good provider would have it.
//
// Weather: [Issuer.Down], [Issuer.Slow] and [Issuer.Fault] make the published
// documents unreachable, late or wrong, while the program runs.
//
// # What it serves
//
//	GET  /.well-known/openid-configuration   the discovery document
//	GET  /jwks.json                          the published keys (RFC 7517)
//	GET  /key.pem                            the public half of the signing key
//	POST /token                              client credentials grant (RFC 6749, section 4.4), for any
//	                                         client, with whatever claims the form asks for
//	POST /rotate                             the same as Issuer.Rotate, from this machine only
//
// # In memory or on loopback
//
// [New] opens no port. Its [Issuer.Client] speaks real HTTP over a [net.Pipe]
// to a real [http.Server], and it reaches this issuer only: every other host
// fails to dial and is written down in [Issuer.Strays]. Between requests no
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
