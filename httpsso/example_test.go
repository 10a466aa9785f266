package httpsso_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/more-retail/moresso-go/core/adaptertest"
	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/core/ssotest"
	"github.com/more-retail/moresso-go/httpsso"
)

// A whole service: two settings in the environment, one guard, one permission.
func Example() {
	serve := func() error {
		cfg, err := sso.ConfigFromEnv() // SSO_ISSUER and SSO_AUDIENCE
		if err != nil {
			return err
		}
		auth, err := sso.New(cfg)
		if err != nil {
			return err
		}
		guard := httpsso.New(auth)
		mux := http.NewServeMux()
		mux.Handle("GET /orders", guard.Require(permission.Is("orders.role", "clerk"))(listOrders))
		return http.ListenAndServe("localhost:8080", mux)
	}
	fmt.Println(serve())
	// Output:
	// sso: configuration: 2 problems:
	//   SSO_PUBLIC_KEY_URI is not set: set SSO_ISSUER to the iss of the tokens, e.g. https://login.example.com, and the keys are discovered; or write the URL of the keys here, e.g. https://login.example.com/.well-known/jwks.json
	//   SSO_AUDIENCE is not set: write the name of this service at the identity provider, e.g. orders-api
}

// A guard around the whole mux.
func ExampleGuard_Authenticate() {
	guard, issuer := guardForExamples()
	mux := http.NewServeMux()
	mux.Handle("GET /orders", listOrders)
	protected := guard.Authenticate()(mux)

	show(protected, "/orders", "")
	show(protected, "/orders", issuer.MustToken(devissuer.Subject("ada")))
	// Output:
	// 401 {"type":"about:blank","title":"Unauthorized","status":401,"code":"missing_token"}
	// 200 orders of ada
}

// A gateway forwards the token to the services behind it.
func ExampleWithTokenInContext() {
	auth, issuer := adaptertest.ExampleIssuer()
	guard := httpsso.New(auth, httpsso.WithTokenInContext())
	forward := func(w http.ResponseWriter, r *http.Request) {
		token, ok := sso.TokenFromContext(r.Context()) // false for an anonymous request
		_, _ = fmt.Fprint(w, ok, token != "")
	}
	show(guard.Optional()(http.HandlerFunc(forward)), "/", "")
	show(guard.Optional()(http.HandlerFunc(forward)), "/", issuer.MustToken())
	// Output:
	// 200 false false
	// 200 true true
}

// A guard on one route. It requires all of its permissions.
func ExampleGuard_Require() {
	guard, issuer := guardForExamples()
	mux := http.NewServeMux()
	clerk := guard.Require(permission.Is("orders.role", "clerk"), permission.Scope("orders:read"))
	mux.Handle("GET /orders", clerk(listOrders))

	show(mux, "/orders", issuer.MustToken())
	show(mux, "/orders", issuer.MustToken(devissuer.Permission("orders.role", "clerk"), devissuer.Scope("orders:read")))
	// Output:
	// 403 {"type":"about:blank","title":"Forbidden","status":403,"code":"insufficient_scope"}
	// 200 orders of ada
}

// A guard around the mux, for a site with anonymous visitors.
func ExampleGuard_Optional() {
	guard, issuer := guardForExamples()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		if principal, ok := httpsso.Principal(r); ok {
			_, _ = fmt.Fprint(w, "hello ", principal.Subject())
			return
		}
		_, _ = fmt.Fprint(w, "hello")
	})
	site := guard.Optional()(mux)

	show(site, "/", "")
	show(site, "/", issuer.MustToken())
	// Output:
	// 200 hello
	// 200 hello ada
}

// A custom body, with the status and the challenge of the denial.
func ExampleWithDenied() {
	auth, _ := adaptertest.ExampleIssuer()
	guard := httpsso.New(auth, httpsso.WithDenied(func(w http.ResponseWriter, _ *http.Request, d sso.Denial) {
		http.Error(w, "no: "+d.Code, d.Status)
	}))
	mux := http.NewServeMux()
	mux.Handle("GET /orders", guard.Authenticate()(listOrders))

	show(mux, "/orders", "")
	// Output:
	// 401 no: missing_token
}

// The identity provider calls the service when a user has signed out.
func ExampleBackChannelLogout() {
	_, issuer := guardForExamples()
	store := newMemory() // in production, use one that all instances share: see module redisstore
	auth, err := sso.New(sso.Config{
		PublicKeyURI: issuer.JWKSURL(),
		Issuer:       issuer.URL(),
		Audience:     []string{"api"},
		HTTPClient:   issuer.Client(),

		MaxTokenAge: time.Hour, // a logout is forgotten when all tokens of the session have expired
		Sessions:    store,
	})
	if err != nil {
		log.Fatal(err)
	}
	guard := httpsso.New(auth)
	mux := http.NewServeMux()
	mux.Handle("GET /orders", guard.Authenticate()(listOrders))
	mux.Handle("POST /logout/backchannel", httpsso.BackChannelLogout(auth, store.Revoker(), "web-shop")) // the client's id, not the API's

	token := issuer.MustToken(devissuer.Claim("sid", "session-1"))
	show(mux, "/orders", token)

	logout := issuer.MustToken(devissuer.Audience("web-shop"), devissuer.Claim("sid", "session-1"),
		devissuer.Claim("events", map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}))
	r := httptest.NewRequest(http.MethodPost, "/logout/backchannel", strings.NewReader("logout_token="+logout))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	fmt.Println(w.Code)

	show(mux, "/orders", token)
	// Output:
	// 200 orders of ada
	// 200
	// 401 {"type":"about:blank","title":"Unauthorized","status":401,"code":"invalid_token"}
}

// The state of the keys, for operators: 503 until keys are available.
func ExampleStatus() {
	auth, _ := adaptertest.ExampleIssuer()
	status := httpsso.Status(auth)
	get := func() int {
		w := httptest.NewRecorder()
		status.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/internal/keys", http.NoBody))
		return w.Code
	}
	fmt.Println(get())
	if err := auth.Ready(context.Background()); err != nil { // as a readiness probe does
		log.Fatal(err)
	}
	fmt.Println(get())
	// Output:
	// 503
	// 200
}

var listOrders = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	principal, _ := httpsso.Principal(r)
	_, _ = fmt.Fprint(w, "orders of ", principal.Subject())
})

// guardForExamples returns a guard that accepts the tokens of an issuer in memory.
func guardForExamples() (*httpsso.Guard, *devissuer.Issuer) {
	auth, issuer := adaptertest.ExampleIssuer()
	return httpsso.New(auth), issuer
}

func show(handler http.Handler, path, token string) {
	adaptertest.ExampleGet(ssotest.InProcess(handler), path, token)
}

// The token in a cookie, for pages of the service's own origin, or in the Authorization field.
func ExampleWithTokenFrom() {
	auth, issuer := adaptertest.ExampleIssuer()
	guard := httpsso.New(auth, httpsso.WithTokenFrom(sso.TokenSource{}, sso.TokenFromCookie("__Host-token")))
	handler := guard.Authenticate()(listOrders)

	r := httptest.NewRequest(http.MethodPost, "/orders", http.NoBody)
	r.AddCookie(&http.Cookie{Name: "__Host-token", Value: issuer.MustToken()})
	r.Header.Set("Sec-Fetch-Site", "cross-site") // caused by another site
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Body)
	// Output:
	// 403 {"type":"about:blank","title":"Forbidden","status":403,"code":"cross_origin"}
}
