// Package ssotest is for tests of services that use this library, and of their permissions.
//
//	iss := ssotest.NewIssuer(t)
//	auth := iss.Authenticator(iss.Config("orders-api"))
//	service := newMux(auth) // your own service
//
//	clerk := iss.Token(devissuer.Permission("orders.role", "clerk")) // 200
//	guest := iss.Token()                                             // 403
//	expired := iss.Token(devissuer.Expired())                        // 401
//
// Send a token as "Authorization: Bearer …", through [InProcess] or the framework's test client.
//
// [NewIssuer] starts an issuer of real, signed tokens in memory. Package [devissuer] has the options
// for every claim and every fault, and for a token as Entra or Keycloak sends it: [devissuer.Provider].
// [Issuer] has the failures of a provider (Rotate, Down, Slow), and
// [Issuer.Clock] moves time. The log of a failing test says why a token was rejected.
//
// Tests without a token: [Request] and [Context] for a handler that reads who is calling, [Access]
// for a permission of your own. [AssertProtected] finds routes that were left open. Package
// adaptertest has what a service has to reject, and a suite for adapters.
//
// The audience of a token is that of [devissuer.Audience], a persona's included; else that of
// [devissuer.WithAudience]; else the first of the latest [Issuer.Config]; else "api". The time is that
// of [devissuer.WithClock]; else that of [Issuer.Clock]. Config uses the same clock.
//
// Everything that is made with a t ends with that test: the issuer, its authenticators, the servers of [Serve]
// and the log. A mistake ends the test by t.Fatalf, which must be called in the test's goroutine.
// Otherwise issuers and clocks are safe for concurrent use.
//
// This package imports package testing. A program that needs an issuer imports package devissuer.
package ssotest
