package lambdasso_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/core/ssotest"
	"github.com/more-retail/moresso-go/lambdasso"
)

const arn = "arn:aws:execute-api:eu-central-1:123456789012:abcdef1234/prod/GET/orders/7"

// outcome is the response of API Gateway to an authorizer's result.
func outcome(allowed bool, err error) string {
	switch {
	case err != nil && err.Error() == "Unauthorized":
		return "401"
	case err != nil:
		return "500"
	case !allowed:
		return "403"
	}
	return "allowed"
}

func TestAuthorizers(t *testing.T) {
	iss, dead := ssotest.NewIssuer(t), ssotest.NewIssuer(t)
	dead.Down()
	clerk := permission.Is("orders.role", "clerk")
	held := devissuer.Permission("orders.role", "clerk")
	for _, test := range []struct {
		name, authorization, want string
		issuer                    *ssotest.Issuer
	}{
		{"a valid token with the permission", "Bearer " + iss.Token(held), "allowed", iss},
		{"a valid token without the permission", "Bearer " + iss.Token(), "403", iss},
		{"an expired token", "Bearer " + iss.Token(held, devissuer.Expired()), "401", iss},
		{"no token", "", "401", iss},
		{"another scheme", "Basic YWRhOnNlY3JldA==", "401", iss},
		{"two credentials in one", "Bearer " + iss.Token(held) + ", Bearer x", "401", iss},
		{"no keys", "Bearer " + dead.Token(held), "500", dead},
	} {
		t.Run(test.name, func(t *testing.T) {
			guard := lambdasso.New(test.issuer.Authenticator(test.issuer.Config("api")))
			headers := map[string]string{}
			if test.authorization != "" {
				headers["authorization"] = test.authorization
			}
			byToken, err := lambdasso.TokenAuthorizer(guard, clerk)(t.Context(), events.APIGatewayCustomAuthorizerRequest{AuthorizationToken: test.authorization, MethodArn: arn})
			policy(t, "TOKEN", byToken, err, test.want)
			byRequest, err := lambdasso.RequestAuthorizer(guard, clerk)(t.Context(), events.APIGatewayCustomAuthorizerRequestTypeRequest{Headers: headers, MethodArn: arn, HTTPMethod: "GET"})
			policy(t, "REQUEST", byRequest, err, test.want)
			simple, err := lambdasso.HTTPAuthorizer(guard, clerk)(t.Context(), events.APIGatewayV2CustomAuthorizerV2Request{Headers: headers})
			if got := outcome(simple.IsAuthorized, err); got != test.want {
				t.Errorf("HTTP: %s (%v), want %s", got, err, test.want)
			}
			if !simple.IsAuthorized && simple.Context != nil {
				t.Errorf("HTTP: a refusal says %v", simple.Context)
			}
		})
	}
}

// If a permission cannot be decided, the client does not learn that its token is invalid.
func TestAuthorizers_PermissionFails(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	failing := permission.Func("failing", func(context.Context, sso.Access) (bool, error) { return false, errors.New("no database") })
	request := events.APIGatewayCustomAuthorizerRequestTypeRequest{Headers: map[string]string{"authorization": "Bearer " + iss.Token()}, MethodArn: arn, HTTPMethod: "GET"}
	answer, err := lambdasso.RequestAuthorizer(lambdasso.New(iss.Authenticator(iss.Config("api"))), failing)(t.Context(), request)
	policy(t, "REQUEST", answer, err, "500")
}

// policy reads the policy of a result for a REST API.
func policy(t *testing.T, kind string, r events.APIGatewayCustomAuthorizerResponse, err error, want string) {
	t.Helper()
	statements := r.PolicyDocument.Statement
	if err != nil {
		if got := outcome(false, err); got != want || len(statements) > 0 || r.Context != nil {
			t.Errorf("%s: %s (%v) %+v, want %s", kind, got, err, r, want)
		}
		return
	}
	effect := map[string]string{"allowed": "Allow", "403": "Deny"}[want]
	if len(statements) != 1 || r.PolicyDocument.Version != "2012-10-17" || r.PrincipalID == "" || !reflect.DeepEqual(statements[0], events.IAMPolicyStatement{
		Action: []string{"execute-api:Invoke"}, Effect: effect, Resource: []string{arn},
	}) {
		t.Errorf("%s: %+v, want %s for %s alone", kind, r, effect, arn)
	}
	if want == "allowed" && (r.PrincipalID != "ada" || r.Context["sub"] != "ada") {
		t.Errorf("%s: principal %q, context %v", kind, r.PrincipalID, r.Context)
	}
}

// Routes of WebSocket APIs have a dollar sign, which matches only itself. A refused ARN is logged.
func TestAuthorizers_Routes(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	var log bytes.Buffer
	cfg := iss.Config("api")
	cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
	guard := lambdasso.New(iss.Authenticator(cfg), lambdasso.WithTokenFrom(sso.TokenSource{}, sso.InsecureTokenFromQuery("token"), sso.TokenFromWebSocketProtocol("bearer.")))
	const stage = "arn:aws:execute-api:eu-central-1:123456789012:abcdef1234/prod/"
	for route, granted := range map[string]bool{
		"$connect": true, "$default": true, "$disconnect": true, "sendMessage": true,
		"GET/odata/Orders/$count": true, "GET/prices/US$": true, "GET/search/a*": false, "GET/a?b": false, "GET/${aws:username}": false,
	} {
		for place, e := range map[string]events.APIGatewayCustomAuthorizerRequestTypeRequest{
			"field":    {Headers: map[string]string{"Authorization": "Bearer " + iss.Token()}},
			"query":    {QueryStringParameters: map[string]string{"token": iss.Token()}},
			"protocol": {Headers: map[string]string{"Sec-WebSocket-Protocol": "v1.chat, bearer." + iss.Token()}},
		} {
			log.Reset()
			e.MethodArn = stage + route
			r, err := lambdasso.RequestAuthorizer(guard, permission.Authenticated())(t.Context(), e)
			if granted && (err != nil || r.PolicyDocument.Statement[0].Effect != "Allow" || r.PolicyDocument.Statement[0].Resource[0] != e.MethodArn) {
				t.Errorf("%s by %s: %+v, %v", route, place, r, err)
			}
			if !granted && (outcome(true, err) != "401" || !strings.Contains(log.String(), "would match other routes")) {
				t.Errorf("%s by %s: %v, log %s", route, place, err, log.String())
			}
		}
	}
}

// API Gateway caches the result, and the check of the origin reads the request.
func TestAuthorizers_Cookie(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	guard := lambdasso.New(iss.Authenticator(iss.Config("api")), lambdasso.WithTokenFrom(sso.TokenSource{}, sso.TokenFromCookie("__Host-token")))
	for name, build := range map[string]func(){
		"TokenAuthorizer":   func() { lambdasso.TokenAuthorizer(guard, permission.Authenticated()) },
		"RequestAuthorizer": func() { lambdasso.RequestAuthorizer(guard, permission.Authenticated()) },
		"HTTPAuthorizer":    func() { lambdasso.HTTPAuthorizer(guard, permission.Authenticated()) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if v := recover(); !strings.Contains(fmt.Sprint(v), "TokenFromCookie") {
					t.Errorf("panic: %v", v)
				}
			}()
			build()
		})
	}
}

// A policy's wildcards must not come from the path that a client has chosen.
func TestAuthorizers_PolicyPath(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	guard := lambdasso.New(iss.Authenticator(iss.Config("api")))
	authorizer := lambdasso.TokenAuthorizer(guard, permission.Authenticated())
	for _, method := range []string{"", arn + "/*", "arn:aws:execute-api:eu-central-1:123456789012:abcdef1234/*", arn + "?", arn + "/${aws:username}"} {
		r, err := authorizer(t.Context(), events.APIGatewayCustomAuthorizerRequest{AuthorizationToken: "Bearer " + iss.Token(), MethodArn: method})
		if outcome(true, err) != "401" || len(r.PolicyDocument.Statement) > 0 {
			t.Errorf("%q: %+v (%v)", method, r, err)
		}
	}
}

func TestRequestAuthorizer_Access(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	guard := lambdasso.New(iss.Authenticator(iss.Config("api")))
	authorizer := lambdasso.RequestAuthorizer(guard, permission.All(permission.SameAsPath("sub", "user"), permission.Func("tenant", func(_ context.Context, a sso.Access) (bool, error) {
		tenant, n := a.Header("x-tenant")
		return a.Method() == "GET" && tenant == "acme" && n == 1 && a.Pattern() == "/users/{user}", nil
	})))
	for user, want := range map[string]string{"ada": "Allow", "bob": "Deny"} {
		r, err := authorizer(t.Context(), events.APIGatewayCustomAuthorizerRequestTypeRequest{
			MethodArn: arn, HTTPMethod: "GET", Resource: "/users/{user}", PathParameters: map[string]string{"user": user},
			MultiValueHeaders: map[string][]string{"Authorization": {"Bearer " + iss.Token()}, "X-Tenant": {"acme"}},
		})
		if err != nil || r.PolicyDocument.Statement[0].Effect != want {
			t.Errorf("%s: %+v (%v)", user, r, err)
		}
	}
}

func TestTokenAuthorizer_RequestPermission(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	guard := lambdasso.New(iss.Authenticator(iss.Config("api")))
	for name, p := range map[string]sso.Permission{
		"the path":             permission.SameAsPath("sub", "id"),
		"the path, negated":    permission.All(permission.Authenticated(), permission.Not(permission.SameAsPath("sub", "id"))),
		"an unknown part":      permission.Func("f", func(context.Context, sso.Access) (bool, error) { return true, nil }),
		"nothing, by negation": permission.Not(permission.Has("a")),
		"the time":             permission.All(permission.Authenticated(), permission.FreshLogin(time.Minute)),
		"nil":                  nil,
	} {
		for kind, build := range map[string]func(){
			"HTTPAuthorizer":  func() { lambdasso.HTTPAuthorizer(guard, p) },
			"TokenAuthorizer": func() { lambdasso.TokenAuthorizer(guard, p) },
		} {
			t.Run(kind+" on "+name, func(t *testing.T) {
				defer func() {
					if recover() == nil {
						t.Error("no panic")
					}
				}()
				build()
			})
		}
	}
}

// API Gateway caches the results of a RequestAuthorizer, too.
func TestTokenAuthorizer_ClockPermission(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	guard := lambdasso.New(iss.Authenticator(iss.Config("api")))
	lambdasso.RequestAuthorizer(guard, permission.SameAsPath("sub", "id")) // which it sees
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	lambdasso.RequestAuthorizer(guard, permission.All(permission.SameAsPath("sub", "id"), permission.FreshLogin(time.Minute)))
}

// The context of an authorizer keeps the types of the claims. The event of a guarded handler has strings, in
// the form of API Gateway's own authorizers.
func TestAuthorizers_Context(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	guard := lambdasso.New(iss.Authenticator(iss.Config("api")))
	token := "Bearer " + iss.Token(
		devissuer.Claim("level", 3), devissuer.Claim("on", true), devissuer.Claim("groups", []any{"a", "b", 1}), devissuer.Claim("nothing", nil), devissuer.Claim("principalId", "mallory"), devissuer.Claim("integrationLatency", 0), devissuer.Permission("a.b", "c"), devissuer.Scope("x", "y"))
	want := map[string]string{"sub": `"ada"`, "level": `3`, "on": `true`, "groups": `["a","b",1]`, "permissions": `{"a":{"b":"c"}}`, "scope": `"x y"`, "aud": `"api"`}

	simple, err := lambdasso.HTTPAuthorizer(guard, permission.Authenticated())(t.Context(), events.APIGatewayV2CustomAuthorizerV2Request{Headers: map[string]string{"Authorization": token}})
	if err != nil {
		t.Fatal(err)
	}
	policy, err := lambdasso.TokenAuthorizer(guard, permission.Authenticated())(t.Context(), events.APIGatewayCustomAuthorizerRequest{AuthorizationToken: token, MethodArn: arn})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range want {
		if got, err := json.Marshal(simple.Context[name]); err != nil || string(got) != text {
			t.Errorf("HTTP: %s is %s, want %s", name, got, text)
		}
		if strings.HasPrefix(text, "[") || strings.HasPrefix(text, "{") { // REST APIs take no lists and objects
			text = strconv.Quote(text)
		}
		if got, err := json.Marshal(policy.Context[name]); err != nil || string(got) != text {
			t.Errorf("REST: %s is %s, want %s", name, got, text)
		}
	}
	for _, context := range []map[string]any{simple.Context, policy.Context} {
		for _, name := range []string{"nothing", "principalId", "integrationLatency"} {
			if value, found := context[name]; found {
				t.Errorf("%s is %v", name, value)
			}
		}
	}

	stale := map[string]any{"principalId": "mallory"}
	var rest events.APIGatewayProxyRequest
	restHandler := func(_ context.Context, e events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error) { //nolint:unparam // the shape of a Lambda handler
		rest = e
		return events.APIGatewayProxyResponse{StatusCode: 200}, nil
	}
	var v2 events.APIGatewayV2HTTPRequest
	v2Handler := func(_ context.Context, e events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) { //nolint:unparam // the shape of a Lambda handler
		v2 = e
		return events.APIGatewayV2HTTPResponse{StatusCode: 200}, nil
	}
	restEvent := events.APIGatewayProxyRequest{Headers: map[string]string{"AUTHORIZATION": token}, Body: "eA==", IsBase64Encoded: true, RequestContext: events.APIGatewayProxyRequestContext{Authorizer: stale}}
	if _, err := lambdasso.Authenticate(guard, restHandler)(t.Context(), restEvent); err != nil {
		t.Fatal(err)
	}
	claims, _ := rest.RequestContext.Authorizer["claims"].(map[string]any)
	if rest.RequestContext.Authorizer["principalId"] != "ada" || claims["groups"] != "[a b 1]" || rest.Body != "eA==" || !rest.IsBase64Encoded {
		t.Errorf("REST: %+v", rest)
	}
	if stale["principalId"] != "mallory" {
		t.Error("the argument was changed")
	}
	v2Event := events.APIGatewayV2HTTPRequest{Headers: map[string]string{"authorization": token}}
	v2Event.RequestContext.Authorizer = &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{Lambda: map[string]any{"sub": "mallory"}}
	if _, err := lambdasso.Require(guard, permission.Authenticated(), v2Handler)(t.Context(), v2Event); err != nil {
		t.Fatal(err)
	}
	a := v2.RequestContext.Authorizer
	if a == nil || a.JWT == nil || a.Lambda != nil || a.JWT.Claims["sub"] != "ada" || !reflect.DeepEqual(a.JWT.Scopes, []string{"x", "y"}) {
		t.Errorf("HTTP API: %+v", a)
	}

	t.Run("an anonymous request clears the context", func(t *testing.T) {
		restEvent.Headers, v2Event.Headers = nil, nil
		if _, err := lambdasso.Optional(guard, restHandler)(t.Context(), restEvent); err != nil || rest.RequestContext.Authorizer != nil {
			t.Errorf("REST: %v (%v)", rest.RequestContext.Authorizer, err)
		}
		if _, err := lambdasso.Optional(guard, v2Handler)(t.Context(), v2Event); err != nil || v2.RequestContext.Authorizer != nil {
			t.Errorf("HTTP API: %v (%v)", v2.RequestContext.Authorizer, err)
		}
	})
}
