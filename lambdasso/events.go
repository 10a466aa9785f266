package lambdasso

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"github.com/more-retail/moresso-go/core/adapter"
	"github.com/more-retail/moresso-go/core/sso"
)

// Event is an HTTP request to a Lambda function: from an API Gateway REST API, an HTTP API, a
// function URL or an Application Load Balancer; or an event of a WebSocket API, whose route $connect has
// the header fields and the query of the request. Later messages have no token: guard $connect.
type Event interface {
	events.APIGatewayProxyRequest | events.APIGatewayWebsocketProxyRequest | events.APIGatewayV2HTTPRequest | events.LambdaFunctionURLRequest | events.ALBTargetGroupRequest
}

// Response is the response that belongs to an [Event].
type Response interface {
	events.APIGatewayProxyResponse | events.APIGatewayV2HTTPResponse | events.LambdaFunctionURLResponse | events.ALBTargetGroupResponse
}

// open returns the request of an event, and a function that converts a denial to the event's response.
func open[E Event](event E) (r adapter.EventRequest, respond func(sso.Denial) any) {
	switch e := any(event).(type) {
	case events.APIGatewayProxyRequest:
		return restRequest(e), proxyResponse
	case events.APIGatewayWebsocketProxyRequest:
		query := parameters(e.QueryStringParameters, e.MultiValueQueryStringParameters)
		return upgrade(adapter.EventRequest{
			HTTPMethod: e.HTTPMethod, Route: e.RequestContext.RouteKey, Fields: e.Headers, MultiFields: e.MultiValueHeaders, Path: e.Path, Query: query.Encode(),
		}), proxyResponse
	case events.APIGatewayV2HTTPRequest:
		return httpRequest(e), func(d sso.Denial) any {
			return events.APIGatewayV2HTTPResponse{StatusCode: d.Status, Headers: joined(d.Header), Cookies: d.Header["Set-Cookie"], Body: string(d.Body)}
		}
	case events.LambdaFunctionURLRequest:
		r := adapter.EventRequest{
			HTTPMethod: e.RequestContext.HTTP.Method, Fields: e.Headers,
			JoinsFields: true, Cookies: e.Cookies, Path: e.RawPath, Query: e.RawQueryString,
		}
		return r, func(d sso.Denial) any {
			return events.LambdaFunctionURLResponse{StatusCode: d.Status, Headers: joined(d.Header), Cookies: d.Header["Set-Cookie"], Body: string(d.Body)}
		}
	case events.ALBTargetGroupRequest:
		r := adapter.EventRequest{
			HTTPMethod: e.HTTPMethod, Fields: e.Headers, MultiFields: e.MultiValueHeaders,
			Path: e.Path, Query: rawQuery(e.QueryStringParameters, e.MultiValueQueryStringParameters),
		}
		return r, func(d sso.Denial) any {
			response := events.ALBTargetGroupResponse{StatusCode: d.Status, StatusDescription: fmt.Sprintf("%d %s", d.Status, http.StatusText(d.Status)), Body: string(d.Body)}
			if e.MultiValueHeaders != nil { // a setting of the target group, which applies to responses too
				response.MultiValueHeaders = d.Header
			} else {
				response.Headers = joined(d.Header)
			}
			return response
		}
	}
	panic(fmt.Sprintf("lambdasso: %T is not an event", event)) // the constraint admits no other type
}

// proxyResponse has the header fields in both forms: a load balancer reads the single ones, and takes no null.
func proxyResponse(d sso.Denial) any {
	return events.APIGatewayProxyResponse{StatusCode: d.Status, Headers: joined(d.Header), MultiValueHeaders: d.Header, Body: string(d.Body)}
}

// connectRoute is the route of a WebSocket API that has the request.
const connectRoute = "/$connect"

// upgrade returns the request of a WebSocket API with the method and the field that API Gateway leaves out,
// by which a cookie's origin is checked.
func upgrade(r adapter.EventRequest) adapter.EventRequest {
	r.HTTPMethod = cmp.Or(r.HTTPMethod, http.MethodGet)
	r.Fields, r.MultiFields = maps.Clone(r.Fields), maps.Clone(r.MultiFields)
	if r.MultiFields != nil {
		r.MultiFields["Upgrade"] = []string{"websocket"}
	} else if r.Fields != nil {
		r.Fields["Upgrade"] = "websocket"
	}
	return r
}

// restRequest reads an event of a REST API, or one of an HTTP API in payload format 1.0. The query is
// decoded, and only the path of the request context has the stage.
func restRequest(e events.APIGatewayProxyRequest) adapter.EventRequest {
	query := parameters(e.QueryStringParameters, e.MultiValueQueryStringParameters)
	return adapter.EventRequest{
		HTTPMethod: e.HTTPMethod, Route: e.Resource, Fields: e.Headers, MultiFields: e.MultiValueHeaders, PathValues: pathValues(e),
		Path: cmp.Or(e.RequestContext.Path, e.Path), Query: query.Encode(),
	}
}

// pathValues returns the path values, decoded: a REST API hands them on as they were sent, an HTTP API
// decoded. The resource of an HTTP API is a route key such as "GET /users/{user}", or its stage is
// "$default"; a REST API cannot have either. A value that cannot be decoded is empty.
func pathValues(e events.APIGatewayProxyRequest) map[string]string {
	if strings.ContainsAny(e.RequestContext.ResourceID, "/$") || e.RequestContext.Stage == "$default" {
		return e.PathParameters
	}
	values := make(map[string]string, len(e.PathParameters))
	for name, value := range e.PathParameters {
		values[name], _ = url.PathUnescape(value)
	}
	return values
}

// httpRequest reads an event of an HTTP API, which decodes path values.
func httpRequest(e events.APIGatewayV2HTTPRequest) adapter.EventRequest {
	return adapter.EventRequest{
		HTTPMethod: e.RequestContext.HTTP.Method, Route: e.RouteKey, Fields: e.Headers, PathValues: e.PathParameters,
		JoinsFields: true, Cookies: e.Cookies, Path: e.RawPath, Query: e.RawQueryString,
	}
}

// parameters returns the parameters of a query: all values of each, or one.
func parameters(single map[string]string, multi map[string][]string) url.Values {
	if multi != nil {
		return multi
	}
	all := url.Values{}
	for name, value := range single {
		all.Set(name, value)
	}
	return all
}

// rawQuery returns a query as it was sent.
func rawQuery(single map[string]string, multi map[string][]string) string {
	all := parameters(single, multi)
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		for _, value := range all[name] {
			pairs = append(pairs, name+"="+value)
		}
	}
	return strings.Join(pairs, "&")
}

// joined returns each field in one line (RFC 9110, section 5.3). It omits cookies, which cannot be
// joined: the response has a separate member for them.
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
