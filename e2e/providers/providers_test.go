// Package providers runs the settings of docs/PROVIDERS.md against real identity providers, which are unmodified and
// have their default settings: the OpenID provider and the example server of github.com/zitadel/oidc, the npm package
// oidc-provider, and Ory Hydra.
package providers

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/e2e/idp"
)

// program is cmd/sso.
var program string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		folder, err := os.MkdirTemp("", "providers")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(folder) //nolint:errcheck // a temporary folder
		program = filepath.Join(folder, "sso")
		build := exec.Command("go", "build", "-o", program, ".")
		build.Dir, build.Env = "../../cmd/sso", append(os.Environ(), "GOWORK=off", "CGO_ENABLED=0")
		if output, err := build.CombinedOutput(); err != nil {
			panic(string(output))
		}
		return m.Run()
	}())
}

// settings returns what a section of the page sets, for an issuer of the test.
func settings(t *testing.T, section, issuer string) map[string]string {
	t.Helper()
	page, err := os.ReadFile("../../docs/PROVIDERS.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, found := strings.Cut(string(page), "\n## "+section+"\n")
	text, _, _ = strings.Cut(text, "\n## ")
	env := map[string]string{}
	for line := range strings.Lines(text) {
		if setting, ok := strings.CutPrefix(strings.TrimSpace(line), "export "); ok {
			name, value, _ := strings.Cut(setting, "=")
			env[name] = strings.Trim(value, "'")
		}
	}
	if !found || env["SSO_ISSUER"] == "" || env["SSO_AUDIENCE"] == "" {
		t.Fatalf("the section %s has %v", section, env)
	}
	env["SSO_ISSUER"] = issuer
	return env
}

// validate has the library verify a token, and sso doctor. Both must agree: reason is that of the refusal, empty if
// the token is accepted. It returns the principal and the provider that doctor recognizes.
func validate(t *testing.T, env map[string]string, token string, reason sso.Reason) (*sso.Principal, string) {
	t.Helper()
	cfg, err := sso.ConfigFromLookup(func(name string) string { return env[name] })
	if err != nil {
		t.Fatal(err)
	}
	auth, err := sso.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer auth.Close() //nolint:errcheck // nothing is in flight
	p, err := auth.ValidateToken(t.Context(), token)
	var refused *sso.TokenError
	if errors.As(err, &refused) != (reason != "") || refused != nil && refused.Reason != reason || refused == nil && err != nil {
		t.Errorf("%v, want reason %q", err, reason)
	}

	doctor := exec.CommandContext(t.Context(), program, "doctor", "--json")
	doctor.Stdin = strings.NewReader(token)
	for name, value := range env {
		doctor.Env = append(doctor.Env, name+"="+value)
	}
	var stderr bytes.Buffer
	doctor.Stderr = &stderr
	output, err := doctor.Output()
	var report struct {
		Provider struct{ Name string }
		Findings []struct{ Topic, Text string }
	}
	if json.Unmarshal(output, &report) != nil || (err != nil) != (reason != "") {
		t.Fatalf("%v: %s%s", err, output, &stderr)
	}
	want := "accepted: "
	if reason != "" {
		want = "refused, reason " + string(reason) + ": "
	}
	found := false
	for _, f := range report.Findings {
		found = found || f.Topic == "token" && strings.HasPrefix(f.Text, want)
	}
	if !found {
		t.Errorf("%q is not in %+v", want, report.Findings)
	}
	return p, report.Provider.Name
}

func TestProviders_Zitadel(t *testing.T) {
	t.Parallel()
	p := idp.StartZitadel(t)
	env := settings(t, "Zitadel", p.Issuer())
	token, err := p.Token(t.Context(), []string{"69234237810729019", env["SSO_AUDIENCE"]}, nil)
	if err != nil {
		t.Fatal(err)
	}
	validate(t, env, token, "")
	env["SSO_AUDIENCE"] = "another"
	validate(t, env, token, sso.ReasonWrongAudience)
}

// The example server issues opaque access tokens. Its ID tokens are refused, unless the settings accept them.
func TestProviders_ZitadelExample(t *testing.T) {
	t.Parallel()
	issuer, access, id := signInAtExample(t)
	env := settings(t, "Zitadel", issuer)
	env["SSO_AUDIENCE"] = "web"
	validate(t, env, access, sso.ReasonEncrypted) // by itself: only the server can read it
	validate(t, env, id, sso.ReasonTokenKind)
	env["SSO_TOKEN_TYPE"] = "id_token"
	if principal, _ := validate(t, env, id, ""); principal.Subject() != "id1" {
		t.Errorf("the subject is %q", principal.Subject())
	}
}

func TestProviders_OIDCProvider(t *testing.T) {
	t.Parallel()
	p := idp.StartOIDCProvider(t)
	env := settings(t, "oidc-provider", p.Issuer())
	token, err := p.Token(t.Context(), []string{env["SSO_AUDIENCE"]}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, name := validate(t, env, token, ""); name != "oidc-provider" {
		t.Errorf("recognized %q", name)
	}
}

func TestProviders_Hydra(t *testing.T) {
	t.Parallel()
	h := startHydra(t)
	env := settings(t, "Ory Hydra", h.issuer)
	principal, name := validate(t, env, h.token(t, "jwt", env["SSO_AUDIENCE"]), "")
	if name != "Ory Hydra" || !principal.HasScope("orders.read") {
		t.Errorf("recognized %q, scopes %q", name, principal.Scopes())
	}
	validate(t, env, h.token(t, "jwt", "another"), sso.ReasonWrongAudience)
	validate(t, env, h.token(t, "opaque", env["SSO_AUDIENCE"]), sso.ReasonMalformed)
}

// answer reads a response of JSON.
func answer(t *testing.T, response *http.Response, err error, into any) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(into); err != nil || response.StatusCode >= 300 {
		t.Fatalf("%s: %d %v", response.Request.URL, response.StatusCode, err)
	}
}
