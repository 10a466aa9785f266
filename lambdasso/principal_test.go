package lambdasso_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/ssotest"
	"github.com/more-retail/moresso-go/lambdasso"
)

func TestPrincipal_FromTestContext(t *testing.T) {
	type handler = func(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error)
	iss := ssotest.NewIssuer(t, ssotest.FastKeys())
	guard := lambdasso.New(iss.Authenticator(iss.Config("orders-api")))
	ctx := ssotest.Context(t.Context(), ssotest.NewPrincipal(devissuer.Subject("grace")))
	name := func(ctx context.Context, _ events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		principal, _ := lambdasso.Principal(ctx)
		return events.APIGatewayV2HTTPResponse{StatusCode: http.StatusOK, Body: principal.Subject()}, nil
	}
	for title, c := range map[string]struct {
		handler handler
		status  int
		body    string
	}{
		"alone":         {name, 200, "grace"},
		"optional":      {lambdasso.Optional(guard, name), 200, ""},
		"authenticated": {handler: lambdasso.Authenticate(guard, name), status: 401},
		"required":      {handler: lambdasso.Require(guard, permission.Authenticated(), name), status: 401},
	} {
		response, err := c.handler(ctx, events.APIGatewayV2HTTPRequest{})
		if err != nil || response.StatusCode != c.status || response.StatusCode == http.StatusOK && response.Body != c.body {
			t.Errorf("%s: %+v (%v)", title, response, err)
		}
	}
}
