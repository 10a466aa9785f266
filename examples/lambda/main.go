// Command lambda is an AWS Lambda function behind an API Gateway HTTP API and single sign-on. It reads its
// settings from the environment.
package main

import (
	"context"
	"log"
	"net/http"
	"os"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/lambdasso"
)

func main() {
	cfg, err := sso.ConfigFromEnv() // SSO_ISSUER and SSO_AUDIENCE
	if err != nil {
		log.Fatal(err)
	}
	auth, err := sso.New(cfg) // once: it keeps the keys between invocations
	if err != nil {
		log.Fatal(err)
	}
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") == "" { // not in Lambda
		log.Fatal(serveLocally(newHandler(auth)))
	}
	lambda.Start(newHandler(auth))
}

func newHandler(auth *sso.Authenticator) handler {
	guard := lambdasso.New(auth)
	return lambdasso.Require(guard, permission.Is("orders.role", "clerk"), deleteOrder)
}

func deleteOrder(ctx context.Context, event events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	principal, _ := lambdasso.Principal(ctx)
	body := principal.Subject() + " deletes order " + event.PathParameters["id"] + "\n"
	return events.APIGatewayV2HTTPResponse{StatusCode: http.StatusOK, Body: body}, nil
}
