package ginsso_test

import (
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/more-retail/moresso-go/core/adaptertest"
	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/core/ssotest"
	"github.com/more-retail/moresso-go/ginsso"
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
		guard := ginsso.New(auth)
		router := gin.Default()
		router.GET("/orders", guard.Require(permission.Is("orders.role", "clerk")), listOrders)
		return router.Run("localhost:8080")
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
	router := gin.New()
	orders := router.Group("/orders", guard.Authenticate())
	orders.GET("", listOrders)

	show(router, "/orders", "")
	show(router, "/orders", issuer.MustToken(devissuer.Subject("ada")))
	// Output:
	// 401 {"type":"about:blank","title":"Unauthorized","status":401,"code":"missing_token"}
	// 200 orders of ada
}

// A guard on one route. It requires all of its permissions.
func ExampleGuard_Require() {
	guard, issuer := guardForExamples()
	router := gin.New()
	router.GET("/orders", guard.Require(permission.Is("orders.role", "clerk"), permission.Scope("orders:read")), listOrders)

	show(router, "/orders", issuer.MustToken())
	show(router, "/orders", issuer.MustToken(devissuer.Permission("orders.role", "clerk"), devissuer.Scope("orders:read")))
	// Output:
	// 403 {"type":"about:blank","title":"Forbidden","status":403,"code":"insufficient_scope"}
	// 200 orders of ada
}

// A guard on the engine, for a site with anonymous visitors.
func ExampleGuard_Optional() {
	guard, issuer := guardForExamples()
	router := gin.New()
	router.Use(guard.Optional())
	router.GET("/", func(c *gin.Context) {
		if principal, ok := ginsso.Principal(c); ok {
			c.String(http.StatusOK, "hello %s", principal.Subject())
			return
		}
		c.String(http.StatusOK, "hello")
	})

	show(router, "/", "")
	show(router, "/", issuer.MustToken())
	// Output:
	// 200 hello
	// 200 hello ada
}

// A custom body, with the status and the challenge of the denial.
func ExampleWithDenied() {
	auth, _ := adaptertest.ExampleIssuer()
	guard := ginsso.New(auth, ginsso.WithDenied(func(c *gin.Context, d sso.Denial) {
		c.JSON(d.Status, gin.H{"error": d.Code})
	}))
	router := gin.New()
	router.GET("/orders", guard.Authenticate(), listOrders)

	show(router, "/orders", "")
	// Output:
	// 401 {"error":"missing_token"}
}

// The token in another field, for clients behind a gateway that uses Authorization itself.
func ExampleWithTokenFrom() {
	auth, issuer := adaptertest.ExampleIssuer()
	guard := ginsso.New(auth, ginsso.WithTokenFrom(sso.TokenFromHeader("X-Access-Token")))
	router := gin.New()
	router.GET("/orders", guard.Authenticate(), listOrders)

	show(router, "/orders", "", "X-Access-Token", issuer.MustToken())
	// Output:
	// 200 orders of ada
}

func listOrders(c *gin.Context) {
	principal, _ := ginsso.Principal(c)
	c.String(http.StatusOK, "orders of %s", principal.Subject())
}

// guardForExamples returns a guard that accepts the tokens of an issuer in memory.
func guardForExamples() (*ginsso.Guard, *devissuer.Issuer) {
	gin.SetMode(gin.ReleaseMode)
	auth, issuer := adaptertest.ExampleIssuer()
	return ginsso.New(auth), issuer
}

func show(handler http.Handler, path, token string, header ...string) {
	adaptertest.ExampleGet(ssotest.InProcess(handler), path, token, header...)
}
