package permission

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/more-retail/moresso-go/core/sso"
)

// Authenticated demands a principal, whatever its token says. It is for what every signed-in
// caller may do, as an alternative or beside a [Not]; under a guard's Require there always is one. A
// denial has the code [CodeNobody].
func Authenticated() sso.Permission { return authenticated{} }

type authenticated struct{}

func (authenticated) Check(_ context.Context, access sso.Access) sso.Decision {
	if (authenticated{}).holds(access) {
		return sso.Grant()
	}
	return sso.Deny(CodeNobody, "send a token")
}

func (authenticated) holds(access sso.Access) bool { return access.Principal().Claims().Exists() }

func (authenticated) describe() description { return description{Kind: "authenticated"} }

func (p authenticated) String() string { return Describe(p) }

// ClientCredentials demands that the token shows that a program got it for itself, by OAuth's
// client credentials grant: `idtyp` is "app" (Microsoft Entra), `gty` is "client-credentials"
// (Auth0), or `sub` names the client: it equals `client_id` (RFC 9068, section 2.2), `cid`
// (Okta) or `azp`. A token that shows nothing of the kind is denied, and so is one that shows
// a person besides; see [HumanUser]. Keycloak's tokens for service accounts show nothing that
// a user could not have too: demand a [Role] of them instead. A denial has the code
// [CodeWrongCaller].
func ClientCredentials() sso.Permission { return program }

// HumanUser demands that the token shows that a person signed in: `idtyp` is "user" (Microsoft
// Entra), or it tells when or how by `auth_time` or `amr` (RFC 9068, section 2.2.1). A token
// that shows nothing of the kind is denied, and so is one that shows a program besides; see
// [ClientCredentials]. It is therefore not the same as Not(ClientCredentials()), which grants
// where nothing is shown. A denial has the code [CodeWrongCaller].
func HumanUser() sso.Permission { return person }

// A caller is the kind of caller that is demanded.
type caller bool

const (
	program caller = false
	person  caller = true
)

func (p caller) Check(_ context.Context, access sso.Access) sso.Decision {
	if p.holds(access) {
		return sso.Grant()
	}
	remedy := "use a token that shows that a program got it for itself (by idtyp, gty, or a sub that is the client's), and no person"
	if p == person {
		remedy = "use a token that shows that a person signed in (by idtyp, auth_time or amr), and no program"
	}
	return sso.Deny(CodeWrongCaller, remedy)
}

func (p caller) holds(access sso.Access) bool {
	byProgram, byPerson := showsProgram(access.Principal().Claims()), showsPerson(access.Principal())
	return byProgram != byPerson && byPerson == (p == person)
}

func showsProgram(claims sso.Value) bool {
	if equals(claims, "idtyp", "app") || equals(claims, "gty", "client-credentials") {
		return true
	}
	sub, _ := claims.Get("sub").Text()
	return sub != "" && slices.ContainsFunc(clientClaims, func(name string) bool { return equals(claims, name, sub) })
}

var clientClaims = []string{"client_id", "cid", "azp"}

func showsPerson(principal *sso.Principal) bool {
	claims := principal.Claims()
	if equals(claims, "idtyp", "user") || !principal.AuthenticatedAt().IsZero() {
		return true
	}
	for method := range claims.Get("amr").Elements() {
		if text, ok := method.Text(); ok && text != "" {
			return true
		}
	}
	return false
}

func equals(claims sso.Value, name, text string) bool {
	found, ok := claims.Get(name).Text()
	return ok && found == text
}

func (p caller) describe() description {
	if p == person {
		return description{Kind: "humanUser"}
	}
	return description{Kind: "clientCredentials"}
}

func (p caller) String() string { return Describe(p) }

// FreshLogin demands that the person signed in no longer than maxAge ago, by `auth_time`
// (OpenID Connect Core 1.0, section 2) and [sso.Config.Now]. A token that does not tell, or tells a
// date in the future by more than [sso.Config.Leeway], is denied; the leeway makes no login
// younger. Where nothing but the login is missing, the refusal is 401 with
// `insufficient_user_authentication` and `max_age` in whole seconds (RFC 9470, section 3), and the
// client knows that it has to have its user sign in again. The client of a token without
// `auth_time` is told the same, though that would not help.
//
// It panics for less than a second. A denial has the code [CodeOldLogin], or [CodeNoAuthTime] for
// a token without.
func FreshLogin(maxAge time.Duration) sso.Permission {
	if maxAge < time.Second {
		panic(fmt.Sprintf("permission: FreshLogin(%v): no login is as fresh as that; give a second at least", maxAge))
	}
	return freshLogin(maxAge)
}

type freshLogin time.Duration

func (p freshLogin) Check(_ context.Context, access sso.Access) sso.Decision {
	if p.holds(access) {
		return sso.Grant()
	}
	maxAge := time.Duration(p)
	d := sso.Deny(CodeOldLogin, fmt.Sprintf("sign in again: auth_time may be at most %v ago", maxAge))
	if access.Principal().AuthenticatedAt().IsZero() {
		d = sso.Deny(CodeNoAuthTime, "have the identity provider put auth_time into its access tokens: this one does not tell when the person signed in, and signing in again would not help")
	}
	return d.WithStepUp(sso.StepUp{MaxAge: maxAge}) // the client is told the same: it cannot know
}

func (p freshLogin) holds(access sso.Access) bool {
	age, ok := access.LoginAge()
	return ok && age <= time.Duration(p)
}

func (p freshLogin) describe() description {
	return description{Kind: "freshLogin", Values: texts([]string{time.Duration(p).String()})}
}

func (p freshLogin) String() string { return Describe(p) }

// ACR demands that the person signed in by one of the means named, the preferred one first: the
// token's `acr` equals one of these authentication context class references (OpenID Connect
// Core 1.0, section 2). Where nothing but the login is missing, the refusal is 401 with
// `insufficient_user_authentication` and `acr_values` (RFC 9470, section 3). It panics without a
// value, and for one that cannot stand in a challenge: an empty one, or one with a space, a quote,
// a backslash or anything beyond ASCII. A denial has the code [CodeWeakLogin].
func ACR(values ...string) sso.Permission {
	if len(values) == 0 {
		panic("permission: ACR without a value")
	}
	for _, value := range values {
		if !isToken(value) {
			panic(fmt.Sprintf("permission: ACR: %q cannot be an authentication context class reference in a challenge; give each as an argument of its own", value))
		}
	}
	return acr(slices.Clone(values))
}

type acr []string

func (p acr) Check(_ context.Context, access sso.Access) sso.Decision {
	if p.holds(access) {
		return sso.Grant()
	}
	found, wanted := access.Principal().Claims().Get("acr"), oneOf(texts(p))
	return sso.Deny(CodeWeakLogin, "sign in so that acr is "+wanted).WithValue("acr", wanted, found).WithStepUp(sso.StepUp{ACRValues: p})
}

func (p acr) holds(access sso.Access) bool {
	text, ok := access.Principal().Claims().Get("acr").Text()
	return ok && slices.Contains(p, text)
}

func (p acr) describe() description { return description{Kind: "acr", Values: texts(p)} }

func (p acr) String() string { return Describe(p) }

// SameAsPath demands that the request is about the caller's own: the claim at a path from the
// token's root equals, to the letter, what the request's path holds, decoded, in the place of a
// named parameter: SameAsPath("sub", "user") for the route "GET /users/{user}". The parameter's
// name is written as the route has it, without the framework's brackets or colon. The claim is a
// non-empty string or an integer of 64 bits. An absent or empty one on either side denies, so a
// parameter that the route does not have denies always; and "*" means nothing. It panics without a
// claim or a parameter. A denial has the code [CodeNotOwn].
func SameAsPath(claimPath, pathParam string) sso.Permission {
	if pathParam == "" {
		panic("permission: SameAsPath without the name of a path parameter")
	}
	return &sameAsPath{newClaim("SameAsPath", claimPath), pathParam}
}

type sameAsPath struct {
	claim path
	param string
}

func (p *sameAsPath) Check(_ context.Context, access sso.Access) sso.Decision {
	if p.holds(access) {
		return sso.Grant()
	}
	if access.PathValue(p.param) == "" {
		return sso.Deny(CodeNotOwn, fmt.Sprintf("name a parameter of the route %s, as SameAsPath does: the request's path has no value by that name", p.param))
	}
	return sso.Deny(CodeNotOwn, fmt.Sprintf("use a token whose %s is what the path has as %s", p.claim.text, p.param)).
		WithValue(p.claim.text, "what the path has as "+p.param, p.claim.in(access))
}

func (p *sameAsPath) holds(access sso.Access) bool {
	claim := p.claim.in(access)
	own, ok := claim.Text()
	if number, isInteger := claim.Int64(); isInteger {
		own, ok = strconv.FormatInt(number, 10), true
	}
	return ok && own != "" && own == access.PathValue(p.param)
}

func (p *sameAsPath) describe() description {
	return description{Kind: "sameAsPath", Path: p.claim.text, Values: texts([]string{p.param})}
}

func (p *sameAsPath) String() string { return Describe(p) }

// Method demands that the request has one of these methods, compared exactly: GET does not
// stand for HEAD. It says nothing about the caller, so a route has to demand something else
// beside it: [Authenticated] at least; see [ForRoute]. Outside of a request it denies. It panics
// without a method and for any but GET, HEAD, POST, PUT, PATCH, DELETE and OPTIONS, in capitals. A
// denial has the code [CodeWrongMethod].
func Method(methods ...string) sso.Permission {
	if len(methods) == 0 {
		panic("permission: Method without a method")
	}
	for _, m := range methods {
		if !slices.Contains(httpMethods, m) {
			panic(fmt.Sprintf("permission: Method(%q): write one of %s", m, strings.Join(httpMethods, ", ")))
		}
	}
	return method(slices.Clone(methods))
}

// httpMethods are those of RFC 9110, section 9.3, and RFC 5789, without CONNECT and TRACE, which
// no handler should see.
var httpMethods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions}

type method []string

func (p method) Check(_ context.Context, access sso.Access) sso.Decision {
	if p.holds(access) {
		return sso.Grant()
	}
	return sso.Deny(CodeWrongMethod, "send the request by "+strings.Join(p, " or "))
}

func (p method) holds(access sso.Access) bool { return slices.Contains(p, access.Method()) }

func (p method) describe() description { return description{Kind: "method", Values: texts(p)} }

func (p method) String() string { return Describe(p) }
