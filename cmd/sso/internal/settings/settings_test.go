package settings_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/spf13/pflag"

	"github.com/more-retail/moresso-go/cmd/sso/internal/settings"
	"github.com/more-retail/moresso-go/core/sso"
)

func flags(t *testing.T, environment map[string]string, args ...string) *settings.Flags {
	t.Helper()
	set := pflag.NewFlagSet("sso", pflag.ContinueOnError)
	f := settings.NewFlags(set, func(name string) string { return environment[name] })
	if err := set.Parse(args); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestEveryVariableOfTheLibraryIsASetting(t *testing.T) {
	asked := map[string]bool{}
	_, _ = sso.ConfigFromLookup(func(name string) string { asked[name] = true; return "" })
	known := map[string]bool{}
	for _, s := range settings.All() {
		for _, name := range s.Variables {
			known[name] = true
			if !asked[name] {
				t.Errorf("%s is none of the library's", name)
			}
		}
	}
	for name := range asked {
		if !known[name] {
			t.Errorf("%s is missing", name)
		}
	}
}

func TestFlagsHideTheEnvironment(t *testing.T) {
	environment := map[string]string{"SSO_PUBLIC_KEY_URI": "https://keys.example/jwks.json", "SSO_ISSUER": "https://one.example", "AUDIENCE": "api", "SSO_LEEWAY": "nonsense"}
	for name, tt := range map[string]struct {
		args                   []string
		keys, issuer, audience string
		faults                 []string
	}{
		"none":                              {nil, "https://keys.example/jwks.json", "https://one.example", "api", []string{"SSO_LEEWAY"}},
		"a flag instead of nonsense":        {[]string{"--leeway=5s"}, "https://keys.example/jwks.json", "https://one.example", "api", nil},
		"another audience":                  {[]string{"--audience=shop", "--leeway=5s"}, "https://keys.example/jwks.json", "https://one.example", "shop", nil},
		"another issuer, with its own keys": {[]string{"--issuer=https://two.example", "--leeway=5s"}, "", "https://two.example", "api", nil},
		"other keys, of an issuer unknown":  {[]string{"--keys=https://two.example/keys", "--leeway=5s"}, "https://two.example/keys", "", "api", nil},
		"a flag that is at fault":           {[]string{"--audience=", "--leeway=1h", "--algorithms=HS256"}, "https://keys.example/jwks.json", "https://one.example", "", []string{"--audience", "--algorithms", "--leeway"}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, err := flags(t, environment, tt.args...).Config()
			audience := append(cfg.Audience, "")[0]
			if cfg.PublicKeyURI != tt.keys || cfg.Issuer != tt.issuer || audience != tt.audience {
				t.Errorf("%q %q %q", cfg.PublicKeyURI, cfg.Issuer, cfg.Audience)
			}
			var faults *sso.ConfigError
			if !errors.As(err, &faults) {
				faults = &sso.ConfigError{}
			}
			var named []string
			for _, f := range faults.Problems {
				named = append(named, f.Setting)
			}
			slices.Sort(named)
			slices.Sort(tt.faults)
			if !slices.Equal(named, tt.faults) {
				t.Errorf("faults %q, want %q (%v)", named, tt.faults, err)
			}
		})
	}
}

func TestWhatIsMissingIsNamedBothWays(t *testing.T) {
	_, err := flags(t, nil).Config()
	var faults *sso.ConfigError
	if !errors.As(err, &faults) || len(faults.Problems) != 2 || faults.Problems[1].Setting != "SSO_AUDIENCE (or --audience)" {
		t.Errorf("%v", err)
	}
}

func TestASwitchNeedsNoValue(t *testing.T) {
	f := flags(t, map[string]string{"SSO_ISSUER": "https://one.example"}, "--skip-audience-check", "--client-ids=web")
	cfg, err := f.Config()
	if err != nil || !cfg.SkipAudienceCheck {
		t.Error(cfg, err)
	}
	for _, s := range settings.All() {
		value, where := f.Value(s)
		if want := map[string]string{"SkipAudienceCheck": "true --skip-audience-check", "Issuer": "https://one.example SSO_ISSUER", "ClientIDs": "web --client-ids"}[s.Field]; want != "" && value+" "+where != want {
			t.Errorf("%s: %s %s", s.Field, value, where)
		}
	}
}
