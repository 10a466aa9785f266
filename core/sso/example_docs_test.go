package sso_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"time"

	"github.com/more-retail/moresso-go/core/adapter"
	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
)

// Nothing is set here, and the error says what to write.
func ExampleConfigFromEnv() {
	cfg, err := sso.ConfigFromEnv()
	if wrong, ok := errors.AsType[*sso.ConfigError](err); ok {
		for _, problem := range wrong.Problems {
			fmt.Println(problem.Setting, problem.Problem)
		}
		return
	}
	cfg.Logger = slog.Default() // what the environment cannot hold
	// Output:
	// SSO_PUBLIC_KEY_URI is not set
	// SSO_AUDIENCE is not set
}

// The same variables from a parameter store.
func ExampleConfigFromLookup() {
	parameters := map[string]string{
		"SSO_ISSUER":   "https://login.example.com",
		"SSO_AUDIENCE": "orders-api, billing-api",
		"SSO_LEEWAY":   "30s",
	}
	cfg, err := sso.ConfigFromLookup(func(name string) string { return parameters[name] })
	fmt.Printf("%q %v %v\n", cfg.Audience, cfg.Leeway, err)
	// Output:
	// ["orders-api" "billing-api"] 30s <nil>
}

// All problems come in one error.
func ExampleNew() {
	_, err := sso.New(sso.Config{Issuer: "https://login.example.com", Leeway: time.Hour})
	fmt.Println(err)
	// Output:
	// sso: configuration: 2 problems:
	//   Audience is not set: write the name of this service at the identity provider, e.g. orders-api
	//   Leeway holds 1h0m0s, which accepts expired tokens: write at most 5m, and set the clocks
}

// At start-up, in a probe and at the end.
func ExampleAuthenticator_Ready() {
	auth, issuer := forExamples(sso.Config{})
	fmt.Println("usable:", auth.Status()[0].Usable)
	fmt.Println("ready:", auth.Ready(context.Background()))
	fmt.Println("usable:", auth.Status()[0].Usable, auth.Status()[0].Source == issuer.JWKSURL())
	fmt.Println("closed:", auth.Close())
	fmt.Println("unavailable:", errors.Is(auth.Ready(context.Background()), sso.ErrUnavailable))
	// Output:
	// usable: false
	// ready: <nil>
	// usable: true true
	// closed: <nil>
	// unavailable: true
}

// An adapter of your own verifies the request and writes the refusal. The adapters
// do this for you.
func ExampleAuthenticator_Authenticate() {
	auth, issuer := forExamples(sso.Config{})
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, err := auth.Authenticate(r.Context(), httpRequest{adapter.HTTPRequest{R: r}})
		if err != nil {
			sso.DenialOf(err).Write(w)
			return
		}
		principal, _ := sso.FromContext(ctx)
		_, _ = fmt.Fprint(w, "hello ", principal.Subject())
	})

	for _, credentials := range []string{"", "Bearer " + issuer.MustToken()} {
		r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
		r.Header.Set("Authorization", credentials)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Header().Get("WWW-Authenticate"), w.Body)
	}
	// Output:
	// 401 Bearer {"type":"about:blank","title":"Unauthorized","status":401,"code":"missing_token"}
	// 200  hello ada
}

// httpRequest implements [sso.Request] over an *http.Request.
type httpRequest struct{ adapter.HTTPRequest }

func (r httpRequest) Pattern() string              { return r.R.Pattern }
func (r httpRequest) PathValue(name string) string { return r.R.PathValue(name) }

// Requests without a token pass; requests with an invalid token do not.
func ExampleAuthenticator_AuthenticateOptional() {
	auth, issuer := forExamples(sso.Config{})
	for _, r := range []adapter.EventRequest{{}, withToken(issuer.MustToken()), withToken(issuer.MustToken(devissuer.Expired()))} {
		ctx, err := auth.AuthenticateOptional(context.Background(), r)
		_, found := sso.FromContext(ctx)
		fmt.Println(found, err == nil)
	}
	// Output:
	// false true
	// true true
	// false false
}

// Every error has a response, which does not contain the cause.
func ExampleDenialOf() {
	for _, err := range []error{sso.ErrNoToken, sso.ErrInvalidToken, sso.ErrAccessDenied, sso.ErrUnavailable, errors.New("the disk is full")} {
		d := sso.DenialOf(err)
		fmt.Printf("%d %s %q\n", d.Status, d.Code, d.Header.Get("WWW-Authenticate"))
	}
	// Output:
	// 401 missing_token "Bearer"
	// 401 invalid_token "Bearer error=\"invalid_token\""
	// 403 insufficient_scope "Bearer error=\"insufficient_scope\""
	// 503 unavailable ""
	// 500 internal ""
}

// officeHours is a permission of your own: it calls another one and a clock that may fail.
type officeHours struct {
	of  sso.Permission
	now func() (hour int, err error)
}

func (o officeHours) Check(ctx context.Context, access sso.Access) sso.Decision {
	if d := sso.Check(ctx, o.of, access); !d.Granted() {
		return sso.Deny("not_staff", "only the staff may").With(sso.Details{Parts: []sso.Decision{d}})
	}
	hour, err := o.now()
	switch {
	case err != nil:
		return sso.Fail(err)
	case hour < 9 || hour >= 17:
		return sso.Deny("closed", "come again from 9 to 17")
	}
	return sso.Grant()
}

// A permission of your own, checked outside of a request.
func ExamplePermission() {
	auth, issuer := forExamples(sso.Config{})
	principal, err := auth.ValidateToken(context.Background(), issuer.MustToken(devissuer.Claim("roles", []string{"staff"})))
	if err != nil {
		log.Fatal(err)
	}
	access := sso.NewAccess(principal, nil)
	check := func(hour int, err error) {
		d := sso.Check(context.Background(), officeHours{permission.Role("staff"), func() (int, error) { return hour, err }}, access)
		fmt.Println(d.Granted(), d.Code(), d.Err())
	}
	check(10, nil)
	check(20, nil)
	check(0, errors.New("the clock has stopped"))
	// Output:
	// true  <nil>
	// false closed <nil>
	// false failed the clock has stopped
}

// A denial explains what would change it.
func ExampleDecision_With() {
	found, err := sso.ValueOf("guest")
	if err != nil {
		log.Fatal(err)
	}
	d := sso.Deny("wrong_value", "ask for the role clerk").With(sso.Details{Path: "orders.role", Wanted: `"clerk"`, Found: found})
	fmt.Println(d.Granted(), d.Code(), d.Details().Path, d.Remedy())
	fmt.Println(d.Explain())
	fmt.Println(d.ExplainWithValues()) // for people who may see the token
	// Output:
	// false wrong_value orders.role ask for the role clerk
	// denied: wrong_value at orders.role, wanted "clerk", found another string; ask for the role clerk
	// denied: wrong_value at orders.role, wanted "clerk", found "guest"; ask for the role clerk
}

// If the login is too old, the client gets 401 with the login that is required (RFC 9470).
func ExampleDetails() {
	d := sso.Deny("old_login", "sign in again").With(sso.Details{MaxAge: 5 * time.Minute})
	denial := sso.DenialOf(&sso.AccessDeniedError{Decision: d})
	fmt.Println(denial.Status, denial.Header.Get("WWW-Authenticate"))
	// Output:
	// 401 Bearer error="insufficient_user_authentication", max_age="300"
}

// The caller that a token identifies.
func ExamplePrincipal() {
	auth, issuer := forExamples(sso.Config{RolesClaim: "groups"})
	p, err := auth.ValidateToken(context.Background(), issuer.MustToken(
		devissuer.Subject("grace"), devissuer.Scope("orders:read", "orders:write"), devissuer.Permission("orders.role", "clerk"),
		devissuer.Claim("groups", []string{"staff"}), devissuer.Claim("tenant", map[string]any{"id": "t7"}), devissuer.Claim("jti", "token-1"),
	))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(p.Subject(), p.TokenID(), p.Audience(), p.Issuer() == issuer.URL())
	fmt.Println(p.HasRole("staff"), p.HasScope("orders:read"), p.Scopes(), p.HasAudience("api"))
	fmt.Println(p.ExpiresAt().After(p.IssuedAt()), p.AuthenticatedAt().IsZero())
	fmt.Println(p.Claim("tenant.id"), p.Permissions(), p.Claims().Get("groups"))

	var claims struct {
		Tenant struct {
			ID string `json:"id"`
		} `json:"tenant"`
	}
	fmt.Println(p.Decode(&claims), claims.Tenant.ID)
	// Output:
	// grace token-1 [api] true
	// true true [orders:read orders:write] true
	// true true
	// t7 {"orders":{"role":"clerk"}} ["staff"]
	// <nil> t7
}

// Claims are read by type; nothing is converted.
func ExampleValue() {
	v, err := sso.ValueOf(map[string]any{"level": 7, "name": "ada", "tags": []any{"a", "b"}, "admin": nil})
	if err != nil {
		log.Fatal(err)
	}
	level, isNumber := v.Get("level").Int64()
	_, isText := v.Get("level").Text()
	tags, _ := v.Get("tags").Strings()
	fmt.Println(level, isNumber, isText, tags)
	fmt.Println(v.Get("admin").Exists(), v.Get("admin").Kind(), v.Get("other").Exists(), v.Get("other").Kind())
	for name, member := range v.Members() {
		fmt.Print(name, "=", member, " ")
	}
	for tag := range v.Get("tags").Elements() {
		fmt.Print(tag, " ")
	}
	fmt.Println(v.Get("tags").Len())
	// Output:
	// 7 true false [a b]
	// true null false nothing
	// admin=null level=7 name=ada tags=["a","b"] a b 2
}

// The wanted value of a permission is compared by its JSON meaning.
func ExampleValueOf() {
	one, err := sso.ValueOf(1)
	if err != nil {
		log.Fatal(err)
	}
	same, err := sso.ValueOf(1.0)
	if err != nil {
		log.Fatal(err)
	}
	text, err := sso.ValueOf("1")
	if err != nil {
		log.Fatal(err)
	}
	_, err = sso.ValueOf(func() {})
	fmt.Println(one.Equal(same), one.Equal(text), err != nil)
	// Output:
	// true false true
}

// Work that outlives the beginning of its request ends with the token.
func ExampleWithExpiry() {
	now := time.Unix(1_700_000_000, 0)
	auth, issuer := forExamples(sso.Config{Now: func() time.Time { return now }})
	token := issuer.MustToken(devissuer.IssuedAt(now), devissuer.ValidFor(time.Hour))
	ctx, err := auth.Authenticate(context.Background(), withToken(token))
	if err != nil {
		log.Fatal(err)
	}
	now = now.Add(2 * time.Hour) // past the token's expiry
	ctx, cancel := sso.WithExpiry(ctx)
	defer cancel()
	<-ctx.Done() // a stream ends here
	fmt.Println(errors.Is(context.Cause(ctx), sso.ErrInvalidToken))
	// Output:
	// true
}

// A token may be in one of several places.
func ExampleAuthenticator_TokenFrom() {
	auth, issuer := forExamples(sso.Config{})
	auth = auth.TokenFrom(
		sso.TokenSource{},
		sso.TokenFromHeader("X-Access-Token"),
		sso.TokenFromCookie("__Host-token", "https://app.example.com"),
		sso.InsecureTokenFromQuery("access_token"),
	)
	token := issuer.MustToken()
	for _, r := range []adapter.EventRequest{
		withToken(token),
		{Fields: map[string]string{"X-Access-Token": token}},
		{Cookies: []string{"__Host-token=" + token}, HTTPMethod: http.MethodGet},
		{Cookies: []string{"__Host-token=" + token}, HTTPMethod: http.MethodPost, Fields: map[string]string{"Origin": "https://evil.example.com"}},
		{Path: "/stream", Query: "access_token=" + url.QueryEscape(token)},
		{Fields: map[string]string{"Authorization": "Bearer " + token, "X-Access-Token": token}},
	} {
		_, err := auth.Authenticate(context.Background(), r)
		if err != nil {
			fmt.Println(sso.DenialOf(err).Code)
			continue
		}
		fmt.Println("valid")
	}
	// Output:
	// valid
	// valid
	// valid
	// cross_origin
	// valid
	// invalid_request
}

// A browser is sent to sign in, and a script gets 401.
func ExampleRenderSignIn() {
	auth, _ := forExamples(sso.Config{Renderer: sso.RenderSignIn("https://login.example.com/start", "return_to", nil, "open")})
	for _, accept := range []string{"text/html", "application/json"} {
		_, err := auth.Authenticate(context.Background(), adapter.EventRequest{
			HTTPMethod: http.MethodGet, Path: "/orders", Query: "open=1", Fields: map[string]string{"Accept": accept},
		})
		d := sso.DenialOf(err)
		fmt.Println(d.Status, d.Header.Get("Location"))
	}
	// Output:
	// 303 https://login.example.com/start?return_to=%2Forders%3Fopen%3D1
	// 401
}

// forExamples trusts an issuer in memory, with some settings more.
func forExamples(cfg sso.Config) (*sso.Authenticator, *devissuer.Issuer) {
	issuer, err := devissuer.New()
	if err != nil {
		log.Fatal(err)
	}
	cfg.PublicKeyURI, cfg.HTTPClient, cfg.Issuer = issuer.JWKSURL(), issuer.Client(), issuer.URL()
	cfg.Audience, cfg.Logger = []string{"api"}, slog.New(slog.DiscardHandler)
	auth, err := sso.New(cfg)
	if err != nil {
		log.Fatal(err)
	}
	return auth, issuer
}

// withToken is a request with a token in the usual place.
func withToken(token string) adapter.EventRequest {
	return adapter.EventRequest{HTTPMethod: http.MethodGet, Fields: map[string]string{"Authorization": "Bearer " + token}}
}
