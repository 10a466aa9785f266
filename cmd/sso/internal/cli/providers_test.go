package cli_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/cmd/sso/internal/doctor"
	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
)

var update = flag.Bool("update", false, "write the tokens of docs/PROVIDERS.md, and the notes that sso doctor prints")

const (
	providersPage = "../../../../docs/PROVIDERS.md"
	doctorsPage   = "../doctor/providers.md"
)

// A published provider has the documents that its documentation shows. ISSUER is the issuer without a slash
// at its end.
type published struct {
	document string                       // of discovery
	at       string                       // its address, if the issuer does not lead to it
	keys     func(jwk map[string]any) any // the key set; nil: {"keys": [jwk]}
	without  []string                     // members that the provider's JWKs do not have
	with     map[string]any               // members that they have
}

const encryptionKey = `{"kid":"enc","kty":"RSA","alg":"RSA-OAEP","use":"enc","n":"AQAB","e":"AQAB"}`

// providers are in the order of the page.
var providers = []struct {
	name string
	published
}{
	{"Keycloak", published{
		document: `{"issuer":"ISSUER","authorization_endpoint":"ISSUER/protocol/openid-connect/auth","token_endpoint":"ISSUER/protocol/openid-connect/token","jwks_uri":"ISSUER/protocol/openid-connect/certs","device_authorization_endpoint":"ISSUER/protocol/openid-connect/auth/device","pushed_authorization_request_endpoint":"ISSUER/protocol/openid-connect/ext/par/request","id_token_signing_alg_values_supported":["PS384","RS384","EdDSA","ES384","HS256","RS256"]}`,
		keys: func(jwk map[string]any) any {
			return map[string]any{"keys": []any{json.RawMessage(encryptionKey), jwk}}
		},
	}},
	{"Microsoft Entra, v2 tokens", published{
		document: `{"token_endpoint":"https://login.microsoftonline.com/aaaabbbb-0000-cccc-1111-dddd2222eeee/oauth2/v2.0/token","jwks_uri":"https://login.microsoftonline.com/aaaabbbb-0000-cccc-1111-dddd2222eeee/discovery/v2.0/keys","issuer":"ISSUER","authorization_endpoint":"https://login.microsoftonline.com/aaaabbbb-0000-cccc-1111-dddd2222eeee/oauth2/v2.0/authorize","tenant_region_scope":"EU","cloud_instance_name":"microsoftonline.com"}`,
		without:  []string{"alg"}, with: map[string]any{"issuer": "https://login.microsoftonline.com/{tenantid}/v2.0"},
	}},
	{"Microsoft Entra, v1 tokens", published{
		document: `{"token_endpoint":"https://login.microsoftonline.com/aaaabbbb-0000-cccc-1111-dddd2222eeee/oauth2/token","jwks_uri":"https://login.microsoftonline.com/common/discovery/keys","issuer":"ISSUER/","microsoft_multi_refresh_token":true,"authorization_endpoint":"https://login.microsoftonline.com/aaaabbbb-0000-cccc-1111-dddd2222eeee/oauth2/authorize"}`,
		without:  []string{"alg"}, with: map[string]any{"issuer": "https://login.microsoftonline.com/{tenantid}/v2.0"},
	}},
	{"Azure AD B2C", published{
		document: `{"issuer":"ISSUER/","authorization_endpoint":"https://shop.b2clogin.com/shop.onmicrosoft.com/b2c_1_signupsignin/oauth2/v2.0/authorize","token_endpoint":"https://shop.b2clogin.com/shop.onmicrosoft.com/b2c_1_signupsignin/oauth2/v2.0/token","jwks_uri":"https://shop.b2clogin.com/shop.onmicrosoft.com/b2c_1_signupsignin/discovery/v2.0/keys"}`,
		without:  []string{"alg"}, with: map[string]any{"nbf": 1493763266},
	}},
	{"Auth0", published{
		document: `{"issuer":"ISSUER/","authorization_endpoint":"ISSUER/authorize","token_endpoint":"ISSUER/oauth/token","device_authorization_endpoint":"ISSUER/oauth/device/code","mfa_challenge_endpoint":"ISSUER/mfa/challenge","jwks_uri":"ISSUER/.well-known/jwks.json"}`,
	}},
	{"Okta", published{
		document: `{"issuer":"ISSUER","authorization_endpoint":"ISSUER/v1/authorize","token_endpoint":"ISSUER/v1/token","jwks_uri":"ISSUER/v1/keys","device_authorization_endpoint":"ISSUER/v1/device/authorize"}`,
	}},
	{"Amazon Cognito", published{
		document: `{"authorization_endpoint":"https://shop.auth.eu-central-1.amazoncognito.com/oauth2/authorize","issuer":"ISSUER","jwks_uri":"ISSUER/.well-known/jwks.json","token_endpoint":"https://shop.auth.eu-central-1.amazoncognito.com/oauth2/token"}`,
	}},
	{"Google", published{
		document: `{"issuer":"ISSUER","authorization_endpoint":"https://accounts.google.com/o/oauth2/v2/auth","device_authorization_endpoint":"https://oauth2.googleapis.com/device/code","token_endpoint":"https://oauth2.googleapis.com/token","jwks_uri":"https://www.googleapis.com/oauth2/v3/certs"}`,
	}},
	{"Firebase", published{
		document: `{"issuer":"ISSUER","jwks_uri":"https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com","response_types_supported":["id_token"],"subject_types_supported":["public"],"id_token_signing_alg_values_supported":["RS256"]}`,
	}},
	{"Cloudflare Access", published{keys: func(jwk map[string]any) any {
		return map[string]any{"keys": []any{jwk}, "public_cert": map[string]any{"kid": jwk["kid"], "cert": "-----BEGIN CERTIFICATE-----"}, "public_certs": []any{}}
	}}},
	{"AD FS", published{
		document: `{"issuer":"https://adfs.example.com/adfs","authorization_endpoint":"https://adfs.example.com/adfs/oauth2/authorize/","token_endpoint":"https://adfs.example.com/adfs/oauth2/token/","jwks_uri":"https://adfs.example.com/adfs/discovery/keys","access_token_issuer":"ISSUER","microsoft_multi_refresh_token":true}`,
		at:       "https://adfs.example.com/adfs/.well-known/openid-configuration",
	}},
	{"Zitadel", published{
		document: `{"issuer":"ISSUER","authorization_endpoint":"ISSUER/oauth/v2/authorize","token_endpoint":"ISSUER/oauth/v2/token","introspection_endpoint":"ISSUER/oauth/v2/introspect","device_authorization_endpoint":"ISSUER/oauth/v2/device_authorization","jwks_uri":"ISSUER/oauth/v2/keys"}`,
	}},
	{"Dex", published{
		document: `{"issuer":"ISSUER","authorization_endpoint":"ISSUER/auth","token_endpoint":"ISSUER/token","jwks_uri":"ISSUER/keys","userinfo_endpoint":"ISSUER/userinfo","device_authorization_endpoint":"ISSUER/device/code"}`,
	}},
	{"Kubernetes", published{
		document: `{"issuer":"ISSUER","jwks_uri":"https://172.18.0.2:6443/openid/v1/jwks","response_types_supported":["id_token"],"subject_types_supported":["public"],"id_token_signing_alg_values_supported":["RS256"]}`,
	}},
	{"GitHub Actions", published{
		document: `{"issuer":"ISSUER","jwks_uri":"ISSUER/.well-known/jwks","subject_types_supported":["public","pairwise"],"response_types_supported":["id_token"],"id_token_signing_alg_values_supported":["RS256"]}`,
	}},
	{"GitLab", published{
		document: `{"issuer":"ISSUER","authorization_endpoint":"ISSUER/oauth/authorize","token_endpoint":"ISSUER/oauth/token","jwks_uri":"ISSUER/oauth/discovery/keys"}`,
	}},
	{"Ory Hydra", published{
		document: `{"issuer":"ISSUER","authorization_endpoint":"ISSUER/oauth2/auth","token_endpoint":"ISSUER/oauth2/token","jwks_uri":"ISSUER/.well-known/jwks.json"}`,
	}},
	{"oidc-provider", published{
		document: `{"authorization_endpoint":"ISSUER/auth","issuer":"ISSUER","jwks_uri":"ISSUER/jwks","token_endpoint":"ISSUER/token","pushed_authorization_request_endpoint":"ISSUER/request"}`,
	}},
}

// A section of the page.
type section struct {
	name     string
	text     string
	settings []string          // the lines of the shell
	env      map[string]string // what they set
	notes    []string
	grants   []string   // permissions that the first token has
	tokens   [][]string // name, claim that is left out, reason
}

var (
	token     = regexp.MustCompile("(?m)^\\| `([a-z0-9-]+)`(?: without `(.+)`)? \\| (?:accepted|refused: `(.+)`) \\|$")
	codeSpan  = regexp.MustCompile("`([^`]+)`")
	tokenText = regexp.MustCompile("(?s)```json\n.*?```\n\n?")
)

// sections parses the page.
func sections(t *testing.T) (intro string, list []section) {
	t.Helper()
	text, err := os.ReadFile(providersPage)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(text), "\n## ")
	for _, part := range parts[1:] {
		name, text, _ := strings.Cut(part, "\n")
		s := section{name: name, text: text, env: map[string]string{}}
		for line := range strings.Lines(text) {
			line = strings.TrimSuffix(line, "\n")
			if setting, ok := strings.CutPrefix(line, "export "); ok {
				s.settings = append(s.settings, line)
				variable, value, _ := strings.Cut(setting, "=")
				s.env[variable] = strings.Trim(value, "'")
			}
			if note, ok := strings.CutPrefix(line, "- "); ok {
				s.notes = append(s.notes, strings.NewReplacer("**", "", "`", "").Replace(note))
			}
			if roles, ok := strings.CutPrefix(line, "- **Roles and permissions:**"); ok {
				for _, span := range codeSpan.FindAllStringSubmatch(roles, -1) {
					if strings.Contains(span[1], "(") {
						s.grants = append(s.grants, span[1])
					}
				}
			}
		}
		for _, row := range token.FindAllStringSubmatch(text, -1) {
			s.tokens = append(s.tokens, row[1:])
		}
		list = append(list, s)
	}
	return parts[0], list
}

// publish returns an issuer of the section's provider, and a client to which it appears as the provider.
func publish(t *testing.T, s section, p published, key []byte) (*devissuer.Issuer, *http.Client) {
	t.Helper()
	audience := strings.Split(s.env["SSO_AUDIENCE"], ",")
	if audience[0] == "" {
		audience[0] = "api"
	}
	issuer, err := devissuer.New(devissuer.WithIssuer(s.env["SSO_ISSUER"]), devissuer.WithAudience(audience...), devissuer.WithKeyPEM(key))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = issuer.Close() })
	var set struct{ Keys []map[string]any }
	if err := json.Unmarshal(issuer.JWKS(), &set); err != nil {
		t.Fatal(err)
	}
	jwk := set.Keys[0]
	for _, name := range p.without {
		delete(jwk, name)
	}
	maps.Copy(jwk, p.with)
	var keys any = map[string]any{"keys": []any{jwk}}
	if p.keys != nil {
		keys = p.keys(jwk)
	}
	body, err := json.Marshal(keys)
	if err != nil {
		t.Fatal(err)
	}
	base := strings.TrimSuffix(s.env["SSO_ISSUER"], "/")
	document := strings.ReplaceAll(p.document, "ISSUER", base)
	var metadata struct {
		Keys string `json:"jwks_uri"`
	}
	_ = json.Unmarshal([]byte(document), &metadata) // empty without discovery
	answers := map[string]string{
		base + "/.well-known/openid-configuration": document,
		s.env["SSO_PUBLIC_KEY_URI"]:                string(body),
		metadata.Keys:                              string(body),
	}
	if strings.HasSuffix(s.env["SSO_PUBLIC_KEY_URI"], "/openid-configuration") {
		answers[s.env["SSO_PUBLIC_KEY_URI"]] = document
	}
	if p.at != "" {
		answers[p.at] = document
	}
	return issuer, &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		answer := answers[r.URL.String()]
		if answer == "" {
			return nil, fmt.Errorf("%s is not an address of the provider", r.URL)
		}
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Date": {time.Now().UTC().Format(http.TimeFormat)}}, Body: io.NopCloser(strings.NewReader(answer)), Request: r}, nil
	})}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestProvidersPage runs the settings of each section of docs/PROVIDERS.md against what the provider publishes
// and sends.
func TestProvidersPage(t *testing.T) {
	intro, list := sections(t)
	if len(list) != len(providers) {
		t.Fatalf("%d sections, want %d", len(list), len(providers))
	}
	signing, err := devissuer.New()
	if err != nil {
		t.Fatal(err)
	}
	defer signing.Close() //nolint:errcheck // nothing is in flight
	key := signing.PrivateKeyPEM()
	page, notes := intro, "The settings and notes of docs/PROVIDERS.md, written by its test.\n"
	shapes := map[string]bool{}
	for i, s := range list {
		if s.name != providers[i].name {
			t.Errorf("section %q, want %q", s.name, providers[i].name)
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			issuer, client := publish(t, s, providers[i].published, key)
			s.accepts(t, issuer, client)
			s.recognized(t, client)
			shown := shown(t, issuer, s.tokens[0][0])
			if !*update && !strings.Contains(s.text, shown) {
				t.Errorf("the token is not on the page: run make docs\n%s", shown)
			}
			text := tokenText.ReplaceAllString(s.text, "")
			page += "\n## " + s.name + "\n" + strings.Replace(text, "\n| token |", "\n"+shown+"\n| token |", 1)
			notes += "\n## " + s.name + "\n\n" + strings.Join(s.settings, "\n") + "\n\n" + text[strings.Index(text, "- **"):strings.Index(text, "\n| token |")]
		})
		for _, row := range s.tokens {
			shapes[row[0]] = true
		}
	}
	_, err = signing.Token(devissuer.Provider(""))
	for name := range strings.SplitSeq(err.Error()[strings.Index(err.Error(), "one of ")+len("one of "):], ", ") {
		if !shapes[name] {
			t.Errorf("the token %s is not on the page", name)
		}
	}
	if t.Failed() {
		return
	}
	for file, text := range map[string]string{providersPage: page, doctorsPage: notes} {
		if *update {
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		} else if now, err := os.ReadFile(file); err != nil || string(now) != text {
			t.Errorf("%s is out of date: run make docs (%v)", file, err)
		}
	}
}

// accepts verifies the tokens of the section by the library, and then by sso doctor.
func (s section) accepts(t *testing.T, issuer *devissuer.Issuer, client *http.Client) {
	t.Helper()
	cfg, err := sso.ConfigFromLookup(func(name string) string { return s.env[name] })
	if err != nil {
		t.Fatal(err)
	}
	cfg.HTTPClient = client
	auth, err := sso.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer auth.Close() //nolint:errcheck // nothing is in flight
	if len(s.tokens) == 0 || len(s.grants) == 0 {
		t.Fatalf("%d tokens, %d permissions", len(s.tokens), len(s.grants))
	}
	for i, row := range s.tokens {
		options := []devissuer.TokenOption{devissuer.Provider(row[0])}
		if row[1] != "" {
			options = append(options, devissuer.WithoutClaim(row[1]))
		}
		text := issuer.MustToken(options...)
		p, err := auth.ValidateToken(t.Context(), text)
		var refused *sso.TokenError
		if errors.As(err, &refused) != (row[2] != "") || refused != nil && refused.Reason != sso.Reason(row[2]) {
			t.Errorf("%q: %v, want reason %q", row, err, row[2])
		}
		for _, expression := range s.grants {
			granted, err := permission.Parse(expression)
			if err != nil {
				t.Fatalf("%s: %v", expression, err)
			}
			if d := sso.Check(t.Context(), granted, sso.NewAccess(p, nil)); i == 0 && !d.Granted() {
				t.Errorf("%s: %s", row[0], d.ExplainWithValues())
			}
		}
		r, o := s.doctor(t, client, text)
		if row[2] == "" && (o.code != 0 || !found(r, doctor.Green, "token", "accepted: subject", "")) || row[2] != "" && (o.code != 1 || !found(r, doctor.Red, "token", "refused, reason "+row[2]+":", "")) {
			t.Errorf("%q: exit code %d, %+v", row, o.code, r.Findings)
		}
	}
}

// doctor runs sso doctor with the settings of the section.
func (s section) doctor(t *testing.T, client *http.Client, token string) (doctor.Report, outcome) {
	t.Helper()
	var r doctor.Report
	o := call{args: []string{"doctor", "--json"}, env: s.env, client: client, stdin: token}.run(t)
	o.object(t, &r)
	return r, o
}

// recognized requires that sso doctor recognizes the provider, and prints the page's notes and settings.
func (s section) recognized(t *testing.T, client *http.Client) {
	t.Helper()
	if *update {
		return // the notes are part of the program
	}
	r, o := s.doctor(t, client, "")
	if o.code != 0 || r.Provider == nil || r.Provider.Name != s.name {
		t.Fatalf("exit code %d, %+v\n%+v", o.code, r.Provider, r.Findings)
	}
	if !slices.Equal(r.Provider.Notes, s.notes) {
		t.Errorf("got the notes %q, want %q", r.Provider.Notes, s.notes)
	}
	for _, line := range r.Provider.Settings {
		if !slices.Contains(s.settings, line) {
			t.Errorf("%s is not on the page", line)
		}
	}
	for _, line := range s.settings {
		hidden := strings.HasPrefix(line, "export SSO_AUDIENCE=") || strings.HasPrefix(line, "export SSO_CLIENT_IDS=") // may look like a secret
		if !hidden && !slices.Contains(r.Provider.Settings, line) {
			t.Errorf("%s is not printed", line)
		}
	}
	human := call{args: []string{"doctor"}, env: s.env, client: client}.run(t).stdout
	for _, line := range append([]string{"provider\n  " + s.name + ", docs/PROVIDERS.md#"}, r.Provider.Settings...) {
		if !strings.Contains(human, line) {
			t.Errorf("no %q in\n%s", line, human)
		}
	}
}

// shown returns a token as the page shows it.
func shown(t *testing.T, issuer *devissuer.Issuer, name string) string {
	t.Helper()
	dates := regexp.MustCompile(`^1\d{9}$`)
	shown := "```json\n"
	for _, part := range strings.Split(issuer.MustToken(devissuer.Provider(name)), ".")[:2] {
		text, err := base64.RawURLEncoding.DecodeString(part)
		if err != nil {
			t.Fatal(err)
		}
		var members map[string]json.RawMessage
		if err := json.Unmarshal(text, &members); err != nil {
			t.Fatal(err)
		}
		line := "{"
		for i, member := range slices.Sorted(maps.Keys(members)) {
			value := string(members[member])
			switch {
			case member == "kid" || member == "x5t":
				value = `"1a2b3c"`
			case member == "exp" || member == "warnafter":
				value = "1796049000"
			case dates.MatchString(value):
				value = "1796045400"
			}
			value = regexp.MustCompile(`"warnafter":\d+`).ReplaceAllString(value, `"warnafter":1796049000`)
			var spaced bytes.Buffer
			if err := json.Indent(&spaced, []byte(value), "", ""); err != nil {
				t.Fatal(err)
			}
			value = strings.NewReplacer("{\n", "{", "\n}", "}", "[\n", "[", "\n]", "]", ",\n", ", ").Replace(spaced.String())
			if i > 0 {
				line += ", "
			}
			if entry := fmt.Sprintf("%q: %s", member, value); len(line)+len(entry) > 120 && line != "{" {
				shown += strings.TrimSuffix(line, " ") + "\n"
				line = " " + entry
			} else {
				line += entry
			}
		}
		shown += line + "}\n"
	}
	return shown + "```\n"
}
