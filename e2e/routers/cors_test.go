package routers

import (
	"net/http"
	"net/http/httptest"
	"testing"

	gincors "github.com/gin-contrib/cors"
	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	chicors "github.com/go-chi/cors"
	"github.com/gofiber/fiber/v2"
	fibercors "github.com/gofiber/fiber/v2/middleware/cors"
	"github.com/labstack/echo/v4"
	echomw "github.com/labstack/echo/v4/middleware"
	"github.com/rs/cors"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/core/ssotest"
	"github.com/more-retail/moresso-go/echosso"
	"github.com/more-retail/moresso-go/examples/servers"
	"github.com/more-retail/moresso-go/fibersso"
	"github.com/more-retail/moresso-go/ginsso"
	"github.com/more-retail/moresso-go/httpsso"
)

const app = "https://app.example"

// frameworks are the frameworks with their usual CORS middleware, before the guard or after it.
var frameworks = map[string]func(t *testing.T, auth *sso.Authenticator, corsFirst bool) ssotest.Do{
	"Gin": func(t *testing.T, auth *sso.Authenticator, corsFirst bool) ssotest.Do {
		return ssotest.Serve(t, servers.Gin(func(engine *gin.Engine) {
			engine.Use(ordered[gin.HandlerFunc](corsFirst, gincors.New(gincors.Config{AllowOrigins: []string{app}, AllowHeaders: []string{"Authorization"}}), ginsso.New(auth).Authenticate())...)
			engine.GET("/orders", func(c *gin.Context) { c.Status(http.StatusOK) })
		}))
	},
	"Echo": func(t *testing.T, auth *sso.Authenticator, corsFirst bool) ssotest.Do {
		e := echo.New()
		e.Use(ordered[echo.MiddlewareFunc](corsFirst, echomw.CORSWithConfig(echomw.CORSConfig{AllowOrigins: []string{app}, AllowHeaders: []string{"Authorization"}}), echosso.New(auth).Authenticate())...)
		e.GET("/orders", func(c echo.Context) error { return c.NoContent(http.StatusOK) })
		return ssotest.Serve(t, e)
	},
	"Fiber": func(t *testing.T, auth *sso.Authenticator, corsFirst bool) ssotest.Do {
		url, stop, err := servers.ServeFiber(t.Context(), servers.Fiber(func(server *fiber.App) {
			for _, layer := range ordered[fiber.Handler](corsFirst, fibercors.New(fibercors.Config{AllowOrigins: app, AllowHeaders: "Authorization"}), fibersso.New(auth).Authenticate()) {
				server.Use(layer)
			}
			server.Get("/orders", func(c *fiber.Ctx) error { return c.SendStatus(http.StatusOK) })
		}))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = stop() })
		return ssotest.Client(t, url)
	},
	"net/http": func(t *testing.T, auth *sso.Authenticator, corsFirst bool) ssotest.Do {
		mux := http.NewServeMux()
		mux.HandleFunc("GET /orders", func(http.ResponseWriter, *http.Request) {})
		var whole http.Handler = mux
		layers := ordered(corsFirst, cors.New(cors.Options{AllowedOrigins: []string{app}, AllowedHeaders: []string{"Authorization"}}).Handler, httpsso.New(auth).Authenticate())
		for i := range layers {
			whole = layers[len(layers)-1-i](whole)
		}
		return ssotest.Serve(t, whole)
	},
	"chi": func(t *testing.T, auth *sso.Authenticator, corsFirst bool) ssotest.Do {
		router := chi.NewRouter()
		router.Use(ordered(corsFirst, chicors.Handler(chicors.Options{AllowedOrigins: []string{app}, AllowedHeaders: []string{"Authorization"}}), httpsso.New(auth).Authenticate())...)
		router.Get("/orders", func(http.ResponseWriter, *http.Request) {})
		return ssotest.Serve(t, router)
	},
}

func ordered[T any](corsFirst bool, first, guard T) []T {
	if corsFirst {
		return []T{first, guard}
	}
	return []T{guard, first}
}

func TestAuthenticate_CORSOrder(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	auth := iss.Authenticator(iss.Config("api"))
	send := func(t *testing.T, do ssotest.Do, method, token string) *http.Response {
		t.Helper()
		r := httptest.NewRequestWithContext(t.Context(), method, "/orders", http.NoBody)
		r.Header.Set("Origin", app)
		if method == http.MethodOptions {
			r.Header.Set("Access-Control-Request-Method", "GET")
			r.Header.Set("Access-Control-Request-Headers", "authorization")
		}
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		response, err := do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		return response
	}
	for name, open := range frameworks {
		t.Run(name, func(t *testing.T) {
			do := open(t, auth, true)
			if r := send(t, do, http.MethodOptions, ""); r.StatusCode >= 300 || r.Header.Get("Access-Control-Allow-Origin") != app {
				t.Errorf("preflight: %d %v", r.StatusCode, r.Header)
			}
			if r := send(t, do, http.MethodGet, iss.Token()); r.StatusCode != http.StatusOK || r.Header.Get("Access-Control-Allow-Origin") != app {
				t.Errorf("valid token: %d %v", r.StatusCode, r.Header)
			}
			for _, token := range []string{"", iss.Token(devissuer.Expired())} {
				if r := send(t, do, http.MethodGet, token); r.StatusCode != http.StatusUnauthorized || r.Header.Get("Access-Control-Allow-Origin") != app || r.Header.Get("WWW-Authenticate") == "" {
					t.Errorf("refusal, which a page must be able to read: %d %v", r.StatusCode, r.Header)
				}
			}
		})
		t.Run(name+", in the wrong order", func(t *testing.T) {
			do := open(t, auth, false)
			if r := send(t, do, http.MethodOptions, ""); r.StatusCode != http.StatusUnauthorized {
				t.Errorf("preflight: %d", r.StatusCode)
			}
		})
	}
}
