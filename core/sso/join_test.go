package sso_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/sso"
)

const (
	staffID    = "https://staff.example"
	partnersID = "https://partners.example"
)

// joined is [sso.Join] that must succeed.
func joined(t testing.TB, auths ...*sso.Authenticator) *sso.Authenticator {
	t.Helper()
	a, err := sso.Join(auths...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// newTwo returns two providers in memory and an authenticator for each, with one clock.
func newTwo(t testing.TB, change ...func(name string, c *sso.Config)) (staff, partners *devissuer.Issuer, parts []*sso.Authenticator) {
	t.Helper()
	now := newClock()
	provider := func(name, id string) *devissuer.Issuer {
		issuer, err := devissuer.New(devissuer.WithAlgorithm("EdDSA"), devissuer.WithClock(now.Now), devissuer.WithIssuer(id))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { issuer.Close() }) //nolint:errcheck // the end of a test server
		parts = append(parts, newAuth(t, func(c *sso.Config) {
			c.Keys, c.PublicKeyURI, c.Issuer, c.HTTPClient, c.Now = nil, issuer.JWKSURL(), id, issuer.Client(), now.Now
			for _, change := range change {
				change(name, c)
			}
		}))
		return issuer
	}
	staff, partners = provider("staff", staffID), provider("partners", partnersID)
	return staff, partners, parts
}

// storeByValue is not comparable, because of what it holds.
type storeByValue struct{ held any }

func (storeByValue) Check(context.Context, sso.Session) error { return nil }

func TestJoin_SharedSessions(t *testing.T) {
	one, other := &living{}, &living{}
	for name, c := range map[string]struct {
		staff, partners sso.SessionStore
		refused         bool
	}{
		"none":           {nil, nil, false},
		"one":            {one, nil, false},
		"two":            {one, other, false},
		"shared":         {one, one, true},
		"not comparable": {storeByValue{[]int{1}}, storeByValue{[]int{1}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, parts := newTwo(t, func(name string, cfg *sso.Config) {
				if cfg.Sessions = c.staff; name == "partners" {
					cfg.Sessions = c.partners
				}
			})
			if _, err := sso.Join(parts...); (err != nil) != c.refused || c.refused && !strings.Contains(err.Error(), "session store") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestJoin_IssuerSelects(t *testing.T) {
	staff, partners, parts := newTwo(t)
	a := joined(t, parts...)
	fetches := func(staffs, partnerss int) {
		t.Helper()
		if staff.Stats().Fetches != staffs || partners.Stats().Fetches != partnerss {
			t.Fatalf("%d and %d fetches, want %d and %d", staff.Stats().Fetches, partners.Stats().Fetches, staffs, partnerss)
		}
	}
	for name, invalid := range map[string]string{
		"an unknown issuer":               staff.MustToken(devissuer.IssuedBy("https://evil.example")),
		"no issuer":                       staff.MustToken(devissuer.WithoutClaim("iss")),
		"an empty issuer":                 staff.MustToken(devissuer.IssuedBy("")),
		"an issuer that is null":          staff.MustToken(devissuer.Claim("iss", nil)),
		"a list of issuers":               staff.MustToken(devissuer.Claim("iss", []string{staffID, partnersID})),
		"a trailing slash of the issuer":  staff.MustToken(devissuer.IssuedBy(staffID + "/")),
		"an issuer in capitals":           staff.MustToken(devissuer.IssuedBy(strings.ToUpper(staffID))),
		"white space at the issuer":       staff.MustToken(devissuer.IssuedBy(staffID + " ")),
		"ISS in capitals":                 staff.MustToken(devissuer.WithoutClaim("iss"), devissuer.Claim("ISS", staffID)),
		"an unknown issuer and key":       staff.MustToken(devissuer.IssuedBy("https://evil.example"), devissuer.UnknownKey()),
		"the issuer in the header":        staff.MustToken(devissuer.WithoutClaim("iss"), devissuer.Header("iss", staffID)),
		"an unknown issuer, badly signed": staff.MustToken(devissuer.IssuedBy("https://evil.example"), devissuer.BadSignature()),
	} {
		_, err := a.ValidateToken(t.Context(), invalid)
		if reasonIn(err) != sso.ReasonWrongIssuer {
			t.Errorf("%s: %v", name, err)
		}
		if d := sso.DenialOf(err); d.Status != http.StatusUnauthorized || fmt.Sprint(d) != fmt.Sprint(sso.DenialOf(sso.ErrInvalidToken)) {
			t.Errorf("%s: answered with %v", name, d)
		}
	}
	fetches(0, 0)

	p, err := a.ValidateToken(t.Context(), partners.MustToken(devissuer.Audience("api")))
	if err != nil || p.Issuer() != partnersID {
		t.Fatalf("%v, %v", p, err)
	}
	fetches(0, 1)
	if p, err = a.ValidateToken(t.Context(), staff.MustToken(devissuer.Audience("api"))); err != nil || p.Issuer() != staffID {
		t.Fatalf("%v, %v", p, err)
	}
	fetches(1, 1)
	// A token of one issuer in the other's name is verified by the other's keys.
	if _, err := a.ValidateToken(t.Context(), partners.MustToken(devissuer.Audience("api"), devissuer.IssuedBy(staffID))); reasonIn(err) != sso.ReasonUnknownKey {
		t.Errorf("partners for staff: %v", err)
	}
	fetches(2, 1) // the key id is unknown to one, so its keys are fetched again
	if len(staff.Stats().Strays)+len(partners.Stats().Strays) != 0 {
		t.Errorf("strays: %q, %q", staff.Stats().Strays, partners.Stats().Strays)
	}
}

func TestJoin_SameKeyID(t *testing.T) {
	bob := ed25519.NewKeyFromSeed([]byte("bob's key for tests: 32 bytes ok"))
	jwk := func(key ed25519.PrivateKey) string {
		return `{"kty":"OKP","crv":"Ed25519","kid":"one","x":"` + b64(key.Public().(ed25519.PublicKey)) + `"}` //nolint:errcheck // what Ed25519 keys are
	}
	token := func(key ed25519.PrivateKey, kid, issuer string) string {
		return signed(key, headerWith("kid", kid), claimsWith("iss", `"`+issuer+`"`))
	}
	staff, partners, fetched := newTwo(t)
	staff.SetJWKS(`{"keys":[` + jwk(ada) + `]}`)
	partners.SetJWKS(`{"keys":[` + jwk(bob) + `]}`)
	static := []*sso.Authenticator{
		newAuth(t, func(c *sso.Config) { c.Keys, c.Issuer = static(t, "one", "", ada.Public()), staffID }),
		newAuth(t, func(c *sso.Config) { c.Keys, c.Issuer = static(t, "one", "", bob.Public()), partnersID }),
	}
	for name, parts := range map[string][]*sso.Authenticator{"keys that are fetched": fetched, "keys in the program": static} {
		t.Run(name, func(t *testing.T) {
			a := joined(t, parts...)
			for range 3 { // and again, when all is in the caches
				for _, kid := range []string{`"one"`, `""`, ""} { // the latter two are guessed
					for _, test := range []struct {
						key    ed25519.PrivateKey
						issuer string
						valid  bool
					}{{ada, staffID, true}, {bob, partnersID, true}, {ada, partnersID, false}, {bob, staffID, false}, {mallory, staffID, false}} {
						p, err := a.ValidateToken(t.Context(), token(test.key, kid, test.issuer))
						if test.valid && (err != nil || p.Issuer() != test.issuer) || !test.valid && reasonIn(err) != sso.ReasonBadSignature {
							t.Errorf("kid %s at %s: %v, want valid %t", kid, test.issuer, err, test.valid)
						}
					}
				}
			}
		})
	}
}

func TestJoin_RulesOfEachIssuer(t *testing.T) {
	rsa := rsaKey()
	noon := func() time.Time { return T }
	late := func() time.Time { return T.Add(2 * time.Hour) }
	staff := newAuth(t, func(c *sso.Config) {
		c.Issuer, c.Audience, c.Leeway, c.Now = staffID, []string{"api"}, -1, noon
		c.PermissionsClaim, c.TokenType, c.Wildcard = "roles", sso.AllowIDToken, true
	})
	partners := newAuth(t, func(c *sso.Config) {
		c.Issuer, c.Audience, c.Leeway, c.Now = partnersID, []string{"shop"}, 5*time.Minute, late
		c.Keys, c.Algorithms, c.ClientIDs = static(t, "ada", "", rsa.Public()), []string{"RS256"}, []string{"web"}
	})
	a := joined(t, staff, partners)
	method := func(alg string) func(claims string) string {
		return func(claims string) string {
			if alg == "EdDSA" {
				return signed(ada, headerWith(), claims)
			}
			return signedWith(t, jwt.GetSigningMethod(alg), rsa, headerWith("alg", `"`+alg+`"`), claims)
		}
	}
	ed, rs := method("EdDSA"), method("RS256")
	of := func(issuer, audience string, changes ...string) string {
		return claimsWith(append([]string{"iss", `"` + issuer + `"`, "aud", `"` + audience + `"`}, changes...)...)
	}
	twoHours, past := seconds(2*time.Hour), seconds(2*time.Hour-299*time.Second)
	for _, test := range []struct {
		name, token string
		reason      sso.Reason
	}{
		{"staff", ed(of(staffID, "api")), ""},
		{"staff with the partners' audience", ed(of(staffID, "shop")), sso.ReasonWrongAudience},
		{"staff with the partners' algorithm", rs(of(staffID, "api")), sso.ReasonAlgorithm},
		{"staff, expired a second ago", ed(of(staffID, "api", "exp", seconds(-time.Second))), sso.ReasonExpired},
		{"staff's ID token", ed(of(staffID, "api", "at_hash", `"x"`)), ""},
		{"partners", rs(of(partnersID, "shop", "exp", seconds(3*time.Hour), "client_id", `"web"`)), ""},
		{"partners with staff's audience", rs(of(partnersID, "api", "exp", twoHours, "client_id", `"web"`)), sso.ReasonWrongAudience},
		{"partners with staff's algorithm", ed(of(partnersID, "shop", "exp", twoHours, "client_id", `"web"`)), sso.ReasonAlgorithm},
		{"partners, expired 299 s ago", rs(of(partnersID, "shop", "exp", past, "client_id", `"web"`)), ""},
		{"partners by staff's clock", rs(of(partnersID, "shop", "client_id", `"web"`)), sso.ReasonExpired},
		{"partners without client", rs(of(partnersID, "shop", "exp", twoHours)), sso.ReasonWrongClient},
		{"partners' ID token", rs(of(partnersID, "shop", "exp", twoHours, "client_id", `"web"`, "at_hash", `"x"`)), sso.ReasonTokenKind},
		{"partners with Permissions, which is their claim in capitals", rs(of(partnersID, "shop", "exp", twoHours, "client_id", `"web"`, "Permissions", "1")), sso.ReasonMalformed},
		{"staff with Permissions, which is not a claim there", ed(of(staffID, "api", "Permissions", "1")), ""},
		{"staff with Roles, which is their claim in capitals", ed(of(staffID, "api", "Roles", "1")), sso.ReasonMalformed},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := a.ValidateToken(t.Context(), test.token); (err == nil) != (test.reason == "") || err != nil && reasonIn(err) != test.reason {
				t.Errorf("%v, want %q", err, test.reason)
			}
		})
	}
	t.Run("permissions", func(t *testing.T) {
		for _, token := range []string{
			ed(of(staffID, "api", "roles", `"right"`, "permissions", `"wrong"`)),
			rs(of(partnersID, "shop", "exp", twoHours, "client_id", `"web"`, "roles", `"wrong"`, "permissions", `"right"`)),
		} {
			if p, err := a.ValidateToken(t.Context(), token); err != nil || p.Permissions().String() != "right" {
				t.Errorf("%v, %v", p.Permissions(), err)
			}
		}
	})
}

func TestJoin_Errors(t *testing.T) {
	of := func(issuer string) *sso.Authenticator {
		return newAuth(t, func(c *sso.Config) { c.Issuer, c.SkipIssuerCheck = issuer, issuer == "" })
	}
	discovered := newAuth(t, func(c *sso.Config) {
		c.Keys, c.Issuer, c.PublicKeyURI = nil, "", "https://login.example.com/.well-known/openid-configuration"
	})
	for _, test := range []struct {
		name  string
		auths []*sso.Authenticator
		want  []string // a line each
	}{
		{"none", nil, []string{"at least one authenticator"}},
		{"a nil one", []*sso.Authenticator{nil}, []string{"position 1 was not created by New"}},
		{"a zero one", []*sso.Authenticator{of(staffID), {}}, []string{"position 2 was not created by New"}},
		{"one without issuer", []*sso.Authenticator{of(staffID), of("")}, []string{"position 2 has no Issuer: set it"}},
		{"one alone without issuer", []*sso.Authenticator{of("")}, []string{"position 1 has no Issuer"}},
		{"one with a discovered issuer", []*sso.Authenticator{discovered}, []string{"position 1 has no Issuer"}},
		{"an issuer twice", []*sso.Authenticator{of(staffID), of(partnersID), of(staffID)}, []string{`"` + staffID + `": give each its own`}},
		{"an issuer twice, once in a join", []*sso.Authenticator{joined(t, of(staffID), of(partnersID)), of(partnersID)}, []string{`"` + partnersID + `": give each its own`}},
		{
			"all of these",
			[]*sso.Authenticator{nil, of(""), of(staffID), {}, of(staffID)},
			[]string{"position 1 was not created", "position 2 has no Issuer", "position 4 was not created", `"` + staffID + `"`},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			a, err := sso.Join(test.auths...)
			if a != nil || err == nil {
				t.Fatalf("%v, %v", a, err)
			}
			lines := strings.Split(err.Error(), "\n")
			if len(lines) != len(test.want) {
				t.Fatalf("%d problems, want %d: %v", len(lines), len(test.want), err)
			}
			for i, want := range test.want {
				if !strings.HasPrefix(lines[i], "sso: Join") || !strings.Contains(lines[i], want) {
					t.Errorf("%q, want %q", lines[i], want)
				}
			}
		})
	}
	t.Run("the same one twice", func(t *testing.T) {
		a := of(staffID)
		if _, err := sso.Join(a, a); err == nil {
			t.Error("accepted")
		}
	})
	t.Run("issuers that differ by a slash are two", func(t *testing.T) {
		a := joined(t, of(staffID), of(staffID+"/"))
		for _, issuer := range []string{staffID, staffID + "/"} {
			if _, err := a.ValidateToken(t.Context(), token("iss", `"`+issuer+`"`)); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestJoin_Nested(t *testing.T) {
	of := func(issuer string, size int) *sso.Authenticator {
		return newAuth(t, func(c *sso.Config) { c.Issuer, c.MaxTokenBytes = issuer, size })
	}
	one := joined(t, of(staffID, 1000))
	if _, err := one.ValidateToken(t.Context(), token("iss", `"`+staffID+`"`)); err != nil {
		t.Error(err)
	}
	if _, err := one.ValidateToken(t.Context(), token()); reasonIn(err) != sso.ReasonWrongIssuer {
		t.Error(err)
	}
	a := joined(t, joined(t, of("https://a.example", 1000), of("https://b.example", 3000)), of("https://c.example", 2000), joined(t, of("https://d.example", 1000)))
	for _, letter := range []string{"a", "b", "c", "d"} {
		issuer := "https://" + letter + ".example"
		p, err := a.ValidateToken(t.Context(), token("iss", `"`+issuer+`"`, "x", `"`+strings.Repeat("x", 1500)+`"`)) // the longest bound counts
		if err != nil || p.Issuer() != issuer {
			t.Errorf("%s: %v", issuer, err)
		}
		if _, err := a.ValidateToken(t.Context(), token("iss", `"`+issuer+`"`, "x", `"`+strings.Repeat("x", 3000)+`"`)); reasonIn(err) != sso.ReasonTooLarge {
			t.Errorf("%s: %v", issuer, err)
		}
	}
	if n := len(a.Status()); n != 4 {
		t.Errorf("the status of %d", n)
	}
}

func TestJoin_Status(t *testing.T) {
	staff, partners, parts := newTwo(t)
	a := joined(t, parts...)
	if _, err := a.ValidateToken(t.Context(), partners.MustToken(devissuer.Audience("api"))); err != nil {
		t.Fatal(err)
	}
	list := a.Status()
	if len(list) != 2 || list[0].Source != staff.JWKSURL() || list[1].Source != partners.JWKSURL() {
		t.Fatalf("%+v", list)
	}
	if list[0].Usable || !list[1].Usable || !slices.Equal(list[1].KeyIDs, partners.KeyIDs()) {
		t.Errorf("%+v", list)
	}
	if text, err := json.Marshal(list); err != nil || staff.Stats().Fetches != 0 {
		t.Errorf("%s, %v, %d fetches", text, err, staff.Stats().Fetches)
	}
}

func TestJoin_Ready(t *testing.T) {
	for _, test := range []struct {
		name string
		down [2]bool
		want string
	}{
		{"both up", [2]bool{}, "accepted"},
		{"the first down", [2]bool{true, false}, "accepted"},
		{"the second down", [2]bool{false, true}, "accepted"},
		{"both down", [2]bool{true, true}, "unavailable"},
	} {
		t.Run(test.name, func(t *testing.T) {
			staff, partners, parts := newTwo(t)
			a := joined(t, parts...)
			for i, issuer := range []*devissuer.Issuer{staff, partners} {
				if test.down[i] {
					issuer.Down()
				}
			}
			if err := a.Ready(t.Context()); class(err) != test.want {
				t.Errorf("Ready: %v", err)
			}
			for i, issuer := range []*devissuer.Issuer{staff, partners} { // the other issuers are not affected
				want := http.StatusOK
				if test.down[i] {
					want = http.StatusServiceUnavailable
				}
				if status, retryAfter, err := answer(t, a, issuer.MustToken(devissuer.Audience("api"))); status != want || (retryAfter != "") != (want == http.StatusServiceUnavailable) {
					t.Errorf("issuer %d: %d, Retry-After %q, %v", i+1, status, retryAfter, err)
				}
			}
		})
	}
}

// A partner that does not answer must not make a probe wait.
func TestJoin_ReadyWithHangingPartner(t *testing.T) {
	for _, hangs := range []int{0, 1} {
		synctest.Test(t, func(t *testing.T) {
			staff, partners, parts := newTwo(t)
			[]*devissuer.Issuer{staff, partners}[hangs].Fault(func(_ http.ResponseWriter, r *http.Request, _ http.Handler) { <-r.Context().Done() })
			a := joined(t, parts...)
			for range 3 {
				began := time.Now()
				if err := a.Ready(t.Context()); err != nil {
					t.Error(err)
				}
				if waited := time.Since(began); waited != 0 {
					t.Errorf("waited %v", waited)
				}
			}
			synctest.Wait()                                                  // the background fetch is in flight
			if staff.Stats().Fetches != 1 || partners.Stats().Fetches != 1 { // both were fetched
				t.Errorf("%d and %d fetches", staff.Stats().Fetches, partners.Stats().Fetches)
			}
			if err := a.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("inline refresh warms all", func(t *testing.T) {
		staff, partners, parts := newTwo(t, func(_ string, c *sso.Config) { c.RefreshInline = true })
		a := joined(t, parts...)
		if err := a.Ready(t.Context()); err != nil || staff.Stats().Fetches != 1 || partners.Stats().Fetches != 1 {
			t.Errorf("%v, %d and %d fetches", err, staff.Stats().Fetches, partners.Stats().Fetches)
		}
		for _, status := range a.Status() {
			if !status.Usable {
				t.Errorf("%+v", status)
			}
		}
	})
}

func TestJoin_Close(t *testing.T) {
	staff, partners, parts := newTwo(t)
	a := joined(t, parts[0], joined(t, parts[1]))
	if err := a.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	for i, issuer := range []*devissuer.Issuer{staff, partners} {
		for _, auth := range []*sso.Authenticator{a, parts[i]} {
			if _, err := auth.ValidateToken(t.Context(), issuer.MustToken(devissuer.Audience("api"))); class(err) != "unavailable" {
				t.Errorf("issuer %d: %v", i+1, err)
			}
		}
	}
	if err := a.Ready(t.Context()); class(err) != "unavailable" {
		t.Errorf("Ready: %v", err)
	}
	if err := a.Close(); err != nil {
		t.Errorf("again: %v", err)
	}
}

func TestJoin_Refusals(t *testing.T) {
	var log, otherLog lines
	var seen, otherSeen events
	a := joined(t,
		newAuth(t, func(c *sso.Config) {
			c.Issuer, c.TellScopes, c.Logger, c.Observe = staffID, true, log.logger(0), seen.Observe
			c.Renderer = func(_ sso.Request, d sso.Denial) sso.Denial { d.Body = []byte("first's"); return d }
		}),
		newAuth(t, func(c *sso.Config) {
			c.Issuer, c.Logger, c.Observe = partnersID, otherLog.logger(0), otherSeen.Observe
			c.Renderer = func(_ sso.Request, d sso.Denial) sso.Denial { d.Body = []byte("second's"); return d }
		}),
	)
	for _, issuer := range []string{staffID, partnersID, "https://evil.example"} {
		_, err := a.Authenticate(t.Context(), bearer(token("iss", `"`+issuer+`"`, "exp", "1")))
		d := sso.DenialOf(err)
		if d.Status != http.StatusUnauthorized || string(d.Body) != "first's" || !strings.Contains(d.Header.Get("WWW-Authenticate"), `error="invalid_token"`) {
			t.Errorf("%s: %d %q %v", issuer, d.Status, d.Body, d.Header)
		}
		ctx, err := a.Authenticate(t.Context(), bearer(token("iss", `"`+issuer+`"`)))
		if accepted := issuer != "https://evil.example"; (err == nil) != accepted {
			t.Errorf("%s: %v", issuer, err)
		} else if p, ok := sso.FromContext(ctx); ok != accepted || accepted && p.Issuer() != issuer {
			t.Errorf("%s: %v, %t", issuer, p, ok)
		}
	}
	if seen.count(sso.EventRefused) != 4 || seen.count(sso.EventAuthenticated) != 2 || otherSeen.count(sso.EventRefused)+otherSeen.count(sso.EventAuthenticated) != 0 {
		t.Errorf("the first saw %v, the second %v", seen.list, otherSeen.list)
	}
	if n := strings.Count(log.String(), "sso: refused"); n != 4 || strings.Contains(otherLog.String(), "sso: refused") {
		t.Errorf("%d refusals in the log of the first, and in the second's: %s", n, otherLog.String())
	}
}

// The join does not rely on a login by a part, since a part's rules alone may be laxer.
func TestJoin_OtherJoin(t *testing.T) {
	join := func(key ed25519.PrivateKey) *sso.Authenticator {
		joined, err := sso.Join(newAuth(t, func(c *sso.Config) { c.Keys = static(t, "ada", "", key.Public()) }))
		if err != nil {
			t.Fatal(err)
		}
		return joined
	}
	one, other := join(ada), join(mallory)
	ctx := must(t)(one.Authenticate(t.Context(), bearer(token())))
	if _, err := other.Authenticate(ctx, bearer(token())); reasonIn(err) != sso.ReasonBadSignature {
		t.Errorf("the other join accepted the token: %v", err)
	}
}

func TestJoin_LoginByPart(t *testing.T) {
	part := newAuth(t, func(c *sso.Config) { c.Issuer = staffID })
	a := joined(t, part)
	valid := bearer(token("iss", `"`+staffID+`"`))
	ctx, err := part.Authenticate(t.Context(), valid)
	if err != nil {
		t.Fatal(err)
	}
	if err := part.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Authorize(ctx, valid, granting); !errors.Is(err, sso.ErrUnavailable) { // it looked for the key again
		t.Errorf("%v", err)
	}
	if _, err := a.Authorize(t.Context(), valid, granting); !errors.Is(err, sso.ErrUnavailable) {
		t.Errorf("%v", err)
	}
}

// A source that discovery leads to still enforces what the document says.
func TestJoin_Discovery(t *testing.T) {
	issuer, err := devissuer.New(devissuer.WithAlgorithm("EdDSA"), devissuer.WithClock(newClock().Now))
	if err != nil {
		t.Fatal(err)
	}
	defer issuer.Close() //nolint:errcheck // the end of a test server
	a := joined(t,
		newAuth(t, func(c *sso.Config) { c.Keys, c.Issuer, c.HTTPClient = nil, issuer.URL(), issuer.Client() }),
		newAuth(t, func(c *sso.Config) { c.Issuer = staffID }),
	)
	if _, err := a.ValidateToken(t.Context(), issuer.MustToken(devissuer.Audience("api"))); err != nil {
		t.Error(err)
	}
	if _, err := a.ValidateToken(t.Context(), token("iss", `"`+staffID+`"`)); err != nil {
		t.Error(err)
	}
	if n := issuer.Stats().Requests["/.well-known/openid-configuration"]; n != 1 {
		t.Errorf("%d requests for the document", n)
	}
}
