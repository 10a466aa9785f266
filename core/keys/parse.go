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
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/more-retail/moresso-go/core/internal/jsondoc"
)

// maxKeyIDBytes bounds a key id, here and in tokens.
const maxKeyIDBytes = 256

func looksLikePEM(text []byte) bool {
	text = bytes.TrimSpace(text)
	return len(text) > 0 && text[0] != '{' && text[0] != '[' && bytes.Contains(text, []byte("-----BEGIN"))
}

// undecodable is the reason for a block that package pem passes over.
const undecodable = "a PEM block that cannot be decoded: is it whole, with its line breaks?"

// parsePEM reads PEM text block by block. A block that cannot be used is skipped, unless it is a
// private key.
func parsePEM(text []byte) (*Set, error) {
	text = bytes.ReplaceAll(text, []byte(byteOrderMark), nil) // joined files may have several
	if !bytes.Contains(bytes.TrimSpace(text), []byte("\n")) {
		text = bytes.ReplaceAll(text, []byte(`\n`), []byte("\n"))
	}
	begins := bytes.Count(text, []byte("-----BEGIN"))
	switch {
	case begins == 0:
		return nil, errors.New("not PEM text: no -----BEGIN line")
	case bytes.Contains(text, []byte("PRIVATE KEY-----")): // also in a block that cannot be decoded
		return nil, errors.New("a PRIVATE KEY instead of a public key: configure the public half, and replace this key, which the configuration exposes")
	}
	var keys []Key
	var skipped []Skipped
	for rest := text; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		begins--
		if key, err := parseBlock(block); err != nil {
			skipped = append(skipped, Skipped{"", err.Error()})
		} else {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 && begins > 0 { // perhaps cut short, which does not say that there is no key
		return nil, errors.New(undecodable)
	}
	for range begins { // pem.Decode passes over them
		skipped = append(skipped, Skipped{"", undecodable})
	}
	return newSet(keys, skipped)
}

func parseBlock(block *pem.Block) (key Key, err error) {
	switch block.Type {
	case "PUBLIC KEY":
		key.Public, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		key.Public, err = x509.ParsePKCS1PublicKey(block.Bytes)
	case "CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE": // RFC 7468, section 5.1; openssl
		key.Public, err = certified(block.Bytes)
		key.certificateEnds = notAfter(block.Bytes)
	default:
		return key, fmt.Errorf("a PEM block %.64q; PUBLIC KEY, RSA PUBLIC KEY and CERTIFICATE are read", block.Type)
	}
	if err != nil {
		return key, fmt.Errorf("a %s block that cannot be read: %w", block.Type, err)
	}
	return key, nil
}

// certificate has what is read of a certificate.
type certificate struct {
	Body struct {
		Version                                      int `asn1:"optional,explicit,tag:0"`
		Serial                                       *big.Int
		Algorithm, Issuer, Validity, Subject, Public asn1.RawValue
	}
}

// notAfter returns when a certificate expires; the zero time if that cannot be read.
func notAfter(der []byte) time.Time {
	var c certificate
	var validity struct{ NotBefore, NotAfter time.Time }
	if _, err := asn1.Unmarshal(der, &c); err != nil {
		return time.Time{}
	}
	_, _ = asn1.Unmarshal(c.Body.Validity.FullBytes, &validity)
	return validity.NotAfter
}

// certified returns the public key of a certificate (RFC 5280, section 4.1). The rest of it is not
// read: it adds no trust here, and package x509 refuses some certificates that providers publish, such
// as those with a negative serial number.
func certified(der []byte) (crypto.PublicKey, error) {
	var certificate certificate
	if _, err := asn1.Unmarshal(der, &certificate); err != nil {
		return nil, err
	}
	return x509.ParsePKIXPublicKey(certificate.Body.Public.FullBytes)
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
		case bytes.HasPrefix(text, []byte("\xff\xfe")), bytes.HasPrefix(text, []byte("\xfe\xff")):
			err = errors.New("UTF-16 text; want UTF-8")
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
		return certificates(document)
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

// certificates reads an object of key ids and certificates, as Google publishes it beside its JWK Set.
func certificates(document map[string]jsontext.Value) (*Set, error) {
	var (
		usable  []Key
		skipped []Skipped
	)
	if err := checkCount(len(document)); err != nil {
		return nil, err
	}
	for _, id := range slices.Sorted(maps.Keys(document)) {
		text, _ := textOf(document[id])
		if !looksLikePEM([]byte(text)) {
			return nil, errors.New(`not a JWK Set: no array "keys"`)
		}
		if err := checkID(id); err != nil {
			skipped = append(skipped, Skipped{"", err.Error()})
			continue
		}
		set, err := parsePEM([]byte(text))
		if err != nil {
			skipped = append(skipped, Skipped{id, err.Error()})
			continue
		}
		for _, key := range set.Keys {
			key.ID = id
			usable = append(usable, key)
		}
		for _, left := range set.Skipped {
			skipped = append(skipped, Skipped{id, left.Reason})
		}
	}
	if len(usable)+len(skipped) == 0 {
		return nil, errors.New(`not a JWK Set: no array "keys"`)
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
	if err := checkID(key.ID); err != nil {
		return Key{}, err
	}
	if key.Algorithm, err = optionalText(jwk, "alg"); err != nil {
		return key, err
	}
	if err := checkPurpose(jwk); err != nil {
		return key, err
	}
	key.x5t, key.x5tS256 = thumbprint(jwk.Get("x5t")), thumbprint(jwk.Get("x5t#S256"))
	if der, err := firstOf(jwk.Get("x5c")); err == nil {
		key.certificateEnds = notAfter(der)
	}
	key.Public, err = publicKey(jwk)
	return key, err
}

func checkID(id string) error {
	if len(id) > maxKeyIDBytes {
		return fmt.Errorf("a key id of %d bytes; at most %d are accepted", len(id), maxKeyIDBytes)
	}
	return nil
}

// thumbprint reads an x5t or x5t#S256 (RFC 7517, sections 4.8 and 4.9).
func thumbprint(member jsondoc.Value) string {
	text, _ := member.Text()
	return base64URL(text)
}

// base64URL returns base64 text in the URL alphabet and without padding (RFC 4648, section 5). Some
// providers publish the standard alphabet, or padding.
func base64URL(text string) string {
	return strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimRight(text, "="))
}

// present reports whether an object has a member. Some serializers write null, an empty text or an empty
// array for a missing one.
func present(jwk jsondoc.Value, name string) bool {
	member := jwk.Get(name)
	text, isText := member.Text()
	return member.Kind() > jsondoc.Null && (!isText || text != "") && (member.Kind() != jsondoc.Array || member.Len() > 0)
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
	switch kty, _ := jwk.Get("kty").Text(); {
	case kty == "RSA", kty == "EC", kty == "OKP":
	case kty == "oct":
		return errors.New("a symmetric key (kty oct), which must never be published")
	case present(jwk, "kty") || !present(jwk, "x5c"):
		return fmt.Errorf("the key type %.64q is not supported", kty)
	}
	for _, member := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} {
		if jwk.Get(member).Kind() > jsondoc.Null {
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
// reads a certificate (x5c) only in place of the numbers: it adds no trust.
func publicKey(jwk jsondoc.Value) (crypto.PublicKey, error) {
	kty, _ := jwk.Get("kty").Text()
	crv, _ := jwk.Get("crv").Text()
	curve := map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()}[crv]
	switch {
	case present(jwk, "x5c") && !present(jwk, "n") && !present(jwk, "x"):
		return ofChain(jwk.Get("x5c"), kty, crv)
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
		point := []byte{4}
		for _, number := range numbers { // leading zeros may be missing (RFC 7518, section 6.2.1.2, requires them)
			coordinate := new(big.Int).SetBytes(number)
			size := (curve.Params().BitSize + 7) / 8
			if coordinate.BitLen() > 8*size {
				return nil, fmt.Errorf("a coordinate of %d bytes where %s has %d", len(number), crv, size)
			}
			point = append(point, coordinate.FillBytes(make([]byte, size))...)
		}
		public, err := ecdsa.ParseUncompressedPublicKey(curve, point)
		if err != nil {
			return nil, errors.New("an EC key whose point is not on its curve")
		}
		return public, nil
	}
	return nil, fmt.Errorf("the curve %.64q is not supported", crv)
}

// ofChain returns the key of the first certificate (RFC 7517, section 4.7), in standard base64. Type
// and curve may be missing, but must not contradict it.
func ofChain(chain jsondoc.Value, kty, crv string) (crypto.PublicKey, error) {
	der, err := firstOf(chain)
	if err != nil {
		return nil, errors.New("its member \"x5c\" is not an array of certificates in base64")
	}
	public, err := certified(der)
	if err != nil {
		return nil, fmt.Errorf("its certificate (x5c) cannot be read: %w", err)
	}
	kind, curve := "", ""
	switch public := public.(type) {
	case *rsa.PublicKey:
		kind = "RSA"
	case *ecdsa.PublicKey:
		kind, curve = "EC", public.Params().Name
	case ed25519.PublicKey:
		kind, curve = "OKP", "Ed25519"
	}
	if cmp.Or(kty, kind) != kind || cmp.Or(crv, curve) != curve {
		return nil, fmt.Errorf("kty %.64q and crv %.64q contradict its certificate (x5c)", kty, crv)
	}
	return public, nil
}

// firstOf returns the first certificate of a chain.
func firstOf(chain jsondoc.Value) ([]byte, error) {
	var first string
	for certificate := range chain.Elements() {
		first, _ = certificate.Text()
		break
	}
	return base64.RawURLEncoding.DecodeString(base64URL(first))
}

// octets reads members that hold numbers in base64url.
func octets(jwk jsondoc.Value, names ...string) (values [][]byte, err error) {
	for _, name := range names {
		text, _ := jwk.Get(name).Text()
		value, err := base64.RawURLEncoding.DecodeString(base64URL(text))
		if err != nil || len(value) == 0 {
			return nil, fmt.Errorf("member %q is not a number in base64url", name)
		}
		values = append(values, value)
	}
	return values, nil
}
