// Command gin is a Gin service behind single sign-on. It reads its settings from the environment.
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
	router.GET("/healthz", func(c *gin.Context) { c.Status(http.StatusNoContent) })
	router.GET("/orders", guard.Authenticate(), listOrders)
	router.DELETE("/orders/:id", guard.Require(permission.Is("orders.role", "clerk")), deleteOrder)
	return router
}

func listOrders(c *gin.Context) {
	principal, _ := ginsso.Principal(c)
	c.JSON(http.StatusOK, gin.H{"orders of": principal.Subject()})
}

func deleteOrder(c *gin.Context) {
	c.JSON(http.StatusOK, gin.H{"deleted": c.Param("id")})
}
