// Package keys says where the public keys of an identity provider come from (a [Source]) and
// keeps them (a [Cache]) so that a request almost never waits for one.
//
// A Source fetches a [Set] once. [Open] makes one out of the text that a service has in its
// configuration: the URL of a JWK Set (RFC 7517), of a PEM public key or of a discovery
// document, a file, or the PEM text itself. [Static] takes keys that a program already has.
//
// A Cache stands over one Source. It fetches once for however many callers wait, refreshes
// ahead of need, refetches when an unknown key id appears, and keeps the last good set in
// force while the provider cannot be reached. What a caller sees of trouble is one of two
// errors: [ErrUnknownKey] when the provider was asked and does not have the key, and an
// [UnavailableError] when nobody can tell.
//
// The package knows nothing of HTTP requests that come in, and nothing of tokens but the key
// id and the algorithm that one names.
package keys
