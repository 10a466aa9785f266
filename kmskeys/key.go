package kmskeys

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/more-retail/moresso-go/core/keys"
)

// specs are the key specs of KMS that can sign tokens, each with an algorithm that only its keys fit.
var specs = map[types.KeySpec]string{
	types.KeySpecRsa2048:             "RS256",
	types.KeySpecRsa3072:             "RS256",
	types.KeySpecRsa4096:             "RS256",
	types.KeySpecEccNistP256:         "ES256",
	types.KeySpecEccNistP384:         "ES384",
	types.KeySpecEccNistP521:         "ES512",
	types.KeySpecEccNistEdwards25519: "EdDSA",
}

// signings maps the algorithms of JWS (RFC 7518, section 3.1; RFC 8037) to the names of KMS.
var signings = map[string]types.SigningAlgorithmSpec{
	"RS256": types.SigningAlgorithmSpecRsassaPkcs1V15Sha256,
	"RS384": types.SigningAlgorithmSpecRsassaPkcs1V15Sha384,
	"RS512": types.SigningAlgorithmSpecRsassaPkcs1V15Sha512,
	"PS256": types.SigningAlgorithmSpecRsassaPssSha256,
	"PS384": types.SigningAlgorithmSpecRsassaPssSha384,
	"PS512": types.SigningAlgorithmSpecRsassaPssSha512,
	"ES256": types.SigningAlgorithmSpecEcdsaSha256,
	"ES384": types.SigningAlgorithmSpecEcdsaSha384,
	"ES512": types.SigningAlgorithmSpecEcdsaSha512,
	"EdDSA": types.SigningAlgorithmSpecEd25519Sha512,
}

// read returns the key of an answer. It fails if the key cannot sign by an accepted algorithm; an
// empty list accepts all. A key that has only one algorithm is declared for it.
func read(out *kms.GetPublicKeyOutput, accepted []string) (keys.Key, error) {
	if out == nil {
		return keys.Key{}, unusable("the client returned no answer")
	}
	if out.KeyUsage != types.KeyUsageTypeSignVerify {
		return keys.Key{}, unusable("the key usage is %q, want SIGN_VERIFY", out.KeyUsage)
	}
	algorithm, known := specs[out.KeySpec]
	if !known {
		return keys.Key{}, unusable("the key spec %q cannot sign tokens; RSA, NIST curves and Ed25519 can", out.KeySpec)
	}
	public, err := x509.ParsePKIXPublicKey(out.PublicKey)
	if err != nil {
		return keys.Key{}, unusable("the public key in the answer cannot be read: %v", err)
	}
	key := keys.Key{Public: public}
	if _, err = keys.NewSet(key); err != nil {
		return keys.Key{}, unusable("%v", err)
	}
	if !key.Fits(algorithm) {
		return keys.Key{}, unusable("the answer holds a %T, which contradicts the key spec %s", public, out.KeySpec)
	}
	signs := slices.DeleteFunc(keys.Algorithms(), func(algorithm string) bool {
		return keys.OlderName(algorithm) != algorithm || !key.Fits(algorithm) || len(out.SigningAlgorithms) > 0 && !slices.Contains(out.SigningAlgorithms, signings[algorithm])
	})
	if len(signs) == 0 || len(accepted) > 0 && !slices.ContainsFunc(accepted, func(algorithm string) bool { return slices.Contains(signs, keys.OlderName(algorithm)) }) {
		return keys.Key{}, unusable("a key of the spec %s signs by %q, and Algorithms accepts none of them", out.KeySpec, strings.Join(signs, ", "))
	}
	if len(signs) == 1 {
		key.Algorithm = signs[0]
	}
	return key, nil
}

// refusalError reports why a key cannot be used or fetched.
type refusalError struct {
	text    string
	certain bool  // the key cannot verify tokens, so it is left out
	cause   error // the SDK's, whose text may contain secrets; may be nil
}

func (e *refusalError) Error() string { return e.text }
func (e *refusalError) Unwrap() error { return e.cause }

// Gone reports that no token of the key must be accepted any more.
func (e *refusalError) Gone() bool { return e.certain }

func unusable(format string, args ...any) error {
	return &refusalError{text: fmt.Sprintf(format, args...), certain: true}
}
