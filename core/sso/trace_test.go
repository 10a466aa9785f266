package sso_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"

	"github.com/more-retail/moresso-go/core/sso"
)

// results are the steps of a token by their results, in order.
func results(steps []sso.Step) map[string][]string {
	list := map[string][]string{}
	for _, s := range steps {
		list[s.Result] = append(list[s.Result], s.Name)
	}
	return list
}

func TestAuthenticator_Explain(t *testing.T) {
	a := newAuth(t)
	all := []string{
		"token", "header", "crit", "zip", "b64", "alg", "cty", "typ", "kid", "payload", "exp", "nbf", "iat", "sub", "aud", "iss",
		"client_id", "azp", "jti", "payload typ", "token_use", "at_hash", "c_hash", "s_hash", "nonce", "access claims", "events", "cnf", "key", "signature",
	}
	t.Run("a valid token", func(t *testing.T) {
		p, steps, err := a.Explain(t.Context(), token())
		if err != nil || p.Subject() != "ada" {
			t.Fatal(err)
		}
		got := results(steps)
		if len(got["failed"])+len(got["not reached"]) > 0 || !slices.Equal(got["skipped"], []string{"azp", "jti", "access claims"}) {
			t.Errorf("%v", got)
		}
		if len(steps) != len(all) {
			t.Errorf("%d steps, want %d: %v", len(steps), len(all), got)
		}
	})
	for name, test := range map[string]struct {
		token, failed string
		reason        sso.Reason
	}{
		"nothing":              {"", "token", sso.ReasonMalformed},
		"encrypted":            {"a.b.c.d.e", "token", sso.ReasonEncrypted},
		"another algorithm":    {signed(ada, headerWith("alg", `"RS256"`), claimsWith()), "alg", sso.ReasonAlgorithm},
		"expired":              {token("exp", "1"), "exp", sso.ReasonExpired},
		"another audience":     {token("aud", `"web"`), "aud", sso.ReasonWrongAudience},
		"another issuer":       {token("iss", `"https://other.example"`), "iss", sso.ReasonWrongIssuer},
		"bound":                {token("cnf", `{}`), "cnf", sso.ReasonBoundToken},
		"an unknown key":       {signed(ada, headerWith("kid", `"eve"`), claimsWith()), "kid", sso.ReasonUnknownKey},
		"an invalid signature": {signed(mallory, headerWith(), claimsWith()), "signature", sso.ReasonBadSignature},
	} {
		t.Run(name, func(t *testing.T) {
			p, steps, err := a.Explain(t.Context(), test.token)
			_, want := a.ValidateToken(t.Context(), test.token)
			if p != nil || err == nil || err.Error() != want.Error() || sso.DenialOf(err).Status != sso.DenialOf(want).Status {
				t.Fatalf("%v, want %v", err, want)
			}
			i := slices.IndexFunc(steps, func(s sso.Step) bool { return s.Result == "failed" })
			if i < 0 || steps[i].Name != test.failed || steps[i].Reason != test.reason || steps[i].Clause == "" || steps[i].Err == nil {
				t.Fatalf("%+v", steps)
			}
			for j, s := range steps {
				if j > i != (s.Result == "not reached") {
					t.Errorf("step %d of %d, %s: %s", j, len(steps), s.Name, s.Result)
				}
			}
			names := make([]string, 0, len(steps))
			for _, s := range steps {
				names = append(names, s.Name)
			}
			slices.Sort(names)
			if len(slices.Compact(names)) != len(steps) {
				t.Errorf("a step twice: %v", names)
			}
		})
	}
}

func TestAuthenticator_ExplainSilently(t *testing.T) {
	var log lines
	var seen events
	a := newAuth(t, func(c *sso.Config) { c.Logger, c.Observe = log.logger(slog.LevelDebug), seen.Observe })
	_, _, _ = a.Explain(t.Context(), token())
	_, _, _ = a.Explain(t.Context(), token("exp", "1"))
	log.buf.Reset()
	if seen.count(sso.EventAuthenticated)+seen.count(sso.EventRefused) > 0 {
		t.Errorf("%+v", seen.list)
	}
	if _, err := a.ValidateToken(t.Context(), token()); err != nil || seen.list[len(seen.list)-1].Cached {
		t.Errorf("Explain filled the cache: %v", err)
	}
}

func TestAuthenticator_ExplainOutage(t *testing.T) {
	a := newAuth(t, func(c *sso.Config) { c.Keys = fails{errors.New("away")} })
	_, steps, err := a.Explain(t.Context(), token())
	i := slices.IndexFunc(steps, func(s sso.Step) bool { return s.Result == "failed" })
	if i < 0 || steps[i].Name != "key" || steps[i].Reason != sso.ReasonKeysUnavailable || !errors.Is(err, sso.ErrUnavailable) || sso.DenialOf(err).Status != 503 {
		t.Errorf("%v, %+v", err, steps)
	}
}

func TestAuthenticator_ExplainSession(t *testing.T) {
	store := &living{current: map[string]string{"ada": "s1"}, policy: sso.SessionPolicy{UserClaim: "sub", SessionClaim: "sid"}, reads: true}
	a := newAuth(t, func(c *sso.Config) { c.Sessions = store })
	for sid, want := range map[string]string{"s1": "passed", "s2": "failed"} {
		_, steps, err := a.Explain(t.Context(), token("sid", `"`+sid+`"`))
		last := steps[len(steps)-1]
		if last.Name != "session" || last.Result != want || (err == nil) != (want == "passed") {
			t.Errorf("%s: %+v, %v", sid, last, err)
		}
	}
	if _, steps, _ := a.Explain(t.Context(), "x"); steps[len(steps)-1].Result != "not reached" {
		t.Errorf("%+v", steps)
	}
}

func TestAuthenticator_ExplainUnmade(t *testing.T) {
	for _, a := range []*sso.Authenticator{nil, {}} {
		if p, steps, err := a.Explain(context.Background(), token()); p != nil || steps != nil || err == nil {
			t.Errorf("%v, %v", steps, err)
		}
	}
}
