package keys

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/more-retail/moresso-go/core/internal/jsondoc"
)

// maxKeyIDBytes bounds a key id, here and in tokens.
const maxKeyIDBytes = 256

func looksLikePEM(text []byte) bool {
	text = bytes.TrimSpace(text)
	return len(text) > 0 && text[0] != '{' && text[0] != '[' && bytes.Contains(text, []byte("-----BEGIN"))
}

func parsePEM(text []byte) (*Set, error) {
	if !bytes.Contains(text, []byte("-----BEGIN")) {
		return nil, errors.New("not PEM text: no -----BEGIN line")
	}
	var keys []Key
	for rest := text; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		key, err := parseBlock(block)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	// pem.Decode skips a block that it cannot decode.
	if len(keys) != bytes.Count(text, []byte("-----BEGIN")) {
		return nil, errors.New("a PEM block that cannot be decoded: is it whole, with its line breaks?")
	}
	return newSet(keys, nil)
}

func parseBlock(block *pem.Block) (key Key, err error) {
	switch {
	case strings.HasSuffix(block.Type, "PRIVATE KEY"):
		return key, fmt.Errorf("a %.64s instead of a public key: configure the public half, and replace this key, which the configuration exposes", block.Type)
	case block.Type == "PUBLIC KEY":
		key.Public, err = x509.ParsePKIXPublicKey(block.Bytes)
	case block.Type == "RSA PUBLIC KEY":
		key.Public, err = x509.ParsePKCS1PublicKey(block.Bytes)
	case block.Type == "CERTIFICATE":
		var certificate *x509.Certificate
		if certificate, err = x509.ParseCertificate(block.Bytes); err == nil {
			key.Public = certificate.PublicKey
		}
	default:
		return key, fmt.Errorf("a PEM block %.64q; PUBLIC KEY, RSA PUBLIC KEY and CERTIFICATE are read", block.Type)
	}
	if err != nil {
		return key, fmt.Errorf("a %s block that cannot be read: %w", block.Type, err)
	}
	return key, nil
}

// lenient options accept what [jsondoc.Parse] refuses in each key: one malformed key must not make
// the others unusable.
var lenient = []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}

// members returns the values of an object by their names. It refuses duplicate names (RFC 7517,
// section 4), but not within the values.
func members(text []byte) (map[string]jsontext.Value, error) {
	if !jsontext.Value(text).IsValid(lenient...) {
		_, err := jsondoc.Parse(text) // says where
		switch trimmed := bytes.TrimSpace(text); {
		case len(trimmed) == 0:
			err = errors.New("empty")
		case trimmed[0] == '<':
			err = errors.New("an HTML or XML page; is this the address of a page to sign in?")
		}
		return nil, fmt.Errorf("not a JSON object: %w", err)
	}
	if kind := jsontext.Value(text).Kind(); kind != '{' {
		return nil, fmt.Errorf("not a JSON object: a JSON %s", cmp.Or(map[jsontext.Kind]string{'[': "array", '"': "string"}[kind], "literal"))
	}
	found, list := map[string]jsontext.Value{}, parts(text)
	for i := 0; i < len(list); i += 2 {
		name, ok := textOf(list[i])
		if !ok {
			continue // not valid UTF-8
		}
		if _, twice := found[name]; twice {
			return nil, fmt.Errorf("not a JSON object: %w %.64q", jsondoc.ErrDuplicate, name)
		}
		found[name] = list[i+1]
	}
	return found, nil
}

// parts returns the elements of a valid array, or the names and values of a valid object.
func parts(text jsontext.Value) (list []jsontext.Value) {
	decoder := jsontext.NewDecoder(bytes.NewBuffer(text), lenient...)
	_, err := decoder.ReadToken()
	for err == nil {
		var part jsontext.Value
		if kind := decoder.PeekKind(); kind == '}' || kind == ']' {
			break
		}
		if part, err = decoder.ReadValue(); err == nil {
			list = append(list, part.Clone())
		}
	}
	return list
}

// textOf returns the content of a JSON string.
func textOf(text jsontext.Value) (string, bool) {
	value, err := jsondoc.Parse(text)
	if err != nil {
		return "", false
	}
	return value.Text()
}

func parseJWKS(text []byte) (*Set, error) {
	document, err := members(text)
	if err != nil {
		return nil, err
	}
	if document["keys"].Kind() != '[' {
		return nil, errors.New(`not a JWK Set: no array "keys"`)
	}
	list := parts(document["keys"])
	if err := checkCount(len(list)); err != nil { // before any key is read
		return nil, err
	}
	var (
		usable  []Key
		skipped []Skipped
	)
	for _, text := range list {
		key, err := parseJWK(text)
		if err != nil {
			skipped = append(skipped, Skipped{key.ID, err.Error()})
			continue
		}
		usable = append(usable, key)
	}
	return newSet(usable, skipped)
}

// parseJWK reads one key. With an error it returns the id, if that could be read.
func parseJWK(text []byte) (key Key, err error) {
	jwk, err := jsondoc.Parse(text)
	if err != nil {
		return Key{}, err
	}
	if jwk.Kind() != jsondoc.Object {
		return Key{}, fmt.Errorf("got a JSON %s, want a key", jwk.Kind())
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
	if err := checkPurpose(jwk); err != nil {
		return key, err
	}
	key.Public, err = publicKey(jwk)
	return key, err
}

// present reports whether an object has a member. Some serializers write null for a missing one.
func present(jwk jsondoc.Value, name string) bool {
	kind := jwk.Get(name).Kind()
	return kind != jsondoc.Absent && kind != jsondoc.Null
}

func optionalText(jwk jsondoc.Value, name string) (string, error) {
	value, ok := jwk.Get(name).Text()
	if !ok && present(jwk, name) {
		return "", fmt.Errorf("%q is a JSON %s, not a string", name, jwk.Get(name).Kind())
	}
	return value, nil
}

// checkPurpose refuses keys that were not published to verify signatures.
func checkPurpose(jwk jsondoc.Value) error {
	switch kty, _ := jwk.Get("kty").Text(); kty {
	case "RSA", "EC", "OKP":
	case "oct":
		return errors.New("a symmetric key (kty oct), which must never be published")
	default:
		return fmt.Errorf("the key type %.64q is not supported", kty)
	}
	for _, member := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} {
		if present(jwk, member) {
			return errors.New("a private key, which is now public: replace it")
		}
	}
	if present(jwk, "use") {
		if value, _ := jwk.Get("use").Text(); value != "sig" {
			return fmt.Errorf("use is %.64q, want sig (RFC 7517, section 4.2)", value)
		}
	}
	if present(jwk, "key_ops") {
		for op := range jwk.Get("key_ops").Elements() {
			if value, _ := op.Text(); value == "verify" {
				return nil
			}
		}
		return errors.New("key_ops lack verify (RFC 7517, section 4.3)")
	}
	return nil
}

// publicKey reads the numbers of a key (RFC 7518, section 6; RFC 8037), which [Key.check] checks. It
// ignores certificates (x5c), which add no trust here.
func publicKey(jwk jsondoc.Value) (crypto.PublicKey, error) {
	kty, _ := jwk.Get("kty").Text()
	crv, _ := jwk.Get("crv").Text()
	curve := map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()}[crv]
	switch {
	case kty == "RSA":
		numbers, err := octets(jwk, "n", "e")
		if err != nil {
			return nil, err
		}
		exponent := new(big.Int).SetBytes(numbers[1])
		if exponent.BitLen() > 31 {
			return nil, fmt.Errorf("an RSA key with a public exponent above %d", maxRSAExponent)
		}
		return &rsa.PublicKey{N: new(big.Int).SetBytes(numbers[0]), E: int(exponent.Int64())}, nil
	case kty == "OKP" && crv == "Ed25519":
		numbers, err := octets(jwk, "x")
		if err != nil {
			return nil, err
		}
		return ed25519.PublicKey(numbers[0]), nil
	case kty == "EC" && curve != nil:
		numbers, err := octets(jwk, "x", "y")
		if err != nil {
			return nil, err
		}
		x, y := numbers[0], numbers[1]
		if size := (curve.Params().BitSize + 7) / 8; len(x) != size || len(y) != size {
			return nil, fmt.Errorf("coordinates of %d and %d bytes where %s has %d (RFC 7518, section 6.2.1.2)", len(x), len(y), crv, size)
		}
		public, err := ecdsa.ParseUncompressedPublicKey(curve, slices.Concat([]byte{4}, x, y))
		if err != nil {
			return nil, errors.New("an EC key whose point is not on its curve")
		}
		return public, nil
	}
	return nil, fmt.Errorf("the curve %.64q is not supported", crv)
}

// octets reads members that hold base64url without padding.
func octets(jwk jsondoc.Value, names ...string) (values [][]byte, err error) {
	for _, name := range names {
		text, _ := jwk.Get(name).Text()
		value, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil || len(value) == 0 {
			return nil, fmt.Errorf("member %q is not a number in base64url", name)
		}
		values = append(values, value)
	}
	return values, nil
}
