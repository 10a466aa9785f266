package frameworks

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/examples/servers"
	"github.com/more-retail/moresso-go/lambdasso"
)

// handlers are the functions with one handler, by name: every kind of event that lambdasso has, and the
// authorizers. All require the permission of [Admin].
var handlers = servers.Functions{
	"REST API": func(auth *sso.Authenticator) any {
		return guarded[events.APIGatewayProxyRequest](auth, func(body string) events.APIGatewayProxyResponse {
			return events.APIGatewayProxyResponse{StatusCode: http.StatusOK, Body: body}
		})
	},
	"HTTP API": func(auth *sso.Authenticator) any {
		return guarded[events.APIGatewayV2HTTPRequest](auth, func(body string) events.APIGatewayV2HTTPResponse {
			return events.APIGatewayV2HTTPResponse{StatusCode: http.StatusOK, Body: body}
		})
	},
	"function URL": func(auth *sso.Authenticator) any {
		return guarded[events.LambdaFunctionURLRequest](auth, func(body string) events.LambdaFunctionURLResponse {
			return events.LambdaFunctionURLResponse{StatusCode: http.StatusOK, Body: body}
		})
	},
	"load balancer": func(auth *sso.Authenticator) any {
		return guarded[events.ALBTargetGroupRequest](auth, func(body string) events.ALBTargetGroupResponse {
			return events.ALBTargetGroupResponse{StatusCode: http.StatusOK, Body: body}
		})
	},
	"TOKEN authorizer": func(auth *sso.Authenticator) any { return lambdasso.TokenAuthorizer(lambdasso.New(auth), adminOnly()) },
	"REQUEST authorizer": func(auth *sso.Authenticator) any {
		return lambdasso.RequestAuthorizer(lambdasso.New(auth), adminOnly())
	},
	"HTTP authorizer": func(auth *sso.Authenticator) any { return lambdasso.HTTPAuthorizer(lambdasso.New(auth), adminOnly()) },
}

// guarded answers with the principal, after the number of times that the handler has run.
func guarded[E lambdasso.Event, R lambdasso.Response](auth *sso.Authenticator, answer func(body string) R) any {
	handled := new(atomic.Int64)
	return lambdasso.Require(lambdasso.New(auth), adminOnly(), func(ctx context.Context, _ E) (R, error) {
		return answer(fmt.Sprintf("%d: %s", handled.Add(1), greeting(lambdasso.Principal(ctx)))), nil
	})
}

// startFunction starts a function with one handler: "REST API", "HTTP API", "function URL", "load balancer",
// "TOKEN authorizer", "REQUEST authorizer" or "HTTP authorizer". It ends with the test, which fails if the library
// had a goroutine running then.
func startFunction(tb testing.TB, kind string, s settings) *servers.Function {
	tb.Helper()
	f, err := servers.StartFunction(tb.Context(), kind, options(tb, s))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := f.Close(); err != nil {
			tb.Errorf("%s: %v", kind, err)
		}
	})
	return f
}

// freeze stops the process as Lambda does between two invocations, and continues it.
func freeze(tb testing.TB, f *servers.Function, frozen time.Duration) {
	tb.Helper()
	for _, signal := range []syscall.Signal{syscall.SIGSTOP, syscall.SIGCONT} {
		if err := f.Process.Signal(signal); err != nil {
			tb.Fatal(err)
		}
		if signal == syscall.SIGSTOP {
			<-time.After(frozen)
		}
	}
}
