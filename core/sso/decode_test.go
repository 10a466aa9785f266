package sso_test

import (
	"testing"

	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
)

// A guard and a handler must see the same claims.
func TestPrincipal_DecodeExactNames(t *testing.T) {
	for claims, want := range map[string]string{
		`"tenant":"acme"`:                                 "acme",
		`"tenant":"acme","Tenant":"globex"`:               "acme",
		`"Tenant":"globex","tenant":"acme"`:               "acme",
		`"TENANT":"globex"`:                               "",
		`"tenant":"acme","ten\u0061nt_":"x"`:              "acme",
		"\"tenant\":\"acme\",\"\u017ftenant\":\"globex\"": "acme",
		"\"tenant\":\"acme\",\"tena\u0274t\":\"globex\"":  "acme",
		"\"tenant\":\"acme\",\"Te\u004eant\":\"globex\"":  "acme",
		`"tenant":null`:                                   "",
	} {
		p := validated(t, token("x", `1,`+claims), func(*sso.Config) {})
		var decoded struct {
			Tenant string `json:"tenant"`
		}
		if err := p.Decode(&decoded); err != nil || decoded.Tenant != want {
			t.Errorf("%s: decoded %q, %v; want %q", claims, decoded.Tenant, err, want)
		}
		for _, tenant := range []string{"acme", "globex"} {
			granted := sso.Check(t.Context(), permission.Claim("tenant", tenant), sso.NewAccess(p, nil)).Granted()
			if granted != (decoded.Tenant == tenant) {
				t.Errorf("%s: the permission for %s grants %v, and the handler sees %q", claims, tenant, granted, decoded.Tenant)
			}
		}
	}
}
