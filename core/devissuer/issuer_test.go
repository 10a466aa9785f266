package devissuer_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/devissuer"
)

func TestNew_Invalid(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		make func(...devissuer.Option) (*devissuer.Issuer, error)
		opts []devissuer.Option
		want []string
	}{
		"several":                         {devissuer.New, []devissuer.Option{devissuer.WithAudience(), devissuer.WithClock(nil), devissuer.WithLifetime(time.Millisecond), devissuer.WithIssuer("x")}, []string{"WithAudience()", "WithClock(nil)", "WithLifetime(1ms)", `WithIssuer("x")`}},
		"an issuer without scheme":        {devissuer.New, []devissuer.Option{devissuer.WithIssuer("issuer.example")}, []string{"https://issuer.example"}},
		"an issuer with a query":          {devissuer.New, []devissuer.Option{devissuer.WithIssuer("https://issuer.example?")}, []string{"query"}},
		"an issuer with a fragment":       {devissuer.New, []devissuer.Option{devissuer.WithIssuer("https://issuer.example#")}, []string{"fragment"}},
		"an issuer with a user":           {devissuer.New, []devissuer.Option{devissuer.WithIssuer("https://me@issuer.example")}, []string{"user"}},
		"an address in memory":            {devissuer.New, []devissuer.Option{devissuer.WithAddr("127.0.0.1:0")}, []string{"use Start"}},
		"every interface":                 {devissuer.Start, []devissuer.Option{devissuer.WithAddr(":9000")}, []string{"other machines"}},
		"every interface, by its address": {devissuer.Start, []devissuer.Option{devissuer.WithAddr("0.0.0.0:9000"), devissuer.WithAudience()}, []string{"other machines", "WithAudience()"}},
		"the network's address":           {devissuer.Start, []devissuer.Option{devissuer.WithAddr("192.168.1.1:9000")}, []string{"other machines"}},
		"a name":                          {devissuer.Start, []devissuer.Option{devissuer.WithAddr("issuer.example:9000")}, []string{"other machines"}},
		"no port":                         {devissuer.Start, []devissuer.Option{devissuer.WithAddr("127.0.0.1")}, []string{"host and port"}},
		"no such port":                    {devissuer.Start, []devissuer.Option{devissuer.WithAddr("127.0.0.1:http2")}, []string{"devissuer: listen"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := tt.make(tt.opts...)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error does not say %s: %v", want, err)
				}
			}
		})
	}
}

func TestNew_Identifier(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ id, base string }{
		"a host":                     {"https://issuer.example", "https://issuer.example"},
		"a host and a slash":         {"https://issuer.example/", "https://issuer.example"},
		"a path":                     {"https://sso.example/realms/hub", "https://sso.example/realms/hub"},
		"a path and a slash":         {"https://sso.example/realms/hub/", "https://sso.example/realms/hub"},
		"a port, no encryption":      {"http://sso.example:8080", "http://sso.example:8080"},
		"an address and capitals":    {"https://[::1]:8443/A", "https://[::1]:8443/A"},
		"a host written in capitals": {"https://Issuer.Example", "https://Issuer.Example"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			issuer := inMemory(t, devissuer.WithIssuer(tt.id))
			if issuer.URL() != tt.id {
				t.Errorf("URL is %s", issuer.URL())
			}
			if want := tt.base + "/.well-known/openid-configuration"; issuer.DiscoveryURL() != want {
				t.Errorf("DiscoveryURL is %s, want %s", issuer.DiscoveryURL(), want)
			}
			document := object(t, get(t, issuer, issuer.DiscoveryURL()).body)
			for name, want := range map[string]string{"issuer": tt.id, "jwks_uri": tt.base + "/jwks.json", "token_endpoint": tt.base + "/token"} {
				if document[name] != want {
					t.Errorf("%s is %v, want %s", name, document[name], want)
				}
			}
			if got := get(t, issuer, issuer.JWKSURL()); got.body != string(issuer.JWKS()) {
				t.Errorf("the key set: %d %s", got.status, got.body)
			}
			if got := get(t, issuer, tt.base+"/key.pem"); got.body != string(issuer.PublicPEM()) {
				t.Errorf("the PEM: %d %s", got.status, got.body)
			}
			if strays := issuer.Stats().Strays; len(strays) != 0 {
				t.Errorf("strays %v", strays)
			}
		})
	}
}

func TestStart(t *testing.T) {
	t.Parallel()
	issuer := onLoopback(t)
	if !strings.HasPrefix(issuer.URL(), "http://127.0.0.1:") || issuer.DiscoveryURL() != issuer.URL()+"/.well-known/openid-configuration" {
		t.Errorf("URL %s, discovery %s", issuer.URL(), issuer.DiscoveryURL())
	}
	if err := verify(issuer, issuer.MustToken()); err != nil {
		t.Error(err)
	}
	if got := get(t, issuer, issuer.JWKSURL()); got.status != 200 || got.body != string(issuer.JWKS()) {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestStart_Identifier(t *testing.T) {
	t.Parallel()
	issuer := onLoopback(t, devissuer.WithIssuer("https://sso.example/realm"), devissuer.WithAddr("localhost:0"))
	document := object(t, get(t, issuer, issuer.DiscoveryURL()).body)
	if document["issuer"] != "https://sso.example/realm" || document["jwks_uri"] != "https://sso.example/realm/jwks.json" || issuer.JWKSURL() != document["jwks_uri"] {
		t.Errorf("the document is %v", document)
	}
	if got := get(t, issuer, issuer.JWKSURL()); got.status != 200 {
		t.Errorf("%s: %d", issuer.JWKSURL(), got.status)
	}
}

func TestStart_InsecureListen(t *testing.T) {
	t.Parallel()
	open := onLoopback(t, devissuer.WithAddr("0.0.0.0:0"), devissuer.WithInsecureListen())
	if !strings.HasPrefix(open.URL(), "http://127.0.0.1:") {
		t.Errorf("the issuer is %s", open.URL())
	}
	if got := get(t, open, open.JWKSURL()); got.status != 200 {
		t.Errorf("%s: %d", open.JWKSURL(), got.status)
	}
	named := onLoopback(t, devissuer.WithInsecureListen(), devissuer.WithIssuer("http://issuer:9000"))
	for host, want := range map[string]int{
		"localhost": 200, "127.0.0.1:9000": 200, "issuer:9000": 200, "ISSUER": 200, "192.0.2.1:9000": 200, "[2001:db8::1]:9000": 200,
		"evil.example": 421, "localhost.evil.example": 421, "": 421, "127.0.0.1@evil.example": 421, "localhost.": 421,
	} {
		r := httptest.NewRequest(http.MethodGet, "/jwks.json", http.NoBody)
		r.Host = host
		w := httptest.NewRecorder()
		named.Handler().ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("Host %q: %d, want %d", host, w.Code, want)
		}
	}
}

func TestStart_Host(t *testing.T) {
	t.Parallel()
	issuer := onLoopback(t)
	port := issuer.URL()[strings.LastIndex(issuer.URL(), ":"):]
	for host, want := range map[string]int{
		"127.0.0.1" + port: 200, "localhost" + port: 200, "LOCALHOST": 200, "127.9.9.9": 200, "[::1]" + port: 200, "[::1]": 200,
		"evil.example" + port: 421, "127.0.0.1.evil.example": 421, "localhost.evil.example": 421, "192.168.1.1" + port: 421, "[::]" + port: 421,
	} {
		if got := get(t, issuer, issuer.JWKSURL(), "Host", host); got.status != want {
			t.Errorf("Host %s: %d, want %d", host, got.status, want)
		}
	}
}

func TestHandler_OtherServer(t *testing.T) {
	t.Parallel()
	issuer := inMemory(t)
	server := httptest.NewServer(issuer.Handler())
	defer server.Close()
	issuer.Fault(hang)
	failed := make(chan error)
	go func() {
		resp, err := server.Client().Do(request(t, http.MethodGet, server.URL+"/jwks.json", ""))
		if err == nil {
			_ = resp.Body.Close()
		}
		failed <- err
	}()
	eventually(t, "the request arrives", func() bool { return issuer.Stats().Fetches == 1 })
	mustClose(t, issuer)
	if err := <-failed; err == nil {
		t.Error("Close did not end the hanging answer")
	}
}

func TestClose(t *testing.T) { // not parallel: it counts goroutines
	for name, newIssuer := range map[string]func(...devissuer.Option) (*devissuer.Issuer, error){"in memory": devissuer.New, "on loopback": devissuer.Start} {
		t.Run(name, func(t *testing.T) {
			nothingIsLeft := noNewGoroutines(t)
			issuer, err := newIssuer(devissuer.WithAlgorithm("EdDSA"))
			if err != nil {
				t.Fatal(err)
			}
			if got := get(t, issuer, issuer.JWKSURL()); got.status != 200 {
				t.Errorf("status %d", got.status)
			}
			// Close comes while one response hangs and one is slow.
			var ended sync.WaitGroup
			for n, begin := range []func(){func() { issuer.Fault(hang) }, func() { issuer.Slow(time.Hour) }} {
				begin()
				ended.Go(func() {
					resp, err := client(issuer).Get(issuer.JWKSURL())
					if err != nil {
						return
					}
					defer func() { _ = resp.Body.Close() }()
					if _, err := resp.Body.Read([]byte{0}); err == nil {
						t.Error("a byte arrived")
					}
				})
				eventually(t, "the request arrives", func() bool { return issuer.Stats().Fetches == n+2 })
			}
			for range 3 {
				ended.Go(func() { mustClose(t, issuer) })
			}
			ended.Wait()
			mustClose(t, issuer)
			nothingIsLeft()

			if resp, err := client(issuer).Get(issuer.JWKSURL()); err == nil {
				_ = resp.Body.Close()
				t.Error("a closed issuer answered")
			}
			if err := verify(issuer, issuer.MustToken()); err != nil {
				t.Errorf("Token after Close: %v", err)
			}
			nothingIsLeft()
		})
	}
}

func TestIssuer_Concurrent(t *testing.T) {
	t.Parallel()
	for name, issuer := range map[string]*devissuer.Issuer{"in memory": inMemory(t), "on loopback": onLoopback(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first := issuer.KeyID()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			var workers sync.WaitGroup
			for _, work := range []func(){
				func() { issuer.Rotate() }, func() { issuer.Use(issuer.Publish()) }, func() { issuer.Retire(first) }, func() { issuer.Retire() },
				func() { issuer.SetJWKS(`{"keys":[]}`) }, func() { issuer.SetJWKS("") }, func() { issuer.KeyIDs() }, func() { issuer.PrivateKeyPEM() },
				func() { issuer.Fault(badGateway) }, func() { issuer.Fault(nil) }, func() { issuer.Slow(time.Microsecond) },
				issuer.Down, issuer.Up, func() { issuer.Stats() },
				func() { issuer.MustToken(devissuer.UnknownKey()) }, func() { issuer.Use(first) },
				func() {
					req, err := http.NewRequestWithContext(ctx, http.MethodGet, issuer.JWKSURL(), http.NoBody)
					if err != nil {
						t.Error(err)
						return
					}
					if resp, err := client(issuer).Do(req); err == nil {
						_ = resp.Body.Close()
					}
				},
			} {
				workers.Go(func() {
					for range 10 {
						work()
					}
				})
			}
			workers.Wait()
		})
	}
}
