package sso

import (
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/more-retail/moresso-go/core/internal/netaddr"
)

// RenderSignIn returns a [Config.Renderer] that redirects (303) a browser to a sign-in page: a GET
// that accepts text/html and would get 401. All other refusals are passed to otherwise; nil leaves
// them unchanged. If returnParam is not empty, the page gets the request's path in that parameter, with
// the query parameters of these names. The host, the rest of the query and everything that may be a
// token is omitted. A path that browsers or routers may read in another way, with "//" or dot segments,
// becomes "/".
//
//	cfg.Renderer = sso.RenderSignIn("https://login.example.com/start", "return_to", nil)
//
// It panics for an address that is neither https, nor http on loopback, nor a path.
func RenderSignIn(address, returnParam string, otherwise func(Request, Denial) Denial, queryParams ...string) func(Request, Denial) Denial {
	page, err := url.Parse(address)
	if err != nil || !fitForSignIn(page) {
		panic(fmt.Sprintf("sso: RenderSignIn: %q is not a valid address: write https://… or a path", address))
	}
	if otherwise == nil {
		otherwise = func(_ Request, d Denial) Denial { return d }
	}
	return func(r Request, d Denial) Denial {
		if d.Status != http.StatusUnauthorized || !navigates(r) {
			return otherwise(r, d)
		}
		to := *page
		if returnParam != "" {
			query := to.Query()
			query.Set(returnParam, returnTo(r, queryParams))
			to.RawQuery = query.Encode()
		}
		d = d.clone()
		d.Status = http.StatusSeeOther
		d.Body = []byte("See " + to.String() + "\n")
		d.Header.Set("Content-Type", "text/plain; charset=utf-8")
		d.Header.Set("Location", to.String())
		d.Header.Del("WWW-Authenticate")
		return d
	}
}

func fitForSignIn(page *url.URL) bool {
	switch page.Scheme {
	case "https":
		return page.Host != ""
	case "http":
		return netaddr.Loopback(page.Hostname())
	case "":
		return page.Host == "" && isLocalPath(page.Path)
	}
	return false
}

// navigates reports whether a browser is opening a page.
func navigates(r Request) bool {
	if r.Method() != http.MethodGet {
		return false
	}
	if _, n := r.Header("Upgrade"); n > 0 {
		return false
	}
	if mode, n := r.Header("Sec-Fetch-Mode"); n > 0 && mode != "navigate" {
		return false
	}
	accept, _ := r.Header("Accept")
	for part := range strings.SplitSeq(accept, ",") {
		media, parameters, err := mime.ParseMediaType(part)
		q, weighted := parameters["q"]
		refused := weighted && strings.Trim(q, "0.") == "" // RFC 9110, section 12.4.2
		if err == nil && media == "text/html" && !refused {
			return true
		}
	}
	return false
}

// returnTo returns the path of a request and the listed parameters of its query.
func returnTo(r Request, queryParams []string) string {
	const home = "/"
	u, err := url.ParseRequestURI(r.RequestURI())
	if err != nil || !isLocalPath(u.Path) || !isLocalPath(u.EscapedPath()) || holdsToken(u.Path) {
		return home
	}
	back := url.URL{Path: u.Path, RawPath: u.RawPath}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return back.String()
	}
	for name, values := range query {
		if !slices.Contains(queryParams, name) || mayBeToken(name) || holdsToken(strings.Join(values, " ")) {
			query.Del(name)
		}
	}
	back.RawQuery = query.Encode()
	return back.String()
}

// isLocalPath reports whether every browser treats a path as one of this host, unlike "//host" and
// "/\host", and every router as the same one, unlike "/a//b" and "/a/../b".
func isLocalPath(path string) bool {
	segments := strings.Split(path, "/")
	return strings.HasPrefix(path, "/") && !strings.Contains(path, "//") && !strings.Contains(path, `\`) &&
		!slices.Contains(segments, ".") && !slices.Contains(segments, "..") &&
		!strings.ContainsFunc(path, func(c rune) bool { return c < ' ' || c == 0x7f })
}

// mayBeToken reports whether a query parameter may hold credentials (RFC 6750, section 2.3; RFC
// 6749; OpenID Connect Core 1.0).
func mayBeToken(name string) bool {
	name = strings.ToLower(name)
	return strings.Contains(name, "token") || name == "code" || name == "jwt" || name == "assertion"
}

// holdsToken reports whether a text may contain a JWS: its header begins with {", encoded eyJ.
func holdsToken(text string) bool { return strings.Contains(text, "eyJ") }
