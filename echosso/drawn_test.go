package echosso_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/core/ssotest"
	"github.com/more-retail/moresso-go/echosso"
)

// A denial keeps its status, however the function of WithDenied writes.
func TestWithDenied_Status(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	auth := iss.Authenticator(iss.Config("api"))
	for name, draw := range map[string]func(echo.Context, sso.Denial){
		"straight to the writer": func(c echo.Context, _ sso.Denial) { _, _ = fmt.Fprint(c.Response().Writer, "no") },
		"by echo":                func(c echo.Context, d sso.Denial) { _ = c.String(d.Status, "no") },
		"an early hint only":     func(c echo.Context, _ sso.Denial) { c.Response().WriteHeader(http.StatusEarlyHints) },
		"a flush only":           func(c echo.Context, _ sso.Denial) { c.Response().Flush() },
		"an error page that panics": func(c echo.Context, _ sso.Denial) {
			panic("no template")
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := echo.New()
			e.GET("/", func(echo.Context) error { t.Error("the handler ran"); return nil },
				echosso.New(auth, echosso.WithDenied(draw)).Authenticate())
			server := httptest.NewServer(e)
			defer server.Close()
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			response, err := server.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			if response.StatusCode != http.StatusUnauthorized || !strings.HasPrefix(response.Header.Get("WWW-Authenticate"), "Bearer") {
				t.Errorf("%d %v", response.StatusCode, response.Header)
			}
		})
	}
}

// Middleware around the guard, such as Echo's error handler, reads Committed.
func TestWithDenied_Committed(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	for name, draw := range map[string]func(echo.Context, sso.Denial){
		"with a custom function": func(c echo.Context, _ sso.Denial) { _, _ = fmt.Fprint(c.Response().Writer, "no") },
		"by default":             func(echo.Context, sso.Denial) {},
	} {
		e := echo.New()
		e.Use(func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c echo.Context) error {
				err := next(c)
				if response := c.Response(); err != nil || !response.Committed || response.Status != http.StatusUnauthorized {
					t.Errorf("%s: %v, %d, committed %t", name, err, response.Status, response.Committed)
				}
				return err
			}
		})
		e.GET("/", ok, echosso.New(iss.Authenticator(iss.Config("api")), echosso.WithDenied(draw)).Authenticate())
		send(e, http.MethodGet, "/", "")
	}
}
