package adaptertest

import (
	"context"
	"strings"

	"github.com/more-retail/moresso-go/core/sso"
)

// Feature is something that a few frameworks do not support; see [TestAdapter].
type Feature string

// The features.
const (
	Drawing        Feature = "drawing"         // an option WithDenied; see [Layer.Denied]
	RepeatedFields Feature = "repeated fields" // several header fields of one name
	PathValues     Feature = "path values"     // routes with parameters
)

// Route is a route of the application under test, for GET, HEAD and POST.
type Route struct {
	// Path is in the notation of net/http: "/orders/{id}". See [Route.ColonPath].
	Path string
	// Layers are the adapter's middleware before the handler, the outermost first. An open route has
	// none.
	Layers []Layer
	// Handle is called by the handler, with the request's context.Context and the results of the
	// adapter's Principal function. The handler answers 200 with the body that it returns.
	Handle func(ctx context.Context, principal *sso.Principal, ok bool) (body string)
}

// ColonPath returns the path in the notation of Gin, Echo and Fiber: "/orders/:id".
func (r Route) ColonPath() string {
	return strings.NewReplacer("{", ":", "}", "").Replace(r.Path)
}

// Layer is one middleware of an adapter: that of the guard's Require, Optional or Authenticate.
type Layer struct {
	// Auth is the authenticator of the guard.
	Auth *sso.Authenticator
	// Permission, unless nil, is the permission of Require.
	Permission sso.Permission
	// Optional is set for Optional. If it is not, and Permission is nil, the middleware is that of
	// Authenticate.
	Optional bool
	// TokenFrom, unless empty, are the sources for the option WithTokenFrom.
	TokenFrom []sso.TokenSource
	// TokenInContext is set for the option WithTokenInContext.
	TokenInContext bool
	// Denied, unless nil, must be called by the function of the option WithDenied. Its argument write
	// must write a body with the framework's means, without a status.
	Denied func(d sso.Denial, write func(body string))
}
