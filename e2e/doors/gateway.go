package doors

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"strings"
)

// A gateway does what an API Gateway does for a function: it turns a request into an event, and a response back.
// The events are written out here as the documentation of API Gateway shows them, and not by the types that
// the function reads them with.
type gateway struct {
	name  string
	event func(*http.Request) map[string]any
}

// httpAPI is an HTTP API with payload format version 2.0.
var httpAPI = gateway{"HTTP API", func(r *http.Request) map[string]any {
	return map[string]any{
		"version":        "2.0",
		"routeKey":       r.Pattern,
		"rawPath":        r.URL.EscapedPath(),
		"rawQueryString": r.URL.RawQuery,
		"headers":        lowerCase(r.Header),
		"requestContext": map[string]any{
			"accountId":    "123456789012",
			"apiId":        "e2e",
			"domainName":   "e2e.execute-api.eu-central-1.amazonaws.com",
			"domainPrefix": "e2e",
			"http": map[string]any{
				"method":    r.Method,
				"path":      r.URL.Path,
				"protocol":  r.Proto,
				"sourceIp":  "192.0.2.1",
				"userAgent": r.UserAgent(),
			},
			"requestId": "JKJaXmPLvHcESHA=",
			"routeKey":  r.Pattern,
			"stage":     "$default",
			"time":      "10/Mar/2020:05:16:23 +0000",
			"timeEpoch": 1583817383220,
		},
		"isBase64Encoded": false,
	}
}}

// restAPI is a REST API. It renames WWW-Authenticate in responses, which is its own doing and left out here.
var restAPI = gateway{"REST API", func(r *http.Request) map[string]any {
	_, resource, _ := strings.Cut(r.Pattern, " ")
	single := map[string]string{}
	for name, values := range r.Header {
		single[name] = values[len(values)-1]
	}
	return map[string]any{
		"resource":                        resource,
		"path":                            r.URL.Path,
		"httpMethod":                      r.Method,
		"headers":                         single,
		"multiValueHeaders":               r.Header,
		"queryStringParameters":           nil,
		"multiValueQueryStringParameters": nil,
		"pathParameters":                  nil,
		"stageVariables":                  nil,
		"requestContext": map[string]any{
			"accountId":        "123456789012",
			"apiId":            "e2e",
			"domainName":       "e2e.execute-api.eu-central-1.amazonaws.com",
			"domainPrefix":     "e2e",
			"httpMethod":       r.Method,
			"identity":         map[string]any{"sourceIp": "192.0.2.1", "userAgent": r.UserAgent()},
			"path":             "/prod" + r.URL.Path,
			"protocol":         r.Proto,
			"requestId":        "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
			"requestTime":      "10/Mar/2020:05:16:23 +0000",
			"requestTimeEpoch": 1583817383220,
			"resourceId":       "123456",
			"resourcePath":     resource,
			"stage":            "prod",
		},
		"body":            nil,
		"isBase64Encoded": false,
	}
}}

// handler is the gateway in front of a function.
func (g gateway) handler(invoke func(context.Context, []byte) ([]byte, error)) http.Handler {
	mux := http.NewServeMux() // its patterns are the gateway's routes
	for _, path := range []string{Me, Admin} {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			event, err := json.Marshal(g.event(r))
			if err != nil {
				panic(err) // it is made of strings
			}
			response, err := invoke(r.Context(), event)
			if err != nil || !respond(w, response) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(http.StatusBadGateway)
				_, _ = io.WriteString(w, `{"message": "Internal Server Error"}`)
			}
		})
	}
	return mux
}

// respond reports false for what no gateway takes for a response.
func respond(w http.ResponseWriter, function []byte) bool {
	var response struct {
		StatusCode        int                 `json:"statusCode"`
		Headers           map[string]string   `json:"headers"`
		MultiValueHeaders map[string][]string `json:"multiValueHeaders"`
		Body              string              `json:"body"`
		IsBase64Encoded   bool                `json:"isBase64Encoded"`
	}
	if json.Unmarshal(function, &response) != nil || response.StatusCode < 100 || response.StatusCode > 599 {
		return false
	}
	body := []byte(response.Body)
	if response.IsBase64Encoded {
		var err error
		if body, err = base64.StdEncoding.DecodeString(response.Body); err != nil {
			return false
		}
	}
	header := http.Header{}
	for name, value := range response.Headers {
		header.Set(name, value)
	}
	for name, values := range response.MultiValueHeaders {
		header[http.CanonicalHeaderKey(name)] = values
	}
	maps.Copy(w.Header(), header)
	w.WriteHeader(response.StatusCode)
	_, _ = w.Write(body)
	return true
}

// lowerCase gives each field in one line, all names in lower case, as HTTP APIs do.
func lowerCase(h http.Header) map[string]string {
	single := map[string]string{}
	for name, values := range h {
		single[strings.ToLower(name)] = strings.Join(values, ",")
	}
	return single
}
