package adaptertest

import (
	"crypto"
	"net/http"
	"net/url"
	"strings"

	"github.com/more-retail/moresso-go/core/devissuer"
)

// A testCase is one request and its response.
type testCase struct {
	name, rule string
	request    *http.Request
	want       answer
	needs      Feature  // "" if none
	panics     bool     // whether the function of WithDenied panics, which is logged
	logs       []string // texts in the error that is logged
}

// A caseList collects cases.
type caseList []testCase

// add adds a case, to which the caller may add what it needs.
func (l *caseList) add(name, rule string, request *http.Request, want answer) *testCase {
	*l = append(*l, testCase{name: name, rule: rule, request: request, want: want})
	return &(*l)[len(*l)-1]
}

// cases are the requests and responses that all frameworks share.
func (s *suite) cases() []testCase {
	var l caseList
	s.requests(&l)
	s.sources(&l)
	s.renderers(&l)
	s.invalidTokens(&l)
	return l
}

func (s *suite) requests(l *caseList) {
	const basic = "Basic YWRhOnNlY3JldA=="
	plain := bearer(s.issuer.Token())
	permitted := devissuer.Permission("pma.role", "admin")
	admin := bearer(s.issuer.Token(permitted))
	l.add("a valid token", "A valid token lets the request through, and the handler finds the principal in the framework's store and in the request's context.Context.",
		get("/authenticated", plain), passes("hello ada"))
	l.add("no token", "Without credentials the response is 401 with a bare challenge (RFC 6750, section 3.1), and the handler does not run.",
		get("/authenticated"), missingToken)
	l.add("an empty Authorization field", "An empty field holds no credentials.",
		get("/authenticated", ""), missingToken)
	l.add("another scheme", "Credentials of another scheme are not bearer credentials.",
		get("/authenticated", basic), missingToken)
	l.add("a token without scheme", "A token without a scheme is not a bearer credential: a gateway would not see one either.",
		get("/authenticated", s.issuer.Token()), missingToken)
	l.add("the scheme in lower case", "Schemes match in any letter case (RFC 9110, section 11.1).",
		get("/authenticated", "bearer "+s.issuer.Token()), passes("hello ada"))
	l.add("two Authorization fields", "Two credentials are a malformed request, even if the first is valid: another party may read the second.",
		get("/authenticated", plain, plain), invalidReq).needs = RepeatedFields
	l.add("two Authorization fields of which the second has another scheme", "The first field alone does not decide.",
		get("/authenticated", plain, basic), invalidReq).needs = RepeatedFields
	l.add("two credentials in one field", "Fields joined by a comma are two credentials.",
		get("/authenticated", plain+", "+plain), invalidReq)
	l.add("the scheme alone", "The scheme without a token is malformed.",
		get("/authenticated", "Bearer"), invalidReq)
	l.add("a token with a space in it", "A token has no spaces (RFC 6750, section 2.1).",
		get("/authenticated", plain+" x"), invalidReq)
	l.add("HEAD without token", "HEAD is answered like GET, without the body.",
		request(http.MethodHead, "/authenticated"), missingToken)
	l.add("POST without token", "Every method is guarded.",
		request(http.MethodPost, "/authenticated"), missingToken)
	l.add("a permission that is granted", "Require authenticates by itself and lets the request through.",
		get("/required", admin), passes("hello ada"))
	l.add("a permission that is not granted", "A valid token without the permission is 403 (RFC 6750, section 3.1), not 401.",
		get("/required", plain), noPermission)
	l.add("Require without token", "Require authenticates first: no token is 401, not 403.",
		get("/required"), missingToken)
	l.add("Authenticate, then Require: granted", "Guards on one route add up.",
		get("/both", admin), passes("hello ada"))
	l.add("Authenticate, then Require: not granted", "Guards on one route add up; the inner one rejects.",
		get("/both", plain), noPermission)
	l.add("Optional: anonymous", "Without an Authorization field the handler runs, without a principal.",
		get("/optional"), passes("anonymous"))
	l.add("Optional: a valid token", "With a valid token the handler has its principal.",
		get("/optional", plain), passes("hello ada"))
	l.add("Optional: an invalid token", "An invalid token is rejected, not treated as anonymous.",
		get("/optional", bearer(s.issuer.Token(devissuer.Expired()))), invalidToken)
	l.add("Optional: another scheme", "Another credential is rejected, not treated as anonymous.",
		get("/optional", basic), missingToken)
	l.add("Optional, then Require: anonymous", "An anonymous request has no permission: it has to authenticate.",
		get("/optional-required"), missingToken)
	l.add("two authenticators, a token for one", "An authenticator does not rely on the principal of another.",
		get("/two-authenticators", bearer(s.issuer.Token(devissuer.Audience("other-api"), permitted))), invalidToken)
	l.add("two authenticators, a token for both", "Two authenticators on one route each check for themselves.",
		get("/two-authenticators", bearer(s.issuer.Token(devissuer.Audience("other-api", "api"), permitted))), passes("hello ada"))
	l.add("scopes", "The challenge names the missing scopes if Config.TellScopes is set (RFC 6750, section 3).",
		get("/scoped", bearer(s.issuer.Token(devissuer.Scope("orders:read")))),
		refused(403, "Forbidden", "insufficient_scope", `Bearer error="insufficient_scope", scope="orders:write"`))
	l.add("a login that is too old and too weak", "If only the login is insufficient, the client learns how to sign in again (RFC 9470, section 3).",
		get("/step-up", admin),
		refused(401, "Unauthorized", "insufficient_user_authentication", `Bearer error="insufficient_user_authentication", acr_values="mfa", max_age="300"`))
	l.add("a login that is too old, without the permission", "Another login would not help if a permission is missing too: 403.",
		get("/step-up", plain), noPermission)
	l.add("a login that is fresh and strong", "With the required login the request passes.",
		get("/step-up", bearer(s.issuer.Token(permitted, devissuer.Claim("acr", "mfa"), devissuer.Claim("auth_time", s.clock.now().Unix())))), passes("hello ada"))
	l.add("a permission that fails", "A permission that cannot be decided is an error of the service, and the cause stays inside.",
		get("/failing", plain), internal)
	l.add("a permission that panics", "A panic rejects; it neither opens the route nor reaches the client.",
		get("/panicking", plain), internal)
	l.add("what a permission sees of the request", "Method, decoded path values and headers are the same in every framework.",
		with(get("/orders/a%20b", plain), "X-Tenant", "acme"), passes("hello ada")).needs = PathValues
	l.add("a path value that is encoded without need", "%61 is an a in every framework: permissions compare decoded values.",
		with(get("/orders/%61%20b", plain), "X-Tenant", "acme"), passes("hello ada")).needs = PathValues
	l.add("a path value that is encoded twice", "A value is decoded once: %2561 is %61 and not a.",
		with(get("/orders/%2561%20b", plain), "X-Tenant", "acme"), noPermission).needs = PathValues
	l.add("a path value of which a part is encoded twice", "The same, if the path is not in its plainest form.",
		with(get("/orders/%61%2520b", plain), "X-Tenant", "acme"), noPermission).needs = PathValues
	forward := "With the option WithTokenInContext, the handler can forward the token that the guard accepted."
	withToken := func(opts ...devissuer.TokenOption) (authorization string, passed answer) {
		token := s.issuer.Token(opts...)
		return bearer(token), passes("hello ada, your token is " + token)
	}
	token, passed := withToken(permitted)
	for _, path := range []string{"/token-required", "/token-optional", "/token-outside", "/token-inside"} {
		l.add("a token for the handler, "+path, forward, get(path, token), passed)
	}
	l.add("a token for the handler", forward, get("/token", token), passed)
	l.add("a token for the handler, cached", forward, get("/token", token), passed)
	l.add("no token for the handler of an anonymous request", forward, get("/token-optional"), passes("anonymous"))
	l.add("no token for the handler of a refused request", forward, get("/token-required", plain), noPermission)
	both, passedBoth := withToken(devissuer.Audience("other-api", "api"))
	l.add("a token for the handler, of another guard", forward, get("/token-outside-another", both), passedBoth)
	l.add("a token for the handler, from a cookie", forward, with(get("/token-in-cookie"), "Cookie", cookieName+"="+strings.TrimPrefix(token, "Bearer ")), passed)
	wrongName := "A parameter that the route does not have is an error of the service, because its empty value could equal an empty claim. The log names the route."
	l.add("a path value that the route does not have", wrongName, get("/own-tenant/7", plain), internal).logs = []string{`PathValue("tenant")`}
	l.add("a path value that the route does not have, in the log", wrongName, get("/own-tenant/7", plain), internal).needs = PathValues
	(*l)[len(*l)-1].logs = []string{`PathValue("tenant")`, "orderno"}
	l.add("a path value on a route without parameters", wrongName, get("/own-tenant", plain), internal).logs = []string{`PathValue("tenant")`}
	l.add("SameAsPath with a parameter that the route does not have", wrongName, get("/same/7", plain), internal).logs = []string{`PathValue("order")`}
	l.add("SameAsPath with such a parameter, as an alternative", "One grant grants Any.", get("/same-or-admin/7", admin), passes("hello ada"))
	l.add("SameAsPath with such a parameter, without the alternative", wrongName, get("/same-or-admin/7", plain), internal)
	l.add("SameAsPath, the caller's own", "A path value is compared with a claim.", get("/same-user/ada", plain), passes("hello ada")).needs = PathValues
	l.add("SameAsPath, another's", "A path value is compared with a claim.", get("/same-user/bob", plain), noPermission).needs = PathValues
	l.add("a header that names the user", "Headers such as X-User are never trusted.",
		with(get("/authenticated"), "X-User", "ada"), missingToken)
	l.add("WithDenied", "A denial that the service writes keeps its status.",
		get("/drawn", plain), answer{status: 403, body: "drawn insufficient_scope"}).needs = Drawing
	l.add("WithDenied that writes nothing", "A denial cannot be lost: the standard one is sent.",
		get("/drawn-nothing", plain), noPermission).needs = Drawing
	panicking := l.add("WithDenied that panics", "A denial cannot be lost: the standard one is sent.",
		get("/drawn-panic", plain), noPermission)
	panicking.needs, panicking.panics = Drawing, true
}

// invalidTokens all get the same response: the client does not learn why a token is invalid.
func (s *suite) invalidTokens(l *caseList) {
	for _, c := range []struct{ name, rule, token string }{
		{"an expired token", "exp must be in the future (RFC 7519, section 4.1.4).", s.issuer.Token(devissuer.Expired())},
		{"a token that is not valid yet", "nbf must be in the past (RFC 7519, section 4.1.5).", s.issuer.Token(devissuer.NotYetValid())},
		{"a token for another audience", "aud must name this service (RFC 7519, section 4.1.3).", s.issuer.Token(devissuer.WrongAudience())},
		{"a token of another issuer", "iss must be the trusted one (RFC 7519, section 4.1.1).", s.issuer.Token(devissuer.IssuedBy(attackerURL))},
		{"a token without expiry", "exp is required.", s.issuer.Token(devissuer.WithoutClaim("exp"))},
		{"an invalid signature", "The key must prove the token.", s.issuer.Token(devissuer.BadSignature())},
		{"a changed payload", "The key must prove the token.", tampered(s.issuer.Issuer)},
		{"an unknown key", "The provider must have the key that the token names.", s.issuer.Token(devissuer.UnknownKey())},
		{"another provider's token", "Only the configured provider's keys count.", s.untrusted.Token()},
		{"an embedded key", "A token cannot bring its own key (RFC 8725, section 3.10).", forged(s.issuer.Issuer, embedded(s.issuer.Issuer))},
		{"alg none", "A token must be signed (RFC 8725, section 3.2).", unsigned("none")(s.issuer.Issuer)},
		{"alg nOnE", "No spelling of none is accepted.", unsigned("nOnE")(s.issuer.Issuer)},
		{"HMAC with the public key", "The algorithm must be an allowed one (RFC 8725, section 3.1).", hmacToken("HS256", crypto.SHA256, (*devissuer.Issuer).PublicPEM)(s.issuer.Issuer)},
		{"a word", "A text that is not a token is not valid.", "rubbish"},
	} {
		l.add(c.name, c.rule, get("/authenticated", bearer(c.token)), invalidToken)
	}
	l.add("no keys", "If the token cannot be checked, the response is 503 with Retry-After, never 401.",
		get("/unavailable", bearer(s.down.Token())), unavailable)
	l.add("an expired token without keys", "A token that fails a check without a key is 401 even in an outage.",
		get("/unavailable", bearer(s.down.Token(devissuer.Expired()))), invalidToken)
}

// cookieName is the cookie with the token on some routes.
const cookieName = "__Host-token"

// sources are requests with the token in another place than the Authorization field.
func (s *suite) sources(l *caseList) {
	token := s.issuer.Token()
	cookie := cookieName + "=" + token
	post := func(path string) *http.Request { return request(http.MethodPost, path) }
	cookieGet := func(fields ...string) *http.Request {
		return with(get("/cookie"), append([]string{"Cookie", cookie}, fields...)...)
	}
	cookiePost := func(fields ...string) *http.Request {
		return with(post("/cookie"), append([]string{"Cookie", cookie}, fields...)...)
	}
	sameOrigin := "A browser sends cookies with requests that other sites cause: they are rejected, by the rules of net/http's CrossOriginProtection."
	oneSource := "A token counts only in the configured places, and in one of them at a time."
	two := "Two credentials are malformed."
	bare := "A configured field carries the token without a scheme."
	ada, anonymous := passes("hello ada"), passes("anonymous")

	l.add("a token in a cookie", "A cookie carries a token if configured.", cookieGet(), ada)
	l.add("a token in a cookie among others", "Other cookies do not matter.", with(get("/cookie"), "Cookie", "a=b; "+cookie+"; c=d"), ada)
	l.add("a token in a cookie that is not configured", oneSource, with(get("/authenticated"), "Cookie", cookie), missingToken)
	l.add("a token in the Authorization field if the cookie is configured", oneSource, get("/cookie", bearer(token)), missingToken)
	l.add("an invalid token in a cookie", "A cookie proves nothing by itself.",
		with(get("/cookie"), "Cookie", cookieName+"="+s.issuer.Token(devissuer.Expired())), invalidToken)
	l.add("an empty cookie", "An empty cookie holds no token.", with(get("/cookie"), "Cookie", cookieName+"="), missingToken)
	l.add("two cookies of the name", two, with(get("/cookie"), "Cookie", cookie+"; "+cookie), invalidReq)
	l.add("a cookie by POST, without a browser", "Only browsers send cookies that other sites caused.", cookiePost(), ada)
	l.add("a cookie by POST, from the same origin", sameOrigin, cookiePost("Sec-Fetch-Site", "same-origin"), ada)
	l.add("a cookie by POST, from another site", sameOrigin, cookiePost("Sec-Fetch-Site", "cross-site"), crossOrigin)
	l.add("a cookie by POST, from another host of the site", sameOrigin, cookiePost("Sec-Fetch-Site", "same-site"), crossOrigin)
	l.add("a cookie by POST, with the Origin of another site", sameOrigin, cookiePost("Origin", "https://evil.example"), crossOrigin)
	l.add("a cookie by POST, with an opaque origin", sameOrigin, cookiePost("Origin", "null"), crossOrigin)
	l.add("a cookie by POST, from a trusted origin", sameOrigin,
		with(post("/cookie-trusting"), "Cookie", cookie, "Origin", "https://app.example", "Sec-Fetch-Site", "cross-site"), ada)
	l.add("a cookie by POST, from another origin than the trusted one", sameOrigin,
		with(post("/cookie-trusting"), "Cookie", cookie, "Origin", "https://app.example.evil", "Sec-Fetch-Site", "cross-site"), crossOrigin)
	l.add("a cookie by GET, from another site", "Another site may link here: GET changes nothing.", cookieGet("Sec-Fetch-Site", "cross-site"), ada)
	l.add("a cookie with an upgrade, from another site", "A WebSocket begins with a GET, and does more than read.",
		cookieGet("Sec-Fetch-Site", "cross-site", "Upgrade", "websocket", "Connection", "Upgrade"), crossOrigin)
	l.add("a bearer token by POST, from another site", "No site can cause an Authorization field.",
		with(request(http.MethodPost, "/authenticated", bearer(token)), "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"), ada)
	l.add("Optional with a cookie: anonymous", "Without a value in the configured place the handler runs, without a principal.", get("/cookie-optional"), anonymous)
	l.add("Optional with a cookie: a token elsewhere", oneSource, get("/cookie-optional", bearer(token)), anonymous)
	l.add("Optional with a cookie: an invalid token", "An invalid token is rejected, not treated as anonymous.",
		with(get("/cookie-optional"), "Cookie", cookieName+"=rubbish"), invalidToken)
	l.add("Optional with a cookie: from another site", sameOrigin, with(post("/cookie-optional"), "Cookie", cookie, "Sec-Fetch-Site", "cross-site"), crossOrigin)
	l.add("a token in a header field of its own", bare, with(get("/anywhere"), "X-Token", token), ada)
	l.add("a header field of its own, with a scheme", bare, with(get("/anywhere"), "X-Token", bearer(token)), invalidReq)
	l.add("a token in the query", "A parameter carries a token if configured.", get("/anywhere?a=b&access_token="+token), ada)
	l.add("a token in the query that is not configured", oneSource, get("/authenticated?access_token="+token), missingToken)
	l.add("two tokens in the query", two, get("/anywhere?access_token="+token+"&access_token="+token), invalidReq).needs = RepeatedFields
	l.add("one of several sources", oneSource, get("/anywhere", bearer(token)), ada)
	l.add("two sources at once", oneSource, with(get("/anywhere", bearer(token)), "Cookie", cookie), invalidReq)
	nothing := "A place without a token is not a credential, alone or beside one."
	l.add("another scheme, and a token in another source", nothing, with(get("/anywhere", "Basic YWRhOnNlY3JldA=="), "X-Token", token), ada)
	l.add("an empty Authorization field, and a token in another source", nothing, with(get("/anywhere", ""), "X-Token", token), ada)
	l.add("an empty cookie, and a token in another source", nothing, with(get("/anywhere", bearer(token)), "Cookie", cookieName+"="), ada)
	l.add("Optional with an empty cookie", nothing, with(get("/cookie-optional"), "Cookie", cookieName+"="), anonymous)
	l.add("none of several sources", oneSource, get("/anywhere"), missingToken)
}

// renderers are denials with another body, for all frameworks alike.
func (s *suite) renderers(l *caseList) {
	token := s.issuer.Token()
	const text, html = "text/plain; charset=utf-8", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"
	back := func(target string) answer {
		return seeOther("https://login.example/start?app=1&return_to=" + url.QueryEscape(target))
	}
	compat, plain := "Config.Renderer can send the body of more-sso-auth.", "Config.Renderer can send plain text."
	browser := "A browser that navigates without a valid token is redirected to sign in, with the path to return to: never a host, never a token."
	others := "Only a 401 for a GET navigation is redirected."
	page := func(path string) *http.Request { return with(get(path), "Accept", html) }

	l.add("the body of more-sso-auth, 401", compat, get("/compat"), rendered(missingToken, "application/json", `{"data":null,"detail":"Unauthorized"}`))
	l.add("the body of more-sso-auth, 403", compat, get("/compat", bearer(token)), rendered(noPermission, "application/json", `{"data":null,"detail":"Forbidden"}`))
	l.add("plain text, 401", plain, get("/text", "Bearer rubbish"), rendered(invalidToken, text, "Unauthorized\n"))
	l.add("plain text, 403", plain, get("/text", bearer(token)), rendered(noPermission, text, "Forbidden\n"))
	l.add("sign in: a browser", browser, page("/sign-in"), back("/sign-in"))
	l.add("sign in: a browser with Sec-Fetch-Mode", browser, with(page("/sign-in"), "Sec-Fetch-Mode", "navigate"), back("/sign-in"))
	l.add("sign in: with an expired token", browser, with(get("/sign-in", bearer(s.issuer.Token(devissuer.Expired()))), "Accept", html), back("/sign-in"))
	l.add("sign in: the listed parameters are kept", browser, page("/sign-in?tab=a%20b&other=1"), back("/sign-in?tab=a+b"))
	l.add("sign in: tokens in the query are removed", browser, page("/sign-in?access_token="+token+"&tab=1&x="+token), back("/sign-in?tab=1"))
	l.add("sign in: a forwarded host is not trusted", browser,
		with(page("/sign-in"), "X-Forwarded-Host", "evil.example", "Forwarded", "host=evil.example"), back("/sign-in"))
	l.add("sign in: a script's request", others, with(page("/sign-in"), "Sec-Fetch-Mode", "cors"), missingToken)
	l.add("sign in: a client that accepts JSON", others, with(get("/sign-in"), "Accept", "application/json"), missingToken)
	l.add("sign in: a client that does not accept HTML", others, with(get("/sign-in"), "Accept", "text/html;q=0, */*"), missingToken)
	l.add("sign in: a client that accepts anything", others, with(get("/sign-in"), "Accept", "*/*"), missingToken)
	l.add("sign in: POST", others, with(request(http.MethodPost, "/sign-in"), "Accept", html), missingToken)
	l.add("sign in: a WebSocket", others, with(page("/sign-in"), "Upgrade", "websocket", "Connection", "Upgrade"), missingToken)
	l.add("sign in: 403", others, with(get("/sign-in", bearer(token)), "Accept", html), noPermission)
	l.add("sign in: 400", others, with(get("/sign-in", "Bearer a b"), "Accept", html), invalidReq)
}
