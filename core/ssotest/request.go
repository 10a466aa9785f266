package ssotest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"

	"github.com/more-retail/moresso-go/core/adapter"
	"github.com/more-retail/moresso-go/core/sso"
)

// Request returns a request whose context has a principal, as [Context] puts it there, for handlers
// that only read who is calling. It is GET / by default. It has no token, so that every guard
// rejects it.
//
//	w := httptest.NewRecorder()
//	listOrders.ServeHTTP(w, ssotest.Request(clerk, ssotest.Path("/orders?open=1")))
//
// The Principal functions for Gin and Echo look at the request's context too. Fiber makes a request
// of its own without a context: put it there in a handler before yours, by
// c.SetUserContext(ssotest.Context(c.UserContext(), clerk)). Call a Lambda handler with
// ssotest.Context(t.Context(), clerk).
func Request(principal *sso.Principal, opts ...RequestOption) *http.Request {
	r := newRequest(opts)
	return r.WithContext(Context(r.Context(), principal))
}

// Access returns what a permission checks: a principal, which is nil for an anonymous request, and a
// request, which is GET / by default. Use it to test permissions of your own:
//
//	access := ssotest.Access(clerk, ssotest.Pattern("GET /orders/{order}"), ssotest.PathValue("order", "7"))
//	if d := sso.Check(t.Context(), ownOrder{owners}, access); !d.Granted() {
//		t.Error(d.Explain())
//	}
func Access(principal *sso.Principal, opts ...RequestOption) sso.Access {
	return sso.NewAccess(principal, accessRequest{adapter.HTTPRequest{R: newRequest(opts)}})
}

// A RequestOption changes the request of [Request] or [Access]. Options apply in the order given. You
// can write your own.
type RequestOption func(*http.Request)

// Method sets the request's method. Default: GET.
func Method(method string) RequestOption { return func(r *http.Request) { r.Method = method } }

// Path sets the path, which may have a query. Default: "/". It panics if the path is malformed.
func Path(target string) RequestOption {
	u, err := url.ParseRequestURI(target)
	if err != nil {
		panic(fmt.Sprintf("ssotest: Path(%q): write a path such as /orders/7?open=1", target))
	}
	return func(r *http.Request) {
		address := *u
		r.URL, r.RequestURI = &address, target
	}
}

// Pattern sets the route as registered, in the framework's notation. Default: none.
func Pattern(pattern string) RequestOption { return func(r *http.Request) { r.Pattern = pattern } }

// PathValue sets the decoded value of a named parameter. It does not change the path. Default: none.
func PathValue(name, value string) RequestOption {
	return func(r *http.Request) { r.SetPathValue(name, value) }
}

// RequestHeader sets the header fields of one name, one for each value. Default: none.
func RequestHeader(name string, values ...string) RequestOption {
	return func(r *http.Request) {
		r.Header.Del(name)
		for _, value := range values {
			r.Header.Add(name, value)
		}
	}
}

func newRequest(opts []RequestOption) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	for _, opt := range opts {
		opt(r)
	}
	return r
}

// accessRequest is the request that a permission sees.
type accessRequest struct{ adapter.HTTPRequest }

func (r accessRequest) Pattern() string              { return r.R.Pattern }
func (r accessRequest) PathValue(name string) string { return r.R.PathValue(name) }
