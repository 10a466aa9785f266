package doors

import (
	"bytes"
	"context"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/more-retail/moresso-go/e2e/runtimeapi"
	"github.com/more-retail/moresso-go/lambdasso"
)

// handlers are the functions of one handler each, by name: every kind of event that lambdasso
// knows, and the authorizers. All demand the permission of [Admin].
var handlers = map[string]func(service) any{
	"REST API": func(s service) any { return lambdasso.Require(lambdasso.New(s.auth), demanded(), s.restAPI) },
	"HTTP API": func(s service) any { return lambdasso.Require(lambdasso.New(s.auth), demanded(), s.httpAPI) },
	"function URL": func(s service) any {
		return lambdasso.Require(lambdasso.New(s.auth), demanded(), func(ctx context.Context, _ events.LambdaFunctionURLRequest) (events.LambdaFunctionURLResponse, error) {
			p, ok := lambdasso.Principal(ctx)
			return events.LambdaFunctionURLResponse{StatusCode: http.StatusOK, Body: string(s.greeting(ctx, p, ok))}, nil
		})
	},
	"load balancer": func(s service) any {
		return lambdasso.Require(lambdasso.New(s.auth), demanded(), func(ctx context.Context, _ events.ALBTargetGroupRequest) (events.ALBTargetGroupResponse, error) {
			p, ok := lambdasso.Principal(ctx)
			return events.ALBTargetGroupResponse{StatusCode: http.StatusOK, Body: string(s.greeting(ctx, p, ok))}, nil
		})
	},
	"TOKEN authorizer":   func(s service) any { return lambdasso.TokenAuthorizer(lambdasso.New(s.auth), demanded()) },
	"REQUEST authorizer": func(s service) any { return lambdasso.RequestAuthorizer(lambdasso.New(s.auth), demanded()) },
	"HTTP authorizer":    func(s service) any { return lambdasso.HTTPAuthorizer(lambdasso.New(s.auth), demanded()) },
}

// singlePrefix tells the functions of one handler from those with routes.
const singlePrefix = "only "

// single runs a function of one handler, if there is one of that name, and does not return then.
func single(kind string, s service) {
	name, alone := strings.CutPrefix(kind, singlePrefix)
	if handler := handlers[name]; alone && handler != nil {
		lambda.Start(handler(s))
	}
}

// A Lambda is a function's process, invoked with events.
type Lambda struct {
	door    *Door
	api     *runtimeapi.Server
	process *exec.Cmd
}

// OpenLambda starts the process of a function that has one handler: "REST API", "HTTP API",
// "function URL", "load balancer", "TOKEN authorizer", "REQUEST authorizer" or "HTTP authorizer".
// It ends with the test, which fails if anything of the library was running then.
func OpenLambda(tb testing.TB, kind string, s Settings) *Lambda {
	tb.Helper()
	l := &Lambda{door: newDoor("Lambda, " + kind)}
	api, err := runtimeapi.Start(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(api.Close)
	l.api = api
	l.process = startFunction(tb, l.door, api, environment(s, gateway{name: singlePrefix + kind}, api.Address()))
	return l
}

// Invoke sends an event, and returns the response or the function's error.
func (l *Lambda) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, requestLimit)
	defer cancel()
	response, err := l.api.Invoke(ctx, event)
	if bytes.Contains(response, []byte(`"statusCode":200`)) {
		l.door.accepted.Add(1)
	}
	return response, err
}

// Freeze stops the process as Lambda does between two invocations, and lets it go on.
func (l *Lambda) Freeze(tb testing.TB, frozen time.Duration) {
	tb.Helper()
	for _, signal := range []syscall.Signal{syscall.SIGSTOP, syscall.SIGCONT} {
		if err := l.process.Process.Signal(signal); err != nil {
			tb.Fatal(err)
		}
		if signal == syscall.SIGSTOP {
			<-time.After(frozen)
		}
	}
}
