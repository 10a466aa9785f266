package adaptertest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/compat"
	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/core/ssotest"
)

// TestAdapter tests that an adapter behaves as all adapters do. Each case has a name and a rule; a
// failing one prints both. Status, headers and body of denials are compared whole, and the handler of
// a rejected request must not run. It also finds goroutines that are left when the application has
// ended, so it cannot run in parallel with other tests.
//
//	func TestConformance(t *testing.T) {
//		adaptertest.TestAdapter(t, func(t testing.TB, routes []adaptertest.Route) ssotest.Do {
//			return ssotest.Serve(t, newApplication(routes)) // of your framework, guarded by your adapter
//		})
//	}
//
// open is called once, with the routes of all cases. It builds an application of the adapter's framework
// with the routes and starts it on a listener (for AWS Lambda: as handlers of events). It returns a
// function that sends a request to it. The application ends with the test. Cases that need a feature in
// lacks are skipped.
func TestAdapter(t *testing.T, open func(t testing.TB, routes []Route) ssotest.Do, lacks ...Feature) {
	CheckLeaks(t)
	s := newSuite(t)
	do := open(t, s.routes())
	for _, c := range s.cases() {
		if slices.Contains(lacks, c.needs) {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			before, panics := s.ran.Load(), s.panics.Load()
			got, err := send(do, c.request)
			if err != nil {
				t.Fatalf("%s\nthe request failed: %v", c.rule, err)
			}
			if panicked := s.panics.Load() > panics; panicked != c.panics {
				t.Errorf("%s\na panic was logged: %t, want %t", c.rule, panicked, c.panics)
			}
			for _, text := range c.logs {
				if logged := s.panics.latest.Load(); logged == nil || !strings.Contains(*logged, text) {
					t.Errorf("%s\n%q is not in the log", c.rule, text)
				}
			}
			ran := s.ran.Load() - before
			if problem := c.want.compare(got, ran, c.request.Method); problem != "" {
				t.Errorf("%s\n%s %s\n%s", c.rule, c.request.Method, c.request.URL, problem)
			}
		})
	}
	t.Run("spellings of paths", func(t *testing.T) { s.spelled(t, do) })
	t.Run("attacks", func(t *testing.T) { s.attacks(t, do, lacks) })
	t.Run("principals do not mix", func(t *testing.T) { s.mixing(t, do) })
	t.Run("a principal stays the same after its request", func(t *testing.T) { s.outliving(t, do) })
	t.Run("a cached token expires", func(t *testing.T) { s.aging(t, do) })
	t.Run("rotation", func(t *testing.T) { s.rotation(t, do) })
	t.Run("recovery", func(t *testing.T) { s.recovery(t, do) })
}

// TestHTTPAdapter is [TestAdapter] for a framework over net/http: once over a real listener and once in
// process, as subtests named by the framework. build returns an application with the routes.
func TestHTTPAdapter(t *testing.T, framework string, build func(routes []Route) http.Handler, lacks ...Feature) {
	t.Run(framework, func(t *testing.T) {
		TestAdapter(t, func(t testing.TB, routes []Route) ssotest.Do { return ssotest.Serve(t, build(routes)) }, lacks...)
	})
	t.Run(framework+", in process", func(t *testing.T) {
		TestAdapter(t, func(_ testing.TB, routes []Route) ssotest.Do { return ssotest.InProcess(build(routes)) }, lacks...)
	})
}

// suite has the issuers, the authenticators and the handler that the cases share.
type suite struct {
	issuer, untrusted, down *ssotest.Issuer
	attacked                []*ssotest.Issuer // one for each algorithm of the attacks
	auth, other, named      *sso.Authenticator
	compat, text, signIn    *sso.Authenticator
	unavailable             *sso.Authenticator
	clock                   clock
	ran                     atomic.Int64
	panics                  panicCounter
	mu                      sync.Mutex
	kept                    []*sso.Principal
	tokens                  []string
}

// renderText responds in plain text.
func renderText(_ sso.Request, d sso.Denial) sso.Denial {
	d.Header = d.Header.Clone()
	d.Header.Set("Content-Type", "text/plain; charset=utf-8")
	d.Body = []byte(http.StatusText(d.Status) + "\n")
	return d
}

func newSuite(t *testing.T) *suite {
	s := &suite{issuer: ssotest.NewIssuer(t), untrusted: ssotest.NewIssuer(t), down: ssotest.NewIssuer(t), attacked: attackedIssuers(t)}
	s.auth = s.authenticator(s.issuer, "api", func(*sso.Config) {})
	s.other = s.authenticator(s.issuer, "other-api", func(*sso.Config) {})
	s.named = s.authenticator(s.issuer, "api", func(c *sso.Config) { c.TellScopes = true })
	s.compat = s.authenticator(s.issuer, "api", func(c *sso.Config) { c.Renderer = compat.Render })
	s.text = s.authenticator(s.issuer, "api", func(c *sso.Config) { c.Renderer = renderText })
	s.signIn = s.authenticator(s.issuer, "api", func(c *sso.Config) {
		c.Renderer = sso.RenderSignIn("https://login.example/start?app=1", "return_to", nil, "tab", "x", "access_token")
	})
	s.down.Down()
	s.unavailable = s.authenticator(s.down, "api", func(*sso.Config) {})
	return s
}

func (s *suite) authenticator(issuer *ssotest.Issuer, audience string, change func(*sso.Config)) *sso.Authenticator {
	cfg := issuer.Config(audience)
	cfg.Now, cfg.Logger = s.clock.now, slog.New(&s.panics)
	change(&cfg)
	return issuer.Authenticator(cfg)
}

// secret is the error of a permission, which must not reach the client.
const secret = "the-cause-of-it-all"

func (s *suite) routes() []Route {
	admin := permission.Is("pma.role", "admin")
	cookie := sso.TokenFromCookie(cookieName)
	failing := permission.Func("failing", func(context.Context, sso.Access) (bool, error) { return false, errors.New(secret) })
	panicking := permission.Func("panicking", func(context.Context, sso.Access) (bool, error) { panic(secret) })
	facts := permission.Func("facts", func(_ context.Context, a sso.Access) (bool, error) {
		first, n := a.Header("x-tenant")
		return a.Method() == http.MethodGet && a.PathValue("id") == "a b" && first == "acme" && n == 1 && a.Principal().Subject() == "ada", nil
	})
	draw := func(draw func(sso.Denial, func(string))) Layer {
		return Layer{Auth: s.auth, Permission: admin, Denied: draw}
	}
	ownTenant := permission.Func("own tenant", func(_ context.Context, a sso.Access) (bool, error) {
		tenant, _ := a.Principal().Claim("tenant").Text()
		return tenant == a.PathValue("tenant"), nil // which this route does not have
	})
	routes := []Route{
		{Path: "/own-tenant/{orderno}", Layers: []Layer{{Auth: s.auth, Permission: ownTenant}}},
		{Path: "/own-tenant", Layers: []Layer{{Auth: s.auth, Permission: ownTenant}}},
		{Path: "/same/{orderno}", Layers: []Layer{{Auth: s.auth, Permission: permission.SameAsPath("sub", "order")}}},
		{Path: "/same-or-admin/{orderno}", Layers: []Layer{{Auth: s.auth, Permission: permission.Any(permission.SameAsPath("sub", "order"), admin)}}},
		{Path: "/same-user/{id}", Layers: []Layer{{Auth: s.auth, Permission: permission.SameAsPath("sub", "id")}}},
		{Path: "/token", Layers: []Layer{{Auth: s.auth, TokenInContext: true}}},
		{Path: "/token-required", Layers: []Layer{{Auth: s.auth, Permission: admin, TokenInContext: true}}},
		{Path: "/token-optional", Layers: []Layer{{Auth: s.auth, Optional: true, TokenInContext: true}}},
		{Path: "/token-outside", Layers: []Layer{{Auth: s.auth, TokenInContext: true}, {Auth: s.auth, Permission: admin}}},
		{Path: "/token-inside", Layers: []Layer{{Auth: s.auth}, {Auth: s.auth, Permission: admin, TokenInContext: true}}},
		{Path: "/token-outside-another", Layers: []Layer{{Auth: s.other, TokenInContext: true}, {Auth: s.auth}}},
		{Path: "/token-in-cookie", Layers: []Layer{{Auth: s.auth, TokenFrom: []sso.TokenSource{cookie}, TokenInContext: true}}},
		{Path: "/authenticated", Layers: []Layer{{Auth: s.auth}}},
		{Path: "/required", Layers: []Layer{{Auth: s.auth, Permission: admin}}},
		{Path: "/both", Layers: []Layer{{Auth: s.auth}, {Auth: s.auth, Permission: admin}}},
		{Path: "/optional", Layers: []Layer{{Auth: s.auth, Optional: true}}},
		{Path: "/optional-required", Layers: []Layer{{Auth: s.auth, Optional: true}, {Auth: s.auth, Permission: admin}}},
		{Path: "/two-authenticators", Layers: []Layer{{Auth: s.other}, {Auth: s.auth, Permission: admin}}},
		{Path: "/scoped", Layers: []Layer{{Auth: s.named, Permission: permission.Scope("orders:read", "orders:write")}}},
		{Path: "/step-up", Layers: []Layer{{Auth: s.auth, Permission: permission.All(admin, permission.FreshLogin(5*time.Minute), permission.ACR("mfa"))}}},
		{Path: "/cookie", Layers: []Layer{{Auth: s.auth, TokenFrom: []sso.TokenSource{cookie}}}},
		{Path: "/cookie-optional", Layers: []Layer{{Auth: s.auth, Optional: true, TokenFrom: []sso.TokenSource{cookie}}}},
		{Path: "/cookie-trusting", Layers: []Layer{{Auth: s.auth, TokenFrom: []sso.TokenSource{sso.TokenFromCookie(cookieName, "https://app.example")}}}},
		{Path: "/anywhere", Layers: []Layer{{Auth: s.auth, TokenFrom: []sso.TokenSource{{}, sso.TokenFromHeader("X-Token"), cookie, sso.InsecureTokenFromQuery("access_token")}}}},
		{Path: "/compat", Layers: []Layer{{Auth: s.compat, Permission: admin}}},
		{Path: "/text", Layers: []Layer{{Auth: s.text, Permission: admin}}},
		{Path: "/sign-in", Layers: []Layer{{Auth: s.signIn, Permission: admin}}},
		{Path: "/failing", Layers: []Layer{{Auth: s.auth, Permission: failing}}},
		{Path: "/panicking", Layers: []Layer{{Auth: s.auth, Permission: panicking}}},
		{Path: "/unavailable", Layers: []Layer{{Auth: s.unavailable}}},
		{Path: "/orders/{id}", Layers: []Layer{{Auth: s.auth, Permission: facts}}},
		{Path: "/drawn", Layers: []Layer{draw(func(d sso.Denial, write func(string)) { write("drawn " + d.Code) })}},
		{Path: "/drawn-nothing", Layers: []Layer{draw(func(sso.Denial, func(string)) {})}},
		{Path: "/drawn-panic", Layers: []Layer{draw(func(sso.Denial, func(string)) { panic(secret) })}},
	}
	for _, issuer := range s.attacked {
		auth := s.authenticator(issuer, "api", func(*sso.Config) {})
		routes = append(routes,
			Route{Path: "/attacked/" + issuer.Algorithm(), Layers: []Layer{{Auth: auth}}},
			Route{Path: "/attacked-optional/" + issuer.Algorithm(), Layers: []Layer{{Auth: auth, Optional: true}}})
	}
	for i := range routes {
		routes[i].Handle = s.handle
	}
	return routes
}

// handle reports what a handler sees: the principal of the framework's own store, and that of the
// request's context.
func (s *suite) handle(ctx context.Context, stored *sso.Principal, ok bool) string {
	s.ran.Add(1)
	inContext, found := sso.FromContext(ctx)
	if ok != found || stored != inContext {
		return fmt.Sprintf("the framework's store has %q (%t), the request's context has %q (%t)", stored.Subject(), ok, inContext.Subject(), found)
	}
	if !ok {
		return "anonymous"
	}
	s.mu.Lock()
	s.kept = append(s.kept, stored)
	defer s.mu.Unlock()
	if token, ok := sso.TokenFromContext(ctx); ok {
		s.tokens = append(s.tokens, token)
		return "hello " + stored.Subject() + ", your token is " + token
	}
	return "hello " + stored.Subject()
}

// answer is the part of a response that is compared.
type answer struct {
	status  int
	body    string
	headers http.Header // all headers of a denial; if nil, they are not compared
	ran     int64       // how often the handler ran
}

func passes(body string) answer { return answer{status: http.StatusOK, body: body, ran: 1} }

func refused(status int, title, code, challenge string) answer {
	a := answer{
		status:  status,
		body:    fmt.Sprintf(`{"type":"about:blank","title":%q,"status":%d,"code":%q}`, title, status, code),
		headers: http.Header{"Content-Type": {"application/problem+json"}, "Cache-Control": {"no-store"}},
	}
	if challenge != "" {
		a.headers.Set("WWW-Authenticate", challenge)
	}
	return a
}

// rendered is a denial with another body.
func rendered(a answer, contentType, body string) answer {
	a.headers = a.headers.Clone()
	a.headers.Set("Content-Type", contentType)
	a.body = body
	return a
}

// seeOther is the redirect of a browser without a valid token.
func seeOther(location string) answer {
	return answer{status: http.StatusSeeOther, body: "See " + location + "\n", headers: http.Header{
		"Content-Type": {"text/plain; charset=utf-8"}, "Cache-Control": {"no-store"}, "Location": {location},
	}}
}

// The denials as a client gets them, so that a change of package sso is noticed.
var (
	missingToken = refused(401, "Unauthorized", "missing_token", `Bearer`)
	invalidToken = refused(401, "Unauthorized", "invalid_token", `Bearer error="invalid_token"`)
	invalidReq   = refused(400, "Bad Request", "invalid_request", `Bearer error="invalid_request"`)
	noPermission = refused(403, "Forbidden", "insufficient_scope", `Bearer error="insufficient_scope"`)
	crossOrigin  = refused(403, "Forbidden", "cross_origin", ``)
	internal     = refused(500, "Internal Server Error", "internal", ``)
	unavailable  = func() answer {
		a := refused(503, "Service Unavailable", "unavailable", ``)
		a.headers.Set("Retry-After", someSeconds)
		return a
	}()
)

// compare returns the differences; "" if the answers are equal.
func (want answer) compare(got answer, ran int64, method string) string {
	if method == http.MethodHead {
		want.body = "" // RFC 9110, section 9.3.2
	}
	var problems []string
	if got.status != want.status {
		problems = append(problems, fmt.Sprintf("status %d, want %d", got.status, want.status))
	}
	if got.body != want.body {
		problems = append(problems, fmt.Sprintf("body %q, want %q", got.body, want.body))
	}
	if ran != want.ran {
		problems = append(problems, fmt.Sprintf("the handler ran %d times, want %d", ran, want.ran))
	}
	if want.headers != nil && !maps.EqualFunc(got.headers, want.headers, slices.Equal) {
		problems = append(problems, fmt.Sprintf("headers %v, want %v", got.headers, want.headers))
	}
	return strings.Join(problems, "\n")
}

// someSeconds replaces a Retry-After from 1 to 30.
const someSeconds = "some seconds"

// transportHeaders are set by the server, not by the adapter.
var transportHeaders = []string{"Date", "Content-Length", "Connection", "Keep-Alive"}

func send(do ssotest.Do, r *http.Request) (answer, error) {
	response, err := do(r)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, err
	}
	headers := response.Header.Clone()
	for _, name := range transportHeaders {
		headers.Del(name)
	}
	if seconds, err := strconv.Atoi(headers.Get("Retry-After")); err == nil && seconds >= 1 && seconds <= 30 {
		headers.Set("Retry-After", someSeconds)
	}
	return answer{status: response.StatusCode, body: string(body), headers: headers}, nil
}

// get makes a request with these Authorization fields.
func get(path string, authorization ...string) *http.Request {
	return request(http.MethodGet, path, authorization...)
}

func request(method, path string, authorization ...string) *http.Request {
	r, err := http.NewRequestWithContext(context.Background(), method, path, http.NoBody)
	if err != nil {
		panic(err) // the paths are constants of this package
	}
	r.Host = "service.example"
	if len(authorization) > 0 {
		r.Header["Authorization"] = authorization
	}
	return r
}

// with sets header fields, given as names and values in turn.
func with(r *http.Request, fields ...string) *http.Request {
	for i := 0; i+1 < len(fields); i += 2 {
		r.Header.Add(fields[i], fields[i+1])
	}
	return r
}

func bearer(token string) string { return "Bearer " + token }

// clock is the real time plus an offset.
type clock struct{ offset atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.offset.Load())) }
func (c *clock) forward(d time.Duration) { c.offset.Add(int64(d)) }

// panicCounter is a log handler that counts the panics and keeps the latest error.
type panicCounter struct {
	atomic.Int64
	latest atomic.Pointer[string]
}

func (*panicCounter) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelError
}
func (c *panicCounter) WithAttrs([]slog.Attr) slog.Handler { return c }
func (c *panicCounter) WithGroup(string) slog.Handler      { return c }

func (c *panicCounter) Handle(_ context.Context, r slog.Record) error {
	if strings.Contains(r.Message, "panicked") {
		c.Add(1)
	}
	r.Attrs(func(a slog.Attr) bool {
		if text := a.Value.String(); a.Key == "error" {
			c.latest.Store(&text)
		}
		return true
	})
	return nil
}
