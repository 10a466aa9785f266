package sso_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/more-retail/moresso-go/core/adapter"
	"github.com/more-retail/moresso-go/core/sso"
)

// sent is a request with header fields. targeted also has a host and a URI.
type sent struct {
	method string
	fields http.Header
}

func (r sent) Method() string        { return r.method }
func (sent) Pattern() string         { return "" }
func (sent) PathValue(string) string { return "" }
func (sent) Host() string            { return "" }
func (sent) RequestURI() string      { return "" }
func (r sent) Header(name string) (string, int) {
	values := r.fields.Values(name)
	if len(values) == 0 {
		return "", 0
	}
	return values[0], len(values)
}

type targeted struct {
	sent
	host, uri string
}

func (r targeted) Host() string       { return r.host }
func (r targeted) RequestURI() string { return r.uri }

const hostCookie = "__Host-t"

func TestTokenFromCookie_SameOrigin(t *testing.T) {
	a := newAuth(t).TokenFrom(sso.TokenFromCookie(hostCookie))
	cookie := hostCookie + "=" + token()
	fields := func(more ...string) http.Header {
		h := http.Header{"Cookie": {cookie}}
		for i := 0; i < len(more); i += 2 {
			h.Add(more[i], more[i+1])
		}
		return h
	}
	at := func(method, host string, fields http.Header) sso.Request {
		return targeted{sent{method, fields}, host, "/"}
	}
	for _, test := range []struct {
		name string
		r    sso.Request
		want int // 0: accepted
	}{
		{"POST of the same origin, by Origin", at("POST", "api.example", fields("Origin", "https://api.example")), 0},
		{"POST of the same origin with a port", at("POST", "api.example:8443", fields("Origin", "https://api.example:8443")), 0},
		{"POST of another port", at("POST", "api.example:8443", fields("Origin", "https://api.example")), 403},
		{"POST of no browser", at("POST", "api.example", fields()), 0},
		{"POST typed by the user", at("POST", "api.example", fields("Sec-Fetch-Site", "none")), 0},
		{"PUT of another site", at("PUT", "api.example", fields("Sec-Fetch-Site", "cross-site")), 403},
		{"PATCH of another site", at("PATCH", "api.example", fields("Sec-Fetch-Site", "cross-site")), 403},
		{"DELETE of another site", at("DELETE", "api.example", fields("Sec-Fetch-Site", "cross-site")), 403},
		{"an unknown method, from another site", at("PURGE", "api.example", fields("Sec-Fetch-Site", "cross-site")), 403},
		{"HEAD of another site", at("HEAD", "api.example", fields("Sec-Fetch-Site", "cross-site")), 0},
		{"two values of Origin", at("POST", "api.example", fields("Origin", "https://api.example", "Origin", "https://evil.example")), 403},
		{"two values of Sec-Fetch-Site", at("POST", "api.example", fields("Sec-Fetch-Site", "same-origin", "Sec-Fetch-Site", "cross-site")), 403},
		{"an opaque origin, and an unknown host", at("POST", "", fields("Origin", "null")), 403},
		{"an empty origin, and an unknown host", at("POST", "", fields("Origin", "https://")), 403},
		{"an upgrade of another site", at("GET", "api.example", fields("Sec-Fetch-Site", "cross-site", "Upgrade", "websocket")), 403},
		{"an upgrade of another origin", at("GET", "api.example", fields("Origin", "https://evil.example", "Upgrade", "websocket")), 403},
		{"an upgrade of the same origin", at("GET", "api.example", fields("Origin", "https://api.example", "Upgrade", "websocket")), 0},
		{"two Cookie fields", at("GET", "api.example", http.Header{"Cookie": {cookie, "a=b"}}), 400},
		{"two Cookie fields, ours the second", at("GET", "api.example", http.Header{"Cookie": {"a=b", cookie}}), 400},
		{"no cookie", at("GET", "api.example", http.Header{}), 401},
		{"another cookie", at("GET", "api.example", http.Header{"Cookie": {"t=" + token()}}), 401},
		{"a cookie in another case", at("GET", "api.example", http.Header{"Cookie": {strings.ToLower(cookie[:8]) + cookie[8:]}}), 401},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := a.Authenticate(t.Context(), test.r)
			got := 0
			if err != nil {
				got = sso.DenialOf(err).Status
			}
			if got != test.want {
				t.Errorf("%d (%v), want %d", got, err, test.want)
			}
			if test.want == 403 {
				compare(t, sso.DenialOf(err), refusal(403, sso.CodeCrossOrigin, ""))
				if errors.Is(err, sso.ErrAccessDenied) || errors.Is(err, sso.ErrInvalidToken) {
					t.Errorf("%v", err)
				}
			}
		})
	}
}

func TestTokenFrom_ChosenSource(t *testing.T) {
	plain := newAuth(t)
	inHeader := plain.TokenFrom(sso.TokenFromHeader("X-Token"))
	r := sent{"GET", http.Header{"X-Token": {token()}}}
	ctx, err := inHeader.Authenticate(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plain.Authenticate(ctx, r); !errors.Is(err, sso.ErrNoToken) {
		t.Errorf("the one that it came from: %v", err)
	}
	if _, err := plain.Authenticate(t.Context(), targeted{sent{"GET", nil}, "h", "/?access_token=" + token()}); !errors.Is(err, sso.ErrNoToken) { // RFC 6750, section 2.3
		t.Errorf("in the query: %v", err)
	}
	if _, err := inHeader.Authenticate(t.Context(), sent{"GET", http.Header{"X-Token": {token(), token()}}}); !errors.Is(err, sso.ErrInvalidRequest) {
		t.Errorf("two fields: %v", err)
	}
	if ctx, err := inHeader.AuthenticateOptional(t.Context(), sent{"GET", nil}); err != nil || subject(ctx) != "" {
		t.Errorf("no field under Optional: %v", err)
	}
	if ctx, err := inHeader.AuthenticateOptional(t.Context(), sent{"GET", http.Header{"X-Token": {""}}}); err != nil || subject(ctx) != "" {
		t.Errorf("an empty field under Optional: %v", err)
	}
	inQuery := plain.TokenFrom(sso.InsecureTokenFromQuery("t"))
	for uri, want := range map[string]error{
		"/?t=" + token(): nil, "/?t=": sso.ErrNoToken, "/": sso.ErrNoToken, "": sso.ErrNoToken, "/?T=" + token(): sso.ErrNoToken,
		"/?t=%zz": sso.ErrInvalidRequest, "/?t=a&t=b": sso.ErrInvalidRequest, "/?t=" + strings.ReplaceAll(token(), ".", "%2E"): nil,
	} {
		if _, err := inQuery.Authenticate(t.Context(), targeted{sent{"GET", nil}, "h", uri}); !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("%s: %v, want %v", uri, err, want)
		}
	}
	if _, err := inQuery.Authenticate(t.Context(), sent{"GET", nil}); !errors.Is(err, sso.ErrNoToken) {
		t.Errorf("without a target: %v", err)
	}
	if _, err := (*sso.Authenticator)(nil).TokenFrom(sso.TokenSource{}).Authenticate(t.Context(), r); sso.DenialOf(err).Status != 500 {
		t.Errorf("of nil: %v", err)
	}
}

func TestTokenFrom_TwoPlaces(t *testing.T) {
	a := newAuth(t).TokenFrom(sso.TokenSource{}, sso.TokenFromHeader("X-Token"), sso.TokenFromCookie(hostCookie))
	valid := token()
	for name, fields := range map[string]http.Header{
		"two valid tokens":                 {"Authorization": {"Bearer " + valid}, "X-Token": {valid}},
		"a valid one and an invalid one":   {"Authorization": {"Bearer rubbish"}, "X-Token": {valid}},
		"an invalid one and a valid one":   {"Authorization": {"Bearer " + valid}, "X-Token": {"rubbish"}},
		"a malformed one and a valid one":  {"Authorization": {"Bearer"}, "X-Token": {valid}},
		"two empty fields and a valid one": {"Authorization": {"", ""}, "X-Token": {valid}},
	} {
		for _, authenticate := range []func(context.Context, sso.Request) (context.Context, error){a.Authenticate, a.AuthenticateOptional} {
			if _, err := authenticate(t.Context(), targeted{sent{"GET", fields}, "h", "/"}); !errors.Is(err, sso.ErrInvalidRequest) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	// A place without a token does not count beside one.
	for name, fields := range map[string]http.Header{
		"an empty cookie":         {"X-Token": {valid}, "Cookie": {hostCookie + "="}},
		"a cookie of two quotes":  {"Authorization": {"Bearer " + valid}, "Cookie": {hostCookie + `=""`}},
		"an empty Authorization":  {"Authorization": {""}, "Cookie": {hostCookie + "=" + valid}},
		"white space":             {"Authorization": {" \t"}, "X-Token": {valid}},
		"an empty field":          {"Authorization": {"Bearer " + valid}, "X-Token": {""}},
		"another scheme":          {"Authorization": {"Basic eA=="}, "Cookie": {hostCookie + "=" + valid}},
		"another scheme and more": {"Authorization": {"Basic eA=="}, "Cookie": {hostCookie + "="}, "X-Token": {valid}},
	} {
		for _, authenticate := range []func(context.Context, sso.Request) (context.Context, error){a.Authenticate, a.AuthenticateOptional} {
			if ctx, err := authenticate(t.Context(), targeted{sent{"GET", fields}, "h", "/"}); err != nil || subject(ctx) != "ada" {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	// Alone they are nothing, except that credentials of another scheme are not anonymous.
	for name, c := range map[string]struct {
		fields http.Header
		ok     bool
	}{
		"nothing but empty ones": {http.Header{"Authorization": {""}, "X-Token": {" "}, "Cookie": {hostCookie + "="}}, true},
		"another scheme":         {http.Header{"Authorization": {"Basic eA=="}}, false},
	} {
		r := targeted{sent{"GET", c.fields}, "h", "/"}
		if _, err := a.Authenticate(t.Context(), r); !errors.Is(err, sso.ErrNoToken) {
			t.Errorf("%s: %v", name, err)
		}
		if ctx, err := a.AuthenticateOptional(t.Context(), r); (err == nil) != c.ok || subject(ctx) != "" {
			t.Errorf("%s under Optional: %v", name, err)
		}
	}
}

func TestTokenFrom_Panics(t *testing.T) {
	for name, build := range map[string]func(){
		"an empty header name":            func() { sso.TokenFromHeader("") },
		"a header with a space":           func() { sso.TokenFromHeader("X Token") },
		"Authorization as a bare header":  func() { sso.TokenFromHeader("authorization") },
		"Cookie as a bare header":         func() { sso.TokenFromHeader("Cookie") },
		"what a load balancer signs":      func() { sso.TokenFromHeader("X-Amzn-Oidc-Data") },
		"a cookie that any host can set":  func() { sso.TokenFromCookie("token") },
		"a cookie with another prefix":    func() { sso.TokenFromCookie("__Secure-token") },
		"a prefix without a name":         func() { sso.TokenFromCookie("__Host-") },
		"a cookie with an equals sign":    func() { sso.TokenFromCookie("__Host-a=b") },
		"an invalid origin":               func() { sso.TokenFromCookie("__Host-t", "app.example") },
		"an origin with a path":           func() { sso.TokenFromCookie("__Host-t", "https://app.example/x") },
		"a query without a name":          func() { sso.InsecureTokenFromQuery("") },
		"no source":                       func() { newAuth(t).TokenFrom() },
		"a sign-in page over http":        func() { sso.RenderSignIn("http://login.example/", "", nil) },
		"a sign-in page at //host":        func() { sso.RenderSignIn("//login.example/", "", nil) },
		"a sign-in page without host":     func() { sso.RenderSignIn("https:///login", "", nil) },
		"a sign-in page that is a script": func() { sso.RenderSignIn("javascript:alert(1)", "", nil) },
		"an origin beyond ASCII":          func() { sso.TokenFromCookie("__Host-token", "https://bücher.example") },
		"an origin over http":             func() { sso.TokenFromCookie("__Host-token", "http://app.example.com") },
		"no sign-in page":                 func() { sso.RenderSignIn("", "", nil) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			build()
		})
	}
}

func TestRenderSignIn_ReturnParam(t *testing.T) {
	render := sso.RenderSignIn("/login", "to", nil, "a", "b", "state", "code", "id_token")
	accept := http.Header{"Accept": {"text/html"}}
	denial := sso.DenialOf(sso.ErrNoToken)
	for uri, want := range map[string]string{
		"/orders":                            "/login?to=%2Forders",
		"/orders?a=1&b=2":                    "/login?to=%2Forders%3Fa%3D1%26b%3D2",
		"/a%2Fb":                             "/login?to=%2Fa%252Fb",
		"/orders?a=1&c=2":                    "/login?to=%2Forders%3Fa%3D1",
		"//evil.example/x":                   "/login?to=%2F",
		"/a//evil.example/x":                 "/login?to=%2F",
		"/%2Fevil.example":                   "/login?to=%2F",
		"/a/../b":                            "/login?to=%2F",
		"/a/%2e%2e/b":                        "/login?to=%2F",
		"/a/%2E/b":                           "/login?to=%2F",
		"/a/..":                              "/login?to=%2F",
		"/..%2fb":                            "/login?to=%2F",
		"/a..b/.c":                           "/login?to=%2Fa..b%2F.c",
		"/\\evil.example":                    "/login?to=%2F",
		"/%5Cevil.example":                   "/login?to=%2F",
		"/%0D%0Aevil":                        "/login?to=%2F",
		"https://evil.example/orders":        "/login?to=%2Forders",
		"https://evil.example//x":            "/login?to=%2F",
		"":                                   "/login?to=%2F",
		"orders":                             "/login?to=%2F",
		"*":                                  "/login?to=%2F",
		"/x/" + token():                      "/login?to=%2F",
		"/x?id_token=1&code=2&state=3&JWT=4": "/login?to=%2Fx%3Fstate%3D3",
		"/x?a=eyJhbGciOiJub25lIn0.e30.&b=1":  "/login?to=%2Fx%3Fb%3D1",
		"/x?%zz":                             "/login?to=%2Fx",
		"/x?a=1&%zz":                         "/login?to=%2Fx",
		"/x%20y":                             "/login?to=%2Fx%2520y",
		"/x%1Fy":                             "/login?to=%2F",
		"/x%7Fy":                             "/login?to=%2F",
	} {
		d := render(targeted{sent{"GET", accept}, "h", uri}, denial)
		if d.Status != 303 || d.Header.Get("Location") != want || d.Header.Get("WWW-Authenticate") != "" {
			t.Errorf("%s: %d %s, want %s", uri, d.Status, d.Header.Get("Location"), want)
		}
	}
	if d := render(sent{"GET", accept}, denial); d.Header.Get("Location") != "/login?to=%2F" {
		t.Errorf("without a target: %v", d.Header)
	}
	if d := sso.RenderSignIn("/login", "", nil)(sent{"GET", accept}, denial); d.Header.Get("Location") != "/login" {
		t.Errorf("without a parameter: %v", d.Header)
	}
	if d := render(sent{"POST", accept}, denial); d.Status != 401 || d.Header.Get("WWW-Authenticate") != "Bearer" {
		t.Errorf("the other renderer: %d %s", d.Status, d.Body)
	}
	if denial.Header.Get("Location") != "" || denial.Status != 401 {
		t.Error("the given denial was changed")
	}
}

func TestRenderSignIn_Address(t *testing.T) {
	for _, page := range []string{"https://login.example.com/start", "http://localhost:8080/", "http://127.0.0.1/", "http://[::1]:9000/login", "/login"} {
		d := sso.RenderSignIn(page, "", nil)(sent{"GET", http.Header{"Accept": {"text/html"}}}, sso.DenialOf(sso.ErrNoToken))
		if d.Status != 303 || d.Header.Get("Location") != page || d.Header.Get("Content-Type") != "text/plain; charset=utf-8" || d.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v", page, d.Status, d.Header)
		}
	}
}

func TestRenderSignIn_Navigation(t *testing.T) {
	render := sso.RenderSignIn("/login", "", nil)
	for _, test := range []struct {
		name   string
		method string
		fields http.Header
		want   int
	}{
		{"a browser", "GET", http.Header{"Accept": {"text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}}, 303},
		{"a browser with Sec-Fetch-Mode", "GET", http.Header{"Accept": {"text/html"}, "Sec-Fetch-Mode": {"navigate"}}, 303},
		{"in another case, with a weight, after others", "GET", http.Header{"Accept": {"image/png , Text/HTML ; q=0.1"}}, 303},
		{"one with another parameter", "GET", http.Header{"Accept": {"text/html;level=0"}}, 303},
		{"a script", "GET", http.Header{"Accept": {"text/html"}, "Sec-Fetch-Mode": {"cors"}}, 401},
		{"a WebSocket", "GET", http.Header{"Accept": {"text/html"}, "Upgrade": {"websocket"}}, 401},
		{"a form", "POST", http.Header{"Accept": {"text/html"}}, 401},
		{"HTML excluded", "GET", http.Header{"Accept": {"text/html;q=0"}}, 401},
		{"HTML excluded, with parameters", "GET", http.Header{"Accept": {"text/html;level=1; Q=0.000, application/json"}}, 401},
		{"a client of an API", "GET", http.Header{"Accept": {"application/json, */*"}}, 401},
		{"no Accept field", "GET", nil, 401},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := render(sent{test.method, test.fields}, sso.DenialOf(sso.ErrNoToken))
			if challenged := d.Header.Get("WWW-Authenticate") != ""; d.Status != test.want || challenged != (test.want == 401) {
				t.Errorf("%d %v, want %d", d.Status, d.Header, test.want)
			}
		})
	}
	if d := render(sent{"GET", http.Header{"Accept": {"text/html"}}}, sso.DenialOf(sso.ErrAccessDenied)); d.Status != 403 {
		t.Errorf("a signed-in user is redirected: %d", d.Status)
	}
}

func TestWithExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAuth(t, func(c *sso.Config) { c.Leeway = 30 * time.Second })
		ctx, err := a.Authenticate(t.Context(), bearer(token("exp", "1893553500"))) // see T, the time of these tests
		if err != nil {
			t.Fatal(err)
		}
		p, _ := sso.FromContext(ctx)
		left := p.ExpiresAt().Add(30 * time.Second).Sub(T)
		expiring, cancel := sso.WithExpiry(ctx)
		defer cancel()
		time.Sleep(left - time.Nanosecond)
		synctest.Wait()
		if expiring.Err() != nil {
			t.Error("ended early")
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if expiring.Err() == nil || !errors.Is(context.Cause(expiring), sso.ErrInvalidToken) {
			t.Errorf("%v: %v", expiring.Err(), context.Cause(expiring))
		}
		if _, ok := sso.FromContext(expiring); !ok {
			t.Error("the principal is lost")
		}
		early, stop := sso.WithExpiry(ctx)
		stop()
		if early.Err() == nil {
			t.Error("cancel does not end it")
		}
		expired, stop := sso.WithExpiry(t.Context())
		defer stop()
		if expired.Err() == nil || !errors.Is(context.Cause(expired), sso.ErrNoToken) {
			t.Error("the context without a principal did not end")
		}
	})
}

// The log says where a token was looked for, and its error there.
func TestTokenFrom_Says(t *testing.T) {
	auth, valid := newAuth(t), token()
	header, cookie := sso.TokenFromHeader("X-Token"), sso.TokenFromCookie("__Host-token")
	for name, c := range map[string]struct {
		sources []sso.TokenSource
		fields  map[string]string
		class   error
		says    string
	}{
		"another field is read":     {[]sso.TokenSource{header}, map[string]string{"Authorization": "Bearer " + valid}, sso.ErrNoToken, "no bearer token in the field X-Token"},
		"no cookie and no field":    {[]sso.TokenSource{{}, cookie}, nil, sso.ErrNoToken, "in the field Authorization, nor in the cookie __Host-token"},
		"the field, by default":     {[]sso.TokenSource{{}}, nil, sso.ErrNoToken, "no bearer token"},
		"a scheme in another field": {[]sso.TokenSource{header}, map[string]string{"X-Token": "bearer " + valid}, sso.ErrInvalidRequest, "the field X-Token begins with Bearer"},
		"a scheme in a cookie":      {[]sso.TokenSource{cookie}, map[string]string{"Cookie": "__Host-token=Bearer " + valid}, sso.ErrInvalidRequest, "the cookie __Host-token begins with Bearer"},
		"two places":                {[]sso.TokenSource{{}, header}, map[string]string{"Authorization": "Bearer " + valid, "X-Token": valid}, sso.ErrInvalidRequest, "two places: the field Authorization and the field X-Token"},
	} {
		_, err := auth.TokenFrom(c.sources...).Authenticate(t.Context(), adapter.EventRequest{HTTPMethod: "GET", Fields: c.fields})
		if !errors.Is(err, c.class) || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), valid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Anything in a chosen source is a credential, readable or not.
func TestTokenFrom_Unreadable(t *testing.T) {
	auth := newAuth(t)
	valid := token()
	cookie, query := auth.TokenFrom(sso.TokenFromCookie("__Host-token")), auth.TokenFrom(sso.InsecureTokenFromQuery("access_token"))
	for name, test := range map[string]struct {
		auth                   *sso.Authenticator
		target, cookie         string
		optional, authenticate string
	}{
		"a valid cookie":                        {cookie, "/", "a=b; __Host-token=" + valid + "; c=d", "accepted", "accepted"},
		"a valid cookie in quotes":              {cookie, "/", `__Host-token="` + valid + `"`, "accepted", "accepted"},
		"no cookie of the name":                 {cookie, "/", "a=b; __Host-token2=" + valid, "accepted", "no token"},
		"a cookie with a quote in it":           {cookie, "/", `__Host-token=invalid"value`, "invalid request", "invalid request"},
		"a cookie that is one quote":            {cookie, "/", `__Host-token="`, "invalid request", "invalid request"},
		"a cookie that is two quotes":           {cookie, "/", `__Host-token=""`, "accepted", "no token"},
		"a cookie with a backslash":             {cookie, "/", `__Host-token=` + valid + `\`, "invalid request", "invalid request"},
		"a valid cookie and a malformed one":    {cookie, "/", `__Host-token=` + valid + `; __Host-token=x"y`, "invalid request", "invalid request"},
		"a valid one after 511":                 {cookie, "/", strings.Repeat("a=b; ", 511) + `__Host-token=` + valid, "accepted", "accepted"},
		"a valid one after 512":                 {cookie, "/", strings.Repeat("a=b; ", 512) + `__Host-token=` + valid, "invalid request", "invalid request"},
		"a valid one before thousands":          {cookie, "/", `__Host-token=` + valid + strings.Repeat(";", 3000), "invalid request", "invalid request"},
		"a valid parameter after 511":           {query, "/?" + strings.Repeat("a=b&", 511) + "access_token=" + valid, "", "accepted", "accepted"},
		"a valid parameter after 512":           {query, "/?" + strings.Repeat("a=b&", 512) + "access_token=" + valid, "", "invalid request", "invalid request"},
		"thousands of separators":               {query, "/?" + strings.Repeat(";&", 2000), "", "invalid request", "invalid request"},
		"a valid parameter":                     {query, "/?a=b;c&access_token=" + valid, "", "accepted", "accepted"},
		"no parameter of the name":              {query, "/?a=access_token&access_token2=x", "", "accepted", "no token"},
		"a parameter that cannot be decoded":    {query, "/?access%5Ftoken=%zz", "", "invalid request", "invalid request"},
		"a parameter with a semicolon":          {query, "/?access%5Ftoken=a;b", "", "invalid request", "invalid request"},
		"a parameter after a semicolon":         {query, "/?a=b;access_token=" + valid, "", "invalid request", "invalid request"},
		"a valid parameter and a malformed one": {query, "/?access_token=" + valid + "&access_token=%zz", "", "invalid request", "invalid request"},
	} {
		t.Run(name, func(t *testing.T) {
			raw := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
			raw.RequestURI = test.target
			if test.cookie != "" {
				raw.Header.Set("Cookie", test.cookie)
			}
			r := routed{adapter.HTTPRequest{R: raw}}
			if _, err := test.auth.AuthenticateOptional(t.Context(), r); class(err) != test.optional {
				t.Errorf("AuthenticateOptional: %v, want %s", err, test.optional)
			}
			if _, err := test.auth.Authenticate(t.Context(), r); class(err) != test.authenticate {
				t.Errorf("Authenticate: %v, want %s", err, test.authenticate)
			}
		})
	}
}

// routed is a request over net/http.
type routed struct{ adapter.HTTPRequest }

func (routed) Pattern() string         { return "" }
func (routed) PathValue(string) string { return "" }
