package adapter

import (
	"net/http"
	"net/url"
	"strings"
)

// HTTPRequest implements [sso.Request] over net/http, except Pattern and PathValue. Adapters embed
// it.
type HTTPRequest struct {
	R *http.Request // never nil
}

// Method implements [sso.Request].
func (r HTTPRequest) Method() string { return r.R.Method }

// Header implements [sso.Request].
func (r HTTPRequest) Header(name string) (first string, n int) {
	values := r.R.Header.Values(name)
	switch {
	case len(values) == 1:
		return values[0], 1
	case len(values) == 0 && strings.EqualFold(name, "Host") && r.R.Host != "": // not in the header of net/http
		return r.R.Host, 1
	case len(values) == 0:
		return "", 0
	case strings.EqualFold(name, "Cookie"): // HTTP/2 may split it (RFC 9113, section 8.2.3)
		return strings.Join(values, "; "), 1
	}
	return values[0], len(values)
}

// Decode returns the decoded path value, for routers that decode path values only in some cases. It
// decodes a value that is in the path as it was sent, and not in the decoded path. It returns "" if
// the value is in both, as an attacker can arrange, and if decoding fails.
func (r HTTPRequest) Decode(pathValue string) string {
	if r.R.URL.RawPath == "" || !strings.Contains(pathValue, "%") {
		return pathValue // already decoded, or without an escape
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

// Host implements [sso.Request].
func (r HTTPRequest) Host() string { return r.R.Host }

// RequestURI implements [sso.Request].
func (r HTTPRequest) RequestURI() string { return r.R.RequestURI }

// EventRequest is a [sso.Request] as data, for frameworks that pass requests as events, and for
// tests. The zero value is an empty request. Do not change it while a call uses it.
type EventRequest struct {
	// HTTPMethod is the method; see [EventRequest.Method].
	HTTPMethod string
	// Route is the route as registered; empty if unknown.
	Route string
	// Fields are the header fields with one value each. Names match in any letter case.
	Fields map[string]string
	// MultiFields are the header fields with all values. Fields of the same name are ignored: they
	// repeat one of the values.
	MultiFields map[string][]string
	// PathValues are the named parameters of the path, decoded.
	PathValues map[string]string
	// Cookies are the cookies, if the event has them outside of the header fields.
	Cookies []string
	// JoinsFields says that several fields of one name arrive joined by commas.
	JoinsFields bool
	// Path and Query are those of the request as they were sent; Query without its question mark.
	Path, Query string
}

// Method implements [sso.Request].
func (r EventRequest) Method() string { return r.HTTPMethod }

// Pattern implements [sso.Request].
func (r EventRequest) Pattern() string { return r.Route }

// PathValue implements [sso.Request].
func (r EventRequest) PathValue(name string) string { return r.PathValues[name] }

// Header implements [sso.Request].
func (r EventRequest) Header(name string) (first string, n int) {
	if len(r.Cookies) > 0 && strings.EqualFold(name, "Cookie") {
		return strings.Join(r.Cookies, "; "), 1
	}
	for key, values := range r.MultiFields {
		if strings.EqualFold(key, name) && len(values) > 0 {
			first, n = values[0], n+len(values)
			if strings.EqualFold(name, "Cookie") { // HTTP/2 may split it (RFC 9113, section 8.2.3)
				first, n = strings.Join(values, "; "), 1
			}
		}
	}
	if n > 0 {
		return first, n
	}
	for key, value := range r.Fields {
		if strings.EqualFold(key, name) {
			first, n = value, n+1
		}
	}
	if r.JoinsFields && strings.EqualFold(name, "Authorization") && !otherScheme(first) {
		n += strings.Count(first, ",") // accepted credentials contain none
	}
	return first, n
}

// otherScheme reports whether joined fields are credentials of other schemes than Bearer, some of
// which contain commas.
func otherScheme(joined string) bool {
	for part := range strings.SplitSeq(joined, ",") {
		if scheme, _, _ := strings.Cut(strings.TrimLeft(part, " \t"), " "); strings.EqualFold(scheme, "Bearer") {
			return false
		}
	}
	scheme, _, found := strings.Cut(joined, " ")
	return found && scheme != "" && !strings.Contains(scheme, ",")
}

// Host implements [sso.Request].
func (r EventRequest) Host() string {
	host, _ := r.Header("Host")
	return host
}

// RequestURI implements [sso.Request].
func (r EventRequest) RequestURI() string {
	if r.Query == "" {
		return r.Path
	}
	return r.Path + "?" + r.Query
}
