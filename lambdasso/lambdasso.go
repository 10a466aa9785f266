// Package lambdasso lets AWS Lambda functions behind an HTTP front door accept the company's
// single sign-on.
//
//	cfg, err := sso.ConfigFromEnv() // SSO_ISSUER and SSO_AUDIENCE
//	if err != nil {
//		return err
//	}
//	auth, err := sso.New(cfg)
//	if err != nil {
//		return err
//	}
//	guard := lambdasso.New(auth)
//	lambda.Start(lambdasso.Require(guard, permission.Has("orders.read"), listOrders))
//
// [Authenticate] demands a good token, [Require] a permission as well, [Optional] lets requests
// without credentials pass. They wrap the handler for API Gateway REST APIs, HTTP APIs,
// function URLs and Application Load Balancers, told apart by the handler's own types; a
// refusal is answered in the handler's response type. The handler finds the principal by
// [Principal], or [sso.FromContext]; and where API Gateway has a place for what an authorizer
// of its own found, in the event's requestContext.authorizer, the claims stand there in the same
// form. [TokenAuthorizer], [RequestAuthorizer] and [HTTPAuthorizer] are authorizers themselves,
// for routes whose handlers do not know this library.
//
// Two things are the front doors' own: API Gateway REST APIs rename WWW-Authenticate on the way
// out (to x-amzn-Remapped-WWW-Authenticate), and load balancers show only the last of several
// header fields of one name unless the target group's multi-value headers are on. Turn them on.
//
// Make the [sso.Authenticator] outside of the handler, so that the keys are kept between
// invocations. In Lambda it leaves nothing running while the process is frozen.
//
// # Several guards on one handler
//
// Each wrapper decides for itself, the outermost first, and the first that refuses answers; no later
// one opens again what an earlier one closed. The permissions of several are all demanded, and the
// token is verified once if they have the same [sso.Authenticator]. An authorizer in front decides
// before any of them, and what it found is not relied on.
//
// # How a refusal looks
//
// It is the standard answer of [sso.DenialOf], drawn by [sso.Config].Renderer if there is one; there
// is no option WithDenied here. It is a response and no error, of which Lambda would make a 502. What
// an authorizer refuses with is API Gateway's own.
package lambdasso

import (
	"context"
	"fmt"

	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
)

// Guard protects handlers, by [Authenticate], [Require] and [Optional], which are functions and not
// methods since they have type parameters. It is made by [New], and safe for concurrent use.
type Guard struct{ auth *sso.Authenticator }

// Option changes a [Guard]: [WithTokenFrom]. The later of two counts.
type Option func(*Guard)

// WithTokenFrom reads the token from these places instead of the Authorization field, of which
// one at most may hold something: [sso.TokenFromAuthorization], [sso.TokenFromHeader],
// [sso.TokenFromCookie], [sso.InsecureTokenFromQuery]. It panics without a source.
// Default: [sso.TokenFromAuthorization].
func WithTokenFrom(sources ...sso.TokenSource) Option {
	return func(g *Guard) { g.auth = g.auth.TokenFrom(sources...) }
}

// New makes a [Guard] that asks this authenticator. It panics for a nil one. It does not close it.
func New(a *sso.Authenticator, opts ...Option) *Guard {
	if a == nil {
		panic("lambdasso: New with a nil *sso.Authenticator: make one by sso.New")
	}
	g := &Guard{auth: a}
	for _, opt := range opts {
		opt(g)
	}
	return g
}

// Authenticate wraps a handler so that it demands a good token: 401 without, 503 while nobody can
// tell. It panics for a nil handler, and for one whose response is another front door's than its
// event, as [Require] and [Optional] do.
func Authenticate[E Event, R Response](g *Guard, handler func(context.Context, E) (R, error)) func(context.Context, E) (R, error) {
	return protect(handler, g.auth.Authenticate)
}

// Require wraps a handler so that it demands a permission; it authenticates first. Several are
// combined by [permission.All]. It panics for a permission that cannot mean anything; see
// [permission.ForRoute]. Without a token the answer is 401, with a good token that lacks it 403.
func Require[E Event, R Response](g *Guard, p sso.Permission, handler func(context.Context, E) (R, error)) func(context.Context, E) (R, error) {
	demanded := permission.ForRoute(p)
	return protect(handler, func(ctx context.Context, r sso.Request) (context.Context, error) {
		return g.auth.Authorize(ctx, r, demanded)
	})
}

// Optional wraps a handler so that requests without an Authorization header, or without anything in
// the places of [WithTokenFrom], pass without a principal, whatever an authorizer before it found.
// Anything else that is not a good token is refused: an expired one does not make somebody a stranger.
func Optional[E Event, R Response](g *Guard, handler func(context.Context, E) (R, error)) func(context.Context, E) (R, error) {
	return protect(handler, g.auth.AuthenticateOptional)
}

// Principal returns whom the invocation's token speaks for; false for an anonymous one, and where no
// guard has been. It is [sso.FromContext].
func Principal(ctx context.Context) (*sso.Principal, bool) { return sso.FromContext(ctx) }

func protect[E Event, R Response](handler func(context.Context, E) (R, error), check func(context.Context, sso.Request) (context.Context, error)) func(context.Context, E) (R, error) {
	var event E
	_, answer := open(event)
	if _, ok := answer(sso.Denial{}).(R); !ok || handler == nil {
		panic(fmt.Sprintf("lambdasso: the handler for %T must be there and answer with %T", event, answer(sso.Denial{})))
	}
	return func(ctx context.Context, event E) (R, error) {
		r, answer := open(event)
		ctx, err := check(ctx, r)
		if err != nil {
			response, _ := answer(sso.DenialOf(err)).(R)
			return response, nil // an error would be the function's, which Lambda answers with 502
		}
		principal, _ := sso.FromContext(ctx)
		return handler(ctx, handedOn(event, principal))
	}
}
