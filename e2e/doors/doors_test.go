package doors_test

import (
	"context"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/adaptertest"
	"github.com/more-retail/moresso-go/core/keys"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/e2e/doors"
	"github.com/more-retail/moresso-go/e2e/idp"
)

func TestMain(m *testing.M) {
	doors.Function()
	m.Run()
}

// makes are the providers, and what their tokens say in aud for "orders" alone.
var makes = []struct {
	name   string
	start  func(testing.TB) idp.Provider
	oneAud string
}{
	{"zitadel", idp.StartZitadel, `["orders"]`},
	{"oidc-provider", idp.StartOIDCProvider, `"orders"`},
}

// configurations are the ways to say whom to trust.
var configurations = []struct {
	name     string
	settings func(idp.Provider) doors.Settings
	// stranger is why a token of another provider is refused whose key has the same id.
	stranger sso.Reason
}{
	{"two settings", func(p idp.Provider) doors.Settings {
		return doors.Settings{PublicKeyURI: p.JWKSURL(), Audience: []string{"orders"}}
	}, sso.ReasonBadSignature},
	{"two settings with discovery", func(p idp.Provider) doors.Settings {
		return doors.Settings{PublicKeyURI: p.DiscoveryURL(), Audience: []string{"orders"}}
	}, sso.ReasonBadSignature},
	{"discovery from the issuer", func(p idp.Provider) doors.Settings {
		return doors.Settings{Issuer: p.Issuer(), Audience: []string{"orders"}}
	}, sso.ReasonWrongIssuer}, // which is known before any key is
}

var (
	admin = map[string]any{"pma": map[string]any{"role": "admin"}}
	clerk = map[string]any{"pma": map[string]any{"role": "clerk"}}
)

// All front doors accept and refuse a provider's tokens, and all in the same way.
func TestTokens(t *testing.T) {
	for _, m := range makes {
		t.Run(m.name, func(t *testing.T) {
			adaptertest.CheckLeaks(t)
			p := m.start(t)
			other := m.start(t)

			one := issue(t, p, admin, "orders")
			two := issue(t, p, admin, "https://stock.example", "orders")
			noAdmin := issue(t, p, clerk, "orders")
			nothing := issue(t, p, nil, "orders")
			stranger := issue(t, other, admin, "orders")
			if got := contentOf(t, one); string(got.Audience) != m.oneAud {
				t.Errorf("aud %s, want %s", got.Audience, m.oneAud)
			}
			if got := contentOf(t, two); string(got.Audience) != `["https://stock.example","orders"]` {
				t.Errorf("aud %s, want both audiences", got.Audience)
			}
			if got, want := contentOf(t, stranger).KeyID, contentOf(t, one).KeyID; got != want {
				t.Errorf("the other provider's key is %q, want %q as here", got, want)
			}

			for _, c := range configurations {
				t.Run(c.name, func(t *testing.T) {
					all := doors.Open(t, c.settings(p))
					for _, test := range []struct {
						name  string
						path  string
						token string // empty: none
						want  doors.Answer
					}{
						{"one audience", doors.Me, one, accepted(t, one, "orders")},
						{"two audiences", doors.Me, two, accepted(t, two, "https://stock.example", "orders")},
						{"permission held", doors.Admin, one, accepted(t, one, "orders")},
						{"permission held, two audiences", doors.Admin, two, accepted(t, two, "https://stock.example", "orders")},
						{"permission not needed", doors.Me, noAdmin, accepted(t, noAdmin, "orders")},
						{"no permissions", doors.Me, nothing, accepted(t, nothing, "orders")},

						{"no token", doors.Me, "", noToken},
						{"no token, permission demanded", doors.Admin, "", noToken},
						{"permission missing", doors.Admin, noAdmin, noPermission},
						{"permission missing, no permissions", doors.Admin, nothing, noPermission},
						{"wrong audience", doors.Me, issue(t, p, admin, "stock"), badToken(sso.ReasonWrongAudience)},
						{"wrong audience, permission held", doors.Admin, issue(t, p, admin, "stock"), badToken(sso.ReasonWrongAudience)},
						{"wrong audiences", doors.Me, issue(t, p, admin, "stock", "https://orders"), badToken(sso.ReasonWrongAudience)},
						{"tampered claims", doors.Admin, promoted(t, noAdmin), badToken(sso.ReasonBadSignature)},
						{"tampered signature", doors.Me, flipped(one), badToken(sso.ReasonBadSignature)},
						{"another provider", doors.Me, stranger, badToken(c.stranger)},
					} {
						t.Run(test.name, func(t *testing.T) { same(t, all, test.path, test.token, test.want) })
					}
				})
			}
		})
	}
}

// aRefresh is after how long, at the latest, a key that is published no longer is out of force: the interval
// with its spread, and the time that a request which comes later than that does not wait for.
const aRefresh = keys.DefaultInterval*11/10 + keys.DefaultFetchTimeout

// A provider's tokens live for five minutes, less than a refresh: with this they outlive the retirement of
// their key, so that it is the key that they are refused for.
const leeway = sso.MaxLeeway

// A rotation of the provider's key costs no good token, though requests come in all the time, and the old key's
// tokens are refused one refresh after its end.
func TestRotation(t *testing.T) {
	for _, m := range makes {
		t.Run(m.name, func(t *testing.T) {
			adaptertest.CheckLeaks(t)
			p := m.start(t)
			for _, c := range configurations {
				t.Run(c.name, func(t *testing.T) {
					settings := c.settings(p)
					settings.Leeway, settings.Clock = leeway, doors.NewClock(t)
					all := doors.Open(t, settings)
					good := func(tokens ...string) {
						t.Helper()
						for _, token := range tokens {
							same(t, all, doors.Admin, token, accepted(t, token, "orders"))
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

					requests.send(after) // a token that is about to be refused is not good any more
					do(t, p.RetireOld)
					good(after)

					settings.Clock.Forward(aRefresh)
					same(t, all, doors.Admin, before, badToken(sso.ReasonUnknownKey))
					same(t, all, doors.Admin, during, badToken(sso.ReasonUnknownKey))
					last := issue(t, p, admin, "orders")
					requests.send(after, last)
					good(after, last)
				})
			}
		})
	}
}

// A key that was published a refresh ahead of its first use is in force already then: nobody waits for it, or
// notices if it cannot be had just now.
func TestRotationAnnounced(t *testing.T) {
	for _, m := range makes {
		t.Run(m.name, func(t *testing.T) {
			adaptertest.CheckLeaks(t)
			p := m.start(t)
			for _, c := range configurations {
				t.Run(c.name, func(t *testing.T) {
					settings := c.settings(p)
					settings.Leeway, settings.Clock = leeway, doors.NewClock(t)
					all := doors.Open(t, settings)

					before := issue(t, p, admin, "orders")
					same(t, all, doors.Admin, before, accepted(t, before, "orders"))
					do(t, p.PublishNext)
					settings.Clock.Forward(aRefresh)
					same(t, all, doors.Admin, before, accepted(t, before, "orders"))

					do(t, p.SwitchKey)
					after := issue(t, p, admin, "orders")
					do(t, p.Down)
					same(t, all, doors.Admin, after, accepted(t, after, "orders"))
					same(t, all, doors.Admin, before, accepted(t, before, "orders"))
					do(t, p.Up)
				})
			}
		})
	}
}

// backOff is for how long, at most, a provider that failed is left alone.
const backOff = 30 * time.Second

// A provider that is down does not stop a service: where nobody can tell it says so, until the provider is
// back. It does not need a restart then. Keys that it has serve on.
func TestOutage(t *testing.T) {
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
					settings.Leeway, settings.Clock = leeway, doors.NewClock(t)
					all := doors.Open(t, settings)
					for range 2 { // with an attempt to have the keys, and without
						same(t, all, doors.Me, token, unavailable)
						same(t, all, doors.Admin, token, unavailable)
						same(t, all, doors.Admin, promoted(t, noAdmin), unavailable)
						same(t, all, doors.Me, "", noToken) // these two need no key
						same(t, all, doors.Me, elsewhere, badToken(sso.ReasonWrongAudience))
					}
					settings.Clock.Forward(backOff)
					same(t, all, doors.Me, token, unavailable)

					do(t, p.Up)
					settings.Clock.Forward(backOff)
					same(t, all, doors.Me, token, accepted(t, token, "orders"))
					same(t, all, doors.Admin, token, accepted(t, token, "orders"))
					same(t, all, doors.Admin, noAdmin, noPermission)
					same(t, all, doors.Admin, promoted(t, noAdmin), badToken(sso.ReasonBadSignature))

					do(t, p.PublishNext)
					do(t, p.SwitchKey)
					after := issue(t, p, admin, "orders")
					do(t, p.Down)
					settings.Clock.Forward(aRefresh)
					same(t, all, doors.Admin, token, accepted(t, token, "orders"))
					same(t, all, doors.Admin, promoted(t, noAdmin), badToken(sso.ReasonBadSignature))
					same(t, all, doors.Admin, after, unavailable)

					do(t, p.Up)
					settings.Clock.Forward(backOff)
					same(t, all, doors.Admin, after, accepted(t, after, "orders"))
					same(t, all, doors.Admin, token, accepted(t, token, "orders"))
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
