package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/ssotest"
)

func TestListOrders(t *testing.T) {
	ada := ssotest.NewPrincipal(devissuer.Subject("ada"))
	app := fiber.New()
	app.Get("/orders", func(c *fiber.Ctx) error {
		c.SetUserContext(ssotest.Context(c.UserContext(), ada))
		return c.Next()
	}, listOrders)
	resp, err := app.Test(httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/orders", http.NoBody))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err != nil || !strings.Contains(string(body), "ada") {
		t.Error(err, string(body))
	}
}

func TestRouter_DeleteOrder(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	app := newRouter(iss.Authenticator(iss.Config("orders-api")))
	for token, want := range map[string]int{
		iss.Token(devissuer.Permission("orders.role", "clerk")): http.StatusOK,
		iss.Token(): http.StatusForbidden,
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodDelete, "/orders/7", http.NoBody)
		r.Header.Set("Authorization", "Bearer "+token)
		resp, err := app.Test(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := resp.Body.Close(); err != nil || resp.StatusCode != want {
			t.Errorf("%d, want %d", resp.StatusCode, want)
		}
	}
}
