package issuer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
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

// listen gives a server that listens and whose handler is asked directly.
func listen(t *testing.T, c issuer.Config) *issuer.Server {
	t.Helper()
	s, end := begin(t, c)
	t.Cleanup(end)
	return s
}

// begin is listen for a server that ends before the test does.
func begin(t *testing.T, c issuer.Config) (s *issuer.Server, end func()) {
	t.Helper()
	if c.Address == "" {
		c.Address = "127.0.0.1:0"
	}
	c.Algorithm = "ES256"
	s, err := issuer.Listen(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return s, func() {
		ended, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
		cancel()
		if err := s.Serve(ended); err != nil {
			t.Error(err)
		}
	}
}

func ask(s *issuer.Server, method, path, host, remote string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, http.NoBody)
	r.Host, r.RemoteAddr = host, remote
	for n := 0; n < len(header); n += 2 {
		r.Header.Set(header[n], header[n+1])
	}
	recorder := httptest.NewRecorder()
	s.Handler().ServeHTTP(recorder, r)
	return recorder
}

const here = "127.0.0.1:50000"

func TestOnlyThisMachineIsListenedTo(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:9000", "example.com:80", "127.0.0.1", "", "127.0.0.1.example.com:1"} {
		if _, err := issuer.Listen(t.Context(), issuer.Config{Address: address}); err == nil || !strings.Contains(err.Error(), issuer.DefaultAddress) {
			t.Errorf("%q: %v", address, err)
		}
	}
	s := listen(t, issuer.Config{Address: "0.0.0.0:0", InsecureListen: true})
	if !strings.HasPrefix(s.Issuer().URL(), "http://127.0.0.1:") {
		t.Errorf("the issuer calls itself %s", s.Issuer().URL())
	}
}

func TestAnAddressThatIsTakenIsRefusedWithARemedy(t *testing.T) {
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close() //nolint:errcheck // the test is over
	if _, err := issuer.Listen(t.Context(), issuer.Config{Address: taken.Addr().String()}); err == nil || !strings.Contains(err.Error(), "--listen 127.0.0.1:9001") || !strings.Contains(err.Error(), "--issuer http://127.0.0.1:9001") {
		t.Error(err)
	}
}

func TestOnlyTheNamesOfThisMachineAreAnsweredTo(t *testing.T) {
	usual := listen(t, issuer.Config{})
	insecure := listen(t, issuer.Config{InsecureListen: true, Issuer: "http://issuer:9000"})
	for host, want := range map[string][2]bool{
		"localhost": {true, true}, "LOCALHOST:9000": {true, true}, "127.0.0.1:9000": {true, true}, "127.9.9.9": {true, true}, "[::1]:9000": {true, true}, "[::1]": {true, true},
		"issuer:9000": {false, true}, "ISSUER": {false, true}, "192.0.2.1:9000": {false, true}, "[2001:db8::1]:9000": {false, true},
		"attacker.example": {false, false}, "localhost.attacker.example": {false, false}, "127.0.0.1.attacker.example": {false, false}, "": {false, false}, "127.0.0.1@attacker.example": {false, false}, "localhost.": {false, false},
	} {
		for i, s := range []*issuer.Server{usual, insecure} {
			for _, path := range []string{"/", devissuer.PathJWKS} {
				got := ask(s, http.MethodGet, path, host, here)
				if ok := got.Code == 200; ok != want[i] || !ok && got.Code != http.StatusMisdirectedRequest {
					t.Errorf("host %q, server %d: %d for %s", host, i, got.Code, path)
				}
			}
		}
	}
}

func TestOnlyThisMachineAndNoOtherSiteChangesTheIssuer(t *testing.T) {
	s := listen(t, issuer.Config{})
	origin := "http://127.0.0.1:9000"
	for name, tt := range map[string]struct {
		method, host, remote string
		header               []string
		want                 int
	}{
		"curl":                          {http.MethodPost, "127.0.0.1:9000", here, nil, 200},
		"a page of its own":             {http.MethodPost, "127.0.0.1:9000", here, []string{"Origin", origin, "Sec-Fetch-Site", "same-origin"}, 200},
		"a link":                        {http.MethodGet, "127.0.0.1:9000", here, nil, 405},
		"HEAD":                          {http.MethodHead, "127.0.0.1:9000", here, nil, 405},
		"a form elsewhere":              {http.MethodPost, "127.0.0.1:9000", here, []string{"Origin", "https://attacker.example", "Sec-Fetch-Site", "cross-site"}, 403},
		"a form in an old browser":      {http.MethodPost, "127.0.0.1:9000", here, []string{"Origin", "https://attacker.example"}, 403},
		"a page without origin":         {http.MethodPost, "127.0.0.1:9000", here, []string{"Origin", "null"}, 403},
		"a page of another port":        {http.MethodPost, "127.0.0.1:9000", here, []string{"Origin", "http://127.0.0.1:3000", "Sec-Fetch-Site", "same-site"}, 403},
		"a name that resolves to here":  {http.MethodPost, "attacker.example", here, []string{"Origin", "http://attacker.example", "Sec-Fetch-Site", "same-origin"}, 421},
		"another machine":               {http.MethodPost, "127.0.0.1:9000", "192.0.2.1:50000", nil, 403},
		"asking by CORS whether it may": {http.MethodOptions, "127.0.0.1:9000", here, []string{"Origin", "https://attacker.example", "Access-Control-Request-Method", "POST"}, 405},
	} {
		for _, path := range []string{"/rotate", "/down", "/up"} {
			before := s.Issuer().KeyID()
			got := ask(s, tt.method, path, tt.host, tt.remote, tt.header...)
			if got.Code != tt.want {
				t.Errorf("%s to %s: %d %s", name, path, got.Code, got.Body)
			}
			if changed := s.Issuer().KeyID() != before; changed != (path == "/rotate" && tt.want == 200) {
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

func TestTokensSurviveARestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sso", "keys.pem")
	c := issuer.Config{KeysFile: file, Issuer: "http://127.0.0.1:9000"}
	first, end := begin(t, c)
	tokens := []string{first.Issuer().MustToken()}
	for range 2 {
		if got := ask(first, http.MethodPost, "/rotate", "localhost", here); got.Code != 200 || !strings.Contains(got.Body.String(), first.Issuer().KeyID()) {
			t.Fatal(got.Code, got.Body)
		}
		tokens = append(tokens, first.Issuer().MustToken())
	}
	end()
	second, end := begin(t, c)
	auth := (&ssotest.Issuer{Issuer: second.Issuer()}).Config("api")
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
	t.Run("but not for ever", func(t *testing.T) {
		for range 10 {
			ask(second, http.MethodPost, "/rotate", "localhost", here)
		}
		if n := len(second.Issuer().KeyIDs()); n != 5 {
			t.Errorf("%d keys are published", n)
		}
		end()
		if n := len(listen(t, c).Issuer().KeyIDs()); n != 5 {
			t.Errorf("%d keys are kept", n)
		}
	})
}

func TestAKeyThatCannotBeKeptIsTold(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "gone")
	s := listen(t, issuer.Config{KeysFile: filepath.Join(folder, "keys.pem")})
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	if got := ask(s, http.MethodPost, "/rotate", "localhost", here); got.Code != 500 || !strings.Contains(got.Body.String(), "could not be stored") {
		t.Error(got.Code, got.Body)
	}
}

func TestKeysOfAnotherAlgorithmAreRefusedWithARemedy(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys.pem")
	_, end := begin(t, issuer.Config{KeysFile: file})
	end()
	_, err := issuer.Listen(t.Context(), issuer.Config{Address: "127.0.0.1:0", KeysFile: file, Algorithm: "EdDSA"})
	if err == nil || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "--keys-file") {
		t.Error(err)
	}
	if _, err := issuer.Listen(t.Context(), issuer.Config{Address: "127.0.0.1:0", Algorithm: "HS256"}); err == nil || !strings.Contains(err.Error(), "RS256") {
		t.Error(err)
	}
}

func TestDownAndUpAgain(t *testing.T) {
	adaptertest.CheckLeaks(t)
	ctx, stop := context.WithCancel(t.Context())
	s, err := issuer.Listen(ctx, issuer.Config{Address: "127.0.0.1:0", Algorithm: "EdDSA"})
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx) }()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	reach := func(method, path string) (string, error) {
		r, _ := http.NewRequestWithContext(t.Context(), method, s.Issuer().URL()+path, http.NoBody)
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
	body, err := reach("GET", devissuer.PathDiscovery)
	var doc map[string]any
	if err != nil || json.Unmarshal([]byte(body), &doc) != nil || doc["issuer"] != s.Issuer().URL() {
		t.Error(body, err)
	}
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
	if _, err := reach("GET", "/"); err == nil {
		t.Error("it goes on answering")
	}
}

func TestRotationBelowThePathOfTheIssuerIsKeptToo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys.pem")
	c := issuer.Config{KeysFile: file, Issuer: "http://127.0.0.1:9000/realm"}
	first, end := begin(t, c)
	for _, path := range []string{"/realm/rotate", "/realm/%72otate", "/rotate"} {
		before := first.Issuer().KeyID()
		if got := ask(first, http.MethodPost, path, "localhost", here); got.Code != 200 || first.Issuer().KeyID() == before {
			t.Fatal(path, got.Code, got.Body)
		}
		if text, err := os.ReadFile(file); err != nil || !bytes.Equal(text, first.Issuer().PrivateKeysPEM()) {
			t.Errorf("%s: the file holds other keys: %v", path, err)
		}
	}
	for path, want := range map[string]int{"/realm/jwks.json": 200, "/realm/down": 200, "/realm/up": 200, "/realm/rotate/x": 404} {
		method := http.MethodPost
		if strings.HasSuffix(path, ".json") {
			method = http.MethodGet
		}
		if got := ask(first, method, path, "localhost", here); got.Code != want {
			t.Errorf("%s: %d %s", path, got.Code, got.Body)
		}
	}
	for range 10 {
		ask(first, http.MethodPost, "/realm/rotate", "localhost", here)
	}
	want := first.Issuer().KeyIDs()
	end()
	if got := listen(t, c).Issuer().KeyIDs(); len(want) != 5 || !slices.Equal(got, want) {
		t.Errorf("%v became %v", want, got)
	}
}

func TestTheGreetingNamesAddressesThatAnswer(t *testing.T) {
	s := listen(t, issuer.Config{Issuer: "http://127.0.0.1:9000/realm"})
	greeting := ask(s, http.MethodGet, "/", "localhost", here).Body.String()
	asked := 0
	for line := range strings.SplitSeq(greeting, "\n") {
		method, address, _ := strings.Cut(line, " ")
		if method != http.MethodGet && method != http.MethodPost {
			continue
		}
		asked++
		u, err := url.Parse(strings.TrimSpace(address))
		if err != nil || u.Host != "127.0.0.1:9000" {
			t.Fatalf("%q: %v", line, err)
		}
		want := 200
		if strings.HasSuffix(u.Path, devissuer.PathToken) {
			want = 400 // a form is missing
		}
		if got := ask(s, method, u.Path, "localhost", here); got.Code != want {
			t.Errorf("%s: %d %s", line, got.Code, got.Body)
		}
	}
	if asked != 7 {
		t.Errorf("%d addresses in\n%s", asked, greeting)
	}
}

func TestOfTwoServersOnOneFileOfKeysTheSecondIsRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys.pem")
	first, end := begin(t, issuer.Config{KeysFile: file})
	link := filepath.Join(t.TempDir(), "link.pem")
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, link} {
		if _, err := issuer.Listen(t.Context(), issuer.Config{Address: "127.0.0.1:0", KeysFile: path}); err == nil || !strings.Contains(err.Error(), "--keys-file") || !strings.Contains(err.Error(), path) {
			t.Error(err)
		}
	}
	ask(first, http.MethodPost, "/rotate", "localhost", here)
	if _, err := issuer.Listen(t.Context(), issuer.Config{Address: "127.0.0.1:0", KeysFile: file}); err == nil {
		t.Error("after a rotation it is free")
	}
	want := first.Issuer().KeyID()
	end()
	if got := listen(t, issuer.Config{KeysFile: file}).Issuer().KeyID(); got != want {
		t.Errorf("%s became %s", want, got)
	}
}
