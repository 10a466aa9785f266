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
	// HeaderView is [Request].Header but for the copy: first is good until the call that was given
	// the request returns.
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
// and a [Target]. Adapters embed it, and add Pattern and PathValue.
type HTTPRequest struct {
	R *http.Request // never nil
}

// Method implements [Request].
func (r HTTPRequest) Method() string { return r.R.Method }

// Header implements [Request].
func (r HTTPRequest) Header(name string) (first string, n int) {
	values := r.R.Header.Values(name)
	switch {
	case len(values) == 1:
		return values[0], 1
	case len(values) == 0 && strings.EqualFold(name, "Host") && r.R.Host != "": // where net/http puts it
		return r.R.Host, 1
	case len(values) == 0:
		return "", 0
	case strings.EqualFold(name, "Cookie"): // which HTTP/2 may send in pieces (RFC 9113, section 8.2.3)
		return strings.Join(values, "; "), 1
	}
	return values[0], len(values)
}

// Decode is for routers of which it depends on the path, or on their settings, whether they tell
// path values decoded. A value that is part of the path as it was sent, and not of the decoded
// one, is decoded here. Where both could be meant, as somebody may have arranged it, and where a
// value cannot be decoded, it is empty.
func (r HTTPRequest) Decode(pathValue string) string {
	if r.R.URL.RawPath == "" || !strings.Contains(pathValue, "%") {
		return pathValue // decoded already, or the same either way
	}
	decoded, err := url.PathUnescape(pathValue)
	asSent, asDecoded := strings.Contains(r.R.URL.RawPath, pathValue), strings.Contains(r.R.URL.Path, pathValue)
	switch {
	case asDecoded && !asSent:
		return pathValue
	case err != nil || asSent == asDecoded:
		return ""
	}
	return decoded
}

// Host implements [Target].
func (r HTTPRequest) Host() string { return r.R.Host }

// RequestURI implements [Target].
func (r HTTPRequest) RequestURI() string { return r.R.RequestURI }
