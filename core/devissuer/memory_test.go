package devissuer_test

import (
	"errors"
	"net"
	"net/http"
	"slices"
	"syscall"
	"testing"

	"github.com/more-retail/moresso-go/core/devissuer"
)

func TestClient_Strays(t *testing.T) {
	t.Parallel()
	issuer := inMemory(t)
	get(t, issuer, issuer.JWKSURL())
	get(t, issuer, "https://ISSUER.example:443/jwks.json")

	for _, url := range []string{"https://elsewhere.example/", "http://issuer.example/jwks.json", "http://issuer.example:443/", "https://issuer.example:8443/", "http://169.254.169.254/", "http://169.254.169.254/"} {
		_, err := issuer.Client().Do(request(t, http.MethodGet, url, ""))
		var op *net.OpError
		if !errors.As(err, &op) || op.Op != "dial" {
			t.Errorf("%s: %v, want a failed dial", url, err)
		}
		var dns *net.DNSError
		if !errors.As(err, &dns) || !dns.IsNotFound {
			t.Errorf("%s: %v, want no such host", url, err)
		}
	}
	want := []string{"elsewhere.example:443", "issuer.example:80", "issuer.example:443", "issuer.example:8443", "169.254.169.254:80", "169.254.169.254:80"}
	if got := issuer.Stats().Strays; !slices.Equal(got, want) {
		t.Errorf("strays %v, want %v", got, want)
	}
}

func TestClient_AfterClose(t *testing.T) {
	t.Parallel()
	issuer := inMemory(t)
	issuer.Client().CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if issuer.Client().CheckRedirect != nil {
		t.Error("one client's policy is another's")
	}
	mustClose(t, issuer)
	if _, err := issuer.Client().Do(request(t, http.MethodGet, issuer.JWKSURL(), "")); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("got %v", err)
	}
	if issuer.Stats().Refused != 0 {
		t.Error("Refused counts for Down only")
	}
}

func TestClient_NoGoroutines(t *testing.T) { // not parallel: it counts goroutines
	nothingIsLeft := noNewGoroutines(t)
	issuer, err := devissuer.New(devissuer.WithAlgorithm("EdDSA"))
	if err != nil {
		t.Fatal(err)
	}
	nothingIsLeft()
	for range 20 {
		get(t, issuer, issuer.JWKSURL())
		nothingIsLeft()
	}
}
