package httpsso_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/more-retail/moresso-go/core/ssotest"
	"github.com/more-retail/moresso-go/httpsso"
)

func TestAssertProtected(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	guard := httpsso.New(iss.Authenticator(iss.Config("orders-api")))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", ok)
	mux.Handle("GET /orders", guard.Authenticate()(http.HandlerFunc(ok)))
	mux.Handle("DELETE /orders/{id}", guard.Authenticate()(http.HandlerFunc(ok)))

	routes := []string{"GET /orders", "DELETE /orders/{id}", "GET /health"} // as you registered them
	ssotest.AssertProtected(t, routes, ssotest.InProcess(mux), "GET /health")

	mux.HandleFunc("POST /orders", ok)
	if open := ssotest.OpenRoutes(t, append(routes, "POST /orders"), ssotest.InProcess(mux)); !slices.Equal(open, []string{"GET /health", "POST /orders"}) {
		t.Errorf("open: %q", open)
	}
}

// A guard on a part of an open tree of files is evaded by other spellings, and AssertProtected says so.
func TestAssertProtected_OpenTree(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	guard := httpsso.New(iss.Authenticator(iss.Config("orders-api")))
	files := http.FileServerFS(fstest.MapFS{"index.html": {Data: []byte("welcome")}, "admin/secret.txt": {Data: []byte("secret")}})
	mux := http.NewServeMux()
	mux.Handle("/", files)
	mux.Handle("/admin/", guard.Authenticate()(files))
	r := httptest.NewRequest(http.MethodGet, "/admin%2Fsecret.txt", http.NoBody)
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	if w.Body.String() != "secret" {
		t.Fatalf("ServeMux is safe now: %d %s", w.Code, w.Body)
	}
	found := &failures{TB: t}
	ssotest.AssertProtected(found, []string{"/", "/admin/"}, ssotest.InProcess(mux), "/")
	if len(found.list) != 1 || !strings.Contains(found.list[0], "another spelling") {
		t.Errorf("found %q", found.list)
	}
	separate := http.NewServeMux()
	separate.Handle("/", http.FileServerFS(fstest.MapFS{"index.html": {Data: []byte("welcome")}}))
	separate.Handle("/admin/", guard.Authenticate()(files))
	ssotest.AssertProtected(t, []string{"/", "/admin/"}, ssotest.InProcess(separate), "/")
}

// failures is a testing.TB that records its errors.
type failures struct {
	testing.TB
	list []string
}

func (f *failures) Helper() {}
func (f *failures) Errorf(format string, args ...any) {
	f.list = append(f.list, fmt.Sprintf(format, args...))
}
