package lambdasso

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
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
		return restRequest(e), func(d sso.Denial) any {
			return events.APIGatewayProxyResponse{StatusCode: d.Status, MultiValueHeaders: d.Header, Body: string(d.Body)}
		}
	case events.APIGatewayV2HTTPRequest:
		r := request{
			method: e.RequestContext.HTTP.Method, pattern: e.RouteKey, headers: e.Headers, pathValues: e.PathParameters,
			joins: true, cookies: e.Cookies, uri: target(e.RawPath, e.RawQueryString),
		}
		return r, func(d sso.Denial) any {
			return events.APIGatewayV2HTTPResponse{StatusCode: d.Status, Headers: joined(d.Header), Cookies: d.Header["Set-Cookie"], Body: string(d.Body)}
		}
	case events.LambdaFunctionURLRequest:
		r := request{
			method: e.RequestContext.HTTP.Method, headers: e.Headers,
			joins: true, cookies: e.Cookies, uri: target(e.RawPath, e.RawQueryString),
		}
		return r, func(d sso.Denial) any {
			return events.LambdaFunctionURLResponse{StatusCode: d.Status, Headers: joined(d.Header), Cookies: d.Header["Set-Cookie"], Body: string(d.Body)}
		}
	case events.ALBTargetGroupRequest:
		r := request{
			method: e.HTTPMethod, headers: e.Headers, multiHeaders: e.MultiValueHeaders,
			uri: target(e.Path, rawQuery(e.QueryStringParameters, e.MultiValueQueryStringParameters)),
		}
		return r, func(d sso.Denial) any {
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

// restRequest reads an event of a REST API, which tells the query decoded, and the path without
// the stage but in the request's context.
func restRequest(e events.APIGatewayProxyRequest) request {
	query := url.Values(e.MultiValueQueryStringParameters)
	if query == nil {
		query = url.Values{}
		for name, value := range e.QueryStringParameters {
			query.Set(name, value)
		}
	}
	path := e.RequestContext.Path
	if path == "" {
		path = e.Path
	}
	return request{
		method: e.HTTPMethod, pattern: e.Resource, headers: e.Headers, multiHeaders: e.MultiValueHeaders, pathValues: e.PathParameters,
		uri: target(path, query.Encode()),
	}
}

// rawQuery puts a query together that was told in pieces, as it was sent.
func rawQuery(single map[string]string, multi map[string][]string) string {
	if multi == nil {
		multi = map[string][]string{}
		for name, value := range single {
			multi[name] = []string{value}
		}
	}
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(multi)) {
		for _, value := range multi[name] {
			pairs = append(pairs, name+"="+value)
		}
	}
	return strings.Join(pairs, "&")
}

func target(path, query string) string {
	if query == "" {
		return path
	}
	return path + "?" + query
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
	joins           bool     // the front door joins fields of one name by commas
	cookies         []string // of a front door that tells them apart from the header
	uri             string
}

func (r request) Method() string               { return r.method }
func (r request) Pattern() string              { return r.pattern }
func (r request) PathValue(name string) string { return r.pathValues[name] }
func (r request) RequestURI() string           { return r.uri }

func (r request) Host() string {
	host, _ := r.Header("Host")
	return host
}

// Header finds a field in any letter case. A front door that tells all values repeats the last
// of them among the single ones, which then are not looked at.
func (r request) Header(name string) (first string, n int) {
	if len(r.cookies) > 0 && strings.EqualFold(name, "Cookie") {
		return strings.Join(r.cookies, "; "), 1
	}
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

// handedOn is the event as the handler gets it: where API Gateway has a place for what its own
// authorizers found, there stands what was found here, in the same form. For an anonymous
// request the place is empty, whoever had filled it.
func handedOn[E Event](event E, principal *sso.Principal) E {
	switch e := any(event).(type) {
	case events.APIGatewayProxyRequest:
		e.RequestContext.Authorizer = nil
		if principal != nil {
			e.RequestContext.Authorizer = map[string]any{"principalId": principal.Subject(), "claims": anyOf(claims(principal))}
		}
		event, _ = any(e).(E)
	case events.APIGatewayV2HTTPRequest:
		e.RequestContext.Authorizer = nil
		if principal != nil {
			e.RequestContext.Authorizer = &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{
				JWT: &events.APIGatewayV2HTTPRequestContextAuthorizerJWTDescription{Claims: claims(principal), Scopes: principal.Scopes()},
			}
		}
		event, _ = any(e).(E)
	}
	return event
}

// claims writes a token's claims as API Gateway's JWT authorizer does: every value is a string,
// a list of plain values stands in brackets, separated by spaces.
func claims(principal *sso.Principal) map[string]string {
	all := map[string]string{}
	for name, value := range principal.Claims().Members() {
		all[name] = plain(value)
		if !value.IsArray() {
			continue
		}
		var list []string
		for element := range value.Elements() {
			list = append(list, plain(element))
		}
		all[name] = "[" + strings.Join(list, " ") + "]"
	}
	return all
}

func plain(v sso.Value) string {
	if text, ok := v.Text(); ok {
		return text
	}
	return v.String()
}

func anyOf(texts map[string]string) map[string]any {
	values := make(map[string]any, len(texts))
	for name, text := range texts {
		values[name] = text
	}
	return values
}
