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

// A TokenOption says what is special about a token; see [Issuer.Token]. Options
// apply in the order given; where two contradict each other, the later wins. The
// package comment has the cases that are not plain.
type TokenOption func(*draft)

// Token mints a token: a signed JWT in compact form (RFC 7519; RFC 7515,
// section 7.1). What no option says is as follows.
//
//	header   alg, kid (of the key that signs), typ "JWT"
//	claims   iss (Issuer.URL), aud (WithAudience), sub "ada", iat (now),
//	         exp (iat plus WithLifetime), jti (random)
//
// Times are whole seconds, fractions cut off. Token returns an error for what
// cannot be minted: a value that JSON cannot hold, a key, persona or algorithm
// that is unknown, options at odds with each other ([BadSignature] without a
// signature, [Tampered] with [RawPayload]).
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

// MustToken is [Issuer.Token] for tests and examples: it panics on an error.
func (i *Issuer) MustToken(opts ...TokenOption) string {
	token, err := i.Token(opts...)
	if err != nil {
		panic(err)
	}
	return token
}

// A draft is a token that is being put together from its parts, by hand rather
// than by a JWT library, which would refuse to make the bad ones.
type draft struct {
	issuer   *Issuer
	now      time.Time
	issuedAt time.Time
	lifetime time.Duration
	errs     []error

	header, claims         object
	rawHeader, rawPayload  *string // instead of header, claims
	key                    *key    // nil: the issuer's signing key
	sign                   signer
	badSignature, tampered bool
	within                 int // personas, one made of another
}

// maxPersonas is how many personas may be made of one another; a persona that
// is made of itself would be so without end.
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
	d.claims.fill("iss", d.issuer.identifier)
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
			return "", errors.New("BadSignature: there is no signature to spoil")
		}
		// In the bytes, not in the text: the last character of the text may
		// hold bits that count for nothing, and the token would still be good.
		signature[len(signature)/2] ^= 1
	}
	if d.tampered {
		if d.rawPayload != nil {
			return "", errors.New("Tampered does not know how to alter a RawPayload")
		}
		d.claims["tampered"] = true
		if payload, err = d.claims.text(nil); err != nil {
			return "", err
		}
	}
	return base64url(header) + "." + base64url(payload) + "." + base64url(string(signature)), nil
}

func base64url(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// An object is a JSON object in the making. A name that is set to absent stays
// away although there is a default for it.
type object map[string]any

type absent struct{}

func (o object) fill(name string, value any) {
	if _, ok := o[name]; !ok {
		o[name] = value
	}
}

// text renders the object, or gives the raw text that stands in for it.
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

// encode renders JSON as providers do: "<", ">" and "&" as themselves.
func encode(value any) (string, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return "", err
	}
	return strings.TrimSuffix(out.String(), "\n"), nil
}

// encodeOrPanic is for values that JSON can hold for certain.
func encodeOrPanic(value any) string {
	text, err := encode(value)
	if err != nil {
		panic("devissuer: " + err.Error())
	}
	return text
}

// audience is a string if there is one, an array otherwise.
func audience(aud []string) any {
	if len(aud) == 1 {
		return aud[0]
	}
	return append([]string{}, aud...)
}

// Claim sets a claim to any value that package json can hold; nil is null. The
// name is the claim's own, and no path: a dot in it is a dot. Numbers as int64,
// json.Number or json.RawMessage stay exact.
func Claim(name string, value any) TokenOption { return func(d *draft) { d.claims[name] = value } }

// WithoutClaim leaves a claim out, also one that has a default.
func WithoutClaim(name string) TokenOption { return Claim(name, absent{}) }

// Subject sets sub. Default: "ada".
func Subject(sub string) TokenOption { return Claim("sub", sub) }

// Persona makes a token about somebody whom [WithPersona] introduced: it sets
// all that was said of them there, at this place among the options. Token
// returns an error for a name that the issuer does not know, and for a persona
// that is made of itself.
func Persona(name string) TokenOption {
	return func(d *draft) {
		known := d.issuer.personas[name]
		if known == nil {
			d.errs = append(d.errs, d.issuer.stranger(name))
			return
		}
		d.within++
		if d.within > maxPersonas {
			d.errs = append(d.errs, fmt.Errorf("Persona(%q): a persona is made of others without end", name))
			return
		}
		defer func() { d.within-- }()
		for _, opt := range known {
			opt(d)
		}
	}
}

// IssuedBy sets iss. Default: [Issuer.URL].
func IssuedBy(iss string) TokenOption { return Claim("iss", iss) }

// Audience sets aud: a string for one audience, an array for more, an empty
// array for none. Default: that of [WithAudience].
func Audience(aud ...string) TokenOption { return Claim("aud", audience(aud)) }

// Scope sets the claim scope: the scopes with a space between (RFC 8693,
// section 4.2).
func Scope(scopes ...string) TokenOption { return Claim("scope", strings.Join(scopes, " ")) }

// Permission sets a value inside the claim permissions: Permission("pma.role",
// "admin") gives {"permissions":{"pma":{"role":"admin"}}}, beside what is there
// already. A dot in the path goes one object deeper; `\.` is a dot in a name
// and `\\` a backslash. What is not an object and lies on the way gives way to
// one. Token returns an error for a path with an empty name in it, or with a
// backslash before anything else.
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

// withValue gives the object with the value at the path. The one it is given
// may be the caller's, and of any type, so it is left alone.
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

// IssuedAt sets iat, and exp with it unless that is set otherwise. Default: now.
func IssuedAt(t time.Time) TokenOption {
	return func(d *draft) { d.issuedAt = t; delete(d.claims, "iat") }
}

// ValidFor sets exp to this long after iat; a negative one is before it.
// Default: that of [WithLifetime].
func ValidFor(lifetime time.Duration) TokenOption {
	return func(d *draft) { d.lifetime = lifetime; delete(d.claims, "exp") }
}

// ExpiresAt sets exp, whatever iat is. Default: iat plus [ValidFor].
func ExpiresAt(t time.Time) TokenOption { return Claim("exp", t.Unix()) }

// NotBefore sets nbf (RFC 7519, section 4.1.5), which tokens do not carry by
// default.
func NotBefore(t time.Time) TokenOption { return Claim("nbf", t.Unix()) }

// Header sets a header parameter (RFC 7515, section 4). It does not change how
// the token is signed: Header("alg", …) makes a header that lies.
func Header(name string, value any) TokenOption { return func(d *draft) { d.header[name] = value } }

// WithoutHeader leaves a header parameter out, also one that has a default.
func WithoutHeader(name string) TokenOption { return Header(name, absent{}) }

// Type sets the header's typ, such as "at+jwt" (RFC 9068, section 2.1).
// Default: "JWT".
func Type(typ string) TokenOption { return Header("typ", typ) }

// SignedBy signs with the key of this id, which may be one that is not in use
// yet or was retired. Token returns an error for an id that the issuer never
// had. Default: the key of [Issuer.KeyID].
func SignedBy(kid string) TokenOption {
	return func(d *draft) {
		if d.key = d.issuer.signingKey(kid); d.key == nil || kid == "" {
			d.errs = append(d.errs, fmt.Errorf("SignedBy(%q): the issuer has no such key", kid))
		}
	}
}

// Algorithm signs, truly, with another algorithm than the key is published
// for: one of the RS and PS family for an RSA key, and alg in the header says
// so. For other keys there is none, and Token returns an error.
func Algorithm(alg string) TokenOption {
	return func(d *draft) {
		d.header["alg"] = alg
		d.sign = func(k *key, input string) ([]byte, error) { return k.sign(alg, input) }
	}
}

// The faults: each makes a token that is in order but for the one thing. All
// but NoKeyID make one that nobody may accept.

// Expired makes a token that expired an hour ago, after its usual lifetime: that
// of [WithLifetime], or of a [ValidFor] before it.
func Expired() TokenOption {
	return func(d *draft) {
		expiry := d.now.Add(-time.Hour)
		IssuedAt(expiry.Add(-d.lifetime))(d)
		ExpiresAt(expiry)(d)
	}
}

// NotYetValid makes a token that becomes valid in an hour, for its usual
// lifetime.
func NotYetValid() TokenOption {
	return func(d *draft) {
		start := d.now.Add(time.Hour)
		NotBefore(start)(d)
		ExpiresAt(start.Add(d.lifetime))(d)
	}
}

// WrongAudience makes a token for somebody else.
func WrongAudience() TokenOption { return Audience("somebody-else") }

// WrongIssuer makes a token that says another issuer made it.
func WrongIssuer() TokenOption { return IssuedBy("https://impostor.example") }

// WithoutExpiry makes a token that never expires.
func WithoutExpiry() TokenOption { return WithoutClaim("exp") }

// NoKeyID makes a token without kid. It is good if the verifier can tell the
// key by other means, such as there being only one.
func NoKeyID() TokenOption { return WithoutHeader("kid") }

// BadSignature flips a bit of the signature. The token is well-formed.
func BadSignature() TokenOption { return func(d *draft) { d.badSignature = true } }

// Tampered adds the claim "tampered" after the token has been signed, so that
// the signature is of something else.
func Tampered() TokenOption { return func(d *draft) { d.tampered = true } }

// UnknownKey signs with a key that no issuer publishes, and says so: kid is
// that key's (unless [WithoutKeyIDs]). There is one such key per process and
// algorithm.
func UnknownKey() TokenOption {
	return func(d *draft) { d.key = stranger(d.issuer.keys.algorithm) }
}

// EmbeddedKey is the attack of a token that brings its own key: signed as by
// [UnknownKey], with the public half as header parameter jwk (RFC 7515,
// section 4.1.3). Add Header("kid", issuer.KeyID()) or [NoKeyID] for its
// variants.
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

// HMACWithPublicKey is the attack of algorithm confusion (RFC 8725, section
// 2.1): alg is HS256 and the secret is the text of the public key, as
// [Issuer.PublicPEM] gives it, which everybody knows.
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

// RawHeader makes a token of this header text, whatever it is; options that
// set parameters then have no effect. It is signed as if the header were right.
func RawHeader(text string) TokenOption { return func(d *draft) { d.rawHeader = &text } }

// RawPayload makes a token of this payload text, whatever it is, properly
// signed; options that set claims then have no effect.
func RawPayload(text string) TokenOption { return func(d *draft) { d.rawPayload = &text } }
