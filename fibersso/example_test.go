package fibersso_test

import (
	"fmt"
	"net/http"

	"github.com/gofiber/fiber/v2"

	"github.com/more-retail/moresso-go/core/adaptertest"
	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/fibersso"
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
		guard := fibersso.New(auth)
		app := fiber.New()
		app.Get("/orders", guard.Require(permission.Is("orders.role", "clerk")), listOrders)
		return app.Listen("localhost:8080")
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
	app := fiber.New()
	orders := app.Group("/orders", guard.Authenticate())
	orders.Get("/", listOrders)

	show(app, "/orders", "")
	show(app, "/orders", issuer.MustToken(devissuer.Subject("ada")))
	// Output:
	// 401 {"type":"about:blank","title":"Unauthorized","status":401,"code":"missing_token"}
	// 200 orders of ada
}

// A guard on one route. It requires all of its permissions.
func ExampleGuard_Require() {
	guard, issuer := guardForExamples()
	app := fiber.New()
	app.Get("/orders", guard.Require(permission.Is("orders.role", "clerk"), permission.Scope("orders:read")), listOrders)

	show(app, "/orders", issuer.MustToken())
	show(app, "/orders", issuer.MustToken(devissuer.Permission("orders.role", "clerk"), devissuer.Scope("orders:read")))
	// Output:
	// 403 {"type":"about:blank","title":"Forbidden","status":403,"code":"insufficient_scope"}
	// 200 orders of ada
}

// A guard on the app, for a site with anonymous visitors.
func ExampleGuard_Optional() {
	guard, issuer := guardForExamples()
	app := fiber.New()
	app.Use(guard.Optional())
	app.Get("/", func(c *fiber.Ctx) error {
		if principal, ok := fibersso.Principal(c); ok {
			return c.SendString("hello " + principal.Subject())
		}
		return c.SendString("hello")
	})

	show(app, "/", "")
	show(app, "/", issuer.MustToken())
	// Output:
	// 200 hello
	// 200 hello ada
}

// A custom body, with the status and the challenge of the denial.
func ExampleWithDenied() {
	auth, _ := adaptertest.ExampleIssuer()
	guard := fibersso.New(auth, fibersso.WithDenied(func(c *fiber.Ctx, d sso.Denial) {
		_ = c.JSON(fiber.Map{"error": d.Code})
	}))
	app := fiber.New()
	app.Get("/orders", guard.Authenticate(), listOrders)

	show(app, "/orders", "")
	// Output:
	// 401 {"error":"missing_token"}
}

// The token in another field, for clients behind a gateway that uses Authorization itself.
func ExampleWithTokenFrom() {
	auth, issuer := adaptertest.ExampleIssuer()
	guard := fibersso.New(auth, fibersso.WithTokenFrom(sso.TokenFromHeader("X-Access-Token")))
	app := fiber.New()
	app.Get("/orders", guard.Authenticate(), listOrders)

	show(app, "/orders", "", "X-Access-Token", issuer.MustToken())
	// Output:
	// 200 orders of ada
}

func listOrders(c *fiber.Ctx) error {
	principal, _ := fibersso.Principal(c)
	return c.SendString("orders of " + principal.Subject())
}

// guardForExamples returns a guard that accepts the tokens of an issuer in memory.
func guardForExamples() (*fibersso.Guard, *devissuer.Issuer) {
	auth, issuer := adaptertest.ExampleIssuer()
	return fibersso.New(auth), issuer
}

func show(app *fiber.App, path, token string, header ...string) {
	adaptertest.ExampleGet(func(r *http.Request) (*http.Response, error) { return app.Test(r, -1) }, path, token, header...)
}
