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
)

// Bounds of RSA keys: shorter ones can be factored (RFC 7518, section 3.3 demands 2048 bits),
// longer ones let a key set buy an attacker our processor time.
const (
	minRSABits     = 2048
	maxRSABits     = 8192
	minRSAExponent = 65537     // NIST SP 800-56B: smaller ones invite attacks on lax padding
	maxRSAExponent = 1<<31 - 1 // crypto/rsa verifies with no larger one
)

// Key is one public key that signatures can be verified with.
type Key struct {
	// ID is the key id (`kid`, RFC 7517, section 4.5) that tokens name; empty where the
	// source gives its keys no ids, as PEM does.
	ID string
	// Algorithm is the one algorithm that the source declares for the key (`alg`, RFC 7517,
	// section 4.4); empty: every algorithm that its type fits.
	Algorithm string
	// Public is an *rsa.PublicKey, an *ecdsa.PublicKey or an ed25519.PublicKey.
	Public crypto.PublicKey
}

// Algorithms returns the JWS algorithms (RFC 7518, section 3.1; RFC 8037) which this library
// verifies: RSASSA-PKCS1-v1_5, RSASSA-PSS, ECDSA and Ed25519. Symmetric ones are not among
// them, whatever anybody lists.
func Algorithms() []string {
	return []string{
		"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
	}
}

// Fits reports whether the key may verify signatures of an algorithm: its type and curve are
// the algorithm's, and the source did not declare another one for it.
func (k Key) Fits(algorithm string) bool {
	if k.Algorithm != "" && k.Algorithm != algorithm {
		return false
	}
	switch public := k.Public.(type) {
	case *rsa.PublicKey:
		switch algorithm {
		case "RS256", "RS384", "RS512", "PS256", "PS384", "PS512":
			return true
		}
	case *ecdsa.PublicKey:
		switch algorithm {
		case "ES256":
			return public.Curve == elliptic.P256()
		case "ES384":
			return public.Curve == elliptic.P384()
		case "ES512":
			return public.Curve == elliptic.P521()
		}
	case ed25519.PublicKey:
		return algorithm == "EdDSA"
	}
	return false
}

// Thumbprint returns the key's SHA-256 thumbprint (RFC 7638) in base64url: two keys are the
// same key if and only if their thumbprints agree, whatever ids they go by. It is empty for what is
// no public key.
func (k Key) Thumbprint() string {
	encode := base64.RawURLEncoding.EncodeToString
	// The members that the type needs, in the order of their names and without white space (section 3.2).
	var members string
	switch public := k.Public.(type) {
	case *rsa.PublicKey:
		if public == nil || public.N == nil {
			return ""
		}
		members = fmt.Sprintf(`{"e":%q,"kty":"RSA","n":%q}`, encode(big.NewInt(int64(public.E)).Bytes()), encode(public.N.Bytes()))
	case *ecdsa.PublicKey:
		if public == nil || public.Curve == nil || public.X == nil || public.Y == nil {
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

// check says why a key must not be used, nil if it may.
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
		if public.E < minRSAExponent || public.E%2 == 0 {
			return fmt.Errorf("an RSA key with the public exponent %d; an odd one from %d is accepted", public.E, minRSAExponent)
		}
		if public.E > maxRSAExponent {
			return fmt.Errorf("an RSA key with a public exponent above %d", maxRSAExponent)
		}
	case *ecdsa.PublicKey:
		if public == nil || public.Curve == nil || public.X == nil || public.Y == nil {
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
			return errors.New("an Ed25519 key of small order, under which anybody can sign")
		}
		if !onEdwards25519(public) {
			return errors.New("an Ed25519 key that is no point of its curve")
		}
	default:
		return fmt.Errorf("a key of the type %T; RSA, ECDSA and Ed25519 public keys are accepted", k.Public)
	}
	if k.Algorithm == "" {
		return nil
	}
	for _, algorithm := range Algorithms() {
		if k.Algorithm == algorithm {
			if !k.Fits(algorithm) {
				return fmt.Errorf("the algorithm %s contradicts the key's type", algorithm)
			}
			return nil
		}
	}
	return fmt.Errorf("the algorithm %.64q is not one that verifies tokens here", k.Algorithm)
}
