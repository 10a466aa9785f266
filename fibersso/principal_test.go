package fibersso_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gofiber/fiber/v2"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/ssotest"
	"github.com/more-retail/moresso-go/fibersso"
)

func TestPrincipal_FromTestContext(t *testing.T) {
	iss := ssotest.NewIssuer(t, ssotest.FastKeys())
	guard := fibersso.New(iss.Authenticator(iss.Config("orders-api")))
	grace := ssotest.NewPrincipal(devissuer.Subject("grace"))
	app := fiber.New()
	app.Use(func(c *fiber.Ctx) error {
		c.SetUserContext(ssotest.Context(c.UserContext(), grace))
		return c.Next()
	})
	name := func(c *fiber.Ctx) error {
		principal, _ := fibersso.Principal(c)
		return c.SendString(principal.Subject())
	}
	app.Get("/alone", name)
	app.Get("/optional", guard.Optional(), name)
	app.Get("/replaced", guard.Optional(), func(c *fiber.Ctx) error { // by a later middleware
		c.SetUserContext(ssotest.Context(c.UserContext(), grace))
		return c.Next()
	}, name)
	app.Get("/authenticated", guard.Authenticate(), name)
	app.Get("/required", guard.Require(permission.Authenticated()), name)
	for path, want := range map[string]struct {
		status int
		body   string
	}{"/alone": {200, "grace"}, "/optional": {200, ""}, "/replaced": {200, ""}, "/authenticated": {status: 401}, "/required": {status: 401}} {
		response, err := app.Test(httptest.NewRequest(http.MethodGet, path, http.NoBody))
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		if response.StatusCode != want.status || response.StatusCode == http.StatusOK && string(body) != want.body {
			t.Errorf("%s: %d %s, want %v", path, response.StatusCode, body, want)
		}
	}
}
