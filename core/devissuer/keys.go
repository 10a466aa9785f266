package devissuer

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"sync"

	"github.com/more-retail/moresso-go/core/keys"
)

// keyring holds every key that the issuer ever had. Its mutex is held while a key is generated, since
// every caller needs that key.
type keyring struct {
	algorithm string

	mu       sync.Mutex
	all      []*key // oldest first, retired ones included
	signing  *key   // nil until first needed, since RSA keys take long to generate
	override string // published instead of the keys, unless empty
}

// A key is immutable except for published, which the keyring's mutex guards.
type key struct {
	id        string // RFC 7638 thumbprint, so that a stored key keeps its id
	algorithm string
	private   crypto.Signer
	jwk       string // the public half as it is published
	published bool
}

// algorithms are those that keys are generated for (RFC 7518, section 3.1; RFC 8037).
var algorithms = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

// newKey generates the kind of key that an algorithm signs with.
func newKey(algorithm string) (crypto.Signer, error) {
	switch algorithm {
	case "ES256":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "ES384":
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "ES512":
		return ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case "EdDSA":
		_, private, err := ed25519.GenerateKey(rand.Reader)
		return private, err
	default:
		return rsa.GenerateKey(rand.Reader, 2048)
	}
}

// naturalAlgorithm returns the algorithm that a key is for by default.
func naturalAlgorithm(private crypto.Signer) string {
	switch k := private.(type) {
	case *rsa.PrivateKey:
		return "RS256"
	case *ecdsa.PrivateKey:
		return map[elliptic.Curve]string{elliptic.P256(): "ES256", elliptic.P384(): "ES384", elliptic.P521(): "ES512"}[k.Curve]
	case ed25519.PrivateKey:
		return "EdDSA"
	}
	return ""
}

// fits reports whether the key is of the kind that the algorithm signs with.
func fits(algorithm string, private crypto.Signer) bool {
	natural := naturalAlgorithm(private)
	return natural == algorithm || natural == "RS256" && slices.Contains(algorithms[:6], algorithm)
}

func (r *keyring) configure(c *config) error {
	r.algorithm = c.algorithm
	var errs []error
	if r.algorithm != "" && !slices.Contains(algorithms, r.algorithm) {
		errs = append(errs, fmt.Errorf("WithAlgorithm(%q): write RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512 or EdDSA", r.algorithm))
	}
	if c.keyPEM != nil {
		errs = append(errs, r.restore(c.keyPEM))
	}
	if r.algorithm == "" {
		r.algorithm = "RS256"
	}
	return errors.Join(errs...)
}

// restore adds the keys of a text. The last of them signs.
func (r *keyring) restore(text []byte) error {
	private, err := parsePKCS8(text)
	if err != nil {
		return fmt.Errorf("WithKeyPEM: %w", err)
	}
	source := "WithAlgorithm says"
	if r.algorithm == "" {
		source, r.algorithm = "its last key is for", naturalAlgorithm(private[len(private)-1])
	}
	if !slices.Contains(algorithms, r.algorithm) {
		return nil // configure has reported it
	}
	for _, k := range private {
		if !fits(r.algorithm, k) {
			return fmt.Errorf("WithKeyPEM holds a key for %s, %s %s; leave one of them out", naturalAlgorithm(k), source, r.algorithm)
		}
		r.signing = r.wrap(k)
		r.all = append(r.all, r.signing)
	}
	return nil
}

// parsePKCS8 reads one or several blocks. Text between them is ignored (RFC 7468, section 2).
func parsePKCS8(text []byte) ([]crypto.Signer, error) {
	var list []crypto.Signer
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			break
		}
		text = rest
		if block.Type != "PRIVATE KEY" {
			return nil, fmt.Errorf(`got a %q block, want "PRIVATE KEY"; convert with: openssl pkcs8 -topk8 -nocrypt`, block.Type)
		}
		parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return nil, err
		}
		private, ok := parsed.(crypto.Signer)
		if !ok || naturalAlgorithm(private) == "" {
			return nil, fmt.Errorf("no algorithm of WithAlgorithm signs with a key of type %T", parsed)
		}
		list = append(list, private)
	}
	if len(list) == 0 {
		return nil, errors.New(`no PEM block; PKCS #8 begins with "-----BEGIN PRIVATE KEY-----"`)
	}
	return list, nil
}

// generate makes a key that is not on the ring. It cannot fail: configure has checked the algorithm, and
// package rand never fails.
func (r *keyring) generate() *key {
	private, err := newKey(r.algorithm)
	if err != nil {
		panic(fmt.Sprintf("devissuer: cannot generate a key for %s: %v", r.algorithm, err))
	}
	return r.wrap(private)
}

func (r *keyring) wrap(private crypto.Signer) *key {
	k := &key{
		id:        keys.Key{Public: private.Public()}.Thumbprint(),
		algorithm: r.algorithm,
		private:   private,
		published: true,
	}
	members := publicMembers(private.Public())
	members["alg"], members["use"], members["kid"] = r.algorithm, "sig", k.id
	k.jwk = mustEncode(members)
	return k
}

// publicMembers returns the members of a JWK that are the key itself (RFC 7518, section 6; RFC 8037,
// section 2).
func publicMembers(public crypto.PublicKey) map[string]string {
	switch k := public.(type) {
	case *rsa.PublicKey:
		e := big.NewInt(int64(k.E)).Bytes()
		return map[string]string{"kty": "RSA", "n": base64url(string(k.N.Bytes())), "e": base64url(string(e))}
	case *ecdsa.PublicKey:
		point, err := k.Bytes() // 4, then both coordinates in full length
		if err != nil {
			panic("devissuer: " + err.Error()) // configure rejects such a key
		}
		half := 1 + len(point)/2
		return map[string]string{"kty": "EC", "crv": k.Params().Name, "x": base64url(string(point[1:half])), "y": base64url(string(point[half:]))}
	case ed25519.PublicKey:
		return map[string]string{"kty": "OKP", "crv": "Ed25519", "x": base64url(string(k))}
	}
	panic(fmt.Sprintf("devissuer: no JWK for a %T", public)) // configure rejects such a key
}

// current returns the signing key, generating the first one. Callers hold r.mu.
func (r *keyring) current() *key {
	if r.signing == nil {
		r.signing = r.generate()
		r.all = append(r.all, r.signing)
	}
	return r.signing
}

// signingKey returns the key that signs now.
func (i *Issuer) signingKey() *key {
	i.keys.mu.Lock()
	defer i.keys.mu.Unlock()
	return i.keys.current()
}

// KeyID returns the id of the signing key: its RFC 7638 thumbprint. The first method that needs a key
// generates one, which takes a while for RSA.
func (i *Issuer) KeyID() string { return i.signingKey().id }

// Algorithm returns the signature algorithm of the issuer's keys, such as "RS256".
func (i *Issuer) Algorithm() string { return i.keys.algorithm }

// KeyIDs returns the ids of the published keys, oldest first.
func (i *Issuer) KeyIDs() []string {
	i.keys.mu.Lock()
	defer i.keys.mu.Unlock()
	i.keys.current()
	ids := []string{}
	for _, k := range i.keys.all {
		if k.published {
			ids = append(ids, k.id)
		}
	}
	return ids
}

// Rotate makes a new key, which signs from now on, and returns its id. The old keys stay published, so
// that earlier tokens stay valid.
func (i *Issuer) Rotate() string { return i.addKey(true) }

// Publish adds a new key to the published set and returns its id. It does not sign before [Issuer.Use].
// Providers publish a key ahead of a rotation, so that caches have it before the first token needs it.
func (i *Issuer) Publish() string { return i.addKey(false) }

func (i *Issuer) addKey(use bool) string {
	i.keys.mu.Lock()
	defer i.keys.mu.Unlock()
	i.keys.current()
	k := i.keys.generate()
	i.keys.all = append(i.keys.all, k)
	if use {
		i.keys.signing = k
	}
	return k.id
}

// Use makes the key named kid sign from now on. It does not publish a retired key again. Use panics if
// the issuer never had the key.
func (i *Issuer) Use(kid string) {
	i.keys.mu.Lock()
	defer i.keys.mu.Unlock()
	i.keys.signing = i.keys.named("Use", kid)
}

// Retire removes keys from the published set: those named, or all except the signing key if none is
// named. It panics if the issuer never had one of them. The signing key may be retired, to show that its
// tokens are rejected.
func (i *Issuer) Retire(kids ...string) {
	i.keys.mu.Lock()
	defer i.keys.mu.Unlock()
	for _, kid := range kids {
		i.keys.named("Retire", kid).published = false
	}
	for _, k := range i.keys.all {
		if len(kids) == 0 && k != i.keys.signing {
			k.published = false
		}
	}
}

// named returns the key with an id. It panics with the caller's method name if the key does not exist.
// Callers hold r.mu.
func (r *keyring) named(method, kid string) *key {
	r.current()
	for _, k := range r.all {
		if k.id == kid {
			return k
		}
	}
	panic(fmt.Sprintf("devissuer: %s(%q): the issuer has no such key", method, kid))
}

// SetJWKS publishes a text instead of the key set, until it is called with "". The text is not checked.
func (i *Issuer) SetJWKS(text string) {
	i.keys.mu.Lock()
	defer i.keys.mu.Unlock()
	i.keys.override = text
}

// JWKS returns the key set as the issuer serves it now (RFC 7517, section 5). Each key has kid, alg and
// "use":"sig", unless [Issuer.SetJWKS] has replaced the set.
func (i *Issuer) JWKS() []byte {
	i.keys.mu.Lock()
	defer i.keys.mu.Unlock()
	if i.keys.override != "" {
		return []byte(i.keys.override)
	}
	i.keys.current()
	var entries []string
	for _, k := range i.keys.all {
		if k.published {
			entries = append(entries, k.jwk)
		}
	}
	return []byte(`{"keys":[` + strings.Join(entries, ",") + `]}`)
}

// PublicPEM returns the public half of the signing key as a "PUBLIC KEY" block (SubjectPublicKeyInfo,
// RFC 5280, section 4.1).
func (i *Issuer) PublicPEM() []byte {
	der, err := x509.MarshalPKIXPublicKey(i.signingKey().private.Public())
	return encodePEM("PUBLIC KEY", der, err)
}

// PrivateKeyPEM returns every published key as a PKCS #8 "PRIVATE KEY" block for [WithKeyPEM], oldest
// first, and the signing key last. With these keys, tokens from before a rotation stay valid after a
// restart. A process that can read them can sign as this issuer.
func (i *Issuer) PrivateKeyPEM() []byte {
	i.keys.mu.Lock()
	defer i.keys.mu.Unlock()
	current := i.keys.current()
	var text []byte
	for _, k := range i.keys.all {
		if k.published && k != current {
			text = append(text, k.privatePEM()...)
		}
	}
	return append(text, current.privatePEM()...)
}

func (k *key) privatePEM() []byte {
	der, err := x509.MarshalPKCS8PrivateKey(k.private)
	return encodePEM("PRIVATE KEY", der, err)
}

func encodePEM(kind string, der []byte, err error) []byte {
	if err != nil {
		panic("devissuer: " + err.Error()) // configure rejects such a key
	}
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// unknownKeys are the keys that no issuer publishes, by algorithm.
var unknownKeys = struct {
	mu   sync.Mutex
	keys map[string]*key
}{keys: map[string]*key{}}

func unknownKey(algorithm string) *key {
	unknownKeys.mu.Lock()
	defer unknownKeys.mu.Unlock()
	k := unknownKeys.keys[algorithm]
	if k == nil {
		k = (&keyring{algorithm: algorithm}).generate()
		unknownKeys.keys[algorithm] = k
	}
	return k
}
