package main

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
)

// An offer is the list of choices on the page.
type offer struct {
	Personas []persona `json:"personas"`
	Flaws    []flaw    `json:"flaws"`
	Routes   []route   `json:"routes"`
	Presets  []preset  `json:"presets"`
}

// A persona is a caller, by the claims of its token.
type persona struct {
	ID     string          `json:"id"`
	Name   string          `json:"name"`
	Claims json.RawMessage `json:"claims"`
}

// A flaw is something wrong with the request.
type flaw struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	About string `json:"about"`

	options []devissuer.TokenOption
	// embedsKey is set if an attacker signs the token, with a key that the token contains.
	embedsKey bool
	// forge changes the token. If nil, it stays as it is.
	forge func(issuer *devissuer.Issuer, token string) string
	// send returns the Authorization fields for a token. If nil, it is one bearer token.
	send func(token string) []string
}

// A route is one that every service has.
type route struct {
	ID       string `json:"id"`
	Pattern  string `json:"pattern"`
	Path     string `json:"path"` // of the request
	About    string `json:"about"`
	Requires string `json:"requires"`

	permission sso.Permission // nil: any valid token
	values     map[string]string
}

// A preset is one of ten requests to try.
type preset struct {
	Name    string `json:"name"`
	Persona string `json:"persona"`
	Flaw    string `json:"flaw"`
	Route   string `json:"route"`
	Rotate  bool   `json:"rotate"` // the issuer's key first

	want string // the status and the code of the answer
}

func newOffer(now time.Time) offer {
	return offer{Personas: personas(now), Flaws: flaws, Routes: routes, Presets: presets}
}

func personas(now time.Time) []persona {
	type claims = map[string]any
	list := []struct {
		id, name string
		claims   claims
	}{
		{"ada", "Ada, a clerk", claims{
			"sub": "ada", "name": "Ada", "scope": "orders:read",
			"permissions": claims{"orders": claims{"role": "clerk"}},
		}},
		{"grace", "Grace, who runs the shop", claims{
			"sub": "grace", "name": "Grace", "roles": []string{"admin"}, "auth_time": now.Add(-2 * time.Minute).Unix(),
			"permissions": claims{"orders": claims{"role": "*"}, "reports": claims{"role": "manager"}, "payments": claims{"role": "manager"}},
		}},
		{"lin", "Lin, a manager who signed in yesterday", claims{
			"sub": "lin", "name": "Lin", "auth_time": now.Add(-26 * time.Hour).Unix(),
			"permissions": claims{"reports": claims{"role": "analyst"}, "payments": claims{"role": "manager"}},
		}},
		{"guest", "Sam, a guest", claims{
			"sub": "sam", "name": "Sam",
			"permissions": claims{"orders": claims{"role": "guest"}},
		}},
		{"export", "The nightly export, a program", claims{
			"sub": "nightly-export", "client_id": "nightly-export", "scope": "reports:read",
			"permissions": claims{"reports": claims{"read": true}},
		}},
		{"mallory", "Mallory, who writes markup into claims", claims{
			"sub": "<img src=x onerror=alert(1)>", "name": "</script><script>alert(2)</script>",
			"permissions": claims{"orders": claims{"role": "<b>clerk</b>"}},
		}},
	}
	all := make([]persona, len(list))
	for i, p := range list {
		all[i] = persona{p.id, p.name, must(json.Marshal(p.claims))}
	}
	return all
}

// must panics on an error that cannot occur.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

var flaws = []flaw{
	{ID: "none", Name: "Nothing: a valid token", About: "Signed by the issuer's key, for this service, valid for an hour."},
	{ID: "no_token", Name: "No token", About: "The request has no Authorization header.", send: func(string) []string { return nil }},
	{ID: "scheme", Name: "Wrong scheme", About: "The Authorization header holds Basic credentials.", send: func(string) []string { return []string{"Basic YWRhOnNlY3JldA=="} }},
	{ID: "raw", Name: "Token without a scheme", About: "The Authorization header holds the bare token, without “Bearer”.", send: func(token string) []string { return []string{token} }},
	{ID: "two_headers", Name: "Two headers", About: "The same Authorization header twice. Which of two would count?", send: func(token string) []string { return []string{"Bearer " + token, "Bearer " + token} }},
	{ID: "garbage", Name: "Not a token", About: "The word after “Bearer” is not a JWT.", send: func(string) []string { return []string{"Bearer open-sesame"} }},
	{ID: "expired", Name: "Expired", About: "It expired an hour ago.", options: []devissuer.TokenOption{devissuer.Expired()}},
	{ID: "not_yet_valid", Name: "Not yet valid", About: "It becomes valid in an hour.", options: []devissuer.TokenOption{devissuer.NotYetValid()}},
	{ID: "no_expiry", Name: "Never expires", About: "It has no exp.", options: []devissuer.TokenOption{devissuer.WithoutClaim("exp")}},
	{ID: "wrong_audience", Name: "Wrong audience", About: "It is for another service.", options: []devissuer.TokenOption{devissuer.WrongAudience()}},
	{ID: "wrong_issuer", Name: "Wrong issuer", About: "It names another issuer.", options: []devissuer.TokenOption{devissuer.IssuedBy("https://other.example")}},
	{ID: "bad_signature", Name: "Invalid signature", About: "One bit of the signature is flipped.", options: []devissuer.TokenOption{devissuer.BadSignature()}},
	{ID: "tampered", Name: "Tampered with", About: "A claim was added after it had been signed.", forge: tamper},
	{ID: "unknown_key", Name: "Unknown key", About: "Signed by a key that the issuer does not publish.", options: []devissuer.TokenOption{devissuer.UnknownKey()}},
	{ID: "embedded_key", Name: "Brings its own key", About: "Signed by an attacker's key, which its header contains.", embedsKey: true},
	{ID: "alg_none", Name: "alg: none", About: "It claims to need no signature, and has none.", options: []devissuer.TokenOption{devissuer.Header("alg", "none")}, forge: unsign},
	{ID: "hmac", Name: "HS256 with the public key", About: "Signed with a secret that is public: the text of the public key.", options: []devissuer.TokenOption{devissuer.Header("alg", "HS256")}, forge: signWithPublicKey},
}

var routes = []route{
	newRoute("orders", "/orders", "Clerks see the orders.", isClerk, nil),
	newRoute("me", "/me", "Any valid token.", nil, nil),
	newRoute("reports", "/reports", "Analysts and managers, or a program with the flag and the scope.", readsReports, nil),
	newRoute("users", "/users/{id}", "Your own page, or any page for an admin.", selfOrAdmin, map[string]string{"id": "ada"}),
	newRoute("payouts", "/payouts", "Managers who signed in within 15 minutes.", paysOut, nil),
}

func newRoute(id, pattern, about string, p sso.Permission, values map[string]string) route {
	r := route{ID: id, Pattern: pattern, Path: pattern, About: about, Requires: "a valid token", permission: p, values: values}
	if p != nil {
		r.Requires = permission.Describe(p)
	}
	for name, value := range values {
		r.Path = strings.Replace(r.Path, "{"+name+"}", value, 1)
	}
	return r
}

var presets = []preset{
	{Name: "allowed", Persona: "ada", Flaw: "none", Route: "orders", want: "200"},
	{Name: "no token", Persona: "ada", Flaw: "no_token", Route: "orders", want: "401 missing_token"},
	{Name: "wrong scheme", Persona: "ada", Flaw: "scheme", Route: "orders", want: "401 missing_token"},
	{Name: "two headers", Persona: "ada", Flaw: "two_headers", Route: "orders", want: "400 invalid_request"},
	{Name: "key rotated just now", Persona: "ada", Flaw: "none", Route: "orders", Rotate: true, want: "200"},
	{Name: "expired", Persona: "ada", Flaw: "expired", Route: "orders", want: "401 invalid_token"},
	{Name: "wrong audience", Persona: "ada", Flaw: "wrong_audience", Route: "orders", want: "401 invalid_token"},
	{Name: "invalid signature", Persona: "ada", Flaw: "bad_signature", Route: "orders", want: "401 invalid_token"},
	{Name: "unknown key", Persona: "ada", Flaw: "unknown_key", Route: "orders", want: "401 invalid_token"},
	{Name: "missing permission", Persona: "guest", Flaw: "none", Route: "orders", want: "403 insufficient_scope"},
}

// find returns the first matching element of a list.
func find[T any](list []T, is func(T) bool) (found T, ok bool) {
	for _, one := range list {
		if is(one) {
			return one, true
		}
	}
	return found, false
}
