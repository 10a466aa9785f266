package doors

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/e2e/runtimeapi"
	"github.com/more-retail/moresso-go/lambdasso"
)

// The environment of a function's process, besides what Lambda and the library define.
const (
	functionVariable = "MORESSO_E2E_FUNCTION" // the name of a gateway
	clockVariable    = "MORESSO_E2E_CLOCK"    // the path of a Clock's file
)

// Function turns this process into a Lambda function, if [Open] started it as one, and does not return then.
// TestMain calls it first: the function is the test's own program, started anew.
//
// It takes its configuration from the environment, asks the Runtime API for invocations until its input ends,
// and exits with 0 if the library was at rest between them.
func Function() {
	kind := os.Getenv(functionVariable)
	if kind == "" {
		return
	}
	config, err := sso.ConfigFromEnv()
	if err != nil {
		log.Fatal(err)
	}
	if path := os.Getenv(clockVariable); path != "" {
		config.Now = clockAt(path)
	}
	s, err := newService(config, os.Stderr)
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // ends even if the test's process is killed
		endFunction(s.auth)
	}()

	single(kind, s)
	guard := lambdasso.New(s.auth)
	switch kind {
	case httpAPI.name:
		lambda.Start(routed(guard, s.httpAPI, func(e events.APIGatewayV2HTTPRequest) string { return e.RouteKey }))
	case restAPI.name:
		lambda.Start(routed(guard, s.restAPI, func(e events.APIGatewayProxyRequest) string { return e.HTTPMethod + " " + e.Resource }))
	}
	log.Fatal(functionVariable + " names no function")
}

// routed is the handler of a function that has several routes.
func routed[E lambdasso.Event, R lambdasso.Response](guard *lambdasso.Guard, greet func(context.Context, E) (R, error), route func(E) string) func(context.Context, E) (R, error) {
	routes := map[string]func(context.Context, E) (R, error){
		"GET " + Me:    lambdasso.Authenticate(guard, greet),
		"GET " + Admin: lambdasso.Require(guard, demanded(), greet),
	}
	return func(ctx context.Context, event E) (R, error) {
		handler, ok := routes[route(event)]
		if !ok {
			var none R
			return none, fmt.Errorf("no route %q", route(event))
		}
		return handler(ctx, event)
	}
}

func (s service) httpAPI(ctx context.Context, _ events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	p, ok := lambdasso.Principal(ctx)
	return events.APIGatewayV2HTTPResponse{
		StatusCode: http.StatusOK,
		Headers:    map[string]string{"Content-Type": bodyType},
		Body:       string(s.greeting(ctx, p, ok)),
	}, nil
}

func (s service) restAPI(ctx context.Context, _ events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error) {
	p, ok := lambdasso.Principal(ctx)
	return events.APIGatewayProxyResponse{
		StatusCode: http.StatusOK,
		Headers:    map[string]string{"Content-Type": bodyType},
		Body:       string(s.greeting(ctx, p, ok)),
	}, nil
}

// endFunction ends the process. Between invocations Lambda freezes it: the library must have nothing running.
func endFunction(auth *sso.Authenticator) {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for stack := range strings.SplitSeq(string(stacks), "\n\n") {
		if strings.Contains(stack, "moresso-go/core/") {
			log.Fatalf("running between invocations:\n%s", stack)
		}
	}
	if err := auth.Close(); err != nil {
		log.Fatal(err)
	}
	os.Exit(0)
}

// function opens the door to a Lambda function: an API Gateway of ours, the Runtime API, and the process.
func function(tb testing.TB, name string, s Settings, kind gateway) *Door {
	tb.Helper()
	d := newDoor(name)
	api, err := runtimeapi.Start(tb.Context())
	if err != nil {
		tb.Fatalf("%s: %v", name, err)
	}
	tb.Cleanup(api.Close)
	startFunction(tb, d, api, environment(s, kind, api.Address()))
	d.url = serve(tb, kind.handler(func(ctx context.Context, event []byte) ([]byte, error) {
		response, err := api.Invoke(ctx, event)
		if err != nil {
			_, _ = fmt.Fprintln(d.journal, err) // the gateway answers 502, and does not say why
		}
		return response, err
	}))
	tb.Cleanup(d.client.CloseIdleConnections)
	return d
}

// environment is all that the process finds there. The two settings go by the names of the Python edition.
func environment(s Settings, kind gateway, runtimeAPI string) []string {
	env := []string{
		functionVariable + "=" + kind.name,
		"GORACE=atexit_sleep_ms=0", // the race detector otherwise sleeps for a second at the end
		"AWS_LAMBDA_RUNTIME_API=" + runtimeAPI,
		"PUBLIC_KEY_URI=" + s.PublicKeyURI,
		"AUDIENCE=" + strings.Join(s.Audience, ","),
	}
	if s.Issuer != "" {
		env = append(env, "SSO_ISSUER="+s.Issuer)
	}
	if s.Leeway != 0 {
		env = append(env, "SSO_LEEWAY="+s.Leeway.String())
	}
	if s.Clock != nil {
		env = append(env, clockVariable+"="+s.Clock.path)
	}
	return env
}

// startFunction starts the process, until the test ends.
func startFunction(tb testing.TB, d *Door, api *runtimeapi.Server, env []string) *exec.Cmd {
	tb.Helper()
	self, err := os.Executable()
	if err != nil {
		tb.Fatal(err)
	}
	ctx, kill := context.WithCancel(context.Background()) // the test's own ends before its clean-up
	cmd := exec.CommandContext(ctx, self)                 //nolint:gosec // the test's own program
	cmd.Env = env
	cmd.Stdout, cmd.Stderr = d.journal, d.journal
	in, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		kill()
		tb.Fatalf("%s: %v", d.Name, err)
	}
	ended := make(chan error, 1)
	go func() {
		defer kill()
		err := cmd.Wait()
		api.Close() // whoever waits for an answer need not wait any longer
		ended <- err
	}()
	tb.Cleanup(func() {
		_ = in.Close()
		limit := time.AfterFunc(requestLimit, kill)
		defer limit.Stop()
		if err := <-ended; err != nil {
			tb.Errorf("%s: the function's process: %v", d.Name, err)
		}
		d.ended(tb)
	})
	return cmd
}
