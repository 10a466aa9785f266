package adaptertest

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/core/ssotest"
)

// This file has what the tests of several frameworks share besides the suite.

// TestNested tests that nested groups require the permissions of both guards. build returns an application
// with the route /orders/admin/all, in a group that requires inner, within a group that requires outer.
func TestNested(t *testing.T, build func(auth *sso.Authenticator, outer, inner sso.Permission) ssotest.Do) {
	t.Helper()
	issuer := ssotest.NewIssuer(t)
	do := build(issuer.Authenticator(issuer.Config("api")), permission.Has("orders.read"), permission.Role("admin"))
	outer, inner := devissuer.Permission("orders.read", true), devissuer.Claim("roles", "admin")
	for name, c := range map[string]struct {
		token []string
		want  int
	}{
		"no token": {nil, 401},
		"neither":  {[]string{bearer(issuer.Token())}, 403},
		"outer":    {[]string{bearer(issuer.Token(outer))}, 403},
		"inner":    {[]string{bearer(issuer.Token(inner))}, 403},
		"both":     {[]string{bearer(issuer.Token(outer, inner))}, 200},
	} {
		if got, err := send(do, get("/orders/admin/all", c.token...)); err != nil || got.status != c.want {
			t.Errorf("%s: %d (%v), want %d", name, got.status, err, c.want)
		}
	}
}

// TestPathValues tests that permissions see path values decoded once. build returns an application with the
// route /users/{user} behind a guard that requires the permission. plusIsSpace says that the framework
// decodes a plus to a space, also for its handlers.
func TestPathValues(t *testing.T, plusIsSpace bool, build func(auth *sso.Authenticator, p sso.Permission) ssotest.Do) {
	t.Helper()
	issuer := ssotest.NewIssuer(t)
	do := build(issuer.Authenticator(issuer.Config("api")), permission.SameAsPath("sub", "user"))
	plus := "a+b"
	if plusIsSpace {
		plus = "a b"
	}
	for sent, owner := range map[string]string{
		"ada": "ada", "%61da": "ada", "auth0|1": "auth0|1", "auth0%7C1": "auth0|1", "auth0%7c1": "auth0|1", "jos%C3%A9": "jos\u00e9",
		"v%40x.org": "v@x.org", "v@x.org": "v@x.org", "v%2540x.org": "v%40x.org", "v%252540x.org": "v%2540x.org", "a%20b": "a b", "a%2Bb": "a+b", "a+b": plus,
		"100%25": "100%", "%2525": "%25", "%257C%7C": "%7C|", "a%2Fb": "a/b", "a%252Fb": "a%2Fb",
	} {
		subjects := map[string]int{owner: 200}
		for _, other := range []string{sent, unescaped(owner), "bob"} {
			if other != owner {
				subjects[other] = 403
			}
		}
		for subject, want := range subjects {
			got, err := send(do, get("/users/"+sent, bearer(issuer.Token(devissuer.Subject(subject)))))
			if slash := strings.Contains(owner, "/"); err != nil || got.status != want && (!slash || got.status != 404) {
				t.Errorf("/users/%s: %d for %q (%v), want %d", sent, got.status, subject, err, want)
			}
		}
	}
}

func unescaped(s string) string {
	decoded, _ := url.PathUnescape(s)
	return cmp.Or(decoded, "nobody")
}

// TestResponseController tests that [http.ResponseController] works within the option WithDenied, over
// net/http. build returns an application with a guarded route / whose function of WithDenied is denied.
func TestResponseController(t *testing.T, build func(auth *sso.Authenticator, denied func(w http.ResponseWriter)) http.Handler) {
	t.Helper()
	issuer := ssotest.NewIssuer(t)
	auth := issuer.Authenticator(issuer.Config("api"))
	for name, use := range map[string]func(*http.ResponseController) error{
		"Flush":                 (*http.ResponseController).Flush,
		"SetReadDeadline":       func(c *http.ResponseController) error { return c.SetReadDeadline(time.Time{}) },
		"SetWriteDeadline":      func(c *http.ResponseController) error { return c.SetWriteDeadline(time.Time{}) },
		"EnableFullDuplex":      (*http.ResponseController).EnableFullDuplex,
		"Flush, type assertion": nil,
	} {
		t.Run(name, func(t *testing.T) {
			do := ssotest.Serve(t, build(auth, func(w http.ResponseWriter) {
				if f, ok := w.(http.Flusher); use == nil && ok {
					f.Flush()
				} else if use == nil {
					t.Error("it is not an http.Flusher")
				} else if err := use(http.NewResponseController(w)); err != nil {
					t.Error(err)
				}
				_, _ = io.WriteString(w, "drawn")
			}))
			if got, err := send(do, get("/")); err != nil || got.status != 401 || got.body != "drawn" || got.headers.Get("WWW-Authenticate") != "Bearer" {
				t.Errorf("%d %q (%v)", got.status, got.body, err)
			}
		})
	}
	t.Run("Hijack", func(t *testing.T) {
		do := ssotest.Serve(t, build(auth, func(w http.ResponseWriter) {
			conn, buffered, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = conn.Close() }()
			_, _ = buffered.WriteString("HTTP/1.1 429 Too Many Requests\r\nContent-Length: 5\r\nConnection: close\r\n\r\ndrawn")
			_ = buffered.Flush()
		}))
		if got, err := send(do, get("/")); err != nil || got.status != 429 || got.body != "drawn" {
			t.Errorf("%d %q (%v)", got.status, got.body, err)
		}
	})
}

// TestMistakes tests that middleware which cannot protect a route panics when it is made.
func TestMistakes(t *testing.T, middleware func(Layer)) {
	issuer := ssotest.NewIssuer(t)
	auth := issuer.Authenticator(issuer.Config("api"))
	for name, layer := range map[string]Layer{
		"no authenticator": {},
		"a nil permission": {Auth: auth, Permission: (*nilPermission)(nil)},
		"only a negation":  {Auth: auth, Permission: permission.Not(permission.Has("a"))},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			middleware(layer)
		})
	}
}

// nilPermission is a permission whose pointer is nil.
type nilPermission struct{}

func (*nilPermission) Check(context.Context, sso.Access) sso.Decision { return sso.Grant() }

// TestStreams tests that middleware lets server-sent events and hijacked connections through: build
// returns an application with two handlers at /events and /socket behind a guard.
func TestStreams(t *testing.T, build func(auth *sso.Authenticator, events, socket http.Handler) http.Handler) {
	CheckLeaks(t)
	issuer := ssotest.NewIssuer(t)
	next := make(chan string, 1) // the response begins with the first event
	do := ssotest.Serve(t, build(issuer.Authenticator(issuer.Config("api")), streamed(t, next), hijacked(t)))
	request := with(get("/events", bearer(issuer.Token())))
	next <- "one "
	response, err := do(request)
	if err != nil {
		t.Fatal(err)
	}
	for _, event := range []string{"one ada", "two ada"} {
		if event != "one ada" {
			next <- "two "
		}
		got := make([]byte, len(event))
		if _, err := io.ReadFull(response.Body, got); err != nil || string(got) != event {
			t.Errorf("the stream has %q (%v), want %q", got, err, event)
		}
	}
	close(next)
	_ = response.Body.Close()
	got, err := send(do, with(get("/socket", bearer(issuer.Token())), "Connection", "Upgrade", "Upgrade", "echo"))
	if err != nil || got.status != http.StatusSwitchingProtocols || got.body != "hello ada" {
		t.Errorf("the socket has %d %q (%v)", got.status, got.body, err)
	}
}

// streamed is a handler that writes each event with the subject, as long as the token is valid.
func streamed(t *testing.T, next <-chan string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := sso.WithExpiry(r.Context())
		defer cancel()
		w.Header().Set("Content-Type", "text/event-stream")
		for {
			select {
			case event, more := <-next:
				if !more {
					return
				}
				p, _ := sso.FromContext(ctx)
				_, _ = io.WriteString(w, event+p.Subject())
				if err := http.NewResponseController(w).Flush(); err != nil {
					t.Error(err)
				}
			case <-ctx.Done():
				return
			}
		}
	})
}

// hijacked is a handler that takes over the connection and writes the subject.
func hijacked(t *testing.T) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = conn.Close() }()
		p, _ := sso.FromContext(r.Context())
		_, _ = buffered.WriteString("HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\nhello " + p.Subject())
		_ = buffered.Flush()
	})
}

// ExampleIssuer returns an issuer in memory and an authenticator for the audience "api", for Examples,
// which have no testing.TB.
func ExampleIssuer() (*sso.Authenticator, *devissuer.Issuer) {
	issuer, err := devissuer.New()
	if err != nil {
		log.Fatal(err)
	}
	auth, err := sso.New(sso.Config{
		PublicKeyURI: issuer.JWKSURL(),
		Audience:     []string{"api"},
		Issuer:       issuer.URL(),
		HTTPClient:   issuer.Client(),
		Logger:       slog.New(slog.DiscardHandler),
	})
	if err != nil {
		log.Fatal(err)
	}
	return auth, issuer
}

// ExampleGet sends a GET request and prints status and body of the response. It sends no token if that is
// empty. Headers are names and values in turn.
func ExampleGet(do ssotest.Do, path, token string, header ...string) {
	r := with(httptest.NewRequest(http.MethodGet, path, http.NoBody), header...)
	if token != "" {
		r.Header.Set("Authorization", bearer(token))
	}
	got, err := send(do, r)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(got.status, got.body)
}
