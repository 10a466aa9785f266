package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/more-retail/moresso-go/core/internal/jsondoc"
)

// maxKeyIDBytes bounds a key id, here and in tokens.
const maxKeyIDBytes = 256

// ParseJWKS reads a JWK Set (RFC 7517, section 5). A key that cannot be used is left out and
// named in Skipped: an unknown type must not take the other keys down (section 5 again).
// It fails if the text is not a JWK Set, has more than 100 keys, or none that can be used (a
// [NoKeyError]).
func ParseJWKS(text []byte) (*Set, error) {
	document, err := members(text)
	if err != nil {
		return nil, err
	}
	raw, ok := elements(document["keys"])
	if !ok {
		return nil, errors.New(`not a JWK Set: no array "keys"`)
	}
	if err := countable(len(raw)); err != nil { // before any of them is read
		return nil, err
	}
	var (
		usable  []Key
		skipped []Skipped
	)
	for _, text := range raw {
		key, err := parseJWK(text)
		if err != nil {
			skipped = append(skipped, Skipped{key.ID, err.Error()})
			continue
		}
		usable = append(usable, key)
	}
	return newSet(usable, skipped)
}

// parseJWK reads one key. With an error it still returns the id, if that could be read.
func parseJWK(text []byte) (key Key, err error) {
	jwk, err := jsondoc.Parse(text)
	if err != nil {
		return Key{}, err
	}
	if jwk.Kind() != jsondoc.Object {
		return Key{}, fmt.Errorf("a JSON %s where a key belongs", jwk.Kind())
	}
	if key.ID, err = optionalText(jwk, "kid"); err != nil {
		return Key{}, err
	}
	if len(key.ID) > maxKeyIDBytes {
		return Key{}, fmt.Errorf("a key id of %d bytes; at most %d are accepted", len(key.ID), maxKeyIDBytes)
	}
	if key.Algorithm, err = optionalText(jwk, "alg"); err != nil {
		return key, err
	}
	if err := purpose(jwk); err != nil {
		return key, err
	}
	key.Public, err = publicKey(jwk)
	return key, err
}

// present reports whether a member is there. Some serializers write null for what is not.
func present(jwk jsondoc.Value, name string) bool {
	kind := jwk.Get(name).Kind()
	return kind != jsondoc.Absent && kind != jsondoc.Null
}

func optionalText(jwk jsondoc.Value, name string) (string, error) {
	if !present(jwk, name) {
		return "", nil
	}
	value, ok := jwk.Get(name).Text()
	if !ok {
		return "", fmt.Errorf("%q is a JSON %s, not a string", name, jwk.Get(name).Kind())
	}
	return value, nil
}

// publicKey reads the numbers of a key (RFC 7518, section 6; RFC 8037). That they are good ones
// is for [Key.check] to say. Certificates (x5c) are not looked at: they add no trust here, and
// what is odd about them must not cost a good key.
func publicKey(jwk jsondoc.Value) (crypto.PublicKey, error) {
	kty, _ := jwk.Get("kty").Text()
	if kty == "RSA" {
		n, err := octets(jwk, "n")
		if err != nil {
			return nil, err
		}
		e, err := octets(jwk, "e")
		if err != nil {
			return nil, err
		}
		exponent := new(big.Int).SetBytes(e)
		if exponent.BitLen() > 31 {
			return nil, fmt.Errorf("an RSA key with a public exponent above %d", maxRSAExponent)
		}
		return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(exponent.Int64())}, nil
	}
	x, err := octets(jwk, "x")
	if err != nil {
		return nil, err
	}
	crv, _ := jwk.Get("crv").Text()
	if kty == "OKP" {
		if crv != "Ed25519" {
			return nil, fmt.Errorf("the curve %.64q is not one that verifies tokens here", crv)
		}
		return ed25519.PublicKey(x), nil
	}
	curve, ok := map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()}[crv]
	if !ok {
		return nil, fmt.Errorf("the curve %.64q is not one that verifies tokens here", crv)
	}
	y, err := octets(jwk, "y")
	if err != nil {
		return nil, err
	}
	if size := (curve.Params().BitSize + 7) / 8; len(x) != size || len(y) != size {
		return nil, fmt.Errorf("coordinates of %d and %d bytes where %s has %d (RFC 7518, section 6.2.1.2)", len(x), len(y), crv, size)
	}
	public, err := ecdsa.ParseUncompressedPublicKey(curve, slices.Concat([]byte{4}, x, y))
	if err != nil {
		return nil, errors.New("an EC key whose point is not on its curve")
	}
	return public, nil
}

// octets reads a member that holds base64url without padding.
func octets(jwk jsondoc.Value, name string) ([]byte, error) {
	text, _ := jwk.Get(name).Text()
	value, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(value) == 0 {
		return nil, fmt.Errorf("its member %q is not a number in base64url", name)
	}
	return value, nil
}

// purpose refuses keys that were not published to verify signatures with.
func purpose(jwk jsondoc.Value) error {
	switch kty, _ := jwk.Get("kty").Text(); kty {
	case "RSA", "EC", "OKP":
	case "oct":
		return errors.New("a symmetric key (kty oct), which must never be published")
	default:
		return fmt.Errorf("the key type %.64q is not one that verifies tokens here", kty)
	}
	for _, member := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} {
		if present(jwk, member) {
			return errors.New("a private key; it is public now and must be replaced at once")
		}
	}
	if present(jwk, "use") {
		if value, _ := jwk.Get("use").Text(); value != "sig" {
			return fmt.Errorf("its use is %.64q, not sig (RFC 7517, section 4.2)", value)
		}
	}
	if present(jwk, "key_ops") {
		for op := range jwk.Get("key_ops").Elements() {
			if value, _ := op.Text(); value == "verify" {
				return nil
			}
		}
		return errors.New("its key_ops do not name verify (RFC 7517, section 4.3)")
	}
	return nil
}
