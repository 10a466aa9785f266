package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/ssotest"
)

// send asks a service in the process and returns the status.
func send(t *testing.T, service http.Handler, path, token string) int {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	service.ServeHTTP(w, r)
	return w.Code
}

func TestWhoMayListOrders(t *testing.T) {
	iss := ssotest.NewIssuer(t,
		devissuer.WithPersona("clerk", devissuer.Permission("orders.role", "clerk")),
		devissuer.WithPersona("guest", devissuer.Permission("orders.role", "guest")))
	service := newRouter(iss.Authenticator(iss.Config("orders-api")))

	for name, c := range map[string]struct {
		token string
		want  int
	}{
		"a clerk":                  {iss.Token(devissuer.Persona("clerk")), http.StatusOK},
		"a guest":                  {iss.Token(devissuer.Persona("guest")), http.StatusForbidden},
		"nobody":                   {"", http.StatusUnauthorized},
		"a clerk of yesterday":     {iss.Token(devissuer.Persona("clerk"), devissuer.Expired()), http.StatusUnauthorized},
		"a clerk of another API":   {iss.Token(devissuer.Persona("clerk"), devissuer.WrongAudience()), http.StatusUnauthorized},
		"somebody who signs alone": {iss.Token(devissuer.Persona("clerk"), devissuer.BadSignature()), http.StatusUnauthorized},
	} {
		if got := send(t, service, "/orders", c.token); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}
