package redisstore_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/more-retail/moresso-go/core/compat"
	"github.com/more-retail/moresso-go/core/logout"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/redisstore"
)

// A service that accepts a token only until its session ends.
func Example() {
	conn := redisstore.Conn{
		Addresses: []string{"redis.internal:6379"},
		TLS:       &tls.Config{},
		Username:  "orders",
		Password:  os.Getenv("REDIS_PASSWORD") + "…",
	}
	sessions, err := redisstore.NewSessions(conn, redisstore.SessionsOptions{
		Audience: "orders-api",
		CacheTTL: 2 * time.Second,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer sessions.Close() //nolint:errcheck // it returns none
	auth, err := sso.New(sso.Config{
		PublicKeyURI: "https://login.example.com/.well-known/jwks.json",
		Issuer:       "https://login.example.com",
		Audience:     []string{"orders-api"},
		Sessions:     sessions,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer auth.Close() //nolint:errcheck // the end of the program
	fmt.Println("a service with live sessions")
	// Output: a service with live sessions
}

// Everything that is wrong with the options is in one error, with what to set.
func ExampleNewSessions() {
	_, err := redisstore.NewSessions(redisstore.Conn{Addresses: []string{"redis.internal:6379"}}, redisstore.SessionsOptions{
		CacheTTL: time.Minute,
	})
	if invalid, ok := errors.AsType[*sso.ConfigError](err); ok {
		for _, fault := range invalid.Problems {
			fmt.Printf("%s %s: %s\n", fault.Setting, fault.Problem, fault.Remedy)
		}
	}
	// Output:
	// redisstore.Conn.TLS is nil, and redis.internal:6379 is another machine: set at least &tls.Config{}
	// redisstore.SessionsOptions.CacheTTL is 1m0s: set 100ms to 30s, e.g. 2s; or 0 for no cache
	// redisstore.SessionsOptions.Audience is "": set the audience of the tokens, as in sso.Config
}

// The program that signs users in and out.
func ExampleSessions_Login() {
	signIn := func(ctx context.Context, sessions *redisstore.Sessions, user, session string) error {
		return sessions.Login(ctx, user, session, 8*time.Hour) // then issue the token
	}
	signOut := func(ctx context.Context, sessions *redisstore.Sessions, user, session string) error {
		return sessions.RevokeSession(ctx, user, session) // nil: every instance rejects it
	}
	_, _ = signIn, signOut
	fmt.Println("nil means that it is done")
	// Output: nil means that it is done
}

// Repeat a revocation that is not confirmed.
func ExampleSessions_RevokeSession() {
	signOut := func(ctx context.Context, sessions *redisstore.Sessions, user, session string) string {
		switch err := sessions.RevokeSession(ctx, user, session); {
		case err == nil:
			return "signed out"
		case errors.Is(err, redisstore.ErrNotReplicated):
			return "signed out, unless Redis fails over: try again"
		case errors.Is(err, sso.ErrUnavailable):
			return "perhaps signed out: try again"
		default:
			return err.Error() // a mistake of this program
		}
	}
	sessions := newSessions()
	defer sessions.Close() //nolint:errcheck // it returns none
	fmt.Println(signOut(context.Background(), sessions, "ada", ""))
	// Output: redisstore: RevokeSession without a user or a session
}

// newSessions returns sessions that are not connected, since NewSessions does no network I/O.
func newSessions() *redisstore.Sessions {
	sessions, err := redisstore.NewSessions(redisstore.Conn{
		Addresses: []string{"127.0.0.1:6379"}, Logger: slog.New(slog.DiscardHandler),
	}, redisstore.SessionsOptions{Audience: "orders-api"})
	if err != nil {
		panic(err)
	}
	return sessions
}

// A readiness probe waits as long as its context allows: here it has ended.
func ExampleSessions_Ready() {
	sessions := newSessions()
	defer sessions.Close() //nolint:errcheck // it returns none
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	fmt.Println(errors.Is(sessions.Ready(ctx), sso.ErrUnavailable))
	// Output: true
}

// A service that shares sessions with services that use more-sso-auth.
func ExampleSessionsOptions_key() {
	sessions, err := redisstore.NewSessions(redisstore.Conn{Addresses: []string{"localhost:6379"}}, redisstore.SessionsOptions{
		Audience:     "orders-api",
		UserClaim:    compat.SessionPolicy().UserClaim,
		SessionClaim: compat.SessionPolicy().SessionClaim,
		Key:          compat.RedisKey,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer sessions.Close() //nolint:errcheck // it returns none
	fmt.Println(sessions.SessionPolicy().UserClaim)
	// Output: user_id
}

// A denylist keeps revocations, and no data about signed-in users.
func ExampleNewDenylist() {
	conn := redisstore.Conn{
		Addresses:    []string{"10.0.0.1:26379", "10.0.0.2:26379", "10.0.0.3:26379"},
		Sentinel:     "sessions",
		TLS:          &tls.Config{ServerName: "redis.internal"},
		WaitReplicas: 1,
	}
	denylist, err := redisstore.NewDenylist(conn, redisstore.DenylistOptions{
		Rules:       []redisstore.Rule{redisstore.ByTokenID, redisstore.ByIssuedAt},
		Issuer:      "https://login.example.com",
		MaxTokenAge: time.Hour, // as in sso.Config.MaxTokenAge
		CacheTTL:    2 * time.Second,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer denylist.Close() //nolint:errcheck // it returns none
	signOutEverywhere := func(w http.ResponseWriter, r *http.Request) {
		principal, _ := sso.FromContext(r.Context())
		if err := denylist.RevokeSubject(r.Context(), principal.Subject()); err != nil {
			http.Error(w, "try again", http.StatusServiceUnavailable) // it may or may not be done
		}
	}
	_ = signOutEverywhere
	fmt.Println("an outage is 503:", errors.Is(&sso.UnavailableError{}, sso.ErrUnavailable))
	// Output: an outage is 503: true
}

// A rule that is not configured is not looked up, so its revocations are errors.
func ExampleDenylist_RevokeToken() {
	denylist, err := redisstore.NewDenylist(redisstore.Conn{Addresses: []string{"127.0.0.1:6379"}}, redisstore.DenylistOptions{
		Rules: []redisstore.Rule{redisstore.BySession}, Issuer: "https://login.example.com", MaxTokenAge: time.Hour,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer denylist.Close()                                                 //nolint:errcheck // it returns none
	err = denylist.RevokeToken(context.Background(), "jti-1", time.Time{}) // its expiry is unknown
	fmt.Println(err)
	// Output: redisstore: RevokeToken requires the rule "token_id" in DenylistOptions.Rules: unsupported operation
}

// Users who sign out at the identity provider are signed out everywhere.
func ExampleDenylist_Revoker() {
	receive := func() (*logout.Receiver, error) {
		denylist, err := redisstore.NewDenylist(redisstore.Conn{
			Addresses: []string{"redis.internal:6379"},
			TLS:       &tls.Config{MinVersion: tls.VersionTLS12},
		}, redisstore.DenylistOptions{
			Issuer:      "https://login.example.com",
			MaxTokenAge: time.Hour,
			Rules:       []redisstore.Rule{redisstore.BySession, redisstore.ByIssuedAt},
		})
		if err != nil {
			return nil, err
		}
		auth, err := sso.New(sso.Config{
			Issuer:      "https://login.example.com",
			Audience:    []string{"orders-api"},
			MaxTokenAge: time.Hour,
			Sessions:    denylist,
		})
		if err != nil {
			return nil, err
		}
		return logout.New(auth, denylist.Revoker(), "web-shop")
	}
	receiver, err := receive()
	fmt.Println(receiver != nil, err)
	// Output:
	// true <nil>
}
