package fibersso_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/gofiber/fiber/v2"
	fiberrecover "github.com/gofiber/fiber/v2/middleware/recover"
	"github.com/valyala/fasthttp/fasthttputil"

	"github.com/more-retail/moresso-go/core/adaptertest"
	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/core/ssotest"
	"github.com/more-retail/moresso-go/fibersso"
)

// send sends a request with a token, or without one if that is empty.
func send(t *testing.T, app *fiber.App, method, path, token string) (status int, body string) {
	t.Helper()
	r := httptest.NewRequest(method, path, http.NoBody)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := app.Test(r, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func ok(c *fiber.Ctx) error { return c.SendString("in") }

func TestGuard_NestedGroups(t *testing.T) {
	for name, build := range map[string]func(app *fiber.App, outer, inner fiber.Handler){
		"groups": func(app *fiber.App, outer, inner fiber.Handler) {
			app.Group("/orders", outer).Group("/admin", inner).Get("/all", ok)
		},
		"a mounted app": func(app *fiber.App, outer, inner fiber.Handler) {
			mounted := fiber.New()
			mounted.Use(outer)
			mounted.Get("/admin/all", inner, ok)
			app.Mount("/orders", mounted)
		},
	} {
		t.Run(name, func(t *testing.T) {
			adaptertest.TestNested(t, func(auth *sso.Authenticator, outer, inner sso.Permission) ssotest.Do {
				guard := fibersso.New(auth)
				app := fiber.New()
				app.Use(guard.Authenticate())
				build(app, guard.Require(outer), guard.Require(inner))
				return func(r *http.Request) (*http.Response, error) { return app.Test(r, -1) }
			})
		})
	}
}

// A guard on a prefix applies however the other routes match the path.
func TestGuard_PrefixSpellings(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	guard := fibersso.New(iss.Authenticator(iss.Config("api")))
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "secret.txt"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, config := range map[string]fiber.Config{
		"by default":                 {},
		"with strict routing":        {StrictRouting: true},
		"with case-sensitive routes": {CaseSensitive: true},
		"with unescaped paths":       {UnescapePath: true},
		"with all of them":           {StrictRouting: true, CaseSensitive: true, UnescapePath: true},
	} {
		t.Run(name, func(t *testing.T) {
			app := fiber.New(config)
			app.Use("/admin", guard.Authenticate())
			app.Use("/files", guard.Authenticate())
			app.Get("/admin", ok)
			app.Get("/admin/users/:id", ok)
			app.Static("/files", folder)
			for _, path := range []string{
				"/admin", "/admin/", "/ADMIN", "/%61dmin", "/admin/users/1", "/ADMIN/USERS/1", "/%61dmin/users/1", "/admin//users/1", "/x/../admin/users/1", "//admin/users/1",
				"/files/secret.txt", "/FILES/secret.txt", "/%66iles/secret.txt", "/files//secret.txt", "//files/secret.txt", "/x/../files/secret.txt", "/files/../files/secret.txt",
			} {
				for _, method := range []string{"GET", "HEAD"} {
					if got, body := send(t, app, method, path, ""); got < 300 || strings.Contains(body, "secret") && got != 404 {
						t.Errorf("%s %s: %d %s", method, path, got, body)
					}
				}
			}
			if got, body := send(t, app, "GET", "/files/secret.txt", iss.Token()); got != 200 || body != "secret" {
				t.Errorf("with a token: %d %s", got, body)
			}
		})
	}
}

func TestGuard_HandlerErrorAndPanic(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	guard := fibersso.New(iss.Authenticator(iss.Config("api")))
	own := errors.New("own")
	var seen error
	app := fiber.New(fiber.Config{ErrorHandler: func(c *fiber.Ctx, err error) error {
		seen = err
		return c.SendStatus(http.StatusTeapot)
	}})
	app.Use(fiberrecover.New())
	app.Get("/error", guard.Authenticate(), func(*fiber.Ctx) error { return own })
	app.Get("/panic", guard.Authenticate(), func(*fiber.Ctx) error { panic(own) })
	for _, path := range []string{"/error", "/panic"} {
		seen = nil
		if got, _ := send(t, app, "GET", path, iss.Token()); got != http.StatusTeapot || !errors.Is(seen, own) {
			t.Errorf("%s: %d, and the error became %v", path, got, seen)
		}
	}
	seen = nil
	if got, _ := send(t, app, "GET", "/error", ""); got != 401 || seen != nil {
		t.Errorf("a refusal became %d and an error: %v", got, seen)
	}
}

// Server-sent events are written after the handler has returned, when Fiber's context belongs to
// another request. The values that the handler has read do not change.
func TestGuard_Stream(t *testing.T) {
	adaptertest.CheckLeaks(t)
	iss := ssotest.NewIssuer(t)
	guard := fibersso.New(iss.Authenticator(iss.Config("api")))
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	next := make(chan string, 1) // the response begins with the first event
	app.Get("/events", guard.Authenticate(), func(c *fiber.Ctx) error {
		p, _ := fibersso.Principal(c)
		ctx, cancel := sso.WithExpiry(c.UserContext())
		c.Set("Content-Type", "text/event-stream")
		c.Context().SetBodyStreamWriter(func(w *bufio.Writer) {
			defer cancel()
			for {
				select {
				case event, more := <-next:
					if !more {
						return
					}
					_, _ = w.WriteString(event + " " + p.Subject() + "\n")
					_ = w.Flush()
				case <-ctx.Done():
					return
				}
			}
		})
		return nil
	})
	do := serve(t, app)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/events", http.NoBody)
	r.Header.Set("Authorization", "Bearer "+iss.Token())
	next <- "one"
	response, err := do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	for _, event := range []string{"one", "two"} {
		if event != "one" {
			next <- event
		}
		if !lines.Scan() || lines.Text() != event+" ada" {
			t.Errorf("the stream has %q", lines.Text())
		}
	}
	close(next)
}

// TestPrincipal_ReadByGoroutine sends 10,000 requests with tokens of equal length over
// one connection, whose buffers Fiber reuses, while goroutines of earlier ones still read.
func TestPrincipal_ReadByGoroutine(t *testing.T) {
	const rounds, subjects = 10_000, 50
	iss := ssotest.NewIssuer(t, ssotest.FastKeys())
	guard := fibersso.New(iss.Authenticator(iss.Config("api")))
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	var readers sync.WaitGroup
	var mu sync.Mutex
	var wrong []string
	app.Get("/", guard.Authenticate(), func(c *fiber.Ctx) error {
		p, _ := fibersso.Principal(c)
		fromContext, _ := sso.FromContext(c.UserContext())
		want := strings.Clone(c.Query("subject"))
		readers.Go(func() {
			for range 3 {
				text, _ := p.Claim("note").Text()
				if p.Subject() != want || fromContext.Subject() != want || text != "note of "+want {
					mu.Lock()
					wrong = append(wrong, fmt.Sprintf("%s became %s (%s)", want, p.Subject(), text))
					mu.Unlock()
				}
			}
		})
		return nil
	})
	listener := fasthttputil.NewInmemoryListener()
	done := make(chan error, 1)
	go func() { done <- app.Listener(listener) }()
	conn, err := listener.Dial()
	if err != nil {
		t.Fatal(err)
	}
	var requests []string
	for i := range subjects {
		subject := fmt.Sprintf("user-%02d", i)
		requests = append(requests, "GET /?subject="+subject+" HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer "+iss.Token(devissuer.Subject(subject), devissuer.Claim("note", "note of "+subject))+"\r\n\r\n")
	}
	roundTrips(t, conn, requests, rounds)
	readers.Wait()
	_ = conn.Close()
	if err := errors.Join(app.Shutdown(), <-done); err != nil {
		t.Error(err)
	}
	if len(wrong) > 0 {
		t.Errorf("%d principals changed: %s", len(wrong), wrong[0])
	}
}

func roundTrips(t *testing.T, conn net.Conn, requests []string, rounds int) {
	t.Helper()
	reader := bufio.NewReader(conn)
	for i := range rounds {
		if _, err := io.WriteString(conn, requests[i%len(requests)]); err != nil {
			t.Fatal(err)
		}
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Fatalf("round %d: %d", i, response.StatusCode)
		}
	}
}

// A permission may keep the strings of a request, although the next request overwrites Fiber's memory.
// The test fails without any of the copies in type request.
func TestRequire_PermissionKeepsStrings(t *testing.T) {
	iss := ssotest.NewIssuer(t, ssotest.FastKeys())
	guard := fibersso.New(iss.Authenticator(iss.Config("api")))
	var want []string
	var keptParts [][3]string
	keeping := permission.Func("keeping", func(_ context.Context, a sso.Access) (bool, error) {
		field, _ := a.Header("X-Tenant")
		keptParts = append(keptParts, [3]string{a.Method(), a.PathValue("id"), field})
		return true, nil
	})
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.All("/orders/:id", guard.Require(keeping), func(c *fiber.Ctx) error { return nil })
	listener := fasthttputil.NewInmemoryListener()
	done := make(chan error, 1)
	go func() { done <- app.Listener(listener) }()
	conn, err := listener.Dial()
	if err != nil {
		t.Fatal(err)
	}
	var requests []string
	for i := range 100 {
		method, id, tenant := []string{"GET", "PUT"}[i%2], fmt.Sprintf("order-%02d", i), fmt.Sprintf("tenant-%02d", i)
		want = append(want, method+" "+id+" "+tenant)
		requests = append(requests, method+" /orders/"+id+" HTTP/1.1\r\nHost: h\r\nX-Tenant: "+tenant+"\r\nContent-Length: 0\r\nAuthorization: Bearer "+iss.Token()+"\r\n\r\n")
	}
	roundTrips(t, conn, requests, len(requests))
	_ = conn.Close()
	if err := errors.Join(app.Shutdown(), <-done); err != nil {
		t.Error(err)
	}
	for i, parts := range keptParts {
		if got := strings.Join(parts[:], " "); got != want[i] {
			t.Fatalf("request %d: %q became %q", i, want[i], got)
		}
	}
}

// Middleware may override the method. Fiber then routes by the new one, and permissions see it.
func TestGuard_MethodOverride(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	guard := fibersso.New(iss.Authenticator(iss.Config("api")), fibersso.WithTokenFrom(sso.TokenSource{}, sso.TokenFromCookie("__Host-token")))
	app := fiber.New()
	app.Use(func(c *fiber.Ctx) error {
		if method := c.Get("X-HTTP-Method-Override"); method != "" && c.Method() != method {
			c.Method(method)
			return c.RestartRouting()
		}
		return c.Next()
	})
	get := permission.Func("GET", func(_ context.Context, a sso.Access) (bool, error) { return a.Method() == http.MethodGet, nil })
	app.Use(guard.Require(permission.Any(permission.All(get, permission.Has("orders.read")), permission.Has("orders.write"))))
	app.Get("/orders", ok)
	app.Delete("/orders", ok)
	reader := iss.Token(devissuer.Permission("orders.read", true))
	both := iss.Token(devissuer.Permission("orders.read", true), devissuer.Permission("orders.write", true))
	for name, test := range map[string]struct {
		fields map[string]string
		want   int
	}{
		"a reader reads":        {map[string]string{"Authorization": "Bearer " + reader}, http.StatusOK},
		"a reader deletes":      {map[string]string{"Authorization": "Bearer " + reader, "X-HTTP-Method-Override": "DELETE"}, http.StatusForbidden},
		"a writer deletes":      {map[string]string{"Authorization": "Bearer " + both, "X-HTTP-Method-Override": "DELETE"}, http.StatusOK},
		"another site reads":    {map[string]string{"Cookie": "__Host-token=" + both, "Sec-Fetch-Site": "cross-site"}, http.StatusOK},
		"another site deletes":  {map[string]string{"Cookie": "__Host-token=" + both, "Sec-Fetch-Site": "cross-site", "X-HTTP-Method-Override": "DELETE"}, http.StatusForbidden},
		"the same site deletes": {map[string]string{"Cookie": "__Host-token=" + both, "Sec-Fetch-Site": "same-origin", "X-HTTP-Method-Override": "DELETE"}, http.StatusOK},
		"two fields, two cases": {map[string]string{"Authorization": "Bearer " + both, "Cookie": "__Host-token=" + both}, http.StatusBadRequest},
		"two other cookies":     {map[string]string{"Authorization": "Bearer " + both, "Cookie": "a=b"}, http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/orders", http.NoBody)
			for field, value := range test.fields {
				r.Header.Set(field, value)
			}
			response, err := app.Test(r, -1)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			if response.StatusCode != test.want {
				t.Errorf("%d, want %d", response.StatusCode, test.want)
			}
		})
	}
}

// A server that does not normalize field names may have two credentials under two names.
func TestGuard_FieldNamesNotNormalized(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	token := "Bearer " + iss.Token()
	for _, disabled := range []bool{false, true} {
		app := fiber.New(fiber.Config{DisableHeaderNormalizing: disabled})
		app.Get("/", fibersso.New(iss.Authenticator(iss.Config("api"))).Authenticate(), ok)
		listener := fasthttputil.NewInmemoryListener()
		go func() { _ = app.Listener(listener) }()
		for fields, want := range map[string]string{
			"Authorization: " + token + "\r\n":                                 "200",
			"authorization: " + token + "\r\n":                                 "200",
			"AUTHORIZATION: " + token + "\r\n":                                 "200",
			"Authorization: " + token + "\r\nauthorization: " + token + "\r\n": "400",
			"Authorization: " + token + "\r\nAuthorization: " + token + "\r\n": "400",
			"AUTHORIZATION: " + token + "\r\nauthorization: Basic eA==\r\n":    "400",
			"Authorization: " + token + "\r\nauthorization:\r\n":               "400",
			"authorization: " + token + "\r\nAuthorization:\r\n":               "400",
			"Authorization:\r\n":                                               "401",
		} {
			conn, err := listener.Dial()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n", fields); err != nil {
				t.Fatal(err)
			}
			answer, err := io.ReadAll(conn)
			if err != nil || len(answer) < 12 || string(answer[9:12]) != want {
				t.Errorf("normalizing disabled %v, %d fields: %.15q (%v), want %s", disabled, strings.Count(fields, "\r\n"), answer, err, want)
			}
			if err := conn.Close(); err != nil {
				t.Error(err)
			}
		}
		if err := app.Shutdown(); err != nil {
			t.Error(err)
		}
	}
}

// WithDenied may choose another status, write no body, or write it later.
func TestWithDenied_Kept(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	auth := iss.Authenticator(iss.Config("api"))
	for name, test := range map[string]struct {
		draw   func(*fiber.Ctx)
		status int
		body   string
	}{
		"a status alone":  {func(c *fiber.Ctx) { c.Status(fiber.StatusNotFound) }, fiber.StatusNotFound, ""},
		"a page with 200": {func(c *fiber.Ctx) { _ = c.Status(fiber.StatusOK).SendString("sign in") }, fiber.StatusOK, "sign in"},
		"a body alone":    {func(c *fiber.Ctx) { _ = c.SendString("no") }, fiber.StatusUnauthorized, "no"},
		"a stream":        {func(c *fiber.Ctx) { _ = c.SendStream(strings.NewReader("no")) }, fiber.StatusUnauthorized, "no"},
		"a redirect":      {func(c *fiber.Ctx) { _ = c.Redirect("/sign-in") }, fiber.StatusFound, ""},
	} {
		t.Run(name, func(t *testing.T) {
			app := fiber.New()
			app.Get("/", fibersso.New(auth, fibersso.WithDenied(func(c *fiber.Ctx, _ sso.Denial) { test.draw(c) })).Authenticate(), ok)
			if status, body := send(t, app, http.MethodGet, "/", ""); status != test.status || body != test.body {
				t.Errorf("%d %q, want %d %q", status, body, test.status, test.body)
			}
		})
	}
}

// A setting of Fiber decides whether path values are decoded. Permissions see them decoded once.
func TestGuard_PathValueDecoded(t *testing.T) {
	for _, unescape := range []bool{false, true} {
		for _, mounted := range []bool{false, true} {
			t.Run(fmt.Sprintf("UnescapePath %t, mounted %t", unescape, mounted), func(t *testing.T) {
				adaptertest.TestPathValues(t, unescape, func(auth *sso.Authenticator, p sso.Permission) ssotest.Do {
					app := fiber.New(fiber.Config{UnescapePath: unescape})
					users := app
					if mounted {
						users = fiber.New(fiber.Config{UnescapePath: !unescape}) // which Fiber ignores
					}
					users.Get("/users/:user", fibersso.New(auth).Require(p), ok)
					if mounted {
						app.Mount("/", users)
					}
					return func(r *http.Request) (*http.Response, error) { return app.Test(r, -1) }
				})
			})
		}
	}
}

func TestWithDenied_StatusThenPanic(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	guard := fibersso.New(iss.Authenticator(iss.Config("api")), fibersso.WithDenied(func(c *fiber.Ctx, _ sso.Denial) {
		_ = c.Status(fiber.StatusOK).SendString("half of it")
		panic("no template")
	}))
	app := fiber.New()
	app.Get("/", guard.Authenticate(), ok)
	if status, body := send(t, app, http.MethodGet, "/", ""); status != http.StatusUnauthorized || !strings.Contains(body, "missing_token") {
		t.Errorf("%d %q", status, body)
	}
}
