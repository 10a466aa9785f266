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
	"time"

	"github.com/more-retail/moresso-go/core/adaptertest"
	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/core/ssotest"
	"github.com/more-retail/moresso-go/httpsso"
)

// ask sends a request with a token, or without one if that is empty.
func ask(handler http.Handler, method, path, token string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, http.NoBody)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w
}

func ok(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "in") }

func TestNestedGuardsAddUp(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	guard := httpsso.New(iss.Authenticator(iss.Config("api")))
	inner := http.NewServeMux()
	inner.Handle("GET /admin/all", guard.Require(permission.Role("admin"))(http.HandlerFunc(ok)))
	outer := http.NewServeMux()
	outer.Handle("/orders/", http.StripPrefix("/orders", guard.Require(permission.Has("orders.read"))(inner)))
	whole := guard.Authenticate()(outer)
	for name, c := range map[string]struct {
		token string
		want  int
	}{
		"nobody":          {"", 401},
		"neither":         {iss.Token(), 403},
		"the outer alone": {iss.Token(devissuer.Permission("orders.read", true)), 403},
		"the inner alone": {iss.Token(devissuer.Claim("roles", "admin")), 403},
		"both":            {iss.Token(devissuer.Permission("orders.read", true), devissuer.Claim("roles", "admin")), 200},
	} {
		if got := ask(whole, "GET", "/orders/admin/all", c.token).Code; got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

func TestFilesAndSubtreesAreGuarded(t *testing.T) {
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
			if w := ask(mux, method, path, ""); w.Code < 300 || strings.Contains(w.Body.String(), "secret") && !strings.Contains(w.Header().Get("Location"), "secret") {
				t.Errorf("%s %s: %d %s", method, path, w.Code, w.Body)
			}
		}
	}
	if w := ask(mux, "GET", "/files/secret.txt", iss.Token()); w.Code != 200 || w.Body.String() != "secret" {
		t.Errorf("with a token: %d %s", w.Code, w.Body)
	}
}

func TestTheHandlersOwnPanicsAreItsOwn(t *testing.T) {
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
	if w := ask(recovering, "GET", "/", iss.Token()); w.Code != http.StatusTeapot {
		t.Errorf("the handler's panic became %d %s", w.Code, w.Body)
	}
}

// Server-sent events and hijacked connections outlive the check; the principal tells its end.
func TestStreamsAndHijackingWorkBehindTheGuard(t *testing.T) {
	adaptertest.CheckLeaks(t)
	iss := ssotest.NewIssuer(t)
	guard := httpsso.New(iss.Authenticator(iss.Config("api")))
	mux := http.NewServeMux()
	next := make(chan string, 1) // the response begins with the first event
	mux.HandleFunc("GET /events", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := sso.WithExpiry(r.Context())
		defer cancel()
		w.Header().Set("Content-Type", "text/event-stream")
		controller := http.NewResponseController(w)
		if err := controller.SetWriteDeadline(time.Time{}); err != nil {
			t.Error(err)
		}
		for {
			select {
			case event, more := <-next:
				if !more {
					return
				}
				p, _ := httpsso.Principal(r)
				_, _ = io.WriteString(w, event+" "+p.Subject()+"\n")
				if err := controller.Flush(); err != nil {
					t.Error(err)
				}
				if _, ok := w.(http.Flusher); !ok {
					t.Error("no http.Flusher")
				}
			case <-ctx.Done():
				return
			}
		}
	})
	mux.HandleFunc("GET /socket", func(w http.ResponseWriter, r *http.Request) {
		hijacker, isOne := w.(http.Hijacker)
		if !isOne {
			t.Error("no http.Hijacker")
			return
		}
		conn, buffered, err := hijacker.Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = conn.Close() }()
		p, _ := httpsso.Principal(r)
		_, _ = buffered.WriteString("HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\nhello " + p.Subject() + "\n")
		_ = buffered.Flush()
	})
	adaptertest.TestStreams(t, ssotest.Serve(t, guard.Authenticate()(mux)), iss.Token(), next)
}
