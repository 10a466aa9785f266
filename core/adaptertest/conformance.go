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

// TestAdapter holds an adapter to the behaviour that all adapters share. Each case has a name,
// and a sentence that says the rule; a failing one prints both. It compares status, headers
// and body of refusals whole, and sees to it that a refused request's handler never ran.
//
// It also finds what is left running when the application has ended; so it cannot run in
// parallel with other tests.
//
//	func TestConformance(t *testing.T) {
//		adaptertest.TestAdapter(t, adaptertest.Adapter{Open: func(t testing.TB, routes []adaptertest.Route) ssotest.Do {
//			return ssotest.Serve(t, newApplication(routes)) // of your framework, guarded by your adapter
//		}})
//	}
func TestAdapter(t *testing.T, adapter Adapter) {
	CheckLeaks(t)
	s := newSuite(t)
	do := adapter.Open(t, s.routes())
	for _, c := range s.cases() {
		if slices.Contains(adapter.Lacks, c.needs) {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			before, panics := s.ran.Load(), s.panics.Load()
			got, err := send(do, c.request)
			if err != nil {
				t.Fatalf("%s\nthe request failed: %v", c.rule, err)
			}
			if panicked := s.panics.Load() > panics; panicked != c.panics {
				t.Errorf("the rule: %s\nthe log tells of a panic: %t, want %t", c.rule, panicked, c.panics)
			}
			ran := s.ran.Load() - before
			if problem := c.want.compare(got, ran, c.request.Method); problem != "" {
				t.Errorf("the rule: %s\n%s %s\n%s", c.rule, c.request.Method, c.request.URL, problem)
			}
		})
	}
	t.Run("however the path is spelled, nobody gets in", func(t *testing.T) { s.spelled(t, do) })
	t.Run("attacks", func(t *testing.T) { s.attacked(t, do, adapter.Lacks) })
	t.Run("principals do not mix", func(t *testing.T) { s.mixing(t, do) })
	t.Run("a principal outlives its request unchanged", func(t *testing.T) { s.outliving(t, do) })
	t.Run("a token that is known ends with its time all the same", func(t *testing.T) { s.aging(t, do) })
	t.Run("a rotated key is accepted without a restart, and a retired one ends its tokens", func(t *testing.T) { s.rotation(t, do) })
	t.Run("a provider that comes back is noticed without a restart", func(t *testing.T) { s.recovery(t, do) })
}

// TestHTTPAdapter is [TestAdapter] for an adapter of a framework over net/http: once over a real
// listener, once in process, as subtests that are named by the framework. Build is called for each,
// with the routes that the application is to have; lacks is [Adapter.Lacks].
func TestHTTPAdapter(t *testing.T, framework string, build func(routes []Route) http.Handler, lacks ...Feature) {
	t.Run(framework, func(t *testing.T) {
		TestAdapter(t, Adapter{Lacks: lacks, Open: func(t testing.TB, routes []Route) ssotest.Do { return ssotest.Serve(t, build(routes)) }})
	})
	t.Run(framework+", in process", func(t *testing.T) {
		TestAdapter(t, Adapter{Lacks: lacks, Open: func(_ testing.TB, routes []Route) ssotest.Do { return ssotest.InProcess(build(routes)) }})
	})
}

// suite is the issuer, the authenticators and the handlers that the cases share.
type suite struct {
	issuer, stranger, dead       *ssotest.Issuer
	victims                      []*ssotest.Issuer // whom the attacks are made for
	auth, other, named, hopeless *sso.Authenticator
	compat, text, signIn         *sso.Authenticator
	clock                        clock
	ran                          atomic.Int64
	panics                       panicCounter
	mu                           sync.Mutex
	kept                         []*sso.Principal
}

func newSuite(t *testing.T) *suite {
	s := &suite{issuer: ssotest.NewIssuer(t), stranger: ssotest.NewIssuer(t), dead: ssotest.NewIssuer(t), victims: newVictims(t)}
	s.auth = s.authenticator(s.issuer, "api", func(*sso.Config) {})
	s.other = s.authenticator(s.issuer, "other-api", func(*sso.Config) {})
	s.named = s.authenticator(s.issuer, "api", func(c *sso.Config) { c.Realm, c.TellScopes = "orders", true })
	s.compat = s.authenticator(s.issuer, "api", func(c *sso.Config) { c.Renderer = compat.Render })
	s.text = s.authenticator(s.issuer, "api", func(c *sso.Config) { c.Renderer = sso.RenderText })
	s.signIn = s.authenticator(s.issuer, "api", func(c *sso.Config) {
		c.Renderer = sso.RenderSignIn("https://login.example/start?app=1", "return_to", nil)
	})
	s.dead.Down()
	s.hopeless = s.authenticator(s.dead, "api", func(*sso.Config) {})
	return s
}

func (s *suite) authenticator(issuer *ssotest.Issuer, audience string, change func(*sso.Config)) *sso.Authenticator {
	cfg := issuer.Config(audience)
	cfg.Now, cfg.Logger = s.clock.now, slog.New(&s.panics)
	change(&cfg)
	return issuer.Authenticator(cfg)
}

// secret is what a permission fails with: nothing of it may reach the client.
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
		return Layer{Auth: s.auth, Kind: Require, Permission: admin, Denied: draw}
	}
	routes := []Route{
		{Path: "/authenticated", Layers: []Layer{{Auth: s.auth}}},
		{Path: "/required", Layers: []Layer{{Auth: s.auth, Kind: Require, Permission: admin}}},
		{Path: "/both", Layers: []Layer{{Auth: s.auth}, {Auth: s.auth, Kind: Require, Permission: admin}}},
		{Path: "/optional", Layers: []Layer{{Auth: s.auth, Kind: Optional}}},
		{Path: "/optional-required", Layers: []Layer{{Auth: s.auth, Kind: Optional}, {Auth: s.auth, Kind: Require, Permission: admin}}},
		{Path: "/two-authenticators", Layers: []Layer{{Auth: s.other}, {Auth: s.auth, Kind: Require, Permission: admin}}},
		{Path: "/scoped", Layers: []Layer{{Auth: s.named, Kind: Require, Permission: permission.Scope("orders:read", "orders:write")}}},
		{Path: "/step-up", Layers: []Layer{{Auth: s.auth, Kind: Require, Permission: permission.All(admin, permission.FreshLogin(5*time.Minute), permission.ACR("mfa"))}}},
		{Path: "/cookie", Layers: []Layer{{Auth: s.auth, TokenFrom: []sso.TokenSource{cookie}}}},
		{Path: "/cookie-optional", Layers: []Layer{{Auth: s.auth, Kind: Optional, TokenFrom: []sso.TokenSource{cookie}}}},
		{Path: "/cookie-trusting", Layers: []Layer{{Auth: s.auth, TokenFrom: []sso.TokenSource{sso.TokenFromCookie(cookieName, "https://app.example")}}}},
		{Path: "/anywhere", Layers: []Layer{{Auth: s.auth, TokenFrom: []sso.TokenSource{sso.TokenFromAuthorization(), sso.TokenFromHeader("X-Token"), cookie, sso.InsecureTokenFromQuery("access_token")}}}},
		{Path: "/compat", Layers: []Layer{{Auth: s.compat, Kind: Require, Permission: admin}}},
		{Path: "/text", Layers: []Layer{{Auth: s.text, Kind: Require, Permission: admin}}},
		{Path: "/sign-in", Layers: []Layer{{Auth: s.signIn, Kind: Require, Permission: admin}}},
		{Path: "/failing", Layers: []Layer{{Auth: s.auth, Kind: Require, Permission: failing}}},
		{Path: "/panicking", Layers: []Layer{{Auth: s.auth, Kind: Require, Permission: panicking}}},
		{Path: "/unavailable", Layers: []Layer{{Auth: s.hopeless}}},
		{Path: "/orders/{id}", Layers: []Layer{{Auth: s.auth, Kind: Require, Permission: facts}}},
		{Path: "/drawn", Layers: []Layer{draw(func(d sso.Denial, write func(string)) { write("drawn " + d.Code) })}},
		{Path: "/drawn-nothing", Layers: []Layer{draw(func(sso.Denial, func(string)) {})}},
		{Path: "/drawn-panic", Layers: []Layer{draw(func(sso.Denial, func(string)) { panic(secret) })}},
	}
	for _, victim := range s.victims {
		auth := s.authenticator(victim, "api", func(*sso.Config) {})
		routes = append(routes,
			Route{Path: "/attacked/" + victim.Algorithm(), Layers: []Layer{{Auth: auth}}},
			Route{Path: "/attacked-optional/" + victim.Algorithm(), Layers: []Layer{{Auth: auth, Kind: Optional}}})
	}
	for i := range routes {
		routes[i].Handle = s.handle
	}
	return routes
}

// handle tells what a handler sees: the principal of the framework's own store, and that of the
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
	s.mu.Unlock()
	return "hello " + stored.Subject()
}

// A testCase is one request and its answer.
type testCase struct {
	name, rule string
	request    *http.Request
	want       answer
	needs      Feature // empty: nothing special
	panics     bool    // what draws the refusal does, which the log tells
}

// answer is a response as far as it is compared.
type answer struct {
	status  int
	body    string
	headers http.Header // of a refusal, whole; nil: not compared
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

// redrawn is a refusal with another body.
func redrawn(a answer, contentType, body string) answer {
	a.headers = a.headers.Clone()
	a.headers.Set("Content-Type", contentType)
	a.body = body
	return a
}

// seeOther is what a browser without a token gets in place of a refusal.
func seeOther(location string) answer {
	return answer{status: http.StatusSeeOther, body: "See " + location + "\n", headers: http.Header{
		"Content-Type": {"text/plain; charset=utf-8"}, "Cache-Control": {"no-store"}, "Location": {location},
	}}
}

// The refusals, written out as a client gets them, so that a change of the core shows here.
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
	drawnDenied = answer{status: 403, body: "drawn insufficient_scope"}
)

// compare says what is wrong, or nothing.
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

// someSeconds stands for a Retry-After from 1 to 30.
const someSeconds = "some seconds"

// transportHeaders are the server's business and not the adapter's.
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
		headers.Set("Retry-After", someSeconds) // how long exactly is left to the back-off
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
		panic(err) // the paths stand in this package
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

// clock is real time and what a test adds to it.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) forward(d time.Duration) { c.ahead.Add(int64(d)) }

// panicCounter is a log of which it is counted only how often it tells of a panic: the suite makes thousands of
// refusals.
type panicCounter struct{ atomic.Int64 }

func (*panicCounter) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelError
}
func (c *panicCounter) WithAttrs([]slog.Attr) slog.Handler { return c }
func (c *panicCounter) WithGroup(string) slog.Handler      { return c }

func (c *panicCounter) Handle(_ context.Context, r slog.Record) error {
	if strings.Contains(r.Message, "panicked") {
		c.Add(1)
	}
	return nil
}
