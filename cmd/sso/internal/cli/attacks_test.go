package cli_test

import (
	"cmp"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/cmd/sso/internal/explain"
	"github.com/more-retail/moresso-go/core/adaptertest"
	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/core/ssotest"
)

// fields is a request with Authorization fields only.
type fields []string

func (fields) Method() string          { return "GET" }
func (fields) Pattern() string         { return "" }
func (fields) PathValue(string) string { return "" }
func (fields) Host() string            { return "" }
func (fields) RequestURI() string      { return "/" }

func (f fields) Header(name string) (string, int) {
	if name != "Authorization" || len(f) == 0 {
		return "", 0
	}
	return f[0], len(f)
}

// TestExplain_Attacks explains the whole corpus: each attack as the fields of a request and, if it is one,
// as a token.
func TestExplain_Attacks(t *testing.T) {
	rsaKey := ssotest.NewIssuer(t).PrivateKeyPEM()
	now := time.Now()
	clock := func() time.Time { return now }
	checks := map[string]bool{}
	for _, attack := range adaptertest.Attacks("") {
		t.Run(attack.Name, func(t *testing.T) {
			opts := []devissuer.Option{devissuer.WithAlgorithm(cmp.Or(attack.Algorithm, "ES256"))}
			if attack.Algorithm == "RS256" {
				opts = append(opts, devissuer.WithKeyPEM(rsaKey)) // making one is slow
			}
			issuer := ssotest.NewIssuer(t, opts...)
			sent := attack.Authorization(issuer.Issuer)
			reason, auth := library(issuer, clock)

			_, err := auth.Authenticate(t.Context(), fields(sent))
			explained(t, issuer, clock, "Authorization: "+strings.Join(sent, "\nAuthorization: "), *reason, err, checks)

			token := strings.TrimPrefix(sent[0], "Bearer ")
			if strings.HasPrefix(attack.Name, "Authorization/") || token == "" {
				return
			}
			_, err = auth.ValidateToken(t.Context(), token)
			explained(t, issuer, clock, token, *reason, err, checks)
		})
	}
	for _, name := range []string{"credentials", "token", "header", "crit", "zip", "b64", "alg", "typ", "cty", "kid", "payload", "exp", "nbf", "iat", "iss", "sub", "aud", "client_id", "nonce", "at_hash", "events", "cnf", "key", "signature"} {
		if !checks[name] {
			t.Errorf("no attack fails at %q", name)
		}
	}
}

// library returns the library's authenticator, and the reason of its last refusal.
func library(issuer *ssotest.Issuer, now func() time.Time) (*sso.Reason, *sso.Authenticator) {
	var reason sso.Reason
	cfg := issuer.Config("api")
	cfg.Now = now
	cfg.Observe = func(e sso.Event) {
		if e.Kind == sso.EventRefused {
			reason = e.Reason
		}
	}
	return &reason, issuer.Authenticator(cfg)
}

// explained compares sso explain with the library's result for the same input.
func explained(t *testing.T, issuer *ssotest.Issuer, now func() time.Time, input string, reason sso.Reason, err error, checks map[string]bool) {
	t.Helper()
	c := call{args: append([]string{"explain", "--json"}, trusting(issuer)...), stdin: input + "\n", client: issuer.Client(), now: now}
	o := c.run(t)
	var r explain.Report
	o.object(t, &r)
	if o.code != 1 || r.Verdict != explain.Refused || r.Reason != reason || reason == "" {
		t.Errorf("exit code %d, %s by %q, the library says %q", o.code, r.Verdict, r.Reason, reason)
	}
	if d := sso.DenialOf(err); r.Status != d.Status || r.Code != d.Code {
		t.Errorf("%d %s, the library says %d %s", r.Status, r.Code, d.Status, d.Code)
	}
	var token *sso.TokenError
	if errors.As(err, &token) && r.Cause != token.Err.Error() {
		t.Errorf("the cause is %q, the library says %q", r.Cause, token.Err)
	}
	if len(r.Remedy) < 20 || !strings.HasSuffix(r.Remedy, ".") {
		t.Errorf("the remedy is %q", r.Remedy)
	}
	oneFails(t, r, checks)
	o.harmless(t)

	c.args = append([]string{"explain"}, trusting(issuer)...)
	human := c.run(t)
	human.harmless(t)
	if human.code != 1 || !strings.Contains(human.stdout, "reason "+string(reason)) || strings.Count(human.stdout, "  FAIL  ") != 1 {
		t.Errorf("exit code %d:\n%s", human.code, human.stdout)
	}
	if parts := strings.Split(input, "."); len(parts) == 3 && len(parts[2]) > 12 {
		if signature := parts[2][:12]; strings.Contains(o.stdout+human.stdout, signature) && !strings.Contains(parts[0]+parts[1], signature) {
			t.Errorf("the signature was printed")
		}
	}
	if strays := issuer.Stats().Strays; len(strays) > 0 {
		t.Errorf("requests went to %q", strays)
	}
}

// oneFails requires that one check failed, those before it passed, and those after it were not reached.
func oneFails(t *testing.T, r explain.Report, checks map[string]bool) {
	t.Helper()
	failed := -1
	for i, check := range r.Checks {
		switch {
		case check.Result == explain.Fail && failed < 0:
			failed = i
			checks[check.Name] = true
			if check.Remedy != r.Remedy || check.Detail != r.Cause {
				t.Errorf("the check says %q, %q", check.Detail, check.Remedy)
			}
		case failed >= 0 && check.Result != explain.NotReached, failed < 0 && check.Result == explain.NotReached:
			t.Errorf("%s: %s", check.Name, check.Result)
		}
	}
	if failed < 0 {
		t.Error("no check failed")
	}
}
