package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Bounds of RSA keys. Shorter ones can be factored (RFC 7518, section 3.3). Longer ones cost too much
// processor time.
const (
	minRSABits     = 2048
	maxRSABits     = 8192
	minRSAExponent = 3         // the smallest that crypto/rsa verifies with; its check of the padding is strict
	maxRSAExponent = 1<<31 - 1 // the largest that crypto/rsa verifies with
)

// Key is one public key.
type Key struct {
	// ID is the key id (`kid`, RFC 7517, section 4.5) that tokens name. It is empty if the source
	// gives its keys no ids, as PEM does.
	ID string
	// Algorithm is the algorithm that the source declares for the key (`alg`, RFC 7517, section 4.4).
	// If empty, the key fits all algorithms of its type.
	Algorithm string
	// Public is an *rsa.PublicKey, an *ecdsa.PublicKey or an ed25519.PublicKey.
	Public crypto.PublicKey

	x5t, x5tS256    string    // thumbprints of its certificate, in base64url; empty if not published
	certificateEnds time.Time // zero without a certificate
}

// CertificateExpired reports whether the source publishes a certificate with the key that has expired.
// Such a key verifies tokens anyway: a certificate adds no trust here.
func (k Key) CertificateExpired(now time.Time) bool {
	return !k.certificateEnds.IsZero() && now.After(k.certificateEnds)
}

// HasCertificate reports whether the source publishes one of these certificate thumbprints with the key:
// x5t (SHA-1) or x5t#S256 of a token's header (RFC 7515, sections 4.1.7 and 4.1.8). Empty ones do not
// match.
func (k Key) HasCertificate(x5t, x5tS256 string) bool {
	x5t, x5tS256 = base64URL(x5t), base64URL(x5tS256)
	return x5t != "" && x5t == k.x5t || x5tS256 != "" && x5tS256 == k.x5tS256
}

// Algorithms returns the JWS algorithms (RFC 7518, section 3.1; RFC 8037; RFC 9864) that this library verifies:
// RSASSA-PKCS1-v1_5, RSASSA-PSS, ECDSA and Ed25519. Symmetric algorithms and "none" are not among them.
func Algorithms() []string {
	return []string{
		"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
		"Ed25519", "ESP256", "ESP384", "ESP512",
	}
}

// OlderName returns the name that an algorithm had before RFC 9864 gave it one that says its curve:
// EdDSA for Ed25519, ES256 for ESP256. It returns other names as they are.
func OlderName(algorithm string) string {
	switch algorithm {
	case "Ed25519":
		return "EdDSA"
	case "ESP256":
		return "ES256"
	case "ESP384":
		return "ES384"
	case "ESP512":
		return "ES512"
	}
	return algorithm
}

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

// Fits reports whether the key may verify signatures of an algorithm: its type and curve are the
// algorithm's, and the source did not declare another one. Two names of one algorithm are the same.
func (k Key) Fits(algorithm string) bool {
	algorithm = OlderName(algorithm)
	if k.Algorithm != "" && OlderName(k.Algorithm) != algorithm {
		return false
	}
	switch method := methods[algorithm].(type) {
	case *jwt.SigningMethodRSA, *jwt.SigningMethodRSAPSS:
		_, ok := k.Public.(*rsa.PublicKey)
		return ok
	case *jwt.SigningMethodECDSA:
		public, ok := k.Public.(*ecdsa.PublicKey)
		return ok && public.Params().BitSize == method.CurveBits
	case *jwt.SigningMethodEd25519:
		_, ok := k.Public.(ed25519.PublicKey)
		return ok
	}
	return false
}

// Verify reports whether signature is the key's signature of signingInput by a JWS algorithm
// (RFC 7515, section 5.2). It returns false if the key does not fit the algorithm. The key must be
// one of a [Set], which has no malformed keys.
func (k Key) Verify(algorithm, signingInput string, signature []byte) bool {
	return k.Fits(algorithm) && methods[OlderName(algorithm)].Verify(signingInput, signature, k.Public) == nil
}

// Thumbprint returns the key's SHA-256 thumbprint (RFC 7638) in base64url. Two keys are the same if
// and only if their thumbprints are equal. It is empty if Public is not a public key.
func (k Key) Thumbprint() string {
	encode := base64.RawURLEncoding.EncodeToString
	// The required members, in the order of their names and without white space (section 3.2).
	var members string
	switch public := k.Public.(type) {
	case *rsa.PublicKey:
		if public == nil || public.N == nil {
			return ""
		}
		members = fmt.Sprintf(`{"e":%q,"kty":"RSA","n":%q}`, encode(big.NewInt(int64(public.E)).Bytes()), encode(public.N.Bytes()))
	case *ecdsa.PublicKey:
		if !hasPoint(public) {
			return ""
		}
		point, err := public.Bytes() // 4, then both coordinates in full length
		if err != nil {
			return ""
		}
		x, y := point[1:1+len(point)/2], point[1+len(point)/2:]
		members = fmt.Sprintf(`{"crv":%q,"kty":"EC","x":%q,"y":%q}`, public.Params().Name, encode(x), encode(y))
	case ed25519.PublicKey:
		if len(public) != ed25519.PublicKeySize {
			return ""
		}
		members = fmt.Sprintf(`{"crv":"Ed25519","kty":"OKP","x":%q}`, encode(public)) // RFC 8037, appendix A.3
	default:
		return ""
	}
	sum := sha256.Sum256([]byte(members))
	return encode(sum[:])
}

// hasPoint reports whether a key has a point, without which its methods panic.
func hasPoint(public *ecdsa.PublicKey) bool {
	return public != nil && public.Curve != nil && public.X != nil && public.Y != nil //nolint:staticcheck // it only compares with nil
}

// check returns why a key must not be used.
func (k Key) check() error {
	switch public := k.Public.(type) {
	case *rsa.PublicKey:
		if public == nil || public.N == nil || public.N.Sign() <= 0 {
			return errors.New("an RSA key without modulus")
		}
		if bits := public.N.BitLen(); bits < minRSABits || bits > maxRSABits {
			return fmt.Errorf("an RSA key of %d bits; from %d to %d are accepted", bits, minRSABits, maxRSABits)
		}
		if public.N.Bit(0) == 0 {
			return errors.New("an RSA key with an even modulus")
		}
		if roca(public.N) {
			return errors.New("an RSA key with the ROCA fingerprint (CVE-2017-15361), whose private half can be computed")
		}
		if public.E < minRSAExponent || public.E > maxRSAExponent || public.E%2 == 0 {
			return fmt.Errorf("an RSA key with the public exponent %d; odd ones from %d to %d are accepted", public.E, minRSAExponent, maxRSAExponent)
		}
	case *ecdsa.PublicKey:
		if !hasPoint(public) {
			return errors.New("an EC key without curve or point")
		}
		switch public.Curve {
		case elliptic.P256(), elliptic.P384(), elliptic.P521():
		default:
			return fmt.Errorf("an EC key on the curve %s; P-256, P-384 and P-521 are accepted", public.Params().Name)
		}
		if _, err := public.ECDH(); err != nil { // refuses points off the curve and at infinity
			return errors.New("an EC key whose point is not on its curve")
		}
	case ed25519.PublicKey:
		if len(public) != ed25519.PublicKeySize {
			return fmt.Errorf("an Ed25519 key of %d bytes", len(public))
		}
		if smallOrder(public) {
			return errors.New("an Ed25519 key of small order, for which anyone can forge signatures")
		}
		if !onEdwards25519(public) {
			return errors.New("an Ed25519 key that is not a point of its curve")
		}
	default:
		return fmt.Errorf("a key of the type %T; RSA, ECDSA and Ed25519 public keys are accepted", k.Public)
	}
	switch {
	case k.Algorithm != "" && methods[OlderName(k.Algorithm)] == nil:
		return fmt.Errorf("the algorithm %.64q is not supported", k.Algorithm)
	case k.Algorithm != "" && !k.Fits(k.Algorithm):
		return fmt.Errorf("the algorithm %s contradicts the key's type", k.Algorithm)
	}
	return nil
}
