package sso_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/sso"
)

// A realToken has the form of tokens that providers issue and other libraries had reports about.
type realToken struct {
	kind, name string // what is unusual, and in which token
	token      string
	config     func(*sso.Config) // nil: newAuth's
	want       sso.Reason        // empty: accepted
	holds      func(*sso.Principal) bool
}

var (
	unaddressed = func(c *sso.Config) { c.Audience, c.SkipAudienceCheck, c.ClientIDs = nil, true, []string{"web"} }
	anyIssuer   = func(c *sso.Config) { c.Issuer, c.SkipIssuerCheck = "", true }
	strictly    = func(c *sso.Config) { c.TokenType = sso.StrictAccessToken }
	shortLived  = func(c *sso.Config) { c.MaxTokenAge = 24 * 3600e9 }
)

// sessioned sets a session store in which no session has ended.
func sessioned(c *sso.Config) { c.Sessions = endless{} }

type endless struct{}

func (endless) Check(context.Context, sso.Session) error { return nil }

// headed is a valid token with changes to its header.
func headed(changes ...string) string { return signed(ada, headerWith(changes...), claimsWith()) }

// atJWT is a valid access token of RFC 9068 with changes to its claims.
func atJWT(changes ...string) string {
	claims := append([]string{"client_id", `"web"`, "jti", `"1"`}, changes...)
	return signed(ada, headerWith("typ", `"at+jwt"`), claimsWith(claims...))
}

// nullTokens have members that are null, as some serializers write what is not there.
var nullTokens = []realToken{
	{kind: "null", name: "nbf", token: token("nbf", `null`)},
	{kind: "null", name: "iat", token: token("iat", `null`), holds: func(p *sso.Principal) bool { return p.IssuedAt().IsZero() }},
	{kind: "null", name: "iat, where lifetimes are bounded", token: token("iat", `null`), config: shortLived, want: sso.ReasonTooLongLived},
	{kind: "null", name: "cnf", token: token("cnf", `null`)},
	{kind: "null", name: "events", token: token("events", `null`)},
	{kind: "null", name: "at_hash and c_hash", token: token("at_hash", `null`, "c_hash", `null`)},
	{kind: "null", name: "nonce", token: token("nonce", `null`)},
	{kind: "null", name: "token_use and payload typ", token: token("token_use", `null`, "typ", `null`)},
	{kind: "null", name: "jti and auth_time", token: token("jti", `null`, "auth_time", `null`)},
	{kind: "null", name: "client_id", token: token("client_id", `null`)},
	{kind: "null", name: "client_id, where clients are listed", token: token("client_id", `null`), config: unaddressed, want: sso.ReasonWrongClient},
	{kind: "null", name: "aud", token: token("aud", `null`), want: sso.ReasonWrongAudience},
	{kind: "null", name: "aud, where it is not checked", token: token("aud", `null`, "client_id", `"web"`), config: unaddressed, holds: func(p *sso.Principal) bool { return p.Audience() == nil }},
	{kind: "null", name: "scope beside scp", token: token("scope", `null`, "scp", `"orders:read"`), holds: func(p *sso.Principal) bool { return p.HasScope("orders:read") && !p.HasScope("null") }},
	{kind: "null", name: "scp beside scope", token: token("scope", `"orders:read"`, "scp", `null`), holds: func(p *sso.Principal) bool { return p.HasScope("orders:read") }},
	{kind: "null", name: "scope and scp", token: token("scope", `null`, "scp", `null`), holds: func(p *sso.Principal) bool { return len(p.Scopes()) == 0 }},
	{kind: "null", name: "permissions and roles", token: token("permissions", `null`, "roles", `null`), holds: func(p *sso.Principal) bool { return !p.HasRole("null") && p.Permissions().Len() == 0 }},
	{kind: "null", name: "header typ", token: headed("typ", `null`)},
	{kind: "null", name: "header cty", token: headed("cty", `null`)},
	{kind: "null", name: "header kid, and one key", token: headed("kid", `null`)},
	{kind: "null", name: "header x5t, jku and jwk", token: headed("x5t", `null`, "jku", `null`, "jwk", `null`)},

	{kind: "null", name: "sub", token: token("sub", `null`), want: sso.ReasonMalformedClaim},
	{kind: "null", name: "exp", token: token("exp", `null`), want: sso.ReasonMalformedClaim},
	{kind: "null", name: "iss", token: token("iss", `null`), want: sso.ReasonMalformedClaim},
	{kind: "null", name: "iss, where any is accepted", token: token("iss", `null`), config: anyIssuer, want: sso.ReasonMalformedClaim},
	{kind: "null", name: "header alg", token: headed("alg", `null`), want: sso.ReasonAlgorithm},
	{kind: "null", name: "header crit", token: headed("crit", `null`), want: sso.ReasonCriticalHeader},
	{kind: "null", name: "header zip", token: headed("zip", `null`), want: sso.ReasonUnsupportedHeader},
	{kind: "null", name: "header b64", token: headed("b64", `null`), want: sso.ReasonUnsupportedHeader},

	{kind: "null, where RFC 9068 is required", name: "client_id", token: atJWT("client_id", `null`), config: strictly, want: sso.ReasonMissingClaim},
	{kind: "null, where RFC 9068 is required", name: "jti", token: atJWT("jti", `null`), config: strictly, want: sso.ReasonMissingClaim},
	{kind: "null, where RFC 9068 is required", name: "iat", token: atJWT("iat", `null`), config: strictly, want: sso.ReasonMissingClaim},
	{kind: "null, where RFC 9068 is required", name: "header typ", token: headed("typ", `null`), config: strictly, want: sso.ReasonTokenType},
	{kind: "null, where RFC 9068 is required", name: "nbf and cnf", token: atJWT("nbf", `null`, "cnf", `null`), config: strictly},
}

func noSubject(p *sso.Principal) bool { return p.Subject() == "" }

// emptyTokens have texts that are empty, such as the sub of a Cloudflare Access service token.
var emptyTokens = []realToken{
	{kind: "empty text", name: "sub", token: token("sub", `""`, "common_name", `"e367"`), holds: noSubject},
	{kind: "empty text", name: "sub, where RFC 9068 is required", token: atJWT("sub", `""`), config: strictly, want: sso.ReasonMissingClaim},
	{kind: "empty text", name: "sub, where it names the session's user", token: token("sub", `""`, "sid", `"s1"`), config: sessioned, want: sso.ReasonNoSession},
	{kind: "empty text", name: "client_id", token: token("client_id", `""`)},
	{kind: "empty text", name: "client_id, where clients are listed", token: token("client_id", `""`), config: unaddressed, want: sso.ReasonWrongClient},
	{kind: "empty text", name: "client_id, where RFC 9068 is required", token: atJWT("client_id", `""`), config: strictly, want: sso.ReasonMissingClaim},
	{kind: "empty text", name: "jti", token: token("jti", `""`), holds: func(p *sso.Principal) bool { return p.TokenID() == "" }},
	{kind: "empty text", name: "nonce, at_hash and c_hash", token: token("nonce", `""`, "at_hash", `""`, "c_hash", `""`)},
	{kind: "empty text", name: "token_use and payload typ", token: token("token_use", `""`, "typ", `""`)},
	{kind: "empty text", name: "scope beside scp", token: token("scope", `""`, "scp", `"orders:read"`), holds: func(p *sso.Principal) bool { return p.HasScope("orders:read") }},
	{kind: "empty text", name: "scope beside a nonce", token: token("scope", `""`, "nonce", `"n"`)},
	{kind: "empty text", name: "header typ", token: headed("typ", `""`)},
	{kind: "empty text", name: "header typ, where RFC 9068 is required", token: headed("typ", `""`), config: strictly, want: sso.ReasonTokenType},
	{kind: "empty text", name: "header cty", token: headed("cty", `""`)},
	{kind: "empty text", name: "header kid, and one key", token: headed("kid", `""`)},

	{kind: "empty text", name: "iss", token: token("iss", `""`), want: sso.ReasonMalformedClaim},
	{kind: "empty text", name: "iss, where any is accepted", token: token("iss", `""`), config: anyIssuer, want: sso.ReasonMalformedClaim},
	{kind: "empty text", name: "aud", token: token("aud", `""`), want: sso.ReasonWrongAudience},
	{kind: "empty text", name: "exp", token: token("exp", `""`), want: sso.ReasonMalformedClaim},
	{kind: "empty text", name: "nbf", token: token("nbf", `""`), want: sso.ReasonMalformedClaim},
	{kind: "empty text", name: "cnf", token: token("cnf", `""`), want: sso.ReasonBoundToken},
	{kind: "empty text", name: "events", token: token("events", `""`), want: sso.ReasonTokenKind},
	{kind: "empty text", name: "header alg", token: headed("alg", `""`), want: sso.ReasonAlgorithm},
	{kind: "empty text", name: "header crit", token: headed("crit", `""`), want: sso.ReasonCriticalHeader},
	{kind: "empty text", name: "header zip", token: headed("zip", `""`), want: sso.ReasonUnsupportedHeader},
}

// typedTokens name media types (RFC 7515, sections 4.1.9 and 4.1.10; RFC 7519, section 5.2).
func typedTokens() (list []realToken) {
	for _, typ := range []string{"JWT", "jwt", "application/jwt", "Application/JWT", "at+jwt", "AT+JWT", "application/at+jwt", "JOSE", "jose", "application/jose"} {
		list = append(list, realToken{kind: "header typ", name: typ, token: headed("typ", `"`+typ+`"`)})
	}
	for _, typ := range []string{"at+jwt", "AT+JWT", "application/at+jwt", "APPLICATION/AT+JWT"} {
		token := signed(ada, headerWith("typ", `"`+typ+`"`), claimsWith("client_id", `"web"`, "jti", `"1"`))
		list = append(list, realToken{kind: "header typ, where RFC 9068 is required", name: typ, token: token, config: strictly})
	}
	for _, typ := range []string{"JWT", "application/jwt", "JOSE", "application/jose"} {
		list = append(list, realToken{kind: "header typ, where RFC 9068 is required", name: typ, token: headed("typ", `"`+typ+`"`), config: strictly, want: sso.ReasonTokenType})
	}
	for _, typ := range []string{
		"application/logout+jwt", "JOSE+JSON", "application/jose+json", "text/jwt", "misapplied1/jwt", "application/application/jwt", "application/x/jwt", "application/", "/jwt", "jwt/application", "applicationjwt",
	} {
		list = append(list, realToken{kind: "header typ", name: typ, token: headed("typ", `"`+typ+`"`), want: sso.ReasonTokenType})
	}
	for _, cty := range []string{`"json"`, `"application/json"`, `"JSON"`, `"application/json; charset=utf-8"`, `"text/plain"`, `"example"`, `"DEF"`} {
		list = append(list, realToken{kind: "header cty", name: cty, token: headed("cty", cty)})
	}
	for _, cty := range []string{
		`"JWT"`, `"jwt"`, `"application/jwt"`, `"Application/JWT"`, `"JWT; x=1"`, `" JWT "`, `"at+jwt"`, `"application/logout+jwt"`, `"dc+sd-jwt"`, `"JOSE"`, `"application/jose+json"`,
		`1`, `true`, `[]`, `["JWT"]`, `{}`,
	} {
		list = append(list, realToken{kind: "header cty", name: cty, token: headed("cty", cty), want: sso.ReasonTokenType})
	}
	return list
}

// capitalTokens have claims of their own that differ from registered ones by letter case.
var capitalTokens = []realToken{
	{kind: "letter case", name: "a customer number CID", token: token("CID", `"4711"`), holds: func(p *sso.Principal) bool { return !p.Claim("cid").Exists() }},
	{kind: "letter case", name: "CID, where clients are listed", token: token("CID", `"4711"`, "client_id", `"web"`), config: unaddressed, want: sso.ReasonMalformed},
	{kind: "letter case", name: "AppID, where clients are listed", token: token("AppID", `"4711"`, "client_id", `"web"`), config: unaddressed, want: sso.ReasonMalformed},
	{kind: "letter case", name: "AppID", token: token("AppID", `"4711"`)},
	{kind: "letter case", name: "CID beside cid", token: token("CID", `"web"`, "cid", `"other"`), want: sso.ReasonMalformed},
	{kind: "letter case", name: "Scope", token: token("Scope", `"x"`), holds: func(p *sso.Principal) bool { return len(p.Scopes()) == 0 }},
	{kind: "letter case", name: "Scope beside scope", token: token("Scope", `"admin"`, "scope", `"x"`), want: sso.ReasonMalformed},
	{kind: "letter case", name: "Scope beside a nonce", token: token("Scope", `"admin"`, "nonce", `"n"`), want: sso.ReasonTokenKind},
	{kind: "letter case", name: "ACR, Amr and Auth_Time", token: token("ACR", `"1"`, "Amr", `[]`, "Auth_Time", `1`), holds: func(p *sso.Principal) bool { return p.AuthenticatedAt().IsZero() }},
	{kind: "letter case", name: "Name, EMAIL, Roles and TenantID", token: token("Name", `"Ada"`, "EMAIL", `"a@b"`, "Roles", `["x"]`, "TenantID", `1`), holds: func(p *sso.Principal) bool { return !p.HasRole("x") }},
	{kind: "letter case", name: "NBF, which would be in the future", token: token("NBF", `99999999999`), want: sso.ReasonMalformed},
	{kind: "letter case", name: "CNF", token: token("CNF", `{}`), want: sso.ReasonMalformed},
	{kind: "letter case", name: "Client_ID", token: token("Client_ID", `"web"`), want: sso.ReasonMalformed},
	{kind: "letter case", name: "Permissions", token: token("Permissions", `{}`), want: sso.ReasonMalformed},
	{kind: "letter case", name: "Groups, where roles are read from groups", token: token("Groups", `[]`), config: grouped, want: sso.ReasonMalformed},
}

func grouped(c *sso.Config) { c.RolesClaim = "groups" }

// largeTokens are tokens of providers with many applications, or with certificates in the header.
func largeTokens() []realToken {
	audiences := func(n int) string { // those of all applications of a Zitadel project, ours last
		return `[` + strings.Repeat(`"69234237810729019",`, n-1) + `"api"]`
	}
	chain := func(bytes int) string { return `["` + strings.Repeat("MIIC", bytes/4) + `"]` }
	large := func(c *sso.Config) { c.MaxTokenBytes = 64 << 10 }
	return []realToken{
		{kind: "large", name: "65 audiences", token: token("aud", audiences(65))},
		{kind: "large", name: "400 audiences", token: token("aud", audiences(400)), holds: func(p *sso.Principal) bool { return len(p.Audience()) == 400 }},
		{kind: "large", name: "2000 audiences", token: token("aud", audiences(2000)), config: large},
		{kind: "large", name: "65 audiences, ours not among them", token: token("aud", strings.Replace(audiences(65), "api", "app", 1)), want: sso.ReasonWrongAudience},
		{kind: "large", name: "x5c of 5 KiB in the header", token: headed("x5c", chain(5<<10))},
		{kind: "large", name: "x5c of 8.5 KiB in the header, as Azure Key Vault writes it", token: headed("x5c", chain(8704))},
		{kind: "large", name: "x5c of 32 KiB in the header", token: headed("x5c", chain(32<<10)), config: large},
		{kind: "large", name: "x5c of 32 KiB in the header", token: headed("x5c", chain(32<<10)), want: sso.ReasonTooLarge},
		{kind: "large", name: "above 16 KiB", token: token("x", chain(16<<10)), want: sso.ReasonTooLarge},
		{kind: "large", name: "above 16 KiB", token: token("x", chain(16<<10)), config: large},
	}
}

// clientTokens name their client in the claims of several providers.
func clientTokens() (list []realToken) {
	add := func(name string, want sso.Reason, claims ...string) {
		listed := func(c *sso.Config) { c.ClientIDs = []string{"app", "web"} }
		list = append(list,
			realToken{kind: "client", name: name, token: token(claims...), config: listed, want: want},
			realToken{kind: "client, where the audience is skipped", name: name, token: token(claims...), config: unaddressed, want: want})
	}
	names := []string{"client_id", "azp", "appid", "cid"}
	for i, name := range names {
		add(name, "", name, `"web"`)
		add("another "+name, sso.ReasonWrongClient, name, `"other"`)
		add(name+" in capitals", sso.ReasonWrongClient, name, `"WEB"`)
		add(name+" and a list", map[bool]sso.Reason{true: sso.ReasonMalformedClaim, false: sso.ReasonWrongClient}[i == 0], name, `["web"]`)
		add(name+" null", sso.ReasonWrongClient, name, `null`)
		add(name+" empty", sso.ReasonWrongClient, name, `""`)
		for _, other := range names[i+1:] {
			add(name+" and "+other, "", name, `"web"`, other, `"web"`)
			add(name+" null and "+other, "", name, `null`, other, `"web"`)
			add(name+" empty and "+other, "", name, `""`, other, `"web"`)
			add(name+" and another "+other, sso.ReasonWrongClient, name, `"web"`, other, `"other"`)
			add("another "+name+" and "+other, sso.ReasonWrongClient, name, `"other"`, other, `"web"`)
			add(name+" and a number in "+other, sso.ReasonWrongClient, name, `"web"`, other, `1`)
			add(name+" and an empty "+other, "", name, `"web"`, other, `""`)
		}
		list = append(list, realToken{kind: "client, where none is listed", name: name, token: token(name, `"web"`, names[(i+1)%4], `"other"`)})
	}
	add("none", sso.ReasonWrongClient)
	add("four that agree", "", "client_id", `"web"`, "azp", `"web"`, "appid", `"web"`, "cid", `"web"`)
	add("two listed ones that differ", sso.ReasonWrongClient, "azp", `"web"`, "client_id", `"app"`)
	return list
}

func TestConfig_ClientIDsLogged(t *testing.T) {
	for want, claims := range map[string][]string{
		`client_id is "x", want one of ["web"]`:                                     {"client_id", `"x"`, "azp", `"x"`},
		`azp is "x", want one of ["web"]`:                                           {"azp", `"x"`},
		`appid is "x", want one of ["web"]`:                                         {"appid", `"x"`, "cid", `""`},
		`cid is "x", want one of ["web"]`:                                           {"cid", `"x"`},
		`azp is "web", and cid is "x": want one client`:                             {"azp", `"web"`, "cid", `"x"`},
		`azp is not a string`:                                                       {"azp", `1`},
		`none of ["client_id" "azp" "appid" "cid"] is present, want one of ["web"]`: nil,
	} {
		var log lines
		a := newAuth(t, func(c *sso.Config) { c.ClientIDs, c.Logger = []string{"web"}, log.logger(slog.LevelInfo) })
		_, err := a.ValidateToken(t.Context(), token(claims...))
		if entry := log.entries(t)[0]; reasonIn(err) != sso.ReasonWrongClient || entry["check"] != "client_id" || !strings.HasSuffix(fmt.Sprint(entry["error"]), ": "+want) {
			t.Errorf("%q: %v, %v", claims, err, entry)
		}
	}
}

// providerTokens are unusual and valid, or usual and not intended for this service.
func providerTokens() []realToken {
	from := func(issuer, audience string) func(*sso.Config) {
		return func(c *sso.Config) { c.Issuer, c.Audience = issuer, []string{audience} }
	}
	iss := func(issuer string) string { return `"` + issuer + `"` }
	idToken := func(issuer, audience string) func(*sso.Config) {
		return func(c *sso.Config) { from(issuer, audience)(c); c.TokenType = sso.AllowIDToken }
	}
	named := func(name string) func(*sso.Principal) bool {
		return func(p *sso.Principal) bool {
			s, _ := p.Claim("name").Text()
			return s == name && p.Subject() == "超级管理员"
		}
	}
	const cluster = "https://kubernetes.default.svc.cluster.local"
	return []realToken{
		{kind: "provider", name: "Cloudflare Access, a user", token: token("iss", iss("https://shop.cloudflareaccess.com"), "aud", `["a1b2"]`, "type", `"app"`, "identity_nonce", `"6ei69kawdKzMIAPF"`, "country", `"DE"`, "policy_id", `"7"`), config: from("https://shop.cloudflareaccess.com", "a1b2")},
		{kind: "provider", name: "Cloudflare Access, a service", token: token("iss", iss("https://shop.cloudflareaccess.com"), "aud", `"a1b2"`, "type", `"app"`, "sub", `""`, "common_name", `"e367826f93b8d71185e03fe518aff3b4.access"`), config: from("https://shop.cloudflareaccess.com", "a1b2"), holds: noSubject},
		{kind: "provider", name: "Google, iss without a scheme", token: token("iss", `"accounts.google.com"`), config: func(c *sso.Config) { c.Issuer = "accounts.google.com" }},
		{kind: "provider", name: "Keycloak, payload typ and nonce", token: token("typ", `"Bearer"`, "nonce", `"n"`, "scope", `"openid"`, "azp", `"web"`, "acr", `"1"`)},
		{kind: "provider", name: "Keycloak, aud account alone", token: token("aud", `"account"`, "typ", `"Bearer"`), want: sso.ReasonWrongAudience},
		{kind: "provider", name: "Kubernetes service account", token: signed(ada, headerWith("typ", ""), claimsWith("iss", iss(cluster), "aud", `["`+cluster+`"]`, "nbf", seconds(0), "kubernetes.io", `{"namespace":"shop","pod":{"name":"p","uid":"u"},"serviceaccount":{"name":"s","uid":"u"},"warnafter":1}`)), config: from(cluster, cluster)},
		{kind: "provider", name: "GitHub Actions", token: signed(ada, headerWith("x5t", `"eBZ_cn3sXYAd0ch4THBKHIgOwOE"`), claimsWith("iss", iss("https://token.actions.githubusercontent.com"), "sub", `"repo:shop/orders:ref:refs/heads/main"`, "ref", `"refs/heads/main"`, "run_attempt", `"2"`, "jti", `"j"`)), config: from("https://token.actions.githubusercontent.com", "api")},
		{kind: "provider", name: "GitLab CI", token: token("iss", iss("https://gitlab.example"), "sub", `"project_path:shop/orders:ref_type:branch:ref:main"`, "user_identities", `[{"provider":"x","extern_uid":"1"}]`, "nbf", seconds(0)), config: from("https://gitlab.example", "api")},
		{kind: "provider", name: "Google IAP", token: signed(ada, headerWith("typ", ""), claimsWith("iss", iss("https://cloud.google.com/iap"), "aud", `"/projects/1/apps/shop"`, "hd", `"example.com"`, "email", `"a@example.com"`)), config: from("https://cloud.google.com/iap", "/projects/1/apps/shop")},
		{kind: "provider", name: "Firebase", token: token("iss", iss("https://securetoken.google.com/shop"), "aud", `"shop"`, "auth_time", seconds(0), "user_id", `"ada"`, "firebase", `{"identities":{},"sign_in_provider":"custom"}`), config: idToken("https://securetoken.google.com/shop", "shop")},

		{kind: "dates", name: "with a fraction and an exponent", token: token("exp", seconds(time.Hour)+".528239", "iat", "1.7e+09", "groups", `[]`)},
		{kind: "dates", name: "exp as a text", token: token("exp", `"1944948329.528239"`), want: sso.ReasonMalformedClaim},
		{kind: "dates", name: "iat 30 s ahead", token: token("iat", seconds(30*time.Second))},
		{kind: "dates", name: "iat 10 min ahead", token: token("iat", seconds(10*time.Minute)), want: sso.ReasonIssuedInFuture},
		{kind: "text", name: "beyond ASCII", token: token("sub", `"超级管理员"`, "name", `"Ada 😀"`), holds: named("Ada 😀")},
		{kind: "text", name: "beyond ASCII, escaped", token: token("sub", `"\u8d85\u7ea7\u7ba1\u7406\u5458"`, "name", `"Ada \ud83d\ude00"`), holds: named("Ada 😀")},
		{kind: "duplicate", name: "sub", token: signed(ada, headerWith(), strings.Replace(claimsWith(), "{", `{"sub":"root",`, 1)), want: sso.ReasonMalformed},
		{kind: "audience", name: "an empty list", token: token("aud", `[]`), want: sso.ReasonWrongAudience},
		{kind: "audience", name: "a list of an empty text", token: token("aud", `[""]`), want: sso.ReasonWrongAudience},
		{kind: "audience", name: "a list of a number", token: token("aud", `[7]`), want: sso.ReasonMalformedClaim},
		{kind: "header", name: "x5t of no key", token: headed("x5t", `"AAAAAAAAAAAAAAAAAAAAAAAAAAA"`)},
		{kind: "header", name: "b64 false, in crit", token: headed("b64", `false`, "crit", `["b64"]`), want: sso.ReasonCriticalHeader},
		{kind: "header", name: "zip", token: headed("zip", `"DEF"`), want: sso.ReasonUnsupportedHeader},
		{kind: "header", name: "crit", token: headed("crit", `["exp"]`, "exp", `1`), want: sso.ReasonCriticalHeader},
		{kind: "form", name: "padding", token: token() + "==", want: sso.ReasonMalformed},
	}
}

// surrogateTokens have texts that were cut in the middle of a character in UTF-16 (RFC 8259, section 8.2).
var surrogateTokens = []realToken{
	{kind: "lone surrogate", name: "name", token: token("name", `"Ada \ud83d"`), holds: func(p *sso.Principal) bool { s, _ := p.Claim("name").Text(); return s == "Ada \ufffd" }},
	{kind: "lone surrogate", name: "deep in a claim", token: token("profile", `{"names":["\udc00x"]}`)},
	{kind: "lone surrogate", name: "roles, where roles are read from groups", token: token("roles", `["\ud83d"]`, "groups", `["a"]`), config: grouped, holds: func(p *sso.Principal) bool { return p.HasRole("a") }},
	{kind: "lone surrogate", name: "in a whole pair beside it", token: token("name", `"\ud83d\ud83d\ude00"`), holds: func(p *sso.Principal) bool { s, _ := p.Claim("name").Text(); return s == "\ufffd😀" }},
	{kind: "lone surrogate", name: "in a member name", token: token("x", `{"\ud83d":1}`), want: sso.ReasonMalformed},
	{kind: "lone surrogate", name: "sub", token: token("sub", `"ada\ud83d"`), want: sso.ReasonMalformed},
	{kind: "lone surrogate", name: "aud, beside ours", token: token("aud", `["api","\ud83d"]`), want: sso.ReasonMalformed},
	{kind: "lone surrogate", name: "scope", token: token("scope", `"a \ud83d"`), want: sso.ReasonMalformed},
	{kind: "lone surrogate", name: "permissions", token: token("permissions", `{"a":{"b":"\ud83d"}}`), want: sso.ReasonMalformed},
	{kind: "lone surrogate", name: "roles", token: token("roles", `["\ud83d"]`), want: sso.ReasonMalformed},
	{kind: "lone surrogate", name: "groups, where roles are read from them", token: token("groups", `["\ud83d"]`), config: grouped, want: sso.ReasonMalformed},
	{kind: "lone surrogate", name: "sid", token: token("sid", `"\ud83d"`)},
	{kind: "lone surrogate", name: "sid, where it names the session", token: token("sid", `"\ud83d"`), config: sessioned, want: sso.ReasonMalformed},
	{kind: "lone surrogate", name: "in the header", token: headed("x", `"\ud83d"`), want: sso.ReasonMalformed},
	{kind: "lone surrogate", name: "bytes that are not UTF-8 beside it", token: token("x", "\"\\ud83d\xff\""), want: sso.ReasonMalformed},
}

func TestValidateToken_RealTokens(t *testing.T) {
	for _, test := range slices.Concat(nullTokens, emptyTokens, typedTokens(), capitalTokens, surrogateTokens, largeTokens(), clientTokens(), providerTokens()) {
		t.Run(test.kind+"/"+test.name, func(t *testing.T) {
			if test.config == nil {
				test.config = func(*sso.Config) {}
			}
			p, err := newAuth(t, test.config).ValidateToken(t.Context(), test.token)
			if (err == nil) != (test.want == "") || err != nil && reasonIn(err) != test.want {
				t.Fatalf("%v, want %q", err, test.want)
			}
			if test.holds != nil && !test.holds(p) {
				t.Error("the principal is wrong")
			}
		})
	}
}
