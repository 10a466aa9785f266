package doors_test

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/e2e/doors"
)

const asked = "arn:aws:execute-api:us-west-2:123456789012:ymy8tbxw7b/prod/GET/"

// The SDK's own example events, as far as lambdasso knows their kind, and how each carries a
// token.
var fixtures = []struct {
	file, kind string
	carry      func(event map[string]any, token string)
	want       map[string]string // by what is sent: a part of the response or of the error
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
		event["authorizationToken"], event["methodArn"] = token, asked // the example's has a wildcard, which no real one has
	}, decided},
	{"apigw-custom-auth-request-type-request.json", "REQUEST authorizer", inHeaders("headers", "multiValueHeaders"), decided},
	{"apigw-v2-custom-authorizer-v2-request.json", "HTTP authorizer", inHeaders("headers"), map[string]string{
		"admin": `{"isAuthorized":true,"context":{`, "plain": `{"isAuthorized":false}`, "expired": "Unauthorized", "nothing": "Unauthorized",
	}},
}

var answered = map[string]string{
	"admin": `{\"audience\":[\"api\"]`, "plain": `"statusCode":403`, "expired": `Bearer error=\"invalid_token\"`, "nothing": `\"code\":\"missing_token\"`,
}

var decided = map[string]string{
	"admin": `"Effect":"Allow"`, "plain": `"Effect":"Deny"`, "expired": "Unauthorized", "nothing": "Unauthorized",
}

// inHeaders sets the field in each of these objects of an event, and nowhere else.
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

// TestTheSDKsOwnEvents invokes functions by the real client of the Runtime API, with the events
// that the SDK itself is tested with, frozen before the last one.
func TestTheSDKsOwnEvents(t *testing.T) {
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
	functions := map[string]*doors.Lambda{}
	for _, f := range fixtures {
		if functions[f.kind] == nil {
			functions[f.kind] = doors.OpenLambda(t, f.kind, doors.Settings{PublicKeyURI: issuer.JWKSURL(), Issuer: issuer.URL(), Audience: []string{"api"}})
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
		if !strings.Contains(got, fixtures[f].want[name]) {
			t.Errorf("%s was answered with %s, want %s", name, got, fixtures[f].want[name])
		}
	}
	for i, f := range fixtures {
		t.Run(f.file, func(t *testing.T) {
			for name := range sent {
				invoke(t, i, name)
			}
		})
	}
	for _, l := range functions {
		l.Freeze(t, 200*time.Millisecond)
	}
	for i, f := range fixtures {
		t.Run(f.file+", after having been frozen", func(t *testing.T) { invoke(t, i, "admin") })
	}
}
