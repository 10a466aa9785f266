package sso

// Request is an HTTP request of any framework. Each adapter implements it; package adapter has
// implementations for net/http and for data. Its strings are used only until the call that takes the
// Request returns.
type Request interface {
	// Method returns the HTTP method.
	Method() string
	// Pattern returns the route as registered, in the framework's notation; empty if unknown.
	Pattern() string
	// Header returns the first value of a header field and the number of fields of that name.
	// Names match in any letter case.
	Header(name string) (first string, n int)
	// PathValue returns the decoded value of a named parameter of the pattern; empty if the pattern
	// does not have it.
	PathValue(name string) string
	// Host returns the host that the client sent, with a port if it sent one.
	Host() string
	// RequestURI returns path and query as they were sent.
	RequestURI() string
}

// headerViewer is implemented by a [Request] whose Header copies; see package adapter's
// HeaderViewer.
type headerViewer interface {
	HeaderView(name string) (first string, n int)
}

// viewHeader reads a header field whose value must not be kept.
func viewHeader(r Request, name string) (first string, n int) {
	if v, ok := r.(headerViewer); ok {
		return v.HeaderView(name)
	}
	return r.Header(name)
}
