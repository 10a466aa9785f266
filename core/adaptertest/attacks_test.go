package adaptertest_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/adaptertest"
	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/core/ssotest"
)

func TestAttacks_Complete(t *testing.T) {
	attacks := adaptertest.Attacks("")
	if len(attacks) < 574 {
		t.Errorf("%d attacks", len(attacks))
	}
	seen := map[string]bool{}
	for _, a := range attacks {
		switch {
		case seen[a.Name]:
			t.Errorf("%s: duplicate name", a.Name)
		case a.Name == "", a.Rule == "", a.Source == "", a.Code == "", a.Status < 400:
			t.Errorf("%+v lacks a field", a)
		}
		seen[a.Name] = true
	}
	attacks[0] = adaptertest.Attack{}
	if adaptertest.Attacks("")[0].Name == "" {
		t.Error("Attacks returned a shared slice")
	}
}

// TestAttacks sends each attack to a service of its own, with nothing between the token and the
// authenticator. Attacks with any algorithm use ES256 here, and RS256 in the tests of
// the adapters.
func TestAttacks(t *testing.T) {
	adaptertest.CheckLeaks(t)
	rsaKey := ssotest.NewIssuer(t).PrivateKeyPEM()
	for _, attack := range adaptertest.Attacks("") {
		t.Run(attack.Name, func(t *testing.T) {
			opts := []devissuer.Option{devissuer.WithAlgorithm(cmp.Or(attack.Algorithm, "ES256"))}
			if attack.Algorithm == "RS256" {
				opts = append(opts, devissuer.WithKeyPEM(rsaKey)) // which takes long to make
			}
			try(t, attack, ssotest.NewIssuer(t, opts...))
		})
	}
}

func try(t *testing.T, attack adaptertest.Attack, issuer *ssotest.Issuer) {
	var log bytes.Buffer
	var reason sso.Reason
	now := time.Now()
	cfg := issuer.Config("api")
	cfg.Now = func() time.Time { return now }
	cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
	cfg.Observe = func(e sso.Event) {
		if e.Kind == sso.EventRefused {
			reason = e.Reason
		}
	}
	auth := issuer.Authenticator(cfg)
	fields := attack.Authorization(issuer.Issuer) // first, since one attack publishes a key
	if err := auth.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	log.Reset()
	refused := func(err error, status int, code string) {
		t.Helper()
		if d := sso.DenialOf(err); err == nil || d.Status != status || d.Code != code {
			t.Errorf("%s\n%s: answered with %d %s (%v), want %d %s", attack.Rule, issuer.Algorithm(), d.Status, d.Code, err, attack.Status, attack.Code)
		}
		if reason == "" || reason == sso.ReasonInternal || reason == sso.ReasonKeysUnavailable {
			t.Errorf("%s\n%s: the reason is %q", attack.Rule, issuer.Algorithm(), reason)
		}
		lines := strings.Count(log.String(), "\n")
		if lines != 1 || strings.ContainsFunc(log.String(), func(c rune) bool { return c < ' ' && c != '\n' || c == 0x7f }) {
			t.Errorf("%s\n%s: the log has %d lines for one refusal:\n%q", attack.Rule, issuer.Algorithm(), lines, log.String())
		}
		log.Reset()
		reason = ""
	}
	_, err := auth.Authenticate(t.Context(), authorization(fields))
	refused(err, attack.Status, attack.Code)
	if !strings.HasPrefix(attack.Name, "Authorization/") {
		token := strings.TrimPrefix(fields[0], "Bearer ")
		if _, err := auth.ValidateToken(t.Context(), token); !errors.Is(err, sso.ErrInvalidToken) {
			t.Errorf("%s\n%s: ValidateToken says %v", attack.Rule, issuer.Algorithm(), err)
		} else {
			refused(err, http.StatusUnauthorized, sso.CodeInvalidToken)
		}
	}
	if strays := issuer.Stats().Strays; len(strays) > 0 {
		t.Errorf("%s\n%s: requests went to %q", attack.Rule, issuer.Algorithm(), strays)
	}
	// The key set is fetched once at first, and at most once again for an unknown key id.
	if n := issuer.Stats().Fetches; n > 2 {
		t.Errorf("%s\n%s: %d fetches of keys", attack.Rule, issuer.Algorithm(), n)
	}
	if _, err := auth.Authenticate(context.Background(), authorization([]string{"Bearer " + issuer.Token()})); err != nil {
		t.Errorf("%s\n%s: a valid token is refused afterwards: %v", attack.Rule, issuer.Algorithm(), err)
	}
}

// authorization is a request that has nothing but Authorization fields.
type authorization []string

func (authorization) Method() string          { return http.MethodGet }
func (authorization) Pattern() string         { return "/" }
func (authorization) PathValue(string) string { return "" }
func (authorization) Host() string            { return "" }
func (authorization) RequestURI() string      { return "/" }

func (a authorization) Header(name string) (string, int) {
	if name != "Authorization" || len(a) == 0 {
		return "", 0
	}
	return a[0], len(a)
}
