package devissuer_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/more-retail/moresso-go/core/devissuer"
)

// inMemory returns an issuer that ends with the test. By default its keys are for ES256, because RSA keys
// take long to generate.
func inMemory(t *testing.T, opts ...devissuer.Option) *devissuer.Issuer {
	t.Helper()
	issuer, err := devissuer.New(append([]devissuer.Option{devissuer.WithAlgorithm("ES256")}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mustClose(t, issuer) })
	return issuer
}

func onLoopback(t *testing.T, opts ...devissuer.Option) *devissuer.Issuer {
	t.Helper()
	issuer, err := devissuer.Start(append([]devissuer.Option{devissuer.WithAlgorithm("ES256")}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mustClose(t, issuer) })
	return issuer
}

func mustClose(t *testing.T, issuer *devissuer.Issuer) {
	t.Helper()
	if err := issuer.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// answer is a response that has been read to its end.
type answer struct {
	status int
	header http.Header
	body   string
	err    error // of reading the body
}

// client returns the issuer's client, or one over the network if the issuer listens at its URL.
func client(issuer *devissuer.Issuer) *http.Client {
	if strings.HasPrefix(issuer.URL(), "http://127.0.0.1:") {
		return &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	}
	return issuer.Client()
}

// do makes a request and fails the test if no response arrives.
func do(t *testing.T, issuer *devissuer.Issuer, req *http.Request) answer {
	t.Helper()
	resp, err := client(issuer).Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", req.Method, req.URL, err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(body), err}
}

func get(t *testing.T, issuer *devissuer.Issuer, url string, header ...string) answer {
	t.Helper()
	return do(t, issuer, request(t, http.MethodGet, url, "", header...))
}

func post(t *testing.T, issuer *devissuer.Issuer, url, form string, header ...string) answer {
	t.Helper()
	header = append([]string{"Content-Type", "application/x-www-form-urlencoded"}, header...)
	return do(t, issuer, request(t, http.MethodPost, url, form, header...))
}

func request(t *testing.T, method, url, body string, header ...string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; n < len(header); n += 2 {
		req.Header.Set(header[n], header[n+1])
		if header[n] == "Host" {
			req.Host = header[n+1]
		}
	}
	return req
}

// parts decodes the three parts of a compact token. Padding and stray bits fail the test.
func parts(t *testing.T, token string) (header, payload, signature string) {
	t.Helper()
	split := strings.Split(token, ".")
	if len(split) != 3 {
		t.Fatalf("the token has %d parts: %s", len(split), token)
	}
	var out [3]string
	for n, part := range split {
		decoded, err := base64.RawURLEncoding.Strict().DecodeString(part)
		if err != nil {
			t.Fatalf("part %d is not canonical base64url: %v", n, err)
		}
		out[n] = string(decoded)
	}
	return out[0], out[1], out[2]
}

// decode returns a token's header and claims, with exact numbers.
func decode(t *testing.T, token string) (header, claims map[string]any) {
	t.Helper()
	h, p, _ := parts(t, token)
	return object(t, h), object(t, p)
}

func object(t *testing.T, text string) map[string]any {
	t.Helper()
	var out map[string]any
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&out); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return out
}

// verify verifies a token with golang-jwt, by the issuer's PEM, as a service does.
func verify(issuer *devissuer.Issuer, token string) error {
	_, err := jwt.Parse(token, func(*jwt.Token) (any, error) { return publicKey(issuer.PublicPEM()) },
		jwt.WithValidMethods([]string{issuer.Algorithm()}),
		jwt.WithIssuer(issuer.URL()), jwt.WithAudience("api"),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithStrictDecoding())
	return err
}

// noNewGoroutines returns a function that fails the test if more goroutines run than now. It waits for
// them: a connection's goroutine ends just after the server has reported the connection as closed.
func noNewGoroutines(t *testing.T) func() {
	t.Helper()
	before := runtime.NumGoroutine()
	return func() {
		t.Helper()
		eventually(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= before })
	}
}

// eventually waits for a condition, and prints all goroutines if it takes too long.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !done(); runtime.Gosched() {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("still waiting until %s:\n%s", what, stacks[:runtime.Stack(stacks, true)])
		}
	}
}
