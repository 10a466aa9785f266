package lambdasso_test

import (
	"cmp"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/more-retail/moresso-go/core/adaptertest"
	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/core/ssotest"
	"github.com/more-retail/moresso-go/lambdasso"
)

// A REST API hands on path values as they were sent, an HTTP API decoded. These are the shapes of events
// that AWS sends, and that of its documentation.
func TestGuard_PathValueDecoded(t *testing.T) {
	const resource = "/users/{user}"
	for name, c := range map[string]struct {
		decoded bool
		context events.APIGatewayProxyRequestContext
	}{
		"REST API":                              {false, events.APIGatewayProxyRequestContext{ResourceID: "roq9wj", Stage: "prod", ResourcePath: resource}},
		"REST API, by hand":                     {false, events.APIGatewayProxyRequestContext{}},
		"HTTP API, payload 1.0":                 {true, events.APIGatewayProxyRequestContext{ResourceID: "GET " + resource, Stage: "prod", ResourcePath: resource}},
		"HTTP API, payload 1.0, ANY":            {true, events.APIGatewayProxyRequestContext{ResourceID: "ANY " + resource, Stage: "prod", ResourcePath: resource}},
		"HTTP API, payload 1.0, documentation":  {true, events.APIGatewayProxyRequestContext{Stage: "$default", ResourcePath: resource}},
		"HTTP API, payload 1.0, $default route": {true, events.APIGatewayProxyRequestContext{ResourceID: "$default", Stage: "prod", ResourcePath: resource}},
	} {
		event := func(r *http.Request) events.APIGatewayProxyRequest {
			path := cmp.Or(r.URL.RawPath, r.URL.EscapedPath()) // as it was sent
			if c.decoded {
				path = r.URL.Path
			}
			c.context.Path = path
			return events.APIGatewayProxyRequest{
				HTTPMethod: r.Method, Resource: resource, Path: path, Headers: last(r.Header), MultiValueHeaders: r.Header, RequestContext: c.context,
				PathParameters: map[string]string{"user": strings.TrimPrefix(path, "/users/")},
			}
		}
		t.Run(name, func(t *testing.T) {
			adaptertest.TestPathValues(t, false, func(auth *sso.Authenticator, p sso.Permission) ssotest.Do {
				handler := lambdasso.Require(lambdasso.New(auth), p, func(context.Context, events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error) {
					return events.APIGatewayProxyResponse{StatusCode: http.StatusOK}, nil
				})
				return func(r *http.Request) (*http.Response, error) {
					response, err := handler(r.Context(), event(r))
					return responded(response.StatusCode), err
				}
			})
		})
		t.Run(name+", authorizer", func(t *testing.T) {
			adaptertest.TestPathValues(t, false, func(auth *sso.Authenticator, p sso.Permission) ssotest.Do {
				authorizer := lambdasso.RequestAuthorizer(lambdasso.New(auth), p)
				return func(r *http.Request) (*http.Response, error) {
					e := event(r)
					response, err := authorizer(r.Context(), events.APIGatewayCustomAuthorizerRequestTypeRequest{
						MethodArn: arn, HTTPMethod: e.HTTPMethod, Resource: e.Resource, Path: e.Path, Headers: e.Headers, MultiValueHeaders: e.MultiValueHeaders, PathParameters: e.PathParameters,
						RequestContext: events.APIGatewayCustomAuthorizerRequestTypeRequestContext{ResourceID: e.RequestContext.ResourceID, Stage: e.RequestContext.Stage, Path: e.Path},
					})
					if err != nil {
						return nil, err
					}
					if response.PolicyDocument.Statement[0].Effect == "Allow" {
						return responded(http.StatusOK), nil
					}
					return responded(http.StatusForbidden), nil
				}
			})
		})
	}
	t.Run("HTTP API, payload 2.0", func(t *testing.T) {
		adaptertest.TestPathValues(t, false, func(auth *sso.Authenticator, p sso.Permission) ssotest.Do {
			handler := lambdasso.Require(lambdasso.New(auth), p, func(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
				return events.APIGatewayV2HTTPResponse{StatusCode: http.StatusOK}, nil
			})
			return func(r *http.Request) (*http.Response, error) {
				response, err := handler(r.Context(), events.APIGatewayV2HTTPRequest{
					RouteKey: "GET " + resource, RawPath: r.URL.Path, Headers: commaJoined(r.Header),
					PathParameters: map[string]string{"user": strings.TrimPrefix(r.URL.Path, "/users/")},
				})
				return responded(response.StatusCode), err
			}
		})
	})
	t.Run("undecodable", func(t *testing.T) {
		issuer := ssotest.NewIssuer(t)
		handler := lambdasso.Require(lambdasso.New(issuer.Authenticator(issuer.Config("api"))), permission.Func("an empty value", func(_ context.Context, a sso.Access) (bool, error) { return a.PathValue("user") == "", nil }), func(context.Context, events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error) {
			return events.APIGatewayProxyResponse{StatusCode: http.StatusOK}, nil
		})
		e := events.APIGatewayProxyRequest{Resource: resource, PathParameters: map[string]string{"user": "%zz"}, Headers: map[string]string{"Authorization": "Bearer " + issuer.Token()}}
		if response, err := handler(t.Context(), e); err != nil || response.StatusCode != http.StatusOK || e.PathParameters["user"] != "%zz" {
			t.Errorf("%d %v %v", response.StatusCode, err, e.PathParameters)
		}
	})
}

func responded(status int) *http.Response {
	w := httptest.NewRecorder()
	w.WriteHeader(status)
	return w.Result()
}
