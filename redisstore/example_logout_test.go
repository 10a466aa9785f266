package redisstore_test

import (
	"crypto/tls"
	"fmt"
	"time"

	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/redisstore"
)

// Whoever signs out at the identity provider is signed out everywhere.
func ExampleStore_Revoker() {
	receive := func() (*sso.BackChannelLogout, error) {
		store, err := redisstore.New(redisstore.Options{
			Addresses: []string{"redis.internal:6379"},
			TLS:       &tls.Config{MinVersion: tls.VersionTLS12},

			Issuer:      "https://login.example.com",
			MaxTokenAge: time.Hour,
			Denylist:    []redisstore.Rule{redisstore.BySession, redisstore.ByIssuedAt},
		})
		if err != nil {
			return nil, err
		}
		auth, err := sso.New(sso.Config{
			Issuer:        "https://login.example.com",
			Audience:      []string{"orders-api"},
			MaxTokenAge:   time.Hour,
			Sessions:      store,
			SessionPolicy: sso.SessionPolicy{UserClaim: "sub", SessionClaim: "sid"},
		})
		if err != nil {
			return nil, err
		}
		return sso.NewBackChannelLogout(auth, store.Revoker(), "web-shop")
	}
	logout, err := receive()
	fmt.Println(logout != nil, err)
	// Output:
	// true <nil>
}
