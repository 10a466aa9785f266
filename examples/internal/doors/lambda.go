package doors

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/examples/internal/runtimeapi"
)

// A Handler answers the events of an API Gateway HTTP API.
type Handler = func(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error)

// reportKey is a route that no gateway has: only whoever invokes the function can ask for it.
const reportKey = "$report"

// Function is what runs in Lambda: aws-lambda-go's own loop around the guarded handlers. It
// returns only if it cannot start.
func Function(s Services) error {
	cfg, err := sso.ConfigFromEnv()
	if err != nil {
		return err
	}
	seen := &journal{}
	cfg.Observe = seen.observe
	auth, err := sso.New(cfg)
	if err != nil {
		return err
	}
	handlers := s.Lambda(auth)
	lambda.Start(func(ctx context.Context, event events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		if event.RouteKey == reportKey {
			report, err := json.Marshal(seen.report(auth))
			return events.APIGatewayV2HTTPResponse{StatusCode: http.StatusOK, Body: string(report)}, err
		}
		handler := handlers[event.RouteKey]
		if handler == nil {
			return events.APIGatewayV2HTTPResponse{}, errors.New("no such route")
		}
		return handler(ctx, event)
	})
	return nil
}

// openLambda starts the function in a process of its own, as Lambda does, and puts a stand-in
// for API Gateway in front of it.
func openLambda(ctx context.Context, issuer *devissuer.Issuer, audience string, s Services) (Door, func(), error) {
	program, err := os.Executable()
	if err != nil {
		return Door{}, nil, err
	}
	listener, err := listen(ctx)
	if err != nil {
		return Door{}, nil, err
	}
	api, err := runtimeapi.Start()
	if err != nil {
		_ = listener.Close()
		return Door{}, nil, err
	}
	function := exec.CommandContext(ctx, program, "-function") //nolint:gosec // this very program
	function.Env = append(os.Environ(),
		"AWS_LAMBDA_RUNTIME_API="+api.Addr(),
		"SSO_PUBLIC_KEY_URI="+issuer.JWKSURL(), "SSO_AUDIENCE="+audience, "SSO_ISSUER="+issuer.URL(),
	)
	var log bytes.Buffer // shown if the function dies; else it is quiet, as behind CloudWatch
	function.Stderr = &log
	if err := function.Start(); err != nil {
		_ = listener.Close()
		_ = api.Close()
		return Door{}, nil, err
	}
	alive, died := context.WithCancelCause(ctx)
	ended := make(chan struct{})
	go func() {
		died(fmt.Errorf("the function ended: %w\n%s", function.Wait(), &log))
		close(ended)
	}()
	stopGateway := serveHTTP(listener, gateway(alive, api, s))
	stop := func() {
		stopGateway()
		_ = api.Close()
		_ = function.Process.Kill()
		<-ended
	}
	report := func(ctx context.Context) (Report, error) {
		answer, err := invoke(ctx, api, events.APIGatewayV2HTTPRequest{RouteKey: reportKey})
		if err != nil {
			return Report{}, err
		}
		return decode(answer.Body)
	}
	return Door{Name: "lambda", URL: "http://" + listener.Addr().String(), report: report}, stop, nil
}

// gateway lives as long as ctx and turns requests into HTTP API events (payload format 2.0) and
// responses back. It has the routes that the function has.
func gateway(ctx context.Context, api *runtimeapi.Server, s Services) http.Handler {
	mux := http.NewServeMux()
	for key := range s.Lambda(&sso.Authenticator{}) { // only the routes count here: a zero one opens none
		mux.HandleFunc(key, func(w http.ResponseWriter, r *http.Request) { pass(ctx, api, w, r) })
	}
	return mux
}

func pass(ctx context.Context, api *runtimeapi.Server, w http.ResponseWriter, r *http.Request) {
	event := events.APIGatewayV2HTTPRequest{
		Version: "2.0", RouteKey: r.Pattern, RawPath: r.URL.Path, RawQueryString: r.URL.RawQuery,
		Headers: map[string]string{}, PathParameters: map[string]string{},
	}
	event.RequestContext.HTTP.Method, event.RequestContext.HTTP.Path = r.Method, r.URL.Path
	for name, values := range r.Header {
		event.Headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	for part := range strings.SplitSeq(r.Pattern, "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			name = strings.TrimSuffix(name, "}")
			event.PathParameters[name] = r.PathValue(name)
		}
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
