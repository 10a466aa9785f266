package devissuer_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/more-retail/moresso-go/core/devissuer"
)

// A server on this machine, for other processes. Options that cannot work are named, all at once.
func ExampleStart() {
	issuer, err := devissuer.Start(devissuer.WithAddr("127.0.0.1:0"), devissuer.WithAlgorithm("EdDSA"))
	if err != nil {
		panic(err)
	}
	fmt.Println(strings.HasPrefix(issuer.JWKSURL(), "http://127.0.0.1:"))

	// As a program gets its token (RFC 6749, section 4.4).
	response, err := issuer.Client().PostForm(issuer.URL()+devissuer.PathToken, url.Values{
		"grant_type": {"client_credentials"}, "client_id": {"night-job"}, "permissions": {`{"orders":{"role":"clerk"}}`},
	})
	if err != nil {
		panic(err)
	}
	_ = response.Body.Close()
	fmt.Println(response.Status, issuer.Close())

	_, err = devissuer.Start(devissuer.WithAddr(":9000"), devissuer.WithLifetime(0))
	fmt.Println(err)
	// Output:
	// true
	// 200 OK <nil>
	// devissuer: WithAddr(":9000") can be reached from other machines, and the issuer gives any token to any client; use a loopback address such as 127.0.0.1:9000
	// WithLifetime(0s): at least 1s; for a token that has expired use Expired()
}

// An issuer with a name of its own, whose documents live below the name's path.
func ExampleWithIssuer() {
	issuer := newIssuer(devissuer.WithIssuer("https://login.example/realms/shop"), devissuer.WithCacheControl("max-age=300"))
	fmt.Println(issuer.DiscoveryURL())
	response, err := issuer.Client().Get(issuer.DiscoveryURL())
	if err != nil {
		panic(err)
	}
	_ = response.Body.Close()
	fmt.Println(response.Status, response.Header.Get("Cache-Control"))
	// Output:
	// https://login.example/realms/shop/.well-known/openid-configuration
	// 200 OK max-age=300
}

// An issuer that is stopped and started again with its keys is the same to everybody.
func ExampleWithKeyPEM() {
	before := newIssuer(devissuer.WithAlgorithm("RS256"), devissuer.WithRSABits(2048))
	before.Rotate()
	kept := before.PrivateKeysPEM() // into a file that nobody else can read
	after := newIssuer(devissuer.WithAlgorithm("RS256"), devissuer.WithKeyPEM(kept))
	fmt.Println(len(after.KeyIDs()), after.KeyID() == before.KeyID())
	// Output: 2 true
}

// A fault answers in place of the issuer until there is another, or nil.
func ExampleIssuer_Fault() {
	issuer := newIssuer()
	for _, f := range []struct {
		what  string
		fault devissuer.Fault
	}{
		{"a status", devissuer.StatusFault(http.StatusBadGateway)},
		{"too many requests", devissuer.TooManyRequests("120")},
		{"a web page", devissuer.HTMLFault()},
		{"half the keys", devissuer.TruncatedJSON()},
		{"another type", devissuer.WrongContentType()},
		{"no key", devissuer.EmptySet()},
		{"64 KiB", devissuer.Oversized(64 << 10)},
		{"64 KiB, compressed", devissuer.GzipBomb(64 << 10)},
		{"byte by byte", devissuer.Drip(time.Nanosecond)},
		{"as usual", nil},
	} {
		issuer.Fault(f.fault)
		fmt.Println(f.what+":", fetch(issuer))
	}
	// Output:
	// a status: 502, not the keys
	// too many requests: 429, not the keys
	// a web page: 200, not the keys
	// half the keys: 200, not the keys
	// another type: 200, the keys
	// no key: 200, not the keys
	// 64 KiB: 200, not the keys
	// 64 KiB, compressed: 200, not the keys
	// byte by byte: 200, the keys
	// as usual: 200, the keys
}

// fetch asks for the keys and says what came.
func fetch(issuer *devissuer.Issuer) string {
	response, err := issuer.Client().Get(issuer.JWKSURL())
	if err != nil {
		return err.Error()
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err.Error()
	}
	if !bytes.Equal(body, issuer.JWKS()) {
		return fmt.Sprintf("%d, not the keys", response.StatusCode)
	}
	return fmt.Sprintf("%d, the keys", response.StatusCode)
}

// A fault of your own says when all is well again.
func ExampleHealthy() {
	issuer := newIssuer()
	var calls atomic.Int32
	issuer.Fault(func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) > 1 {
			devissuer.Healthy(w, r)
			return
		}
		devissuer.StatusFault(http.StatusServiceUnavailable, "Retry-After", "1")(w, r)
	})
	fmt.Println(fetch(issuer))
	fmt.Println(fetch(issuer))
	// Output:
	// 503, not the keys
	// 200, the keys
}

// A client that does not look where it is sent would go to the stranger; the issuer tells.
func ExampleRedirectTo() {
	issuer := newIssuer()
	issuer.Fault(devissuer.RedirectTo("https://stranger.example/keys"))
	_, err := issuer.Client().Get(issuer.JWKSURL())
	fmt.Println(err != nil, issuer.Stats().Strays)
	// Output: true [stranger.example:443]
}

// Nothing ends an answer that hangs but the client's patience, or the issuer's end.
func ExampleHang() {
	issuer := newIssuer()
	issuer.Fault(devissuer.Hang())
	client := issuer.Client()
	client.Timeout = time.Millisecond
	_, err := client.Get(issuer.JWKSURL())
	var timeout interface{ Timeout() bool }
	fmt.Println(errors.As(err, &timeout) && timeout.Timeout())
	// Output: true
}

// While it is down nobody reaches the issuer, and it counts who tried.
func ExampleIssuer_Down() {
	issuer := newIssuer()
	issuer.Down()
	_, err := issuer.Client().Get(issuer.JWKSURL())
	fmt.Println(err != nil, issuer.Stats().Refused, issuer.Stats().Fetches)
	issuer.Up()
	fmt.Println(fetch(issuer), issuer.Stats().Fetches)
	// Output:
	// true 1 0
	// 200, the keys 1
}
