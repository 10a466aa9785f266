package main

import (
	"context"
	"io"
	"net/http"

	"github.com/aws/aws-lambda-go/events"
	"github.com/gin-gonic/gin"
	"github.com/gofiber/fiber/v2"
	"github.com/labstack/echo/v4"

	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/echosso"
	"github.com/more-retail/moresso-go/examples/internal/doors"
	"github.com/more-retail/moresso-go/fibersso"
	"github.com/more-retail/moresso-go/ginsso"
	"github.com/more-retail/moresso-go/httpsso"
	"github.com/more-retail/moresso-go/lambdasso"
)

const (
	audience = "orders-api"
	route    = "/orders"
)

// clerk is what the route demands.
var clerk = permission.Is("orders.role", "clerk")

var services = doors.Services{Gin: ginService, Echo: echoService, Fiber: fiberService, HTTP: httpService, Lambda: lambdaService}

func ginService(router *gin.Engine, auth *sso.Authenticator) {
	router.GET(route, ginsso.New(auth).Require(clerk), func(c *gin.Context) {
		principal, _ := ginsso.Principal(c)
		c.String(http.StatusOK, "hello %s\n", principal.Subject())
	})
}

func echoService(e *echo.Echo, auth *sso.Authenticator) {
	e.GET(route, func(c echo.Context) error {
		principal, _ := echosso.Principal(c)
		return c.String(http.StatusOK, "hello "+principal.Subject()+"\n")
	}, echosso.New(auth).Require(clerk))
}

func fiberService(app *fiber.App, auth *sso.Authenticator) {
	app.Get(route, fibersso.New(auth).Require(clerk), func(c *fiber.Ctx) error {
		principal, _ := fibersso.Principal(c)
		return c.SendString("hello " + principal.Subject() + "\n")
	})
}

func httpService(mux *http.ServeMux, auth *sso.Authenticator) {
	mux.Handle("GET "+route, httpsso.New(auth).Require(clerk)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		principal, _ := httpsso.Principal(r)
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, "hello "+principal.Subject()+"\n") //nolint:gosec // plain text, of a verified token
	})))
}

func lambdaService(auth *sso.Authenticator) map[string]doors.Handler {
	return map[string]doors.Handler{"GET " + route: lambdasso.Require(lambdasso.New(auth), clerk, hello)}
}

func hello(ctx context.Context, _ events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	principal, _ := lambdasso.Principal(ctx)
	return events.APIGatewayV2HTTPResponse{
		StatusCode: http.StatusOK,
		Headers:    map[string]string{"Content-Type": "text/plain; charset=utf-8"},
		Body:       "hello " + principal.Subject() + "\n",
	}, nil
}
