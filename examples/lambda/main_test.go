package main

import (
	"net/http"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/ssotest"
	"github.com/more-retail/moresso-go/lambdasso"
)

func TestTheExampleIsProtected(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	guard := lambdasso.New(iss.Authenticator(iss.Config("api")))
	handler := lambdasso.Require(guard, permission.Is("orders.role", "clerk"), deleteOrder)
	for token, want := range map[string]int{
		"":          http.StatusUnauthorized,
		iss.Token(): http.StatusForbidden,
		iss.Token(devissuer.Permission("orders.role", "clerk")): http.StatusNoContent,
	} {
		event := events.APIGatewayV2HTTPRequest{PathParameters: map[string]string{"id": "7"}}
		if token != "" {
			event.Headers = map[string]string{"authorization": "Bearer " + token}
		}
		if response, err := handler(t.Context(), event); err != nil || response.StatusCode != want {
			t.Errorf("%d (%v), want %d", response.StatusCode, err, want)
		}
	}
}
