package frameworks

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/adaptertest"
	"github.com/more-retail/moresso-go/core/devissuer"
)

// The schedule: real time, on real servers.
const (
	length    = 60 * time.Second
	rotations = 20 // one a second, each with overlap
	down      = 22 * time.Second
	up        = 32 * time.Second
	perServer = 2 // clients
	// overdue moves the clock so that every set is due for refresh while the issuer is down,
	// and old enough for a request to wait for one.
	overdue = 6 * time.Minute
	// mostWait bounds a request for a known key: the second that it may wait for the refresh
	// of an old set, and the delays of two busy cores.
	mostWait = 3 * time.Second
)

// tally counts the requests to one server.
type tally struct {
	requests, refusals atomic.Int64
	longest            atomic.Int64 // nanoseconds
	first              atomic.Pointer[string]
}

func (c *tally) count(took time.Duration, got answer, err error) {
	c.requests.Add(1)
	for {
		longest := c.longest.Load()
		if int64(took) <= longest || c.longest.CompareAndSwap(longest, int64(took)) {
			break
		}
	}
	if err != nil || got.Status != http.StatusOK {
		c.refusals.Add(1)
		text := fmt.Sprintf("%d %s %s %v", got.Status, got.Reason, got.Body, err)
		c.first.CompareAndSwap(nil, &text)
	}
}

func TestSoak_ValidTokens(t *testing.T) {
	adaptertest.CheckLeaks(t)
	issuer, err := devissuer.Start(devissuer.WithLifetime(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = issuer.Close() })
	clock := newClock(t)
	all := start(t, settings{PublicKeyURI: issuer.JWKSURL(), Issuer: issuer.URL(), Audience: []string{"api"}, Leeway: 5 * time.Minute, Clock: clock})

	var tokens atomic.Pointer[[]string] // of all keys so far: they overlap
	tokens.Store(&[]string{issuer.MustToken()})

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	tallies := make([]tally, len(all))
	var wg sync.WaitGroup
	for i, server := range all {
		for range perServer {
			wg.Go(func() {
				for n := 0; ctx.Err() == nil; n++ {
					good := *tokens.Load()
					begun := time.Now()
					answer, err := server.Get(context.WithoutCancel(ctx), Me, "Bearer "+good[len(good)-1-n%min(len(good), 3)])
					tallies[i].count(time.Since(begun), answer, err)
				}
			})
		}
	}

	begun := time.Now()
	at := func(moment time.Duration) { <-time.After(time.Until(begun.Add(moment))) }
	for n := range rotations {
		at(time.Duration(n+1) * time.Second)
		issuer.Rotate()
		next := append(append([]string{}, *tokens.Load()...), issuer.MustToken())
		tokens.Store(&next)
	}
	at(down)
	issuer.Down()
	clock.Forward(overdue)
	at(up)
	issuer.Up()
	at(length)
	stop()
	wg.Wait()

	fmt.Printf("%-18s %9s %9s %13s\n", "framework", "requests", "refusals", "largest wait")
	for i := range tallies {
		c := &tallies[i]
		longest := time.Duration(c.longest.Load())
		fmt.Printf("%-18s %9d %9d %13v\n", all[i].Name, c.requests.Load(), c.refusals.Load(), longest.Round(time.Millisecond))
		if first := c.first.Load(); first != nil {
			t.Errorf("%s refused %d valid tokens, the first with %s", all[i].Name, c.refusals.Load(), *first)
		}
		if longest > mostWait {
			t.Errorf("%s let a request wait for %v", all[i].Name, longest)
		}
		if c.requests.Load() < 1000 {
			t.Errorf("%s served only %d requests, want at least 1000", all[i].Name, c.requests.Load())
		}
	}
	fmt.Printf("%d rotations, %v down, %d fetches by %d services, %d attempts while it was down\n", rotations, up-down, issuer.Stats().Fetches, len(all), issuer.Stats().Refused)
	// One at the start, one for each rotation, and the refreshes after the outage.
	if fetches, most := issuer.Stats().Fetches, len(all)*(1+rotations+3); fetches > most {
		t.Errorf("%d fetches, at most %d are needed", fetches, most)
	}
}
