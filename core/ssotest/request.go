package ssotest

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/internal/testkit"
	"github.com/more-retail/moresso-go/core/sso"
)

// NewPrincipal is a principal as an authenticator with default settings would make it of a token
// with these options, good or not: what is wrong with the token beside its claims does not count,
// and it may have expired. It is about "ada" unless they say otherwise.
//
//	clerk := ssotest.NewPrincipal(devissuer.Subject("grace"), devissuer.Permission("orders.role", "clerk"))
//
// It is for [Request], [Context] and [Access], and opens no route. For a principal by settings of
// your own (PermissionsClaim, RolesClaim) let your authenticator validate a token:
// auth.ValidateToken(t.Context(), iss.Token(…)). It panics outside of tests, and for claims that
// no token can have.
func NewPrincipal(opts ...TokenOption) *sso.Principal {
	mustBeTest("NewPrincipal")
	issuer, err := devissuer.New(FastKeys())
	if err != nil {
		panic("ssotest: " + err.Error())
	}
	principal, err := principalOf(issuer, time.Now, opts)
	if err != nil {
		panic("ssotest: NewPrincipal: " + err.Error())
	}
	return principal
}

// Principal is [NewPrincipal] with what this issuer knows: its personas, its identifier, its
// audience and its clock. The test fails for claims that no token can have.
func (i *Issuer) Principal(opts ...TokenOption) *sso.Principal {
	i.t.Helper()
	mustBeTest("Issuer.Principal")
	principal, err := principalOf(i.Issuer, i.Now, opts)
	if err != nil {
		i.t.Fatalf("ssotest: %v", err)
	}
	return principal
}

func principalOf(issuer *devissuer.Issuer, now func() time.Time, opts []TokenOption) (*sso.Principal, error) {
	token, err := issuer.Token(opts...)
	if err != nil {
		return nil, err
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		return nil, err
	}
	made, err := testkit.Principal(payload, now)
	if err != nil {
		return nil, err
	}
	return made.(*sso.Principal), nil //nolint:errcheck // it makes nothing else
}

// mustBeTest panics in a program that is no test: there a principal comes out of a token, or not at
// all.
func mustBeTest(function string) {
	if !testing.Testing() {
		panic("ssotest: " + function + " works in tests alone: elsewhere a principal comes out of a token that an Authenticator has verified")
	}
}

// Context is a context with a principal, as [sso.FromContext] and the adapters' Principal functions
// find it, for code that needs nothing but to know who is calling. A nil principal is nobody.
//
// It stands for no authentication: whatever demands one (an adapter's Authenticate, Require and
// Optional, the methods of an [sso.Authenticator]) does not look at it. It panics outside of tests.
func Context(ctx context.Context, principal *sso.Principal) context.Context {
	mustBeTest("Context")
	return testkit.Context(ctx, principal)
}

// Request is a request whose context has a principal, as [Context] gives it, for handlers that need
// nothing but to know who is calling. It is GET / unless the options say otherwise. It has no
// token, so that every guard refuses it. It panics outside of tests.
//
//	w := httptest.NewRecorder()
//	listOrders.ServeHTTP(w, ssotest.Request(clerk, ssotest.Path("/orders?open=1")))
//
// Gin and Echo hand it on: their Principal functions look at the request's context too. Fiber
// makes a request of its own, without a context: let a handler before yours put it there, by
// c.SetUserContext(ssotest.Context(c.UserContext(), clerk)). A Lambda handler is called with
// ssotest.Context(t.Context(), clerk).
func Request(principal *sso.Principal, opts ...RequestOption) *http.Request {
	mustBeTest("Request")
	r := newRequest(opts)
	return r.WithContext(Context(r.Context(), principal))
}

// Access is what a permission is asked about: a principal, nil for nobody, and a request, which is
// GET / unless the options say otherwise. It is for testing permissions of your own:
//
//	access := ssotest.Access(clerk, ssotest.Pattern("GET /orders/{order}"), ssotest.PathValue("order", "7"))
//	if d := sso.Check(t.Context(), ownOrder{owners}, access); !d.Granted() {
//		t.Error(d.Explain())
//	}
func Access(principal *sso.Principal, opts ...RequestOption) sso.Access {
	return sso.NewAccess(principal, accessRequest{sso.HTTPRequest{R: newRequest(opts)}})
}

// A RequestOption says what is special about a request; see [Request] and [Access]. Options apply
// in the order given. Any function will do that changes a request.
type RequestOption func(*http.Request)

// Method sets the request's method. Default: GET.
func Method(method string) RequestOption { return func(r *http.Request) { r.Method = method } }

// Path sets what the request asks for: a path, and perhaps a query. Default: "/". It panics for
// what is none.
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

// Pattern sets the route as it was registered, in the framework's notation. Default: unknown.
func Pattern(pattern string) RequestOption { return func(r *http.Request) { r.Pattern = pattern } }

// PathValue sets what the path holds, decoded, in the place of a named parameter. The path itself
// stays as it is. Default: none.
func PathValue(name, value string) RequestOption {
	return func(r *http.Request) { r.SetPathValue(name, value) }
}

// RequestHeader sets the fields of one name in the request's header, as many as there are values.
// Default: none.
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

// accessRequest is what a permission sees of a request.
type accessRequest struct{ sso.HTTPRequest }

func (r accessRequest) Pattern() string              { return r.R.Pattern }
func (r accessRequest) PathValue(name string) string { return r.R.PathValue(name) }
