package devissuer_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/more-retail/moresso-go/core/devissuer"
)

// A server on this machine is for other processes. One error names all invalid options.
func ExampleStart() {
	issuer, err := devissuer.Start(devissuer.WithAddr("127.0.0.1:0"), devissuer.WithAlgorithm("EdDSA"))
	if err != nil {
		panic(err)
	}
	fmt.Println(strings.HasPrefix(issuer.JWKSURL(), "http://127.0.0.1:"))

	// A program gets its token like this (RFC 6749, section 4.4).
	response, err := issuer.Client().PostForm(issuer.URL()+"/token", url.Values{
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

// The documents of an issuer with a path are below that path.
func ExampleWithIssuer() {
	issuer := newIssuer(devissuer.WithIssuer("https://login.example/realms/shop"))
	fmt.Println(issuer.DiscoveryURL())
	response, err := issuer.Client().Get(issuer.DiscoveryURL())
	if err != nil {
		panic(err)
	}
	_ = response.Body.Close()
	fmt.Println(response.Status)
	// Output:
	// https://login.example/realms/shop/.well-known/openid-configuration
	// 200 OK
}

// With its stored keys, a restarted issuer has the same keys and key ids.
func ExampleWithKeyPEM() {
	before := newIssuer(devissuer.WithAlgorithm("RS256"))
	before.Rotate()
	stored := before.PrivateKeyPEM() // into a file that only its owner can read
	after := newIssuer(devissuer.WithAlgorithm("RS256"), devissuer.WithKeyPEM(stored))
	fmt.Println(len(after.KeyIDs()), after.KeyID() == before.KeyID())
	// Output: 2 true
}

// A fault responds instead of the issuer until there is another, or nil.
func ExampleIssuer_Fault() {
	issuer := newIssuer()
	var calls atomic.Int32
	issuer.Fault(func(w http.ResponseWriter, r *http.Request, healthy http.Handler) {
		if calls.Add(1) > 1 {
			healthy.ServeHTTP(w, r)
			return
		}
		http.Error(w, "the database is gone", http.StatusServiceUnavailable)
	})
	fmt.Println(fetch(issuer))
	fmt.Println(fetch(issuer))
	// Output:
	// 503 Service Unavailable
	// 200 OK
}

// fetch requests the keys and returns the status of the response.
func fetch(issuer *devissuer.Issuer) string {
	response, err := issuer.Client().Get(issuer.JWKSURL())
	if err != nil {
		return err.Error()
	}
	_ = response.Body.Close()
	return response.Status
}

// While the issuer is down, it counts the attempts to reach it.
func ExampleIssuer_Down() {
	issuer := newIssuer()
	issuer.Down()
	_, err := issuer.Client().Get(issuer.JWKSURL())
	fmt.Println(err != nil, issuer.Stats().Refused, issuer.Stats().Fetches)
	issuer.Up()
	fmt.Println(fetch(issuer), issuer.Stats().Fetches)
	// Output:
	// true 1 0
	// 200 OK 1
}
