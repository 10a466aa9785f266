// Package lambdasso lets AWS Lambda functions behind API Gateway, a function URL or an Application
// Load Balancer accept the company's single sign-on.
//
//	guard := lambdasso.New(auth) // created outside of the handler, to keep keys between invocations
//	lambda.Start(lambdasso.Require(guard, permission.Has("orders.read"), listOrders))
//
// [Authenticate], [Require] and [Optional] wrap the handler; its types select the kind of event.
// Handlers get the principal by [Principal], and from the event's requestContext.authorizer in the
// form of API Gateway's own authorizers. [TokenAuthorizer], [RequestAuthorizer] and [HTTPAuthorizer]
// are authorizers for handlers that do not use this library. A wrapper does not rely on them.
//
// API Gateway REST APIs rename WWW-Authenticate to x-amzn-Remapped-WWW-Authenticate. Load balancers
// keep only the last of several fields of one name unless multi-value headers are on: turn them on.
// See package adapter for several guards on one handler.
package lambdasso

import (
	"context"
	"fmt"

	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
)

// Guard protects handlers through [Authenticate], [Require] and [Optional], which are functions
// because they have type parameters. Create it with [New]. It is safe for concurrent use.
type Guard struct{ auth *sso.Authenticator }

// Option configures [New]. A later option overrides an earlier one of the same kind.
type Option func(*Guard)

// WithTokenFrom reads the token from these sources: [sso.TokenFromHeader], [sso.TokenFromCookie],
// [sso.InsecureTokenFromQuery], or the zero [sso.TokenSource] for the Authorization field. A request
// with a value in two of them is refused. WithTokenFrom panics without a source. Default: the
// Authorization field.
func WithTokenFrom(sources ...sso.TokenSource) Option {
	return func(g *Guard) { g.auth = g.auth.TokenFrom(sources...) }
}

// WithTokenInContext keeps a copy of each token in the handler's context, where [sso.TokenFromContext]
// finds it. Use it only in a service that must forward tokens. Default: handlers do not get the token.
func WithTokenInContext() Option {
	return func(g *Guard) { g.auth = g.auth.TokenInContext() }
}

// New returns a [Guard]. It panics if a is nil. The caller must close a.
func New(a *sso.Authenticator, opts ...Option) *Guard {
	if a == nil {
		panic("lambdasso: New with a nil *sso.Authenticator: create one with sso.New")
	}
	g := &Guard{auth: a}
	for _, opt := range opts {
		opt(g)
	}
	return g
}

// Authenticate wraps a handler so that it requires a valid token: 401 without one, 503 if it cannot
// be verified. Like [Require] and [Optional] it panics for a nil handler, and for one whose response
// does not belong to its event.
func Authenticate[E Event, R Response](g *Guard, handler func(context.Context, E) (R, error)) func(context.Context, E) (R, error) {
	return protect(handler, g.auth.Authenticate)
}

// Require wraps a handler so that it authenticates and requires a permission: 401 without a valid
// token, 403 without the permission. Combine several by [permission.All]. It panics for an invalid
// permission; see [permission.ForRoute].
func Require[E Event, R Response](g *Guard, p sso.Permission, handler func(context.Context, E) (R, error)) func(context.Context, E) (R, error) {
	required := permission.ForRoute(p)
	return protect(handler, func(ctx context.Context, r sso.Request) (context.Context, error) {
		return g.auth.Authorize(ctx, r, required)
	})
}

// Optional wraps a handler so that it accepts requests without credentials as anonymous, also behind
// an authorizer. Credentials that are present must be valid: an expired token is refused, not treated
// as anonymous.
func Optional[E Event, R Response](g *Guard, handler func(context.Context, E) (R, error)) func(context.Context, E) (R, error) {
	return protect(handler, g.auth.AuthenticateOptional)
}

// Principal returns the principal of the invocation; false for an anonymous one and without a guard.
// It is [sso.FromContext].
func Principal(ctx context.Context) (*sso.Principal, bool) { return sso.FromContext(ctx) }

func protect[E Event, R Response](handler func(context.Context, E) (R, error), check func(context.Context, sso.Request) (context.Context, error)) func(context.Context, E) (R, error) {
	var event E
	_, respond := open(event)
	if _, ok := respond(sso.Denial{}).(R); !ok || handler == nil {
		panic(fmt.Sprintf("lambdasso: the handler for %T must not be nil and must return %T", event, respond(sso.Denial{})))
	}
	return func(ctx context.Context, event E) (R, error) {
		r, respond := open(event)
		ctx, err := check(ctx, r)
		if err != nil {
			response, _ := respond(sso.DenialOf(err)).(R)
			return response, nil // an error would become a 502
		}
		principal, _ := sso.FromContext(ctx)
		return handler(ctx, withClaims(event, principal))
	}
}
