package lambdasso_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"net/http"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/lambdasso"
)

// A whole function: two settings in the environment, one guard, one permission.
func Example() {
	start := func() error {
		cfg, err := sso.ConfigFromEnv() // SSO_PUBLIC_KEY_URI, SSO_AUDIENCE and SSO_ISSUER
		if err != nil {
			return err
		}
		auth, err := sso.New(cfg)
		if err != nil {
			return err
		}
		guard := lambdasso.New(auth)
		lambda.Start(lambdasso.Require(guard, permission.Is("orders.role", "clerk"), listOrders))
		return nil
	}
	fmt.Println(start())
	// Output:
	// sso: configuration: 2 faults:
	//   SSO_PUBLIC_KEY_URI is not set: set SSO_ISSUER to the identity provider's address as it stands in the tokens' iss, e.g. https://login.example.com, from which the keys are discovered; or, where that cannot be, write here where its public key is, e.g. https://login.example.com/.well-known/jwks.json
	//   SSO_AUDIENCE is not set: write the name by which the identity provider knows this service, e.g. orders-api
}

// A refusal is answered in the event's own response type.
func ExampleRequire() {
	issuer, err := devissuer.New()
	if err != nil {
		log.Fatal(err)
	}
	auth, err := sso.New(sso.Config{
		PublicKeyURI: issuer.JWKSURL(),
		Audience:     []string{"api"},
		Issuer:       issuer.URL(),
		HTTPClient:   issuer.Client(),
		Logger:       slog.New(slog.DiscardHandler),
	})
	if err != nil {
		log.Fatal(err)
	}
	handler := lambdasso.Require(lambdasso.New(auth), permission.Is("orders.role", "clerk"), listOrders)

	for _, token := range []string{issuer.MustToken(), issuer.MustToken(devissuer.Permission("orders.role", "clerk"))} {
		event := events.APIGatewayV2HTTPRequest{Headers: map[string]string{"authorization": "Bearer " + token}}
		response, err := handler(context.Background(), event)
		fmt.Println(response.StatusCode, response.Body, err)
	}
	// Output:
	// 403 {"type":"about:blank","title":"Forbidden","status":403,"code":"insufficient_scope"} <nil>
	// 200 orders of ada <nil>
}

func listOrders(ctx context.Context, _ events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	principal, _ := lambdasso.Principal(ctx)
	return events.APIGatewayV2HTTPResponse{StatusCode: http.StatusOK, Body: "orders of " + principal.Subject()}, nil
}
