package lambdasso_test

import (
	"context"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/more-retail/moresso-go/core/adaptertest"
	"github.com/more-retail/moresso-go/core/ssotest"
	"github.com/more-retail/moresso-go/lambdasso"
)

// Each source of Lambda events passes the suite.
func TestConformance(t *testing.T) {
	t.Run("API Gateway REST API", func(t *testing.T) { conform(t, restAPI) })
	t.Run("API Gateway REST API, headers in odd letter case", func(t *testing.T) { conform(t, restAPI.shouting()) })
	t.Run("API Gateway HTTP API", func(t *testing.T) { conform(t, httpAPI) })
	t.Run("function URL", func(t *testing.T) { conform(t, functionURL, adaptertest.PathValues) })
	t.Run("Application Load Balancer", func(t *testing.T) { conform(t, loadBalancer, adaptertest.PathValues, adaptertest.RepeatedFields) })
	t.Run("Application Load Balancer, multi-value headers", func(t *testing.T) { conform(t, loadBalancerMulti, adaptertest.PathValues) })
}

// gateway turns a request into an event, and a response back.
type gateway[E lambdasso.Event, R lambdasso.Response] struct {
	event    func(r *http.Request, pathValues map[string]string) E
	response func(R) *http.Response
	respond  func(body string) R
}

func (f gateway[E, R]) shouting() gateway[E, R] {
	event := f.event
	f.event = func(r *http.Request, pathValues map[string]string) E {
		r = r.Clone(r.Context())
		odd := http.Header{}
		for name, values := range r.Header {
			odd[strings.ToLower(name[:1])+strings.ToUpper(name[1:])] = values
		}
		r.Header = odd
		return event(r, pathValues)
	}
	return f
}

func conform[E lambdasso.Event, R lambdasso.Response](t *testing.T, via gateway[E, R], lacks ...adaptertest.Feature) {
	open := func(_ testing.TB, routes []adaptertest.Route) ssotest.Do {
		mux := http.NewServeMux() // selects the handler, as the gateway does
		for _, route := range routes {
			handler := func(ctx context.Context, _ E) (R, error) { //nolint:unparam // the shape of a Lambda handler
				principal, ok := lambdasso.Principal(ctx)
				return via.respond(route.Handle(ctx, principal, ok)), nil
			}
			for i := range route.Layers {
				handler = layered(route.Layers[len(route.Layers)-1-i], handler)
			}
			mux.HandleFunc(route.Path, func(w http.ResponseWriter, r *http.Request) {
				r.Header.Set("Host", r.Host) // net/http removes it; events have it
				response, err := handler(r.Context(), via.event(r, map[string]string{"id": r.PathValue("id"), "orderno": r.PathValue("orderno")}))
				if err != nil {
					http.Error(w, err.Error(), http.StatusBadGateway)
					return
				}
				answer := via.response(response)
				maps.Copy(w.Header(), answer.Header)
				w.WriteHeader(answer.StatusCode)
				_, _ = io.Copy(w, answer.Body)
			})
		}
		return ssotest.Serve(t, mux)
	}
	adaptertest.TestAdapter(t, open, append(lacks, adaptertest.Drawing)...)
}

func layered[E lambdasso.Event, R lambdasso.Response](layer adaptertest.Layer, handler func(context.Context, E) (R, error)) func(context.Context, E) (R, error) {
	var opts []lambdasso.Option
	if len(layer.TokenFrom) > 0 {
		opts = append(opts, lambdasso.WithTokenFrom(layer.TokenFrom...))
	}
	if layer.TokenInContext {
		opts = append(opts, lambdasso.WithTokenInContext())
	}
	guard := lambdasso.New(layer.Auth, opts...)
	switch {
	case layer.Permission != nil:
		return lambdasso.Require(guard, layer.Permission, handler)
	case layer.Optional:
		return lambdasso.Optional(guard, handler)
	default:
		return lambdasso.Authenticate(guard, handler)
	}
}

var restAPI = gateway[events.APIGatewayProxyRequest, events.APIGatewayProxyResponse]{
	event: func(r *http.Request, pathValues map[string]string) events.APIGatewayProxyRequest {
		for name, value := range pathValues {
			pathValues[name] = url.PathEscape(value) // a REST API does not decode them
		}
		return events.APIGatewayProxyRequest{
			HTTPMethod: r.Method, Path: r.URL.Path, Resource: r.Pattern, PathParameters: pathValues,
			Headers: last(r.Header), MultiValueHeaders: r.Header,
			QueryStringParameters: last(http.Header(r.URL.Query())), MultiValueQueryStringParameters: r.URL.Query(),
		}
	},
	response: func(r events.APIGatewayProxyResponse) *http.Response {
		return answer(r.StatusCode, r.Headers, r.MultiValueHeaders, r.Body)
	},
	respond: func(body string) events.APIGatewayProxyResponse {
		return events.APIGatewayProxyResponse{StatusCode: http.StatusOK, Body: body}
	},
}

var httpAPI = gateway[events.APIGatewayV2HTTPRequest, events.APIGatewayV2HTTPResponse]{
	event: func(r *http.Request, pathValues map[string]string) events.APIGatewayV2HTTPRequest {
		event := events.APIGatewayV2HTTPRequest{RouteKey: "$default", RawPath: r.URL.EscapedPath(), RawQueryString: r.URL.RawQuery, PathParameters: pathValues, Headers: commaJoined(r.Header), Cookies: cookies(r)}
		if strings.Contains(r.Pattern, "{") {
			event.RouteKey = "ANY " + r.Pattern
		}
		event.RequestContext.HTTP.Method = r.Method
		return event
	},
	response: func(r events.APIGatewayV2HTTPResponse) *http.Response {
		return answer(r.StatusCode, r.Headers, r.MultiValueHeaders, r.Body)
	},
	respond: func(body string) events.APIGatewayV2HTTPResponse {
		return events.APIGatewayV2HTTPResponse{StatusCode: http.StatusOK, Body: body}
	},
}

var functionURL = gateway[events.LambdaFunctionURLRequest, events.LambdaFunctionURLResponse]{
	event: func(r *http.Request, _ map[string]string) events.LambdaFunctionURLRequest {
		event := events.LambdaFunctionURLRequest{RawPath: r.URL.EscapedPath(), RawQueryString: r.URL.RawQuery, Headers: commaJoined(r.Header), Cookies: cookies(r)}
		event.RequestContext.HTTP.Method = r.Method
		return event
	},
	response: func(r events.LambdaFunctionURLResponse) *http.Response {
		return answer(r.StatusCode, r.Headers, nil, r.Body)
	},
	respond: func(body string) events.LambdaFunctionURLResponse {
		return events.LambdaFunctionURLResponse{StatusCode: http.StatusOK, Body: body}
	},
}

var loadBalancer = gateway[events.ALBTargetGroupRequest, events.ALBTargetGroupResponse]{
	event: func(r *http.Request, _ map[string]string) events.ALBTargetGroupRequest {
		return events.ALBTargetGroupRequest{HTTPMethod: r.Method, Path: r.URL.EscapedPath(), Headers: last(r.Header), QueryStringParameters: last(rawQuery(r))}
	},
	response: func(r events.ALBTargetGroupResponse) *http.Response {
		return answer(r.StatusCode, r.Headers, r.MultiValueHeaders, r.Body)
	},
	respond: func(body string) events.ALBTargetGroupResponse {
		return events.ALBTargetGroupResponse{StatusCode: http.StatusOK, Body: body}
	},
}

var loadBalancerMulti = gateway[events.ALBTargetGroupRequest, events.ALBTargetGroupResponse]{
	event: func(r *http.Request, _ map[string]string) events.ALBTargetGroupRequest {
		return events.ALBTargetGroupRequest{HTTPMethod: r.Method, Path: r.URL.EscapedPath(), MultiValueHeaders: r.Header, MultiValueQueryStringParameters: rawQuery(r)}
	},
	response: loadBalancer.response,
	respond:  loadBalancer.respond,
}

func answer(status int, single map[string]string, multi map[string][]string, body string) *http.Response {
	header := http.Header{}
	for name, value := range single {
		header.Set(name, value)
	}
	for name, values := range multi {
		header[http.CanonicalHeaderKey(name)] = values
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body))}
}

// last returns one value for each header, as REST APIs and load balancers do.
func last(header http.Header) map[string]string {
	single := map[string]string{}
	for name, values := range header {
		single[name] = values[len(values)-1]
	}
	return single
}

// rawQuery returns the query as load balancers do: in parts, each as it was sent.
func rawQuery(r *http.Request) http.Header {
	pieces := http.Header{}
	for pair := range strings.SplitSeq(r.URL.RawQuery, "&") {
		if name, value, _ := strings.Cut(pair, "="); name != "" {
			pieces[name] = append(pieces[name], value)
		}
	}
	return pieces
}

// cookies returns the cookies as HTTP APIs and function URLs do, which remove them from the headers.
func cookies(r *http.Request) []string {
	if line := r.Header.Get("Cookie"); line != "" {
		return strings.Split(line, "; ")
	}
	return nil
}

// commaJoined returns headers as HTTP APIs and function URLs do: joined by commas, with names in
// lower case.
func commaJoined(header http.Header) map[string]string {
	single := map[string]string{}
	for name, values := range header {
		if name == "Cookie" {
			continue
		}
		single[strings.ToLower(name)] = strings.Join(values, ",")
	}
	return single
}
