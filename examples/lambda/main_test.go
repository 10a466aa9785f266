package main

import (
	"net/http"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/ssotest"
)

func TestHandler_Requests(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	handler := newHandler(iss.Authenticator(iss.Config("api")))
	for token, want := range map[string]int{
		"":          http.StatusUnauthorized,
		iss.Token(): http.StatusForbidden,
		iss.Token(devissuer.Permission("orders.role", "clerk")): http.StatusOK,
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
