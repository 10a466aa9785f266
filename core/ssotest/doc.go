// Package ssotest is for tests: of services that use this library, of permissions of one's
// own, and of adapters.
//
//	iss := ssotest.NewIssuer(t)
//	auth := iss.Authenticator(iss.Config("orders-api"))
//	service := newMux(auth) // your own service
//
//	good := iss.Token(ssotest.Permission("orders.role", "clerk"))
//	expired := iss.Token(ssotest.Expired())
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
// It imports package testing, and nothing beyond the standard library and this module. Shipped code
// must not import it: a program that wants an issuer takes package devissuer.
package ssotest
