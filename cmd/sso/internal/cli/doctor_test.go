package cli_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/cmd/sso/internal/doctor"
	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/core/ssotest"
)

// examine runs sso doctor --json.
func examine(t *testing.T, client *http.Client, env map[string]string) (doctor.Report, outcome) {
	t.Helper()
	o := call{args: []string{"doctor", "--json"}, env: env, client: client}.run(t)
	var r doctor.Report
	o.object(t, &r)
	o.harmless(t)
	if (o.code == 1) != (r.Level == doctor.Red) {
		t.Errorf("exit code %d for %s", o.code, r.Level)
	}
	return r, o
}

// found reports whether there is such a finding.
func found(r doctor.Report, level doctor.Level, topic, text, remedy string) bool {
	return slices.ContainsFunc(r.Findings, func(f doctor.Finding) bool {
		return f.Level == level && strings.Contains(f.Topic, topic) && strings.Contains(f.Text, text) && strings.Contains(f.Remedy, remedy)
	})
}

func settingsOf(i *ssotest.Issuer) map[string]string {
	i.JWKS() // makes the keys now, so that doctor does not measure that
	return map[string]string{"SSO_ISSUER": i.URL(), "SSO_AUDIENCE": "api", "SSO_ALGORITHMS": i.Algorithm()}
}

// rsaJWK returns a new key as a JWK.
func rsaJWK(t *testing.T, kid string, opts ...devissuer.Option) string {
	t.Helper()
	var set struct{ Keys []map[string]any }
	if err := json.Unmarshal(ssotest.NewIssuer(t, opts...).JWKS(), &set); err != nil {
		t.Fatal(err)
	}
	set.Keys[0]["kid"] = kid
	text, err := json.Marshal(set.Keys[0])
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestDoctor_Red checks issuers with one problem each.
func TestDoctor_Red(t *testing.T) {
	for name, tt := range map[string]struct {
		opts                []devissuer.Option
		harm                func(*ssotest.Issuer)
		env                 map[string]string
		topic, text, remedy string
	}{
		"the provider is unreachable":         {nil, func(i *ssotest.Issuer) { i.Down() }, nil, "keys", "refused", "nothing listens there"},
		"the provider answers 503":            {nil, func(i *ssotest.Issuer) { i.Fault(status(503)) }, nil, "keys", "answered 503", "the provider has an internal error"},
		"another issuer's document":           {nil, func(i *ssotest.Issuer) { i.Fault(otherIssuer) }, nil, "keys", "names the issuer", `set SSO_ISSUER to it`},
		"the only key is too small":           {[]devissuer.Option{devissuer.WithKeyPEM(smallKey(t))}, nil, nil, "keys", "an RSA key of 1024 bits", "replace the key"},
		"one key is too small":                {nil, func(i *ssotest.Issuer) { addKey(i, rsaJWK(t, "small", devissuer.WithKeyPEM(smallKey(t)))) }, nil, "keys", `the key "small" is not used: an RSA key of 1024 bits`, "replace the key"},
		"no key for the algorithms":           {[]devissuer.Option{devissuer.WithAlgorithm("ES256")}, nil, map[string]string{"SSO_ALGORITHMS": "RS256"}, "algorithms", "no key is for RS256: every token is refused", "if the provider signs with ES256"},
		"this clock is 10 minutes behind":     {nil, func(i *ssotest.Issuer) { i.Fault(dated(10 * time.Minute)) }, nil, "clock", "10m behind the provider's (± 1s), where 1m is allowed: tokens are refused as issued in the future", "NTP"},
		"this clock is 10 minutes ahead":      {nil, func(i *ssotest.Issuer) { i.Fault(dated(-10 * time.Minute)) }, nil, "clock", "10m ahead of the provider's (± 1s), where 1m is allowed: tokens are refused as expired", "NTP"},
		"the audience is missing":             {nil, nil, map[string]string{"SSO_AUDIENCE": ""}, "SSO_AUDIENCE", "is not set", "orders-api"},
		"keys over http from another machine": {nil, nil, map[string]string{"SSO_PUBLIC_KEY_URI": "http://keys.example.com/jwks.json"}, "SSO_PUBLIC_KEY_URI", "http:// to keys.example.com", "https://"},
		"the issuer over http":                {nil, nil, map[string]string{"SSO_ISSUER": "http://login.example.com"}, "SSO_ISSUER", "http:// to login.example.com", "https://"},
		"a private key is published":          {nil, func(i *ssotest.Issuer) { addKey(i, `{"kty":"RSA","kid":"p","n":"AQAB","e":"AQAB","d":"AQAB"}`) }, nil, "keys", "a private key", "replace the key"},
		"a long RSA key": {nil, func(i *ssotest.Issuer) {
			addKey(i, `{"kty":"RSA","kid":"long","n":"`+strings.Repeat("____", 171)+`","e":"AQAB"}`)
		}, nil, "keys", "more than SSO_MAX_RSA_BITS: 4096", "replace the key"},
		"an empty key set":    {nil, func(i *ssotest.Issuer) { i.SetJWKS(`{"keys":[]}`) }, map[string]string{"SSO_PUBLIC_KEY_URI": "jwks"}, "keys", "none of the 0 keys", "report them to the provider"},
		"a login page":        {nil, func(i *ssotest.Issuer) { i.Fault(loginPage) }, nil, "keys", "an HTML or XML page", "a web page"},
		"a redirect":          {nil, func(i *ssotest.Issuer) { i.Fault(status(http.StatusFound, "Location", "https://new.example/keys?x=1")) }, nil, "keys", "a redirect", "https://new.example/keys"},
		"404":                 {nil, func(i *ssotest.Issuer) { i.Fault(status(404)) }, nil, "keys", "answered 404", "nothing is at this address"},
		"a login is required": {nil, func(i *ssotest.Issuer) { i.Fault(status(401)) }, nil, "keys", "answered 401", "keys are public"},
	} {
		t.Run(name, func(t *testing.T) {
			issuer := ssotest.NewIssuer(t, tt.opts...)
			env := settingsOf(issuer)
			if r, _ := examine(t, issuer.Client(), env); tt.harm != nil && tt.opts == nil && r.Level != doctor.Green {
				t.Fatalf("findings before the fault: %+v", r.Findings)
			}
			if tt.harm != nil {
				tt.harm(issuer)
			}
			for name, value := range tt.env {
				if value == "jwks" {
					value = issuer.JWKSURL()
				}
				env[name] = value
			}
			r, o := examine(t, issuer.Client(), env)
			if o.code != 1 || !found(r, doctor.Red, tt.topic, tt.text, tt.remedy) {
				t.Errorf("exit code %d: %s", o.code, o.stdout)
			}
			for _, f := range r.Findings {
				if f.Level != doctor.Green && f.Remedy == "" {
					t.Errorf("without a remedy: %+v", f)
				}
			}
			human := call{args: []string{"doctor"}, env: env, client: issuer.Client()}.run(t)
			human.harmless(t)
			if human.code != 1 || !strings.Contains(human.stdout, "\nred    (") || !strings.Contains(human.stdout, "what to do: ") {
				t.Errorf("%+v", human)
			}
			for _, stray := range issuer.Stats().Strays {
				t.Errorf("request to %s", stray)
			}
		})
	}
}

// A fault responds instead of the provider; see devissuer.Issuer.Fault.
type fault = func(w http.ResponseWriter, r *http.Request, healthy http.Handler)

// otherIssuer responds with another issuer's discovery document.
func otherIssuer(w http.ResponseWriter, r *http.Request, healthy http.Handler) {
	if r.URL.Path != "/.well-known/openid-configuration" {
		healthy.ServeHTTP(w, r)
		return
	}
	_, _ = w.Write([]byte(`{"issuer":"https://tenant.example","jwks_uri":"https://issuer.example/jwks.json"}`))
}

// dated responds with another Date, undated without one.
func dated(ahead time.Duration) fault {
	return func(w http.ResponseWriter, r *http.Request, healthy http.Handler) {
		w.Header().Set("Date", time.Now().Add(ahead).UTC().Format(http.TimeFormat))
		healthy.ServeHTTP(w, r)
	}
}

func undated(w http.ResponseWriter, r *http.Request, healthy http.Handler) {
	w.Header()["Date"] = nil
	healthy.ServeHTTP(w, r)
}

// status responds with a status, and with headers given as names and values in turn.
func status(code int, header ...string) fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		for n := 0; n < len(header); n += 2 {
			w.Header().Set(header[n], header[n+1])
		}
		w.WriteHeader(code)
	}
}

func loginPage(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte("<!DOCTYPE html><title>Sign in to the network</title>"))
}

// addKey publishes one more key.
func addKey(i *ssotest.Issuer, jwk string) {
	i.SetJWKS(strings.TrimSuffix(string(i.JWKS()), "]}") + "," + jwk + "]}")
}

// smallKey returns an RSA key of 1024 bits as PKCS #8.
func smallKey(t *testing.T) []byte {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func TestDoctor_Green(t *testing.T) {
	issuer := ssotest.NewIssuer(t)
	issuer.Fault(func(w http.ResponseWriter, r *http.Request, healthy http.Handler) {
		w.Header().Set("Cache-Control", "max-age=120")
		healthy.ServeHTTP(w, r)
	})
	addKey(issuer, `{"kty":"RSA","kid":"for-encryption","use":"enc","alg":"RSA-OAEP","n":"AQAB","e":"AQAB"}`)
	addKey(issuer, `{"kty":"oct","kid":"odd","k":"AAAA","iat":1700000000}`)
	r, o := examine(t, issuer.Client(), settingsOf(issuer))
	if o.code != 0 || r.Level != doctor.Green {
		t.Errorf("%s", o.stdout)
	}
	for topic, text := range map[string]string{
		"settings": "a service starts", "latency": "answered 200 in", "clock": "agrees with the provider's", "algorithms": "RS256 are accepted",
		"issuer": issuer.URL(), "outage": "keys are fetched every 2m, ± 10 %. If that fails, tokens signed with the cached keys are accepted for 1h more",
	} {
		if !found(r, doctor.Green, topic, text, "") {
			t.Errorf("%s: no %q in %+v", topic, text, r.Findings)
		}
	}
	if len(r.Keys) != 3 || r.Keys[0].ID != issuer.KeyID() || !r.Keys[0].Usable || r.Keys[0].Size != "2048 bits" || r.Keys[0].Algorithm != "RS256" || r.Keys[0].Age != "unknown" {
		t.Errorf("%+v", r.Keys)
	}
	if k := r.Keys[1]; k.Usable || k.Why == "" || k.Algorithm != "RSA-OAEP" || k.Size != "17 bits" {
		t.Errorf("%+v", k)
	}
	if k := r.Keys[2]; k.Usable || !strings.HasSuffix(k.Age, " days (iat)") {
		t.Errorf("%+v", k)
	}
	if len(r.Settings) != len(sso.Settings()) || !slices.Contains(r.Settings, doctor.Setting{Name: "SSO_ISSUER", Value: issuer.URL(), From: "SSO_ISSUER"}) || !slices.Contains(r.Settings, doctor.Setting{Name: "SSO_LEEWAY", Value: "60s", From: "default"}) {
		t.Errorf("%+v", r.Settings)
	}
	if fetches := issuer.Stats().Fetches + issuer.Stats().Requests["/.well-known/openid-configuration"]; fetches != 2 {
		t.Errorf("%d requests", fetches)
	}
	human := call{args: []string{"doctor"}, env: settingsOf(issuer), client: issuer.Client()}.run(t)
	for _, text := range []string{"usable    " + issuer.KeyID() + "  RS256, 2048 bits, age unknown", "not used  for-encryption", "green  ("} {
		if !strings.Contains(human.stdout, text) {
			t.Errorf("no %q in\n%s", text, human.stdout)
		}
	}
}

func TestDoctor_Yellow(t *testing.T) {
	issuer := ssotest.NewIssuer(t)
	jwks := map[string]string{"SSO_PUBLIC_KEY_URI": issuer.JWKSURL(), "SSO_AUDIENCE": "api", "SSO_SKIP_ISSUER_CHECK": "true"}
	with := func(more ...string) map[string]string {
		env := map[string]string{"SSO_PUBLIC_KEY_URI": issuer.JWKSURL(), "SSO_AUDIENCE": "api", "SSO_ISSUER": issuer.URL()}
		for n := 0; n < len(more); n += 2 {
			env[more[n]] = more[n+1]
		}
		return env
	}
	file := filepath.Join(t.TempDir(), "jwks.json")
	if err := os.WriteFile(file, issuer.JWKS(), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		env         map[string]string
		fault       fault
		topic, text string
	}{
		"no issuer":                {jwks, nil, "issuer", "iss is not checked"},
		"an extra algorithm":       {with("SSO_ALGORITHMS", "RS256,ES256"), nil, "algorithms", "no key is for ES256"},
		"http anywhere":            {with("SSO_INSECURE_ALLOW_HTTP", "true"), nil, "InsecureAllowHTTP", "an attacker on the network"},
		"no audience":              {with("SSO_SKIP_AUDIENCE_CHECK", "true", "SSO_CLIENT_IDS", "web", "SSO_AUDIENCE", ""), nil, "SkipAudienceCheck", "only the client distinguishes"},
		"a development issuer":     {with("SSO_ISSUER", "http://localhost:9000"), nil, "Issuer", "a development issuer on this machine"},
		"other kinds of token":     {with("SSO_TOKEN_TYPE", "id_token"), nil, "TokenType", "ID tokens"},
		"a long leeway":            {with("SSO_LEEWAY", "5m"), nil, "Leeway", "for 5m after"},
		"a key that never changes": {with("SSO_PUBLIC_KEY_URI", string(issuer.PublicPEM())), nil, "outage", "never changes"},
		"a clock 45 s off":         {with(), dated(45 * time.Second), "clock", "behind the provider's"},
		"no Date":                  {with(), undated, "clock", "no Date"},
	} {
		t.Run(name, func(t *testing.T) {
			issuer.Fault(tt.fault)
			r, o := examine(t, issuer.Client(), tt.env)
			if o.code != 0 || r.Level != doctor.Yellow || !found(r, doctor.Yellow, tt.topic, tt.text, "") {
				t.Errorf("exit code %d: %s", o.code, o.stdout)
			}
		})
	}
	issuer.Fault(nil)
	t.Run("a file is as good as an address", func(t *testing.T) {
		r, o := examine(t, nil, with("SSO_PUBLIC_KEY_URI", "file:"+file))
		if o.code != 0 || r.Level != doctor.Green || len(r.Keys) != 1 || r.Keys[0].Age != "unchanged for less than a day" {
			t.Errorf("%s", o.stdout)
		}
	})
}

func TestDoctor_SecretsInSettings(t *testing.T) {
	issuer := ssotest.NewIssuer(t)
	for _, value := range []string{
		issuer.JWKSURL() + "?key=hidden-secret", string(issuer.PrivateKeyPEM()), "https://user:hidden-secret@issuer.example/jwks.json",
		`{"keys":"hidden-secret"}`, "https://issuer.example/jwks.json?hidden-secret", strings.Repeat("hidden-secret", 20), base64.StdEncoding.EncodeToString([]byte("a key in the wrong place, hidden-secret")),
	} {
		_, o := examine(t, issuer.Client(), map[string]string{"SSO_PUBLIC_KEY_URI": value, "SSO_AUDIENCE": "api"})
		if strings.Contains(o.stdout+o.stderr, "hidden-secret") || strings.Contains(o.stdout+o.stderr, "YSBrZXkg") || strings.Contains(o.stdout+o.stderr, "BEGIN PRIVATE") || strings.Contains(o.stdout, strings.Split(string(issuer.PrivateKeyPEM()), "\n")[1]) {
			t.Errorf("%.60q: %s", value, o.stdout)
		}
	}
}

func TestDoctor_Certificate(t *testing.T) {
	issuer := ssotest.NewIssuer(t)
	issuer.JWKS() // makes the keys now, as in settingsOf
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(issuer.JWKS()) }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // the handshake fails on purpose
	server.StartTLS()
	defer server.Close()
	env := map[string]string{"SSO_PUBLIC_KEY_URI": server.URL, "SSO_AUDIENCE": "api", "SSO_ISSUER": issuer.URL()}
	leaf := server.Certificate()
	r, o := examine(t, server.Client(), env)
	if o.code != 0 || !found(r, doctor.Green, "certificate", leaf.NotAfter.Format(time.DateOnly), "") {
		t.Errorf("%s", o.stdout)
	}
	if r, o := examine(t, &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, env); o.code != 1 || !found(r, doctor.Red, "keys", "certificate", "does not trust the authority") {
		t.Errorf("%s", o.stdout)
	}
	later := call{args: []string{"doctor", "--json"}, env: env, client: server.Client(), now: func() time.Time { return leaf.NotAfter.Add(-24 * time.Hour) }}.run(t)
	if !strings.Contains(later.stdout, "days left: 1") || !strings.Contains(later.stdout, "no keys are available once it has expired") {
		t.Errorf("%s", later.stdout)
	}
	set := `{"keys":[{"kty":"RSA","kid":"c","x5c":["` + base64.StdEncoding.EncodeToString(leaf.Raw) + `"],` + rsaJWK(t, "c")[1:] + `]}`
	issuer.SetJWKS(strings.Replace(set, `"kty":"RSA","kid":"c","x5c"`, `"x5c"`, 1))
	if r, o := examine(t, server.Client(), env); len(r.Keys) != 1 || !strings.HasSuffix(r.Keys[0].Age, "days (its certificate)") {
		t.Errorf("%s", o.stdout)
	}
}
