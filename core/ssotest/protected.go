package ssotest

import (
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

// AssertProtected sends an anonymous request to every route of an application. It fails for each route
// that is not public and does not answer with 401 and a Bearer challenge. Such a route may have been
// registered before the guard, or on another group. A handler that panics was reached, so its route is
// open too.
//
// A route is a method and a path, such as "GET /orders/:id"; without a method it is GET. Most
// frameworks list them; see [Endpoints]. For [http.ServeMux], list what you register. Parameters are
// replaced by a value, in the notation of Gin, Echo, Fiber and net/http. If a route accepts only some
// values, give a path instead. Send with [Serve] or [InProcess]; for Fiber:
//
//	func(r *http.Request) (*http.Response, error) { return app.Test(r) }
//
// Public routes are not requested. Each must be one of the routes, so that the list does not become
// stale. A public "GET /health" includes "HEAD /health", which some frameworks register with it.
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
	seen := map[string]bool{}
	for _, pattern := range routes {
		if isPublic[pattern] || seen[pattern] {
			continue
		}
		seen[pattern] = true
		if problem := unguarded(t, pattern, do); problem != "" {
			t.Errorf("ssotest: %s", problem)
		}
	}
}

// OpenRoutes returns the routes that do not reject an anonymous request, in order, and logs what they
// answered. Use it to compare the open routes with a list; most tests use [AssertProtected]. A route
// that could not be requested counts as open.
func OpenRoutes(t testing.TB, routes []string, do Do) (open []string) {
	t.Helper()
	for _, pattern := range routes {
		if problem := unguarded(t, pattern, do); problem != "" {
			t.Logf("ssotest: %s", problem)
			open = append(open, pattern)
		}
	}
	return open
}

// unguarded requests a route and returns what is wrong with the response; "" if it was rejected.
func unguarded(t testing.TB, pattern string, do Do) (problem string) {
	method, path := fillIn(pattern)
	request := method + " " + path
	const guardIt = "guard it, or list it as public"
	done := false
	defer func() { // for a panic of the handler, if it runs in this goroutine
		if v := recover(); !done {
			problem = fmt.Sprintf("the route %q is open: its handler was reached by an anonymous %s and panicked (%v); %s", pattern, request, v, guardIt)
		}
	}()
	response, err := do(httptest.NewRequestWithContext(t.Context(), method, path, http.NoBody))
	done = true
	if sent := (*url.Error)(nil); errors.As(err, &sent) {
		err = sent.Err // without the request
	}
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		// The server of net/http does this if a handler panics.
		return fmt.Sprintf("the route %q is open: an anonymous %s ended the connection (%v), as a handler does that panics; %s", pattern, request, err, guardIt)
	case err != nil:
		return fmt.Sprintf("the route %q was not checked: %s: %v", pattern, request, err)
	}
	_ = response.Body.Close()
	challenge := response.Header.Get("WWW-Authenticate")
	switch code := response.StatusCode; {
	case code == http.StatusUnauthorized && (challenge == "Bearer" || strings.HasPrefix(challenge, "Bearer ")):
		return ""
	case code == http.StatusNotFound, code == http.StatusMethodNotAllowed:
		return fmt.Sprintf("no such route: %q: an anonymous %s was answered with %d; correct the list; or, if it is the route's own handler that answers so, guard it", pattern, request, code)
	case challenge == "":
		return fmt.Sprintf("the route %q is open: an anonymous %s was answered with %d and no Bearer challenge; %s", pattern, request, code, guardIt)
	default:
		return fmt.Sprintf("the route %q is open: an anonymous %s was answered with %d and the challenge %q; %s", pattern, request, code, challenge, guardIt)
	}
}

// Endpoints returns the routes for [AssertProtected] of a framework's own list, without repetitions:
//
//	ssotest.Endpoints(engine.Routes(), func(r gin.RouteInfo) string { return r.Method + " " + r.Path })
//	ssotest.Endpoints(e.Routes(), func(r *echo.Route) string { return r.Method + " " + r.Path })
//	ssotest.Endpoints(app.GetRoutes(true), func(r fiber.Route) string { return r.Method + " " + r.Path })
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

// fillIn returns a request line for a route, with a value for each parameter.
func fillIn(pattern string) (method, path string) {
	method, path, found := strings.Cut(pattern, " ")
	if !found {
		method, path = http.MethodGet, pattern
	}
	if _, rest, hasHost := strings.Cut(path, "/"); hasHost {
		path = rest // the patterns of net/http may begin with a host
	}
	path = strings.TrimSuffix(path, "{$}") // the end of a path in net/http
	return method, "/" + parameter.ReplaceAllString(path, "x")
}
