// Package keys reads the public keys of an identity provider.
//
// A [Source] fetches a [Set] of keys. [Open] returns the source for a text from a configuration:
// the URL of a JWK Set (RFC 7517), of a PEM public key or of a discovery document, a file, or the
// keys themselves. [Static] takes keys that a program already has.
//
//	source, err := keys.Open("https://login.example.com/.well-known/jwks.json", keys.Options{})
//
// Most services do not need this package: package sso opens and caches the source that its Config
// names. A source of your own goes into Config.Keys.
package keys
