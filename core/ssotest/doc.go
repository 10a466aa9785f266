// Package ssotest is for tests: of services that use this library, of permissions of one's
// own, and of adapters.
//
//	iss := ssotest.NewIssuer(t)
//	auth := iss.Authenticator(iss.Config("orders-api"))
//	service := newMux(auth) // your own service
//
//	clerk := iss.Token(devissuer.Permission("orders.role", "clerk")) // 200
//	guest := iss.Token()                                           // 403
//	expired := iss.Token(devissuer.Expired())                        // 401
//
// Send one as "Authorization: Bearer …", through [InProcess] or the framework's own test client.
//
// [NewIssuer] starts an issuer of real, signed tokens, in memory, in one line; nothing is mocked.
// There are options for every claim and every fault; [Issuer] has its troubles (Rotate, Down, Slow),
// and [Issuer.Clock] lets time pass. Why a token was refused stands in the log of a test that
// fails.
//
// What needs no token is tested without one: a handler that wants to know who is calling by
// [Request] or [Context], a permission of your own by [Access]. [AssertProtected] finds routes that
// were left open, [Attacks] is what a service has to refuse, and [TestAdapter] the conformance
// suite that every adapter of this library passes, and that one of yours can be held to.
//
// # Which option wins
//
// The options of a token apply in the order given, and where two set the same thing the later
// wins; package [devissuer] has the cases that are not plain, and an Example for each option. The
// audience of a token is that of [Audience], a persona's included; else that of [WithAudience]; else
// the first of the latest [Issuer.Config]; else "api".
//
// The time is that of [WithClock], if an issuer has it; else that of [Issuer.Clock], which is the
// real time until it is set. Config takes the same clock over to the authenticator.
//
// # When a test ends
//
// What is made with a t ends with that test: the issuer, its authenticators, the servers of [Serve]
// and what is logged. What cannot work ends the test at once, by t.Fatalf, which has to be called in
// the test's own goroutine; issuers and clocks are safe for concurrent use otherwise. [CheckLeaks]
// fails a test that leaves goroutines behind, and is called first.
//
// # For tests alone
//
// This package imports package testing, and nothing beyond the standard library and this module. Shipped code
// must not import it: a program that wants an issuer takes package devissuer.
package ssotest
