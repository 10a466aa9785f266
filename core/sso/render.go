package sso

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// The functions here are for [Config.Renderer]. Status and challenge are the refusal's in all of
// them, but for the redirect of RenderSignIn.

// RenderProblem leaves a refusal as it is: a problem document (RFC 9457). It is what counts
// where no renderer is given.
func RenderProblem(_ Request, d Denial) Denial { return d }

// RenderText answers in plain text, with the status in words.
func RenderText(_ Request, d Denial) Denial {
	return d.withBody("text/plain; charset=utf-8", []byte(http.StatusText(d.Status)+"\n"))
}

func (d Denial) withBody(contentType string, body []byte) Denial {
	d.Header = d.Header.Clone()
	d.Header.Set("Content-Type", contentType)
	d.Body = body
	return d
}

// RenderSignIn sends a browser that navigates (GET, and it asks for text/html) and is answered
// with 401 to a page to sign in at, by 303; all else is drawn by otherwise, or left as it is if
// that is nil. The page is told where to come back to by a parameter of its query, if one is
// named: path and query of the request, never a host, and without what might be a token.
//
//	cfg.Renderer = sso.RenderSignIn("https://login.example.com/start", "return_to", nil)
//
// It panics for an address that is neither https, nor http on loopback, nor a path.
func RenderSignIn(address, returnParam string, otherwise func(Request, Denial) Denial) func(Request, Denial) Denial {
	page, err := url.Parse(address)
	if err != nil || !fitForSignIn(page) {
		panic(fmt.Sprintf("sso: RenderSignIn: %q is no address to sign in at: write https://… or a path", address))
	}
	if otherwise == nil {
		otherwise = RenderProblem
	}
	return func(r Request, d Denial) Denial {
		if d.Status != http.StatusUnauthorized || !navigates(r) {
			return otherwise(r, d)
		}
		to := *page
		if returnParam != "" {
			query := to.Query()
			query.Set(returnParam, comeBack(r))
			to.RawQuery = query.Encode()
		}
		d = d.withBody("text/plain; charset=utf-8", []byte("See "+to.String()+"\n"))
		d.Status = http.StatusSeeOther
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
		host := page.Hostname()
		return host == "localhost" || host == "127.0.0.1" || host == "::1"
	case "":
		return page.Host == "" && localPath(page.Path)
	}
	return false
}

// navigates tells a browser that opens a page from a script and from everything else.
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
		media, parameters, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(media), "text/html") && !weightless(parameters) {
			return true
		}
	}
	return false
}

// weightless tells q=0, by which a client says that it does not want something (RFC 9110,
// section 12.4.2).
func weightless(parameters string) bool {
	for p := range strings.SplitSeq(parameters, ";") {
		name, weight, _ := strings.Cut(strings.TrimSpace(p), "=")
		if strings.EqualFold(name, "q") && strings.Trim(weight, "0.") == "" {
			return true
		}
	}
	return false
}

// comeBack is where a request was sent, as far as that can be told to another page.
func comeBack(r Request) string {
	const home = "/"
	target, ok := r.(Target)
	if !ok {
		return home
	}
	u, err := url.ParseRequestURI(target.RequestURI())
	if err != nil || !localPath(u.Path) || !localPath(u.EscapedPath()) || holdsToken(u.Path) {
		return home
	}
	back := url.URL{Path: u.Path, RawPath: u.RawPath}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return back.String()
	}
	for name, values := range query {
		if mayBeToken(name) || holdsToken(strings.Join(values, " ")) {
			query.Del(name)
		}
	}
	back.RawQuery = query.Encode()
	return back.String()
}

// localPath tells a path that no browser takes for another host: "//host" and "/\host" it does.
func localPath(path string) bool {
	return strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "//") && !strings.Contains(path, `\`) &&
		!strings.ContainsFunc(path, func(c rune) bool { return c < ' ' || c == 0x7f })
}

// mayBeToken tells the names under which credentials stand in a query (RFC 6750, section 2.3;
// RFC 6749; OpenID Connect Core 1.0).
func mayBeToken(name string) bool {
	name = strings.ToLower(name)
	return strings.Contains(name, "token") || name == "code" || name == "jwt" || name == "assertion"
}

// holdsToken tells text with a JWS in it: a header begins with {" and so, encoded, with eyJ.
func holdsToken(text string) bool { return strings.Contains(text, "eyJ") }
