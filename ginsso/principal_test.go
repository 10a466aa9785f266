package ginsso_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/ssotest"
	"github.com/more-retail/moresso-go/ginsso"
)

func TestPrincipal_FromTestRequest(t *testing.T) {
	iss := ssotest.NewIssuer(t, ssotest.FastKeys())
	guard := ginsso.New(iss.Authenticator(iss.Config("orders-api")))
	engine := gin.New()
	name := func(c *gin.Context) {
		principal, _ := ginsso.Principal(c)
		c.String(http.StatusOK, principal.Subject())
	}
	engine.GET("/alone", name)
	engine.GET("/optional", guard.Optional(), name)
	engine.GET("/replaced", guard.Optional(), func(c *gin.Context) { // by a later middleware
		c.Request = c.Request.WithContext(ssotest.Context(c.Request.Context(), ssotest.NewPrincipal(devissuer.Subject("grace"))))
	}, name)
	engine.GET("/authenticated", guard.Authenticate(), name)
	engine.GET("/required", guard.Require(permission.Authenticated()), name)
	for path, want := range map[string]struct {
		status int
		body   string
	}{"/alone": {200, "grace"}, "/optional": {200, ""}, "/replaced": {200, ""}, "/authenticated": {status: 401}, "/required": {status: 401}} {
		w := httptest.NewRecorder()
		engine.ServeHTTP(w, ssotest.Request(ssotest.NewPrincipal(devissuer.Subject("grace")), httptest.NewRequest(http.MethodGet, path, http.NoBody)))
		if w.Code != want.status || w.Code == http.StatusOK && w.Body.String() != want.body {
			t.Errorf("%s: %d %s, want %v", path, w.Code, w.Body, want)
		}
	}
	if _, ok := ginsso.Principal(&gin.Context{}); ok {
		t.Error("a context without a request has a principal")
	}
}
