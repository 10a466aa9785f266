package cli_test

import (
	"io"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/cmd/sso/internal/doctor"
	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/core/ssotest"
)

// TestDoctor_Token sends tokens that are refused, and those that settings would accept.
func TestDoctor_Token(t *testing.T) {
	issuer := ssotest.NewIssuer(t)
	keys := issuer.JWKSURL()
	claim := devissuer.Claim
	const entra = "https://login.microsoftonline.com/aaaabbbb-0000-cccc-1111-dddd2222eeee/v2.0"
	for name, tt := range map[string]struct {
		env     map[string]string // in addition to issuer and audience
		options []devissuer.TokenOption
		reasons []sso.Reason // of the refusals, one after the other
		with    string       // what it is accepted with in the end; "" if nothing helps
	}{
		"accepted":                         {with: "accepted: subject \"ada\", roles [], scopes [], permissions none"},
		"what it may do":                   {options: []devissuer.TokenOption{claim("roles", []string{"clerk"}), devissuer.Scope("a b"), devissuer.Permission("x", 1)}, with: `accepted: subject "ada", roles ["clerk"], scopes ["a" "b"], permissions a JSON object`},
		"another audience":                 {options: []devissuer.TokenOption{devissuer.Audience("orders", "stock")}, reasons: []sso.Reason{sso.ReasonWrongAudience}, with: "with SSO_AUDIENCE=orders, it would be accepted"},
		"Keycloak's audience":              {options: []devissuer.TokenOption{devissuer.Audience("account")}, reasons: []sso.Reason{sso.ReasonWrongAudience}},
		"no audience":                      {options: []devissuer.TokenOption{devissuer.WithoutClaim("aud"), claim("azp", "web")}, reasons: []sso.Reason{sso.ReasonWrongAudience}, with: "with SSO_SKIP_AUDIENCE_CHECK=true SSO_CLIENT_IDS=web SSO_AUDIENCE= (empty), it would be accepted"},
		"no audience and no client":        {options: []devissuer.TokenOption{devissuer.WithoutClaim("aud")}, reasons: []sso.Reason{sso.ReasonWrongAudience}},
		"another issuer":                   {options: []devissuer.TokenOption{devissuer.IssuedBy("http://issuer.example/trust")}, reasons: []sso.Reason{sso.ReasonWrongIssuer}, with: "with SSO_ISSUER=http://issuer.example/trust SSO_PUBLIC_KEY_URI=" + keys + ", it would be accepted"},
		"an issuer with a slash":           {options: []devissuer.TokenOption{devissuer.IssuedBy(issuer.URL() + "/")}, reasons: []sso.Reason{sso.ReasonWrongIssuer}, with: "with SSO_ISSUER=" + issuer.URL() + "/, it would be accepted"},
		"another issuer, keys by address":  {env: map[string]string{"SSO_PUBLIC_KEY_URI": keys}, options: []devissuer.TokenOption{devissuer.IssuedBy("x")}, reasons: []sso.Reason{sso.ReasonWrongIssuer}, with: "with SSO_ISSUER=x, it would be accepted"},
		"no issuer":                        {options: []devissuer.TokenOption{devissuer.WithoutClaim("iss")}, reasons: []sso.Reason{sso.ReasonWrongIssuer}},
		"an ID token":                      {options: []devissuer.TokenOption{devissuer.Provider("keycloak-id")}, reasons: []sso.Reason{sso.ReasonTokenKind, sso.ReasonWrongClient}, with: "with SSO_TOKEN_TYPE=id_token and SSO_CLIENT_IDS=web, it would be accepted"},
		"an ID token for this client":      {options: []devissuer.TokenOption{devissuer.Provider("keycloak-id"), claim("azp", "api")}, reasons: []sso.Reason{sso.ReasonTokenKind}, with: "with SSO_TOKEN_TYPE=id_token, it would be accepted"},
		"a program of Entra without roles": {env: map[string]string{"SSO_ISSUER": entra, "SSO_PUBLIC_KEY_URI": keys}, options: []devissuer.TokenOption{devissuer.IssuedBy(entra)}, reasons: []sso.Reason{sso.ReasonTokenKind}, with: "with SSO_SKIP_ACCESS_TOKEN_CHECK=true, it would be accepted"},
		"a logout token":                   {options: []devissuer.TokenOption{claim("events", map[string]any{})}, reasons: []sso.Reason{sso.ReasonTokenKind, sso.ReasonTokenKind}},
		"not of RFC 9068":                  {env: map[string]string{"SSO_TOKEN_TYPE": "at+jwt"}, reasons: []sso.Reason{sso.ReasonTokenType}, with: "with SSO_TOKEN_TYPE= (empty), it would be accepted"},
		"of RFC 9068, without a claim":     {env: map[string]string{"SSO_TOKEN_TYPE": "at+jwt"}, options: []devissuer.TokenOption{devissuer.Header("typ", "at+jwt")}, reasons: []sso.Reason{sso.ReasonMissingClaim}, with: "with SSO_TOKEN_TYPE= (empty), it would be accepted"},
		"another client":                   {env: map[string]string{"SSO_CLIENT_IDS": "app"}, options: []devissuer.TokenOption{claim("cid", "web")}, reasons: []sso.Reason{sso.ReasonWrongClient}, with: "with SSO_CLIENT_IDS=app,web, it would be accepted"},
		"two clients":                      {env: map[string]string{"SSO_CLIENT_IDS": "app"}, options: []devissuer.TokenOption{claim("cid", "web"), claim("azp", "app")}, reasons: []sso.Reason{sso.ReasonWrongClient}},
		"too long":                         {env: map[string]string{"SSO_MAX_TOKEN_BYTES": "100"}, reasons: []sso.Reason{sso.ReasonTooLarge}, with: "with SSO_MAX_TOKEN_BYTES="},
		"too long-lived":                   {env: map[string]string{"SSO_MAX_TOKEN_AGE": "5m"}, reasons: []sso.Reason{sso.ReasonTooLongLived}, with: "with SSO_MAX_TOKEN_AGE=1h0m0s, it would be accepted"},
		"another algorithm":                {env: map[string]string{"SSO_ALGORITHMS": "RS512"}, reasons: []sso.Reason{sso.ReasonAlgorithm}, with: "with SSO_ALGORITHMS=RS512,RS256, it would be accepted"},
		"a symmetric algorithm":            {options: []devissuer.TokenOption{devissuer.Header("alg", "HS256")}, reasons: []sso.Reason{sso.ReasonAlgorithm}},
		"expired, and more":                {options: []devissuer.TokenOption{devissuer.Expired(), devissuer.WrongAudience()}, reasons: []sso.Reason{sso.ReasonExpired, sso.ReasonWrongAudience}, with: "with a new token and SSO_AUDIENCE=another-api, it would be accepted"},
		"not yet valid":                    {options: []devissuer.TokenOption{devissuer.NotYetValid()}, reasons: []sso.Reason{sso.ReasonNotYetValid}},
		"forged":                           {options: []devissuer.TokenOption{devissuer.BadSignature()}, reasons: []sso.Reason{sso.ReasonBadSignature}},
		"of another provider":              {options: []devissuer.TokenOption{devissuer.UnknownKey(), devissuer.IssuedBy("https://other.example")}, reasons: []sso.Reason{sso.ReasonWrongIssuer, sso.ReasonUnknownKey}},
	} {
		t.Run(name, func(t *testing.T) {
			env := settingsOf(issuer)
			maps.Copy(env, tt.env)
			text := issuer.Token(tt.options...)
			o := call{args: []string{"doctor", "--json"}, env: env, client: issuer.Client(), stdin: text + "\n"}.run(t)
			var r doctor.Report
			o.object(t, &r)
			var tokens []doctor.Finding
			for _, f := range r.Findings {
				if f.Topic == "token" {
					tokens = append(tokens, f)
				}
			}
			for i, reason := range tt.reasons {
				if i >= len(tokens) || tokens[i].Level != doctor.Red || tokens[i].Remedy == "" || !strings.Contains(tokens[i].Text, "refused, reason "+string(reason)+": ") {
					t.Fatalf("%s is not refusal %d of %+v", reason, i, tokens)
				}
			}
			if (o.code == 0) != (tt.reasons == nil) {
				t.Errorf("exit code %d", o.code)
			}
			if helps := strings.Contains(tokens[0].Remedy, "It passes this check with "); helps != (tt.with != "" && tt.reasons != nil) {
				t.Errorf("%+v", tokens[0])
			}
			switch accepted := tokens[len(tt.reasons):]; {
			case tt.with == "" && len(accepted) > 0:
				t.Errorf("%+v, although no setting helps", accepted)
			case tt.with != "" && (len(accepted) != 1 || accepted[0].Level != doctor.Green || !strings.HasPrefix(accepted[0].Text, tt.with)):
				t.Errorf("%+v, want %s", accepted, tt.with)
			}
			if signature := text[strings.LastIndexByte(text, '.')+1:]; strings.Contains(o.stdout, signature[:20]) {
				t.Error("the signature was printed")
			}
			if strays := issuer.Stats().Strays; strays != nil {
				t.Errorf("requests to %q", strays)
			}
		})
	}
}

// A service accepts the token with the settings that doctor names.
func TestDoctor_TokenSettings(t *testing.T) {
	issuer := ssotest.NewIssuer(t)
	text := issuer.Token(devissuer.Provider("cognito"), devissuer.IssuedBy("https://cognito.example"))
	env := settingsOf(issuer)
	r, _ := examine(t, issuer.Client(), env)
	if r.Level != doctor.Green {
		t.Fatal(r.Findings)
	}
	var named doctor.Report
	call{args: []string{"doctor", "--json"}, env: env, client: issuer.Client(), stdin: text}.run(t).object(t, &named)
	last := named.Findings[len(named.Findings)-1].Text
	settings, _, ok := strings.Cut(strings.TrimPrefix(last, "with "), ", it would be accepted")
	if !ok {
		t.Fatal(last)
	}
	env["SSO_AUDIENCE"] = ""
	for setting := range strings.FieldsSeq(settings) {
		if variable, value, ok := strings.Cut(setting, "="); ok {
			env[variable] = value
		}
	}
	o := call{args: []string{"doctor"}, env: env, client: issuer.Client(), stdin: text}.run(t)
	if o.code != 0 || !strings.Contains(o.stdout, "token: accepted: subject") {
		t.Errorf("%v: %s", env, o.stdout)
	}
}

// A token that cannot be checked is not passed over.
func TestDoctor_TokenUnchecked(t *testing.T) {
	issuer := ssotest.NewIssuer(t)
	env := settingsOf(issuer)
	text := issuer.Token()
	unchecked := func(name string) {
		t.Helper()
		var r doctor.Report
		o := call{args: []string{"doctor", "--json"}, env: env, client: issuer.Client(), stdin: text}.run(t)
		o.object(t, &r)
		if o.code != 1 || !found(r, doctor.Red, "token", "was not checked", "fix what is red above") {
			t.Errorf("%s: %+v", name, r.Findings)
		}
	}
	env["SSO_LEEWAY"] = "1h"
	unchecked("an invalid setting")
	env["SSO_LEEWAY"] = ""
	issuer.Down()
	unchecked("an outage")
	env["SSO_ISSUER"] = ""
	unchecked("no issuer")
}

func TestDoctor_TokenRoles(t *testing.T) {
	issuer := ssotest.NewIssuer(t, devissuer.WithIssuer("https://sso.example.com/realms/other"))
	env := settingsOf(issuer)
	run := func() (r doctor.Report) {
		call{args: []string{"doctor", "--json"}, env: env, client: issuer.Client(), stdin: issuer.Token(devissuer.Provider("keycloak"))}.run(t).object(t, &r)
		return r
	}
	r := run()
	if !found(r, doctor.Yellow, "roles", "at realm_access.roles", "set SSO_ROLES_CLAIM='realm_access.roles, resource_access.api.roles'") {
		t.Errorf("%+v", r.Findings)
	}
	if want := "export SSO_ISSUER=https://sso.example.com/realms/other"; r.Provider.Settings[0] != want || r.Provider.Settings[1] != "export SSO_AUDIENCE=api" {
		t.Errorf("%q, want %s", r.Provider.Settings, want)
	}
	env["SSO_ROLES_CLAIM"] = "realm_access.roles"
	if r = run(); found(r, doctor.Yellow, "roles", "", "") {
		t.Errorf("%+v", r.Findings)
	}
}

// The names that are set are part of the settings to copy, unless they may be secrets.
func TestDoctor_SettingsToCopy(t *testing.T) {
	for name, tt := range map[string]struct {
		env  map[string]string
		want string
	}{
		"a host":            {map[string]string{"SSO_ISSUER": "https://other.cloudflareaccess.com"}, "export SSO_PUBLIC_KEY_URI=https://other.cloudflareaccess.com/cdn-cgi/access/certs"},
		"a tenant":          {map[string]string{"SSO_ISSUER": "https://sts.windows.net/0000/"}, "export SSO_PUBLIC_KEY_URI=https://login.microsoftonline.com/0000/.well-known/openid-configuration"},
		"clients":           {map[string]string{"SSO_ISSUER": "https://cognito-idp.x.amazonaws.com/y", "SSO_CLIENT_IDS": "a,b"}, "export SSO_CLIENT_IDS=a,b"},
		"text for a shell":  {map[string]string{"SSO_ISSUER": "https://x.example/realms/$(id)"}, "export SSO_ISSUER='https://x.example/realms/$(id)'"},
		"an invalid config": {map[string]string{"SSO_ISSUER": "https://token.actions.githubusercontent.com", "SSO_AUDIENCE": ""}, "export SSO_AUDIENCE=orders-api"},
	} {
		if tt.env["SSO_AUDIENCE"] == "" && name != "an invalid config" {
			tt.env["SSO_AUDIENCE"] = "api"
		}
		r, _ := examine(t, answering("{}"), tt.env)
		if r.Provider == nil || !strings.Contains(strings.Join(r.Provider.Settings, "\n")+"\n", tt.want+"\n") {
			t.Errorf("%s: %+v, want %s", name, r.Provider, tt.want)
		}
	}
	secret := strings.Repeat("c0ffee", 10)
	_, o := examine(t, answering("{}"), map[string]string{"SSO_ISSUER": "https://x.auth0.com/", "SSO_AUDIENCE": secret})
	if strings.Contains(o.stdout, secret) {
		t.Error(o.stdout)
	}
}

// A service refuses variables that it does not know. So does doctor.
func TestDoctor_UnknownVariables(t *testing.T) {
	issuer := ssotest.NewIssuer(t)
	for name, value := range settingsOf(issuer) {
		t.Setenv(name, value)
	}
	run := func() outcome {
		return call{args: []string{"doctor"}, env: settingsOf(issuer), client: issuer.Client(), service: sso.ConfigFromEnv}.run(t)
	}
	if o := run(); o.code != 0 {
		t.Error(o.stdout)
	}
	t.Setenv("SSO_ISSUR", "https://login.example.com")
	if o := run(); o.code != 1 || !strings.Contains(o.stdout, "red     SSO_ISSUR: is not a known setting") || strings.Contains(o.stdout, "a service starts") {
		t.Error(o.stdout)
	}
	t.Setenv("SSO_LEEWAY", "nonsense") // hidden by the flag or the environment that doctor reads
	if o := run(); strings.Contains(o.stdout, "nonsense") {
		t.Error(o.stdout)
	}
}

// A pipe that nothing is written to does not stop doctor.
func TestDoctor_SilentPipe(t *testing.T) {
	issuer := ssotest.NewIssuer(t)
	silent, keepOpen := io.Pipe()
	defer keepOpen.Close() //nolint:errcheck // it never fails
	o := call{args: []string{"doctor"}, env: settingsOf(issuer), client: issuer.Client(), pipe: silent, patience: time.Millisecond}.run(t)
	if o.code != 0 || !strings.Contains(o.stdout, "green") {
		t.Errorf("%+v", o)
	}
	o = call{args: []string{"doctor"}, env: settingsOf(issuer), client: issuer.Client(), stdin: strings.Repeat("x", 3<<20)}.run(t)
	if o.code != 2 || !strings.Contains(o.stderr, "more than 2 MiB") {
		t.Errorf("%d %s", o.code, o.stderr)
	}
}
