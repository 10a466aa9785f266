package lambdasso_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/core/ssotest"
	"github.com/more-retail/moresso-go/lambdasso"
)

// HTTP APIs join repeated fields by commas. Two credentials are still refused.
func TestRequire_JoinedCredentials(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	handler := lambdasso.Optional(lambdasso.New(iss.Authenticator(iss.Config("api"))), listOrdersIfKnown)
	good := "Bearer " + iss.Token()
	for value, want := range map[string]int{
		good:                               http.StatusOK,
		"Basic eA==," + good:               http.StatusBadRequest,
		"," + good:                         http.StatusBadRequest,
		",":                                http.StatusBadRequest,
		good + "," + good:                  http.StatusBadRequest,
		"," + "Basic eA==":                 http.StatusBadRequest,
		`Digest username="ada", realm="x"`: http.StatusUnauthorized, // one credential, of another scheme, as with a REST API
		`Digest username="ada", ` + good:   http.StatusBadRequest,
	} {
		response, err := handler(t.Context(), events.APIGatewayV2HTTPRequest{Headers: map[string]string{"authorization": value}})
		if err != nil || response.StatusCode != want {
			t.Errorf("%q: %d (%v), want %d", value, response.StatusCode, err, want)
		}
	}
}

// Cookies cannot be joined into one field. The newer events have a member for them.
func TestRenderer_Cookies(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	cfg := iss.Config("api")
	cfg.Renderer = func(_ sso.Request, d sso.Denial) sso.Denial {
		d.Header["Set-Cookie"] = []string{"a=1", "b=2"}
		return d
	}
	handler := lambdasso.Authenticate(lambdasso.New(iss.Authenticator(cfg)), listOrdersIfKnown)
	for range 50 { // with cookies first, last and in between
		response, err := handler(t.Context(), events.APIGatewayV2HTTPRequest{})
		if err != nil || len(response.Cookies) != 2 || response.Headers["Set-Cookie"] != "" || len(response.Headers) != 3 {
			t.Fatalf("%+v (%v)", response, err)
		}
	}
}

// A load balancer reads only the form of header fields that is set for its target group.
func TestLoadBalancer_Headers(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	handler := lambdasso.Authenticate(lambdasso.New(iss.Authenticator(iss.Config("api"))), func(context.Context, events.ALBTargetGroupRequest) (events.ALBTargetGroupResponse, error) {
		return events.ALBTargetGroupResponse{StatusCode: http.StatusOK}, nil
	})
	for _, multi := range []bool{false, true} {
		event := events.ALBTargetGroupRequest{HTTPMethod: http.MethodGet, Path: "/", Headers: map[string]string{"host": "x"}}
		if multi {
			event.Headers, event.MultiValueHeaders = nil, map[string][]string{"host": {"x"}}
		}
		response, err := handler(t.Context(), event)
		if err != nil || response.StatusCode != http.StatusUnauthorized || (len(response.MultiValueHeaders) > 0) != multi || (len(response.Headers) > 0) == multi {
			t.Errorf("of several values %t: %+v (%v)", multi, response, err)
		}
	}
}

func listOrdersIfKnown(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	return events.APIGatewayV2HTTPResponse{StatusCode: http.StatusOK}, nil
}
