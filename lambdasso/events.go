package lambdasso

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"github.com/more-retail/moresso-go/core/sso"
)

// Event is an HTTP request as Lambda gets it: from an API Gateway REST API, an HTTP API, a
// function URL or an Application Load Balancer.
type Event interface {
	events.APIGatewayProxyRequest | events.APIGatewayV2HTTPRequest | events.LambdaFunctionURLRequest | events.ALBTargetGroupRequest
}

// Response is the response of the same front door as the [Event].
type Response interface {
	events.APIGatewayProxyResponse | events.APIGatewayV2HTTPResponse | events.LambdaFunctionURLResponse | events.ALBTargetGroupResponse
}

// open returns what the core reads of an event, and how its front door is answered.
func open[E Event](event E) (r request, answer func(sso.Denial) any) {
	switch e := any(event).(type) {
	case events.APIGatewayProxyRequest:
		return request{e.HTTPMethod, e.Resource, e.Headers, e.MultiValueHeaders, e.PathParameters, false}, func(d sso.Denial) any {
			return events.APIGatewayProxyResponse{StatusCode: d.Status, MultiValueHeaders: d.Header, Body: string(d.Body)}
		}
	case events.APIGatewayV2HTTPRequest:
		return request{e.RequestContext.HTTP.Method, e.RouteKey, e.Headers, nil, e.PathParameters, true}, func(d sso.Denial) any {
			return events.APIGatewayV2HTTPResponse{StatusCode: d.Status, Headers: joined(d.Header), Cookies: d.Header["Set-Cookie"], Body: string(d.Body)}
		}
	case events.LambdaFunctionURLRequest:
		return request{e.RequestContext.HTTP.Method, "", e.Headers, nil, nil, true}, func(d sso.Denial) any {
			return events.LambdaFunctionURLResponse{StatusCode: d.Status, Headers: joined(d.Header), Cookies: d.Header["Set-Cookie"], Body: string(d.Body)}
		}
	case events.ALBTargetGroupRequest:
		return request{e.HTTPMethod, "", e.Headers, e.MultiValueHeaders, nil, false}, func(d sso.Denial) any {
			response := events.ALBTargetGroupResponse{StatusCode: d.Status, StatusDescription: fmt.Sprintf("%d %s", d.Status, http.StatusText(d.Status)), Body: string(d.Body)}
			if e.MultiValueHeaders != nil { // the target group's setting; it wants to be answered in kind
				response.MultiValueHeaders = d.Header
			} else {
				response.Headers = joined(d.Header)
			}
			return response
		}
	}
	panic(fmt.Sprintf("lambdasso: %T is no event", event)) // the constraint admits no other type
}

// joined gives each field in one line (RFC 9110, section 5.3), but for cookies, which cannot be
// joined and have a place of their own.
func joined(header http.Header) map[string]string {
	single := make(map[string]string, len(header))
	for name, values := range header {
		if name == "Set-Cookie" {
			continue
		}
		single[name] = strings.Join(values, ", ")
	}
	return single
}

type request struct {
	method, pattern string
	headers         map[string]string
	multiHeaders    map[string][]string
	pathValues      map[string]string
	joins           bool // the front door joins fields of one name by commas
}

func (r request) Method() string               { return r.method }
func (r request) Pattern() string              { return r.pattern }
func (r request) PathValue(name string) string { return r.pathValues[name] }

// Header finds a field in any letter case. A front door that tells all values repeats the last
// of them among the single ones, which then are not looked at.
func (r request) Header(name string) (first string, n int) {
	for key, values := range r.multiHeaders {
		if strings.EqualFold(key, name) && len(values) > 0 {
			first, n = values[0], n+len(values)
		}
	}
	if n > 0 {
		return first, n
	}
	for key, value := range r.headers {
		if strings.EqualFold(key, name) {
			first, n = value, n+1
		}
	}
	if r.joins && strings.EqualFold(name, "Authorization") {
		n += strings.Count(first, ",") // credentials that we accept have none
	}
	return first, n
}
