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
		cfg, err := sso.ConfigFromEnv() // SSO_ISSUER and SSO_AUDIENCE
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
	// sso: configuration: 2 problems:
	//   SSO_PUBLIC_KEY_URI is not set: set SSO_ISSUER to the iss of the tokens, e.g. https://login.example.com, and the keys are discovered; or write the URL of the keys here, e.g. https://login.example.com/.well-known/jwks.json
	//   SSO_AUDIENCE is not set: write the name of this service at the identity provider, e.g. orders-api
}

// A refusal is answered in the event's own response type.
func ExampleRequire() {
	auth, issuer := forExamples()
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

// A function with a function URL.
func ExampleAuthenticate() {
	auth, issuer := forExamples()
	handler := lambdasso.Authenticate(lambdasso.New(auth),
		func(ctx context.Context, _ events.LambdaFunctionURLRequest) (events.LambdaFunctionURLResponse, error) {
			principal, _ := lambdasso.Principal(ctx)
			return events.LambdaFunctionURLResponse{StatusCode: http.StatusOK, Body: "hello " + principal.Subject()}, nil
		})

	for _, credentials := range []string{"Bearer " + issuer.MustToken(devissuer.Expired()), "Bearer " + issuer.MustToken()} {
		response, err := handler(context.Background(), events.LambdaFunctionURLRequest{Headers: map[string]string{"authorization": credentials}})
		fmt.Println(response.StatusCode, response.Body, err)
	}
	// Output:
	// 401 {"type":"about:blank","title":"Unauthorized","status":401,"code":"invalid_token"} <nil>
	// 200 hello ada <nil>
}

// A function of a REST API, for a site with anonymous visitors.
func ExampleOptional() {
	auth, issuer := forExamples()
	handler := lambdasso.Optional(lambdasso.New(auth),
		func(ctx context.Context, _ events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error) {
			if principal, ok := lambdasso.Principal(ctx); ok {
				return events.APIGatewayProxyResponse{StatusCode: http.StatusOK, Body: "hello " + principal.Subject()}, nil
			}
			return events.APIGatewayProxyResponse{StatusCode: http.StatusOK, Body: "hello stranger"}, nil
		})

	for _, headers := range []map[string]string{nil, {"Authorization": "Bearer " + issuer.MustToken()}} {
		response, err := handler(context.Background(), events.APIGatewayProxyRequest{Headers: headers})
		fmt.Println(response.StatusCode, response.Body, err)
	}
	// Output:
	// 200 hello stranger <nil>
	// 200 hello ada <nil>
}

// The token in another field, for clients behind a gateway that uses Authorization itself.
func ExampleWithTokenFrom() {
	auth, issuer := forExamples()
	guard := lambdasso.New(auth, lambdasso.WithTokenFrom(sso.TokenFromHeader("X-Access-Token")))
	handler := lambdasso.Authenticate(guard, listOrders)

	event := events.APIGatewayV2HTTPRequest{Headers: map[string]string{"x-access-token": issuer.MustToken()}}
	response, err := handler(context.Background(), event)
	fmt.Println(response.StatusCode, response.Body, err)
	// Output:
	// 200 orders of ada <nil>
}

// The authorizer of a REST API that sees only the token. Its TTL must be 0 if it guards several routes.
func ExampleTokenAuthorizer() {
	auth, issuer := forExamples()
	authorize := lambdasso.TokenAuthorizer(lambdasso.New(auth), permission.Is("orders.role", "clerk"))

	const route = "arn:aws:execute-api:eu-central-1:123456789012:api/prod/GET/orders"
	for _, token := range []string{issuer.MustToken(), issuer.MustToken(devissuer.Permission("orders.role", "clerk"))} {
		answer, err := authorize(context.Background(), events.APIGatewayCustomAuthorizerRequest{
			Type: "TOKEN", AuthorizationToken: "Bearer " + token, MethodArn: route,
		})
		fmt.Println(answer.PolicyDocument.Statement[0].Effect, answer.PrincipalID, err)
	}
	_, err := authorize(context.Background(), events.APIGatewayCustomAuthorizerRequest{AuthorizationToken: "Bearer x", MethodArn: route})
	fmt.Println(err) // API Gateway answers it with 401
	// Output:
	// Deny - <nil>
	// Allow ada <nil>
	// Unauthorized
}

// The authorizer of a REST API that sees the request too: the caller must be the customer of the orders.
func ExampleRequestAuthorizer() {
	auth, issuer := forExamples()
	authorize := lambdasso.RequestAuthorizer(lambdasso.New(auth), permission.SameAsPath("customer_id", "customer"))

	token := issuer.MustToken(devissuer.Claim("customer_id", "c7"))
	for _, customer := range []string{"c8", "c7"} {
		answer, err := authorize(context.Background(), events.APIGatewayCustomAuthorizerRequestTypeRequest{
			Type: "REQUEST", HTTPMethod: http.MethodGet, Resource: "/customers/{customer}/orders",
			MethodArn:      "arn:aws:execute-api:eu-central-1:123456789012:api/prod/GET/customers/" + customer + "/orders",
			Headers:        map[string]string{"Authorization": "Bearer " + token},
			PathParameters: map[string]string{"customer": customer},
		})
		fmt.Println(customer, answer.PolicyDocument.Statement[0].Effect, err)
	}
	// Output:
	// c8 Deny <nil>
	// c7 Allow <nil>
}

// The authorizer of an HTTP API, which passes the claims on.
func ExampleHTTPAuthorizer() {
	auth, issuer := forExamples()
	authorize := lambdasso.HTTPAuthorizer(lambdasso.New(auth), permission.Scope("orders:read"))

	for _, token := range []string{issuer.MustToken(), issuer.MustToken(devissuer.Scope("orders:read"))} {
		answer, err := authorize(context.Background(), events.APIGatewayV2CustomAuthorizerV2Request{
			Headers: map[string]string{"authorization": "Bearer " + token},
		})
		fmt.Println(answer.IsAuthorized, answer.Context["sub"], err)
	}
	// Output:
	// false <nil> <nil>
	// true ada <nil>
}

// forExamples trusts an issuer in memory.
func forExamples() (*sso.Authenticator, *devissuer.Issuer) {
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
	return auth, issuer
}

func listOrders(ctx context.Context, _ events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	principal, _ := lambdasso.Principal(ctx)
	return events.APIGatewayV2HTTPResponse{StatusCode: http.StatusOK, Body: "orders of " + principal.Subject()}, nil
}
