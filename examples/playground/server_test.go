package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/more-retail/moresso-go/core/adaptertest"
)

func TestHandler_Host(t *testing.T) {
	p := startForTest(t)
	for host, want := range map[string]int{
		"127.0.0.1": 200, "127.0.0.1:8080": 200, "localhost:8080": 200, "LOCALHOST": 200, "[::1]:8080": 200, "127.0.0.2": 200,
		"evil.example": 421, "evil.example:8080": 421, "localhost.evil.example": 421, "127.0.0.1.evil.example": 421, "10.0.0.1": 421,
		"": 421, "0.0.0.0": 421, "localhost:80:80": 421, "evil.example@127.0.0.1": 421,
	} {
		for _, path := range []string{"/", "/app.js", "/api/state"} {
			r := httptest.NewRequest(http.MethodGet, path, http.NoBody)
			r.Host = host
			if got := send(p, r); got.Code != want {
				t.Errorf("Host %q, %s: %d, want %d", host, path, got.Code, want)
			}
		}
	}
}

func send(p *playground, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	p.handler().ServeHTTP(w, r)
	return w
}

func post(path, body string, header ...string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Host = "127.0.0.1:8080"
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

func TestHandler_SameOrigin(t *testing.T) {
	p := startForTest(t)
	key := p.issuer.KeyID()
	for _, path := range []string{"/api/down", "/api/rotate", "/api/send"} {
		for name, header := range map[string][]string{
			"another site": {"Sec-Fetch-Site", "cross-site"}, "another port": {"Sec-Fetch-Site", "same-site"},
			"an old browser": {"Origin", "http://evil.example"}, "a sandbox": {"Origin", "null"},
		} {
			if got := send(p, post(path, "{}", header...)); got.Code != http.StatusForbidden {
				t.Errorf("%s from %s: %d", path, name, got.Code)
			}
		}
		r := httptest.NewRequest(http.MethodGet, path, http.NoBody)
		r.Host = "localhost"
		if got := send(p, r); got.Code == http.StatusOK {
			t.Errorf("GET %s: %d", path, got.Code)
		}
	}
	if p.isDown() || p.issuer.KeyID() != key {
		t.Error("something changed")
	}
	for _, path := range []string{"/api/down", "/api/up", "/api/rotate"} {
		if got := send(p, post(path, "", "Sec-Fetch-Site", "same-origin")); got.Code != http.StatusOK {
			t.Errorf("%s: %d", path, got.Code)
		}
	}
	if p.isDown() || p.issuer.KeyID() == key {
		t.Error("nothing changed")
	}
}

func TestHandler_InvalidOrders(t *testing.T) {
	p := startForTest(t)
	for body, want := range map[string]int{
		"":                    400,
		"{}{}":                400,
		`{"claims":{},"x":1}`: 400,
		`{"claims":{"a":"` + strings.Repeat("x", maxOrder) + `"}}`:                                   400,
		`{"claims":{},"flaw":"none","route":"nowhere"}`:                                              422,
		`{"claims":{},"flaw":"nothing","route":"me"}`:                                                422,
		`{"claims":[],"flaw":"none","route":"me"}`:                                                   422,
		`{"claims":null,"flaw":"none","route":"me"}`:                                                 422,
		`{"flaw":"none","route":"me"}`:                                                               422,
		`{"claims":{"a":"` + strings.Repeat("x", maxClaims) + `"},"flaw":"none","route":"me"}`:       422,
		`{"claims":{"a":"` + strings.Repeat("x", maxClaims-8) + `"},"flaw":"none","route":"me"}`:     200,
		`{"claims":{"n":12345678901234567890,"exp":"soon"},"flaw":"none","route":"me"}`:              200,
		`{"claims":{"sub":"<img src=x onerror=alert(1)>\u0000\n\u202e"},"flaw":"none","route":"me"}`: 200,
	} {
		got := send(p, post("/api/send", body))
		if got.Code != want {
			t.Errorf("%.60s: %d %s, want %d", body, got.Code, got.Body, want)
		}
		if want != 200 {
			continue
		}
		var out outcome
		if err := json.Unmarshal(got.Body.Bytes(), &out); err != nil || len(out.Differ) != 0 {
			t.Errorf("%.60s: %q, %v", body, out.Differ, err)
		}
	}
}

// The page needs no exception from the policy.
func TestHandler_ContentSecurityPolicy(t *testing.T) {
	p := startForTest(t)
	r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	r.Host = "localhost"
	policy := send(p, r).Header().Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || strings.Contains(policy, "http") {
		t.Errorf("policy: %s", policy)
	}
	forbidden := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacent|document\.write|\beval\(|new Function| style="| on[a-z]+="|<style|<script>|https?://`)
	namespace := "http://www.w3.org/2000/svg" // a name, which is not fetched
	err := fs.WalkDir(pageFiles, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(pageFiles, path)
		if found := forbidden.Find(bytes.ReplaceAll(text, []byte(namespace), nil)); found != nil {
			t.Errorf("%s: %s", path, found)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestServe(t *testing.T) {
	adaptertest.CheckLeaks(t)
	ctx, cancel := context.WithCancel(t.Context())
	read, write := io.Pipe()
	var ended sync.WaitGroup
	ended.Go(func() {
		if err := serve(ctx, "127.0.0.1:0", write); err != nil {
			t.Error(err)
		}
		_ = write.Close()
	})
	printed := make([]byte, 64<<10)
	n, text := 0, ""
	for !strings.Contains(text, "Ctrl-C") {
		more, err := read.Read(printed[n:])
		if n += more; err != nil {
			t.Fatal(err)
		}
		text = string(printed[:n])
	}
	url := regexp.MustCompile(`The playground: (http://127\.0\.0\.1:\d+/)`).FindStringSubmatch(text)
	if url == nil || strings.Count(text, "curl -i") != 15 {
		t.Fatalf("output\n%s", text)
	}
	response, err := http.Get(url[1])
	if err != nil {
		t.Fatal(err)
	}
	page, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil || !strings.Contains(string(page), "<title>moresso-go playground</title>") {
		t.Errorf("%s, %v", page, err)
	}
	http.DefaultClient.CloseIdleConnections()
	cancel()
	ended.Wait()
	for _, addr := range []string{"0.0.0.0:0", ":0", "192.0.2.1:0", "example.com:80"} {
		if err := serve(t.Context(), addr, io.Discard); err == nil || !strings.Contains(err.Error(), "-addr") {
			t.Errorf("%s: %v", addr, err)
		}
	}
}
