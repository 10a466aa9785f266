package ssotest

import (
	"net/http"
	"time"

	"github.com/more-retail/moresso-go/core/devissuer"
)

// An Option is a setting of [NewIssuer]: package devissuer's, so that a test needs one import. Of
// several of one kind the later wins.
type Option = devissuer.Option

// FastKeys makes an issuer sign with Ed25519, where making keys and tokens costs a test too much
// with RS256.
func FastKeys() Option { return devissuer.WithAlgorithm("EdDSA") }

// WithIssuer sets the issuer identifier: what tokens carry as iss and what the discovery
// document declares. It is an absolute http or https URL without query and fragment (OpenID
// Connect Discovery 1.0, section 3), and may have a path; the documents then live below that
// path.
//
// Default: "https://issuer.example".
func WithIssuer(id string) Option { return devissuer.WithIssuer(id) }

// WithAudience sets the aud of tokens that do not say otherwise: a string for one audience, an
// array for more (RFC 7519, section 4.1.3). At least one is needed. What is said here, [Issuer.Config]
// leaves as it is. Default: that of the latest Config, or "api".
func WithAudience(aud ...string) Option { return devissuer.WithAudience(aud...) }

// WithAlgorithm sets the signature algorithm of every key the issuer makes: RS256, RS384, RS512,
// PS256, PS384, PS512, ES256, ES384, ES512 or EdDSA (with Ed25519). Default: RS256, or what fits
// the key of [WithKeyPEM], which has to be of its kind. [FastKeys] is the quickest.
func WithAlgorithm(alg string) Option { return devissuer.WithAlgorithm(alg) }

// WithClock sets the clock that tokens are dated by. It has no say in [Issuer.Slow] and [Drip],
// which wait in real time (or the time of the synctest bubble). It must be safe for concurrent
// use. An issuer with a clock of its own has no [Issuer.Clock]. Default: that one.
func WithClock(now func() time.Time) Option { return devissuer.WithClock(now) }

// WithKeyPEM sets the first signing key: one PKCS #8 block ("PRIVATE KEY") as
// [Issuer.PrivateKeyPEM] gives it, or several as [Issuer.PrivateKeysPEM] does: the last one
// signs, all are published. A program that keeps it in a file has the same keys and key ids
// after a restart, and the tokens of yesterday still hold. All have to be for one algorithm.
// Default: a new key each time.
func WithKeyPEM(pkcs8 []byte) Option { return devissuer.WithKeyPEM(pkcs8) }

// WithLifetime sets how long tokens are valid that do not say otherwise; at least one second.
// Default: one hour.
func WithLifetime(d time.Duration) Option { return devissuer.WithLifetime(d) }

// WithRSABits sets the size of the RSA keys the issuer makes, from 1024 (which a careful
// verifier refuses) to 8192. Each doubling takes about ten times as long to generate. Default:
// 2048. With PS512 it is at least 1040.
func WithRSABits(bits int) Option { return devissuer.WithRSABits(bits) }

// WithoutKeyIDs leaves kid out of the key set and of the tokens, as providers with a single key
// may (RFC 7517, section 4.5: kid is optional). Methods of this package that take or give a key
// id go on doing so.
func WithoutKeyIDs() Option { return devissuer.WithoutKeyIDs() }

// WithPersona introduces somebody: their name is the subject of their tokens, and the options
// say what else is said of them. A token about them is minted by the option [Persona]:
//
//	iss := ssotest.NewIssuer(t, ssotest.WithPersona("clerk", ssotest.Permission("orders.role", "clerk")))
//	token := iss.Token(ssotest.Persona("clerk"))
//
// Later ones of the same name win. Default: nobody.
func WithPersona(name string, opts ...TokenOption) Option {
	return devissuer.WithPersona(name, opts...)
}

// WithCacheControl sets the Cache-Control header of the key set, the PEM and the discovery
// document, such as "max-age=300". Default: no such header.
func WithCacheControl(value string) Option { return devissuer.WithCacheControl(value) }

// The paths that an issuer serves, for [Issuer.Requests] and for a [Fault].
const (
	PathJWKS      = devissuer.PathJWKS      // the published keys
	PathPEM       = devissuer.PathPEM       // the public half of the signing key
	PathDiscovery = devissuer.PathDiscovery // the discovery document
	PathToken     = devissuer.PathToken     // where a program gets a token
	PathRotate    = devissuer.PathRotate    // where a program has the key rotated
)

// A Fault answers a request for one of the documents that the issuer publishes, in its place: see
// [devissuer.Fault]. The issuer's method of the same name sets one, and nil ends it:
//
//	iss.Fault(ssotest.StatusFault(502))
type Fault = devissuer.Fault

// Healthy answers as if there were no fault. It is for use inside a [Fault], with the request
// that the fault was given or one derived from it; anything else is answered 500.
func Healthy(w http.ResponseWriter, r *http.Request) { devissuer.Healthy(w, r) }

// StatusFault answers with a status from 200 to 999 and, as further arguments, header names and
// values in turn. It panics if that is not what it is given.
func StatusFault(code int, header ...string) Fault { return devissuer.StatusFault(code, header...) }

// TooManyRequests answers 429 (RFC 6585, section 4) with Retry-After as given: seconds, a date
// or nonsense; "" for none.
func TooManyRequests(retryAfter string) Fault { return devissuer.TooManyRequests(retryAfter) }

// HTMLFault answers 200 with a web page, as captive portals, login walls and load balancers out
// of sorts do.
func HTMLFault() Fault { return devissuer.HTMLFault() }

// TruncatedJSON answers with the first half of the right content, in a response that is complete
// as far as HTTP can tell.
func TruncatedJSON() Fault { return devissuer.TruncatedJSON() }

// WrongContentType answers with the right content as text/plain, as static file hosts do.
func WrongContentType() Fault { return devissuer.WrongContentType() }

// EmptySet answers with a key set that is in order and holds no key.
func EmptySet() Fault { return devissuer.EmptySet() }

// RedirectTo answers 302 with this Location, unchecked and as it is.
func RedirectTo(url string) Fault { return devissuer.RedirectTo(url) }

// Hang does not answer, not even with a header, until the request is cancelled or the issuer
// closed; the connection is dropped then.
func Hang() Fault { return devissuer.Hang() }

// Drip sends the header at once and then the right content byte by byte, each after a wait of
// this length. A client that only limits the time between bytes never gives up on it.
func Drip(every time.Duration) Fault { return devissuer.Drip(every) }

// Oversized answers with a JSON object of n bytes (or somewhat more, if n is less than the least
// such object has). It looks like a key set and carries no Content-Length, so that the reader
// has to count.
func Oversized(n int) Fault { return devissuer.Oversized(n) }

// GzipBomb answers with the same content as [Oversized], compressed to about a thousandth of it
// (Content-Encoding: gzip), whether or not the client asked. Go's own client unpacks it without
// being told.
func GzipBomb(n int) Fault { return devissuer.GzipBomb(n) }
