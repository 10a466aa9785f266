// Package keys says where the public keys of an identity provider come from (a [Source]) and
// keeps them (a [Cache]) so that a request almost never waits for one.
//
// A Source fetches a [Set] once. [Open] makes one out of the text that a service has in its
// configuration: the URL of a JWK Set (RFC 7517), of a PEM public key or of a discovery
// document, a file, or the PEM text itself. [Static] takes keys that a program already has.
//
//	source, err := keys.Open("https://login.example.com/.well-known/jwks.json", keys.Options{})
//	if err != nil {
//		return err // about the address: nothing has been fetched yet
//	}
//	cache := keys.NewCache(source, keys.CacheOptions{})
//	defer cache.Close()
//	match, err := cache.Find(ctx, keyID, "RS256") // fetches, the first time
//
// Most services need none of this: package sso makes both out of its Config, where a Source of
// your own goes into Config.Keys.
//
// A Cache stands over one Source. It fetches once for however many callers wait, refreshes
// ahead of need, refetches when an unknown key id appears, and keeps the last good set in
// force while the provider cannot be reached. What a caller sees of trouble is one of two
// errors: [ErrUnknownKey] when the provider was asked and does not have the key, and an
// [UnavailableError] when nobody can tell.
//
// # Which key a token gets
//
// A token that names a key id gets the key of that id and no other; a key whose source declares
// another algorithm, or whose type is another, is refused ([ErrWrongAlgorithm]). Where the keys have
// no ids, as those of a PEM text, the token's counts for nothing, and up to four keys are tried. A
// token without a key id gets the one key that fits its algorithm; several are [ErrAmbiguousKey].
//
// # How long keys serve
//
// A set is refreshed every five minutes ± 10 %, or sooner if the provider's Cache-Control says so,
// never more than once a minute for that. While that fails the old set serves for an hour longer,
// and attempts are made after 1 s, 2 s, 4 s, … 30 s, or when the provider asks (Retry-After), which
// counts up to 30 s. An unknown key id is a reason to ask at once, but fruitlessly only once in ten
// seconds. An attempt ends after 3 s. The intervals are for [CacheOptions] to change.
//
// The package knows nothing of HTTP requests that come in, and nothing of tokens but the key
// id and the algorithm that one names.
package keys
