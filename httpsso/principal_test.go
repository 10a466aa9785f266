package httpsso_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/ssotest"
	"github.com/more-retail/moresso-go/httpsso"
)

func TestPrincipal_FromTestRequest(t *testing.T) {
	iss := ssotest.NewIssuer(t, ssotest.FastKeys())
	guard := httpsso.New(iss.Authenticator(iss.Config("orders-api")))
	grace := ssotest.NewPrincipal(devissuer.Subject("grace"))
	for name, c := range map[string]struct {
		handler http.Handler
		status  int
		body    string
	}{
		"alone":         {listOrders, 200, "orders of grace"},
		"optional":      {guard.Optional()(listOrders), 200, "orders of "},
		"authenticated": {handler: guard.Authenticate()(listOrders), status: 401},
		"required":      {handler: guard.Require(permission.Authenticated())(listOrders), status: 401},
	} {
		w := httptest.NewRecorder()
		c.handler.ServeHTTP(w, ssotest.Request(grace, nil))
		if w.Code != c.status || w.Code == http.StatusOK && w.Body.String() != c.body {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}
