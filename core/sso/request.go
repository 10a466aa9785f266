package sso

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
