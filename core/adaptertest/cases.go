package adaptertest

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/more-retail/moresso-go/core/devissuer"
)

// cases are the requests and the answers that every front door gives to them.
func (s *suite) cases() []testCase {
	plain := bearer(s.issuer.Token())
	admin := bearer(s.issuer.Token(devissuer.Permission("pma.role", "admin")))
	cases := []testCase{
		{
			name: "a good token", rule: "A good token lets the request through, and the handler finds the principal in the framework's store and in the request's context.Context.",
			request: get("/authenticated", plain), want: passes("hello ada"),
		},
		{
			name: "no token", rule: "Without credentials the answer is 401 with a bare challenge (RFC 6750, section 3.1), and the handler does not run.",
			request: get("/authenticated"), want: missingToken,
		},
		{
			name: "an empty Authorization field", rule: "An empty field holds no credentials.",
			request: get("/authenticated", ""), want: missingToken,
		},
		{
			name: "another scheme", rule: "Credentials of another scheme are no bearer credentials.",
			request: get("/authenticated", "Basic YWRhOnNlY3JldA=="), want: missingToken,
		},
		{
			name: "a token without scheme", rule: "A raw token is no bearer credential: what a gateway would not see as one must not be one here.",
			request: get("/authenticated", s.issuer.Token()), want: missingToken,
		},
		{
			name: "the scheme in lower case", rule: "Schemes match in any letter case (RFC 9110, section 11.1).",
			request: get("/authenticated", "bearer "+s.issuer.Token()), want: passes("hello ada"),
		},
		{
			name: "two Authorization fields", rule: "Two credentials are refused as a malformed request, even if the first is good: another party may look at the second.",
			request: get("/authenticated", plain, plain), want: invalidReq, needs: RepeatedFields,
		},
		{
			name: "two Authorization fields of which the second is another's", rule: "The first field alone must not decide.",
			request: get("/authenticated", plain, "Basic YWRhOnNlY3JldA=="), want: invalidReq, needs: RepeatedFields,
		},
		{
			name: "two credentials in one field", rule: "Fields joined by a comma are two credentials.",
			request: get("/authenticated", plain+", "+plain), want: invalidReq,
		},
		{
			name: "the scheme alone", rule: "The scheme without a token is malformed.",
			request: get("/authenticated", "Bearer"), want: invalidReq,
		},
		{
			name: "a token with a space in it", rule: "A token has no spaces (RFC 6750, section 2.1).",
			request: get("/authenticated", plain+" x"), want: invalidReq,
		},
		{
			name: "HEAD without token", rule: "HEAD is answered like GET, without the body.",
			request: request(http.MethodHead, "/authenticated"), want: missingToken,
		},
		{
			name: "POST without token", rule: "Every method is guarded.",
			request: request(http.MethodPost, "/authenticated"), want: missingToken,
		},
		{
			name: "a permission that is held", rule: "Require authenticates by itself and lets the holder through.",
			request: get("/required", admin), want: passes("hello ada"),
		},
		{
			name: "a permission that is not held", rule: "A good token without the permission is 403 (RFC 6750, section 3.1), not 401.",
			request: get("/required", plain), want: noPermission,
		},
		{
			name: "Require without token", rule: "Require authenticates first: no token is 401, not 403.",
			request: get("/required"), want: missingToken,
		},
		{
			name: "Authenticate, then Require: held", rule: "Guards on one path add up.",
			request: get("/both", admin), want: passes("hello ada"),
		},
		{
			name: "Authenticate, then Require: not held", rule: "Guards on one path add up; the inner one refuses.",
			request: get("/both", plain), want: noPermission,
		},
		{
			name: "Optional: anonymous", rule: "Without any Authorization field the handler runs, without a principal.",
			request: get("/optional"), want: passes("anonymous"),
		},
		{
			name: "Optional: a good token", rule: "A good token is not wasted.",
			request: get("/optional", plain), want: passes("hello ada"),
		},
		{
			name: "Optional: a bad token", rule: "Who shows a bad token is refused and not taken for anonymous.",
			request: get("/optional", bearer(s.issuer.Token(devissuer.Expired()))), want: invalidToken,
		},
		{
			name: "Optional: another scheme", rule: "Who shows something else is refused and not taken for anonymous.",
			request: get("/optional", "Basic YWRhOnNlY3JldA=="), want: missingToken,
		},
		{
			name: "Optional, then Require: anonymous", rule: "An anonymous request holds no permission: it is asked to authenticate.",
			request: get("/optional-required"), want: missingToken,
		},
		{
			name: "two authenticators, a token for one", rule: "An authenticator does not rely on another one's principal.",
			request: get("/two-authenticators", bearer(s.issuer.Token(devissuer.Audience("other-api"), devissuer.Permission("pma.role", "admin")))), want: invalidToken,
		},
		{
			name: "two authenticators, a token for both", rule: "Two authenticators on one path each check for themselves.",
			request: get("/two-authenticators", bearer(s.issuer.Token(devissuer.Audience("other-api", "api"), devissuer.Permission("pma.role", "admin")))), want: passes("hello ada"),
		},
		{
			name: "realm and scopes", rule: "The challenge names the realm, and the missing scopes where Config.TellScopes says so (RFC 6750, section 3).",
			request: get("/scoped", bearer(s.issuer.Token(devissuer.Scope("orders:read")))),
			want:    refused(403, "Forbidden", "insufficient_scope", `Bearer realm="orders", error="insufficient_scope", scope="orders:write"`),
		},
		{
			name: "a login that is too old and too weak", rule: "Where nothing but the login is missing, the client is told to sign in again, and how (RFC 9470, section 3).",
			request: get("/step-up", admin),
			want:    refused(401, "Unauthorized", "insufficient_user_authentication", `Bearer error="insufficient_user_authentication", acr_values="mfa", max_age="300"`),
		},
		{
			name: "a login that is too old, without the permission", rule: "Another login would not help who lacks the permission besides: 403.",
			request: get("/step-up", plain), want: noPermission,
		},
		{
			name: "a login that is fresh and strong", rule: "With the login that is demanded the request passes.",
			request: get("/step-up", bearer(s.issuer.Token(devissuer.Permission("pma.role", "admin"), devissuer.Claim("acr", "mfa"), devissuer.Claim("auth_time", s.clock.now().Unix())))), want: passes("hello ada"),
		},
		{
			name: "a permission that fails", rule: "What cannot be decided is refused as a fault of the service, and the cause stays inside.",
			request: get("/failing", plain), want: internal,
		},
		{
			name: "a permission that panics", rule: "A panic refuses; it neither opens the route nor reaches the client.",
			request: get("/panicking", plain), want: internal,
		},
		{
			name: "what a permission sees of the request", rule: "Method, decoded path values and headers are the same in every front door.",
			request: with(get("/orders/a%20b", plain), "X-Tenant", "acme"), want: passes("hello ada"), needs: PathValues,
		},
		{
			name: "a path value that is encoded without need", rule: "%61 is an a, in every front door: what permissions decide by is decoded.",
			request: with(get("/orders/%61%20b", plain), "X-Tenant", "acme"), want: passes("hello ada"), needs: PathValues,
		},
		{
			name: "a path value that is encoded twice", rule: "What is decoded once is not decoded again: %2561 is %61 and no a.",
			request: with(get("/orders/%2561%20b", plain), "X-Tenant", "acme"), want: noPermission, needs: PathValues,
		},
		{
			name: "a path value of which a part is encoded twice", rule: "The same, where the path is not in its plainest form.",
			request: with(get("/orders/%61%2520b", plain), "X-Tenant", "acme"), want: noPermission, needs: PathValues,
		},
		{
			name: "a header that claims to know the user", rule: "Headers such as X-User are never believed.",
			request: with(get("/authenticated"), "X-User", "ada"), want: missingToken,
		},
		{
			name: "WithDenied", rule: "A refusal drawn by the user keeps its status.", needs: Drawing,
			request: get("/drawn", plain), want: drawnDenied,
		},
		{
			name: "WithDenied that writes nothing", rule: "A refusal cannot be lost: the standard one goes out.", needs: Drawing,
			request: get("/drawn-nothing", plain), want: noPermission,
		},
		{
			name: "WithDenied that panics", rule: "A refusal cannot be lost: the standard one goes out.", needs: Drawing,
			request: get("/drawn-panic", plain), want: noPermission, panics: true,
		},
	}
	return slices.Concat(cases, s.sources(), s.renderers(), s.badTokens())
}

// badTokens are all answered alike: the client learns that the token is not good, not why.
func (s *suite) badTokens() []testCase {
	tokens := []struct{ name, rule, token string }{
		{"an expired token", "exp must lie ahead (RFC 7519, section 4.1.4).", s.issuer.Token(devissuer.Expired())},
		{"a token that is not good yet", "nbf must lie behind (RFC 7519, section 4.1.5).", s.issuer.Token(devissuer.NotYetValid())},
		{"a token for another audience", "aud must name this service (RFC 7519, section 4.1.3).", s.issuer.Token(devissuer.WrongAudience())},
		{"a token of another issuer", "iss must be the trusted one (RFC 7519, section 4.1.1).", s.issuer.Token(devissuer.WrongIssuer())},
		{"a token without expiry", "exp is required.", s.issuer.Token(devissuer.WithoutExpiry())},
		{"a bad signature", "The key must prove the token.", s.issuer.Token(devissuer.BadSignature())},
		{"a changed payload", "The key must prove the token.", s.issuer.Token(devissuer.Tampered())},
		{"an unknown key", "The provider must have the key that the token names.", s.issuer.Token(devissuer.UnknownKey())},
		{"another provider's token", "Only the configured provider's keys count.", s.stranger.Token()},
		{"an embedded key", "A token does not choose who vouches for it (RFC 8725, section 3.10).", s.issuer.Token(devissuer.EmbeddedKey())},
		{"alg none", "An unsigned token is no token (RFC 8725, section 3.2).", s.issuer.Token(devissuer.AlgNone())},
		{"alg nOnE", "No spelling of none is accepted.", s.issuer.Token(devissuer.AlgNone("nOnE"))},
		{"HMAC with the public key", "The algorithm must be an allowed one (RFC 8725, section 3.1).", s.issuer.Token(devissuer.HMACWithPublicKey())},
		{"rubbish", "What is no token is not a good one.", "rubbish"},
	}
	var cases []testCase
	for _, c := range tokens {
		cases = append(cases, testCase{name: c.name, rule: c.rule, request: get("/authenticated", bearer(c.token)), want: invalidToken})
	}
	return append(cases, testCase{
		name: "no keys", rule: "Where nobody can tell whether the token is good, the answer is 503 with Retry-After, never 401.",
		request: get("/unavailable", bearer(s.dead.Token())), want: unavailable,
	}, testCase{
		name: "an expired token without keys", rule: "A token that breaks a rule which needs no key is 401 even in an outage.",
		request: get("/unavailable", bearer(s.dead.Token(devissuer.Expired()))), want: invalidToken,
	})
}

// cookieName is that of the cookie which some routes read the token from.
const cookieName = "__Host-token"

// sources are requests that carry the token elsewhere than in the Authorization field.
func (s *suite) sources() []testCase {
	token := s.issuer.Token()
	cookie := cookieName + "=" + token
	post := func(path string) *http.Request { return request(http.MethodPost, path) }
	sameOrigin := "A browser sends cookies with requests that other sites cause: they are refused, by the rules of net/http's CrossOriginProtection."
	oneSource := "A token counts only in the places that were chosen, and in one of them at a time."
	return []testCase{
		{name: "a token in a cookie", rule: "A cookie carries a token where that was chosen.", request: with(get("/cookie"), "Cookie", cookie), want: passes("hello ada")},
		{name: "a token in a cookie among others", rule: "Other cookies do not matter.", request: with(get("/cookie"), "Cookie", "a=b; "+cookie+"; c=d"), want: passes("hello ada")},
		{name: "a token in a cookie, where none was chosen", rule: oneSource, request: with(get("/authenticated"), "Cookie", cookie), want: missingToken},
		{name: "a token in the Authorization field, where the cookie was chosen", rule: oneSource, request: get("/cookie", bearer(token)), want: missingToken},
		{name: "a bad token in a cookie", rule: "A cookie proves nothing by itself.", request: with(get("/cookie"), "Cookie", cookieName+"="+s.issuer.Token(devissuer.Expired())), want: invalidToken},
		{name: "an empty cookie", rule: "An empty cookie holds no token.", request: with(get("/cookie"), "Cookie", cookieName+"="), want: missingToken},
		{name: "two cookies of the name", rule: "Two credentials are none.", request: with(get("/cookie"), "Cookie", cookie+"; "+cookie), want: invalidReq},
		{name: "a cookie by POST, from no browser", rule: "Only browsers send other people's cookies.", request: with(post("/cookie"), "Cookie", cookie), want: passes("hello ada")},
		{name: "a cookie by POST, from the same origin", rule: sameOrigin, request: with(post("/cookie"), "Cookie", cookie, "Sec-Fetch-Site", "same-origin"), want: passes("hello ada")},
		{name: "a cookie by POST, from another site", rule: sameOrigin, request: with(post("/cookie"), "Cookie", cookie, "Sec-Fetch-Site", "cross-site"), want: crossOrigin},
		{name: "a cookie by POST, from another host of the site", rule: sameOrigin, request: with(post("/cookie"), "Cookie", cookie, "Sec-Fetch-Site", "same-site"), want: crossOrigin},
		{name: "a cookie in a request of another origin, told by Origin", rule: sameOrigin, request: with(post("/cookie"), "Cookie", cookie, "Origin", "https://evil.example"), want: crossOrigin},
		{name: "a cookie in a request of an opaque origin", rule: sameOrigin, request: with(post("/cookie"), "Cookie", cookie, "Origin", "null"), want: crossOrigin},
		{name: "a cookie by POST, from an origin that was listed", rule: sameOrigin, request: with(post("/cookie-trusting"), "Cookie", cookie, "Origin", "https://app.example", "Sec-Fetch-Site", "cross-site"), want: passes("hello ada")},
		{name: "a cookie by POST, from another origin than was listed", rule: sameOrigin, request: with(post("/cookie-trusting"), "Cookie", cookie, "Origin", "https://app.example.evil", "Sec-Fetch-Site", "cross-site"), want: crossOrigin},
		{name: "a cookie by GET, from another site", rule: "A link of another site may lead here: GET changes nothing.", request: with(get("/cookie"), "Cookie", cookie, "Sec-Fetch-Site", "cross-site"), want: passes("hello ada")},
		{name: "a cookie with an upgrade, from another site", rule: "A WebSocket begins with a GET, and is no mere reading.", request: with(get("/cookie"), "Cookie", cookie, "Sec-Fetch-Site", "cross-site", "Upgrade", "websocket", "Connection", "Upgrade"), want: crossOrigin},
		{name: "a bearer token by POST, from another site", rule: "No site can cause an Authorization field.", request: with(request(http.MethodPost, "/authenticated", bearer(token)), "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"), want: passes("hello ada")},
		{name: "Optional with a cookie: anonymous", rule: "Without anything in the chosen place the handler runs, without a principal.", request: get("/cookie-optional"), want: passes("anonymous")},
		{name: "Optional with a cookie: a token elsewhere", rule: oneSource, request: get("/cookie-optional", bearer(token)), want: passes("anonymous")},
		{name: "Optional with a cookie: a bad token", rule: "Who shows a bad token is refused and not taken for anonymous.", request: with(get("/cookie-optional"), "Cookie", cookieName+"=rubbish"), want: invalidToken},
		{name: "Optional with a cookie: from another site", rule: sameOrigin, request: with(post("/cookie-optional"), "Cookie", cookie, "Sec-Fetch-Site", "cross-site"), want: crossOrigin},
		{name: "a token in a header field of its own", rule: "A field that was chosen carries the bare token.", request: with(get("/anywhere"), "X-Token", token), want: passes("hello ada")},
		{name: "a header field of its own, with a scheme", rule: "A field that was chosen carries the bare token.", request: with(get("/anywhere"), "X-Token", bearer(token)), want: invalidReq},
		{name: "a token in the query", rule: "A parameter carries a token where that was chosen.", request: get("/anywhere?a=b&access_token=" + token), want: passes("hello ada")},
		{name: "a token in the query, where none was chosen", rule: oneSource, request: get("/authenticated?access_token=" + token), want: missingToken},
		{name: "two tokens in the query", rule: "Two credentials are none.", request: get("/anywhere?access_token=" + token + "&access_token=" + token), want: invalidReq, needs: RepeatedFields},
		{name: "one of several sources", rule: oneSource, request: get("/anywhere", bearer(token)), want: passes("hello ada")},
		{name: "two sources at once", rule: oneSource, request: with(get("/anywhere", bearer(token)), "Cookie", cookie), want: invalidReq},
		{name: "two sources at once, one of them of another scheme", rule: oneSource, request: with(get("/anywhere", "Basic YWRhOnNlY3JldA=="), "X-Token", token), want: invalidReq},
		{name: "none of several sources", rule: oneSource, request: get("/anywhere"), want: missingToken},
	}
}

// renderers redraw refusals for all front doors alike.
func (s *suite) renderers() []testCase {
	token := s.issuer.Token()
	const text, html = "text/plain; charset=utf-8", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"
	back := func(target string) answer {
		return seeOther("https://login.example/start?app=1&return_to=" + url.QueryEscape(target))
	}
	compat, plain := "Config.Renderer can draw the body of more-sso-auth.", "Config.Renderer can draw plain text."
	browser := "A browser that navigates without a token is sent to sign in, and told the path to come back to: never a host, never a token."
	others := "Only a 401 on a GET navigation is redirected."
	page := func(path string) *http.Request { return with(get(path), "Accept", html) }
	return []testCase{
		{name: "the body of more-sso-auth, 401", rule: compat, request: get("/compat"), want: redrawn(missingToken, "application/json", `{"data":null,"detail":"Unauthorized"}`)},
		{name: "the body of more-sso-auth, 403", rule: compat, request: get("/compat", bearer(token)), want: redrawn(noPermission, "application/json", `{"data":null,"detail":"Forbidden"}`)},
		{name: "plain text, 401", rule: plain, request: get("/text", "Bearer rubbish"), want: redrawn(invalidToken, text, "Unauthorized\n")},
		{name: "plain text, 403", rule: plain, request: get("/text", bearer(token)), want: redrawn(noPermission, text, "Forbidden\n")},
		{name: "sign in: a browser", rule: browser, request: page("/sign-in"), want: back("/sign-in")},
		{name: "sign in: a browser that says so", rule: browser, request: with(page("/sign-in"), "Sec-Fetch-Mode", "navigate"), want: back("/sign-in")},
		{name: "sign in: with an expired token", rule: browser, request: with(get("/sign-in", bearer(s.issuer.Token(devissuer.Expired()))), "Accept", html), want: back("/sign-in")},
		{name: "sign in: the query comes along", rule: browser, request: page("/sign-in?tab=a%20b"), want: back("/sign-in?tab=a+b")},
		{name: "sign in: tokens in the query do not", rule: browser, request: page("/sign-in?access_token=" + token + "&tab=1&x=" + token), want: back("/sign-in?tab=1")},
		{name: "sign in: another host that is named is not believed", rule: browser, request: with(page("/sign-in"), "X-Forwarded-Host", "evil.example", "Forwarded", "host=evil.example"), want: back("/sign-in")},
		{name: "sign in: a script's request", rule: others, request: with(page("/sign-in"), "Sec-Fetch-Mode", "cors"), want: missingToken},
		{name: "sign in: a client that wants JSON", rule: others, request: with(get("/sign-in"), "Accept", "application/json"), want: missingToken},
		{name: "sign in: a client that wants no HTML", rule: others, request: with(get("/sign-in"), "Accept", "text/html;q=0, */*"), want: missingToken},
		{name: "sign in: a client that takes anything", rule: others, request: with(get("/sign-in"), "Accept", "*/*"), want: missingToken},
		{name: "sign in: POST", rule: others, request: with(request(http.MethodPost, "/sign-in"), "Accept", html), want: missingToken},
		{name: "sign in: a WebSocket", rule: others, request: with(page("/sign-in"), "Upgrade", "websocket", "Connection", "Upgrade"), want: missingToken},
		{name: "sign in: 403", rule: others, request: with(get("/sign-in", bearer(token)), "Accept", html), want: noPermission},
		{name: "sign in: 400", rule: others, request: with(get("/sign-in", "Bearer a b"), "Accept", html), want: invalidReq},
	}
}
