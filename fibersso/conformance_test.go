package fibersso_test

import (
	"net"
	"net/http"
	"testing"

	"github.com/gofiber/fiber/v2"

	"github.com/more-retail/moresso-go/core/adaptertest"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/core/ssotest"
	"github.com/more-retail/moresso-go/fibersso"
)

func TestConformance(t *testing.T) {
	t.Run("Fiber", func(t *testing.T) { adaptertest.TestAdapter(t, listen) })
	t.Run("Fiber, in process", func(t *testing.T) {
		adaptertest.TestAdapter(t, func(_ testing.TB, routes []adaptertest.Route) ssotest.Do {
			app := application(routes)
			return func(r *http.Request) (*http.Response, error) { return app.Test(r, -1) }
		})
	})
}

// application returns an app with the suite's routes, each with its guard.
func application(routes []adaptertest.Route) *fiber.App {
	app := fiber.New(fiber.Config{DisableStartupMessage: true, ReadBufferSize: 512 << 10}) // for attacks larger than Fiber's default of 4 KiB
	for _, route := range routes {
		var handlers []fiber.Handler
		for _, layer := range route.Layers {
			handlers = append(handlers, middleware(layer))
		}
		handlers = append(handlers, func(c *fiber.Ctx) error {
			principal, ok := fibersso.Principal(c)
			return c.SendString(route.Handle(c.UserContext(), principal, ok))
		})
		app.All(route.ColonPath(), handlers...)
	}
	return app
}

func listen(t testing.TB, routes []adaptertest.Route) ssotest.Do {
	return serve(t, application(routes))
}

// serve starts an app on a listener of its own.
func serve(t testing.TB, app *fiber.App) ssotest.Do {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- app.Listener(listener) }()
	t.Cleanup(func() {
		if err := app.Shutdown(); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return ssotest.Client(t, "http://"+listener.Addr().String())
}

func middleware(layer adaptertest.Layer) fiber.Handler {
	var opts []fibersso.Option
	if len(layer.TokenFrom) > 0 {
		opts = append(opts, fibersso.WithTokenFrom(layer.TokenFrom...))
	}
	if layer.TokenInContext {
		opts = append(opts, fibersso.WithTokenInContext())
	}
	if layer.Denied != nil {
		opts = append(opts, fibersso.WithDenied(func(c *fiber.Ctx, d sso.Denial) {
			layer.Denied(d, func(body string) { _ = c.SendString(body) })
		}))
	}
	guard := fibersso.New(layer.Auth, opts...)
	switch {
	case layer.Permission != nil:
		return guard.Require(layer.Permission)
	case layer.Optional:
		return guard.Optional()
	default:
		return guard.Authenticate()
	}
}
