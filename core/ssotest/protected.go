package ssotest

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// AssertProtected sends an anonymous request to every route of an application, and fails for
// each that answers with anything but a refusal (401 with a Bearer challenge) and is not listed
// as public. It finds the route that was registered before the guard, or on the wrong group.
//
// Routes are what the framework says of itself; each is a method and a path, such as
// "GET /orders/:id"; see [Endpoints]. Parameters are filled in, in the notation of Gin, Echo,
// Fiber and net/http; where a route takes only some values, write the path that is to be asked
// for instead. A path without a method is asked for by GET. [http.ServeMux] does not list its
// patterns: list what you register.
//
// Public routes are not called; each must be among the routes, as it stands there, so that the
// list cannot grow stale.
func AssertProtected(t testing.TB, routes []string, do Do, public ...string) {
	t.Helper()
	if len(routes) == 0 {
		t.Errorf("ssotest: no routes, so nothing was checked")
	}
	for _, pattern := range public {
		if !slices.Contains(routes, pattern) {
			t.Errorf("ssotest: %q is listed as public and is no route", pattern)
		}
	}
	routes = slices.DeleteFunc(slices.Clone(routes), func(pattern string) bool { return slices.Contains(public, pattern) })
	for _, pattern := range OpenRoutes(t, routes, do) {
		t.Errorf("ssotest: the route %q is open: an anonymous request was not refused; guard it, or list it as public", pattern)
	}
}

// OpenRoutes returns those of the routes that do not refuse an anonymous request, in order; see
// [AssertProtected]. What was answered instead is logged.
func OpenRoutes(t testing.TB, routes []string, do Do) (open []string) {
	t.Helper()
	for _, pattern := range routes {
		method, path := fillIn(pattern)
		response, err := do(httptest.NewRequestWithContext(t.Context(), method, path, http.NoBody))
		if err != nil {
			t.Errorf("ssotest: %s %s: %v", method, path, err)
			continue
		}
		_ = response.Body.Close()
		challenge := response.Header.Get("WWW-Authenticate")
		if response.StatusCode != http.StatusUnauthorized || challenge != "Bearer" && !strings.HasPrefix(challenge, "Bearer ") {
			t.Logf("ssotest: %s %s was answered with %d and the challenge %q", method, path, response.StatusCode, challenge)
			open = append(open, pattern)
		}
	}
	return open
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
