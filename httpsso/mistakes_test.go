package httpsso_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/more-retail/moresso-go/core/adaptertest"
	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/ssotest"
	"github.com/more-retail/moresso-go/httpsso"
)

func TestNew_Mistakes(t *testing.T) {
	adaptertest.TestMistakes(t, func(l adaptertest.Layer) { middleware(l) })
	iss := ssotest.NewIssuer(t)
	guard := httpsso.New(iss.Authenticator(iss.Config("api")))
	for name, build := range map[string]func(){
		"a nil permission":       func() { guard.Require(permission.Has("a"), nil) },
		"no handler":             func() { guard.Authenticate()(nil) },
		"no handler to require":  func() { guard.Require(permission.Has("a"))(http.HandlerFunc(nil)) },
		"no handler, optionally": func() { guard.Optional()(nil) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				v := recover()
				if v == nil {
					t.Error("no panic")
				}
				if text := fmt.Sprint(v); strings.HasSuffix(name, "permission") && !strings.HasPrefix(text, "permission: Require with a nil permission") {
					t.Errorf("the panic is %q", text)
				}
			}()
			build()
		})
	}
}
