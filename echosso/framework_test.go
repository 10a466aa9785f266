package echosso_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
	echomw "github.com/labstack/echo/v4/middleware"

	"github.com/more-retail/moresso-go/core/adaptertest"
	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/core/ssotest"
	"github.com/more-retail/moresso-go/echosso"
)

// send sends a request with a token, or without one if that is empty.
func send(handler http.Handler, method, path, token string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, http.NoBody)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w
}

func ok(c echo.Context) error { return c.String(http.StatusOK, "in") }

func TestGuard_NestedGroups(t *testing.T) {
	adaptertest.TestNested(t, func(auth *sso.Authenticator, outer, inner sso.Permission) ssotest.Do {
		guard := echosso.New(auth)
		e := echo.New()
		e.Use(guard.Authenticate())
		e.Group("/orders", guard.Require(outer)).Group("/admin", guard.Require(inner)).GET("/all", ok)
		return ssotest.InProcess(e)
	})
}

func TestGuard_StaticFiles(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	guard := echosso.New(iss.Authenticator(iss.Config("api")))
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "secret.txt"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	e := echo.New()
	e.Pre(echomw.RemoveTrailingSlash())
	e.Group("/files", guard.Authenticate()).Static("/", folder)
	e.GET("/admin", ok, guard.Authenticate())
	for _, path := range []string{"/files/secret.txt", "/files/../files/secret.txt", "/files//secret.txt", "/files/%73ecret.txt", "/admin", "/admin/", "/ADMIN", "/%61dmin", "/x/../admin", "/nowhere"} {
		for _, method := range []string{"GET", "HEAD"} {
			if w := send(e, method, path, ""); w.Code < 300 || strings.Contains(w.Body.String(), "secret") {
				t.Errorf("%s %s: %d %s", method, path, w.Code, w.Body)
			}
		}
	}
	if w := send(e, "GET", "/files/secret.txt", iss.Token()); w.Code != 200 || w.Body.String() != "secret" {
		t.Errorf("with a token: %d %s", w.Code, w.Body)
	}
}

// If a header may change the method before routing, permission and handler see the same method.
func TestGuard_MethodOverride(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	guard := echosso.New(iss.Authenticator(iss.Config("api")))
	e := echo.New()
	e.Pre(echomw.MethodOverride())
	readOnly := guard.Require(permission.Func("method", func(_ context.Context, a sso.Access) (bool, error) {
		return a.Method() == http.MethodGet || a.Method() == http.MethodPost, nil
	}))
	e.Any("/orders", func(c echo.Context) error { return c.String(http.StatusOK, c.Request().Method) }, readOnly)
	for override, want := range map[string]int{"": 200, "DELETE": 403} {
		r := httptest.NewRequest(http.MethodPost, "/orders", http.NoBody)
		r.Header.Set("Authorization", "Bearer "+iss.Token())
		if override != "" {
			r.Header.Set(echo.HeaderXHTTPMethodOverride, override)
		}
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%q: %d %s, want %d", override, w.Code, w.Body, want)
		}
	}
}

func TestGuard_HandlerErrorAndPanic(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	guard := echosso.New(iss.Authenticator(iss.Config("api")))
	own := errors.New("own")
	var seen error
	e := echo.New()
	e.HTTPErrorHandler = func(err error, c echo.Context) {
		seen = err
		_ = c.NoContent(http.StatusTeapot)
	}
	e.Use(echomw.RecoverWithConfig(echomw.RecoverConfig{LogErrorFunc: func(_ echo.Context, err error, _ []byte) error { return err }}))
	e.GET("/error", func(echo.Context) error { return own }, guard.Authenticate())
	e.GET("/panic", func(echo.Context) error { panic(own) }, guard.Authenticate())
	for _, path := range []string{"/error", "/panic"} {
		seen = nil
		if w := send(e, "GET", path, iss.Token()); w.Code != http.StatusTeapot || !errors.Is(seen, own) {
			t.Errorf("%s: %d, and the error became %v", path, w.Code, seen)
		}
	}
	seen = nil
	if w := send(e, "GET", "/error", ""); w.Code != 401 || seen != nil {
		t.Errorf("a refusal became %d and an error: %v", w.Code, seen)
	}
}

func TestGuard_StreamAndHijack(t *testing.T) {
	adaptertest.TestStreams(t, func(auth *sso.Authenticator, events, socket http.Handler) http.Handler {
		e := echo.New()
		e.Use(echosso.New(auth).Authenticate())
		e.GET("/events", echo.WrapHandler(events))
		e.GET("/socket", echo.WrapHandler(socket))
		return e
	})
}

func TestNew_Mistakes(t *testing.T) {
	adaptertest.TestMistakes(t, func(l adaptertest.Layer) { middleware(l) })
}

// The framework reuses its context for the next request, so a goroutine takes the principal before.
func TestPrincipal_KeptContext(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	guard := echosso.New(iss.Authenticator(iss.Config("api")))
	var (
		kept   echo.Context
		before *sso.Principal
	)
	engine := echo.New()
	engine.GET("/", func(c echo.Context) error {
		principal, _ := echosso.Principal(c) // before the goroutine
		kept, before = c, principal
		return nil
	}, guard.Authenticate())
	ann, bob := iss.Token(devissuer.Subject("ann")), iss.Token(devissuer.Subject("bob"))
	reused := false
	for range 100 { // a pool may also make a new one
		send(engine, http.MethodGet, "/", ann)
		c, principal := kept, before
		send(engine, http.MethodGet, "/", bob)
		if principal.Subject() != "ann" {
			t.Fatalf("ann became %s", principal.Subject())
		}
		after, _ := echosso.Principal(c)
		reused = reused || after.Subject() == "bob"
	}
	if !reused {
		t.Error("the context is not reused any more: correct docs/ADAPTERS.md")
	}
}

func TestGuard_PathValueDecoded(t *testing.T) {
	adaptertest.TestPathValues(t, false, func(auth *sso.Authenticator, p sso.Permission) ssotest.Do {
		e := echo.New()
		e.GET("/users/:user", ok, echosso.New(auth).Require(p))
		return ssotest.InProcess(e)
	})
}

func TestWithDenied_ResponseController(t *testing.T) {
	adaptertest.TestResponseController(t, func(auth *sso.Authenticator, denied func(http.ResponseWriter)) http.Handler {
		e := echo.New()
		e.GET("/", ok, echosso.New(auth, echosso.WithDenied(func(c echo.Context, _ sso.Denial) { denied(c.Response()) })).Authenticate())
		return e
	})
}
