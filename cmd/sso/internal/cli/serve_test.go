package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/more-retail/moresso-go/cmd/sso/internal/cli"
	"github.com/more-retail/moresso-go/cmd/sso/internal/explain"
	"github.com/more-retail/moresso-go/core/adapter"
	"github.com/more-retail/moresso-go/core/adaptertest"
	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
)

// serving is a running sso serve.
type serving struct {
	issuer string
	ready  map[string]any
	stop   func() (code int, stderr string)
}

// serve runs sso serve until the test ends or stop is called.
func serve(t *testing.T, args ...string) serving {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	read, write := io.Pipe()
	var stderr bytes.Buffer
	ended := make(chan int, 1)
	go func() {
		code := cli.Run(ctx, cli.Environment{
			Args:  append([]string{"serve", "--json", "--listen", "127.0.0.1:0"}, args...),
			Stdin: strings.NewReader(""), Stdout: write, Stderr: &stderr, Lookup: func(string) string { return "" },
		})
		_ = write.Close()
		ended <- code
	}()
	s := serving{}
	stopped := false
	s.stop = func() (int, string) {
		stopped = true
		cancel()
		return <-ended, stderr.String()
	}
	t.Cleanup(func() {
		if !stopped {
			if code, text := s.stop(); code != 0 {
				t.Errorf("sso serve ended with %d: %s", code, text)
			}
		}
	})
	if err := json.NewDecoder(read).Decode(&s.ready); err != nil {
		code, text := s.stop()
		t.Fatalf("sso serve ended with %d: %s", code, text)
	}
	s.issuer, _ = s.ready["issuer"].(string)
	return s
}

const people = `
personas:
  ada:
    audience: [orders-api]
    permissions: {pma: {role: admin, n: 1}}
    scope: orders:read
  bob:
    subject: robert
`

// service returns a server that the library protects.
func service(t *testing.T, issuer string) *httptest.Server {
	t.Helper()
	cfg, err := sso.ConfigFromLookup(func(name string) string {
		return map[string]string{"SSO_ISSUER": issuer, "SSO_AUDIENCE": "api,orders-api", "SSO_ALGORITHMS": "ES256,RS256"}[name]
	})
	if err != nil {
		t.Fatal(err)
	}
	cfg.Logger = slog.New(slog.DiscardHandler)
	auth, err := sso.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, err := auth.Authorize(r.Context(), routed{adapter.HTTPRequest{R: r}}, permission.Is("pma.role", "admin"))
		if err != nil {
			w.WriteHeader(sso.DenialOf(err).Status)
			return
		}
		principal, _ := sso.FromContext(ctx)
		_, _ = io.WriteString(w, "hello "+principal.Subject())
	}))
	t.Cleanup(func() { server.Close(); _ = auth.Close() })
	return server
}

type routed struct{ adapter.HTTPRequest }

func (routed) Pattern() string         { return "/" }
func (routed) PathValue(string) string { return "" }

// curl sends a request with a token.
func curl(t *testing.T, method, address, token string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, address, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+strings.TrimSuffix(token, "\n"))
	}
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(body)
}

// mint runs sso mint and requires that it prints a token and nothing else.
func mint(t *testing.T, args ...string) string {
	t.Helper()
	o := call{args: append([]string{"mint"}, args...)}.run(t)
	if o.code != 0 || o.stderr != "" || strings.Count(o.stdout, ".") != 2 || strings.Count(o.stdout, "\n") != 1 || strings.ContainsAny(strings.TrimSuffix(o.stdout, "\n"), " \n") {
		t.Fatalf("sso mint %q: %+v", args, o)
	}
	return o.stdout
}

func TestMint_Service(t *testing.T) {
	adaptertest.CheckLeaks(t)
	file := filepath.Join(t.TempDir(), "personas.yaml")
	if err := os.WriteFile(file, []byte(people), 0o600); err != nil {
		t.Fatal(err)
	}
	s := serve(t, "--keys-file=", "--algorithm", "ES256", "--personas", file)
	server := service(t, s.issuer)
	for name, tt := range map[string]struct {
		args []string
		want int
		says string
	}{
		"with the permission":            {[]string{"--permission", "pma.role=admin"}, 200, "hello ada"},
		"without":                        {nil, 403, ""},
		"with another":                   {[]string{"--permission", "pma.role=guest"}, 403, ""},
		"as another subject":             {[]string{"--subject", "eve", "--permission", "pma.role=admin"}, 200, "hello eve"},
		"as another subject, by a claim": {[]string{"--claim", "sub=eve", "--permission", "pma.role=admin"}, 200, "hello eve"},
		"as a persona":                   {[]string{"--persona", "ada"}, 200, "hello ada"},
		"as a persona with less":         {[]string{"--persona", "ada", "--permission", "pma.role=guest"}, 403, ""},
		"as another persona":             {[]string{"--persona", "bob", "--permission", "pma.role=admin"}, 200, "hello robert"},
		"for another audience":           {[]string{"--audience", "shop", "--permission", "pma.role=admin"}, 401, ""},
		"for several audiences":          {[]string{"--audience", "shop", "--audience", "api", "--permission", "pma.role=admin"}, 200, "hello ada"},
		"expired":                        {[]string{"--expires-in=-1h", "--permission", "pma.role=admin"}, 401, ""},
		"without audience":               {[]string{"--without", "aud", "--permission", "pma.role=admin"}, 401, ""},
	} {
		if status, body := curl(t, http.MethodGet, server.URL, mint(t, append([]string{"--issuer", s.issuer}, tt.args...)...)); status != tt.want || body != tt.says {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	if status, _ := curl(t, http.MethodGet, server.URL, ""); status != 401 {
		t.Errorf("without a token: %d", status)
	}
	t.Run("explain gives the same result", func(t *testing.T) {
		env := map[string]string{"SSO_ISSUER": s.issuer, "SSO_AUDIENCE": "api", "SSO_ALGORITHMS": "ES256"}
		for token, want := range map[string]int{mint(t, "--issuer", s.issuer, "--permission", "pma.role=admin"): 0, mint(t, "--issuer", s.issuer): 1} {
			if o := (call{args: []string{"explain", "--require", `is("pma.role", "admin")`}, stdin: token, env: env}).run(t); o.code != want {
				t.Errorf("%+v", o)
			}
		}
		if o := (call{args: []string{"doctor"}, env: env}).run(t); o.code != 0 {
			t.Errorf("%+v", o)
		}
	})
	t.Run("a rotation", func(t *testing.T) {
		before := mint(t, "--issuer", s.issuer, "--permission", "pma.role=admin")
		if status, body := curl(t, http.MethodPost, s.issuer+"/rotate", ""); status != 200 || !strings.Contains(body, `"kid"`) {
			t.Fatal(status, body)
		}
		for _, token := range []string{before, mint(t, "--issuer", s.issuer, "--permission", "pma.role=admin")} {
			if status, _ := curl(t, http.MethodGet, server.URL, token); status != 200 {
				t.Errorf("%d", status)
			}
		}
	})
	t.Run("an issuer that is down", func(t *testing.T) {
		curl(t, http.MethodPost, s.issuer+"/down", "")
		if o := (call{args: []string{"mint", "--issuer", s.issuer}}).run(t); o.code != 1 || o.stdout != "" || !strings.Contains(o.stderr, "sso serve") {
			t.Errorf("%+v", o)
		}
		curl(t, http.MethodPost, s.issuer+"/up", "")
		mint(t, "--issuer", s.issuer)
	})
}

func TestServe_Restart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys.pem")
	args := []string{"--algorithm", "ES256", "--keys-file", file, "--issuer", "http://issuer.test:9000"}
	first := serve(t, args...)
	address := first.ready["issuer"]
	token := mint(t, "--keys-file", file, "--issuer", "http://issuer.test:9000")
	if code, text := first.stop(); code != 0 || text != "" {
		t.Fatalf("ended with %d: %s", code, text)
	}
	second := serve(t, args...)
	if second.ready["kid"] != first.ready["kid"] || second.ready["issuer"] != address {
		t.Errorf("%v became %v", first.ready, second.ready)
	}
	var decoded explain.Token
	call{args: []string{"explain", "--decode", "--json"}, stdin: token}.run(t).object(t, &decoded)
	if !strings.Contains(string(decoded.Header), second.ready["kid"].(string)) { //nolint:errcheck // it would panic, and the test fail
		t.Errorf("%s", decoded.Header)
	}
}

func TestMint_KeysFile(t *testing.T) {
	folder := t.TempDir()
	file, yaml := filepath.Join(folder, "keys.pem"), filepath.Join(folder, "personas.yaml")
	if err := os.WriteFile(yaml, []byte(people), 0o600); err != nil {
		t.Fatal(err)
	}
	s := serve(t, "--algorithm", "ES256", "--keys-file", file)
	server := service(t, s.issuer)
	offline := []string{"--keys-file", file, "--issuer", s.issuer}
	for name, token := range map[string]string{
		"with a permission": mint(t, append(offline, "--permission", "pma.role=admin")...),
		"as a persona":      mint(t, append(offline, "--personas", yaml, "--persona", "ada")...),
	} {
		if status, body := curl(t, http.MethodGet, server.URL, token); status != 200 || body != "hello ada" {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	if o := (call{args: append([]string{"mint"}, offline...)}).run(t); o.code != 2 || !strings.Contains(o.stderr, "chmod 600") {
		t.Errorf("%+v", o)
	}
}

func TestMint_Values(t *testing.T) {
	s := serve(t, "--keys-file=", "--algorithm", "EdDSA")
	for name, tt := range map[string]struct {
		args []string
		want string // part of the claims
	}{
		"text":                          {[]string{"--permission", "pma.role=admin"}, `"permissions":{"pma":{"role":"admin"}}`},
		"several":                       {[]string{"--permission", "pma.role=admin", "--permission", "pma.n=9007199254740993", "--permission", "x"}, `"permissions":{"pma":{"n":9007199254740993,"role":"admin"},"x":true}`},
		"text that looks like a number": {[]string{"--permission", `code="7"`}, `"code":"7"`},
		"an equals sign":                {[]string{"--permission", "a=b=c"}, `"a":"b=c"`},
		"nothing":                       {[]string{"--permission", "a="}, `"a":""`},
		"a list":                        {[]string{"--permission", `a=["x",1]`}, `"a":["x",1]`},
		"a dot in a name":               {[]string{"--permission", `corp\.example.role=admin`}, `"permissions":{"corp.example":{"role":"admin"}}`},
		"a claim":                       {[]string{"--claim", `tenant={"id":"t1"}`}, `"tenant":{"id":"t1"}`},
		"a claim with a dot":            {[]string{"--claim", "https://corp.example/x=1"}, `"https://corp.example/x":1`},
		"scopes":                        {[]string{"--scope", "a b", "--scope", "c"}, `"scope":"a b c"`},
		"a client":                      {[]string{"--client", "web"}, `"client_id":"web"`},
		"null":                          {[]string{"--claim", "x=null"}, `"x":null`},
	} {
		var decoded explain.Token
		call{args: []string{"explain", "--decode", "--json"}, stdin: mint(t, append([]string{"--issuer", s.issuer}, tt.args...)...)}.run(t).object(t, &decoded)
		if claims := squeezed(t, decoded.Claims); !strings.Contains(claims, tt.want) {
			t.Errorf("%s: %s", name, claims)
		}
	}
	var answer map[string]any
	call{args: []string{"mint", "--json", "--issuer", s.issuer, "--expires-in", "5m"}}.run(t).object(t, &answer)
	if answer["expires_in"] != 300.0 || answer["token_type"] != "Bearer" || answer["access_token"] == "" {
		t.Errorf("%v", answer)
	}
}

func squeezed(t *testing.T, text json.RawMessage) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, text); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestServe_Output(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // it listens, prints its addresses, and ends
	o := call{args: []string{"serve", "--listen", "127.0.0.1:0", "--keys-file=", "--algorithm", "ES256", "--audience", "a,b"}}.runContext(ctx, t)
	o.harmless(t)
	if o.code != 0 || !strings.Contains(o.stdout, "export SSO_ISSUER=http://127.0.0.1:") || !strings.Contains(o.stdout, "SSO_AUDIENCE=a,b SSO_ALGORITHMS=ES256") {
		t.Errorf("%+v", o)
	}
}

func TestMint_OtherTokenEndpoint(t *testing.T) {
	hosts := map[string]bool{}
	document := ""
	client := &http.Client{Transport: transport(func(r *http.Request) string {
		hosts[r.URL.Scheme+"://"+r.URL.Host] = true
		return document
	})}
	for _, endpoint := range []string{"https://attacker.example/token", "http://127.0.0.1:9001/token", "https://127.0.0.1:9000/token", "", "//attacker.example/token", "http://127.0.0.1:9000@attacker.example/"} {
		document = fmt.Sprintf(`{"issuer":"http://127.0.0.1:9000","token_endpoint":%q}`, endpoint)
		if o := (call{args: []string{"mint"}, client: client}).run(t); o.code != 1 || !strings.Contains(o.stderr, "token endpoint") {
			t.Errorf("%s: %+v", endpoint, o)
		}
	}
	if len(hosts) != 1 || !hosts["http://127.0.0.1:9000"] {
		t.Errorf("requests to %v", hosts)
	}
}

// claimsOf mints a token in an environment and returns its claims.
func claimsOf(t *testing.T, env map[string]string, args ...string) map[string]any {
	t.Helper()
	o := call{args: append([]string{"mint"}, args...), env: env}.run(t)
	if o.code != 0 {
		t.Fatalf("%+v", o)
	}
	var decoded explain.Token
	call{args: []string{"explain", "--decode", "--json"}, stdin: o.stdout}.run(t).object(t, &decoded)
	var claims map[string]any
	if err := json.Unmarshal(decoded.Claims, &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

func TestMint_Environment(t *testing.T) {
	folder := t.TempDir()
	yaml := filepath.Join(folder, "personas.yaml")
	if err := os.WriteFile(yaml, []byte(people), 0o600); err != nil {
		t.Fatal(err)
	}
	s := serve(t, "--keys-file=", "--algorithm", "ES256", "--personas", yaml)
	env := map[string]string{"SSO_ISSUER": s.issuer, "SSO_AUDIENCE": "shop"}
	for name, tt := range map[string]struct {
		env      map[string]string
		args     []string
		audience any
	}{
		"both":                {env, nil, "shop"},
		"the issuer alone":    {map[string]string{"SSO_ISSUER": s.issuer}, nil, "api"},
		"several audiences":   {map[string]string{"SSO_ISSUER": s.issuer, "SSO_AUDIENCE": "shop, api"}, nil, []any{"shop", "api"}},
		"a flag overrides":    {env, []string{"--audience", "other"}, "other"},
		"a persona overrides": {env, []string{"--persona", "ada"}, "orders-api"},
	} {
		claims := claimsOf(t, tt.env, tt.args...)
		if got := fmt.Sprint(claims["aud"]); claims["iss"] != s.issuer || got != fmt.Sprint(tt.audience) && got != fmt.Sprintf("[%v]", tt.audience) {
			t.Errorf("%s: %v", name, claims)
		}
	}
	if claims := claimsOf(t, map[string]string{"SSO_ISSUER": "https://login.example.com"}, "--keys-file", keysFile(t)); claims["iss"] != "http://127.0.0.1:9000" {
		t.Errorf("an issuer elsewhere: %v", claims)
	}
}

func TestAwait(t *testing.T) {
	for _, args := range [][]string{{"mint"}, {"doctor"}} {
		free, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address := free.Addr().String()
		if err := free.Close(); err != nil {
			t.Fatal(err)
		}
		results := make(chan outcome, 1)
		refused := make(chan struct{})
		once := sync.OnceFunc(func() { close(refused) })
		go func() {
			results <- call{args: args, env: map[string]string{"SSO_ISSUER": "http://" + address, "SSO_AUDIENCE": "api", "SSO_ALGORITHMS": "ES256"}, refused: once}.run(t)
		}()
		select {
		case <-refused:
		case o := <-results:
			t.Fatalf("%q did not wait: %+v", args, o)
		}
		serve(t, "--keys-file=", "--algorithm", "ES256", "--listen", address)
		if o := <-results; o.code != 0 {
			t.Errorf("%q: %+v", args, o)
		}
	}
}
