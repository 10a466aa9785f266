package compat_test

import (
	"errors"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/more-retail/moresso-go/core/compat"
	"github.com/more-retail/moresso-go/core/sso"
)

const keys = "https://login.example.com/jwks.json"

func TestConfigFromEnv(t *testing.T) {
	for _, test := range []struct {
		name     string
		env      map[string]string
		audience []string
		faults   []string // settings
	}{
		{"the old names", map[string]string{"PUBLIC_KEY_URI": keys, "AUDIENCE": "orders, shop"}, []string{"orders", "shop"}, nil},
		{"the new names", map[string]string{"SSO_PUBLIC_KEY_URI": keys, "SSO_AUDIENCE": "orders"}, []string{"orders"}, nil},
		{"the new names override the old ones", map[string]string{"PUBLIC_KEY_URI": "x", "SSO_PUBLIC_KEY_URI": keys, "AUDIENCE": ",", "SSO_AUDIENCE": "orders"}, []string{"orders"}, nil},
		{"one of each", map[string]string{"PUBLIC_KEY_URI": keys, "SSO_AUDIENCE": "orders"}, []string{"orders"}, nil},
		{"an error names the old name if it is set", map[string]string{"PUBLIC_KEY_URI": "http://login.example.com/", "AUDIENCE": " , "}, []string{"", ""}, []string{"PUBLIC_KEY_URI", "AUDIENCE"}},
		{"an error names the new name if it is set", map[string]string{"SSO_PUBLIC_KEY_URI": "http://login.example.com/", "AUDIENCE": "a"}, []string{"a"}, []string{"SSO_PUBLIC_KEY_URI"}},
		{"an error names the new name if neither is set", map[string]string{"SSO_ISSUER": ""}, nil, []string{"SSO_PUBLIC_KEY_URI", "SSO_AUDIENCE"}},
		{"the old names alone", map[string]string{"PUBLIC_KEY_URI": keys, "AUDIENCE": "orders", "SSO_ISSUER": ""}, []string{"orders"}, []string{"SSO_ISSUER"}},
		{"the old names, and the issuer is not checked", map[string]string{"PUBLIC_KEY_URI": keys, "AUDIENCE": "orders", "SSO_ISSUER": "", "SSO_SKIP_ISSUER_CHECK": "true"}, []string{"orders"}, nil},
		{"an unknown variable is an error", map[string]string{"PUBLIC_KEY_URI": keys, "AUDIENCE": "a", "SSO_ISUER": "x"}, []string{"a"}, []string{"SSO_ISUER"}},
		{"an unknown variable beside another error", map[string]string{"PUBLIC_KEY_URI": keys, "AUDIENCE": "a", "SSO_ISUER": "x", "SSO_LEEWAY": "soon"}, []string{"a"}, []string{"SSO_LEEWAY", "SSO_ISUER"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, entry := range os.Environ() {
				if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "SSO_") || name == "PUBLIC_KEY_URI" || name == "AUDIENCE" {
					t.Setenv(name, "")
				}
			}
			t.Setenv("SSO_ISSUER", "https://login.example.com")
			for name, value := range test.env {
				t.Setenv(name, value)
			}
			cfg, err := compat.ConfigFromEnv()
			var (
				list *sso.ConfigError
				got  []string
			)
			if errors.As(err, &list) {
				for _, fault := range list.Problems {
					got = append(got, fault.Setting)
				}
			}
			if !slices.Equal(got, test.faults) || (err == nil) != (len(test.faults) == 0) {
				t.Errorf("errors of %q, want %q: %v", got, test.faults, err)
			}
			if !slices.Equal(cfg.Audience, test.audience) {
				t.Errorf("audience %q, want %q", cfg.Audience, test.audience)
			}
			if !cfg.Wildcard {
				t.Error("the wildcard is off")
			}
			if err == nil && cfg.PublicKeyURI != keys {
				t.Errorf("keys from %q", cfg.PublicKeyURI)
			}
		})
	}
}

func TestRender(t *testing.T) {
	before := sso.DenialOf(sso.ErrInvalidToken)
	after := compat.Render(nil, before)
	if string(after.Body) != `{"data":null,"detail":"Unauthorized"}` || after.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%s %q", after.Body, after.Header)
	}
	if after.Status != http.StatusUnauthorized || after.Code != before.Code || after.Header.Get("WWW-Authenticate") != before.Header.Get("WWW-Authenticate") {
		t.Errorf("%+v", after)
	}
	if before.Header.Get("Content-Type") != "application/problem+json" {
		t.Error("Render changed its argument")
	}
}

func TestSessionPolicy(t *testing.T) {
	if got := compat.SessionPolicy(); got.UserClaim != "user_id" || got.SessionClaim != "session_id" || got.InsecureIgnoreOutage {
		t.Errorf("%+v", got)
	}
}

func TestRedisKey(t *testing.T) {
	if got := compat.RedisKey("orders", "ada"); got != "orders:ada" {
		t.Error(got)
	}
}
