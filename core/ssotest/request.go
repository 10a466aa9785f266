package ssotest

import (
	"net/http"
	"net/http/httptest"

	"github.com/more-retail/moresso-go/core/adapter"
	"github.com/more-retail/moresso-go/core/sso"
)

// Request returns r with a principal in its context, as [Context] puts it there, for handlers that only
// read who is calling. If r is nil, it is GET /. The request has no token, so that every guard rejects
// it.
//
//	w := httptest.NewRecorder()
//	listOrders.ServeHTTP(w, ssotest.Request(clerk, httptest.NewRequest("GET", "/orders?open=1", nil)))
//
// The Principal functions for Gin and Echo look at the request's context too. Fiber makes a request
// of its own without a context: put it there in a handler before yours, by
// c.SetUserContext(ssotest.Context(c.UserContext(), clerk)). Call a Lambda handler with
// ssotest.Context(t.Context(), clerk).
func Request(principal *sso.Principal, r *http.Request) *http.Request {
	r = orRoot(r)
	return r.WithContext(Context(r.Context(), principal))
}

// Access returns what a permission checks: a principal, which is nil for an anonymous request, and a
// request. If r is nil, it is GET /. Use it to test permissions of your own. The route is r.Pattern, in
// the framework's notation, and the values of its parameters are those of r.SetPathValue:
//
//	r := httptest.NewRequest("GET", "/orders/7", nil)
//	r.Pattern = "GET /orders/{order}"
//	r.SetPathValue("order", "7")
//	if d := sso.Check(t.Context(), ownOrder{owners}, ssotest.Access(clerk, r)); !d.Granted() {
//		t.Error(d.Explain())
//	}
func Access(principal *sso.Principal, r *http.Request) sso.Access {
	return sso.NewAccess(principal, accessRequest{adapter.HTTPRequest{R: orRoot(r)}})
}

func orRoot(r *http.Request) *http.Request {
	if r == nil {
		return httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	}
	return r
}

// accessRequest is the request that a permission sees.
type accessRequest struct{ adapter.HTTPRequest }

func (r accessRequest) Pattern() string              { return r.R.Pattern }
func (r accessRequest) PathValue(name string) string { return r.R.PathValue(name) }
