package echosso_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/ssotest"
	"github.com/more-retail/moresso-go/echosso"
)

func TestAHandlerAloneKnowsThePrincipalOfATestsRequestAndNoGuardTakesItForALogin(t *testing.T) {
	iss := ssotest.NewIssuer(t, ssotest.FastKeys())
	guard := echosso.New(iss.Authenticator(iss.Config("orders-api")))
	e := echo.New()
	name := func(c echo.Context) error {
		principal, _ := echosso.Principal(c)
		return c.String(http.StatusOK, principal.Subject())
	}
	e.GET("/alone", name)
	e.GET("/optional", name, guard.Optional())
	e.GET("/authenticated", name, guard.Authenticate())
	e.GET("/required", name, guard.Require(permission.Authenticated()))
	for path, want := range map[string]struct {
		status int
		body   string
	}{"/alone": {200, "grace"}, "/optional": {200, ""}, "/authenticated": {status: 401}, "/required": {status: 401}} {
		w := httptest.NewRecorder()
		e.ServeHTTP(w, ssotest.Request(ssotest.NewPrincipal(ssotest.Subject("grace")), ssotest.Path(path)))
		if w.Code != want.status || w.Code == http.StatusOK && w.Body.String() != want.body {
			t.Errorf("%s: %d %s, want %v", path, w.Code, w.Body, want)
		}
	}
}

func TestAContextWithoutARequestHasNoPrincipal(t *testing.T) {
	if principal, found := echosso.Principal(echo.New().NewContext(nil, httptest.NewRecorder())); found || principal != nil {
		t.Errorf("%v, %t", principal, found)
	}
}
