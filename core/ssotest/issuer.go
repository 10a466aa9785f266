package ssotest

import (
	"log/slog"
	"testing"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/sso"
)

// Issuer is a development issuer that ends with its test.
type Issuer struct {
	*devissuer.Issuer
	t testing.TB
}

// NewIssuer starts an issuer in memory: nothing listens, nothing leaves the process. Its own
// client, which [Issuer.Config] carries, is the only way to reach it. It is closed when the
// test ends. Several options are applied in order.
func NewIssuer(t testing.TB, opts ...devissuer.Option) *Issuer {
	t.Helper()
	iss, err := devissuer.New(opts...)
	if err != nil {
		t.Fatalf("ssotest: %v", err)
	}
	t.Cleanup(func() { _ = iss.Close() })
	return &Issuer{iss, t}
}

// FastKeys makes an issuer sign with Ed25519, where making keys and tokens costs a test too much
// with RS256.
func FastKeys() devissuer.Option { return devissuer.WithAlgorithm("EdDSA") }

// Config is a configuration that trusts this issuer's tokens for an audience ("api" is what
// tokens are minted for unless they say otherwise), and nobody else's. It logs nothing.
func (i *Issuer) Config(audience string, more ...string) sso.Config {
	return sso.Config{
		PublicKeyURI: i.JWKSURL(),
		Issuer:       i.URL(),
		Audience:     append([]string{audience}, more...),
		Algorithms:   []string{i.Algorithm()},
		HTTPClient:   i.Client(),
		Logger:       slog.New(slog.DiscardHandler),
	}
}

// Authenticator makes an authenticator of a configuration, such as [Issuer.Config] gives, and
// closes it when the test ends.
func (i *Issuer) Authenticator(cfg sso.Config) *sso.Authenticator {
	i.t.Helper()
	a, err := sso.New(cfg)
	if err != nil {
		i.t.Fatalf("ssotest: %v", err)
	}
	i.t.Cleanup(func() { _ = a.Close() })
	return a
}

// Token mints a token; without options a good one for the audience "api", about "ada". The
// test fails if the options contradict each other.
func (i *Issuer) Token(opts ...devissuer.TokenOption) string {
	i.t.Helper()
	token, err := i.Issuer.Token(opts...)
	if err != nil {
		i.t.Fatalf("ssotest: %v", err)
	}
	return token
}
