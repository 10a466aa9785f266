package adaptertest

import (
	"context"
	"strings"
	"testing"

	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/core/ssotest"
)

// Adapter is what [TestAdapter] needs to know of an adapter.
type Adapter struct {
	// Open builds an application of the adapter's framework that has the routes, starts it
	// on a real listener (a Lambda adapter: as handlers of events), and returns how to send
	// it a request. The application ends with the test. It is called once, with all routes
	// that the cases need.
	Open func(t testing.TB, routes []Route) ssotest.Do
	// Lacks lists what the front door cannot do for reasons of its own; the cases that need
	// it are left out.
	Lacks []Feature
}

// Feature is something that a few front doors lack.
type Feature string

// What front doors may lack.
const (
	Drawing        Feature = "drawing"         // an option WithDenied; see [Layer.Denied]
	RepeatedFields Feature = "repeated fields" // it tells only one of several header fields of one name
	PathValues     Feature = "path values"     // it has no routes of its own
	LargeHeaders   Feature = "large headers"   // it refuses header fields of more than a few KiB by itself
)

// Route is a route of the application under test, for all methods that are asked for: GET,
// HEAD and POST.
type Route struct {
	// Path is in net/http's notation: "/orders/{id}". See [Route.ColonPath].
	Path string
	// Layers are the adapter's middleware in front of the handler, the outermost first; none for
	// a route that is open.
	Layers []Layer
	// Handle is what the handler does: it is called with the request's context.Context, as
	// a service layer would see it, and with what the adapter's Principal function returned.
	// The handler answers 200 with the body that it returns.
	Handle func(ctx context.Context, principal *sso.Principal, ok bool) (body string)
}

// ColonPath is the path in the notation of Gin, Echo and Fiber: "/orders/:id".
func (r Route) ColonPath() string {
	return strings.NewReplacer("{", ":", "}", "").Replace(r.Path)
}

// Layer is one piece of the adapter's middleware.
type Layer struct {
	// Auth is the authenticator that the guard is made of.
	Auth *sso.Authenticator
	// Kind says which of the guard's methods makes the middleware.
	Kind Kind
	// Permission is what Require demands; nil for the other kinds.
	Permission sso.Permission
	// TokenFrom, if there are any, are what the adapter's WithTokenFrom is to be given.
	TokenFrom []sso.TokenSource
	// Denied, unless nil, is to be called by the function that the adapter's WithDenied is
	// given; write writes a body in the framework's way, and no status.
	Denied func(d sso.Denial, write func(body string))
}

// Kind names a method of an adapter's guard.
type Kind int

// The methods of a guard.
const (
	Authenticate Kind = iota // a good token is needed; the zero value
	Require                  // and [Layer.Permission] too
	Optional                 // none is needed, but a bad one is refused
)
