package sso

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/more-retail/moresso-go/core/internal/netaddr"
)

// A TokenSource says where a request has its token. The zero value is the Authorization field with
// the scheme Bearer (RFC 6750, section 2.1). Choose others with an adapter's option WithTokenFrom. A
// request with a token in two of the chosen sources is refused ([ErrInvalidRequest]), and so is one with
// more than 512 cookies or parameters in which a token may be.
type TokenSource struct {
	kind    sourceKind
	name    string
	origins *http.CrossOriginProtection // of cookies
}

type sourceKind uint8

const authorization = "Authorization"

const (
	inAuthorization sourceKind = iota
	inHeader
	inCookie
	inProtocol
	inQuery
)

// TokenFromHeader reads the token from a header field that holds nothing else, for clients behind a
// gateway that uses Authorization for itself. It panics for an invalid name and for fields that
// others set: Authorization, Cookie, Host, and x-amzn-oidc-*, which a load balancer signs with its
// own keys.
func TokenFromHeader(name string) TokenSource {
	lower := strings.ToLower(name)
	switch {
	case name == "" || strings.ContainsFunc(name, notInFieldName):
		panic(fmt.Sprintf("sso: TokenFromHeader(%q): not a valid field name", name))
	case lower == "authorization" || lower == "cookie" || lower == "host" || strings.HasPrefix(lower, "x-amzn-oidc-"):
		panic(fmt.Sprintf("sso: TokenFromHeader(%q): this field is not available for tokens; choose another, the zero TokenSource or TokenFromCookie", name))
	}
	return TokenSource{kind: inHeader, name: name}
}

// TokenFromCookie reads the token from a cookie, for pages of the service's own origin. The name
// must begin with "__Host-", so that no other host can set the cookie (RFC 6265bis, section
// 4.1.3.2).
//
// A browser sends cookies with requests that other sites cause. A request that may change something
// (any method except GET, HEAD and OPTIONS) or upgrades the connection (a WebSocket) is refused with
// 403 unless it comes from the same origin or a trusted one ("https://app.example.com"), by the
// rules of [http.CrossOriginProtection]. TokenFromCookie panics for another name, an invalid origin, one
// that is neither https nor on loopback, and one beyond ASCII: browsers send it in its IDNA form, xn--….
func TokenFromCookie(name string, trustedOrigins ...string) TokenSource {
	if len(name) <= len(hostPrefix) || !strings.HasPrefix(name, hostPrefix) || strings.ContainsFunc(name, notInFieldName) {
		panic(fmt.Sprintf("sso: TokenFromCookie(%q): the name must begin with %q, or other hosts of the domain could set the cookie", name, hostPrefix))
	}
	origins := http.NewCrossOriginProtection()
	for _, origin := range trustedOrigins {
		u, err := url.Parse(origin)
		if err == nil && u.Scheme != "https" && !netaddr.Loopback(u.Hostname()) {
			err = errors.New("an attacker on the network can act as an origin without https")
		}
		if strings.ContainsFunc(origin, func(c rune) bool { return c > unicode.MaxASCII }) {
			err = errors.New("browsers send its host as xn--…: write it so") // RFC 5891, section 4.4
		}
		if err == nil {
			err = origins.AddTrustedOrigin(origin)
		}
		if err != nil {
			panic(fmt.Sprintf("sso: TokenFromCookie: %q is not a valid origin (%v): write it as https://app.example.com", origin, err))
		}
	}
	return TokenSource{kind: inCookie, name: name, origins: origins}
}

const hostPrefix = "__Host-"

// TokenFromWebSocketProtocol reads the token from the field Sec-WebSocket-Protocol, for browsers, whose
// WebSocket can set no other field: new WebSocket(url, ["v1.chat", "bearer." + token]). Prefix precedes the
// token in its element, as "bearer." does here. The server must select another protocol, or it would send
// the token back. It panics for an empty prefix and for one with another character than letters, digits,
// dots and hyphens.
func TokenFromWebSocketProtocol(prefix string) TokenSource {
	if prefix == "" || strings.ContainsFunc(prefix, notInToken68) || strings.ContainsAny(prefix, "/~+_") {
		panic(fmt.Sprintf("sso: TokenFromWebSocketProtocol(%q): want a prefix such as %q", prefix, "bearer."))
	}
	return TokenSource{kind: inProtocol, name: prefix}
}

// InsecureTokenFromQuery reads the token from a query parameter, for clients that can send nothing
// else. The token then appears in access logs, histories and Referer fields: give it a short
// lifetime (RFC 6750, section 5.3). It panics for an empty name.
func InsecureTokenFromQuery(name string) TokenSource {
	if name == "" {
		panic("sso: InsecureTokenFromQuery: the name of the parameter is empty")
	}
	return TokenSource{kind: inQuery, name: name}
}

// TokenFrom returns a copy of a that reads tokens from the given sources. It shares keys and caches
// with a, relies on principals that a authenticated, and is closed with a. Adapters call it for
// their option WithTokenFrom. It panics without a source.
func (a *Authenticator) TokenFrom(sources ...TokenSource) *Authenticator {
	if len(sources) == 0 {
		panic("sso: TokenFrom without a source: no request could be authenticated")
	}
	if !a.made() {
		return a // refuses everything
	}
	derived := *a
	derived.sources = append([]TokenSource(nil), sources...)
	return &derived
}

// TokenInContext returns a copy of a, as [Authenticator.TokenFrom] does, that keeps a copy of each token in
// the context that it returns, for [TokenFromContext]. Adapters call it for their option
// WithTokenInContext.
func (a *Authenticator) TokenInContext() *Authenticator {
	if !a.made() {
		return a // refuses everything
	}
	derived := *a
	derived.keepsToken = true
	return &derived
}

// defaultSources apply where no source is chosen.
var defaultSources = []TokenSource{{}}

// anonymous reports whether a request holds nothing in any of the sources.
func (a *Authenticator) anonymous(r Request) bool {
	return !slices.ContainsFunc(a.sources, func(s TokenSource) bool {
		_, n := s.read(r)
		return n > 0
	})
}

// credential reads the token of a request from the one source that holds something. Credentials of
// another scheme in the Authorization field, such as a proxy's, do not count beside a token. No message
// repeats the content.
func (a *Authenticator) credential(r Request) (string, error) {
	var (
		source         *TokenSource
		token          string
		invalid, other error
	)
	for i := range a.sources {
		s := &a.sources[i]
		value, n := s.read(r)
		var err error
		switch {
		case n == 0:
			continue
		case n > maxPieces:
			err = fmt.Errorf("%w: more than %d cookies or parameters", ErrInvalidRequest, maxPieces)
		case n > 1:
			err = fmt.Errorf("%w: %d values of %s", ErrInvalidRequest, n, cmp.Or(s.name, authorization))
		case s.kind == inAuthorization:
			value, err = bearerToken(value)
		case len(value) > len(bearerScheme) && strings.EqualFold(value[:len(bearerScheme)], bearerScheme):
			err = fmt.Errorf("%w: %s begins with Bearer: write the token alone", ErrInvalidRequest, s)
		}
		if errors.Is(err, ErrNoToken) {
			other = err
			continue
		}
		if source != nil {
			return "", fmt.Errorf("%w: credentials in two places: %s and %s", ErrInvalidRequest, source, s)
		}
		source, token, invalid = s, value, err
	}
	switch {
	case source == nil:
		return "", cmp.Or(other, a.noToken())
	case invalid != nil:
		return "", invalid
	case source.kind == inCookie:
		if err := source.sameOrigin(r); err != nil {
			return "", err
		}
	}
	return token, nil
}

// bearerScheme precedes a token in the Authorization field only.
const bearerScheme = "Bearer "

// noToken says where a token was looked for.
func (a *Authenticator) noToken() error {
	if len(a.sources) == 1 && a.sources[0].kind == inAuthorization {
		return ErrNoToken
	}
	places := make([]string, len(a.sources))
	for i, s := range a.sources {
		places[i] = s.String()
	}
	return fmt.Errorf("%w in %s", ErrNoToken, strings.Join(places, ", nor in "))
}

// String returns where the token is, for messages.
func (s TokenSource) String() string {
	return map[sourceKind]string{inHeader: "the field ", inCookie: "the cookie ", inProtocol: "the WebSocket protocol ", inQuery: "the parameter "}[s.kind] + cmp.Or(s.name, "the field "+authorization)
}

// read returns a value that the source holds, without white space around it, and the number of values. A
// single empty value does not count: a sign-out leaves empty cookies, and a proxy empty fields.
func (s TokenSource) read(r Request) (value string, n int) {
	switch s.kind {
	case inCookie:
		value, n = s.cookies(r)
	case inProtocol:
		value, n = s.protocols(r)
	case inQuery:
		value, n = s.parameters(r)
	default:
		value, n = viewHeader(r, cmp.Or(s.name, authorization))
	}
	if value = strings.Trim(value, " \t"); value == "" && n == 1 {
		n = 0
	}
	return value, n
}

// bearerToken reads the value of the Authorization field (RFC 6750, section 2.1; RFC 9110, section
// 11.6.2).
func bearerToken(value string) (string, error) {
	scheme, token, _ := strings.Cut(value, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		if n := len("Bearer"); len(scheme) > n && strings.EqualFold(scheme[:n], "Bearer") && notInFieldName(rune(scheme[n])) {
			return "", fmt.Errorf("%w: no space after the scheme Bearer", ErrInvalidRequest)
		}
		return "", fmt.Errorf("%w: credentials of another scheme, or a token without one", ErrNoToken)
	}
	token = strings.TrimLeft(token, " ") // 1*SP
	if token == "" {
		return "", fmt.Errorf("%w: the scheme Bearer without a token", ErrInvalidRequest)
	}
	return token, nil
}

// checkBearerToken checks the syntax of b64token (RFC 6750, section 2.1) in the first KiB of a
// token that is not cached. The rest is checked with the token itself, and then answered with
// 401 instead of 400.
func checkBearerToken(token string) error {
	const most = 1 << 10
	start := strings.TrimRight(token[:min(len(token), most)], "=")
	if start == "" || strings.ContainsFunc(start, notInToken68) {
		return fmt.Errorf("%w: a character that no bearer token has", ErrInvalidRequest)
	}
	return nil
}

func notInToken68(c rune) bool {
	alphanumeric := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
	return !alphanumeric && !strings.ContainsRune("-._~+/", c)
}

// maxPieces bounds the cookies, or the parameters, among which a token is looked for.
const maxPieces = 512

// cookies returns the first cookie of the source's name and the number of them, malformed ones
// included. Of several Cookie fields, which no browser sends, only the first can be read: they count
// as several cookies.
func (s TokenSource) cookies(r Request) (value string, n int) {
	line, fields := r.Header("Cookie")
	switch {
	case fields == 0:
		return "", 0
	case strings.Count(line, ";") >= maxPieces:
		return "", maxPieces + 1
	}
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

// protocols returns the first element of Sec-WebSocket-Protocol with the source's prefix, without it, and
// the number of them. Of several fields only the first can be read: they count as several elements.
func (s TokenSource) protocols(r Request) (value string, n int) {
	list, fields := r.Header("Sec-WebSocket-Protocol")
	if strings.Count(list, ",") >= maxPieces {
		return "", maxPieces + 1
	}
	for element := range strings.SplitSeq(list, ",") {
		if token, found := strings.CutPrefix(strings.Trim(element, " \t"), s.name); found {
			n++
			if n == 1 {
				value = token
			}
		}
	}
	if fields > 1 {
		return value, fields
	}
	return value, n
}

// parameters returns the last value of the source's query parameter and the number of them. An
// undecodable value is returned as an invalid token.
func (s TokenSource) parameters(r Request) (value string, n int) {
	_, query, _ := strings.Cut(r.RequestURI(), "?")
	if strings.Count(query, "&")+strings.Count(query, ";") >= maxPieces {
		return "", maxPieces + 1
	}
	for pair := range strings.SplitSeq(query, "&") {
		for piece := range strings.SplitSeq(pair, ";") { // a separator for some readers only
			name, encoded, _ := strings.Cut(piece, "=")
			if name, err := url.QueryUnescape(name); err != nil || name != s.name {
				continue
			}
			var err error
			if value, err = url.QueryUnescape(encoded); err != nil || piece != pair {
				value = invalidToken
			}
			n++
		}
	}
	return value, n
}

const invalidToken = "?"

var errCrossOrigin = errors.New("sso: the token is in a cookie, and the request is from another origin")

// sameOrigin applies the rules of the standard library, also to requests for an upgrade, which it
// exempts like every GET.
func (s TokenSource) sameOrigin(r Request) error {
	const unknownHost = "?" // matches no origin; that of an opaque one, "null", is empty
	probe := &http.Request{Method: r.Method(), Host: cmp.Or(r.Host(), unknownHost), URL: &url.URL{}, Header: http.Header{}}
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
	if err := s.origins.Check(probe); err != nil {
		return fmt.Errorf("%w: %w", errCrossOrigin, err)
	}
	return nil
}
