package compat_test

import (
	"fmt"
	"log"
	"os"

	"github.com/more-retail/moresso-go/core/compat"
	"github.com/more-retail/moresso-go/core/sso"
)

// A service keeps the variables of more-sso-auth.
func ExampleConfigFromEnv() {
	os.Setenv("PUBLIC_KEY_URI", "https://login.example.com/jwks.json") //nolint:errcheck // an example
	os.Setenv("AUDIENCE", "orders-api")                                //nolint:errcheck // an example
	os.Setenv("SSO_ISSUER", "https://login.example.com")               //nolint:errcheck // an example

	cfg, err := compat.ConfigFromEnv() // PUBLIC_KEY_URI and AUDIENCE count
	if err != nil {
		log.Fatal(err)
	}
	cfg.Renderer = compat.Render // clients get the same body as before
	auth, err := sso.New(cfg)
	if err != nil {
		log.Fatal(err)
	}
	defer auth.Close() //nolint:errcheck // an example
	fmt.Println(cfg.Audience)
	// Output: [orders-api]
}

func ExampleTruthy() {
	p := compat.Truthy("orders.edit") // {"orders": {"edit": 1}}
	fmt.Println(p)
	// Output: truthy("orders.edit")
}
