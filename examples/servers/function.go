package servers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/examples/internal/runtimeapi"
	"github.com/more-retail/moresso-go/lambdasso"
)

// HTTPAPIHandler answers the events of an API Gateway HTTP API (payload format 2.0).
type HTTPAPIHandler = func(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error)

// RESTAPIHandler answers the events of an API Gateway REST API.
type RESTAPIHandler = func(context.Context, events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error)

// Functions are Lambda functions by their names. Each returns the handler for [lambda.Start].
type Functions map[string]func(*sso.Authenticator) any

const (
	lambdaHTTP = "lambda"
	lambdaREST = "lambda rest"

	functionVariable = "MORESSO_FUNCTION" // the name of the function that a process runs
	reportEvent      = `{"moresso":"report"}`
)

// Functions returns the service's Lambda functions.
func (s Service) Functions() Functions {
	f := Functions{lambdaHTTP: func(a *sso.Authenticator) any {
		return routed(s.HTTPAPI(a), func(e events.APIGatewayV2HTTPRequest) string { return e.RouteKey })
	}}
	if s.RESTAPI != nil {
		f[lambdaREST] = func(a *sso.Authenticator) any {
			return routed(s.RESTAPI(a), func(e events.APIGatewayProxyRequest) string { return e.HTTPMethod + " " + e.Resource })
		}
	}
	return f
}

// routed is the handler of a function that has several routes.
func routed[E lambdasso.Event, R lambdasso.Response](routes map[string]func(context.Context, E) (R, error), route func(E) string) any {
	return func(ctx context.Context, event E) (R, error) {
		if handler := routes[route(event)]; handler != nil {
			return handler(ctx, event)
		}
		var none R
		return none, fmt.Errorf("no route %q", route(event))
	}
}

// routeKeys returns the routes of a function.
func routeKeys[H any](routes func(*sso.Authenticator) map[string]H) []string {
	return slices.Sorted(maps.Keys(routes(&sso.Authenticator{}))) // a zero authenticator opens no route
}

// RunFunction runs the Lambda function that this process was started for, if it was started by [Start] or
// [StartFunction], and does not return then. A program calls it first, in main or TestMain.
//
// The function reads its configuration from the environment; configure, which may be nil, changes it. It ends when
// its standard input does, and fails if the library has a goroutine running then: Lambda freezes a process between
// invocations.
func RunFunction(functions Functions, configure func(*sso.Config)) {
	name := os.Getenv(functionVariable)
	if name == "" {
		return
	}
	function := functions[name]
	if function == nil {
		log.Fatal(functionVariable + " names no function of this program")
	}
	config, err := sso.ConfigFromEnv()
	if err != nil {
		log.Fatal(err)
	}
	if configure != nil {
		configure(&config)
	}
	config.Logger = slog.New(slog.NewJSONHandler(os.Stderr, nil))
	seen := &journal{}
	auth, err := sso.New(seen.watch(config))
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		exit(auth)
	}()
	lambda.Start(&reporter{lambda.NewHandler(function(auth)), seen, auth})
}

// reporter answers the event that requests a [Report], which no gateway sends.
type reporter struct {
	lambda.Handler
	seen *journal
	auth *sso.Authenticator
}

func (r *reporter) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	if string(event) == reportEvent {
		return json.Marshal(r.seen.report(r.auth))
	}
	return r.Handler.Invoke(ctx, event)
}

func exit(auth *sso.Authenticator) {
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

// Function is a running Lambda function: a process of this program, in which aws-lambda-go's own loop polls a
// Runtime API for invocations.
type Function struct {
	Process *os.Process

	api   *runtimeapi.Server
	stdin io.Closer
	ended chan error
	kill  context.CancelFunc
}

// StartFunction starts the function of this name, one of those that the program passes to [RunFunction]. The
// caller must close it.
func StartFunction(ctx context.Context, name string, o Options) (*Function, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	api, err := runtimeapi.Start(ctx)
	if err != nil {
		return nil, err
	}
	ctx, kill := context.WithCancel(context.WithoutCancel(ctx))
	cmd := exec.CommandContext(ctx, program) //nolint:gosec // this very program
	cmd.Env = append([]string{               // and nothing of this process's
		functionVariable + "=" + name,
		"GORACE=atexit_sleep_ms=0", // the race detector otherwise sleeps for a second at the end
		"AWS_LAMBDA_RUNTIME_API=" + api.Address(),
		"SSO_PUBLIC_KEY_URI=" + o.Config.PublicKeyURI,
		"SSO_ISSUER=" + o.Config.Issuer,
		"SSO_WILDCARD=" + strconv.FormatBool(o.Config.Wildcard),
		"SSO_AUDIENCE=" + strings.Join(o.Config.Audience, ","),
	}, o.Env...)
	if o.Config.Leeway != 0 {
		cmd.Env = append(cmd.Env, "SSO_LEEWAY="+o.Config.Leeway.String())
	}
	cmd.Stdout, cmd.Stderr = o.Stderr, o.Stderr
	stdin, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		kill()
		api.Close()
		return nil, err
	}
	f := &Function{cmd.Process, api, stdin, make(chan error, 1), kill}
	go func() {
		err := cmd.Wait()
		api.End(fmt.Errorf("the function's process ended: %w", errors.Join(err, runtimeapi.ErrClosed)))
		f.ended <- err
	}()
	return f, nil
}

// Invoke sends an event, and returns the response or the function's error.
func (f *Function) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	return f.api.Invoke(ctx, event)
}

// Report returns what the operator of the function sees.
func (f *Function) Report(ctx context.Context) (r Report, err error) {
	text, err := f.Invoke(ctx, []byte(reportEvent))
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	return r, err
}

// Close ends the process. It returns an error if the process did not end well.
func (f *Function) Close() error {
	_ = f.stdin.Close()
	limit := time.AfterFunc(stopLimit, f.kill)
	defer limit.Stop()
	err := <-f.ended
	f.kill()
	f.api.Close()
	return err
}

// startLambda starts a function with a gateway in front of it.
func startLambda(ctx context.Context, name string, o Options, event gatewayEvent, routes []string) (*Server, error) {
	f, err := StartFunction(ctx, name, o)
	if err != nil {
		return nil, err
	}
	url, stop, err := Serve(ctx, HTTP(func(m *http.ServeMux) {
		for _, route := range routes {
			m.Handle(route, gateway(event, f, o.Stderr))
		}
	}))
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &Server{Name: name, URL: url, report: f.Report, stop: func() error { return errors.Join(stop(), f.Close()) }}, nil
}
