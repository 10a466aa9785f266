package adaptertest

import (
	"bytes"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"sync"

	"github.com/golang-jwt/jwt/v5"

	"github.com/more-retail/moresso-go/core/devissuer"
)

// This file makes tokens that the options of devissuer do not cover, from the parts of valid tokens.

// parts are the segments of a compact token, decoded.
type parts struct{ header, payload, signature []byte }

func split(token string) parts {
	segments := strings.Split(token, ".")
	return parts{decoded(segments[0]), decoded(segments[1]), decoded(segments[2])}
}

func encoded(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func decoded(s string) []byte {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		panic("adaptertest: " + err.Error()) // devissuer made the token
	}
	return b
}

func (p parts) String() string {
	return encoded(p.header) + "." + encoded(p.payload) + "." + encoded(p.signature)
}

// withSignature is a valid token with its signature changed.
func withSignature(change func(signature []byte) []byte, opts ...devissuer.TokenOption) func(*devissuer.Issuer) string {
	return func(i *devissuer.Issuer) string {
		p := split(i.MustToken(opts...))
		p.signature = change(p.signature)
		return p.String()
	}
}

// rawPayload is a correctly signed token whose payload is a changed text.
func rawPayload(change func(text string) string) func(*devissuer.Issuer) string {
	return func(i *devissuer.Issuer) string {
		p := split(i.MustToken())
		return seal(i, encoded(p.header), encoded([]byte(change(string(p.payload)))))
	}
}

// rawHeader is a correctly signed token whose header is a changed text.
func rawHeader(change func(text string) string) func(*devissuer.Issuer) string {
	return func(i *devissuer.Issuer) string {
		p := split(i.MustToken())
		return seal(i, encoded([]byte(change(string(p.header)))), encoded(p.payload))
	}
}

// constant returns a change to a text.
func constant(text string) func(string) string { return func(string) string { return text } }

// unsigned is a token that names an algorithm and has no signature (RFC 7519, section 6).
func unsigned(algorithm string) func(*devissuer.Issuer) string {
	return withSignature(func([]byte) []byte { return nil }, devissuer.Header("alg", algorithm))
}

// tampered is a token to which a claim was added after it had been signed.
func tampered(i *devissuer.Issuer) string {
	p := split(i.MustToken())
	p.payload = []byte(after(`"tampered":true`)(string(p.payload)))
	return p.String()
}

// before adds members at the beginning of an object, after at its end.
func before(members string) func(string) string {
	return func(object string) string { return "{" + members + "," + object[1:] }
}

func after(members string) func(string) string {
	return func(object string) string { return object[:len(object)-1] + "," + members + "}" }
}

// respelled is a token whose segments are encoded in another way, and signed as they are encoded.
func respelled(header, payload func(string) string) func(*devissuer.Issuer) string {
	return func(i *devissuer.Issuer) string {
		p := split(i.MustToken())
		return seal(i, header(encoded(p.header)), payload(encoded(p.payload)))
	}
}

func same(s string) string { return s }

// seal signs two segments with the issuer's key.
func seal(i *devissuer.Issuer, header, payload string) string {
	input := header + "." + payload
	signature, err := jwt.GetSigningMethod(i.Algorithm()).Sign(input, private(i))
	if err != nil {
		panic("adaptertest: " + err.Error()) // the key fits the algorithm
	}
	return input + "." + encoded(signature)
}

// private returns the signing key, which is the last one of the PEM.
func private(i *devissuer.Issuer) any {
	block, rest := pem.Decode(i.PrivateKeyPEM())
	for len(rest) > 0 {
		block, rest = pem.Decode(rest)
	}
	private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		panic("adaptertest: " + err.Error())
	}
	return private
}

// rsaKey returns the signing key of an issuer for RS256.
func rsaKey(i *devissuer.Issuer) *rsa.PrivateKey {
	private, ok := private(i).(*rsa.PrivateKey)
	if !ok {
		panic(fmt.Sprintf("adaptertest: this attack is for RS256, and the issuer uses %s", i.Algorithm()))
	}
	return private
}

// publicDER is the public key as SubjectPublicKeyInfo.
func publicDER(i *devissuer.Issuer) []byte {
	block, _ := pem.Decode(i.PublicPEM())
	return block.Bytes
}

// published returns the first key of the published set.
func published(i *devissuer.Issuer) []byte {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(i.JWKS(), &set); err != nil || len(set.Keys) == 0 {
		panic(fmt.Sprintf("adaptertest: the issuer publishes no keys: %v", err))
	}
	return set.Keys[0]
}

// audience returns the first audience of the issuer's tokens.
func audience(i *devissuer.Issuer) string { return i.Audience()[0] }

// otherKey returns the id of a published key other than the signing key.
func otherKey(i *devissuer.Issuer) string {
	for _, id := range i.KeyIDs() {
		if id != i.KeyID() {
			return id
		}
	}
	return i.Publish()
}

const attackerURL = "https://attacker.example"

// attacker is a provider that no service trusts.
func attacker(algorithm string) *devissuer.Issuer { return cachedIssuer(attackerURL, algorithm) }

// cachedIssuer returns an issuer that is made once, since keys take long to generate.
func cachedIssuer(url, algorithm string) *devissuer.Issuer {
	issuers.Lock()
	defer issuers.Unlock()
	key := algorithm + " " + url
	if issuers.made[key] == nil {
		i, err := devissuer.New(devissuer.WithAlgorithm(algorithm), devissuer.WithIssuer(url))
		if err != nil {
			panic("adaptertest: " + err.Error()) // algorithm and url are valid
		}
		issuers.made[key] = i
	}
	return issuers.made[key]
}

var issuers = struct {
	sync.Mutex
	made map[string]*devissuer.Issuer
}{made: map[string]*devissuer.Issuer{}}

// forged is a token that claims to be this issuer's, signed with the attacker's key.
func forged(i *devissuer.Issuer, opts ...devissuer.TokenOption) string {
	opts = append([]devissuer.TokenOption{devissuer.IssuedBy(i.URL()), devissuer.Audience(audience(i)), devissuer.Header("kid", i.KeyID())}, opts...)
	return attacker(i.Algorithm()).MustToken(opts...)
}

// embedded adds the attacker's key as the header parameter jwk (RFC 7515, section 4.1.3).
func embedded(i *devissuer.Issuer) devissuer.TokenOption {
	return devissuer.Header("jwk", json.RawMessage(published(attacker(i.Algorithm()))))
}

// hmacToken is signed with a secret that is public.
func hmacToken(algorithm string, hash crypto.Hash, secret func(*devissuer.Issuer) []byte, opts ...devissuer.TokenOption) func(*devissuer.Issuer) string {
	return func(i *devissuer.Issuer) string {
		token := i.MustToken(append([]devissuer.TokenOption{devissuer.Header("alg", algorithm)}, opts...)...)
		input := token[:strings.LastIndexByte(token, '.')]
		mac := hmac.New(hash.New, secret(i))
		mac.Write([]byte(input))
		return input + "." + encoded(mac.Sum(nil))
	}
}

// signedAs is signed with an algorithm, and names one, that the RSA key is not published for.
func signedAs(algorithm, header string) func(*devissuer.Issuer) string {
	return rsaSigned(func(private *rsa.PrivateKey, input string) ([]byte, error) {
		return jwt.GetSigningMethod(algorithm).Sign(input, private)
	}, devissuer.Header("alg", header))
}

// rsaSigned has any header and any RSA signature.
func rsaSigned(sign func(private *rsa.PrivateKey, input string) ([]byte, error), opts ...devissuer.TokenOption) func(*devissuer.Issuer) string {
	return func(i *devissuer.Issuer) string {
		token := i.MustToken(opts...)
		input := token[:strings.LastIndexByte(token, '.')]
		signature, err := sign(rsaKey(i), input)
		if err != nil {
			panic("adaptertest: " + err.Error())
		}
		return input + "." + encoded(signature)
	}
}

func signSHA1(private *rsa.PrivateKey, input string) ([]byte, error) {
	digest := sha1.Sum([]byte(input))
	return rsa.SignPKCS1v15(nil, private, crypto.SHA1, digest[:])
}

func signWithoutDigestInfo(private *rsa.PrivateKey, input string) ([]byte, error) {
	digest := sha256.Sum256([]byte(input))
	return rsa.SignPKCS1v15(nil, private, 0, digest[:])
}

func signOtherSalt(private *rsa.PrivateKey, input string) ([]byte, error) {
	digest := sha256.Sum256([]byte(input))
	return rsa.SignPSS(rand.Reader, private, crypto.SHA256, digest[:], &rsa.PSSOptions{SaltLength: 20})
}

// certificate is a self-signed certificate of the attacker's key, as in x5c.
func certificate(i *devissuer.Issuer) string {
	signer := private(attacker(i.Algorithm())).(crypto.Signer) //nolint:errcheck // every private key is one
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "issuer.example"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, signer.Public(), signer)
	if err != nil {
		panic("adaptertest: " + err.Error())
	}
	return base64.StdEncoding.EncodeToString(der)
}

// encrypted is a JWE (RFC 7516) for the issuer's public key, with an unsigned token in it.
func encrypted(i *devissuer.Issuer) string {
	header := encoded([]byte(`{"alg":"RSA-OAEP-256","enc":"A256GCM","cty":"JWT","kid":"` + i.KeyID() + `"}`))
	secret, nonce := make([]byte, 32), make([]byte, 12)
	_, _ = rand.Read(secret)
	wrapped, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, &rsaKey(i).PublicKey, secret, nil)
	if err != nil {
		panic("adaptertest: " + err.Error())
	}
	block, _ := aes.NewCipher(secret)
	gcm, _ := cipher.NewGCM(block)
	sealed := gcm.Seal(nil, nonce, []byte(unsigned("none")(i)), []byte(header))
	text, tag := sealed[:len(sealed)-gcm.Overhead()], sealed[len(sealed)-gcm.Overhead():]
	return strings.Join([]string{header, encoded(wrapped), encoded(nonce), encoded(text), encoded(tag)}, ".")
}

// asDER encodes r‖s in ASN.1 (RFC 3279, section 2.2.3).
func asDER(signature []byte) []byte {
	number := func(b []byte) []byte {
		b = new(big.Int).SetBytes(b).Bytes()
		if len(b) == 0 || b[0] >= 0x80 {
			b = append([]byte{0}, b...)
		}
		return append([]byte{2, byte(len(b))}, b...)
	}
	body := append(number(signature[:len(signature)/2]), number(signature[len(signature)/2:])...)
	return append([]byte{0x30, byte(len(body))}, body...)
}

// orderP256 and orderEd25519 are the orders of the groups.
var (
	orderP256, _    = new(big.Int).SetString("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 16)
	orderEd25519, _ = new(big.Int).SetString("1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed", 16)
)

// unreduced adds the order to S, which is the same signature in other bytes (RFC 8032, section 8.4).
func unreduced(signature []byte) []byte {
	s := slices.Clone(signature[32:])
	slices.Reverse(s)
	sum := new(big.Int).Add(new(big.Int).SetBytes(s), orderEd25519).FillBytes(make([]byte, 32))
	slices.Reverse(sum)
	return append(slices.Clone(signature[:32]), sum...)
}

// strayBits sets an unused bit of the last character; a segment without unused bits stays as it is.
func strayBits(segment string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	if len(segment)%4 == 0 {
		return segment
	}
	last := len(segment) - 1
	return segment[:last] + string(alphabet[strings.IndexByte(alphabet, segment[last])|1])
}

// padded adds the padding of base64.
func padded(segment string) string { return segment + strings.Repeat("=", (4-len(segment)%4)%4) }

var standardAlphabet = strings.NewReplacer("-", "+", "_", "/")

// utf16 encodes a text in UTF-16.
func utf16(text string) string {
	var b bytes.Buffer
	for _, c := range text {
		_ = binary.Write(&b, binary.BigEndian, uint16(c))
	}
	return b.String()
}

// nested is an array in an array, depth times.
func nested(depth int) json.RawMessage {
	return json.RawMessage(strings.Repeat("[", depth) + strings.Repeat("]", depth))
}

// general is the JSON serialisation of a compact token (RFC 7515, section 7.2.1).
func general(token string) string {
	s := strings.Split(token, ".")
	return fmt.Sprintf(`{"payload":%q,"signatures":[{"protected":%q,"signature":%q}]}`, s[1], s[0], s[2])
}

// flattened is the flattened JSON serialisation (RFC 7515, section 7.2.2).
func flattened(token string) string {
	s := strings.Split(token, ".")
	return fmt.Sprintf(`{"payload":%q,"protected":%q,"signature":%q}`, s[1], s[0], s[2])
}
