package keys

import (
	"crypto/rsa"

	"github.com/golang-jwt/jwt/v5"
)

// methods are golang-jwt's signing methods, bound by name: its registry can be changed by any
// package of the process.
var methods = map[string]jwt.SigningMethod{
	"RS256": jwt.SigningMethodRS256,
	"RS384": jwt.SigningMethodRS384,
	"RS512": jwt.SigningMethodRS512,
	"PS256": strictPSS(jwt.SigningMethodPS256),
	"PS384": strictPSS(jwt.SigningMethodPS384),
	"PS512": strictPSS(jwt.SigningMethodPS512),
	"ES256": jwt.SigningMethodES256,
	"ES384": jwt.SigningMethodES384,
	"ES512": jwt.SigningMethodES512,
	"EdDSA": jwt.SigningMethodEdDSA,
}

// strictPSS requires a salt as long as the hash (RFC 7518, section 3.5). golang-jwt accepts any.
func strictPSS(m *jwt.SigningMethodRSAPSS) jwt.SigningMethod {
	strict := *m
	strict.VerifyOptions = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: m.Hash}
	return &strict
}

// Verify reports whether signature is the key's signature of signingInput by a JWS algorithm
// (RFC 7515, section 5.2). It returns false if the key does not fit the algorithm. The key must
// be one of a [Set], which holds no malformed keys.
func (k Key) Verify(algorithm, signingInput string, signature []byte) bool {
	return k.Fits(algorithm) && methods[algorithm].Verify(signingInput, signature, k.Public) == nil
}
