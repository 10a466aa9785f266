package issuer_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/more-retail/moresso-go/cmd/sso/internal/issuer"
	"github.com/more-retail/moresso-go/core/adaptertest"
	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/core/ssotest"
)

// start starts an issuer that signs with ES256, and closes it at the end of the test.
func start(t *testing.T, keysFile string, opts ...devissuer.Option) *issuer.Issuer {
	t.Helper()
	i, err := issuer.Start(keysFile, append([]devissuer.Option{devissuer.WithAlgorithm("ES256")}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = i.Close() })
	return i
}

// end closes an issuer before the end of the test.
func end(t *testing.T, i *issuer.Issuer) {
	t.Helper()
	if err := i.Close(); err != nil {
		t.Error(err)
	}
}

func send(i *issuer.Issuer, method, path, host, remote string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, http.NoBody)
	r.Host, r.RemoteAddr = host, remote
	for n := 0; n < len(header); n += 2 {
		r.Header.Set(header[n], header[n+1])
	}
	recorder := httptest.NewRecorder()
	i.Handler().ServeHTTP(recorder, r)
	return recorder
}

const here = "127.0.0.1:50000"

func TestStart_Address(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:9000", "example.com:80", "127.0.0.1", "127.0.0.1.example.com:1"} {
		if _, err := issuer.Start("", devissuer.WithAddr(address)); err == nil || !strings.Contains(err.Error(), issuer.DefaultAddress) {
			t.Errorf("%q: %v", address, err)
		}
	}
	if i := start(t, "", devissuer.WithAddr("0.0.0.0:0"), devissuer.WithInsecureListen()); !strings.HasPrefix(i.URL(), "http://127.0.0.1:") {
		t.Errorf("the identifier is %s", i.URL())
	}
}

func TestStart_Host(t *testing.T) {
	usual := start(t, "")
	insecure := start(t, "", devissuer.WithInsecureListen(), devissuer.WithIssuer("http://issuer:9000"))
	for host, want := range map[string][2]bool{
		"localhost": {true, true}, "LOCALHOST:9000": {true, true}, "127.0.0.1:9000": {true, true}, "127.9.9.9": {true, true}, "[::1]:9000": {true, true}, "[::1]": {true, true},
		"issuer:9000": {false, true}, "ISSUER": {false, true}, "192.0.2.1:9000": {false, true}, "[2001:db8::1]:9000": {false, true},
		"attacker.example": {false, false}, "localhost.attacker.example": {false, false}, "127.0.0.1.attacker.example": {false, false}, "": {false, false}, "127.0.0.1@attacker.example": {false, false}, "localhost.": {false, false},
	} {
		for i, s := range []*issuer.Issuer{usual, insecure} {
			for _, path := range []string{"/", "/jwks.json"} {
				got := send(s, http.MethodGet, path, host, here)
				if ok := got.Code == 200; ok != want[i] || !ok && got.Code != http.StatusMisdirectedRequest {
					t.Errorf("host %q, server %d: %d for %s", host, i, got.Code, path)
				}
			}
		}
	}
}

func TestStart_CrossOrigin(t *testing.T) {
	s := start(t, "")
	origin := "http://127.0.0.1:9000"
	for name, tt := range map[string]struct {
		method, host, remote string
		header               []string
		want                 int
	}{
		"curl":                         {http.MethodPost, "127.0.0.1:9000", here, nil, 200},
		"a page of its own":            {http.MethodPost, "127.0.0.1:9000", here, []string{"Origin", origin, "Sec-Fetch-Site", "same-origin"}, 200},
		"a link":                       {http.MethodGet, "127.0.0.1:9000", here, nil, 405},
		"HEAD":                         {http.MethodHead, "127.0.0.1:9000", here, nil, 405},
		"a form elsewhere":             {http.MethodPost, "127.0.0.1:9000", here, []string{"Origin", "https://attacker.example", "Sec-Fetch-Site", "cross-site"}, 403},
		"a form in an old browser":     {http.MethodPost, "127.0.0.1:9000", here, []string{"Origin", "https://attacker.example"}, 403},
		"a page without origin":        {http.MethodPost, "127.0.0.1:9000", here, []string{"Origin", "null"}, 403},
		"a page of another port":       {http.MethodPost, "127.0.0.1:9000", here, []string{"Origin", "http://127.0.0.1:3000", "Sec-Fetch-Site", "same-site"}, 403},
		"a name that resolves to here": {http.MethodPost, "attacker.example", here, []string{"Origin", "http://attacker.example", "Sec-Fetch-Site", "same-origin"}, 421},
		"another machine":              {http.MethodPost, "127.0.0.1:9000", "192.0.2.1:50000", nil, 403},
		"a CORS preflight":             {http.MethodOptions, "127.0.0.1:9000", here, []string{"Origin", "https://attacker.example", "Access-Control-Request-Method", "POST"}, 405},
	} {
		for _, path := range []string{"/rotate", "/down", "/up"} {
			before := s.KeyID()
			got := send(s, tt.method, path, tt.host, tt.remote, tt.header...)
			if got.Code != tt.want {
				t.Errorf("%s to %s: %d %s", name, path, got.Code, got.Body)
			}
			if changed := s.KeyID() != before; changed != (path == "/rotate" && tt.want == 200) {
				t.Errorf("%s to %s: the key has changed: %t", name, path, changed)
			}
			for field := range got.Header() {
				if strings.HasPrefix(field, "Access-Control-") {
					t.Errorf("%s: %s", name, field)
				}
			}
		}
	}
}

func TestStart_Restart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sso", "keys.pem")
	identifier := devissuer.WithIssuer("http://127.0.0.1:9000")
	first := start(t, file, identifier)
	tokens := []string{first.MustToken()}
	for range 2 {
		if got := send(first, http.MethodPost, "/rotate", "localhost", here); got.Code != 200 || !strings.Contains(got.Body.String(), first.KeyID()) {
			t.Fatal(got.Code, got.Body)
		}
		tokens = append(tokens, first.MustToken())
	}
	end(t, first)
	second := start(t, file, identifier)
	auth := (&ssotest.Issuer{Issuer: second.Issuer}).Config("api")
	a, err := sso.New(auth)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close() //nolint:errcheck // nothing is in flight
	for i, token := range tokens {
		if _, err := a.ValidateToken(t.Context(), token); err != nil {
			t.Errorf("token %d: %v", i, err)
		}
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info, err)
	}
	t.Run("old keys are removed", func(t *testing.T) {
		for range 10 {
			send(second, http.MethodPost, "/rotate", "localhost", here)
		}
		if n := len(second.KeyIDs()); n != 5 {
			t.Errorf("%d keys are published", n)
		}
		end(t, second)
		if n := len(start(t, file, identifier).KeyIDs()); n != 5 {
			t.Errorf("%d keys are stored", n)
		}
	})
}

func TestRotate_SaveFails(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "gone")
	s := start(t, filepath.Join(folder, "keys.pem"))
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	if got := send(s, http.MethodPost, "/rotate", "localhost", here); got.Code != 500 || !strings.Contains(got.Body.String(), "could not be stored") {
		t.Error(got.Code, got.Body)
	}
}

func TestStart_DownAndUp(t *testing.T) {
	adaptertest.CheckLeaks(t)
	s := start(t, "", devissuer.WithAlgorithm("EdDSA"))
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	reach := func(method, path string) (string, error) {
		r, _ := http.NewRequestWithContext(t.Context(), method, s.URL()+path, http.NoBody)
		response, err := client.Do(r)
		if err != nil {
			return "", err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		return string(body), err
	}
	for _, step := range []struct {
		method, path string
		ok           bool
	}{
		{"GET", "/jwks.json", true}, {"POST", "/down", true}, {"GET", "/jwks.json", false}, {"POST", "/token", false}, {"GET", "/", true}, {"POST", "/up", true}, {"GET", "/jwks.json", true},
	} {
		if body, err := reach(step.method, step.path); (err == nil) != step.ok {
			t.Errorf("%s %s: %s %v", step.method, step.path, body, err)
		}
	}
	body, err := reach("GET", "/.well-known/openid-configuration")
	var doc map[string]any
	if err != nil || json.Unmarshal([]byte(body), &doc) != nil || doc["issuer"] != s.URL() {
		t.Error(body, err)
	}
	end(t, s)
	if _, err := reach("GET", "/"); err == nil {
		t.Error("the issuer still answers")
	}
}

func TestRotate_IdentifierWithPath(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys.pem")
	identifier := devissuer.WithIssuer("http://127.0.0.1:9000/realm")
	first := start(t, file, identifier)
	for _, path := range []string{"/realm/rotate", "/realm/%72otate", "/rotate"} {
		before := first.KeyID()
		if got := send(first, http.MethodPost, path, "localhost", here); got.Code != 200 || first.KeyID() == before {
			t.Fatal(path, got.Code, got.Body)
		}
		if text, err := os.ReadFile(file); err != nil || !bytes.Equal(text, first.PrivateKeyPEM()) {
			t.Errorf("%s: the file holds other keys: %v", path, err)
		}
	}
	for path, want := range map[string]int{"/realm/jwks.json": 200, "/realm/down": 200, "/realm/up": 200, "/realm/rotate/x": 404} {
		method := http.MethodPost
		if strings.HasSuffix(path, ".json") {
			method = http.MethodGet
		}
		if got := send(first, method, path, "localhost", here); got.Code != want {
			t.Errorf("%s: %d %s", path, got.Code, got.Body)
		}
	}
	for range 10 {
		send(first, http.MethodPost, "/realm/rotate", "localhost", here)
	}
	want := first.KeyIDs()
	end(t, first)
	if got := start(t, file, identifier).KeyIDs(); len(want) != 5 || !slices.Equal(got, want) {
		t.Errorf("%v became %v", want, got)
	}
}

func TestStart_Description(t *testing.T) {
	s := start(t, "", devissuer.WithIssuer("http://127.0.0.1:9000/realm"))
	greeting := send(s, http.MethodGet, "/", "localhost", here).Body.String()
	count := 0
	for line := range strings.SplitSeq(greeting, "\n") {
		words := strings.Fields(line)
		if len(words) < 2 || words[0] != http.MethodGet && words[0] != http.MethodPost {
			continue
		}
		count++
		method := words[0]
		u, err := url.Parse(words[1])
		if err != nil || u.Host != "127.0.0.1:9000" {
			t.Fatalf("%q: %v", line, err)
		}
		want := 200
		if strings.HasSuffix(u.Path, "/token") {
			want = 400 // a form is missing
		}
		if got := send(s, method, u.Path, "localhost", here); got.Code != want {
			t.Errorf("%s: %d %s", line, got.Code, got.Body)
		}
	}
	if count != 7 {
		t.Errorf("%d addresses in\n%s", count, greeting)
	}
}

func TestStart_Locked(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys.pem")
	first := start(t, file)
	link := filepath.Join(t.TempDir(), "link.pem")
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, link} {
		if _, err := issuer.Start(path); err == nil || !strings.Contains(err.Error(), "--keys-file") || !strings.Contains(err.Error(), path) {
			t.Error(err)
		}
	}
	send(first, http.MethodPost, "/rotate", "localhost", here)
	if _, err := issuer.Start(file); err == nil {
		t.Error("after a rotation it is free")
	}
	want := first.KeyID()
	end(t, first)
	if got := start(t, file).KeyID(); got != want {
		t.Errorf("%s became %s", want, got)
	}
}
