package sso

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// A TokenSource is a place in a request where a token may stand. The zero value is the usual
// one, the Authorization field. Others are chosen by an adapter's option WithTokenFrom.
type TokenSource struct {
	kind    sourceKind
	name    string
	origins *http.CrossOriginProtection // of cookies
}

type sourceKind uint8

const (
	inAuthorization sourceKind = iota
	inHeader
	inCookie
	inQuery
)

// TokenFromAuthorization is the source that counts where no other is chosen: the scheme Bearer
// in the Authorization field (RFC 6750, section 2.1).
func TokenFromAuthorization() TokenSource { return TokenSource{} }

// TokenFromHeader is a header field that holds the token and nothing else, for clients behind a
// gateway that uses Authorization for itself. It panics for a name that is no field's, or that
// of a field which others fill: Authorization, Cookie, and x-amzn-oidc-*, which a load balancer
// signs with keys of its own.
func TokenFromHeader(name string) TokenSource {
	lower := strings.ToLower(name)
	switch {
	case name == "" || strings.ContainsFunc(name, notInFieldName):
		panic(fmt.Sprintf("sso: TokenFromHeader(%q): no header field has such a name", name))
	case lower == "authorization" || lower == "cookie" || lower == "host" || strings.HasPrefix(lower, "x-amzn-oidc-"):
		panic(fmt.Sprintf("sso: TokenFromHeader(%q): this field is not for tokens of ours; choose another, or TokenFromAuthorization or TokenFromCookie", name))
	}
	return TokenSource{kind: inHeader, name: name}
}

// TokenFromCookie is a cookie that holds the token, for pages of the service's own origin. Its
// name has to begin with "__Host-", so that no other host can set it (RFC 6265bis, section
// 4.1.3.2).
//
// A browser sends cookies with requests that other sites cause. A request that might change
// something (any method but GET, HEAD and OPTIONS) or opens a connection (Upgrade, as
// WebSockets do) is therefore refused with 403 unless it comes from the same origin, or one of
// those listed ("https://app.example.com"), by the rules of [http.CrossOriginProtection]. It
// panics for another name, and for an origin that is none.
func TokenFromCookie(name string, trustedOrigins ...string) TokenSource {
	if len(name) <= len(hostPrefix) || !strings.HasPrefix(name, hostPrefix) || strings.ContainsFunc(name, notInFieldName) {
		panic(fmt.Sprintf("sso: TokenFromCookie(%q): the name has to begin with %q, or other hosts of the domain could set the cookie", name, hostPrefix))
	}
	origins := http.NewCrossOriginProtection()
	for _, origin := range trustedOrigins {
		if err := origins.AddTrustedOrigin(origin); err != nil {
			panic(fmt.Sprintf("sso: TokenFromCookie: %q is no origin (%v): write it as https://app.example.com", origin, err))
		}
	}
	return TokenSource{kind: inCookie, name: name, origins: origins}
}

const hostPrefix = "__Host-"

// InsecureTokenFromQuery is a parameter of the query, for clients that can send nothing else.
// The token then stands in access logs, histories and Referer fields: keep its life short
// (RFC 6750, section 5.3). It panics for an empty name.
func InsecureTokenFromQuery(name string) TokenSource {
	if name == "" {
		panic("sso: InsecureTokenFromQuery without the name of a parameter")
	}
	return TokenSource{kind: inQuery, name: name}
}

// TokenFrom returns an authenticator that is the same but for where it looks for a request's
// token: in each of the sources, of which one at most may hold something. It shares keys and
// caches with the one that it came from, trusts the principals which that one found, and ends
// with it. Adapters call it for their option WithTokenFrom. It panics without a source.
func (a *Authenticator) TokenFrom(sources ...TokenSource) *Authenticator {
	if len(sources) == 0 {
		panic("sso: TokenFrom without a source: no request could be authenticated")
	}
	if !a.made() {
		return a // which refuses everything
	}
	derived := *a
	derived.sources = append([]TokenSource(nil), sources...)
	return &derived
}

// defaultSources is what counts where no source is chosen.
var defaultSources = []TokenSource{{}}

func (a *Authenticator) tokenSources() []TokenSource {
	if len(a.sources) == 0 {
		return defaultSources
	}
	return a.sources
}

// anonymous reports whether a request holds nothing in any of the places for a token.
func (a *Authenticator) anonymous(r Request) bool {
	for _, source := range a.tokenSources() {
		if source.used(r) {
			return false
		}
	}
	return true
}

// credential reads the token of a request, from the one source that holds something.
func (a *Authenticator) credential(r Request) (string, error) {
	var source *TokenSource
	for i, candidate := range a.tokenSources() {
		if !candidate.used(r) {
			continue
		}
		if source != nil {
			return "", fmt.Errorf("%w: credentials in two places", ErrInvalidRequest)
		}
		source = &a.tokenSources()[i]
	}
	if source == nil {
		return "", ErrNoToken
	}
	return source.token(r)
}

// used reports whether there is anything at all.
func (s TokenSource) used(r Request) bool {
	switch s.kind {
	case inCookie:
		_, n := s.cookies(r)
		return n > 0
	case inQuery:
		return len(s.parameters(r)) > 0
	case inHeader:
		_, n := viewHeader(r, s.name)
		return n > 0
	default:
		_, n := viewHeader(r, "Authorization")
		return n > 0
	}
}

func (s TokenSource) token(r Request) (string, error) {
	switch s.kind {
	case inCookie:
		value, n := s.cookies(r)
		if n == 1 {
			if err := s.sameOrigin(r); err != nil {
				return "", err
			}
		}
		return bareToken(value, n)
	case inQuery:
		values := s.parameters(r)
		return bareToken(values[0], len(values))
	case inHeader:
		value, n := viewHeader(r, s.name)
		return bareToken(value, n)
	default:
		return bearerToken(r)
	}
}

// bareToken is a token that stands alone.
func bareToken(value string, n int) (string, error) {
	value = strings.Trim(value, " \t")
	switch {
	case n > 1:
		return "", fmt.Errorf("%w: %d tokens in one place", ErrInvalidRequest, n)
	case value == "":
		return "", ErrNoToken
	}
	return value, nil
}

// cookies finds the cookie and counts those of its name, whatever they hold: one that cannot be
// read is one that is no token. Of several Cookie fields, which no browser sends, only the first
// can be read: they count as several cookies.
func (s TokenSource) cookies(r Request) (value string, n int) {
	line, fields := r.Header("Cookie")
	for part := range strings.SplitSeq(line, ";") {
		name, content, _ := strings.Cut(strings.Trim(part, " \t"), "=")
		if strings.TrimRight(name, " \t") != s.name {
			continue
		}
		n++
		if n == 1 {
			value = strings.Trim(content, " \t")
			if len(value) > 1 && value[0] == '"' && value[len(value)-1] == '"' { // RFC 6265, section 4.1.1
				value = value[1 : len(value)-1]
			}
		}
	}
	if fields > 1 {
		return value, fields
	}
	return value, n
}

// parameters are the values in the query. One that cannot be read is one that is no token.
func (s TokenSource) parameters(r Request) (values []string) {
	target, ok := r.(Target)
	if !ok {
		return nil
	}
	_, query, _ := strings.Cut(target.RequestURI(), "?")
	for pair := range strings.SplitSeq(query, "&") {
		for piece := range strings.SplitSeq(pair, ";") { // which separates for some readers, and not for others
			name, value, _ := strings.Cut(piece, "=")
			if name, err := url.QueryUnescape(name); err != nil || name != s.name {
				continue
			}
			value, err := url.QueryUnescape(value)
			if err != nil || piece != pair {
				value = unreadable
			}
			values = append(values, value)
		}
	}
	return values
}

// unreadable is no token.
const unreadable = "?"

// errCrossOrigin is what a request is refused with that another site caused.
var errCrossOrigin = errors.New("sso: the token came in a cookie, with a request of another origin")

// unknownHost is no host of any origin.
const unknownHost = "?"

// sameOrigin applies the standard library's rules, also to requests for an upgrade, which it
// exempts as it does every GET.
func (s TokenSource) sameOrigin(r Request) error {
	target, ok := r.(Target)
	if !ok {
		return fmt.Errorf("%w: the adapter does not tell the request's host (sso.Target)", errCrossOrigin)
	}
	probe := &http.Request{Method: r.Method(), Host: target.Host(), URL: &url.URL{}, Header: http.Header{}}
	if _, n := r.Header("Upgrade"); n > 0 {
		probe.Method = http.MethodPost
	}
	for _, name := range []string{"Sec-Fetch-Site", "Origin"} {
		value, n := r.Header(name)
		if n > 1 {
			return fmt.Errorf("%w: %d fields %s", errCrossOrigin, n, name)
		}
		if n == 1 {
			probe.Header.Set(name, value)
		}
	}
	if probe.Host == "" {
		probe.Host = unknownHost // or an opaque origin, "null", would have the same: none
	}
	if err := s.origins.Check(probe); err != nil {
		return fmt.Errorf("%w: %w", errCrossOrigin, err)
	}
	return nil
}
