package keycache_test

import (
	"context"
	"errors"
	"runtime"
	"testing"

	"github.com/more-retail/moresso-go/core/internal/keycache"
	"github.com/more-retail/moresso-go/core/keys"
)

// quits ends the goroutine that calls it, as a test's FailNow in a false transport would.
type quits struct{}

func (quits) Fetch(context.Context, *keys.Set) (*keys.Set, error) {
	runtime.Goexit()
	return nil, nil
}
func (quits) String() string { return "quits" }

func TestCache_SourceGoexit(t *testing.T) {
	cache := keycache.New(quits{}, keycache.Options{OnFetch: func(keycache.FetchEvent) { runtime.Goexit() }})
	var unavailable *keycache.UnavailableError
	if _, err := cache.Find(t.Context(), keycache.Ref{KeyID: "a"}, "RS256"); !errors.As(err, &unavailable) {
		t.Errorf("%v", err)
	}
	if err := cache.Close(); err != nil {
		t.Error(err)
	}
}
