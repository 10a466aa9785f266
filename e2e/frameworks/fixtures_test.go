package frameworks

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/examples/servers"
)

const methodARN = "arn:aws:execute-api:us-west-2:123456789012:ymy8tbxw7b/prod/GET/"

// The SDK's own example events of the kinds that lambdasso supports, and how each carries a token.
var fixtures = []struct {
	file, kind string
	carry      func(event map[string]any, token string)
	want       map[string]string // by token: a part of the response or of the error
}{
	{"apigw-request.json", "REST API", inHeaders("headers", "multiValueHeaders"), answered},
	{"apigw-restapi-openapi-request.json", "REST API", inHeaders("headers", "multiValueHeaders"), answered},
	{"apigw-v2-request-no-authorizer.json", "HTTP API", inHeaders("headers"), answered},
	{"apigw-v2-request-jwt-authorizer.json", "HTTP API", inHeaders("headers"), answered},
	{"apigw-v2-request-lambda-authorizer.json", "HTTP API", inHeaders("headers"), answered},
	{"lambda-urls-request.json", "function URL", inHeaders("headers"), answered},
	{"alb-lambda-target-request-headers-only.json", "load balancer", inHeaders("headers"), answered},
	{"alb-lambda-target-request-multivalue-headers.json", "load balancer", inHeaders("multiValueHeaders"), answered},
	{"apigw-custom-auth-request.json", "TOKEN authorizer", func(event map[string]any, token string) {
		event["authorizationToken"], event["methodArn"] = token, methodARN // the example's ARN has a wildcard, unlike real ones
	}, decided},
	{"apigw-custom-auth-request-type-request.json", "REQUEST authorizer", inHeaders("headers", "multiValueHeaders"), decided},
	{"apigw-v2-custom-authorizer-v2-request.json", "HTTP authorizer", inHeaders("headers"), map[string]string{
		"admin": `{"isAuthorized":true,"context":{`, "plain": `{"isAuthorized":false}`, "expired": "Unauthorized", "nothing": "Unauthorized",
	}},
}

var answered = map[string]string{
	"admin": `: {\"audience\":[\"api\"]`, "plain": `"statusCode":403`, "expired": `Bearer error=\"invalid_token\"`, "nothing": `\"code\":\"missing_token\"`,
}

var decided = map[string]string{
	"admin": `"Effect":"Allow"`, "plain": `"Effect":"Deny"`, "expired": "Unauthorized", "nothing": "Unauthorized",
}

// inHeaders sets the field in each of these objects of an event, and only there.
func inHeaders(objects ...string) func(map[string]any, string) {
	return func(event map[string]any, token string) {
		for _, name := range objects {
			fields, _ := event[name].(map[string]any)
			maps.DeleteFunc(fields, func(field string, _ any) bool { return strings.EqualFold(field, "authorization") })
			if fields == nil || token == "" {
				continue
			}
			fields["Authorization"] = token
			if strings.HasPrefix(name, "multi") {
				fields["Authorization"] = []string{token}
			}
		}
	}
}

// TestFunction_SDKEvents invokes functions through the real client of the Runtime API, with the events that the
// SDK itself is tested with. The processes are frozen before the last one.
func TestFunction_SDKEvents(t *testing.T) {
	issuer, err := devissuer.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = issuer.Close() }()
	admin := "Bearer " + issuer.MustToken(devissuer.Permission("pma.role", "admin"))
	sent := map[string]string{
		"admin": admin, "plain": "Bearer " + issuer.MustToken(), "expired": "Bearer " + issuer.MustToken(devissuer.Expired()), "nothing": "",
	}
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/aws/aws-lambda-go").Output()
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(strings.TrimSpace(string(out)), "events", "testdata")
	functions, handled := map[string]*servers.Function{}, map[string]int{}
	for _, f := range fixtures {
		if functions[f.kind] == nil {
			functions[f.kind] = startFunction(t, f.kind, settings{PublicKeyURI: issuer.JWKSURL(), Issuer: issuer.URL(), Audience: []string{"api"}})
		}
	}
	invoke := func(t *testing.T, f int, name string) {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(folder, fixtures[f].file))
		if err != nil {
			t.Fatal(err)
		}
		var event map[string]any
		if err := json.Unmarshal(text, &event); err != nil {
			t.Fatal(err)
		}
		fixtures[f].carry(event, sent[name])
		text, err = json.Marshal(event)
		if err != nil {
			t.Fatal(err)
		}
		response, err := functions[fixtures[f].kind].Invoke(t.Context(), text)
		got := string(response)
		if err != nil {
			got = err.Error()
		}
		want := fixtures[f].want[name]
		if strings.HasPrefix(want, ":") {
			handled[fixtures[f].kind]++ // the handler must run for accepted tokens only
			want = strconv.Itoa(handled[fixtures[f].kind]) + want
		}
		if !strings.Contains(got, want) {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
	for i, f := range fixtures {
		t.Run(f.file, func(t *testing.T) {
			for name := range sent {
				invoke(t, i, name)
			}
		})
	}
	for _, f := range functions {
		freeze(t, f, 200*time.Millisecond)
	}
	for i, f := range fixtures {
		t.Run(f.file+", after a freeze", func(t *testing.T) { invoke(t, i, "admin") })
	}
}
