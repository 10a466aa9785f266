// Command lambda is an AWS Lambda function behind an API Gateway HTTP API and single sign-on.
// It reads SSO_ISSUER and SSO_AUDIENCE from the environment; see
// sso.ConfigFromEnv for the rest. For REST APIs, function URLs and load balancers only the event types differ.
package main

import (
	"context"
	"log"
	"net/http"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/lambdasso"
)

func main() {
	cfg, err := sso.ConfigFromEnv()
	if err != nil {
		log.Fatal(err)
	}
	auth, err := sso.New(cfg) // once: it keeps the keys between invocations
	if err != nil {
		log.Fatal(err)
	}
	guard := lambdasso.New(auth)
	lambda.Start(lambdasso.Require(guard, permission.Is("orders.role", "clerk"), deleteOrder))
}

func deleteOrder(ctx context.Context, event events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	principal, _ := lambdasso.Principal(ctx)
	log.Printf("%s deletes order %s", principal.Subject(), event.PathParameters["id"])
	return events.APIGatewayV2HTTPResponse{StatusCode: http.StatusNoContent}, nil
}
