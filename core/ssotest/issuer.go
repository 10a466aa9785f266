package ssotest

import (
	"sync/atomic"
	"testing"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/sso"
)

// FastKeys makes an issuer sign with Ed25519. Its keys and tokens are made faster than those of the
// default, RS256.
func FastKeys() devissuer.Option { return devissuer.WithAlgorithm("EdDSA") }

// Issuer is a development issuer that ends with its test. It has the methods of [devissuer.Issuer],
// among them those for failures:
//
//   - Rotate makes a new key sign and keeps the old ones published. Publish, Use and Retire are
//     the steps of a key's life.
//   - Down makes the issuer unreachable, and Up ends that. Slow delays what it publishes. Fault
//     replaces it.
//   - Stats counts the requests.
//
// It is safe for concurrent use.
type Issuer struct {
	*devissuer.Issuer
	t             testing.TB
	clock         *Clock
	audienceGiven bool                       // by WithAudience, and not changed by Config
	settings      atomic.Pointer[sso.Config] // of the latest Authenticator
}

// noAudience is the audience of an issuer that was given none.
const noAudience = "\x00ssotest"

// NewIssuer starts an issuer in memory, which ends with the test. It opens no port: only its own
// client, which [Issuer.Config] has, reaches it. It signs with RS256 by default. The test fails if an
// option is invalid.
func NewIssuer(t testing.TB, opts ...devissuer.Option) *Issuer {
	t.Helper()
	clock := &Clock{}
	iss, err := devissuer.New(append([]devissuer.Option{devissuer.WithClock(clock.Now), devissuer.WithAudience(noAudience)}, opts...)...)
	if err != nil {
		t.Fatalf("ssotest: %v", err)
	}
	t.Cleanup(func() { _ = iss.Close() })
	i := &Issuer{Issuer: iss, t: t, clock: clock, audienceGiven: true}
	if iss.Audience()[0] == noAudience {
		iss.SetAudience("api")
		i.audienceGiven = false
	}
	return i
}

// Clock returns the clock of the issuer's tokens and of the authenticators of [Issuer.Config]. It has
// the real time until it is set:
//
//	token := iss.Token()
//	iss.Clock().Advance(2 * time.Hour) // the token has expired
//
// Timeouts and [devissuer.Issuer.Slow] use the real time. The test fails if the issuer was made with
// [devissuer.WithClock].
func (i *Issuer) Clock() *Clock {
	i.t.Helper()
	i.Now()
	if !i.clock.read.Load() {
		i.t.Fatalf("ssotest: the issuer uses the clock of WithClock: set that one, or omit the option")
	}
	return i.clock
}

// Config returns a configuration that accepts only this issuer's tokens, for one audience or several.
// Further tokens of the issuer are for the first of them, unless an option or
// [devissuer.WithAudience] says otherwise. The configuration uses [Issuer.Clock], and its Logger writes
// to the test's log: why a token was rejected, and how a permission was decided. Change it before you
// pass it to [Issuer.Authenticator] or [sso.New].
func (i *Issuer) Config(audience string, more ...string) sso.Config {
	if !i.audienceGiven {
		i.SetAudience(audience)
	}
	return sso.Config{
		PublicKeyURI: i.JWKSURL(),
		Issuer:       i.URL(),
		Audience:     append([]string{audience}, more...),
		Algorithms:   []string{i.Algorithm()},
		HTTPClient:   i.Client(),
		Now:          i.Now,
		Logger:       newLogger(i.t),
	}
}

// Authenticator makes an authenticator, which ends with the test. The test fails if the configuration
// is invalid.
func (i *Issuer) Authenticator(cfg sso.Config) *sso.Authenticator {
	i.t.Helper()
	a, err := sso.New(cfg)
	if err != nil {
		i.t.Fatalf("ssotest: %v", err)
	}
	i.t.Cleanup(func() { _ = a.Close() })
	i.settings.Store(&cfg)
	return a
}

// Token mints a token. By default it is valid, its subject is "ada", and its audience is that of the
// latest [Issuer.Config]. The test fails if the options contradict each other.
func (i *Issuer) Token(opts ...devissuer.TokenOption) string {
	i.t.Helper()
	token, err := i.Issuer.Token(opts...)
	if err != nil {
		i.t.Fatalf("ssotest: %v", err)
	}
	return token
}
