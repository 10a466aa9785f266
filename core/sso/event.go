package sso

import "strings"

// EventRequest is a [Request] and a [Target] given as data, for front doors that hand requests
// over as events.
type EventRequest struct {
	HTTPMethod string
	// Route is the route as registered; empty where the front door does not tell.
	Route string
	// Fields are the header fields, with one value each, by names in any letter case.
	Fields map[string]string
	// MultiFields are the header fields with all their values, from a front door that tells them:
	// where a field stands here, Fields is not looked at, since it then repeats one of the values.
	MultiFields map[string][]string
	// PathValues are the named parameters of the path, decoded.
	PathValues map[string]string
	// Cookies are the cookies of a front door that takes them out of the header fields.
	Cookies []string
	// JoinsFields says that the front door joins several fields of one name by commas.
	JoinsFields bool
	// Path and Query are those of the request, as they were sent.
	Path, Query string
}

// Method implements [Request].
func (r EventRequest) Method() string { return r.HTTPMethod }

// Pattern implements [Request].
func (r EventRequest) Pattern() string { return r.Route }

// PathValue implements [Request].
func (r EventRequest) PathValue(name string) string { return r.PathValues[name] }

// Header implements [Request].
func (r EventRequest) Header(name string) (first string, n int) {
	if len(r.Cookies) > 0 && strings.EqualFold(name, "Cookie") {
		return strings.Join(r.Cookies, "; "), 1
	}
	for key, values := range r.MultiFields {
		if strings.EqualFold(key, name) && len(values) > 0 {
			first, n = values[0], n+len(values)
			if strings.EqualFold(name, "Cookie") { // which HTTP/2 may send in pieces (RFC 9113, section 8.2.3)
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
		n += strings.Count(first, ",") // credentials that we accept have none
	}
	return first, n
}

// otherScheme reports whether joined fields are credentials of another scheme than Bearer alone:
// some have commas of their own.
func otherScheme(joined string) bool {
	for part := range strings.SplitSeq(joined, ",") {
		if scheme, _, _ := strings.Cut(strings.TrimLeft(part, " \t"), " "); strings.EqualFold(scheme, "Bearer") {
			return false
		}
	}
	scheme, _, _ := strings.Cut(joined, " ")
	return scheme != "" && !strings.Contains(scheme, ",")
}

// Host implements [Target].
func (r EventRequest) Host() string {
	host, _ := r.Header("Host")
	return host
}

// RequestURI implements [Target].
func (r EventRequest) RequestURI() string {
	if r.Query == "" {
		return r.Path
	}
	return r.Path + "?" + r.Query
}
