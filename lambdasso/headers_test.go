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

// HTTP APIs join repeated fields by commas; two credentials are two all the same.
func TestTwoJoinedCredentialsAreAMalformedRequest(t *testing.T) {
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

// Cookies cannot be joined into one field; the newer front doors have a place for them.
func TestARenderersCookiesStayApart(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	cfg := iss.Config("api")
	cfg.Renderer = func(_ sso.Request, d sso.Denial) sso.Denial {
		d.Header["Set-Cookie"] = []string{"a=1", "b=2"}
		return d
	}
	handler := lambdasso.Authenticate(lambdasso.New(iss.Authenticator(cfg)), listOrdersIfKnown)
	response, err := handler(t.Context(), events.APIGatewayV2HTTPRequest{})
	if err != nil || len(response.Cookies) != 2 || response.Headers["Set-Cookie"] != "" {
		t.Errorf("%+v (%v)", response, err)
	}
}

func listOrdersIfKnown(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	return events.APIGatewayV2HTTPResponse{StatusCode: http.StatusOK}, nil
}
