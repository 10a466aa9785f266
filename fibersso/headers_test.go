package fibersso_test

import (
	"net/http"
	"testing"

	"github.com/gofiber/fiber/v2"

	"github.com/more-retail/moresso-go/core/ssotest"
	"github.com/more-retail/moresso-go/fibersso"
)

// A setting of Fiber keeps the letter case of header names.
func TestGuard_HeaderLetterCase(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	guard := fibersso.New(iss.Authenticator(iss.Config("api")))
	app := fiber.New(fiber.Config{DisableHeaderNormalizing: true})
	app.Get("/optional", guard.Optional(), func(c *fiber.Ctx) error { return c.SendString("in") })
	good := "Bearer " + iss.Token()
	for name, c := range map[string]struct {
		header http.Header
		want   int
	}{
		"a valid token in lower case":    {http.Header{"authorization": {good}}, http.StatusOK},
		"rubbish in lower case":          {http.Header{"authorization": {"Bearer rubbish"}}, http.StatusUnauthorized},
		"a second field in another case": {http.Header{"Authorization": {good}, "authorization": {good}}, http.StatusBadRequest},
		"no field at all":                {http.Header{}, http.StatusOK},
		"a field with a similar name":    {http.Header{"Authorizations": {"Bearer rubbish"}}, http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://service/optional", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			r.Header = c.header
			response, err := app.Test(r, -1)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			if response.StatusCode != c.want {
				t.Errorf("%d, want %d", response.StatusCode, c.want)
			}
		})
	}
}
