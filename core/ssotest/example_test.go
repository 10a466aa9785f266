package ssotest_test

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/adapter"
	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/core/ssotest"
)

// exampleT replaces the t of a test. It prints what would fail the test.
type exampleT struct {
	testing.TB
	ended []func()
}

func (t *exampleT) Helper()                      {}
func (t *exampleT) Context() context.Context     { return context.Background() }
func (t *exampleT) Cleanup(f func())             { t.ended = append(t.ended, f) }
func (t *exampleT) Output() io.Writer            { return io.Discard }
func (t *exampleT) Logf(string, ...any)          {}
func (t *exampleT) Errorf(s string, args ...any) { fmt.Printf("FAIL: "+s+"\n", args...) }
func (t *exampleT) Fatalf(s string, args ...any) { panic(fmt.Sprintf(s, args...)) }

// end does what package testing does when a test ends.
func (t *exampleT) end() {
	for i := range t.ended {
		t.ended[len(t.ended)-1-i]()
	}
}

// newService returns the service under test, in which clerks may see the orders. With an adapter, the
// guard is one line.
func newService(auth *sso.Authenticator) http.Handler {
	clerk := permission.Is("orders.role", "clerk")
	mux := http.NewServeMux()
	mux.HandleFunc("GET /orders", func(w http.ResponseWriter, r *http.Request) {
		ctx, err := auth.Authorize(r.Context(), request{adapter.HTTPRequest{R: r}}, clerk)
		if err != nil {
			denial := sso.DenialOf(err)
			maps.Copy(w.Header(), denial.Header)
			w.WriteHeader(denial.Status)
			_, _ = w.Write(denial.Body)
			return
		}
		listOrders(w, r.WithContext(ctx))
	})
	mux.HandleFunc("GET /health", func(http.ResponseWriter, *http.Request) {})
	return mux
}

// request is the request of an adapter for net/http.
type request struct{ adapter.HTTPRequest }

func (r request) Pattern() string              { return r.R.Pattern }
func (r request) PathValue(name string) string { return r.R.PathValue(name) }

// listOrders is a handler that only reads who is calling.
func listOrders(w http.ResponseWriter, r *http.Request) {
	who, _ := sso.FromContext(r.Context())
	_, _ = fmt.Fprintf(w, "the orders of %s", who.Subject())
}

// status sends a token to the service and returns the status of the response.
func status(service http.Handler, token string) int {
	r := httptest.NewRequest(http.MethodGet, "/orders", http.NoBody)
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	service.ServeHTTP(w, r)
	return w.Code
}

// A test of a whole service. With the t of a test, the issuer and the service end by themselves.
func Example() {
	t := &exampleT{}
	defer t.end()

	iss := ssotest.NewIssuer(t, ssotest.FastKeys())
	service := newService(iss.Authenticator(iss.Config("orders-api")))

	fmt.Println(status(service, iss.Token(devissuer.Permission("orders.role", "clerk"))))
	fmt.Println(status(service, iss.Token()))
	fmt.Println(status(service, iss.Token(devissuer.Permission("orders.role", "clerk"), devissuer.Expired())))
	// Output:
	// 200
	// 403
	// 401
}

// The provider rotates its key, and is then unreachable.
func ExampleNewIssuer() {
	t := &exampleT{}
	defer t.end()
	iss := ssotest.NewIssuer(t, ssotest.FastKeys(), devissuer.WithPersona("clerk", devissuer.Permission("orders.role", "clerk")))
	service := newService(iss.Authenticator(iss.Config("orders-api")))
	before := iss.Token(devissuer.Persona("clerk"))

	iss.Rotate()
	fmt.Println(status(service, iss.Token(devissuer.Persona("clerk"))), status(service, before))

	iss.Down()
	fmt.Println(status(service, before)) // with a key that the service has

	iss.Rotate()
	fmt.Println(status(service, iss.Token(devissuer.Persona("clerk")))) // with an unknown key
	// Output:
	// 200 200
	// 200
	// 503
}

// The test moves the clock and does not wait.
func ExampleIssuer_Clock() {
	t := &exampleT{}
	defer t.end()
	iss := ssotest.NewIssuer(t, ssotest.FastKeys())
	service := newService(iss.Authenticator(iss.Config("orders-api")))
	token := iss.Token(devissuer.Permission("orders.role", "clerk"), devissuer.ValidFor(10*time.Minute))

	fmt.Println(status(service, token))
	iss.Clock().Advance(10*time.Minute + 60*time.Second)
	fmt.Println(status(service, token))
	// Output:
	// 200
	// 401
}

// A handler that only reads who is calling is tested without a token.
func ExampleRequest() {
	grace := ssotest.NewPrincipal(devissuer.Subject("grace"))
	w := httptest.NewRecorder()
	listOrders(w, ssotest.Request(grace, httptest.NewRequest(http.MethodGet, "/orders?open=1", http.NoBody)))
	fmt.Println(w.Body)
	// Output: the orders of grace
}

// A function that only has a context is tested without a token, too.
func ExampleContext() {
	ctx := ssotest.Context(context.Background(), ssotest.NewPrincipal(devissuer.Subject("grace")))
	who, ok := sso.FromContext(ctx)
	fmt.Println(who.Subject(), ok)
	// Output: grace true
}

// A permission checks a principal and a request; a nil principal is an anonymous request.
func ExampleAccess() {
	own := permission.SameAsPath("sub", "user")
	grace := ssotest.NewPrincipal(devissuer.Subject("grace"))
	user := func(name string) *http.Request {
		r := httptest.NewRequest(http.MethodGet, "/users/"+name, http.NoBody)
		r.Pattern = "GET /users/{user}"
		r.SetPathValue("user", name)
		return r
	}
	for _, access := range []sso.Access{
		ssotest.Access(grace, user("grace")),
		ssotest.Access(grace, user("ada")),
		ssotest.Access(nil, user("")),
	} {
		fmt.Println(sso.Check(context.Background(), own, access).Explain())
	}
	// Output:
	// granted
	// denied: not_own at sub, wanted the path parameter user, found another string; use a token whose sub equals the path parameter user
	// denied: not_own; use a path with a value of the parameter user
}

// Every route of the service is requested without a token. The second call does not list the public one.
func ExampleAssertProtected() {
	t := &exampleT{}
	defer t.end()
	iss := ssotest.NewIssuer(t, ssotest.FastKeys())
	service := newService(iss.Authenticator(iss.Config("orders-api")))

	routes := []string{"GET /orders", "GET /health"} // as you registered them; see Endpoints
	ssotest.AssertProtected(t, routes, ssotest.InProcess(service), "GET /health")
	ssotest.AssertProtected(t, routes, ssotest.InProcess(service))
	// Output:
	// FAIL: ssotest: the route "GET /health" is open: an anonymous GET /health was answered with 200 and no Bearer challenge; guard it, or list it as public
}

func ExampleOpenRoutes() {
	t := &exampleT{}
	defer t.end()
	iss := ssotest.NewIssuer(t, ssotest.FastKeys())
	service := newService(iss.Authenticator(iss.Config("orders-api")))
	fmt.Println(ssotest.OpenRoutes(t, []string{"GET /orders", "GET /health"}, ssotest.Serve(t, service)))
	// Output: [GET /health]
}

// AssertProtected takes the routes that a framework lists.
func ExampleEndpoints() {
	type route struct{ Method, Path string } // gin.RouteInfo, *echo.Route or fiber.Route
	registered := []route{{"GET", "/orders"}, {"HEAD", "/orders"}, {"GET", "/orders"}}
	fmt.Println(ssotest.Endpoints(registered, func(r route) string { return r.Method + " " + r.Path }))
	// Output: [GET /orders HEAD /orders]
}
