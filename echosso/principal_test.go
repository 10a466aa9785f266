package echosso_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/ssotest"
	"github.com/more-retail/moresso-go/echosso"
)

func TestPrincipal_FromTestRequest(t *testing.T) {
	iss := ssotest.NewIssuer(t, ssotest.FastKeys())
	guard := echosso.New(iss.Authenticator(iss.Config("orders-api")))
	e := echo.New()
	name := func(c echo.Context) error {
		principal, _ := echosso.Principal(c)
		return c.String(http.StatusOK, principal.Subject())
	}
	e.GET("/alone", name)
	e.GET("/optional", name, guard.Optional())
	e.GET("/replaced", name, guard.Optional(), func(next echo.HandlerFunc) echo.HandlerFunc { // by a later middleware
		return func(c echo.Context) error {
			c.SetRequest(c.Request().WithContext(ssotest.Context(c.Request().Context(), ssotest.NewPrincipal(devissuer.Subject("grace")))))
			return next(c)
		}
	})
	e.GET("/authenticated", name, guard.Authenticate())
	e.GET("/required", name, guard.Require(permission.Authenticated()))
	for path, want := range map[string]struct {
		status int
		body   string
	}{"/alone": {200, "grace"}, "/optional": {200, ""}, "/replaced": {200, ""}, "/authenticated": {status: 401}, "/required": {status: 401}} {
		w := httptest.NewRecorder()
		e.ServeHTTP(w, ssotest.Request(ssotest.NewPrincipal(devissuer.Subject("grace")), httptest.NewRequest(http.MethodGet, path, http.NoBody)))
		if w.Code != want.status || w.Code == http.StatusOK && w.Body.String() != want.body {
			t.Errorf("%s: %d %s, want %v", path, w.Code, w.Body, want)
		}
	}
	if _, ok := echosso.Principal(e.NewContext(nil, nil)); ok {
		t.Error("a context without a request has a principal")
	}
}
