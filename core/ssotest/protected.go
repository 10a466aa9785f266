package ssotest

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// AssertProtected sends an anonymous request to every route of an application, and fails for
// each that answers with anything but a refusal (401 with a Bearer challenge) and is not listed
// as public. It finds the route that was registered before the guard, or on the wrong group. A
// handler that panics was reached, so its route is open too.
//
// Routes are what the framework says of itself; each is a method and a path, such as
// "GET /orders/:id"; see [Endpoints]. Parameters are filled in, in the notation of Gin, Echo,
// Fiber and net/http; where a route takes only some values, write the path that is to be asked
// for instead. A path without a method is asked for by GET. [http.ServeMux] does not list its
// patterns: list what you register. How requests are sent is [Serve] or [InProcess] for what is an
// [http.Handler], and for Fiber
//
//	func(r *http.Request) (*http.Response, error) { return app.Test(r) }
//
// Public routes are not called; each must be among the routes, as it stands there, so that the
// list cannot grow stale. A public "GET /health" also stands for "HEAD /health", which some
// frameworks register beside it.
func AssertProtected(t testing.TB, routes []string, do Do, public ...string) {
	t.Helper()
	if len(routes) == 0 {
		t.Errorf("ssotest: no routes, so nothing was checked")
	}
	isPublic := map[string]bool{}
	for _, pattern := range public {
		if !slices.Contains(routes, pattern) {
			t.Errorf("ssotest: %q is listed as public and is no route", pattern)
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

// OpenRoutes returns those of the routes that do not refuse an anonymous request, in order; see
// [AssertProtected], which most tests want. What was answered instead is logged, and the test does
// not fail by it: it is for a list of open routes that a test compares with one of its own. A route
// that could not be asked counts as open.
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

// unguarded asks for a route and says what is wrong with the answer; nothing of a refusal.
func unguarded(t testing.TB, pattern string, do Do) (problem string) {
	method, path := fillIn(pattern)
	asked := method + " " + path
	const guardIt = "guard it, or list it as public"
	done := false
	defer func() { // the handler's, where the request does not leave the process
		if v := recover(); !done {
			problem = fmt.Sprintf("the route %q is open: its handler was reached by an anonymous %s and panicked (%v); %s", pattern, asked, v, guardIt)
		}
	}()
	response, err := do(httptest.NewRequestWithContext(t.Context(), method, path, http.NoBody))
	done = true
	if sent := (*url.Error)(nil); errors.As(err, &sent) {
		err = sent.Err // whose prefix repeats the request
	}
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		// What net/http's server does for a handler that panics.
		return fmt.Sprintf("the route %q is open: an anonymous %s ended the connection (%v), as a handler does that panics; %s", pattern, asked, err, guardIt)
	case err != nil:
		return fmt.Sprintf("the route %q was not checked: %s: %v", pattern, asked, err)
	}
	_ = response.Body.Close()
	challenge := response.Header.Get("WWW-Authenticate")
	switch code := response.StatusCode; {
	case code == http.StatusUnauthorized && (challenge == "Bearer" || strings.HasPrefix(challenge, "Bearer ")):
		return ""
	case code == http.StatusNotFound, code == http.StatusMethodNotAllowed:
		return fmt.Sprintf("no such route: %q: an anonymous %s was answered with %d; correct the list; or, if it is the route's own handler that answers so, guard it", pattern, asked, code)
	case challenge == "":
		return fmt.Sprintf("the route %q is open: an anonymous %s was answered with %d and no Bearer challenge; %s", pattern, asked, code, guardIt)
	default:
		return fmt.Sprintf("the route %q is open: an anonymous %s was answered with %d and the challenge %q; %s", pattern, asked, code, challenge, guardIt)
	}
}

// Endpoints makes the routes for [AssertProtected] out of a framework's own list:
//
//	ssotest.Endpoints(engine.Routes(), func(r gin.RouteInfo) string { return r.Method + " " + r.Path })
//	ssotest.Endpoints(e.Routes(), func(r *echo.Route) string { return r.Method + " " + r.Path })
//	ssotest.Endpoints(app.GetRoutes(true), func(r fiber.Route) string { return r.Method + " " + r.Path })
//
// Each stands in it once.
func Endpoints[R any](list []R, describe func(R) string) []string {
	var routes []string
	for _, route := range list {
		if pattern := describe(route); !slices.Contains(routes, pattern) {
			routes = append(routes, pattern)
		}
	}
	return routes
}

// fillIn makes a request line of a route's pattern.
func fillIn(pattern string) (method, path string) {
	method, path, found := strings.Cut(pattern, " ")
	if !found {
		method, path = http.MethodGet, pattern
	}
	if _, rest, hasHost := strings.Cut(path, "/"); hasHost {
		path = rest // net/http's patterns may begin with a host
	}
	var segments []string
	for segment := range strings.SplitSeq(path, "/") {
		segments = append(segments, filled(segment))
	}
	return method, "/" + strings.Join(segments, "/")
}

// filled replaces the parameters in one segment of a path by a value.
func filled(segment string) string {
	const value = "x"
	if segment == "{$}" { // net/http's mark for the end of a path
		return ""
	}
	var b strings.Builder
	for i := 0; i < len(segment); i++ {
		switch c := segment[i]; c {
		case '{':
			if end := strings.IndexByte(segment[i:], '}'); end >= 0 {
				i += end
			}
			b.WriteString(value)
		case ':', '*', '+':
			for i+1 < len(segment) && isParamByte(segment[i+1]) {
				i++
			}
			if i+1 < len(segment) && segment[i+1] == '<' { // a constraint of Fiber's
				if end := strings.LastIndexByte(segment[i:], '>'); end >= 0 {
					i += end
				}
			}
			if i+1 < len(segment) && segment[i+1] == '?' {
				i++
			}
			b.WriteString(value)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func isParamByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}
