package cli_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/more-retail/moresso-go/cmd/sso/internal/doctor"
	"github.com/more-retail/moresso-go/core/sso"
)

func TestSettings_Flags(t *testing.T) {
	help := call{args: []string{"explain", "--help"}}.run(t).stdout
	for _, s := range sso.Settings() {
		if !strings.Contains(help, " --"+s.Flag+" ") && !strings.Contains(help, " --"+s.Flag+"[=") { // a switch
			t.Errorf("%s has no flag", s.Field)
		}
	}
}

func TestSettings_FlagsOverrideEnvironment(t *testing.T) {
	environment := map[string]string{"SSO_PUBLIC_KEY_URI": "https://keys.example/jwks.json", "SSO_ISSUER": "https://one.example", "SSO_AUDIENCE": "api", "SSO_LEEWAY": "nonsense"}
	const keys, issuer, audience = "https://keys.example/jwks.json SSO_PUBLIC_KEY_URI", "https://one.example SSO_ISSUER", "api SSO_AUDIENCE"
	for name, tt := range map[string]struct {
		args                   []string
		keys, issuer, audience string   // value and origin
		problems               []string // settings
	}{
		"none":                              {nil, keys, issuer, audience, []string{"SSO_LEEWAY"}},
		"a valid flag for an invalid one":   {[]string{"--leeway=5s"}, keys, issuer, audience, nil},
		"another audience":                  {[]string{"--audience=shop", "--leeway=5s"}, keys, issuer, "shop --audience", nil},
		"another issuer, with its own keys": {[]string{"--issuer=https://two.example", "--leeway=5s"}, "", "https://two.example --issuer", audience, nil},
		"other keys, without an issuer":     {[]string{"--keys=https://two.example/keys", "--leeway=5s"}, "https://two.example/keys --keys", "", audience, []string{"SSO_ISSUER (or --issuer)"}},
		"invalid flags":                     {[]string{"--audience=", "--leeway=1h", "--algorithms=HS256"}, keys, issuer, " --audience", []string{"--algorithms", "--audience", "--leeway"}},
		"a switch":                          {[]string{"--audience=", "--skip-audience-check", "--client-ids=web", "--leeway=5s"}, keys, issuer, " --audience", nil},
	} {
		t.Run(name, func(t *testing.T) {
			var r doctor.Report
			call{args: append([]string{"doctor", "--json"}, tt.args...), env: environment, client: answering("{}")}.run(t).object(t, &r)
			for variable, want := range map[string]string{"SSO_PUBLIC_KEY_URI": tt.keys, "SSO_ISSUER": tt.issuer, "SSO_AUDIENCE": tt.audience} {
				i := slices.IndexFunc(r.Settings, func(s doctor.Setting) bool { return s.Name == variable })
				if got := r.Settings[i].Value + " " + r.Settings[i].From; got != want && (want != "" || r.Settings[i].From != "default") {
					t.Errorf("%s: got %q, want %q", variable, got, want)
				}
			}
			var problems []string
			for _, f := range r.Findings {
				if f.Level == doctor.Red && f.Topic != "keys" {
					problems = append(problems, f.Topic)
				}
			}
			slices.Sort(problems)
			if !slices.Equal(problems, tt.problems) {
				t.Errorf("got problems %q, want %q", problems, tt.problems)
			}
		})
	}
}

func TestSettings_Missing(t *testing.T) {
	var answer struct{ Faults []map[string]string }
	o := call{args: []string{"explain", "--json"}, stdin: "x"}.run(t)
	if err := json.Unmarshal([]byte(o.stderr), &answer); err != nil || !slices.ContainsFunc(answer.Faults, func(f map[string]string) bool { return f["setting"] == "SSO_AUDIENCE (or --audience)" }) {
		t.Errorf("%v: %+v", err, o)
	}
}
