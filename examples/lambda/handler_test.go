package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/ssotest"
)

func TestDeleteOrder(t *testing.T) {
	ada := ssotest.NewPrincipal(devissuer.Subject("ada"))
	answer, err := deleteOrder(ssotest.Context(t.Context(), ada), events.APIGatewayV2HTTPRequest{})
	if err != nil || !strings.Contains(answer.Body, "ada") {
		t.Error(err, answer.Body)
	}
}

func TestHandler_DeleteOrder(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	handle := newHandler(iss.Authenticator(iss.Config("orders-api")))
	for token, want := range map[string]int{
		iss.Token(devissuer.Permission("orders.role", "clerk")): http.StatusOK,
		iss.Token(): http.StatusForbidden,
	} {
		event := events.APIGatewayV2HTTPRequest{Headers: map[string]string{"authorization": "Bearer " + token}}
		answer, err := handle(t.Context(), event)
		if err != nil || answer.StatusCode != want {
			t.Errorf("%d (%v), want %d", answer.StatusCode, err, want)
		}
	}
}
