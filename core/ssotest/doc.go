// Package ssotest is for tests: of services that use this library, of permissions of one's
// own, and of adapters.
//
// [NewIssuer] starts an issuer of real, signed tokens, in memory, in one line; see package
// devissuer for all that it can do. [TestAdapter] is the conformance suite that every adapter
// of this library passes, and that an adapter of yours can be held to.
//
// It imports package testing: shipped code must not import it.
package ssotest
