package lambdasso

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
)

// errUnauthorized is what API Gateway answers with 401: the text is its own.
var errUnauthorized = errors.New("Unauthorized")

// nobody is the principal of a policy without one: API Gateway wants a name.
const nobody = "-"

// TokenAuthorizer is the handler of a Lambda authorizer of type TOKEN for a REST API: it demands
// a good token and a permission, for routes whose own handlers do not know this library.
//
// What API Gateway may cache is a policy for exactly the method and path that was asked for: a
// token that may use one route gets no other by it. With caching, the same token is therefore
// refused with 403 on every other route until the entry ends: set the authorizer's TTL to 0, or
// use [HTTPAuthorizer] with an HTTP API. A cached answer also outlives its token, by the TTL at
// most.
//
// A refusal is 401 or 403 in API Gateway's own form, without a challenge; where nobody can
// tell, it is 500. The context has the claims as strings. An authorizer of this type sees
// nothing of the request but the token, so it panics for a permission that reads the request, or the time;
// see [permission.Reads].
func TokenAuthorizer(g *Guard, p sso.Permission) func(context.Context, events.APIGatewayCustomAuthorizerRequest) (events.APIGatewayCustomAuthorizerResponse, error) {
	demanded := forEveryRoute("TokenAuthorizer", p)
	return func(ctx context.Context, e events.APIGatewayCustomAuthorizerRequest) (events.APIGatewayCustomAuthorizerResponse, error) {
		r := sso.EventRequest{}
		if e.AuthorizationToken != "" {
			r.Fields = map[string]string{"Authorization": e.AuthorizationToken}
		}
		return g.policy(ctx, r, demanded, e.MethodArn)
	}
}

// RequestAuthorizer is [TokenAuthorizer] for the type REQUEST: the permission sees method, path
// values, query and headers. The policy is for exactly the method and path that was asked for.
// What a permission reads of header fields or the query must be among the authorizer's identity
// sources, or a cached answer for one value counts for another. It panics for a permission that
// depends on the time, see [permission.Reads]: a cached answer would outlive it.
func RequestAuthorizer(g *Guard, p sso.Permission) func(context.Context, events.APIGatewayCustomAuthorizerRequestTypeRequest) (events.APIGatewayCustomAuthorizerResponse, error) {
	demanded := toBeKept("RequestAuthorizer", p)
	return func(ctx context.Context, e events.APIGatewayCustomAuthorizerRequestTypeRequest) (events.APIGatewayCustomAuthorizerResponse, error) {
		r := restRequest(events.APIGatewayProxyRequest{
			HTTPMethod: e.HTTPMethod, Resource: e.Resource, Path: e.Path, Headers: e.Headers, MultiValueHeaders: e.MultiValueHeaders,
			QueryStringParameters: e.QueryStringParameters, MultiValueQueryStringParameters: e.MultiValueQueryStringParameters,
			PathParameters: e.PathParameters, RequestContext: events.APIGatewayProxyRequestContext{Path: e.RequestContext.Path},
		})
		return g.policy(ctx, r, demanded, e.MethodArn)
	}
}

// HTTPAuthorizer is the handler of a Lambda authorizer for an HTTP API, with payload format 2.0
// and simple responses. It demands a good token and a permission; see [TokenAuthorizer] for how
// it refuses and what the context holds.
//
// API Gateway gives a cached answer to every route of the same credential. It therefore panics
// for a permission that reads the request or the time (see [permission.Reads]), and routes with different permissions need authorizers of their
// own, or a TTL of 0. A cached answer also outlives its token, by the TTL at most.
func HTTPAuthorizer(g *Guard, p sso.Permission) func(context.Context, events.APIGatewayV2CustomAuthorizerV2Request) (events.APIGatewayV2CustomAuthorizerSimpleResponse, error) {
	demanded := forEveryRoute("HTTPAuthorizer", p)
	return func(ctx context.Context, e events.APIGatewayV2CustomAuthorizerV2Request) (response events.APIGatewayV2CustomAuthorizerSimpleResponse, err error) {
		r := httpRequest(events.APIGatewayV2HTTPRequest{
			RequestContext: e.RequestContext, RouteKey: e.RouteKey, Headers: e.Headers, PathParameters: e.PathParameters,
			Cookies: e.Cookies, RawPath: e.RawPath, RawQueryString: e.RawQueryString,
		})
		principal, granted, err := g.authorize(ctx, r, demanded)
		if err != nil || !granted {
			return response, err
		}
		return events.APIGatewayV2CustomAuthorizerSimpleResponse{IsAuthorized: true, Context: anyOf(claims(principal))}, nil
	}
}

// toBeKept is for answers that API Gateway may keep.
func toBeKept(function string, p sso.Permission) sso.Permission {
	demanded := permission.ForRoute(p)
	if _, clock := permission.Reads(demanded); clock {
		panic(fmt.Sprintf("lambdasso: %s with %s, which depends on the time: API Gateway would keep its answer; demand it in the handler", function, permission.Describe(demanded)))
	}
	return demanded
}

// forEveryRoute is for answers that are given to other routes too.
func forEveryRoute(function string, p sso.Permission) sso.Permission {
	demanded := toBeKept(function, p)
	if request, _ := permission.Reads(demanded); request {
		panic(fmt.Sprintf("lambdasso: %s with %s, which reads the request: its answer would count for other requests; use RequestAuthorizer, or demand it in the handler", function, permission.Describe(demanded)))
	}
	return demanded
}

// authorize tells a grant, a denial, and with an error what API Gateway has to answer otherwise.
func (g *Guard) authorize(ctx context.Context, r sso.EventRequest, demanded sso.Permission) (principal *sso.Principal, granted bool, err error) {
	ctx, err = g.auth.Authorize(ctx, r, demanded)
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
		return nil, false, errors.New("sso: " + d.Code) // API Gateway answers with 500; the cause is in the log
	}
}

// policy answers a REST API.
func (g *Guard) policy(ctx context.Context, r sso.EventRequest, demanded sso.Permission, arn string) (events.APIGatewayCustomAuthorizerResponse, error) {
	if arn == "" || strings.ContainsAny(arn, "*?$") {
		// In a policy these stand for other paths too, and the client has chosen the path.
		return events.APIGatewayCustomAuthorizerResponse{}, errUnauthorized
	}
	principal, granted, err := g.authorize(ctx, r, demanded)
	if err != nil {
		return events.APIGatewayCustomAuthorizerResponse{}, err
	}
	response := events.APIGatewayCustomAuthorizerResponse{PrincipalID: nobody}
	effect := "Deny"
	if granted {
		effect = "Allow"
		response.PrincipalID = cmp.Or(principal.Subject(), nobody)
		response.Context = anyOf(claims(principal))
	}
	response.PolicyDocument = events.APIGatewayCustomAuthorizerPolicy{
		Version:   "2012-10-17",
		Statement: []events.IAMPolicyStatement{{Action: []string{"execute-api:Invoke"}, Effect: effect, Resource: []string{arn}}},
	}
	return response, nil
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
