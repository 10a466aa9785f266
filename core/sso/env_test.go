package sso_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/sso"
)

func TestConfigFromEnv_UnknownVariable(t *testing.T) {
	for name, nearest := range map[string]string{
		"SSO_ISUER": "write SSO_ISSUER,", "SSO_ALGORITHM": "write SSO_ALGORITHMS,", "sso_issuer": "write SSO_ISSUER,", "SSO_AUDIENC": "write SSO_AUDIENCE,",
		"SSO_PUBLIC_KEY_URL": "write SSO_PUBLIC_KEY_URI,", "SSO_PORT": "write SSO_PUBLIC_KEY_URI or SSO_PERMISSIONS_CLAIM,",
		"SSO_XLAMX": "write SSO_ISSUER or SSO_AUDIENCE or SSO_PUBLIC_KEY_URI,", "SSO_": "write SSO_ISSUER or ",
		"SSO_TOKEN": "", "SO_ISSUER": "", "XSSO_ISSUER": "", "SSOISSUER": "",
	} {
		for value, nearest := range map[string]string{"x": nearest, "": ""} {
			t.Run(name+"="+value, func(t *testing.T) {
				setEnv(t, "SSO_PUBLIC_KEY_URI", jwksURL, "SSO_AUDIENCE", "api", "SSO_ISSUER", issuerID)
				t.Setenv(name, value)
				_, err := sso.ConfigFromEnv()
				if nearest == "" {
					if err != nil {
						t.Error(err)
					}
					return
				}
				var all *sso.ConfigError
				if !errors.As(err, &all) || len(all.Problems) != 1 || all.Problems[0].Setting != name || !strings.Contains(all.Problems[0].Remedy, nearest) {
					t.Errorf("%v, want a remedy with %q", err, nearest)
				}
			})
		}
	}
}

func TestConfigFromLookup(t *testing.T) {
	t.Setenv("SSO_AUDIENCE", "of-the-environment")
	got, err := sso.ConfigFromLookup(func(name string) string {
		return map[string]string{"SSO_PUBLIC_KEY_URI": "https://login.example.com/jwks.json", "SSO_AUDIENCE": "orders-api, shop", "SSO_ISSUER": issuerID, "SSO_LEEWAY": "5s"}[name]
	})
	if err != nil || !slices.Equal(got.Audience, []string{"orders-api", "shop"}) || got.Leeway != 5*time.Second {
		t.Errorf("%+v, %v", got, err)
	}
	_, err = sso.ConfigFromLookup(func(string) string { return "" })
	var problems *sso.ConfigError
	if !errors.As(err, &problems) || len(problems.Problems) != 2 || problems.Problems[1].Setting != "SSO_AUDIENCE" {
		t.Errorf("%v", err)
	}
}
