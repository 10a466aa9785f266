package ssotest

import (
	"sync/atomic"
	"testing"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/sso"
)

// An Option is a setting of [NewIssuer]; package devissuer has them.
type Option = devissuer.Option

// A TokenOption is a claim, a header member or a fault of a token; package devissuer has them.
type TokenOption = devissuer.TokenOption

// FastKeys makes an issuer sign with Ed25519. Its keys and tokens are made faster than those of
// the default, RS256.
func FastKeys() Option { return devissuer.WithAlgorithm("EdDSA") }

// Issuer is a development issuer that ends with its test. Beside its own methods it has those of
// [devissuer.Issuer], among them what a test of troubles needs:
//
//   - Rotate signs with a new key from now on, and goes on publishing the old ones; Publish, Use,
//     Retire and RetireOld play a key's life step by step.
//   - Down makes the issuer unreachable, and Up ends that; Slow delays what it publishes; Fault
//     answers something else in its place.
//   - Fetches, Requests and Strays tell what was asked for.
//
// It is safe for concurrent use.
type Issuer struct {
	*devissuer.Issuer
	t             testing.TB
	clock         *Clock
	audienceGiven bool                       // by WithAudience, and not changed by Config
	settings      atomic.Pointer[sso.Config] // of the latest Authenticator
}

// byDefault is an audience that nobody gives, to tell whether one was given.
const byDefault = "\x00ssotest"

// NewIssuer starts an issuer in memory: nothing listens, nothing leaves the process. Its own
// client, which [Issuer.Config] carries, is the only way to reach it. It is closed when the
// test ends. Several options are applied in order; without any it signs with RS256. The test fails
// if the options cannot work.
func NewIssuer(t testing.TB, opts ...Option) *Issuer {
	t.Helper()
	clock := &Clock{}
	iss, err := devissuer.New(append([]Option{devissuer.WithClock(clock.Now), devissuer.WithAudience(byDefault)}, opts...)...)
	if err != nil {
		t.Fatalf("ssotest: %v", err)
	}
	t.Cleanup(func() { _ = iss.Close() })
	i := &Issuer{Issuer: iss, t: t, clock: clock, audienceGiven: true}
	if iss.Audience()[0] == byDefault {
		iss.SetAudience("api")
		i.audienceGiven = false
	}
	return i
}

// Clock is the clock that the issuer dates its tokens by, and that an authenticator made of
// [Issuer.Config] judges tokens and keys by. It tells the real time until it is touched:
//
//	token := iss.Token()
//	iss.Clock().Advance(2 * time.Hour) // the token has expired
//
// Timeouts, and [Issuer.Slow], go by the real time all the same. The test fails if the issuer was
// given a clock of its own by [WithClock].
func (i *Issuer) Clock() *Clock {
	i.t.Helper()
	i.Now()
	if !i.clock.asked.Load() {
		i.t.Fatalf("ssotest: the issuer goes by the clock that WithClock gave it: set that one, or leave the option out")
	}
	return i.clock
}

// Config is a configuration that trusts this issuer's tokens for an audience, or several, and
// nobody else's. From now on the issuer's tokens are for the first of them unless they say
// otherwise by [Audience], or the issuer was given one by [WithAudience]; where a test has several
// configurations, the latest counts. It goes by [Issuer.Clock] and logs to the test's log; see
// [Logger]. Change of it what you like before it goes to [sso.New] or [Issuer.Authenticator].
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
		Logger:       Logger(i.t),
	}
}

// Authenticator makes an authenticator of a configuration, such as [Issuer.Config] gives, and
// closes it when the test ends. The test fails if the configuration is at fault.
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

// Token mints a token; without options a good one about "ada", for the audience that
// [Issuer.Config] was asked for ("api" before it was). The test fails if the options contradict
// each other.
func (i *Issuer) Token(opts ...TokenOption) string {
	i.t.Helper()
	token, err := i.Issuer.Token(opts...)
	if err != nil {
		i.t.Fatalf("ssotest: %v", err)
	}
	return token
}
