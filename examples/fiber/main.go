// Command fiber is a Fiber service behind single sign-on. It reads its settings from the environment.
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
	cfg, err := sso.ConfigFromEnv() // SSO_ISSUER and SSO_AUDIENCE
	if err != nil {
		log.Fatal(err)
	}
	auth, err := sso.New(cfg)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(newRouter(auth).Listen("localhost:8080"))
}

func newRouter(auth *sso.Authenticator) *fiber.App {
	guard := fibersso.New(auth)
	app := fiber.New(fiber.Config{
		ReadBufferSize: 16 << 10, // for tokens larger than 4 KiB
		ErrorHandler:   statusOnly,
	})
	app.Use(fiberrecover.New())
	app.Get("/healthz", func(c *fiber.Ctx) error { return c.SendStatus(http.StatusNoContent) })
	app.Get("/orders", guard.Authenticate(), listOrders)
	app.Delete("/orders/:id", guard.Require(permission.Is("orders.role", "clerk")), deleteOrder)
	return app
}

func listOrders(c *fiber.Ctx) error {
	principal, _ := fibersso.Principal(c)
	return c.JSON(fiber.Map{"orders of": principal.Subject()})
}

func deleteOrder(c *fiber.Ctx) error {
	return c.JSON(fiber.Map{"deleted": c.Params("id")})
}

// statusOnly does not send the text of an error: it can quote the header of an unparsable request, tokens included.
func statusOnly(c *fiber.Ctx, err error) error {
	if e, ok := errors.AsType[*fiber.Error](err); ok {
		return c.SendStatus(e.Code)
	}
	return c.SendStatus(http.StatusInternalServerError)
}
