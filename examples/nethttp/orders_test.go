package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/ssotest"
)

// send sends a request to a service in this process and returns the status.
func send(t *testing.T, service http.Handler, method, path, token string) int {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, http.NoBody)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	service.ServeHTTP(w, r)
	return w.Code
}

func TestRouter_DeleteOrder(t *testing.T) {
	iss := ssotest.NewIssuer(t,
		devissuer.WithPersona("clerk", devissuer.Permission("orders.role", "clerk")),
		devissuer.WithPersona("guest", devissuer.Permission("orders.role", "guest")))
	service := newRouter(iss.Authenticator(iss.Config("orders-api")))

	for name, c := range map[string]struct {
		token string
		want  int
	}{
		"a clerk":                           {iss.Token(devissuer.Persona("clerk")), http.StatusOK},
		"a guest":                           {iss.Token(devissuer.Persona("guest")), http.StatusForbidden},
		"no token":                          {"", http.StatusUnauthorized},
		"an expired token":                  {iss.Token(devissuer.Persona("clerk"), devissuer.Expired()), http.StatusUnauthorized},
		"a token for another API":           {iss.Token(devissuer.Persona("clerk"), devissuer.WrongAudience()), http.StatusUnauthorized},
		"a token with an invalid signature": {iss.Token(devissuer.Persona("clerk"), devissuer.BadSignature()), http.StatusUnauthorized},
	} {
		if got := send(t, service, http.MethodDelete, "/orders/7", c.token); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}
