package redisstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/rueidis"

	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/redisstore/redistest"
)

// played is a client that has answered, with an empty text, after so long.
type played struct {
	rueidis.Client // a real one, which makes the commands
	takes          time.Duration
	asked          int
	ended          atomic.Bool // the last question was given up, since its time was up
}

func (p *played) Close() {}

func (p *played) Do(ctx context.Context, _ rueidis.Completed) rueidis.RedisResult {
	p.asked++
	select {
	case <-time.After(p.takes):
	case <-ctx.Done():
		p.ended.Store(errors.Is(ctx.Err(), context.DeadlineExceeded))
		// The real one says so by its result, which nobody else can make.
		<-time.After(time.Hour) // real time: none, since this is for bubbles
	}
	return rueidis.RedisResult{}
}

func playedStore(t *testing.T, p *played) *Store {
	t.Helper()
	s, err := New(Options{Addresses: []string{"localhost:1"}, Audience: "api", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	s.link.made = p
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// realClient is one that is connected.
func realClient(t *testing.T) rueidis.Client {
	t.Helper()
	return connected(t, Options{Addresses: []string{redistest.Start(t).Address}, Audience: "api"}).link.made
}

func TestALookupEndsAtItsLimitAndCountsOnce(t *testing.T) {
	client := realClient(t)
	for takes, test := range map[time.Duration]struct {
		waits    time.Duration
		failures int
	}{
		0:                      {0, 0},
		99 * time.Millisecond:  {99 * time.Millisecond, 0},
		150 * time.Millisecond: {100 * time.Millisecond, 1},
		999 * time.Millisecond: {100 * time.Millisecond, 1},
	} {
		t.Run(takes.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &played{Client: client, takes: takes}
				s := playedStore(t, p)
				gone, cancel := context.WithCancel(t.Context())
				cancel() // which is no reason to let others wait anew
				begun := time.Now()
				err := s.Check(gone, someSession("s"))
				if waited := time.Since(begun); waited != test.waits {
					t.Errorf("it took %v", waited)
				}
				if late := errors.Is(err, errTooLate); late != (test.failures > 0) || errors.Is(err, sso.ErrSessionEnded) == late {
					t.Error(err)
				}
				time.Sleep(2 * time.Second)
				synctest.Wait()
				if got := s.breakers[0].failures; got != test.failures || p.ended.Load() {
					t.Errorf("%d failures are counted, want %d", got, test.failures)
				}
			})
		})
	}
}

// holding is a client that has answered when whoever tells the breaker must wait for longer than the lookup may take.
type holding struct {
	rueidis.Client
	b *breaker
}

func (h holding) Do(context.Context, rueidis.Completed) rueidis.RedisResult {
	h.b.mu.Lock()
	time.AfterFunc(2*lookupLimit, h.b.mu.Unlock)
	return rueidis.RedisResult{}
}

func TestALookupThatIsAboutToTellIsNotToldTwice(t *testing.T) {
	s := playedStore(t, new(played))
	b := &s.breakers[0]
	client := realClient(t)
	s.link.made = holding{client, b}
	_ = s.Check(t.Context(), someSession("s"))
	_ = s.Close()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failures != 0 {
		t.Errorf("%d failures are counted of an answer", b.failures)
	}
}

func TestAClosedStoreAnswersAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := playedStore(t, new(played))
		_ = s.Close()
		begun := time.Now()
		if err := s.Check(t.Context(), someSession("s")); !errors.Is(err, errClosed) || !errors.Is(err, sso.ErrUnavailable) || time.Since(begun) != 0 {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
	})
}

func TestWhatGoesOnBehindALookupIsGivenUpInTime(t *testing.T) {
	client := realClient(t)
	synctest.Test(t, func(t *testing.T) {
		p := &played{Client: client, takes: 2 * time.Second}
		s := playedStore(t, p)
		begun := time.Now()
		_ = s.Check(t.Context(), someSession("s"))
		time.Sleep(900*time.Millisecond - time.Nanosecond)
		if p.ended.Load() {
			t.Errorf("given up within %v", time.Since(begun))
		}
		time.Sleep(2 * time.Nanosecond)
		synctest.Wait()
		if !p.ended.Load() {
			t.Errorf("not given up after %v", time.Since(begun))
		}
	})
}

func TestWhileTheStoreIsAwayNobodyWaits(t *testing.T) {
	client := realClient(t)
	synctest.Test(t, func(t *testing.T) {
		p := &played{Client: client, takes: 200 * time.Millisecond}
		s := playedStore(t, p)
		check := func(wantAsked int, wantWaits time.Duration) error {
			t.Helper()
			begun := time.Now()
			err := s.Check(t.Context(), someSession("s"))
			waited := time.Since(begun)
			synctest.Wait()
			if p.asked != wantAsked || waited != wantWaits {
				t.Errorf("after %v Redis has been asked %d times, want %d: %v", waited, p.asked, wantAsked, err)
			}
			return err
		}
		for i := range 3 {
			_ = check(i+1, lookupLimit)
		}
		time.Sleep(50 * time.Millisecond)
		if err := check(3, 0); !errors.Is(err, sso.ErrUnavailable) || !errors.Is(err, errTooLate) {
			t.Errorf("while it is away: %v", err)
		}
		time.Sleep(50 * time.Millisecond)
		p.takes = 10 * time.Millisecond
		if err := check(4, 0); !errors.Is(err, sso.ErrUnavailable) { // and one finds out
			t.Errorf("while it is away: %v", err)
		}
		time.Sleep(10 * time.Millisecond)
		synctest.Wait() // who found out has told
		if err := check(5, 10*time.Millisecond); !errors.Is(err, sso.ErrSessionEnded) {
			t.Errorf("when it is back: %v", err)
		}
	})
}

func TestAStoreThatIsReadyIsNotAway(t *testing.T) {
	client := realClient(t)
	synctest.Test(t, func(t *testing.T) {
		p := &played{Client: client}
		s := playedStore(t, p)
		for range breakAfter {
			s.breakers[0].failed(errTooLate)
		}
		time.Sleep(time.Millisecond)
		if err := s.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := s.Check(t.Context(), someSession("s")); !errors.Is(err, sso.ErrSessionEnded) {
			t.Error(err)
		}
		p.takes = time.Minute
		begun := time.Now()
		if err := s.Ready(t.Context()); !errors.Is(err, sso.ErrUnavailable) || time.Since(begun) != 5*time.Second {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
	})
}

func TestWhatCameOfTheAttemptsIsToldInTheEnd(t *testing.T) {
	live := t.Context()
	ended, end := context.WithCancel(live)
	end()
	first, second, few := errors.New("first"), errors.New("second"), fmt.Errorf("%w: 0 of 1", ErrNotReplicated)
	type attempt struct {
		late bool // by then the context has ended
		err  error
	}
	for name, test := range map[string]struct {
		attempts []attempt
		want     error // nil: that there was no answer
	}{
		"none":                            {nil, nil},
		"one":                             {[]attempt{{false, first}}, first},
		"the last":                        {[]attempt{{false, first}, {false, second}}, second},
		"the only one, whose time was up": {[]attempt{{true, first}}, first},
		"the last whose time was not up":  {[]attempt{{false, first}, {true, second}}, first},
		"it was done, and too few replicas had it":      {[]attempt{{false, few}, {false, first}}, few},
		"it was done at last":                           {[]attempt{{false, first}, {false, few}}, few},
		"it was done, whatever the others' time was up": {[]attempt{{false, few}, {true, second}}, few},
	} {
		t.Run(name, func(t *testing.T) {
			var last lastError
			for _, a := range test.attempts {
				ctx := live
				if a.late {
					ctx = ended
				}
				last.keep(ctx, a.err)
			}
			err := last.after(ended)
			if test.want != nil && !errors.Is(err, test.want) || test.want == nil && !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			if done := errors.Is(test.want, ErrNotReplicated); errors.Is(err, sso.ErrUnavailable) == done || errors.Is(err, ErrNotReplicated) != done {
				t.Error(err)
			}
		})
	}
}
