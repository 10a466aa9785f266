package httpsso_test

import (
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
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("it was accepted")
				}
			}()
			build()
		})
	}
}
