package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/ssotest"
)

// This file has the code of docs/TESTING.md.

// send asks a service in the process and returns the status.
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

func TestWhoMayDeleteOrders(t *testing.T) {
	iss := ssotest.NewIssuer(t,
		ssotest.WithPersona("clerk", ssotest.Permission("orders.role", "clerk")),
		ssotest.WithPersona("guest", ssotest.Permission("orders.role", "guest")))
	service := newMux(iss.Authenticator(iss.Config("orders-api")))

	for name, c := range map[string]struct {
		token string
		want  int
	}{
		"a clerk":                  {iss.Token(ssotest.Persona("clerk")), http.StatusOK},
		"a guest":                  {iss.Token(ssotest.Persona("guest")), http.StatusForbidden},
		"nobody":                   {"", http.StatusUnauthorized},
		"a clerk of yesterday":     {iss.Token(ssotest.Persona("clerk"), ssotest.Expired()), http.StatusUnauthorized},
		"a clerk of another API":   {iss.Token(ssotest.Persona("clerk"), ssotest.WrongAudience()), http.StatusUnauthorized},
		"somebody who signs alone": {iss.Token(ssotest.Persona("clerk"), ssotest.BadSignature()), http.StatusUnauthorized},
	} {
		if got := send(t, service, http.MethodDelete, "/orders/7", c.token); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

func TestTheProvidersTroubles(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	service := newMux(iss.Authenticator(iss.Config("orders-api")))
	before := iss.Token()
	expect := func(situation, token string, want int) {
		t.Helper()
		if got := send(t, service, http.MethodGet, "/orders", token); got != want {
			t.Errorf("%s: %d, want %d", situation, got, want)
		}
	}
	expect("as usual", before, http.StatusOK)

	iss.Rotate()
	expect("a rotation, the new key", iss.Token(), http.StatusOK)
	expect("a rotation, the old key", before, http.StatusOK)

	iss.Down()
	expect("an outage, a known key", before, http.StatusOK)
	iss.Rotate()
	expect("an outage, an unknown key: nobody can tell", iss.Token(), http.StatusServiceUnavailable)

	iss.Up()
	iss.Clock().Advance(time.Minute) // past the wait between two attempts
	expect("it is back", iss.Token(), http.StatusOK)

	iss.Clock().Advance(2 * time.Hour)
	expect("a token of two hours ago", before, http.StatusUnauthorized)
}

func TestAHandlerAlone(t *testing.T) {
	ada := ssotest.NewPrincipal(ssotest.Subject("ada"))
	w := httptest.NewRecorder()
	listOrders(w, ssotest.Request(ada, ssotest.Path("/orders")))
	if !strings.Contains(w.Body.String(), "ada") {
		t.Error(w.Body)
	}
}

func TestNoRouteIsOpen(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	mux := newMux(iss.Authenticator(iss.Config("orders-api")))
	routes := []string{"GET /orders", "DELETE /orders/{id}", "GET /healthz"} // as you registered them
	ssotest.AssertProtected(t, routes, ssotest.InProcess(mux), "GET /healthz")
}

func TestEveryKnownAttackIsRefused(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	service := newMux(iss.Authenticator(iss.Config("orders-api")))
	for _, attack := range ssotest.Attacks() {
		if !attack.Suits(iss) {
			continue
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/orders", http.NoBody)
		r.Header["Authorization"] = attack.Fields(iss)
		w := httptest.NewRecorder()
		service.ServeHTTP(w, r)
		if w.Code != attack.Status {
			t.Errorf("%s: %d, want %d: %s", attack.Name, w.Code, attack.Status, attack.Rule)
		}
	}
}
