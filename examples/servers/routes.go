package servers

import (
	"context"
	"net/http"
	"strconv"
	"sync/atomic"

	"github.com/aws/aws-lambda-go/events"
	"github.com/gin-gonic/gin"
	"github.com/gofiber/fiber/v2"
	"github.com/labstack/echo/v4"

	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/echosso"
	"github.com/more-retail/moresso-go/fibersso"
	"github.com/more-retail/moresso-go/ginsso"
	"github.com/more-retail/moresso-go/httpsso"
	"github.com/more-retail/moresso-go/lambdasso"
)

// Handled is a route of every service that [Routes] makes. It is open to everyone, and reports how often the
// handlers of the other routes have run.
const Handled = "/handled"

// Route is a route for GET requests.
type Route struct {
	Path       string         // without parameters
	Permission sso.Permission // nil: any valid token
	// Handle returns the JSON text of the answer. ok reports whether there is a principal.
	Handle func(p *sso.Principal, ok bool) string
}

const mediaType = "application/json"

// Routes returns the service that has the same routes in every framework.
func Routes(routes ...Route) Service {
	return Service{
		Gin: func(e *gin.Engine, auth *sso.Authenticator) {
			guard, handled := ginsso.New(auth), new(atomic.Int64)
			for _, r := range routes {
				e.GET(r.Path, layer(r, guard.Authenticate, guard.Require), func(c *gin.Context) {
					handled.Add(1)
					c.Data(http.StatusOK, mediaType, []byte(r.Handle(ginsso.Principal(c))))
				})
			}
			e.GET(Handled, func(c *gin.Context) { c.Data(http.StatusOK, mediaType, count(handled)) })
		},
		Echo: func(e *echo.Echo, auth *sso.Authenticator) {
			guard, handled := echosso.New(auth), new(atomic.Int64)
			for _, r := range routes {
				e.GET(r.Path, func(c echo.Context) error {
					handled.Add(1)
					return c.Blob(http.StatusOK, mediaType, []byte(r.Handle(echosso.Principal(c))))
				}, layer(r, guard.Authenticate, guard.Require))
			}
			e.GET(Handled, func(c echo.Context) error { return c.Blob(http.StatusOK, mediaType, count(handled)) })
		},
		Fiber: func(app *fiber.App, auth *sso.Authenticator) {
			guard, handled := fibersso.New(auth), new(atomic.Int64)
			for _, r := range routes {
				app.Get(r.Path, layer(r, guard.Authenticate, guard.Require), func(c *fiber.Ctx) error {
					handled.Add(1)
					c.Set(fiber.HeaderContentType, mediaType)
					return c.SendString(r.Handle(fibersso.Principal(c)))
				})
			}
			app.Get(Handled, func(c *fiber.Ctx) error { return c.Send(count(handled)) })
		},
		HTTP: func(mux *http.ServeMux, auth *sso.Authenticator) {
			guard, handled := httpsso.New(auth), new(atomic.Int64)
			for _, r := range routes {
				guarded := layer(r, guard.Authenticate, guard.Require)
				mux.Handle("GET "+r.Path, guarded(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
					handled.Add(1)
					w.Header().Set("Content-Type", mediaType)
					_, _ = w.Write([]byte(r.Handle(httpsso.Principal(request))))
				})))
			}
			mux.HandleFunc("GET "+Handled, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(count(handled)) })
		},
		HTTPAPI: func(auth *sso.Authenticator) map[string]HTTPAPIHandler {
			return lambdaRoutes[events.APIGatewayV2HTTPRequest](auth, routes, func(body string) events.APIGatewayV2HTTPResponse {
				return events.APIGatewayV2HTTPResponse{
					StatusCode: http.StatusOK, Headers: map[string]string{"Content-Type": mediaType}, Body: body,
				}
			})
		},
		RESTAPI: func(auth *sso.Authenticator) map[string]RESTAPIHandler {
			return lambdaRoutes[events.APIGatewayProxyRequest](auth, routes, func(body string) events.APIGatewayProxyResponse {
				return events.APIGatewayProxyResponse{
					StatusCode: http.StatusOK, Headers: map[string]string{"Content-Type": mediaType}, Body: body,
				}
			})
		},
	}
}

// layer returns the middleware that guards a route.
func layer[M any](r Route, authenticate func() M, require func(sso.Permission, ...sso.Permission) M) M {
	if r.Permission == nil {
		return authenticate()
	}
	return require(r.Permission)
}

// lambdaRoutes returns the handlers of a function, whose responses answer makes.
func lambdaRoutes[E lambdasso.Event, R lambdasso.Response](
	auth *sso.Authenticator, routes []Route, answer func(body string) R,
) map[string]func(context.Context, E) (R, error) {
	guard, handled := lambdasso.New(auth), new(atomic.Int64)
	handlers := map[string]func(context.Context, E) (R, error){
		"GET " + Handled: func(context.Context, E) (R, error) { return answer(string(count(handled))), nil },
	}
	for _, r := range routes {
		handler := func(ctx context.Context, _ E) (R, error) {
			handled.Add(1)
			return answer(r.Handle(lambdasso.Principal(ctx))), nil
		}
		if r.Permission == nil {
			handlers["GET "+r.Path] = lambdasso.Authenticate(guard, handler)
		} else {
			handlers["GET "+r.Path] = lambdasso.Require(guard, r.Permission, handler)
		}
	}
	return handlers
}

func count(n *atomic.Int64) []byte { return strconv.AppendInt(nil, n.Load(), 10) }
