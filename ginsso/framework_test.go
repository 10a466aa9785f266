package ginsso_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/more-retail/moresso-go/core/adaptertest"
	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/core/ssotest"
	"github.com/more-retail/moresso-go/ginsso"
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

func ok(c *gin.Context) { c.String(http.StatusOK, "in") }

func TestGuard_NestedGroups(t *testing.T) {
	adaptertest.TestNested(t, func(auth *sso.Authenticator, outer, inner sso.Permission) ssotest.Do {
		guard := ginsso.New(auth)
		engine := gin.New()
		engine.Use(guard.Authenticate())
		engine.Group("/orders", guard.Require(outer)).Group("/admin", guard.Require(inner)).GET("/all", ok)
		return ssotest.InProcess(engine)
	})
}

// Settings of Gin decide whether Gin decodes path values. Permissions always see them decoded once.
func TestGuard_PathValueDecoded(t *testing.T) {
	for name, set := range map[string]func(*gin.Engine){
		"by default":                        func(*gin.Engine) {},
		"UseRawPath":                        func(e *gin.Engine) { e.UseRawPath = true },
		"UseRawPath, not unescaped":         func(e *gin.Engine) { e.UseRawPath, e.UnescapePathValues = true, false },
		"UseEscapedPath":                    func(e *gin.Engine) { e.UseEscapedPath = true },
		"UseEscapedPath, not unescaped":     func(e *gin.Engine) { e.UseEscapedPath, e.UnescapePathValues = true, false },
		"UnescapePathValues without either": func(e *gin.Engine) { e.UnescapePathValues = false },
	} {
		for _, slashes := range []bool{false, true} {
			for _, catchAll := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, RemoveExtraSlash %t, catch-all %t", name, slashes, catchAll), func(t *testing.T) {
					adaptertest.TestPathValues(t, name == "UseEscapedPath", func(auth *sso.Authenticator, p sso.Permission) ssotest.Do {
						engine := gin.New()
						engine.RemoveExtraSlash = slashes
						set(engine)
						if catchAll {
							engine.GET("/:kind/*user", ginsso.New(auth).Require(permission.Func("user", func(ctx context.Context, a sso.Access) (bool, error) {
								return "/"+a.Principal().Subject() == a.PathValue("user"), nil
							})), ok)
						} else {
							engine.GET("/users/:user", ginsso.New(auth).Require(p), ok)
						}
						return ssotest.InProcess(engine)
					})
				})
			}
		}
	}
}

// A path from which it does not follow how Gin read the value gives an empty one.
func TestGuard_PathValueAmbiguous(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	guard := ginsso.New(iss.Authenticator(iss.Config("api")))
	engine := gin.New()
	engine.UseEscapedPath, engine.UnescapePathValues, engine.RemoveExtraSlash = true, false, true
	own := guard.Require(permission.SameAsPath("sub", "user"))
	engine.GET("/users/:user", own, ok)
	engine.GET("/other/:user", func(c *gin.Context) { c.Request.URL.Path = "/elsewhere" }, own, ok)
	for _, path := range []string{"/users/%252561/x%2Fy/../../%2561/k%2F%2e%2e/..", "/other/%2561"} {
		for _, subject := range []string{"a", "%2561"} {
			if w := send(engine, "GET", path, iss.Token(devissuer.Subject(subject))); w.Code != http.StatusForbidden {
				t.Errorf("%s: %d for %q", path, w.Code, subject)
			}
		}
	}
}

func TestWithDenied_ResponseController(t *testing.T) {
	adaptertest.TestResponseController(t, func(auth *sso.Authenticator, denied func(http.ResponseWriter)) http.Handler {
		engine := gin.New()
		engine.GET("/", ginsso.New(auth, ginsso.WithDenied(func(c *gin.Context, _ sso.Denial) { denied(c.Writer) })).Authenticate(), ok)
		return engine
	})
}

func TestGuard_StaticFiles(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	guard := ginsso.New(iss.Authenticator(iss.Config("api")))
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "secret.txt"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	engine := gin.New()
	engine.RedirectFixedPath, engine.HandleMethodNotAllowed = true, true
	files := engine.Group("/files", guard.Authenticate())
	files.Static("/", folder)
	engine.GET("/admin", guard.Authenticate(), ok)
	engine.NoRoute(guard.Authenticate(), ok)
	for _, path := range []string{"/files/secret.txt", "/files/../files/secret.txt", "/files//secret.txt", "/files/%73ecret.txt", "/admin", "/admin/", "/ADMIN", "/%61dmin", "/x/../admin", "/nowhere"} {
		for _, method := range []string{"GET", "HEAD"} {
			if w := send(engine, method, path, ""); w.Code < 300 || strings.Contains(w.Body.String(), "secret") && !strings.Contains(w.Header().Get("Location"), "secret") {
				t.Errorf("%s %s: %d %s", method, path, w.Code, w.Body)
			}
		}
	}
	if w := send(engine, "GET", "/files/secret.txt", iss.Token()); w.Code != 200 || w.Body.String() != "secret" {
		t.Errorf("with a token: %d %s", w.Code, w.Body)
	}
}

func TestGuard_HandlerErrorAndPanic(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	guard := ginsso.New(iss.Authenticator(iss.Config("api")))
	own := errors.New("own")
	var seen error
	engine := gin.New()
	engine.Use(gin.CustomRecoveryWithWriter(io.Discard, func(c *gin.Context, v any) { c.String(http.StatusTeapot, "%v", v) }))
	engine.Use(func(c *gin.Context) {
		c.Next()
		seen = nil
		if last := c.Errors.Last(); last != nil {
			seen = last.Err
		}
	})
	engine.GET("/error", guard.Authenticate(), func(c *gin.Context) { _ = c.Error(own) })
	engine.GET("/panic", guard.Authenticate(), func(*gin.Context) { panic("own") })
	send(engine, "GET", "/error", iss.Token())
	if !errors.Is(seen, own) {
		t.Errorf("the handler's error became %v", seen)
	}
	send(engine, "GET", "/error", "")
	if seen != nil {
		t.Errorf("a refusal became an error: %v", seen)
	}
	if w := send(engine, "GET", "/panic", iss.Token()); w.Code != http.StatusTeapot || w.Body.String() != "own" {
		t.Errorf("the handler's panic became %d %s", w.Code, w.Body)
	}
}

func TestGuard_ContextWithFallback(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	guard := ginsso.New(iss.Authenticator(iss.Config("api")))
	for fallback := range map[bool]bool{true: true, false: true} {
		engine := gin.New()
		engine.ContextWithFallback = fallback
		engine.GET("/", guard.Authenticate(), func(c *gin.Context) {
			p, found := sso.FromContext(context.Context(c))
			c.String(http.StatusOK, "%t %s", found, p.Subject())
		})
		if w := send(engine, "GET", "/", iss.Token()); w.Body.String() != "true ada" {
			t.Errorf("fallback %t: %q", fallback, w.Body)
		}
	}
}

func TestGuard_StreamAndHijack(t *testing.T) {
	adaptertest.TestStreams(t, func(auth *sso.Authenticator, events, socket http.Handler) http.Handler {
		engine := gin.New()
		engine.Use(ginsso.New(auth).Authenticate())
		engine.GET("/events", gin.WrapH(events))
		engine.GET("/socket", gin.WrapH(socket))
		return engine
	})
}

func TestNew_Mistakes(t *testing.T) {
	adaptertest.TestMistakes(t, func(l adaptertest.Layer) { middleware(l) })
}

func TestWithDenied_StatusThenPanic(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	guard := ginsso.New(iss.Authenticator(iss.Config("api")), ginsso.WithDenied(func(c *gin.Context, _ sso.Denial) {
		c.Status(http.StatusOK)
		panic("no template")
	}))
	engine := gin.New()
	engine.GET("/", guard.Authenticate(), func(c *gin.Context) { t.Error("the handler ran") })
	w := httptest.NewRecorder()
	engine.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", http.NoBody))
	if w.Code != http.StatusUnauthorized || w.Body.Len() == 0 {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}

// A redirect needs no body.
func TestWithDenied_StatusOnly(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	guard := ginsso.New(iss.Authenticator(iss.Config("api")), ginsso.WithDenied(func(c *gin.Context, _ sso.Denial) {
		c.Header("Location", "/sign-in")
		c.Status(http.StatusSeeOther)
	}))
	engine := gin.New()
	engine.GET("/", guard.Authenticate(), ok)
	if w := send(engine, http.MethodGet, "/", ""); w.Code != http.StatusSeeOther || w.Body.Len() > 0 {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}

// The framework reuses its context for the next request, so a goroutine takes the principal before.
func TestPrincipal_KeptContext(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	guard := ginsso.New(iss.Authenticator(iss.Config("api")))
	var (
		kept   *gin.Context
		before *sso.Principal
	)
	engine := gin.New()
	engine.GET("/", guard.Authenticate(), func(c *gin.Context) {
		principal, _ := ginsso.Principal(c) // before the goroutine
		kept, before = c, principal
	})
	ann, bob := iss.Token(devissuer.Subject("ann")), iss.Token(devissuer.Subject("bob"))
	reused := false
	for range 100 { // a pool may also make a new one
		send(engine, http.MethodGet, "/", ann)
		c, principal := kept, before
		send(engine, http.MethodGet, "/", bob)
		if principal.Subject() != "ann" {
			t.Fatalf("ann became %s", principal.Subject())
		}
		after, _ := ginsso.Principal(c)
		reused = reused || after.Subject() == "bob"
	}
	if !reused {
		t.Error("the context is not reused any more: correct docs/ADAPTERS.md")
	}
}
