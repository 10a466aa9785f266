package sso_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/sso"
)

func TestAVariableThatIsMeantForUsIsSpeltRight(t *testing.T) {
	for name, meant := range map[string]string{
		"SSO_ISUER": "SSO_ISSUER", "SSO_ALGORITHM": "SSO_ALGORITHMS", "SSO_ALGORIHTMS": "SSO_ALGORITHMS", "sso_issuer": "SSO_ISSUER", "SSO_AUDIENC": "", // which is set
		"SSO_RAELM": "SSO_REALM", "SSO_REALMS": "SSO_REALM",
		"SSO_RAELMS": "", "SSO_REAML": "SSO_REALM", "SSO_XLAMX": "", "SSO_TOKEN": "", "SO_ISSUER": "", "XSSO_ISSUER": "", "ISO_ISSUER": "", "SSO_PUBLIC_KEY_URL": "",
	} {
		for value, meant := range map[string]string{"x": meant, "": ""} {
			t.Run(name+"="+value, func(t *testing.T) {
				setEnv(t, "SSO_PUBLIC_KEY_URI", jwksURL, "SSO_AUDIENCE", "api")
				t.Setenv(name, value)
				_, err := sso.ConfigFromEnv()
				if meant == "" {
					if err != nil {
						t.Error(err)
					}
					return
				}
				var faults *sso.ConfigError
				if !errors.As(err, &faults) || len(faults.Faults) != 1 || faults.Faults[0].Setting != name || !strings.Contains(err.Error(), "is no setting, and looks like "+meant) {
					t.Errorf("%v, want one that means %s", err, meant)
				}
			})
		}
	}
}

func TestVariablesCanBeKeptElsewhere(t *testing.T) {
	t.Setenv("SSO_AUDIENCE", "of-the-environment")
	got, err := sso.ConfigFromLookup(func(name string) string {
		return map[string]string{"SSO_PUBLIC_KEY_URI": "https://login.example.com/jwks.json", "AUDIENCE": "orders-api, shop", "SSO_LEEWAY": "5s"}[name]
	})
	if err != nil || !slices.Equal(got.Audience, []string{"orders-api", "shop"}) || got.Leeway != 5*time.Second {
		t.Errorf("%+v, %v", got, err)
	}
	_, err = sso.ConfigFromLookup(func(string) string { return "" })
	var faults *sso.ConfigError
	if !errors.As(err, &faults) || len(faults.Faults) != 2 || faults.Faults[1].Setting != "SSO_AUDIENCE" {
		t.Errorf("%v", err)
	}
}
