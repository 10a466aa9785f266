package httpsso_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/more-retail/moresso-go/core/adaptertest"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/core/ssotest"
	"github.com/more-retail/moresso-go/httpsso"
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

func ok(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "in") }

func TestGuard_Nested(t *testing.T) {
	adaptertest.TestNested(t, func(auth *sso.Authenticator, outer, inner sso.Permission) ssotest.Do {
		guard := httpsso.New(auth)
		admin := http.NewServeMux()
		admin.Handle("GET /admin/all", guard.Require(inner)(http.HandlerFunc(ok)))
		mux := http.NewServeMux()
		mux.Handle("/orders/", http.StripPrefix("/orders", guard.Require(outer)(admin)))
		return ssotest.InProcess(guard.Authenticate()(mux))
	})
}

func TestGuard_StaticFiles(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	guard := httpsso.New(iss.Authenticator(iss.Config("api")))
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "secret.txt"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/files/", guard.Authenticate()(http.StripPrefix("/files", http.FileServer(http.Dir(folder)))))
	mux.Handle("GET /admin/", guard.Authenticate()(http.HandlerFunc(ok)))
	for _, path := range []string{"/files/secret.txt", "/files/../files/secret.txt", "/files//secret.txt", "/files/%73ecret.txt", "/admin", "/admin/", "/ADMIN/", "/%61dmin/", "/x/../admin/", "/admin/%2e%2e/admin/", "/nowhere"} {
		for _, method := range []string{"GET", "HEAD"} {
			if w := send(mux, method, path, ""); w.Code < 300 || strings.Contains(w.Body.String(), "secret") && !strings.Contains(w.Header().Get("Location"), "secret") {
				t.Errorf("%s %s: %d %s", method, path, w.Code, w.Body)
			}
		}
	}
	if w := send(mux, "GET", "/files/secret.txt", iss.Token()); w.Code != 200 || w.Body.String() != "secret" {
		t.Errorf("with a token: %d %s", w.Code, w.Body)
	}
}

func TestGuard_HandlerPanic(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	guard := httpsso.New(iss.Authenticator(iss.Config("api")))
	own := errors.New("own")
	handler := guard.Authenticate()(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(own) }))
	recovering := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if v := recover(); v != nil && v == any(own) {
				w.WriteHeader(http.StatusTeapot)
			}
		}()
		handler.ServeHTTP(w, r)
	})
	if w := send(recovering, "GET", "/", iss.Token()); w.Code != http.StatusTeapot {
		t.Errorf("the handler's panic became %d %s", w.Code, w.Body)
	}
}

func TestGuard_StreamAndHijack(t *testing.T) {
	adaptertest.TestStreams(t, func(auth *sso.Authenticator, events, socket http.Handler) http.Handler {
		mux := http.NewServeMux()
		mux.Handle("GET /events", events)
		mux.Handle("GET /socket", socket)
		return httpsso.New(auth).Authenticate()(mux)
	})
}

func TestGuard_PathValueDecoded(t *testing.T) {
	for _, pattern := range []string{"/users/{user}", "GET /{kind}/{user...}"} {
		adaptertest.TestPathValues(t, false, func(auth *sso.Authenticator, p sso.Permission) ssotest.Do {
			mux := http.NewServeMux()
			mux.Handle(pattern, httpsso.New(auth).Require(p)(http.HandlerFunc(ok)))
			return ssotest.InProcess(mux)
		})
	}
}

func TestWithDenied_ResponseController(t *testing.T) {
	adaptertest.TestResponseController(t, func(auth *sso.Authenticator, denied func(http.ResponseWriter)) http.Handler {
		draw := httpsso.WithDenied(func(w http.ResponseWriter, _ *http.Request, _ sso.Denial) { denied(w) })
		return httpsso.New(auth, draw).Authenticate()(http.HandlerFunc(ok))
	})
}
