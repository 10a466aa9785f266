package httpsso_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/ssotest"
	"github.com/more-retail/moresso-go/httpsso"
)

// What cannot protect anything must not be found out by the first attacker.
func TestMistakesPanicAtStartUp(t *testing.T) {
	iss := ssotest.NewIssuer(t)
	guard := httpsso.New(iss.Authenticator(iss.Config("api")))
	for name, build := range map[string]func(){
		"no authenticator":       func() { httpsso.New(nil) },
		"no permission":          func() { guard.Require(nil) },
		"a nil permission":       func() { guard.Require(permission.Has("a"), nil) },
		"nothing but a negation": func() { guard.Require(permission.Not(permission.Has("a"))) },
		"no handler":             func() { guard.Authenticate()(nil) },
		"no handler to require":  func() { guard.Require(permission.Has("a"))(http.HandlerFunc(nil)) },
		"no handler, optionally": func() { guard.Optional()(nil) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				v := recover()
				if v == nil {
					t.Error("it was accepted")
				}
				if text := fmt.Sprint(v); strings.HasSuffix(name, "permission") && !strings.HasPrefix(text, "permission: Require with a nil permission") {
					t.Errorf("the mistake is called %q", text)
				}
			}()
			build()
		})
	}
}
