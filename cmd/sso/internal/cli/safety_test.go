package cli_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/ssotest"
)

// hostile clears the screen, sets the title, forges a line, and reverses text on a terminal that obeys
// it.
const hostile = "\x1b[2J\x1b]0;owned\x07\r\n  ok    signature\u009b31m\u202e\u200b\x00\x7f\b"

func TestTerminal_Token(t *testing.T) {
	issuer := ssotest.NewIssuer(t, ssotest.FastKeys())
	for name, opts := range map[string][]devissuer.TokenOption{
		"the subject":              {devissuer.Subject(hostile)},
		"a permission":             {devissuer.Permission("pma.role", hostile)},
		"the name of a permission": {devissuer.Claim("permissions", map[string]any{hostile: hostile})},
		"the name of a claim":      {devissuer.Claim(hostile, 1)},
		"scopes":                   {devissuer.Scope(hostile)},
		"the audience":             {devissuer.Audience(hostile)},
		"the issuer":               {devissuer.IssuedBy("https://" + hostile)},
		"the client":               {devissuer.Claim("client_id", hostile)},
		"the key id":               {devissuer.Header("kid", hostile)},
		"the algorithm":            {devissuer.Header("alg", hostile)},
		"the type":                 {devissuer.Header("typ", hostile)},
		"the name of a header":     {devissuer.Header(hostile, hostile)},
		"bare escapes":             {devissuer.Raw("", "{\"sub\":\""+hostile+"\"}")},
		"a date":                   {devissuer.Claim("exp", hostile)},
	} {
		t.Run(name, func(t *testing.T) {
			token := issuer.Token(opts...)
			for _, args := range [][]string{
				append([]string{"explain"}, trusting(issuer)...),
				append([]string{"explain", "--json"}, trusting(issuer)...),
				append([]string{"explain", "--require", `is("pma.role", "admin") && scope("x")`}, trusting(issuer)...),
				append([]string{"explain", "--client-ids", "web"}, trusting(issuer)...),
				{"explain", "--decode"},
				{"explain", "--decode", "--json"},
			} {
				o := call{args: args, stdin: token, client: issuer.Client()}.run(t)
				o.harmless(t)
				if strings.Contains(o.stdout, "\n  ok    signature") != strings.Contains(o.stdout, "\naccepted") && strings.Contains(o.stdout, "\nrefused") {
					t.Errorf("a line was forged:\n%s", o.stdout)
				}
				if signature := token[strings.LastIndexByte(token, '.')+1:]; strings.Contains(o.stdout+o.stderr, signature[:20]) {
					t.Errorf("the signature was printed:\n%s", o.stdout)
				}
			}
		})
	}
	t.Run("a raw input", func(t *testing.T) {
		for _, input := range []string{hostile, "Bearer " + hostile, "Authorization: " + hostile, hostile + "." + hostile + "." + hostile} {
			call{args: append([]string{"explain"}, trusting(issuer)...), stdin: input, client: issuer.Client()}.run(t).harmless(t)
			call{args: []string{"explain", "--decode"}, stdin: input}.run(t).harmless(t)
		}
	})
}

func TestTerminal_Provider(t *testing.T) {
	issuer := ssotest.NewIssuer(t, ssotest.FastKeys())
	quoted := inJSON(t, hostile)
	addKey(issuer, `{"kty":"RSA","kid":`+quoted+`,"alg":`+quoted+`,"n":"AQAB","e":"AQAB"}`)
	addKey(issuer, `{"kty":`+quoted+`,"crv":`+quoted+`,"kid":"x"}`)
	for name, fault := range map[string]fault{
		"keys": nil,
		"an issuer": func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			_, _ = w.Write([]byte(`{"issuer":` + quoted + `,"jwks_uri":` + quoted + `}`))
		},
		"a redirect": func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			w.Header().Set("Location", "https://x/%1b[2J"+"\u202e")
			w.WriteHeader(http.StatusFound)
		},
	} {
		issuer.Fault(fault)
		for _, args := range [][]string{{"doctor"}, {"doctor", "--json"}} {
			t.Run(name+" "+strings.Join(args, " "), func(t *testing.T) {
				call{args: args, env: settingsOf(issuer), client: issuer.Client()}.run(t).harmless(t)
			})
		}
	}
}

func TestTerminal_Input(t *testing.T) {
	file := filepath.Join(t.TempDir(), "personas.yaml")
	if err := os.WriteFile(file, []byte("personas: {\"\\e[2J\": {\"\\e[2J\": 1}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	answer := func(body string) *http.Client {
		return &http.Client{Transport: transport(func(r *http.Request) string {
			if strings.HasSuffix(r.URL.Path, "/.well-known/openid-configuration") {
				return `{"issuer":"http://127.0.0.1:9000","token_endpoint":"http://127.0.0.1:9000/token"}`
			}
			return body
		})}
	}
	quoted := inJSON(t, hostile)
	for name, c := range map[string]call{
		"a command":                   {args: []string{hostile}},
		"a flag":                      {args: []string{"explain", "--" + hostile}},
		"an argument":                 {args: []string{"doctor", hostile}},
		"a variable":                  {args: []string{"doctor"}, env: map[string]string{"SSO_ISSUER": hostile, "SSO_AUDIENCE": hostile, "SSO_LEEWAY": hostile, "SSO_ALGORITHMS": hostile}},
		"a permission":                {args: []string{"explain", "--require", "is(\"" + hostile}},
		"a file of personas":          {args: []string{"serve", "--keys-file=", "--personas", file}},
		"an address":                  {args: []string{"serve", "--listen", hostile}},
		"an issuer":                   {args: []string{"mint", "--issuer", "http://" + hostile}},
		"an issuer that is not a URL": {args: []string{"mint", "--issuer", hostile}},
		"what an issuer answers":      {args: []string{"mint"}, client: answer(`{"access_token":` + quoted + `}`)},
	} {
		t.Run(name, func(t *testing.T) {
			o := c.run(t)
			o.harmless(t)
			if o.code == 0 {
				t.Errorf("%+v", o)
			}
		})
	}
}

func inJSON(t *testing.T, text string) string {
	t.Helper()
	quoted, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(quoted)
}

// transport answers every request with 200 and a text.
type transport func(*http.Request) string

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) {
	recorder := newRecorder()
	recorder.body.WriteString(f(r))
	return recorder.response(r), nil
}

func TestErrors_HideTokens(t *testing.T) {
	issuer := ssotest.NewIssuer(t, ssotest.FastKeys())
	token := issuer.Token()
	for name, c := range map[string]call{
		"as a command":                {args: []string{token}},
		"as an argument":              {args: []string{"explain", token}},
		"as a flag":                   {args: []string{"explain", "--" + token}},
		"as a short flag":             {args: []string{"explain", "-" + token}},
		"as the value of a switch":    {args: []string{"explain", "--decode=" + token}, stdin: token},
		"in a pipe, without settings": {args: []string{"explain"}, stdin: token},
		"in the variable":             {args: []string{"explain"}, env: map[string]string{"SSO_TOKEN": token}},
		"as JSON":                     {args: []string{"--json", "explain", token}},
		"too long":                    {args: []string{"explain", "--decode"}, stdin: strings.Repeat(token, 10000)},
	} {
		o := c.run(t)
		if o.code != 2 || o.stderr == "" {
			t.Errorf("%s: %+v", name, o)
		}
		signature := token[strings.LastIndexByte(token, '.')+1:]
		if text := o.stdout + o.stderr; strings.Contains(text, signature) {
			t.Errorf("%s: %s", name, text)
		}
	}
}

// TestExplain_ConfiguredSourceOnly checks that no request goes to an address that a token names.
func TestExplain_ConfiguredSourceOnly(t *testing.T) {
	issuer := ssotest.NewIssuer(t, ssotest.FastKeys())
	other := "https://attacker.example/jwks.json"
	for _, opts := range [][]devissuer.TokenOption{
		{devissuer.Header("jku", other)},
		{devissuer.Header("x5u", other)},
		{devissuer.IssuedBy("https://attacker.example")},
		{devissuer.UnknownKey(), devissuer.Header("jku", other)},
		{devissuer.UnknownKey(), devissuer.Header("jwk", map[string]string{"kty": "oct", "k": "AAAA"})},
		{devissuer.Header("kid", other)},
		{devissuer.Claim("cnf", map[string]any{"jku": other})},
	} {
		token := issuer.Token(opts...)
		o := call{args: append([]string{"explain"}, trusting(issuer)...), stdin: token, client: issuer.Client(), now: time.Now}.run(t)
		if strays := issuer.Stats().Strays; len(strays) > 0 {
			t.Errorf("requests to %q:\n%s", strays, o.stdout)
		}
	}
	o := call{args: append([]string{"explain"}, trusting(issuer)...), stdin: issuer.Token(devissuer.Header("jku", other)), client: issuer.Client()}.run(t)
	if o.code != 0 || !strings.Contains(o.stdout, "jku in its header is not used") {
		t.Errorf("%+v", o)
	}
}

func TestErrors_HideShortTokens(t *testing.T) {
	const header, signature = "eyJhbGciOiJIUzI1NiJ9", "c2VjcmV0"
	token := header + ".e30." + signature
	for name, args := range map[string][]string{
		"as a flag":                   {"explain", "--" + token},
		"as a short flag":             {"explain", "-" + token},
		"as the value of a switch":    {"explain", "--decode=" + token},
		"as a duration":               {"mint", "--expires-in", token},
		"as a permission":             {"mint", "--permission", "=" + token},
		"as the name of a permission": {"mint", "--permission", token + "..x=1"},
		"as a claim":                  {"mint", "--claim", "=" + token},
		"as an algorithm":             {"serve", "--keys-file=", "--algorithm", token},
		"as an address":               {"serve", "--listen", token},
		"as an issuer":                {"mint", "--issuer", token},
		"as a file of keys":           {"mint", "--keys-file", token},
		"as a file of personas":       {"serve", "--personas", token},
		"as a command":                {"help", token},
		"after a word":                {"mint", "--expires-in", "Bearer " + token},
		"as JSON":                     {"mint", "--json", "--expires-in", token},
	} {
		o := call{args: args}.run(t)
		hint := strings.Contains(o.stderr, "SSO_TOKEN") || strings.Contains(o.stderr, "--permission: ") || strings.Contains(o.stderr, "--claim: ")
		if o.code != 2 || strings.Contains(o.stdout+o.stderr, signature) || !hint {
			t.Errorf("%s: %+v", name, o)
		}
	}
}

func TestErrors_HideSecretsInAddresses(t *testing.T) {
	for _, address := range []string{
		"http://user:hidden-secret@127.0.0.1:1/", "http://127.0.0.1:1/?key=hidden-secret", "http://127.0.0.1:1/#hidden-secret", "user:hidden-secret@127.0.0.1:1",
		"data:,hidden-secret", "data:text/plain,hidden-secret", "https://user:hidden secret@x", "https://user:hidden-secret@[x", "ftp://user:hidden-secret@127.0.0.1",
	} {
		for _, c := range []call{
			{args: []string{"mint", "--issuer", address}, client: answering(`{"issuer":"http://x:hidden-secret@y","token_endpoint":"http://x:hidden-secret@y?hidden-secret"}`)},
			{args: []string{"mint", "--issuer", address}, client: answering(`no JSON`)},
			{args: []string{"doctor"}, env: map[string]string{"SSO_ISSUER": address, "SSO_AUDIENCE": "api"}, client: answering("{}")},
			{args: []string{"doctor"}, env: map[string]string{"SSO_PUBLIC_KEY_URI": address, "SSO_AUDIENCE": address}, client: answering("{}")},
			{args: []string{"doctor"}, env: map[string]string{"SSO_ISSUER": "https://x.example", "SSO_AUDIENCE": "api,https://one.example," + address}, client: answering("{}")},
			{args: []string{"doctor"}, env: map[string]string{"SSO_ISSUER": "https://x.example", "SSO_AUDIENCE": address + ",https://one.example"}, client: answering("{}")},
			{args: []string{"doctor"}, env: map[string]string{"SSO_ISSUER": "https://x.example", "SSO_AUDIENCE": "api", "SSO_CLIENT_IDS": address}, client: answering("{}")},
		} {
			for _, asJSON := range []bool{false, true} {
				if asJSON {
					c.args = append(c.args, "--json")
				}
				if o := c.run(t); strings.Contains(o.stdout+o.stderr, "hidden") || o.code == 0 {
					t.Errorf("%q: %+v", address, o)
				}
			}
		}
	}
}

// answering is a client to which every address gives the same answer.
func answering(body string) *http.Client {
	return &http.Client{Transport: transport(func(*http.Request) string { return body })}
}
