package main

import (
	"net/http"
	"testing"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/ssotest"
)

func TestRouter_Requests(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	auth := iss.Authenticator(iss.Config("api"))
	do := ssotest.Serve(t, newRouter(auth))
	clerk := iss.Token(devissuer.Permission("orders.role", "clerk"))
	for _, c := range []struct {
		method, path, token string
		want                int
	}{
		{http.MethodGet, "/healthz", "", http.StatusNoContent},
		{http.MethodGet, "/orders", "", http.StatusUnauthorized},
		{http.MethodGet, "/orders", iss.Token(), http.StatusOK},
		{http.MethodDelete, "/orders/7", iss.Token(), http.StatusForbidden},
		{http.MethodDelete, "/orders/7", clerk, http.StatusOK},
	} {
		r, err := http.NewRequestWithContext(t.Context(), c.method, c.path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if c.token != "" {
			r.Header.Set("Authorization", "Bearer "+c.token)
		}
		response, err := do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != c.want {
			t.Errorf("%s %s: %d, want %d", c.method, c.path, response.StatusCode, c.want)
		}
	}
}
