// Command echo is the service that docs/GETTING-STARTED.md builds with Echo.
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
	e.GET("/orders", listOrders, guard.Require(permission.Is("orders.role", "clerk")))
	return e
}

func listOrders(c echo.Context) error {
	principal, _ := echosso.Principal(c)
	return c.String(http.StatusOK, "the orders, for "+principal.Subject()+"\n")
}
