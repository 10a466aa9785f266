package sso_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/sso"
)

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
