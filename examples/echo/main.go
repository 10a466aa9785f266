// Command echo is an Echo service behind single sign-on. It reads SSO_PUBLIC_KEY_URI,
// SSO_AUDIENCE and SSO_ISSUER from the environment; see sso.ConfigFromEnv for the rest.
package main

import (
	"log"
	"net/http"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/echosso"
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
	log.Fatal(newServer(auth).Start("localhost:8080"))
}

func newServer(auth *sso.Authenticator) *echo.Echo {
	guard := echosso.New(auth)
	e := echo.New()
	e.Use(middleware.Recover())

	e.GET("/healthz", func(c echo.Context) error { return c.NoContent(http.StatusNoContent) })

	orders := e.Group("/orders", guard.Authenticate())
	orders.GET("", func(c echo.Context) error {
		principal, _ := echosso.Principal(c)
		return c.JSON(http.StatusOK, map[string]string{"orders of": principal.Subject()})
	})
	orders.DELETE("/:id", func(c echo.Context) error {
		return c.JSON(http.StatusOK, map[string]string{"deleted": c.Param("id")})
	}, guard.Require(permission.Is("orders.role", "clerk")))
	return e
}
