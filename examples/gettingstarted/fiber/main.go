// Command fiber is the service that docs/GETTING-STARTED.md builds with Fiber.
package main

import (
	"log"

	"github.com/gofiber/fiber/v2"

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
	app := fiber.New(fiber.Config{ReadBufferSize: 16 << 10}) // for tokens larger than 4 KiB
	app.Get("/orders", guard.Require(permission.Is("orders.role", "clerk")), listOrders)
	return app
}

func listOrders(c *fiber.Ctx) error {
	principal, _ := fibersso.Principal(c)
	return c.SendString("the orders, for " + principal.Subject() + "\n")
}
