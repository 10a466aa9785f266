package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/examples/internal/runtimeapi"
	"github.com/more-retail/moresso-go/lambdasso"
)

// lambdaFunction is what runs in Lambda: aws-lambda-go's own loop around a guarded handler.
func lambdaFunction() error {
	cfg, err := sso.ConfigFromEnv()
	if err != nil {
		return err
	}
	auth, err := sso.New(cfg)
	if err != nil {
		return err
	}
	lambda.Start(lambdasso.Require(lambdasso.New(auth), clerk, hello))
	return nil
}

func hello(ctx context.Context, _ events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	principal, _ := lambdasso.Principal(ctx)
	return events.APIGatewayV2HTTPResponse{
		StatusCode: http.StatusOK,
		Headers:    map[string]string{"Content-Type": "text/plain; charset=utf-8"},
		Body:       "hello " + principal.Subject() + "\n",
	}, nil
}

// openLambda starts the function in a process of its own, as Lambda does, and puts a stand-in
// for API Gateway in front of it.
func openLambda(ctx context.Context, issuer *devissuer.Issuer) (door, func(), error) {
	api, err := runtimeapi.Start()
	if err != nil {
		return door{}, nil, err
	}
	program, err := os.Executable()
	if err != nil {
		return door{}, nil, err
	}
	function := exec.CommandContext(ctx, program, "-function") //nolint:gosec // this very program
	function.Env = append(os.Environ(),
		"AWS_LAMBDA_RUNTIME_API="+api.Addr(),
		"SSO_PUBLIC_KEY_URI="+issuer.JWKSURL(), "SSO_AUDIENCE="+audience, "SSO_ISSUER="+issuer.URL(),
	)
	var log bytes.Buffer // shown if the function dies; else it is quiet, as behind CloudWatch
	function.Stderr = &log
	if err := function.Start(); err != nil {
		return door{}, nil, err
	}
	alive, died := context.WithCancelCause(ctx)
	ended := make(chan struct{})
	go func() {
		died(fmt.Errorf("the function ended: %w\n%s", function.Wait(), &log))
		close(ended)
	}()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return door{}, nil, err
	}
	stopGateway := serveHTTP(listener, gateway(alive, api))
	stop := func() {
		stopGateway()
		_ = api.Close()
		_ = function.Process.Kill()
		<-ended
	}
	return door{"lambda", "http://" + listener.Addr().String(), nil}, stop, nil
}

// gateway lives as long as ctx and turns requests into HTTP API events (payload format 2.0) and responses back.
func gateway(ctx context.Context, api *runtimeapi.Server) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		event := events.APIGatewayV2HTTPRequest{
			Version: "2.0", RouteKey: r.Method + " " + route, RawPath: r.URL.Path, RawQueryString: r.URL.RawQuery,
			Headers: map[string]string{},
		}
		event.RequestContext.HTTP.Method, event.RequestContext.HTTP.Path = r.Method, r.URL.Path
		for name, values := range r.Header {
			event.Headers[strings.ToLower(name)] = strings.Join(values, ",")
		}
		answer, err := invoke(ctx, api, event)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		for name, value := range answer.Headers {
			w.Header().Set(name, value)
		}
		w.WriteHeader(answer.StatusCode)
		_, _ = io.WriteString(w, answer.Body)
	})
}

func invoke(ctx context.Context, api *runtimeapi.Server, event events.APIGatewayV2HTTPRequest) (answer events.APIGatewayV2HTTPResponse, err error) {
	payload, err := json.Marshal(event)
	if err != nil {
		return answer, err
	}
	if payload, err = api.Invoke(ctx, payload); err != nil {
		return answer, err
	}
	if err = json.Unmarshal(payload, &answer); err != nil {
		return answer, fmt.Errorf("the function's response: %w", err)
	}
	return answer, nil
}
