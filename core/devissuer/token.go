package devissuer

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/more-retail/moresso-go/core/internal/jsondoc"
)

// A TokenOption sets a claim, a header parameter or a fault of a token; see [Issuer.Token]. Options
// apply in the order given, and a later one overrides an earlier one; see the package comment.
type TokenOption func(*draft)

// Token mints a token: a signed JWT in compact form (RFC 7519; RFC 7515, section 7.1). Its defaults:
//
//	header   alg, kid (of the signing key), typ "JWT"
//	claims   iss (Issuer.URL), aud (WithAudience), sub "ada", iat (now),
//	         exp (iat plus WithLifetime), jti (random)
//
// Times are whole seconds, rounded down. Token returns an error for a token that cannot be minted: a
// value without a JSON form, an unknown key, persona or algorithm, or contradicting options.
func (i *Issuer) Token(opts ...TokenOption) (string, error) {
	d := &draft{
		issuer:   i,
		now:      i.now(),
		lifetime: i.lifetime,
		header:   object{},
		claims:   object{},
		sign:     signProperly,
	}
	d.issuedAt = d.now
	for _, opt := range opts {
		opt(d)
	}
	token, err := d.mint()
	if err != nil {
		return "", fmt.Errorf("devissuer: %w", err)
	}
	return token, nil
}

// MustToken is [Issuer.Token], and panics on an error.
func (i *Issuer) MustToken(opts ...TokenOption) string {
	token, err := i.Token(opts...)
	if err != nil {
		panic(err)
	}
	return token
}

// A draft is a token in preparation. A JWT library would refuse to make the invalid ones.
type draft struct {
	issuer   *Issuer
	now      time.Time
	issuedAt time.Time
	lifetime time.Duration
	errs     []error

	header, claims         object
	rawHeader, rawPayload  *string // instead of header, claims
	key                    *key    // if nil, the issuer's signing key
	sign                   signer
	badSignature, tampered bool
	depth                  int // of personas that include others
}

// maxPersonas bounds how deep personas include others, in case one includes itself.
const maxPersonas = 16

// A signer makes the signature over the signing input (RFC 7515, section 5.1).
type signer func(k *key, input string) ([]byte, error)

func signProperly(k *key, input string) ([]byte, error) { return k.sign(k.algorithm, input) }

func (d *draft) mint() (string, error) {
	if len(d.errs) > 0 {
		return "", errors.Join(d.errs...)
	}
	if d.key == nil {
		d.key = d.issuer.signingKey("")
	}
	d.header.fill("alg", d.key.algorithm)
	d.header.fill("typ", "JWT")
	if !d.issuer.keys.withoutKids {
		d.header.fill("kid", d.key.id)
	}
	d.claims.fill("iss", d.issuer.issuer)
	d.claims.fill("aud", audience(d.issuer.Audience()))
	d.claims.fill("sub", "ada")
	d.claims.fill("iat", d.issuedAt.Unix())
	d.claims.fill("exp", d.issuedAt.Add(d.lifetime).Unix())
	d.claims.fill("jti", rand.Text())

	header, err := d.header.text(d.rawHeader)
	if err != nil {
		return "", fmt.Errorf("header: %w", err)
	}
	payload, err := d.claims.text(d.rawPayload)
	if err != nil {
		return "", fmt.Errorf("claims: %w", err)
	}
	signature, err := d.sign(d.key, base64url(header)+"."+base64url(payload))
	if err != nil {
		return "", err
	}
	if d.badSignature {
		if len(signature) == 0 {
			return "", errors.New("BadSignature: the token has no signature")
		}
		// In the bytes, not in the text, whose last character may hold bits without a meaning.
		signature[len(signature)/2] ^= 1
	}
	if d.tampered {
		if d.rawPayload != nil {
			return "", errors.New("Tampered cannot alter a RawPayload")
		}
		d.claims["tampered"] = true
		if payload, err = d.claims.text(nil); err != nil {
			return "", err
		}
	}
	return base64url(header) + "." + base64url(payload) + "." + base64url(string(signature)), nil
}

func base64url(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// An object is a JSON object in preparation. A member that is absent has no default.
type object map[string]any

type absent struct{}

func (o object) fill(name string, value any) {
	if _, ok := o[name]; !ok {
		o[name] = value
	}
}

// text encodes the object, unless a raw text replaces it.
func (o object) text(raw *string) (string, error) {
	if raw != nil {
		return *raw, nil
	}
	present := map[string]any{}
	for name, value := range o {
		if value != (absent{}) {
			present[name] = value
		}
	}
	return encode(present)
}

// encode returns JSON without HTML escapes, as providers send it.
func encode(value any) (string, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return "", err
	}
	return strings.TrimSuffix(out.String(), "\n"), nil
}

// mustEncode encodes values that always have a JSON form.
func mustEncode(value any) string {
	text, err := encode(value)
	if err != nil {
		panic("devissuer: " + err.Error())
	}
	return text
}

// audience returns one audience as a string, and several as an array.
func audience(aud []string) any {
	if len(aud) == 1 {
		return aud[0]
	}
	return append([]string{}, aud...)
}

// Claim sets a claim to any value that package json can encode; nil is null. The name is not a path:
// a dot in it is a dot. Numbers as int64, json.Number or json.RawMessage stay exact.
func Claim(name string, value any) TokenOption { return func(d *draft) { d.claims[name] = value } }

// WithoutClaim omits a claim, even if it has a default.
func WithoutClaim(name string) TokenOption { return Claim(name, absent{}) }

// Subject sets sub. Default: "ada".
func Subject(sub string) TokenOption { return Claim("sub", sub) }

// Persona applies the options of a persona of [WithPersona]. Token returns an error if the name is
// unknown, or if the persona includes itself.
func Persona(name string) TokenOption {
	return func(d *draft) {
		known := d.issuer.personas[name]
		if known == nil {
			d.errs = append(d.errs, d.issuer.unknownPersona(name))
			return
		}
		d.depth++
		if d.depth > maxPersonas {
			d.errs = append(d.errs, fmt.Errorf("Persona(%q): the persona includes others without end", name))
			return
		}
		defer func() { d.depth-- }()
		for _, opt := range known {
			opt(d)
		}
	}
}

// IssuedBy sets iss. Default: [Issuer.URL].
func IssuedBy(iss string) TokenOption { return Claim("iss", iss) }

// Audience sets aud: a string for one audience, an array for several, an empty array for none.
// Default: that of [WithAudience].
func Audience(aud ...string) TokenOption { return Claim("aud", audience(aud)) }

// Scope sets the claim scope to the scopes, separated by spaces (RFC 8693, section 4.2).
func Scope(scopes ...string) TokenOption { return Claim("scope", strings.Join(scopes, " ")) }

// Permission sets a value within the claim permissions: Permission("pma.role", "admin") makes
// {"permissions":{"pma":{"role":"admin"}}}. Other permissions stay, but a value on the path that is
// not an object is replaced by one. A dot in the path separates names; `\.` is a dot in a name and
// `\\` a backslash. Token returns an error if a name on the path is empty.
func Permission(path string, value any) TokenOption {
	return func(d *draft) {
		names := jsondoc.SplitPath(path)
		if slices.Contains(names, "") {
			d.errs = append(d.errs, fmt.Errorf("Permission(%q): a name on the path is empty", path))
			return
		}
		d.claims["permissions"] = withValue(d.claims["permissions"], names, value)
	}
}

// withValue returns the object with the value at the path. It does not change its argument, which may
// be the caller's and of any type.
func withValue(in any, path []string, value any) any {
	if len(path) == 0 {
		return value
	}
	out := map[string]any{}
	if text, err := encode(in); err == nil {
		var members map[string]json.RawMessage // raw, so that numbers stay exact
		_ = json.Unmarshal([]byte(text), &members)
		for name, member := range members {
			out[name] = member
		}
	}
	out[path[0]] = withValue(out[path[0]], path[1:], value)
	return out
}

// IssuedAt sets iat, and exp relative to it. Default: now.
func IssuedAt(t time.Time) TokenOption {
	return func(d *draft) { d.issuedAt = t; delete(d.claims, "iat") }
}

// ValidFor sets exp to this long after iat; negative is before it. Default: that of [WithLifetime].
func ValidFor(lifetime time.Duration) TokenOption {
	return func(d *draft) { d.lifetime = lifetime; delete(d.claims, "exp") }
}

// ExpiresAt sets exp, independently of iat. Default: iat plus [ValidFor].
func ExpiresAt(t time.Time) TokenOption { return Claim("exp", t.Unix()) }

// NotBefore sets nbf (RFC 7519, section 4.1.5). Default: no nbf.
func NotBefore(t time.Time) TokenOption { return Claim("nbf", t.Unix()) }

// Header sets a header parameter (RFC 7515, section 4). It does not change how the token is signed:
// Header("alg", …) makes a header that is wrong.
func Header(name string, value any) TokenOption { return func(d *draft) { d.header[name] = value } }

// WithoutHeader omits a header parameter, even if it has a default.
func WithoutHeader(name string) TokenOption { return Header(name, absent{}) }

// Type sets the header's typ, such as "at+jwt" (RFC 9068, section 2.1). Default: "JWT".
func Type(typ string) TokenOption { return Header("typ", typ) }

// SignedBy signs with the key of this id, even if it is not in use yet or was retired. Token returns
// an error if the issuer never had the key. Default: the key of [Issuer.KeyID].
func SignedBy(kid string) TokenOption {
	return func(d *draft) {
		if d.key = d.issuer.signingKey(kid); d.key == nil || kid == "" {
			d.errs = append(d.errs, fmt.Errorf("SignedBy(%q): the issuer has no such key", kid))
		}
	}
}

// Algorithm signs with another algorithm than the key is published for, and sets alg to it: one of the
// RS and PS family for an RSA key. Token returns an error for other keys.
func Algorithm(alg string) TokenOption {
	return func(d *draft) {
		d.header["alg"] = alg
		d.sign = func(k *key, input string) ([]byte, error) { return k.sign(alg, input) }
	}
}

// The faults follow: each makes a token with one thing wrong. All except NoKeyID make a token that no
// verifier may accept.

// Expired makes a token that expired an hour ago, after its usual lifetime: that of [WithLifetime], or
// of a [ValidFor] before it.
func Expired() TokenOption {
	return func(d *draft) {
		expiry := d.now.Add(-time.Hour)
		IssuedAt(expiry.Add(-d.lifetime))(d)
		ExpiresAt(expiry)(d)
	}
}

// NotYetValid makes a token that becomes valid in an hour, for its usual lifetime.
func NotYetValid() TokenOption {
	return func(d *draft) {
		start := d.now.Add(time.Hour)
		NotBefore(start)(d)
		ExpiresAt(start.Add(d.lifetime))(d)
	}
}

// WrongAudience makes a token for another audience.
func WrongAudience() TokenOption { return Audience("somebody-else") }

// WrongIssuer makes a token with another iss.
func WrongIssuer() TokenOption { return IssuedBy("https://impostor.example") }

// WithoutExpiry makes a token without exp.
func WithoutExpiry() TokenOption { return WithoutClaim("exp") }

// NoKeyID makes a token without kid. It is valid if the verifier can find the key in another way, for
// instance because there is only one.
func NoKeyID() TokenOption { return WithoutHeader("kid") }

// BadSignature flips a bit of the signature. The token stays well-formed.
func BadSignature() TokenOption { return func(d *draft) { d.badSignature = true } }

// Tampered adds the claim "tampered" after the token has been signed.
func Tampered() TokenOption { return func(d *draft) { d.tampered = true } }

// UnknownKey signs with a key that no issuer publishes, and sets kid to its id (unless
// [WithoutKeyIDs]). There is one such key per process and algorithm.
func UnknownKey() TokenOption {
	return func(d *draft) { d.key = unknownKey(d.issuer.keys.algorithm) }
}

// EmbeddedKey signs like [UnknownKey] and adds the public half as the header parameter jwk (RFC 7515,
// section 4.1.3), for verifiers that trust a key that the token brings. Combine it with Header("kid",
// issuer.KeyID()) or [NoKeyID].
func EmbeddedKey() TokenOption {
	return func(d *draft) {
		UnknownKey()(d)
		d.header["jwk"] = json.RawMessage(d.key.jwk)
	}
}

// AlgNone makes an unsecured token (RFC 7519, section 6): alg is "none" and the signature is empty.
// Its kid is that of a valid token. Another spelling, such as "nOnE", is for verifiers that compare
// the name in the wrong way.
func AlgNone(spelling ...string) TokenOption {
	return func(d *draft) {
		d.header["alg"] = append(slices.Clone(spelling), "none")[0]
		d.sign = func(*key, string) ([]byte, error) { return nil, nil }
	}
}

// HMACWithPublicKey is the attack of algorithm confusion (RFC 8725, section 2.1): alg is HS256, and
// the secret is the text of [Issuer.PublicPEM], which is public.
func HMACWithPublicKey() TokenOption {
	return func(d *draft) {
		d.header["alg"] = "HS256"
		d.sign = func(k *key, input string) ([]byte, error) {
			mac := hmac.New(sha256.New, k.publicPEM())
			mac.Write([]byte(input))
			return mac.Sum(nil), nil
		}
	}
}

// RawHeader replaces the header by this text. The token is signed as if the header were valid.
func RawHeader(text string) TokenOption { return func(d *draft) { d.rawHeader = &text } }

// RawPayload replaces the payload by this text. The signature is valid.
func RawPayload(text string) TokenOption { return func(d *draft) { d.rawPayload = &text } }
