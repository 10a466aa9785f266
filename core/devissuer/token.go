package devissuer

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

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
// value without a JSON form, an unknown persona, or a permission without a name.
func (i *Issuer) Token(opts ...TokenOption) (string, error) {
	d := &draft{
		issuer:   i,
		now:      i.now(),
		lifetime: i.lifetime,
		header:   object{},
		claims:   object{},
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

	header, claims        object
	rawHeader, rawPayload string // instead of header, claims, unless empty
	key                   *key   // if nil, the issuer's signing key
	badSignature          bool
	depth                 int // of personas that include others
}

// maxPersonas bounds how deep personas include others, in case one includes itself.
const maxPersonas = 16

func (d *draft) mint() (string, error) {
	if len(d.errs) > 0 {
		return "", errors.Join(d.errs...)
	}
	if d.key == nil {
		d.key = d.issuer.signingKey()
	}
	d.header.fill("alg", d.key.algorithm)
	d.header.fill("typ", "JWT")
	d.header.fill("kid", d.key.id)
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
	input := base64url(header) + "." + base64url(payload)
	signature, err := jwt.GetSigningMethod(d.key.algorithm).Sign(input, d.key.private)
	if err != nil {
		return "", err
	}
	if d.badSignature {
		// In the bytes, not in the text, whose last character may hold bits without a meaning.
		signature[len(signature)/2] ^= 1
	}
	return input + "." + base64url(string(signature)), nil
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
func (o object) text(raw string) (string, error) {
	if raw != "" {
		return raw, nil
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
		options := d.issuer.personas[name]
		if options == nil {
			d.errs = append(d.errs, d.issuer.unknownPersona(name))
			return
		}
		d.depth++
		if d.depth > maxPersonas {
			d.errs = append(d.errs, fmt.Errorf("Persona(%q): the persona includes others without end", name))
			return
		}
		defer func() { d.depth-- }()
		for _, opt := range options {
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

// Header sets a header parameter (RFC 7515, section 4). It does not change how the token is signed:
// Header("alg", …) makes a header that is wrong.
func Header(name string, value any) TokenOption { return func(d *draft) { d.header[name] = value } }

// WithoutHeader omits a header parameter, even if it has a default.
func WithoutHeader(name string) TokenOption { return Header(name, absent{}) }

// The faults follow: each makes a token with one thing wrong, which no verifier may accept.

// Expired makes a token that expired an hour ago, after its usual lifetime: that of [WithLifetime], or
// of a [ValidFor] before it.
func Expired() TokenOption {
	return func(d *draft) {
		expiry := d.now.Add(-time.Hour)
		IssuedAt(expiry.Add(-d.lifetime))(d)
		Claim("exp", expiry.Unix())(d)
	}
}

// NotYetValid makes a token that becomes valid in an hour (RFC 7519, section 4.1.5), for its usual
// lifetime.
func NotYetValid() TokenOption {
	return func(d *draft) {
		start := d.now.Add(time.Hour)
		Claim("nbf", start.Unix())(d)
		Claim("exp", start.Add(d.lifetime).Unix())(d)
	}
}

// WrongAudience makes a token for another audience.
func WrongAudience() TokenOption { return Audience("another-api") }

// BadSignature flips a bit of the signature. The token stays well-formed.
func BadSignature() TokenOption { return func(d *draft) { d.badSignature = true } }

// UnknownKey signs with a key that no issuer publishes, and sets kid to its id. There is one such key per
// process and algorithm.
func UnknownKey() TokenOption {
	return func(d *draft) { d.key = unknownKey(d.issuer.keys.algorithm) }
}

// Raw replaces the text of the header and of the payload, unless it is empty. The token is signed as if
// the texts were valid.
func Raw(header, payload string) TokenOption {
	return func(d *draft) { d.rawHeader, d.rawPayload = header, payload }
}
