package httpsso_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/more-retail/moresso-go/core/ssotest"
	"github.com/more-retail/moresso-go/httpsso"
)

func TestAssertProtected(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	guard := httpsso.New(iss.Authenticator(iss.Config("orders-api")))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", ok)
	mux.Handle("GET /orders", guard.Authenticate()(http.HandlerFunc(ok)))
	mux.Handle("DELETE /orders/{id}", guard.Authenticate()(http.HandlerFunc(ok)))

	routes := []string{"GET /orders", "DELETE /orders/{id}", "GET /health"} // as you registered them
	ssotest.AssertProtected(t, routes, ssotest.InProcess(mux), "GET /health")

	mux.HandleFunc("POST /orders", ok)
	if open := ssotest.OpenRoutes(t, append(routes, "POST /orders"), ssotest.InProcess(mux)); !slices.Equal(open, []string{"GET /health", "POST /orders"}) {
		t.Errorf("open: %q", open)
	}
}
