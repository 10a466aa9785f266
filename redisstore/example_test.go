package redisstore_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/redisstore"
)

// A service that shares the sessions of the Python edition's.
func Example() {
	store, err := redisstore.New(redisstore.Options{
		Addresses: []string{"redis.internal:6379"},
		TLS:       &tls.Config{},
		Username:  "orders",
		Password:  os.Getenv("REDIS_PASSWORD") + "…",
		Audience:  "orders-api",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close() //nolint:errcheck // it returns none
	auth, err := sso.New(sso.Config{
		PublicKeyURI: "https://login.example.com/.well-known/jwks.json",
		Issuer:       "https://login.example.com",
		Audience:     []string{"orders-api"},
		Sessions:     store,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer auth.Close() //nolint:errcheck // the end of the program
	fmt.Println("a service with live sessions")
	// Output: a service with live sessions
}

// The side that signs people in and out.
func ExampleStore_Login() {
	signIn := func(ctx context.Context, store *redisstore.Store, user, session string) error {
		return store.Login(ctx, user, session, 8*time.Hour) // then hand the token out
	}
	signOut := func(ctx context.Context, store *redisstore.Store, user, session string) error {
		return store.RevokeSession(ctx, user, session) // nil: every instance refuses it
	}
	_, _ = signIn, signOut
	fmt.Println("nil means that it is so")
	// Output: nil means that it is so
}

// A denylist remembers who has signed out, and needs no entry for those who have not.
func ExampleOptions_denylist() {
	store, err := redisstore.New(redisstore.Options{
		Addresses:    []string{"10.0.0.1:26379", "10.0.0.2:26379", "10.0.0.3:26379"},
		Sentinel:     "sessions",
		TLS:          &tls.Config{ServerName: "redis.internal"},
		Denylist:     []redisstore.Rule{redisstore.ByTokenID, redisstore.ByIssuedAt},
		Issuer:       "https://login.example.com",
		MaxTokenAge:  time.Hour, // sso.Config.MaxTokenAge holds the same
		WaitReplicas: 1,
		Cache:        true,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close() //nolint:errcheck // it returns none
	signOutEverywhere := func(w http.ResponseWriter, r *http.Request) {
		principal, _ := sso.FromContext(r.Context())
		if err := store.RevokeAllSoFar(r.Context(), principal.Subject()); err != nil {
			http.Error(w, "try again", http.StatusServiceUnavailable) // it may be done or not
		}
	}
	_ = signOutEverywhere
	fmt.Println("lookups that fail are 503:", errors.Is(&sso.UnavailableError{}, sso.ErrUnavailable))
	// Output: lookups that fail are 503: true
}
