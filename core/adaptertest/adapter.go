package adaptertest

import (
	"context"
	"strings"
	"testing"

	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/core/ssotest"
)

// Adapter is an adapter for [TestAdapter].
type Adapter struct {
	// Open builds an application of the adapter's framework with the routes, starts it on a listener
	// (for AWS Lambda: as handlers of events), and returns how to send it a request. The application
	// ends with the test. Open is called once, with the routes of all cases.
	Open func(t testing.TB, routes []Route) ssotest.Do
	// Lacks lists what the framework does not support. The cases that need it are skipped.
	Lacks []Feature
}

// Feature is something that a few frameworks do not support.
type Feature string

// The features.
const (
	Drawing        Feature = "drawing"         // an option WithDenied; see [Layer.Denied]
	RepeatedFields Feature = "repeated fields" // several header fields of one name
	PathValues     Feature = "path values"     // routes with parameters
	LargeHeaders   Feature = "large headers"   // header fields of more than a few KiB
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

// Layer is one middleware of an adapter.
type Layer struct {
	// Auth is the authenticator of the guard.
	Auth *sso.Authenticator
	// Kind is the method of the guard that makes the middleware.
	Kind Kind
	// Permission is the permission of Require; nil for other kinds.
	Permission sso.Permission
	// TokenFrom, unless empty, are the sources for the option WithTokenFrom.
	TokenFrom []sso.TokenSource
	// Denied, unless nil, is to be called by the function of the option WithDenied. Its argument
	// write writes a body in the framework's way, and no status.
	Denied func(d sso.Denial, write func(body string))
}

// Kind is a method of an adapter's guard.
type Kind int

// The methods of a guard.
const (
	Authenticate Kind = iota // requires a valid token; the zero value
	Require                  // requires [Layer.Permission] too
	Optional                 // accepts a request without a token, but not an invalid one
)
