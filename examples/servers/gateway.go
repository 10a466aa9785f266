package servers

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
)

// gatewayEvent turns a request into an event as an API Gateway does. The events are written as the documentation
// of API Gateway has them, and not by the types that a function reads them with.
type gatewayEvent func(*http.Request) map[string]any

// httpAPI makes the event of an HTTP API (payload format version 2.0).
func httpAPI(r *http.Request) map[string]any {
	headers := map[string]string{} // each field in one line, its name in lower case
	for name, values := range r.Header {
		headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	return map[string]any{
		"version":        "2.0",
		"routeKey":       r.Pattern,
		"rawPath":        r.URL.EscapedPath(),
		"rawQueryString": r.URL.RawQuery,
		"headers":        headers,
		"pathParameters": pathParameters(r),
		"requestContext": map[string]any{
			"accountId":    "123456789012",
			"apiId":        "local",
			"domainName":   "local.execute-api.eu-central-1.amazonaws.com",
			"domainPrefix": "local",
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
}

// restAPI makes the event of a REST API. Such an API also renames WWW-Authenticate in responses, which is left
// out here.
func restAPI(r *http.Request) map[string]any {
	_, resource, _ := strings.Cut(r.Pattern, " ")
	headers := map[string]string{}
	for name, values := range r.Header {
		headers[name] = values[len(values)-1]
	}
	return map[string]any{
		"resource":                        resource,
		"path":                            r.URL.Path,
		"httpMethod":                      r.Method,
		"headers":                         headers,
		"multiValueHeaders":               r.Header,
		"queryStringParameters":           nil,
		"multiValueQueryStringParameters": nil,
		"pathParameters":                  pathParameters(r),
		"stageVariables":                  nil,
		"requestContext": map[string]any{
			"accountId":        "123456789012",
			"apiId":            "local",
			"domainName":       "local.execute-api.eu-central-1.amazonaws.com",
			"domainPrefix":     "local",
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
}

// pathParameters returns nil if the route has none, as an API Gateway does.
func pathParameters(r *http.Request) map[string]string {
	var values map[string]string
	for part := range strings.SplitSeq(r.Pattern, "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			if values == nil {
				values = map[string]string{}
			}
			name = strings.TrimSuffix(name, "}")
			values[name] = r.PathValue(name)
		}
	}
	return values
}

// gateway passes requests to a function. It logs errors of the function, which its clients do not see.
func gateway(event gatewayEvent, f *Function, log io.Writer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := json.Marshal(event(r))
		if err == nil {
			text, err = f.Invoke(r.Context(), text)
		}
		if err == nil {
			err = respond(w, text)
		}
		if err != nil {
			if log != nil {
				_, _ = fmt.Fprintln(log, err)
			}
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusBadGateway)
			_, _ = io.WriteString(w, `{"message": "Internal Server Error"}`)
		}
	})
}

// respond writes a function's response. It writes nothing if that is not valid.
func respond(w http.ResponseWriter, text []byte) error {
	var response struct {
		StatusCode        int                 `json:"statusCode"`
		Headers           map[string]string   `json:"headers"`
		MultiValueHeaders map[string][]string `json:"multiValueHeaders"`
		Body              string              `json:"body"`
		IsBase64Encoded   bool                `json:"isBase64Encoded"`
	}
	if err := json.Unmarshal(text, &response); err != nil || response.StatusCode < 100 || response.StatusCode > 599 {
		return fmt.Errorf("not a response: %s", text)
	}
	body := []byte(response.Body)
	if response.IsBase64Encoded {
		var err error
		if body, err = base64.StdEncoding.DecodeString(response.Body); err != nil {
			return err
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
	return nil
}
