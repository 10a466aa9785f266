package main

import (
	"testing"

	"github.com/more-retail/moresso-go/core/ssotest"
)

func TestNoRouteIsOpen(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	mux := newMux(iss.Authenticator(iss.Config("orders-api")))
	routes := []string{"GET /orders", "DELETE /orders/{id}", "GET /healthz"}
	ssotest.AssertProtected(t, routes, ssotest.InProcess(mux), "GET /healthz")
}
