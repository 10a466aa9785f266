// Command gin is the service that docs/GETTING-STARTED.md builds with Gin.
package main

import (
	"log"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/ginsso"
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
	log.Fatal(newRouter(auth).Run("localhost:8080"))
}

func newRouter(auth *sso.Authenticator) *gin.Engine {
	guard := ginsso.New(auth)
	router := gin.Default()
	router.GET("/orders", guard.Require(permission.Is("orders.role", "clerk")), listOrders)
	return router
}

func listOrders(c *gin.Context) {
	principal, _ := ginsso.Principal(c)
	c.String(http.StatusOK, "the orders, for %s\n", principal.Subject())
}
