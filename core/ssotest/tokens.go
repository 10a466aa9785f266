package ssotest

import (
	"time"

	"github.com/more-retail/moresso-go/core/devissuer"
)

// A TokenOption says what is special about a token; see [Issuer.Token]. Options apply in the order
// given; where two contradict each other, the later wins.
type TokenOption = devissuer.TokenOption

// Claim sets a claim to any value that package json can hold; nil is null. The name is the claim's
// own, and no path: a dot in it is a dot. Numbers as int64, json.Number or json.RawMessage stay
// exact.
func Claim(name string, value any) TokenOption { return devissuer.Claim(name, value) }

// Claims sets several claims; others stay as they are.
func Claims(claims map[string]any) TokenOption { return devissuer.Claims(claims) }

// WithoutClaim leaves a claim out, also one that has a default.
func WithoutClaim(name string) TokenOption { return devissuer.WithoutClaim(name) }

// Subject sets sub. Default: "ada".
func Subject(sub string) TokenOption { return devissuer.Subject(sub) }

// Persona makes a token about somebody whom [WithPersona] introduced: it sets all that was said
// of them there, at this place among the options. The test fails for a name that
// the issuer does not know.
func Persona(name string) TokenOption { return devissuer.Persona(name) }

// IssuedBy sets iss. Default: [Issuer.URL].
func IssuedBy(iss string) TokenOption { return devissuer.IssuedBy(iss) }

// Audience sets aud: a string for one audience, an array for more, an empty array for none.
// Default: that of [WithAudience], or the first of the latest [Issuer.Config].
func Audience(aud ...string) TokenOption { return devissuer.Audience(aud...) }

// AudienceList sets aud to an array, also for one audience.
func AudienceList(aud ...string) TokenOption { return devissuer.AudienceList(aud...) }

// Scope sets the claim scope: the scopes with a space between (RFC 8693, section 4.2).
func Scope(scopes ...string) TokenOption { return devissuer.Scope(scopes...) }

// Permission sets a value inside the claim permissions: Permission("pma.role", "admin") gives
// {"permissions":{"pma":{"role":"admin"}}}, beside what is there already. A dot in the path goes
// one object deeper; `\.` is a dot in a name and `\\` a backslash. What is not an object and
// lies on the way gives way to one. The test fails for a path with an empty name in it.
func Permission(path string, value any) TokenOption { return devissuer.Permission(path, value) }

// IssuedAt sets iat, and exp with it unless that is set otherwise. Default: now.
func IssuedAt(t time.Time) TokenOption { return devissuer.IssuedAt(t) }

// ValidFor sets exp to this long after iat; a negative one is before it. Default: that of
// [WithLifetime].
func ValidFor(lifetime time.Duration) TokenOption { return devissuer.ValidFor(lifetime) }

// ExpiresAt sets exp, whatever iat is. Default: iat plus [ValidFor].
func ExpiresAt(t time.Time) TokenOption { return devissuer.ExpiresAt(t) }

// NotBefore sets nbf, which tokens do not carry by default.
func NotBefore(t time.Time) TokenOption { return devissuer.NotBefore(t) }

// Header sets a header parameter (RFC 7515, section 4). It does not change how the token is
// signed: Header("alg", …) makes a header that lies.
func Header(name string, value any) TokenOption { return devissuer.Header(name, value) }

// WithoutHeader leaves a header parameter out, also one that has a default.
func WithoutHeader(name string) TokenOption { return devissuer.WithoutHeader(name) }

// Type sets the header's typ, such as "at+jwt" (RFC 9068, section 2.1). Default: "JWT".
func Type(typ string) TokenOption { return devissuer.Type(typ) }

// SignedBy signs with the key of this id, which may be one that is not in use yet or was
// retired. The test fails for an id that the issuer never had.
func SignedBy(kid string) TokenOption { return devissuer.SignedBy(kid) }

// Algorithm signs, truly, with another algorithm than the key is published for: one of the RS
// and PS family for an RSA key. For other keys there is none, and the test fails.
func Algorithm(alg string) TokenOption { return devissuer.Algorithm(alg) }

// The faults: each makes a token that is in order but for the one thing. All but [NoKeyID] make one
// that nobody may accept; [Attacks] has many more.

// Expired makes a token that expired an hour ago by the issuer's clock, after its usual lifetime.
func Expired() TokenOption { return devissuer.Expired() }

// NotYetValid makes a token that becomes valid in an hour by the issuer's clock, for its usual
// lifetime.
func NotYetValid() TokenOption { return devissuer.NotYetValid() }

// WrongAudience makes a token for somebody else.
func WrongAudience() TokenOption { return devissuer.WrongAudience() }

// WrongIssuer makes a token that says another issuer made it.
func WrongIssuer() TokenOption { return devissuer.WrongIssuer() }

// WithoutExpiry makes a token that never expires.
func WithoutExpiry() TokenOption { return devissuer.WithoutExpiry() }

// NoKeyID makes a token without kid. It is good if the verifier can tell the key by other means,
// such as there being only one.
func NoKeyID() TokenOption { return devissuer.NoKeyID() }

// BadSignature flips a bit of the signature. The token is well-formed.
func BadSignature() TokenOption { return devissuer.BadSignature() }

// Tampered adds the claim "tampered" after the token has been signed.
func Tampered() TokenOption { return devissuer.Tampered() }

// UnknownKey signs with a key that no issuer publishes, and says so: kid is that key's (unless
// [WithoutKeyIDs]). There is one such key per process and algorithm.
func UnknownKey() TokenOption { return devissuer.UnknownKey() }

// EmbeddedKey is the attack of a token that brings its own key: signed as by [UnknownKey], with
// the public half as header parameter jwk (RFC 7515, section 4.1.3). Add Header("kid",
// issuer.KeyID()) or [NoKeyID] for its variants.
func EmbeddedKey() TokenOption { return devissuer.EmbeddedKey() }

// AlgNone makes an unsecured token (RFC 7519, section 6): alg is "none" and the signature empty.
// Its kid is that of a good token.
func AlgNone() TokenOption { return devissuer.AlgNone() }

// AlgNoneSpelled is [AlgNone] with another spelling, such as "nOnE", for verifiers that compare
// with too much or too little care.
func AlgNoneSpelled(alg string) TokenOption { return devissuer.AlgNoneSpelled(alg) }

// HMACWithPublicKey is the attack of algorithm confusion (RFC 8725, section 2.1): alg is HS256
// and the secret is the text of the public key, as [Issuer.PublicPEM] gives it, which everybody
// knows.
func HMACWithPublicKey() TokenOption { return devissuer.HMACWithPublicKey() }

// RawHeader makes a token of this header text, whatever it is; options that set parameters then
// have no effect. It is signed as if the header were right.
func RawHeader(text string) TokenOption { return devissuer.RawHeader(text) }

// RawPayload makes a token of this payload text, whatever it is, properly signed; options that
// set claims then have no effect.
func RawPayload(text string) TokenOption { return devissuer.RawPayload(text) }
