package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/adaptertest"
	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/ssotest"
)

// This file and orders_test.go have the code of docs/TESTING.md.

func TestRouter_ProviderFailures(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	service := newRouter(iss.Authenticator(iss.Config("orders-api")))
	clerk := devissuer.Permission("orders.role", "clerk")
	before := iss.Token(clerk)
	expect := func(situation, token string, want int) {
		t.Helper()
		if got := send(t, service, http.MethodGet, "/orders", token); got != want {
			t.Errorf("%s: %d, want %d", situation, got, want)
		}
	}
	expect("as usual", before, http.StatusOK)

	iss.Rotate()
	expect("a rotation, the new key", iss.Token(clerk), http.StatusOK)
	expect("a rotation, the old key", before, http.StatusOK)

	iss.Down()
	expect("an outage, a known key", before, http.StatusOK)
	iss.Rotate()
	expect("an outage, an unknown key", iss.Token(clerk), http.StatusServiceUnavailable)

	iss.Up()
	iss.Clock().Advance(time.Minute) // past the back-off
	expect("after the outage", iss.Token(clerk), http.StatusOK)

	iss.Clock().Advance(2 * time.Hour)
	expect("a token of two hours ago", before, http.StatusUnauthorized)
}

func TestRouter_EntraTokens(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	service := newRouter(iss.Authenticator(iss.Config("orders-api")))
	for name, want := range map[string]int{
		"entra-v2":     http.StatusOK,
		"entra-v2-app": http.StatusOK,
		"entra-v2-id":  http.StatusUnauthorized,
	} {
		if got := send(t, service, http.MethodGet, "/orders", iss.Token(devissuer.Provider(name))); got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
}

func TestListOrders(t *testing.T) {
	ada := ssotest.NewPrincipal(devissuer.Subject("ada"))
	w := httptest.NewRecorder()
	listOrders(w, ssotest.Request(ada, nil))
	if !strings.Contains(w.Body.String(), "ada") {
		t.Error(w.Body)
	}
}

func TestRouter_Protected(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	router := newRouter(iss.Authenticator(iss.Config("orders-api")))
	routes := []string{"GET /orders", "DELETE /orders/{id}", "GET /healthz"} // as you registered them
	ssotest.AssertProtected(t, routes, ssotest.InProcess(router), "GET /healthz")
}

func TestRouter_Attacks(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	service := newRouter(iss.Authenticator(iss.Config("orders-api")))
	for _, attack := range adaptertest.Attacks(iss.Algorithm()) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/orders", http.NoBody)
		r.Header["Authorization"] = attack.Authorization(iss.Issuer)
		w := httptest.NewRecorder()
		service.ServeHTTP(w, r)
		if w.Code != attack.Status {
			t.Errorf("%s: %d, want %d: %s", attack.Name, w.Code, attack.Status, attack.Rule)
		}
	}
}
