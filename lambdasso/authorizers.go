package lambdasso

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"github.com/more-retail/moresso-go/core/adapter"
	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
)

// errUnauthorized makes API Gateway respond with 401: the text is prescribed.
var errUnauthorized = errors.New("Unauthorized")

// noSubject is the principal id of a policy without a subject: API Gateway requires one.
const noSubject = "-"

// TokenAuthorizer returns the handler of a Lambda authorizer of type TOKEN for a REST API. It requires
// a valid token and a permission, for routes whose handlers do not use this library.
//
// The policy that API Gateway may cache is for exactly the requested method and path. With caching,
// the same token is therefore refused with 403 on every other route until the entry expires. Set the
// authorizer's TTL to 0, or use [HTTPAuthorizer] with an HTTP API. A cached response may outlive its
// token by the TTL.
//
// A refusal is 401 or 403 in API Gateway's own form, without a challenge; 503 becomes 500. The context
// has the claims with their JSON types, lists and objects as JSON text; names that API Gateway sets
// itself, such as principalId, are left out. An authorizer of this type sees only the token of the
// request, so TokenAuthorizer panics for a permission that reads the request or the time; see
// [permission.Reads]. It panics for a guard that reads cookies. The identity source must be the place of
// the token.
//
// A method and path with an asterisk, a question mark or "${" are refused, because a policy would grant
// others too.
func TokenAuthorizer(g *Guard, p sso.Permission) func(context.Context, events.APIGatewayCustomAuthorizerRequest) (events.APIGatewayCustomAuthorizerResponse, error) {
	required := forEveryRoute(g, "TokenAuthorizer", p)
	return func(ctx context.Context, e events.APIGatewayCustomAuthorizerRequest) (events.APIGatewayCustomAuthorizerResponse, error) {
		r := adapter.EventRequest{}
		if e.AuthorizationToken != "" {
			r.Fields = map[string]string{"Authorization": e.AuthorizationToken}
		}
		return g.policy(ctx, r, required, e.MethodArn)
	}
}

// RequestAuthorizer is [TokenAuthorizer] for the type REQUEST: the permission sees method, path
// values, query and headers. Header fields and query parameters that a permission reads must be among
// the authorizer's identity sources, or a cached response for one value applies to another. It panics
// for a permission that reads the time, see [permission.Reads]: a cached response would outlive
// it.
func RequestAuthorizer(g *Guard, p sso.Permission) func(context.Context, events.APIGatewayCustomAuthorizerRequestTypeRequest) (events.APIGatewayCustomAuthorizerResponse, error) {
	required := cacheable(g, "RequestAuthorizer", p)
	return func(ctx context.Context, e events.APIGatewayCustomAuthorizerRequestTypeRequest) (events.APIGatewayCustomAuthorizerResponse, error) {
		r := restRequest(events.APIGatewayProxyRequest{
			HTTPMethod: e.HTTPMethod, Resource: e.Resource, Path: e.Path, Headers: e.Headers, MultiValueHeaders: e.MultiValueHeaders,
			QueryStringParameters: e.QueryStringParameters, MultiValueQueryStringParameters: e.MultiValueQueryStringParameters,
			PathParameters: e.PathParameters,
			RequestContext: events.APIGatewayProxyRequestContext{Path: e.RequestContext.Path, ResourceID: e.RequestContext.ResourceID, Stage: e.RequestContext.Stage},
		})
		if strings.HasSuffix(e.MethodArn, connectRoute) { // of a WebSocket API
			r = upgrade(r)
		}
		return g.policy(ctx, r, required, e.MethodArn)
	}
}

// HTTPAuthorizer returns the handler of a Lambda authorizer for an HTTP API, with payload format 2.0
// and simple responses. See [TokenAuthorizer] for refusals and the context.
//
// API Gateway uses a cached response for every route of the same credential. HTTPAuthorizer therefore
// panics for a permission that reads the request or the time; see [permission.Reads]. Routes with
// different permissions need authorizers of their own, or a TTL of 0. A cached response may outlive
// its token by the TTL.
func HTTPAuthorizer(g *Guard, p sso.Permission) func(context.Context, events.APIGatewayV2CustomAuthorizerV2Request) (events.APIGatewayV2CustomAuthorizerSimpleResponse, error) {
	required := forEveryRoute(g, "HTTPAuthorizer", p)
	return func(ctx context.Context, e events.APIGatewayV2CustomAuthorizerV2Request) (response events.APIGatewayV2CustomAuthorizerSimpleResponse, err error) {
		r := httpRequest(events.APIGatewayV2HTTPRequest{
			RequestContext: e.RequestContext, RouteKey: e.RouteKey, Headers: e.Headers, PathParameters: e.PathParameters,
			Cookies: e.Cookies, RawPath: e.RawPath, RawQueryString: e.RawQueryString,
		})
		principal, granted, err := g.authorize(ctx, r, required)
		if err != nil || !granted {
			return response, err
		}
		return events.APIGatewayV2CustomAuthorizerSimpleResponse{IsAuthorized: true, Context: contextOf(principal, true)}, nil
	}
}

// cacheable checks a guard and a permission whose result API Gateway may cache.
func cacheable(g *Guard, function string, p sso.Permission) sso.Permission {
	if g.auth.Extension().ReadsCookies() {
		panic(fmt.Sprintf("lambdasso: %s with TokenFromCookie: API Gateway would use its result for requests of other sites too; send the token in a header field, or wrap the handler by Require", function))
	}
	required := permission.ForRoute(p)
	if _, clock := permission.Reads(required); clock {
		panic(fmt.Sprintf("lambdasso: %s with %s, which reads the time: API Gateway would cache its result; require it in the handler", function, permission.Describe(required)))
	}
	return required
}

// forEveryRoute checks a permission whose result is also used for other requests.
func forEveryRoute(g *Guard, function string, p sso.Permission) sso.Permission {
	required := cacheable(g, function, p)
	if request, _ := permission.Reads(required); request {
		panic(fmt.Sprintf("lambdasso: %s with %s, which reads the request: its result would apply to other requests; use RequestAuthorizer, or require it in the handler", function, permission.Describe(required)))
	}
	return required
}

// authorize returns whether the permission is granted. An error makes API Gateway respond with 401 or
// 500.
func (g *Guard) authorize(ctx context.Context, r adapter.EventRequest, required sso.Permission) (principal *sso.Principal, granted bool, err error) {
	ctx, err = g.auth.Authorize(ctx, r, required)
	if err == nil {
		principal, granted = sso.FromContext(ctx)
		return principal, granted, nil
	}
	switch d := sso.DenialOf(err); {
	case d.Status == http.StatusForbidden:
		return nil, false, nil
	case d.Status < http.StatusInternalServerError:
		return nil, false, errUnauthorized
	default:
		return nil, false, errors.New("sso: " + d.Code) // becomes 500; the cause is in the log
	}
}

// policy returns the policy for a REST API.
func (g *Guard) policy(ctx context.Context, r adapter.EventRequest, required sso.Permission, arn string) (events.APIGatewayCustomAuthorizerResponse, error) {
	if arn == "" || strings.ContainsAny(arn, "*?") || strings.Contains(arn, "${") {
		// These characters match other paths, and the client has chosen the path.
		_ = g.auth.Extension().Refuse(ctx, "lambdasso: authorizer", fmt.Errorf("%w: the method ARN %.200q would match other routes: wrap the handler by Require", sso.ErrInvalidRequest, arn), func(d sso.Denial) sso.Denial { return d })
		return events.APIGatewayCustomAuthorizerResponse{}, errUnauthorized
	}
	principal, granted, err := g.authorize(ctx, r, required)
	if err != nil {
		return events.APIGatewayCustomAuthorizerResponse{}, err
	}
	response := events.APIGatewayCustomAuthorizerResponse{PrincipalID: noSubject}
	effect := "Deny"
	if granted {
		effect = "Allow"
		response.PrincipalID = cmp.Or(principal.Subject(), noSubject)
		response.Context = contextOf(principal, false)
	}
	response.PolicyDocument = events.APIGatewayCustomAuthorizerPolicy{
		Version:   "2012-10-17",
		Statement: []events.IAMPolicyStatement{{Action: []string{"execute-api:Invoke"}, Effect: effect, Resource: []string{arn}}},
	}
	return response, nil
}

// withClaims returns the event for the handler, with the claims in the field that API Gateway's own
// authorizers fill, in the same form. For an anonymous request the field is cleared.
func withClaims[E Event](event E, principal *sso.Principal) E {
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

// claims formats a token's claims like API Gateway's JWT authorizer: every value is a string, and a
// list is in brackets, separated by spaces.
func claims(principal *sso.Principal) map[string]string {
	all := map[string]string{}
	for name, value := range principal.Claims().Members() {
		all[name] = value.String()
		if value.Kind() != "array" {
			continue
		}
		var list []string
		for element := range value.Elements() {
			list = append(list, element.String())
		}
		all[name] = "[" + strings.Join(list, " ") + "]"
	}
	return all
}

// reserved are the names in the context of an authorizer that API Gateway sets itself.
var reserved = []string{"principalId", "error", "integrationLatency", "integrationStatus", "latency", "requestId", "status", "claims", "usageIdentifierKey"}

// contextOf returns the claims for the context of an authorizer. That of a REST API may hold texts,
// numbers and switches only.
func contextOf(principal *sso.Principal, nested bool) map[string]any {
	all := map[string]any{}
	for name, value := range principal.Claims().Members() {
		if slices.Contains(reserved, name) || value.Kind() == "null" {
			continue
		}
		text, isText := value.Text()
		switch kind := value.Kind(); {
		case isText:
			all[name] = text
		case nested || kind == "boolean" || kind == "number":
			all[name] = json.RawMessage(value.String())
		default:
			all[name] = value.String()
		}
	}
	return all
}

func anyOf(texts map[string]string) map[string]any {
	values := make(map[string]any, len(texts))
	for name, text := range texts {
		values[name] = text
	}
	return values
}
