// Command fiber is a Fiber service behind single sign-on. It reads SSO_PUBLIC_KEY_URI,
// SSO_AUDIENCE and SSO_ISSUER from the environment; see sso.ConfigFromEnv for the rest.
package main

import (
	"errors"
	"log"
	"net/http"

	"github.com/gofiber/fiber/v2"
	fiberrecover "github.com/gofiber/fiber/v2/middleware/recover"

	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/fibersso"
)

func main() {
	cfg, err := sso.ConfigFromEnv()
	if err != nil {
		log.Fatal(err)
	}
	auth, err := sso.New(cfg)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(newApp(auth).Listen("localhost:8080"))
}

func newApp(auth *sso.Authenticator) *fiber.App {
	guard := fibersso.New(auth)
	app := fiber.New(fiber.Config{
		ReadBufferSize: 16 << 10, // for tokens larger than 4 KiB
		ErrorHandler:   discreet,
	})
	app.Use(fiberrecover.New())

	app.Get("/healthz", func(c *fiber.Ctx) error { return c.SendStatus(http.StatusNoContent) })

	orders := app.Group("/orders", guard.Authenticate())
	orders.Get("/", func(c *fiber.Ctx) error {
		principal, _ := fibersso.Principal(c)
		return c.JSON(fiber.Map{"orders of": principal.Subject()})
	})
	orders.Delete("/:id", guard.Require(permission.Is("orders.role", "clerk")), func(c *fiber.Ctx) error {
		return c.JSON(fiber.Map{"deleted": c.Params("id")})
	})
	return app
}

// discreet answers errors without their text, which can quote a request's headers, tokens
// included, where those could not be parsed.
func discreet(c *fiber.Ctx, err error) error {
	var known *fiber.Error
	if errors.As(err, &known) {
		return c.SendStatus(known.Code)
	}
	return c.SendStatus(http.StatusInternalServerError)
}
