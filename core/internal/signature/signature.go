// Package signature verifies signatures of the JWS algorithms (RFC 7518, section 3.1; RFC
// 8037). The methods are golang-jwt's, over the standard library's cryptography; what is added
// is strictness where it is lax.
package signature

import (
	"crypto/rsa"

	"github.com/golang-jwt/jwt/v5"

	"github.com/more-retail/moresso-go/core/keys"
)

// A Method verifies signatures of one algorithm.
type Method struct {
	algorithm string
	method    jwt.SigningMethod
}

// Methods gives the methods of algorithms, by their names. An algorithm that is not among
// [keys.Algorithms] is left out, whatever golang-jwt knows: "none" and HMAC among them.
func Methods(algorithms []string) map[string]Method {
	methods := map[string]Method{}
	for _, algorithm := range algorithms {
		if m, ok := known[algorithm]; ok {
			methods[algorithm] = Method{algorithm, m}
		}
	}
	return methods
}

// known are the methods of all algorithms.
var known = func() map[string]jwt.SigningMethod {
	methods := map[string]jwt.SigningMethod{}
	for _, algorithm := range keys.Algorithms() {
		method := jwt.GetSigningMethod(algorithm)
		if m, ok := method.(*jwt.SigningMethodRSAPSS); ok {
			method = pss(m)
		}
		methods[algorithm] = method
	}
	return methods
}()

// pss demands a salt as long as the hash (RFC 7518, section 3.5), where golang-jwt takes any.
func pss(m *jwt.SigningMethodRSAPSS) jwt.SigningMethod {
	strict := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: m.Hash}
	return &jwt.SigningMethodRSAPSS{SigningMethodRSA: m.SigningMethodRSA, Options: strict, VerifyOptions: strict}
}

// Algorithm is the name of the algorithm.
func (m Method) Algorithm() string { return m.algorithm }

// Verify reports whether a signature is a key's. A key that is not for the algorithm proves
// nothing.
func (m Method) Verify(signingInput string, signature []byte, key keys.Key) bool {
	return m.method != nil && key.Fits(m.algorithm) && m.method.Verify(signingInput, signature, key.Public) == nil
}
