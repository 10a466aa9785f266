package devissuer_test

import (
	"fmt"

	"github.com/more-retail/moresso-go/core/devissuer"
)

func Example() {
	issuer, err := devissuer.New(devissuer.WithAudience("pma"))
	if err != nil {
		panic(err)
	}
	defer func() { _ = issuer.Close() }()

	token, err := issuer.Token(devissuer.Subject("grace"), devissuer.Permission("pma.role", "admin"))
	if err != nil {
		panic(err)
	}
	_ = token // send it as "Authorization: Bearer …"

	resp, err := issuer.Client().Get(issuer.JWKSURL())
	if err != nil {
		panic(err)
	}
	defer func() { _ = resp.Body.Close() }()
	fmt.Println(resp.StatusCode, issuer.Stats().Fetches, "fetch")
	// Output: 200 1 fetch
}

// A key is published ahead of its use, used, and the old one retired.
func ExampleIssuer_Publish() {
	issuer, err := devissuer.New(devissuer.WithAlgorithm("ES256"))
	if err != nil {
		panic(err)
	}
	next := issuer.Publish()
	fmt.Println(len(issuer.KeyIDs()), issuer.KeyID() == next)
	issuer.Use(next)
	issuer.Retire()
	fmt.Println(len(issuer.KeyIDs()), issuer.KeyID() == next)
	// Output:
	// 2 false
	// 1 true
}
