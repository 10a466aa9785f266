package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/ssotest"
)

// A service is tested with package ssotest.
func TestRouter_Kit(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	auth := iss.Authenticator(iss.Config("orders-api"))
	service := newRouter(auth) // your own service

	token := iss.Token(devissuer.Permission("orders.role", "clerk"))
	expired := iss.Token(devissuer.Expired())

	for credential, want := range map[string]int{token: http.StatusOK, expired: http.StatusUnauthorized} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodDelete, "/orders/7", http.NoBody)
		r.Header.Set("Authorization", "Bearer "+credential)
		w := httptest.NewRecorder()
		service.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%d, want %d", w.Code, want)
		}
	}
}
