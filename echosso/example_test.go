package echosso_test

import (
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/more-retail/moresso-go/core/adaptertest"
	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/core/ssotest"
	"github.com/more-retail/moresso-go/echosso"
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
		guard := echosso.New(auth)
		e := echo.New()
		e.GET("/orders", listOrders, guard.Require(permission.Is("orders.role", "clerk")))
		return e.Start("localhost:8080")
	}
	fmt.Println(serve())
	// Output:
	// sso: configuration: 2 problems:
	//   SSO_PUBLIC_KEY_URI is not set: set SSO_ISSUER to the iss of the tokens, e.g. https://login.example.com, and the keys are discovered; or write the URL of the keys here, e.g. https://login.example.com/.well-known/jwks.json
	//   SSO_AUDIENCE is not set: write the name of this service at the identity provider, e.g. orders-api
}

// A guard on a group applies to every route that is added to the group afterwards.
func ExampleGuard_Authenticate() {
	guard, issuer := guardForExamples()
	e := echo.New()
	orders := e.Group("/orders", guard.Authenticate())
	orders.GET("", listOrders)

	show(e, "/orders", "")
	show(e, "/orders", issuer.MustToken(devissuer.Subject("ada")))
	// Output:
	// 401 {"type":"about:blank","title":"Unauthorized","status":401,"code":"missing_token"}
	// 200 orders of ada
}

// A guard on one route. It requires all of its permissions.
func ExampleGuard_Require() {
	guard, issuer := guardForExamples()
	e := echo.New()
	e.GET("/orders", listOrders, guard.Require(permission.Is("orders.role", "clerk"), permission.Scope("orders:read")))

	show(e, "/orders", issuer.MustToken())
	show(e, "/orders", issuer.MustToken(devissuer.Permission("orders.role", "clerk"), devissuer.Scope("orders:read")))
	// Output:
	// 403 {"type":"about:blank","title":"Forbidden","status":403,"code":"insufficient_scope"}
	// 200 orders of ada
}

// A guard on the server, for a site with anonymous visitors.
func ExampleGuard_Optional() {
	guard, issuer := guardForExamples()
	e := echo.New()
	e.Use(guard.Optional())
	e.GET("/", func(c echo.Context) error {
		if principal, ok := echosso.Principal(c); ok {
			return c.String(http.StatusOK, "hello "+principal.Subject())
		}
		return c.String(http.StatusOK, "hello")
	})

	show(e, "/", "")
	show(e, "/", issuer.MustToken())
	// Output:
	// 200 hello
	// 200 hello ada
}

// A custom body, with the status and the challenge of the denial.
func ExampleWithDenied() {
	auth, _ := adaptertest.ExampleIssuer()
	guard := echosso.New(auth, echosso.WithDenied(func(c echo.Context, d sso.Denial) {
		_ = c.String(d.Status, "no: "+d.Code)
	}))
	e := echo.New()
	e.GET("/orders", listOrders, guard.Authenticate())

	show(e, "/orders", "")
	// Output:
	// 401 no: missing_token
}

// The token in another field, for clients behind a gateway that uses Authorization itself.
func ExampleWithTokenFrom() {
	auth, issuer := adaptertest.ExampleIssuer()
	guard := echosso.New(auth, echosso.WithTokenFrom(sso.TokenFromHeader("X-Access-Token")))
	e := echo.New()
	e.GET("/orders", listOrders, guard.Authenticate())

	show(e, "/orders", "", "X-Access-Token", issuer.MustToken())
	// Output:
	// 200 orders of ada
}

func listOrders(c echo.Context) error {
	principal, _ := echosso.Principal(c)
	return c.String(http.StatusOK, "orders of "+principal.Subject())
}

// guardForExamples returns a guard that accepts the tokens of an issuer in memory.
func guardForExamples() (*echosso.Guard, *devissuer.Issuer) {
	auth, issuer := adaptertest.ExampleIssuer()
	return echosso.New(auth), issuer
}

func show(handler http.Handler, path, token string, header ...string) {
	adaptertest.ExampleGet(ssotest.InProcess(handler), path, token, header...)
}
