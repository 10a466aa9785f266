package ssotest

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// AssertProtected sends anonymous requests to every route of an application. It fails for each route
// that is not public and does not answer with 401 and a Bearer challenge. Such a route may have been
// registered before the guard, or on another group. A handler that panics was reached, so its route is
// open too.
//
// A route is a method and a path, such as "GET /orders/:id"; without a method it is all of them. Most
// frameworks list them; see [Endpoints], and fibersso.Routes. For [http.ServeMux], list what you
// register: each pattern is also requested by values, methods and depths that no other one has. The method "USE"
// is for middleware, which need not answer. Parameters are replaced by values, in the notation
// of Gin, Echo, Fiber and net/http. If a route accepts only some values, give a path instead. Send with
// [Serve] or [InProcess]; for Fiber:
//
//	func(r *http.Request) (*http.Response, error) { return app.Test(r) }
//
// Each guarded route is also requested by other spellings of its path, with "//", "/./", "%2F" and
// "%2e%2e", and by GET and POST with an override of the method (X-HTTP-Method-Override, X-HTTP-Method,
// X-Method-Override, _method). A success is an error, unless an unknown path, or the request without
// the override, is answered in the same way.
//
// Public routes are not requested by their own. Each must be one of the routes, so that the list does
// not become stale. A public "GET /health" includes "HEAD /health", which some frameworks register with it.
//
// It does not see routes that are not listed, such as Gin's NoRoute or files beside those of a guard;
// what opens for other values of parameters, fields or hosts; other spellings and overrides; and
// WebSockets.
func AssertProtected(t testing.TB, routes []string, do Do, public ...string) {
	t.Helper()
	if len(routes) == 0 {
		t.Errorf("ssotest: no routes, so nothing was checked")
	}
	isPublic := map[string]bool{}
	for _, pattern := range public {
		if !slices.Contains(routes, pattern) {
			t.Errorf("ssotest: %q is listed as public and is not a route", pattern)
		}
		isPublic[pattern] = true
		if path, get := strings.CutPrefix(pattern, http.MethodGet+" "); get {
			isPublic[http.MethodHead+" "+path] = true
		}
	}
	a := &anonymous{t: t, do: do, routes: routes}
	seen := map[string]bool{}
	for _, pattern := range routes {
		if isPublic[pattern] || seen[pattern] {
			continue
		}
		seen[pattern] = true
		problem := a.unguarded(pattern)
		if problem == "" {
			problem = a.bypassed(pattern)
		}
		if problem != "" {
			t.Errorf("ssotest: %s", problem)
		}
	}
}

// OpenRoutes returns the routes that do not reject an anonymous request, in order, and logs what they
// answered. Use it to compare the open routes with a list; most tests use [AssertProtected], which tries
// more. A route that could not be requested counts as open.
func OpenRoutes(t testing.TB, routes []string, do Do) (open []string) {
	t.Helper()
	a := &anonymous{t: t, do: do, routes: routes}
	for _, pattern := range routes {
		if problem := a.unguarded(pattern); problem != "" {
			t.Logf("ssotest: %s", problem)
			open = append(open, pattern)
		}
	}
	return open
}

// anonymous is a client without a token.
type anonymous struct {
	t      testing.TB
	do     Do
	routes []string
}

// An answer is a response to a request, or the error or panic in its place.
type answer struct {
	request, challenge, body string
	status                   int
	err                      error
	panicked                 any
}

// success reports whether a handler answered.
func (a answer) success() bool {
	return a.err == nil && a.status < 300 || a.panicked != nil
}

// noHost is the host of requests for a pattern that has none.
const noHost = "ssotest.invalid"

// send sends one request. The header is optional.
func (a *anonymous) send(method, host, path string, header http.Header) (got answer) {
	got.request = method + " " + path
	for name := range header {
		got.request += " with " + name
	}
	done := false
	defer func() { // for a panic of the handler, if it runs in this goroutine
		if v := recover(); !done {
			got.panicked = v
		}
	}()
	r := httptest.NewRequestWithContext(a.t.Context(), method, path, http.NoBody)
	r.Host = host
	if header != nil {
		r.Header = header
	}
	response, err := a.do(r)
	done = true
	if sent, ok := errors.AsType[*url.Error](err); ok {
		err = sent.Err // without the request
	}
	if err != nil {
		got.err = err
		return got
	}
	body, _ := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	_ = response.Body.Close()
	got.status, got.challenge, got.body = response.StatusCode, response.Header.Get("WWW-Authenticate"), string(body)
	return got
}

// unguarded requests a route and returns what is wrong with the responses; "" if it was rejected.
func (a *anonymous) unguarded(pattern string) string {
	rejected, missing := false, ""
	for _, r := range slices.Concat(requestsOf(pattern), a.rareRequestsOf(pattern)) {
		if slices.ContainsFunc(a.routes, func(other string) bool { return other != pattern && r.isOf(other) }) || r.below && strings.HasSuffix(pattern, "/") && !a.isServeMux() {
			continue
		}
		got := a.send(r.method, r.host, r.path, nil)
		problem, found := got.problem(pattern)
		if found && (r.below || parameter.MatchString(pattern)) && got.success() {
			found = !a.isFallback(r, got) // which answers for values that the route does not accept
		}
		switch {
		case problem == "":
			rejected = true
		case found:
			return problem
		case missing == "":
			missing = problem
		}
	}
	if rejected || strings.HasPrefix(pattern, "USE ") || strings.HasPrefix(pattern, "echo_route_not_found ") {
		return ""
	}
	return missing
}

// isServeMux reports whether the routes can be those of [http.ServeMux], where "/admin/" has all paths below.
func (a *anonymous) isServeMux() bool {
	return strings.Contains(strings.Join(a.routes, ""), "{") || !slices.ContainsFunc(a.routes, colonPath.MatchString)
}

// isFallback reports whether an answer is that to an unknown path, which no pattern for all paths explains.
func (a *anonymous) isFallback(r request, got answer) bool {
	all := func(route string) bool { return a.isServeMux() && strings.TrimPrefix(route, r.method+" ") == "/" }
	return !slices.ContainsFunc(a.routes, all) && same(got, a.send(r.method, r.host, "/ssotest-no-such-route", nil))
}

func same(x, y answer) bool { return x.status == y.status && x.body == y.body }

// problem returns what is wrong with the response to an anonymous request; "" if it was rejected. It is
// not found if there may be no such route.
func (a answer) problem(pattern string) (problem string, found bool) {
	const guardIt = "guard it, or list it as public"
	open := fmt.Sprintf("the route %q is open: ", pattern)
	switch {
	case a.panicked != nil:
		return fmt.Sprintf("%sits handler was reached by an anonymous %s and panicked (%v); %s", open, a.request, a.panicked, guardIt), true
	case errors.Is(a.err, io.EOF), errors.Is(a.err, io.ErrUnexpectedEOF), errors.Is(a.err, syscall.ECONNRESET):
		// The server of net/http does this if a handler panics.
		return fmt.Sprintf("%san anonymous %s ended the connection (%v), as a handler does that panics; %s", open, a.request, a.err, guardIt), true
	case a.err != nil:
		return fmt.Sprintf("the route %q was not checked: %s: %v", pattern, a.request, a.err), true
	case a.status == http.StatusUnauthorized && (a.challenge == "Bearer" || strings.HasPrefix(a.challenge, "Bearer ")):
		return "", true
	case a.status == http.StatusNotFound, a.status == http.StatusMethodNotAllowed:
		return fmt.Sprintf("no such route: %q: an anonymous %s was answered with %d; correct the list; or, if it is the route's own handler that answers so, guard it", pattern, a.request, a.status), false
	case a.challenge == "":
		return fmt.Sprintf("%san anonymous %s was answered with %d and no Bearer challenge; %s", open, a.request, a.status, guardIt), true
	}
	return fmt.Sprintf("%san anonymous %s was answered with %d and the challenge %q; %s", open, a.request, a.status, a.challenge, guardIt), true
}

// bypassed requests a guarded route by other spellings of its path, and by overrides of its method. It
// returns which one succeeds.
func (a *anonymous) bypassed(pattern string) string {
	r := requestsOf(pattern)[0]
	unknown := a.send(r.method, r.host, "/ssotest-no-such-route", nil)
	rest := r.path[1:]
	spellings := []string{"//" + rest, "/./" + rest, "/x/../" + rest, "/x/%2e%2e/" + rest, "/.%2F" + rest}
	for i, char := range rest {
		if before, after := r.path[:i+1], rest[i+1:]; char == '/' {
			spellings = append(spellings, before+"//"+after, before+"/./"+after, before+"%2F"+after, before+"/x/%2e%2e/"+after)
		}
	}
	for _, path := range spellings {
		if got := a.send(r.method, r.host, path, nil); got.success() && !same(got, unknown) {
			return fmt.Sprintf("the route %q is open by another spelling: an anonymous %s reached a handler; guard the route itself, or refuse such paths", pattern, got.request)
		}
	}
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		if method == r.method {
			continue
		}
		plain := a.send(method, r.host, r.path, nil)
		if plain.success() && !same(plain, a.send(method, r.host, r.path, nil)) {
			continue // its answers always differ
		}
		for _, name := range []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "_method"} {
			overriding := func(to string) answer {
				if name == "_method" {
					return a.send(method, r.host, r.path+"?_method="+to, nil)
				}
				return a.send(method, r.host, r.path, http.Header{http.CanonicalHeaderKey(name): {to}})
			}
			got := overriding(r.method)
			if got.success() && (!same(got, plain) || !same(overriding(a.unrouted(pattern)), plain)) {
				return fmt.Sprintf("the route %q is open by an override of the method: an anonymous %s reached a handler; guard the route itself", pattern, got.request)
			}
		}
	}
	return ""
}

// Endpoints returns the routes for [AssertProtected] of a framework's own list, without repetitions:
//
//	ssotest.Endpoints(engine.Routes(), func(r gin.RouteInfo) string { return r.Method + " " + r.Path })
//	ssotest.Endpoints(e.Routes(), func(r *echo.Route) string { return r.Method + " " + r.Path })
func Endpoints[R any](list []R, describe func(R) string) []string {
	var routes []string
	for _, route := range list {
		if pattern := describe(route); !slices.Contains(routes, pattern) {
			routes = append(routes, pattern)
		}
	}
	return routes
}

// parameter is a parameter in a route: "{id}", "{path...}", ":id", "*", "+", and Fiber's ":id<int>?".
var parameter = regexp.MustCompile(`\{[^}]*\}|[:*+]\w*(<[^/]*>)?\??`)

// colonPath matches a path with parameters in the notation of Gin, Echo and Fiber.
var colonPath = regexp.MustCompile(`/[:*]`)

// unrouted returns a method that no route of the same path has.
func (a *anonymous) unrouted(pattern string) string {
	_, path, _ := strings.Cut(pattern, " ")
	for _, method := range []string{http.MethodPatch, http.MethodPut, http.MethodDelete} {
		if !slices.Contains(a.routes, method+" "+path) {
			return method
		}
	}
	return http.MethodTrace
}

// request is a request line for a pattern.
type request struct {
	method, host, path string
	below              bool // the path is below that of the pattern
}

// isOf reports whether a request is for another route: one without parameters, or, if the path is below
// that of its own, any.
func (r request) isOf(other string) bool {
	if path, found := strings.CutPrefix(other, r.method+" "); found {
		other = path
	} else if path, get := strings.CutPrefix(other, http.MethodGet+" "); get && r.below && r.method == http.MethodHead {
		other = path
	}
	path := strings.TrimPrefix(r.host, noHost) + r.path
	if !r.below {
		return other == path
	}
	literals := parameter.Split(strings.TrimSuffix(other, "{$}"), -1)
	for i, literal := range literals {
		literals[i] = regexp.QuoteMeta(literal)
	}
	matched, _ := regexp.MatchString("^"+strings.Join(literals, "[^/]*")+"$", path)
	return matched
}

// requestsOf returns requests for a route, with values for its parameters: several, so that patterns of
// net/http that are more specific do not answer all of them.
func requestsOf(pattern string) (list []request) {
	method, path, found := strings.Cut(pattern, " ")
	methods := []string{method}
	switch {
	case !found:
		path = pattern
		methods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}
	case method == "USE", method == "echo_route_not_found":
		methods = []string{http.MethodGet, http.MethodPost}
	}
	host, rest, _ := strings.Cut(path, "/") // the patterns of net/http may begin with a host
	host, path = cmp.Or(host, noHost), "/"+strings.TrimSuffix(rest, "{$}")
	for _, method := range methods {
		first := parameter.ReplaceAllString(path, "x")
		list = append(list, request{method: method, host: host, path: first})
		if second := parameter.ReplaceAllString(path, "1"); second != first {
			list = append(list, request{method: method, host: host, path: second})
		}
		switch {
		case strings.HasSuffix(rest, "{$}"):
		case strings.HasPrefix(pattern, "USE "):
			list = append(list, request{method, host, strings.TrimSuffix(first, "/") + "/x", true})
		case strings.HasSuffix(path, "/"):
			list = append(list, request{method, host, first + "x", true})
		case strings.HasSuffix(path, "...}"), strings.HasSuffix(path, "*"):
			list = append(list, request{method, host, first + "/y", true})
		}
	}
	return list
}

// rareRequestsOf returns requests for a route that other routes hardly answer: with an unusual method, with
// an unusual value, or deeper than any of them.
func (a *anonymous) rareRequestsOf(pattern string) []request {
	first, depth := requestsOf(pattern)[0], 0
	for _, other := range a.routes {
		depth = max(depth, strings.Count(other, "/")+1)
	}
	method, valued, deep := first, first, first
	_, path, found := strings.Cut(pattern, " ")
	if !found {
		path, method.method = pattern, "PROPFIND"
	}
	_, path, _ = strings.Cut(strings.TrimSuffix(path, "{$}"), "/")
	valued.path = "/" + parameter.ReplaceAllString(path, "ssotest")
	if path = "/" + path; !strings.HasSuffix(pattern, "{$}") && (strings.HasSuffix(path, "/") || strings.HasSuffix(path, "...}") || strings.HasSuffix(path, "*")) {
		deep.path, deep.below = strings.TrimSuffix(valued.path, "/")+strings.Repeat("/ssotest", depth), true
	}
	return slices.DeleteFunc([]request{method, valued, deep}, func(r request) bool { return r == first })
}
