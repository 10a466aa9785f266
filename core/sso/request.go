package sso

import (
	"net/http"
	"net/url"
	"strings"
)

// Request is the little that this package reads of a request. Each adapter implements it over
// its framework's own; whoever writes an adapter does the same. The strings that it returns
// are only used until the call that was given the Request returns.
type Request interface {
	// Method is the HTTP method.
	Method() string
	// Pattern is the route as it was registered, in the framework's own notation; empty
	// where the framework does not tell.
	Pattern() string
	// Header returns the first value of a header field and how many fields of that name the
	// request has. Names match in any letter case.
	Header(name string) (first string, n int)
	// PathValue returns what the request's path holds in the place of a named parameter of
	// the pattern, decoded; empty if there is none.
	PathValue(name string) string
}

// Target is what a [Request] should tell besides: where it was sent. Without it a token in a
// cookie is refused where the origin has to be proven, one in the query is not found, and
// [RenderSignIn] does not know where to come back to. All adapters of this library have it.
type Target interface {
	// Host is the authority that the client named, with a port if it named one.
	Host() string
	// RequestURI is path and query as they were sent.
	RequestURI() string
}

// HeaderViewer is what a [Request] may have besides whose Header has to copy, since its framework
// uses its memory again: the same without the copy. The core reads tokens by it, and keeps none
// of what it read; permissions and renderers get copies all the same.
type HeaderViewer interface {
	HeaderView(name string) (first string, n int)
}

// viewHeader reads a header field, whose value must not be kept.
func viewHeader(r Request, name string) (first string, n int) {
	if v, ok := r.(HeaderViewer); ok {
		return v.HeaderView(name)
	}
	return r.Header(name)
}

// HTTPRequest is what every framework over net/http tells alike: a [Request] but for the route,
// and a [Target]. Adapters embed it.
type HTTPRequest struct{ R *http.Request }

// Method implements [Request].
func (r HTTPRequest) Method() string { return r.R.Method }

// Header implements [Request].
func (r HTTPRequest) Header(name string) (first string, n int) {
	values := r.R.Header.Values(name)
	if len(values) == 0 {
		return "", 0
	}
	return values[0], len(values)
}

// Decode is for routers that tell path values as they stand in the path, if that is not in its
// plainest form: the value then is no part of the decoded path, and is decoded here. One that
// cannot be is empty.
func (r HTTPRequest) Decode(pathValue string) string {
	if r.R.URL.RawPath == "" || strings.Contains(r.R.URL.Path, pathValue) {
		return pathValue
	}
	decoded, err := url.PathUnescape(pathValue)
	if err != nil {
		return ""
	}
	return decoded
}

// Host implements [Target].
func (r HTTPRequest) Host() string { return r.R.Host }

// RequestURI implements [Target].
func (r HTTPRequest) RequestURI() string { return r.R.RequestURI }
