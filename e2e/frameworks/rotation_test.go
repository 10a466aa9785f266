package frameworks

import (
	"context"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/adaptertest"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/e2e/idp"
)

func TestMain(m *testing.M) {
	runFunction()
	m.Run()
}

// makes are the providers, with the claim aud of their tokens for the audience "orders".
var makes = []struct {
	name   string
	start  func(testing.TB) idp.Provider
	oneAud string
}{
	{"zitadel", idp.StartZitadel, `["orders"]`},
	{"oidc-provider", idp.StartOIDCProvider, `"orders"`},
}

// configurations are the ways to configure the provider.
var configurations = []struct {
	name     string
	settings func(idp.Provider) settings
	// foreign is the reason to refuse a token of another provider whose key has the same id.
	foreign sso.Reason
}{
	{"keys by address", func(p idp.Provider) settings {
		return settings{PublicKeyURI: p.JWKSURL(), Issuer: p.Issuer(), Audience: []string{"orders"}}
	}, sso.ReasonWrongIssuer}, // iss is checked before the key
	{"two settings with discovery", func(p idp.Provider) settings {
		return settings{PublicKeyURI: p.DiscoveryURL(), Audience: []string{"orders"}}
	}, sso.ReasonBadSignature},
	{"discovery from the issuer", func(p idp.Provider) settings {
		return settings{Issuer: p.Issuer(), Audience: []string{"orders"}}
	}, sso.ReasonWrongIssuer},
}

var (
	admin = map[string]any{"pma": map[string]any{"role": "admin"}}
	clerk = map[string]any{"pma": map[string]any{"role": "clerk"}}
)

func TestServers_Tokens(t *testing.T) {
	for _, m := range makes {
		t.Run(m.name, func(t *testing.T) {
			adaptertest.CheckLeaks(t)
			p := m.start(t)
			other := m.start(t)

			one := issue(t, p, admin, "orders")
			two := issue(t, p, admin, "https://stock.example", "orders")
			noAdmin := issue(t, p, clerk, "orders")
			nothing := issue(t, p, nil, "orders")
			foreign := issue(t, other, admin, "orders")
			if got := contentOf(t, one); string(got.Audience) != m.oneAud {
				t.Errorf("aud %s, want %s", got.Audience, m.oneAud)
			}
			if got := contentOf(t, two); string(got.Audience) != `["https://stock.example","orders"]` {
				t.Errorf("aud %s, want both audiences", got.Audience)
			}
			if got, want := contentOf(t, foreign).KeyID, contentOf(t, one).KeyID; got != want {
				t.Errorf("the other provider's key is %q, want the same as here, %q", got, want)
			}

			for _, c := range configurations {
				t.Run(c.name, func(t *testing.T) {
					all := start(t, c.settings(p))
					for _, test := range []struct {
						name  string
						path  string
						token string // empty: none
						want  answer
					}{
						{"one audience", Me, one, accepted(t, one, "orders")},
						{"two audiences", Me, two, accepted(t, two, "https://stock.example", "orders")},
						{"permission held", Admin, one, accepted(t, one, "orders")},
						{"permission held, two audiences", Admin, two, accepted(t, two, "https://stock.example", "orders")},
						{"permission not needed", Me, noAdmin, accepted(t, noAdmin, "orders")},
						{"no permissions", Me, nothing, accepted(t, nothing, "orders")},

						{"no token", Me, "", noToken},
						{"no token, permission required", Admin, "", noToken},
						{"permission missing", Admin, noAdmin, noPermission},
						{"permission missing, no permissions", Admin, nothing, noPermission},
						{"wrong audience", Me, issue(t, p, admin, "stock"), invalidToken(sso.ReasonWrongAudience)},
						{"wrong audience, permission held", Admin, issue(t, p, admin, "stock"), invalidToken(sso.ReasonWrongAudience)},
						{"wrong audiences", Me, issue(t, p, admin, "stock", "https://orders"), invalidToken(sso.ReasonWrongAudience)},
						{"tampered claims", Admin, promoted(t, noAdmin), invalidToken(sso.ReasonBadSignature)},
						{"tampered signature", Me, flipped(one), invalidToken(sso.ReasonBadSignature)},
						{"another provider", Me, foreign, invalidToken(c.foreign)},
					} {
						t.Run(test.name, func(t *testing.T) { same(t, all, test.path, test.token, test.want) })
					}
				})
			}
		})
	}
}

// refresh is the longest time that a withdrawn key stays in use: the interval with its jitter, and the time of a
// fetch for which a request does not wait.
const refresh = 5*time.Minute*11/10 + 10*time.Second

// A provider's tokens live for five minutes, less than a refresh. With this leeway they outlive their key, so they
// are refused because of the key.
const leeway = 5 * time.Minute

// Valid tokens are accepted throughout a rotation, under load, and the old key's are refused one refresh later.
func TestServers_Rotation(t *testing.T) {
	for _, m := range makes {
		t.Run(m.name, func(t *testing.T) {
			adaptertest.CheckLeaks(t)
			p := m.start(t)
			for _, c := range configurations {
				t.Run(c.name, func(t *testing.T) {
					settings := c.settings(p)
					settings.Leeway, settings.Clock = leeway, newClock(t)
					all := start(t, settings)
					good := func(tokens ...string) {
						t.Helper()
						for _, token := range tokens {
							same(t, all, Admin, token, accepted(t, token, "orders"))
						}
					}

					before := issue(t, p, admin, "orders")
					requests := startTraffic(t, all, before)
					good(before)

					do(t, p.PublishNext)
					during := issue(t, p, admin, "orders")
					good(before, during)

					do(t, p.SwitchKey)
					after := issue(t, p, admin, "orders")
					if from, to := contentOf(t, before).KeyID, contentOf(t, after).KeyID; from == to {
						t.Fatalf("no other key signs, still %q", from)
					}
					requests.send(before, during, after)
					good(after, before, during)

					requests.send(after) // the others are about to be refused
					do(t, p.RetireOld)
					good(after)

					settings.Clock.Forward(refresh)
					same(t, all, Admin, before, invalidToken(sso.ReasonUnknownKey))
					same(t, all, Admin, during, invalidToken(sso.ReasonUnknownKey))
					last := issue(t, p, admin, "orders")
					requests.send(after, last)
					good(after, last)
				})
			}
		})
	}
}

// A key that was published one refresh before its first use is cached by then: no request waits for it, and an
// outage at that time has no effect.
func TestServers_AnnouncedRotation(t *testing.T) {
	for _, m := range makes {
		t.Run(m.name, func(t *testing.T) {
			adaptertest.CheckLeaks(t)
			p := m.start(t)
			for _, c := range configurations {
				t.Run(c.name, func(t *testing.T) {
					settings := c.settings(p)
					settings.Leeway, settings.Clock = leeway, newClock(t)
					all := start(t, settings)

					before := issue(t, p, admin, "orders")
					same(t, all, Admin, before, accepted(t, before, "orders"))
					do(t, p.PublishNext)
					settings.Clock.Forward(refresh)
					same(t, all, Admin, before, accepted(t, before, "orders"))

					do(t, p.SwitchKey)
					after := issue(t, p, admin, "orders")
					do(t, p.Down)
					same(t, all, Admin, after, accepted(t, after, "orders"))
					same(t, all, Admin, before, accepted(t, before, "orders"))
					do(t, p.Up)
				})
			}
		})
	}
}

// backOff is the longest time until a failed provider is queried again.
const backOff = 30 * time.Second

// A provider that is down does not stop a service. The service uses its cached keys, and answers 503 for unknown
// keys until the provider is back, without a restart.
func TestServers_Outage(t *testing.T) {
	for _, m := range makes {
		t.Run(m.name, func(t *testing.T) {
			adaptertest.CheckLeaks(t)
			p := m.start(t)
			for _, c := range configurations {
				t.Run(c.name, func(t *testing.T) {
					token := issue(t, p, admin, "orders")
					noAdmin := issue(t, p, clerk, "orders")
					elsewhere := issue(t, p, admin, "stock")

					do(t, p.Down)
					settings := c.settings(p)
					settings.Leeway, settings.Clock = leeway, newClock(t)
					all := start(t, settings)
					for range 2 { // with an attempt to fetch the keys, and without
						same(t, all, Me, token, unavailable)
						same(t, all, Admin, token, unavailable)
						same(t, all, Admin, promoted(t, noAdmin), unavailable)
						same(t, all, Me, "", noToken) // these two need no key
						same(t, all, Me, elsewhere, invalidToken(sso.ReasonWrongAudience))
					}
					settings.Clock.Forward(backOff)
					same(t, all, Me, token, unavailable)

					do(t, p.Up)
					settings.Clock.Forward(backOff)
					same(t, all, Me, token, accepted(t, token, "orders"))
					same(t, all, Admin, token, accepted(t, token, "orders"))
					same(t, all, Admin, noAdmin, noPermission)
					same(t, all, Admin, promoted(t, noAdmin), invalidToken(sso.ReasonBadSignature))

					do(t, p.PublishNext)
					do(t, p.SwitchKey)
					after := issue(t, p, admin, "orders")
					do(t, p.Down)
					settings.Clock.Forward(refresh)
					same(t, all, Admin, token, accepted(t, token, "orders"))
					same(t, all, Admin, promoted(t, noAdmin), invalidToken(sso.ReasonBadSignature))
					same(t, all, Admin, after, unavailable)

					do(t, p.Up)
					settings.Clock.Forward(backOff)
					same(t, all, Admin, after, accepted(t, after, "orders"))
					same(t, all, Admin, token, accepted(t, token, "orders"))
				})
			}
		})
	}
}

func do(t *testing.T, step func(context.Context) error) {
	t.Helper()
	if err := step(t.Context()); err != nil {
		t.Fatal(err)
	}
}
