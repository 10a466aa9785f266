package main

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/gin-gonic/gin"
	"github.com/gofiber/fiber/v2"
	"github.com/labstack/echo/v4"

	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/echosso"
	"github.com/more-retail/moresso-go/examples/servers"
	"github.com/more-retail/moresso-go/fibersso"
	"github.com/more-retail/moresso-go/ginsso"
	"github.com/more-retail/moresso-go/httpsso"
	"github.com/more-retail/moresso-go/lambdasso"
)

// The five servers run this file, and the page shows pieces of it: the code next to an answer is the code that
// produced it. See snippet.

var isClerk = permission.Is("orders.role", "clerk")

var readsReports = permission.Any(
	permission.Is("reports.role", "analyst", "manager"),
	permission.All(permission.Has("reports.read"), permission.Scope("reports:read")),
)

var selfOrAdmin = permission.Any(permission.SameAsPath("sub", "id"), permission.Role("admin"))

var paysOut = permission.All(
	permission.Is("payments.role", "manager"),
	permission.FreshLogin(15*time.Minute),
)

func ginService(router *gin.Engine, auth *sso.Authenticator) {
	guard := ginsso.New(auth)
	router.GET("/orders", guard.Require(isClerk), ginHello)
	router.GET("/me", guard.Authenticate(), ginHello)
	router.GET("/reports", guard.Require(readsReports), ginHello)
	router.GET("/users/:id", guard.Require(selfOrAdmin), ginHello)
	router.GET("/payouts", guard.Require(paysOut), ginHello)
}

func ginHello(c *gin.Context) {
	principal, _ := ginsso.Principal(c)
	c.String(http.StatusOK, "hello %s\n", principal.Subject())
}

func echoService(e *echo.Echo, auth *sso.Authenticator) {
	guard := echosso.New(auth)
	e.GET("/orders", echoHello, guard.Require(isClerk))
	e.GET("/me", echoHello, guard.Authenticate())
	e.GET("/reports", echoHello, guard.Require(readsReports))
	e.GET("/users/:id", echoHello, guard.Require(selfOrAdmin))
	e.GET("/payouts", echoHello, guard.Require(paysOut))
}

func echoHello(c echo.Context) error {
	principal, _ := echosso.Principal(c)
	// String would write UTF-8 in capitals, and the page compares the whole answers of the servers.
	return c.Blob(http.StatusOK, plainText, []byte("hello "+principal.Subject()+"\n"))
}

func fiberService(app *fiber.App, auth *sso.Authenticator) {
	guard := fibersso.New(auth)
	app.Get("/orders", guard.Require(isClerk), fiberHello)
	app.Get("/me", guard.Authenticate(), fiberHello)
	app.Get("/reports", guard.Require(readsReports), fiberHello)
	app.Get("/users/:id", guard.Require(selfOrAdmin), fiberHello)
	app.Get("/payouts", guard.Require(paysOut), fiberHello)
}

func fiberHello(c *fiber.Ctx) error {
	principal, _ := fibersso.Principal(c)
	return c.SendString("hello " + principal.Subject() + "\n")
}

func httpService(mux *http.ServeMux, auth *sso.Authenticator) {
	guard := httpsso.New(auth)
	mux.Handle("GET /orders", guard.Require(isClerk)(httpHello))
	mux.Handle("GET /me", guard.Authenticate()(httpHello))
	mux.Handle("GET /reports", guard.Require(readsReports)(httpHello))
	mux.Handle("GET /users/{id}", guard.Require(selfOrAdmin)(httpHello))
	mux.Handle("GET /payouts", guard.Require(paysOut)(httpHello))
}

var httpHello = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	principal, _ := httpsso.Principal(r)
	w.Header().Set("Content-Type", plainText)
	_, _ = io.WriteString(w, "hello "+principal.Subject()+"\n")
})

func lambdaService(auth *sso.Authenticator) map[string]servers.HTTPAPIHandler {
	guard := lambdasso.New(auth)
	return map[string]servers.HTTPAPIHandler{
		"GET /orders":     lambdasso.Require(guard, isClerk, lambdaHello),
		"GET /me":         lambdasso.Authenticate(guard, lambdaHello),
		"GET /reports":    lambdasso.Require(guard, readsReports, lambdaHello),
		"GET /users/{id}": lambdasso.Require(guard, selfOrAdmin, lambdaHello),
		"GET /payouts":    lambdasso.Require(guard, paysOut, lambdaHello),
	}
}

func lambdaHello(ctx context.Context, _ events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	principal, _ := lambdasso.Principal(ctx)
	return events.APIGatewayV2HTTPResponse{
		StatusCode: http.StatusOK,
		Headers:    map[string]string{"Content-Type": plainText},
		Body:       "hello " + principal.Subject() + "\n",
	}, nil
}

const plainText = "text/plain; charset=utf-8"

var service = servers.Service{Gin: ginService, Echo: echoService, Fiber: fiberService, HTTP: httpService, HTTPAPI: lambdaService}
