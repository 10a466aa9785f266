package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/redisstore"
)

// Options that contradict each other are refused, all at once, and name what to write.
func ExampleNew() {
	_, err := redisstore.New(redisstore.Options{
		Addresses: []string{"redis.internal:6379"},
		Audience:  "orders-api",
		MaxStale:  time.Second,
	})
	var faulty *sso.ConfigError
	if errors.As(err, &faulty) {
		for _, fault := range faulty.Faults {
			fmt.Printf("%s %s: %s\n", fault.Setting, fault.Problem, fault.Remedy)
		}
	}
	// Output:
	// redisstore.Options.TLS is not set, while redis.internal:6379 is another machine: give at least &tls.Config{}
	// redisstore.Options.Cache is not set, while MaxStale or CacheEntries is: set it, or leave them out
}

// newStore is one that is not connected, since New does no network I/O.
func newStore(rules ...redisstore.Rule) *redisstore.Store {
	o := redisstore.Options{Addresses: []string{"127.0.0.1:6379"}, Logger: slog.New(slog.DiscardHandler)}
	if o.Denylist = rules; len(rules) > 0 {
		o.Issuer, o.MaxTokenAge = "https://login.example.com", time.Hour
	} else {
		o.Audience = "orders-api"
	}
	store, err := redisstore.New(o)
	if err != nil {
		panic(err)
	}
	return store
}

// A readiness probe asks for as long as its own context allows. Here nobody waits.
func ExampleStore_Ready() {
	store := newStore()
	defer store.Close() //nolint:errcheck // it returns none
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	fmt.Println(errors.Is(store.Ready(ctx), sso.ErrUnavailable))
	// Output: true
}

// Each kind of store has revocations of its own, and says so without asking Redis.
func ExampleStore_RevokeToken() {
	ctx := context.Background()
	sessions, denylist := newStore(), newStore(redisstore.ByTokenID)
	defer sessions.Close() //nolint:errcheck // it returns none
	defer denylist.Close() //nolint:errcheck // it returns none

	err := sessions.RevokeToken(ctx, "jti-1", time.Time{}) // when it expires is not known
	fmt.Println(err, errors.Is(err, errors.ErrUnsupported))
	err = denylist.Login(ctx, "ada", "s1", time.Hour)
	fmt.Println(err, errors.Is(err, errors.ErrUnsupported))
	err = denylist.RevokeSession(ctx, "ada", "s1")
	fmt.Println(err)
	// Output:
	// redisstore: RevokeToken needs Options.Denylist with the rule "token_id": unsupported operation true
	// redisstore: Login is for sessions that are written down, and not for a denylist: unsupported operation true
	// redisstore: RevokeSession needs Options.Denylist with the rule "session": unsupported operation
}

// A program of the operator's begins a denylist, once. A service that did so where it starts would
// hide that Redis has lost its memory.
func ExampleStore_Begin() {
	begin := func(ctx context.Context, store *redisstore.Store) error {
		return store.Begin(ctx) // nil: lookups are answered from now on
	}
	store := newStore()
	defer store.Close() //nolint:errcheck // it returns none
	fmt.Println(begin(context.Background(), store))
	// Output: redisstore: Begin needs Options.Denylist: unsupported operation
}

// Whoever signs somebody out waits for nil. What is not confirmed is done again, which does no harm.
func ExampleStore_RevokeSession() {
	signOut := func(ctx context.Context, store *redisstore.Store, user, session string) string {
		switch err := store.RevokeSession(ctx, user, session); {
		case err == nil:
			return "signed out"
		case errors.Is(err, redisstore.ErrNotReplicated):
			return "signed out, unless Redis fails over: try again"
		case errors.Is(err, sso.ErrUnavailable):
			return "perhaps signed out: try again"
		default:
			return err.Error() // the program's own mistake
		}
	}
	store := newStore()
	defer store.Close() //nolint:errcheck // it returns none
	fmt.Println(signOut(context.Background(), store, "ada", ""))
	// Output: redisstore: RevokeSession without a session
}
