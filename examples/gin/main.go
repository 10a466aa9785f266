// Command gin is a Gin service behind single sign-on. It reads SSO_PUBLIC_KEY_URI,
// SSO_AUDIENCE and SSO_ISSUER from the environment; see sso.ConfigFromEnv for the rest.
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
	cfg, err := sso.ConfigFromEnv()
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
	router := gin.New()
	router.Use(gin.Logger(), gin.Recovery())

	router.GET("/healthz", func(c *gin.Context) { c.Status(http.StatusNoContent) })

	orders := router.Group("/orders", guard.Authenticate())
	orders.GET("", func(c *gin.Context) {
		principal, _ := ginsso.Principal(c)
		c.JSON(http.StatusOK, gin.H{"orders of": principal.Subject()})
	})
	orders.DELETE("/:id", guard.Require(permission.Is("orders.role", "clerk")), func(c *gin.Context) {
		c.JSON(http.StatusOK, gin.H{"deleted": c.Param("id")})
	})
	return router
}
