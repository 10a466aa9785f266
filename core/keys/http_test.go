package keys_test

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/elliptic"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/keys"
)

func TestURL_Addresses(t *testing.T) {
	for address, accepted := range map[string]bool{
		"https://idp.example/jwks.json":       true,
		"HTTPS://idp.example/jwks.json":       true,
		"https://idp.example:8443/keys?v=1":   true,
		"http://localhost:8080/jwks.json":     true,
		"http://LOCALHOST/jwks.json":          true,
		"http://127.0.0.1/jwks.json":          true,
		"http://127.8.9.10:1/jwks.json":       true,
		"http://[::1]:8080/jwks.json":         true,
		"http://idp.example/jwks.json":        false,
		"http://127.0.0.1.evil.example/jwks":  false,
		"http://localhost.evil.example/jwks":  false,
		"http://localhost./jwks":              false,
		"http://evil.example/127.0.0.1":       false,
		"http://evil.example#127.0.0.1":       false,
		"http://127.0.0.1@evil.example/jwks":  false,
		"http://127.1/jwks":                   false,
		"http://2130706433/jwks":              false,
		"http://0x7f000001/jwks":              false,
		"http://0.0.0.0/jwks":                 false,
		"http://[::]/jwks":                    false,
		"http://10.0.0.1/jwks":                false,
		"http://[fe80::1]/jwks":               false,
		"http://169.254.169.254/latest":       false,
		"https://user@idp.example/jwks":       false,
		"https://user:secret@idp.example/":    false,
		"http://user:secret@127.0.0.1/":       false,
		"https:///jwks.json":                  false,
		"https://:443/jwks.json":              false,
		"https:idp.example/jwks.json":         false,
		"https://":                            false,
		"https://idp.example:port/":           false,
		"https://idp.example/\njwks":          false,
		"ftp://idp.example/jwks.json":         false,
		"file:///etc/passwd":                  false,
		"//idp.example/jwks.json":             false,
		"":                                    false,
		"http://[::ffff:127.0.0.1]:80/jwks":   true,
		"http://127.0.0.1\\@evil.example/":    false,
		"http://127.0.0.1%2eevil.example/":    false,
		"http://127.0.0.1%00.evil.example/":   false,
		"http://[::1].evil.example/jwks.json": false,
	} {
		source, err := keys.URL(address, keys.Options{})
		if (err == nil) != accepted {
			t.Errorf("%q: %v; accepted should be %t", address, err, accepted)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: the error contains the password: %v", address, err)
		}
		if err == nil && strings.Contains(source.String(), "?") {
			t.Errorf("%q: the name contains the query: %v", address, source)
		}
	}
	if _, err := keys.URL("http://idp.example/jwks.json", keys.Options{InsecureAllowHTTP: true}); err != nil {
		t.Errorf("InsecureAllowHTTP: %v", err)
	}
	if _, err := keys.URL("https://user@idp.example/", keys.Options{InsecureAllowHTTP: true}); err == nil {
		t.Error("InsecureAllowHTTP permits userinfo")
	}
}

// Redirects are refused with any client.
func TestURL_RefusesRedirects(t *testing.T) {
	issuer := newIssuer(t)
	for _, code := range []int{300, 301, 302, 303, 307, 308} {
		var followed bool
		client := issuer.Client()
		client.CheckRedirect = func(*http.Request, []*http.Request) error {
			if followed {
				return http.ErrUseLastResponse
			}
			followed = true
			return nil
		}
		for _, target := range []string{issuer.DiscoveryURL(), "https://evil.example/jwks.json", "http://127.0.0.1/jwks.json", "/jwks.json"} {
			issuer.Fault(status(code, "Location", target))
			source, err := keys.URL(issuer.JWKSURL(), keys.Options{HTTPClient: client})
			if err != nil {
				t.Fatal(err)
			}
			before := issuer.Stats().Fetches
			if _, err = source.Fetch(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "redirect") {
				t.Errorf("%d to %s: %v", code, target, err)
			}
			if followed || len(issuer.Stats().Strays) > 0 || issuer.Stats().Requests["/.well-known/openid-configuration"] > 0 || issuer.Stats().Fetches != before+1 {
				t.Fatalf("%d to %s was followed", code, target)
			}
		}
		if client.CheckRedirect == nil {
			t.Fatal("the caller's client was changed")
		}
	}
}

// The bound applies after decompression.
func TestURL_ResponseBound(t *testing.T) {
	set := jwks(ecJWK("a", elliptic.P256()))
	padded := func(n int) []byte { return append([]byte(set), bytes.Repeat([]byte(" "), n-len(set))...) }
	bomb := append(bytes.Repeat(zipped(bytes.Repeat([]byte(" "), 1<<20)), 1<<10), zipped([]byte(set))...) // a GiB
	var sent atomic.Int64
	endless := func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		for sent.Load() < 100<<20 {
			n, err := w.Write(bytes.Repeat([]byte(" "), 64<<10))
			sent.Add(int64(n))
			if err != nil {
				return
			}
		}
	}

	answer := func(encoding string, body []byte) fault {
		return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			if encoding != "" {
				w.Header().Set("Content-Encoding", encoding)
			}
			_, _ = w.Write(body)
		}
	}
	for name, c := range map[string]struct {
		fault    fault
		accepted bool
	}{
		"256 KiB":               {answer("", padded(256<<10)), true},
		"256 KiB and a byte":    {answer("", padded(256<<10+1)), false},
		"without end":           {endless, false},
		"gzip":                  {answer("gzip", zipped(padded(256<<10))), true},
		"gzip, a byte too much": {answer("gzip", zipped(padded(256<<10+1))), false},
		"gzip bomb":             {answer("gzip", bomb), false},
		"gzip that is cut off":  {answer("gzip", zipped(padded(1000))[:30]), false},
		"not gzip":              {answer("gzip", []byte(set)), false},
		"wrong content type":    {page("text/plain; charset=utf-8", set), true},
		"a Content-Length lie": {func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			w.Header().Set("Content-Length", "9999")
			_, _ = w.Write([]byte(set))
		}, false},
		"headers without end": {func(w http.ResponseWriter, r *http.Request, healthy http.Handler) {
			hugeHeader(w)
			healthy.ServeHTTP(w, r)
		}, false},
		"an interim answer, 103": {func(w http.ResponseWriter, r *http.Request, healthy http.Handler) {
			w.WriteHeader(http.StatusEarlyHints)
			healthy.ServeHTTP(w, r)
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			issuer := newIssuer(t)
			issuer.Fault(c.fault)
			source, err := keys.URL(issuer.JWKSURL(), keys.Options{HTTPClient: issuer.Client()})
			if err != nil {
				t.Fatal(err)
			}
			if set, err := source.Fetch(t.Context(), nil); (err == nil) != c.accepted {
				t.Errorf("%+v, %v; accepted should be %t", set, err, c.accepted)
			}
		})
	}
	if n := sent.Load(); n == 0 || n > 1<<20 {
		t.Errorf("%d bytes were read of a response without end", n)
	}
}

func zipped(body []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(body)
	_ = w.Close()
	return b.Bytes()
}

func hugeHeader(w http.ResponseWriter) {
	for i := range 12 {
		w.Header().Set(fmt.Sprint("X-", i), strings.Repeat("x", 1<<20))
	}
}

// The content of an answer decides whether it is a JWK Set, PEM or a discovery document.
func TestURL_ContentDecides(t *testing.T) {
	issuer := newIssuer(t)
	for _, address := range []string{issuer.JWKSURL(), issuer.URL() + "/key.pem", issuer.DiscoveryURL()} {
		source, err := keys.Open(address, keys.Options{HTTPClient: issuer.Client()})
		if err != nil {
			t.Fatal(err)
		}
		set, err := source.Fetch(t.Context(), nil)
		if err != nil || len(set.Keys) != 1 || set.Keys[0].Thumbprint() != issuer.KeyID() {
			t.Errorf("%s: %+v, %v", address, set, err)
			continue
		}
		want := ""
		if address == issuer.DiscoveryURL() {
			want = issuer.URL()
		}
		if set.Issuer != want {
			t.Errorf("%s: issuer %q; want %q", address, set.Issuer, want)
		}
	}
}

// A discovery document must name its issuer exactly.
func TestDiscovery_IssuerMismatch(t *testing.T) {
	const origin = "https://idp.example"
	for _, c := range []struct {
		address, configured, says string
		accepted                  bool
	}{
		{origin + "/.well-known/openid-configuration", "", origin, true},
		{origin + "/.well-known/openid-configuration", "", origin + "/", true}, // both are at this address
		{origin + "/.well-known/openid-configuration", origin, origin, true},
		{origin + "/.well-known/openid-configuration", origin + "/", origin, false},
		{origin + "/.well-known/openid-configuration", origin, origin + "/", false},
		{origin + "/.well-known/openid-configuration", "", "https://evil.example", false},
		{origin + "/.well-known/openid-configuration", "", "http://idp.example", false},
		{origin + "/.well-known/openid-configuration", "", "HTTPS://IDP.EXAMPLE", false},
		{origin + "/.well-known/openid-configuration", "", origin + "/tenant", false},
		{origin + "/.well-known/openid-configuration", "", "", false},
		{origin + "/tenant/.well-known/openid-configuration", "", origin + "/tenant", true},
		{origin + "/tenant/.well-known/openid-configuration", "", origin, false},
		{origin + "/odd/place", "", origin, false}, // the document does not name an issuer
		{origin + "/odd/place", origin, origin, true},
		{origin + "/common/.well-known/openid-configuration", "", origin + "/{tenantid}", false},
		{origin + "/common/.well-known/openid-configuration", origin + "/7", origin + "/{tenantid}", true},
		{origin + "/common/.well-known/openid-configuration", origin + "/7/v2.0", origin + "/{tenantid}/v2.0", true},
		{origin + "/common/.well-known/openid-configuration", origin + "/7/8", origin + "/{tenantid}", false},
		{origin + "/common/.well-known/openid-configuration", origin + "/", origin + "/{tenantid}", false},
		{origin + "/common/.well-known/openid-configuration", "https://evil.example/7", origin + "/{tenantid}", false},
		{origin + "/common/.well-known/openid-configuration", origin + "/7", origin + "/{tenant}", false},
		{origin + "/common/.well-known/openid-configuration", origin + "/common", origin + "/{tenantid}", false}, // of no tenant
	} {
		web := &site{pages: map[string]string{
			c.address:        fmt.Sprintf(`{"issuer":%q,"jwks_uri":"https://idp.example/keys"}`, c.says),
			origin + "/keys": jwks(ecJWK("a", elliptic.P256())),
		}}
		source, err := keys.URL(c.address, keys.Options{HTTPClient: web.client(), Issuer: c.configured})
		if err != nil {
			t.Fatal(err)
		}
		set, err := source.Fetch(t.Context(), nil)
		if (err == nil) != c.accepted || err == nil && set.Issuer != cmp.Or(c.configured, c.says) {
			t.Errorf("at %s, configured %q, says %q: %+v, %v", c.address, c.configured, c.says, set, err)
		}
		if err != nil && len(web.asked) != 1 {
			t.Errorf("asked %v for a document that is refused", web.asked)
		}
	}
}

// Keys without an issuer at such an address would lift the check of tokens' issuers in silence.
func TestDiscovery_RefusesOtherContent(t *testing.T) {
	const origin, address = "https://idp.example", "https://idp.example/.well-known/openid-configuration"
	web := &site{pages: map[string]string{
		address:          `{"issuer":"https://idp.example","jwks_uri":"https://idp.example/keys"}`,
		origin + "/keys": jwks(ecJWK("a", elliptic.P256())),
	}}
	source, err := keys.URL(address, keys.Options{HTTPClient: web.client()})
	if err != nil {
		t.Fatal(err)
	}
	set, err := source.Fetch(t.Context(), nil)
	if err != nil || set.Issuer != origin {
		t.Fatalf("%+v, %v", set, err)
	}
	web.pages[address] = jwks(ecJWK("a", elliptic.P256()))
	for _, previous := range []*keys.Set{nil, set} {
		if set, err := source.Fetch(t.Context(), previous); err == nil || !strings.Contains(err.Error(), "discovery document") {
			t.Errorf("%+v, %v", set, err)
		}
	}
}

func TestDiscovery_ByIssuer(t *testing.T) {
	for issuer, address := range map[string]string{
		"https://idp.example":         "https://idp.example/.well-known/openid-configuration",
		"https://idp.example/":        "https://idp.example/.well-known/openid-configuration",
		"https://idp.example/realm/x": "https://idp.example/realm/x/.well-known/openid-configuration",
	} {
		web := &site{pages: map[string]string{
			address:                    fmt.Sprintf(`{"issuer":%q,"jwks_uri":"https://idp.example/keys"}`, issuer),
			"https://idp.example/keys": jwks(ecJWK("a", elliptic.P256())),
		}}
		source, err := keys.Discovery(issuer, keys.Options{HTTPClient: web.client(), Issuer: "https://other.example"})
		if err != nil {
			t.Fatal(err)
		}
		if set, err := source.Fetch(t.Context(), nil); err != nil || set.Issuer != issuer {
			t.Errorf("%s: %+v, %v; asked %v", issuer, set, err, web.asked)
		}
	}
	for _, issuer := range []string{"", "idp.example", "http://idp.example", "https://user@idp.example", "https://idp.example/#", "https://idp.example?x=1"} {
		if _, err := keys.Discovery(issuer, keys.Options{}); err == nil {
			t.Errorf("%q is accepted", issuer)
		}
	}
}

func TestDiscovery_KeysAddress(t *testing.T) {
	for _, c := range []struct {
		from, to string
		insecure bool
		accepted bool
	}{
		{"https://idp.example", "https://idp.example/keys", false, true},
		{"https://idp.example:8443", "https://idp.example/keys", false, true},
		{"https://accounts.google.example", "https://www.googleapis.example/keys", false, true},
		{"https://idp.example", "https://user@idp.example/keys", false, false},
		{"https://idp.example", "http://idp.example/keys", false, false},
		{"https://idp.example", "http://idp.example/keys", true, false}, // https must not end in http
		{"https://idp.example", "http://127.0.0.1/keys", false, false},
		{"https://idp.example", "file:///etc/keys", false, false},
		{"https://idp.example", "/keys", false, false},
		{"https://idp.example", "", false, false},
		{"http://127.0.0.1:8080", "http://127.0.0.1:8080/keys", false, true},
		{"http://127.0.0.1:8080", "http://127.0.0.1:8081/keys", false, true},
		{"http://127.0.0.1:8080", "https://idp.example/keys", false, true},
		{"http://127.0.0.1:8080", "http://idp.example/keys", false, false},
		{"http://127.0.0.1:8080", "http://idp.example/keys", true, true},
	} {
		web := &site{pages: map[string]string{
			c.from + "/.well-known/openid-configuration": fmt.Sprintf(`{"issuer":%q,"jwks_uri":%q}`, c.from, c.to),
			c.to: jwks(ecJWK("a", elliptic.P256())),
		}}
		source, err := keys.Discovery(c.from, keys.Options{HTTPClient: web.client(), InsecureAllowHTTP: c.insecure})
		if err != nil {
			t.Fatal(err)
		}
		set, err := source.Fetch(t.Context(), nil)
		if (err == nil) != c.accepted {
			t.Errorf("from %s to %s, insecure %t: %+v, %v", c.from, c.to, c.insecure, set, err)
		}
		if !c.accepted && len(web.asked) != 1 {
			t.Errorf("from %s to %s: asked %v", c.from, c.to, web.asked)
		}
	}
}

// A new jwks_uri is followed.
func TestDiscovery_MovedKeys(t *testing.T) {
	const origin, well = "https://idp.example", "/.well-known/openid-configuration"
	web := &site{pages: map[string]string{
		origin + well:    `{"issuer":"https://idp.example","jwks_uri":"https://idp.example/old"}`,
		origin + "/old":  jwks(ecJWK("a", elliptic.P256())),
		origin + "/new":  jwks(ecJWK("b", elliptic.P256())),
		origin + "/loop": `{"issuer":"https://idp.example","jwks_uri":"https://idp.example/loop"}`,
	}}
	source, err := keys.Discovery(origin, keys.Options{HTTPClient: web.client()})
	if err != nil {
		t.Fatal(err)
	}
	set, err := source.Fetch(t.Context(), nil)
	if err != nil || !slices.Equal(ids(set), []string{"a"}) {
		t.Fatal(set, err)
	}
	web.pages[origin+well] = strings.ReplaceAll(web.pages[origin+well], "old", "new")
	if set, err = source.Fetch(t.Context(), set); err != nil || !slices.Equal(ids(set), []string{"b"}) {
		t.Fatal(set, err)
	}
	// A document cannot lead to another document.
	web.pages[origin+well] = strings.ReplaceAll(web.pages[origin+well], "new", "loop")
	web.asked = nil
	if set, err = source.Fetch(t.Context(), set); err == nil || len(web.asked) != 2 {
		t.Fatal(set, err, web.asked)
	}
}

// Errors quote a bounded part of what a provider sends, because they appear in logs.
func TestURL_ErrorLength(t *testing.T) {
	long := strings.Repeat("x", 200<<10)
	const origin = "https://idp.example"
	for _, page := range []string{
		`{"issuer":"` + long + `","jwks_uri":"https://idp.example/keys"}`,
		`{"issuer":"https://idp.example","jwks_uri":"https://` + long + `/keys"}`,
		`{"issuer":"https://idp.example","jwks_uri":"http://` + long + `/keys"}`,
		`{"issuer":"https://idp.example","jwks_uri":"` + long + `:keys"}`,
		`{"keys":[{"kty":"` + long + `"}]}`,
		`{"keys":[{"kty":"EC","x":"AAAA","crv":"` + long + `"}]}`,
		`{"keys":[{"kty":"OKP","x":"AAAA","crv":"` + long + `"}]}`,
		`{"keys":[{"kty":"EC","use":"` + long + `"}]}`,
		`{"keys":[{"kid":"` + long + `"}]}`,
		jwks(edJWK("a").with("alg", long)),
		pemBlock(long[:100<<10], []byte{1}),
		pemBlock(long[:100<<10]+"PRIVATE KEY", []byte{1}),
		`"` + long + `"`, long,
	} {
		web := &site{pages: map[string]string{origin + "/.well-known/openid-configuration": page}}
		source, err := keys.Discovery(origin, keys.Options{HTTPClient: web.client()})
		if err != nil {
			t.Fatal(err)
		}
		if _, err = source.Fetch(t.Context(), nil); err == nil || len(err.Error()) > 1000 {
			t.Errorf("%.60s…: %.100v", page, err)
		}
	}
}

func TestURL_ErrorWithoutQuery(t *testing.T) {
	issuer := newIssuer(t)
	source, err := keys.URL(issuer.JWKSURL()+"?code=s3cr3t", keys.Options{HTTPClient: issuer.Client()})
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range []func(){issuer.Down, func() {
		issuer.Up()
		issuer.Fault(page("text/html; charset=utf-8", "<!DOCTYPE html><title>Sign in to the network</title>"))
	}, func() { issuer.Fault(status(500)) }} {
		fault()
		if _, err := source.Fetch(t.Context(), nil); err == nil || strings.Contains(err.Error(), "s3cr3t") || !strings.Contains(err.Error(), issuer.JWKSURL()) {
			t.Error(err)
		}
	}
}

// Package url reads this host, and does not read what it writes for it.
func TestURL_InvalidAddressWithoutQuery(t *testing.T) {
	source, err := keys.URL("https://[::1%25\x89]/jwks.json?code=s3cr3t", keys.Options{})
	if err == nil {
		_, err = source.Fetch(t.Context(), nil)
	}
	if err == nil || strings.Contains(err.Error(), "s3cr3t") {
		t.Error(err)
	}
}

func TestURL_ClosesConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := newIssuer(t)
		transport, ok := issuer.Client().Transport.(*http.Transport)
		if !ok {
			t.Fatal("the issuer's client has a transport of another kind")
		}
		transport = transport.Clone()
		transport.DisableKeepAlives = false // a client that would keep its connections
		source, err := keys.URL(issuer.DiscoveryURL(), keys.Options{HTTPClient: &http.Client{Transport: transport}})
		if err != nil {
			t.Fatal(err)
		}
		for _, fault := range []fault{nil, status(500), page("application/jwk-set+json", strings.Repeat(" ", 1<<20)+`{"keys":[]}`), drip, hang} {
			issuer.Fault(fault)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			_, err = source.Fetch(ctx, nil)
			cancel()
			if (err == nil) != (fault == nil) {
				t.Fatal(err)
			}
			alone(t)
		}
	})
}

// connections notes the state of a server's.
type connections struct {
	mu   sync.Mutex
	open map[net.Conn]bool
	gone *sync.Cond
}

func newConnections() *connections {
	c := &connections{open: map[net.Conn]bool{}}
	c.gone = sync.NewCond(&c.mu)
	return c
}

func (c *connections) note(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open[conn] = true; state == http.StateClosed {
		delete(c.open, conn)
		c.gone.Broadcast()
	}
}

func (c *connections) wait() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.open) > 0 {
		c.gone.Wait()
	}
}

func TestURL_OwnClient(t *testing.T) {
	set := jwks(ecJWK("a", elliptic.P256()))
	seen := newConnections()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/redirect":
			http.Redirect(w, r, "/", http.StatusFound)
		case "/hang":
			w.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		case "/headers":
			w.Header().Set("X", strings.Repeat("x", 128<<10))
			fallthrough
		default:
			_, _ = io.WriteString(w, set)
		}
	}))
	server.Config.ConnState = seen.note
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	defer server.Close()
	for path, accepted := range map[string]bool{"/": true, "/redirect": false, "/headers": false, "/hang": false} {
		source, err := keys.URL(server.URL+path, keys.Options{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		if _, err = source.Fetch(ctx, nil); (err == nil) != accepted {
			t.Errorf("%s: %v", path, err)
		}
		cancel()
	}
	seen.wait() // no connection is kept
}

// The protocols that a client offers are known before the server sends its certificate.
func TestURL_OwnClientHTTP2(t *testing.T) {
	greeted := make(chan []string, 1)
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS13, GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		greeted <- hello.SupportedProtos
		return nil, nil //nolint:nilnil // nil means the server's own
	}}
	server.StartTLS()
	defer server.Close()
	source, err := keys.URL(server.URL, keys.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := source.Fetch(t.Context(), nil); err == nil {
		t.Error("the server's certificate was accepted")
	}
	if offered := <-greeted; !slices.Contains(offered, "h2") {
		t.Errorf("the client offers %q", offered)
	}
}

// An http.Transport continues to dial for a request that has ended.
func TestURL_DialEndsWithFetch(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	ended := make(chan error, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			ended <- err
			return
		}
		_ = conn.SetReadDeadline(time.Now().Add(2 * time.Second)) // below any handshake's own time limit
		_, err = io.Copy(io.Discard, conn)                        // its greeting, which is never answered
		ended <- err
		_ = conn.Close()
	}()
	source, err := keys.URL("https://"+listener.Addr().String()+"/jwks.json", keys.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err = source.Fetch(ctx, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	var late net.Error
	if err := <-ended; errors.As(err, &late) && late.Timeout() {
		t.Fatal("the connection outlives its fetch")
	}
}

// roundTripper is a transport of a test's own.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// closedReader is a connection that is read from once it is closed.
type closedReader struct{ wait func() }

func (c closedReader) Read([]byte) (int, error) { c.wait(); return 0, net.ErrClosed }
func (closedReader) Close() error               { return nil }

// After its deadline a fetch reports the deadline, not the closed connection.
func TestURL_DeadlineIsTheError(t *testing.T) {
	for name, test := range map[string]struct {
		limit      time.Duration
		body, late bool
	}{
		"before it is answered":                                  {10 * time.Millisecond, false, true},
		"during the answer":                                      {10 * time.Millisecond, true, true},
		"a connection that is closed before, says so":            {time.Minute, false, false},
		"a connection that is closed during the answer, says so": {time.Minute, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
					wait := func() {
						if test.late {
							<-r.Context().Done()
						}
					}
					if test.body {
						return &http.Response{StatusCode: http.StatusOK, Body: closedReader{wait}}, nil
					}
					wait()
					return nil, &net.OpError{Op: "read", Err: net.ErrClosed}
				})}
				source, err := keys.URL("https://issuer.example/jwks.json", keys.Options{HTTPClient: client})
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), test.limit)
				defer cancel()
				_, err = source.Fetch(ctx, nil)
				if errors.Is(err, context.DeadlineExceeded) != test.late || errors.Is(err, net.ErrClosed) == test.late {
					t.Error(err)
				}
			})
		})
	}
}

// A 404 comes with a hint, unless there were keys before.
func TestURL_NotFoundHint(t *testing.T) {
	issuer, err := devissuer.New(devissuer.WithAlgorithm("EdDSA"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = issuer.Close() }()
	open := func(address string) keys.Source {
		source, err := keys.URL(address, keys.Options{HTTPClient: issuer.Client()})
		if err != nil {
			t.Fatal(err)
		}
		return source
	}
	const ask = "is this the address of the JWK Set? For discovery set Issuer"
	for address, want := range map[string]string{
		issuer.URL(): "https://issuer.example: answered 404: " + ask,
		issuer.URL() + "/tenant/.well-known/openid-configuration": "answered 404: is the issuer written as the provider writes it? If it has no discovery document, set PublicKeyURI to the address of its JWK Set",
	} {
		if _, err := open(address).Fetch(t.Context(), nil); err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", address, err, want)
		}
	}
	known := open(issuer.JWKSURL())
	set, err := known.Fetch(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	issuer.Fault(status(http.StatusNotFound, "Retry-After", "7"))
	if _, err := known.Fetch(t.Context(), set); err == nil || strings.Contains(err.Error(), ask) {
		t.Errorf("after a success: %v", err)
	}
	_, err = known.Fetch(t.Context(), nil)
	var later *keys.RetryAfterError
	if !errors.As(err, &later) || later.After != 7*time.Second || !strings.Contains(err.Error(), ask) {
		t.Errorf("with Retry-After: %v", err)
	}
	issuer.Fault(status(http.StatusInternalServerError))
	if _, err := known.Fetch(t.Context(), nil); err == nil || strings.Contains(err.Error(), ask) {
		t.Errorf("an error of the provider: %v", err)
	}
}

func TestSettingError_Parts(t *testing.T) {
	for address, want := range map[string]keys.SettingError{
		"http://idp.example/jwks": {Problem: "http:// to idp.example, where an attacker on the network can replace the keys", Remedy: "write https://", Unless: "InsecureAllowHTTP"},
		"file:":                   {Problem: "no path", Remedy: "write file:/etc/keys/sso.pem"},
		"awskms:alias/orders":     {Problem: "AWS KMS keys are read by another module", Remedy: `add import _ "github.com/more-retail/moresso-go/kmskeys" to the program`},
	} {
		_, err := keys.Open(address, keys.Options{})
		var got *keys.SettingError
		if !errors.As(err, &got) || *got != want {
			t.Errorf("%s: %#v", address, err)
			continue
		}
		if text := err.Error(); !strings.HasPrefix(text, want.Problem+"; "+want.Remedy) || !strings.HasSuffix(text, want.Unless) {
			t.Errorf("%s: %s", address, text)
		}
	}
}

func TestRetryAfterError(t *testing.T) {
	const date, later = "Sat, 01 Jan 2000 00:00:00 GMT", "Sat, 01 Jan 2000 00:00:20 GMT"
	for name, c := range map[string]struct {
		retryAfter, date string
		want             time.Duration // negative: no Retry-After
	}{
		"seconds":                     {"17", date, 17 * time.Second},
		"a date":                      {later, date, 20 * time.Second},
		"a date that has passed":      {date, later, 0},
		"a date by no clock":          {later, "yesterday", -1},
		"no date":                     {"soon", date, -1},
		"neither":                     {"soon", "yesterday", -1},
		"nothing":                     {"", date, -1},
		"less than no time":           {"-7", date, -1},
		"more than fits into a clock": {"99999999999999999999", date, (1<<31 - 1) * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			issuer := newIssuer(t)
			issuer.Fault(status(http.StatusServiceUnavailable, "Retry-After", c.retryAfter, "Date", c.date))
			source, err := keys.URL(issuer.JWKSURL(), keys.Options{HTTPClient: issuer.Client()})
			if err != nil {
				t.Fatal(err)
			}
			_, err = source.Fetch(t.Context(), nil)
			var again *keys.RetryAfterError
			switch said := errors.As(err, &again); {
			case said != (c.want >= 0), said && again.After != c.want:
				t.Errorf("%v, %+v; want %v", err, again, c.want)
			case !strings.HasSuffix(err.Error(), "answered 503"):
				t.Error(err)
			}
		})
	}
}

// Errors of the jwks_uri keep their Retry-After.
func TestDiscovery_RetryAfterOfKeys(t *testing.T) {
	issuer := newIssuer(t)
	issuer.Fault(func(w http.ResponseWriter, r *http.Request, healthy http.Handler) {
		if r.URL.Path == "/.well-known/openid-configuration" {
			healthy.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	source, err := keys.URL(issuer.DiscoveryURL(), keys.Options{HTTPClient: issuer.Client()})
	if err != nil {
		t.Fatal(err)
	}
	var again *keys.RetryAfterError
	if _, err := source.Fetch(t.Context(), nil); !errors.As(err, &again) || again.After != 7*time.Second || !strings.Contains(err.Error(), "answered 503") {
		t.Error(err)
	}
}

// Only a 3xx is reported as a redirect.
func TestURL_RedirectStatuses(t *testing.T) {
	for code, redirect := range map[int]bool{299: false, 300: true, 307: true, 399: true, 400: false} {
		issuer := newIssuer(t)
		issuer.Fault(status(code))
		source, err := keys.URL(issuer.JWKSURL(), keys.Options{HTTPClient: issuer.Client()})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := source.Fetch(t.Context(), nil); err == nil || strings.Contains(err.Error(), "a redirect") != redirect {
			t.Errorf("%d: %v", code, err)
		}
	}
}

func TestURL_AmbiguousContent(t *testing.T) {
	const origin = "https://idp.example"
	key := ecJWK("a", elliptic.P256())
	for name, page := range map[string]string{
		"a JWK Set that names an issuer":  `{"issuer":"https://other.example","jwks_uri":"https://other.example/keys","keys":[` + key.String() + `]}`,
		"a JWK Set that holds PEM":        jwks(key.with("x5c", []string{"-----BEGIN CERTIFICATE-----"})),
		"a JWK Set that is not the first": " \r\n\t" + jwks(key.with("note", "-----BEGIN PUBLIC KEY-----")),
	} {
		web := &site{pages: map[string]string{origin + "/keys": page}}
		source, err := keys.URL(origin+"/keys", keys.Options{HTTPClient: web.client()})
		if err != nil {
			t.Fatal(err)
		}
		if set, err := source.Fetch(t.Context(), nil); err != nil || len(set.Keys) != 1 || set.Issuer != "" {
			t.Errorf("%s: %+v, %v", name, set, err)
		}
	}
	for page, says := range map[string]string{
		`<html>`:                                         "not a JSON object",
		`["-----BEGIN"]`:                                 "not a JSON object",
		`{"issuer":7,"jwks_uri":"https://x/"}`:           "whose issuer is not a string",
		`{"issuer":"","jwks_uri":"https://x/"}`:          "whose issuer is not a string",
		`{"issuer":"https://idp.example"}`:               "without jwks_uri",
		`{"issuer":"https://idp.example","jwks_uri":7}`:  "without jwks_uri",
		`{"issuer":"https://idp.example","jwks_uri":""}`: "without jwks_uri",
	} {
		web := &site{pages: map[string]string{origin + "/keys": page}}
		source, err := keys.URL(origin+"/keys", keys.Options{HTTPClient: web.client(), Issuer: origin})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := source.Fetch(t.Context(), nil); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v; want %q", page, err, says)
		}
	}
}

// statuses notes what a provider answered.
type statuses struct {
	http.RoundTripper
	mu   sync.Mutex
	list []int
}

func (s *statuses) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := s.RoundTripper.RoundTrip(r)
	if err == nil {
		s.mu.Lock()
		s.list = append(s.list, response.StatusCode)
		s.mu.Unlock()
	}
	return response, err
}

// An unchanged set is not transferred again.
func TestURL_NotModified(t *testing.T) {
	for name, address := range map[string]func(*devissuer.Issuer) string{
		"JWK Set": (*devissuer.Issuer).JWKSURL, "discovery": (*devissuer.Issuer).DiscoveryURL, "PEM": func(i *devissuer.Issuer) string { return i.URL() + "/key.pem" },
	} {
		t.Run(name, func(t *testing.T) {
			issuer := newIssuer(t)
			wire := &statuses{RoundTripper: issuer.Client().Transport}
			source, err := keys.URL(address(issuer), keys.Options{HTTPClient: &http.Client{Transport: wire}})
			if err != nil {
				t.Fatal(err)
			}
			first, err := source.Fetch(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			wire.list = nil
			second, err := source.Fetch(t.Context(), first)
			if err != nil {
				t.Fatal(err)
			}
			for _, status := range wire.list {
				if status != http.StatusNotModified {
					t.Fatalf("answered %v; want 304 throughout", wire.list)
				}
			}
			if len(second.Keys) != 1 || second.Keys[0].Thumbprint() != issuer.KeyID() || second.Issuer != first.Issuer {
				t.Fatalf("304 gave %+v", second)
			}
			next := issuer.Rotate()
			third, err := source.Fetch(t.Context(), second)
			if err != nil {
				t.Fatal(err)
			}
			if got := third.Keys[len(third.Keys)-1].Thumbprint(); got != next {
				t.Fatalf("after a rotation the last key is %s; want %s", got, next)
			}
		})
	}
}

// A 304 to an unconditional request is refused.
func TestURL_UnexpectedNotModified(t *testing.T) {
	issuer := newIssuer(t)
	issuer.Fault(status(http.StatusNotModified))
	source, err := keys.URL(issuer.JWKSURL(), keys.Options{HTTPClient: issuer.Client()})
	if err != nil {
		t.Fatal(err)
	}
	if set, err := source.Fetch(t.Context(), nil); err == nil {
		t.Fatalf("%+v", set)
	}
}

// The error of a fetch says what the provider sent.
func TestURL_Causes(t *testing.T) {
	const address, valid = "https://idp.example/keys", `{"keys":[]}`
	good := jwks(ecJWK("a", elliptic.P256()))
	for name, c := range map[string]struct {
		status int
		header http.Header
		body   string
		says   string // empty: the keys are read
	}{
		"an HTML page":                   {200, nil, "\n<html>", "an HTML or XML page"},
		"an array":                       {200, nil, "[" + good + "]", "a JSON array"},
		"an error in JSON":               {200, nil, `{"error":"temporarily_unavailable"}`, `no array "keys"`},
		"nothing":                        {200, nil, "", "empty"},
		"a member twice":                 {200, nil, `{"keys":[],"keys":[]}`, `duplicate member name "keys"`},
		"a body cut short":               {200, http.Header{"Content-Length": {"900"}}, good, "closed before the end of the answer"},
		"a gzip body cut short":          {200, http.Header{"Content-Encoding": {"gzip"}}, string(zipped([]byte(good))[:99]), "closed before the end of the answer"},
		"a gzip body that is not one":    {200, http.Header{"Content-Encoding": {"gzip"}}, good, "gzip: invalid header"},
		"JSON cut short":                 {200, nil, good[:50], "not JSON: at byte 50: the text ends"},
		"304 without a condition":        {304, nil, "", "a cache in between"},
		"203":                            {203, nil, good, ""},
		"203 with an HTML page":          {203, nil, "<html>", "an HTML or XML page"},
		"206":                            {206, nil, good, "answered 206"},
		"403":                            {403, nil, valid, "its User-Agent is moresso-go"},
		"403 with an HTML page":          {403, http.Header{"Content-Type": {"text/html; charset=utf-8"}}, "<html>", "with an HTML page"},
		"407":                            {407, nil, "", "HTTPS_PROXY"},
		"502 with an HTML page":          {502, http.Header{"Content-Type": {"TEXT/HTML"}}, "<html>", "answered 502 (with an HTML page)"},
		"a discovery document, twice":    {200, nil, `{"issuer":"https://idp.example","jwks_uri":"https://a","jwks_uri":"https://b"}`, `duplicate member name "jwks_uri"`},
		"a discovery document in a list": {200, nil, `[{"issuer":"https://idp.example","jwks_uri":"https://a"}]`, "a JSON array"},
		"other members twice":            {200, nil, `{"issuer":"https://idp.example","jwks_uri":"https://a","claims_supported":1,"claims_supported":2}`, `duplicate member name "claims_supported"`},
	} {
		t.Run(name, func(t *testing.T) {
			var agent string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				agent = r.UserAgent()
				maps.Copy(w.Header(), c.header)
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			}))
			defer server.Close()
			source, err := keys.URL(server.URL, keys.Options{Issuer: "https://idp.example"})
			if err != nil {
				t.Fatal(err)
			}
			_, err = source.Fetch(t.Context(), nil)
			if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("%v; want %q", err, c.says)
			}
			if !strings.HasPrefix(agent, "moresso-go ") {
				t.Errorf("User-Agent: %q", agent)
			}
		})
	}
}

// The error of a fetch over https says what the proxy answered.
func TestURL_ProxyRefuses(t *testing.T) {
	for status, says := range map[int]string{
		403: "answered 403: a proxy or firewall", 407: "answered 407: the proxy wants credentials", 502: "answered 502",
	} {
		var agent string
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			agent = r.Method + " " + r.UserAgent()
			w.WriteHeader(status)
		}))
		proxy, err := url.Parse(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		proxy.User = url.UserPassword("user", "secret")
		client := keys.HTTPClient(t.Context(), nil)
		client.Transport.(*http.Transport).Proxy = http.ProxyURL(proxy) //nolint:errcheck // it is one
		source, err := keys.URL("https://idp.example/keys", keys.Options{HTTPClient: client})
		if err != nil {
			t.Fatal(err)
		}
		_, err = source.Fetch(t.Context(), nil)
		if want := "https://idp.example/keys: the proxy " + server.URL + ": " + says; err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v; want %q", err, want)
		}
		if !strings.HasPrefix(agent, "CONNECT moresso-go ") {
			t.Errorf("the proxy got %q", agent)
		}
		server.Close()
	}
}

// A document that was read before the time was up is used by the next attempt, once.
// localhost is this machine, on both of its addresses, and no resolver is needed to find it.
func TestURL_Localhost(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			t.Logf("%s: %v", address, err)
			continue
		}
		server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, jwks(ecJWK("a", elliptic.P256())))
		})}}
		server.Start()
		t.Cleanup(server.Close)
		_, port, _ := net.SplitHostPort(listener.Addr().String())
		source, err := keys.URL("http://LocalHost:"+port, keys.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := source.Fetch(t.Context(), nil); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestDiscovery_KeptDocument(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const origin = "https://idp.example"
		var asked []string
		slow := time.Second
		client := &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			asked = append(asked, r.URL.Path)
			select {
			case <-time.After(slow):
			case <-r.Context().Done():
				return nil, r.Context().Err()
			}
			body := fmt.Sprintf(`{"issuer":%q,"jwks_uri":%q}`, origin, origin+"/keys")
			if r.URL.Path == "/keys" {
				body = jwks(ecJWK("a", elliptic.P256()))
			}
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(body))}, nil
		})}
		source, err := keys.Discovery(origin, keys.Options{HTTPClient: client})
		if err != nil {
			t.Fatal(err)
		}
		const document, keySet = "/.well-known/openid-configuration", "/keys"
		for i, step := range []struct {
			limit time.Duration
			asks  []string
			ok    bool
		}{
			{-1500 * time.Millisecond, []string{document, keySet}, false}, // and then more than a minute passes
			{1500 * time.Millisecond, []string{document, keySet}, false},
			{1500 * time.Millisecond, []string{keySet}, true},
			{500 * time.Millisecond, []string{document}, false}, // again from the beginning
			{1500 * time.Millisecond, []string{document, keySet}, false},
			{500 * time.Millisecond, []string{keySet}, false},
			{1500 * time.Millisecond, []string{document, keySet}, false}, // not kept for ever
			{3 * time.Second, []string{keySet}, true},
			{3 * time.Second, []string{document, keySet}, true},
		} {
			asked = nil
			ctx, cancel := context.WithTimeout(t.Context(), max(step.limit, -step.limit))
			set, err := source.Fetch(ctx, nil)
			cancel()
			if step.limit < 0 {
				time.Sleep(time.Minute)
			}
			if (err == nil) != step.ok || !slices.Equal(asked, step.asks) || err == nil && set.Issuer != origin {
				t.Fatalf("attempt %d: asked %v: %+v, %v", i, asked, set, err)
			}
		}
	})
}
