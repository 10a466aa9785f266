package ssotest_test

import (
	"errors"
	"testing"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/core/ssotest"
)

func TestAConfigAcceptsItsIssuersTokens(t *testing.T) {
	ssotest.CheckLeaks(t)
	for _, algorithm := range []string{"RS256", "ES256", "EdDSA"} {
		iss := ssotest.NewIssuer(t, devissuer.WithAlgorithm(algorithm))
		auth := iss.Authenticator(iss.Config("other", "api"))
		if _, err := auth.ValidateToken(t.Context(), iss.Token()); err != nil {
			t.Errorf("%s: %v", algorithm, err)
		}
	}
}

func TestATokenIsRefusedByAnAuthenticatorForAnythingElse(t *testing.T) {
	iss, other := ssotest.NewIssuer(t), ssotest.NewIssuer(t)
	for name, cfg := range map[string]sso.Config{
		"another issuer's keys": other.Config("api"),
		"another audience":      iss.Config("orders-api"),
	} {
		if _, err := iss.Authenticator(cfg).ValidateToken(t.Context(), iss.Token()); !errors.Is(err, sso.ErrInvalidToken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// failing records what a test would be told.
type failing struct {
	testing.TB
	cleanups []func()
	errors   int
}

func (f *failing) Helper()               {}
func (f *failing) Cleanup(do func())     { f.cleanups = append(f.cleanups, do) }
func (f *failing) Errorf(string, ...any) { f.errors++ }

func TestALeakIsFound(t *testing.T) {
	f := &failing{TB: t}
	ssotest.CheckLeaks(f)
	stop := make(chan struct{})
	go func() { <-stop }()
	for _, do := range f.cleanups {
		do()
	}
	close(stop)
	if f.errors != 1 {
		t.Errorf("%d leaks were reported, want 1", f.errors)
	}
}
