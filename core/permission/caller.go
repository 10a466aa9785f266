package permission

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/more-retail/moresso-go/core/sso"
)

// Authenticated requires a principal. It allows every signed-in caller, as an alternative or beside a
// [Not]; a guard's Require always has a principal. A denial has the code "no_principal".
func Authenticated() sso.Permission {
	return &node{
		text:  call("authenticated"),
		holds: func(access sso.Access) bool { return access.Principal().Claims().Exists() },
		deny:  func(sso.Access) sso.Decision { return sso.Deny("no_principal", "send a token") },
	}
}

// ClientCredentials requires evidence that the token was issued to a program by OAuth's client
// credentials grant: `idtyp` is "app" (Microsoft Entra), `gty` is "client-credentials" (Auth0), or
// `sub` equals the client in `client_id` (RFC 9068, section 2.2), `cid` (Okta) or `azp`. A token
// without such evidence is denied, and so is one with evidence of a person; see [HumanUser].
// Keycloak's tokens for service accounts have no evidence that a user's token cannot have: require a
// [Role] instead. A denial has the code "wrong_caller".
func ClientCredentials() sso.Permission {
	return caller("clientCredentials", false, "use a token that identifies a program (by idtyp, gty, or a sub that equals the client) and not a person")
}

// HumanUser requires evidence that a person signed in: `idtyp` is "user" (Microsoft Entra), or the
// token has `auth_time` or `amr` (RFC 9068, section 2.2.1). A token without such evidence is denied,
// and so is one with evidence of a program; see [ClientCredentials]. It therefore differs from
// Not(ClientCredentials()), which grants without any evidence. A denial has the code "wrong_caller".
func HumanUser() sso.Permission {
	return caller("humanUser", true, "use a token that identifies a person (by idtyp, auth_time or amr) and not a program")
}

func caller(name string, human bool, remedy string) sso.Permission {
	return &node{
		text: call(name),
		holds: func(access sso.Access) bool {
			program, person := identifiesProgram(access.Principal().Claims()), identifiesPerson(access.Principal())
			return person == human && program != human
		},
		deny: func(sso.Access) sso.Decision { return sso.Deny("wrong_caller", remedy) },
	}
}

func identifiesProgram(claims sso.Value) bool {
	if equals(claims, "idtyp", "app") || equals(claims, "gty", "client-credentials") {
		return true
	}
	sub, _ := claims.Get("sub").Text()
	return sub != "" && (equals(claims, "client_id", sub) || equals(claims, "cid", sub) || equals(claims, "azp", sub))
}

func identifiesPerson(principal *sso.Principal) bool {
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

// FreshLogin requires that the user signed in at most maxAge ago, by `auth_time` (OpenID Connect
// Core 1.0, section 2) and [sso.Config.Now]. A token without `auth_time` is denied, and so is one
// whose `auth_time` is in the future by more than [sso.Config.Leeway]; the leeway does not extend
// maxAge. If nothing but the login is missing, the client gets 401 with
// `insufficient_user_authentication` and `max_age` in whole seconds (RFC 9470, section 3), and can have
// its user sign in again. The client of a token without `auth_time` gets the same answer, although
// another login does not help.
//
// It panics for less than a second. A denial has the code "old_login", or "no_auth_time" for a token
// without `auth_time`.
func FreshLogin(maxAge time.Duration) sso.Permission {
	if maxAge < time.Second {
		panic(fmt.Sprintf("permission: FreshLogin(%v): the age must be at least a second", maxAge))
	}
	return &node{
		text:       call("freshLogin", texts(maxAge.String())...),
		readsClock: true,
		holds: func(access sso.Access) bool {
			age, ok := access.LoginAge()
			return ok && age <= maxAge
		},
		deny: func(access sso.Access) sso.Decision {
			code, remedy := "old_login", fmt.Sprintf("sign in again: auth_time may be at most %v ago", maxAge)
			if access.Principal().AuthenticatedAt().IsZero() {
				code, remedy = "no_auth_time", "configure the identity provider to put auth_time into its access tokens: without it, signing in again does not help"
			}
			return sso.Deny(code, remedy).With(sso.Details{MaxAge: maxAge}) // the same for the client, which cannot know
		},
	}
}

// ACR requires that the user signed in by one of the means listed, the preferred one first: the
// token's `acr` equals one of these authentication context class references (OpenID Connect
// Core 1.0, section 2). If nothing but the login is missing, the client gets 401 with
// `insufficient_user_authentication` and `acr_values` (RFC 9470, section 3). It panics without a
// value, and for one that a challenge cannot contain: an empty one, or one with a space, a quote, a
// backslash or a character outside ASCII. A denial has the code "weak_login".
func ACR(values ...string) sso.Permission {
	values = tokens("ACR", values)
	wanted := oneOf(texts(values...), "", "one of ")
	return &node{
		text: call("acr", texts(values...)...),
		holds: func(access sso.Access) bool {
			text, ok := access.Principal().Claims().Get("acr").Text()
			return ok && slices.Contains(values, text)
		},
		deny: func(access sso.Access) sso.Decision {
			details := sso.Details{Path: "acr", Wanted: wanted, Found: access.Principal().Claims().Get("acr"), ACRValues: values}
			return sso.Deny("weak_login", "sign in so that acr is "+wanted).With(details)
		},
	}
}

// IssuedBy requires that the token is by one of the issuers, whose `iss` is compared exactly. Where issuers
// are joined ([sso.Join]), combine it with what only one of them may grant, as in
// All(IssuedBy("https://login.example.com"), Role("admin")). It panics without an issuer and for an
// empty one. A denial has the code "other_issuer".
func IssuedBy(issuers ...string) sso.Permission {
	if len(issuers) == 0 || slices.Contains(issuers, "") {
		panic("permission: IssuedBy without an issuer, or with an empty one")
	}
	issuers = slices.Clone(issuers)
	wanted := oneOf(texts(issuers...), "", "one of ")
	return &node{
		text:  call("issuedBy", texts(issuers...)...),
		holds: func(access sso.Access) bool { return slices.Contains(issuers, access.Principal().Issuer()) },
		deny: func(access sso.Access) sso.Decision {
			return sso.Deny("other_issuer", "use a token of the issuer "+wanted).
				With(sso.Details{Path: "iss", Wanted: wanted, Found: access.Principal().Claims().Get("iss")})
		},
	}
}

// SameAsPath requires that the request is about the caller: the claim at a path from the token's root
// equals, byte for byte, the decoded value of a parameter of the request's path, as in
// SameAsPath("sub", "user") for the route "GET /users/{user}". Write the parameter's name without the
// framework's brackets or colon. The claim is a non-empty string or an integer of 64 bits. If
// either side is absent or empty it denies. It fails (500) for a parameter that the route does not have;
// see [sso.Access.PathValue]. "*" has no meaning.
//
// The token must be by one of the issuers, if any are given. Where issuers are joined ([sso.Join]), two
// of them can have the same subject, so the default is the first one: [sso.Access.HomeIssuer].
//
// It panics without a claim or a parameter, for a parameter with a colon or brackets, and for an empty
// issuer. A denial has the code "not_own".
func SameAsPath(claimPath, pathParam string, issuers ...string) sso.Permission {
	if slices.Contains(issuers, "") {
		panic("permission: SameAsPath with an empty issuer")
	}
	issuers = slices.Clone(issuers)
	foreign := func(access sso.Access) bool {
		home, iss := access.HomeIssuer(), access.Principal().Issuer()
		return len(issuers) > 0 && !slices.Contains(issuers, iss) || len(issuers) == 0 && home != "" && iss != home
	}
	if pathParam == "" || strings.ContainsAny(pathParam, ":{}<>") {
		panic(fmt.Sprintf("permission: SameAsPath(…, %q): want the name of a path parameter, without colon and brackets", pathParam))
	}
	claim := newPath("SameAsPath", claimPath, true)
	return &node{
		text:         call("sameAsPath", texts(append([]string{claimPath, pathParam}, issuers...)...)...),
		readsRequest: true,
		holds: func(access sso.Access) bool {
			value, wanted := claim.in(access), access.PathValue(pathParam)
			own, ok := value.Text()
			if number, isInteger := value.Int64(); isInteger {
				own, ok = strconv.FormatInt(number, 10), true
			}
			return ok && own != "" && own == wanted && !foreign(access) && !strings.ContainsRune(own, utf8.RuneError) // in place of a lone surrogate
		},
		deny: func(access sso.Access) sso.Decision {
			if access.PathValue(pathParam) == "" {
				return sso.Deny("not_own", fmt.Sprintf("use a path with a value of the parameter %s", pathParam))
			}
			if foreign(access) {
				wanted := strings.Join(issuers, " or ")
				return sso.Deny("not_own", fmt.Sprintf("use a token by %s, whose subjects the path parameter %s names", cmp.Or(wanted, access.HomeIssuer()), pathParam)).
					With(sso.Details{Path: "iss", Wanted: cmp.Or(wanted, access.HomeIssuer()), Found: access.Principal().Claims().Get("iss")})
			}
			return sso.Deny("not_own", fmt.Sprintf("use a token whose %s equals the path parameter %s", claimPath, pathParam)).
				With(sso.Details{Path: claimPath, Wanted: "the path parameter " + pathParam, Found: claim.in(access)})
		},
	}
}
