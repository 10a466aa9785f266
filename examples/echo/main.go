// Command echo is an Echo service behind single sign-on. It reads its settings from the environment.
package main

import (
	"log"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/echosso"
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
	log.Fatal(newRouter(auth).Start("localhost:8080"))
}

func newRouter(auth *sso.Authenticator) *echo.Echo {
	guard := echosso.New(auth)
	e := echo.New()
	e.GET("/healthz", func(c echo.Context) error { return c.NoContent(http.StatusNoContent) })
	e.GET("/orders", listOrders, guard.Authenticate())
	e.DELETE("/orders/:id", deleteOrder, guard.Require(permission.Is("orders.role", "clerk")))
	return e
}

func listOrders(c echo.Context) error {
	principal, _ := echosso.Principal(c)
	return c.JSON(http.StatusOK, echo.Map{"orders of": principal.Subject()})
}

func deleteOrder(c echo.Context) error {
	return c.JSON(http.StatusOK, echo.Map{"deleted": c.Param("id")})
}
