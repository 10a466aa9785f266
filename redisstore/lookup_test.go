package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/rueidis"

	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/redisstore/redistest"
)

// fake is a client that answers with an empty text after a while.
type fake struct {
	rueidis.Client // a real one, which builds the commands
	takes          time.Duration
	reads          int
	ended          atomic.Bool // the last read has reached its deadline
}

func (p *fake) Close() {}

func (p *fake) Do(ctx context.Context, _ rueidis.Completed) rueidis.RedisResult {
	p.reads++
	select {
	case <-time.After(p.takes):
	case <-ctx.Done():
		p.ended.Store(errors.Is(ctx.Err(), context.DeadlineExceeded))
		// Only rueidis can make a result with an error.
		<-time.After(time.Hour) // in a synctest bubble
	}
	return rueidis.RedisResult{}
}

func fakeStore(t *testing.T, c rueidis.Client) *Sessions {
	t.Helper()
	s := open(t, "localhost:1", 0)
	s.client.connect = func() (rueidis.Client, error) { return c, nil }
	return s
}

// realClient is connected.
func realClient(t *testing.T) rueidis.Client {
	t.Helper()
	return connected(t, redistest.Start(t).Address, 0).client.made
}

func TestLookup_Limit(t *testing.T) {
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
				p := &fake{Client: client, takes: takes}
				s := fakeStore(t, p)
				gone, cancel := context.WithCancel(t.Context())
				cancel() // other requests may wait for the same answer
				begun := time.Now()
				err := s.Check(gone, someSession("s"))
				if waited := time.Since(begun); waited != test.waits {
					t.Errorf("Check took %v", waited)
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

// holding is a client that answers while the report to the breaker takes longer than the lookup may.
type holding struct {
	rueidis.Client
	b *breaker
}

func (h *holding) Do(context.Context, rueidis.Completed) rueidis.RedisResult {
	h.b.mu.Lock()
	time.AfterFunc(2*lookupLimit, h.b.mu.Unlock)
	return rueidis.RedisResult{}
}

func TestLookup_ReportsOnce(t *testing.T) {
	client := realClient(t)
	h := &holding{Client: client}
	s := fakeStore(t, h)
	b := &s.breakers[0]
	h.b = b
	_ = s.Check(t.Context(), someSession("s"))
	_ = s.Close()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failures != 0 {
		t.Errorf("%d failures are counted of an answer", b.failures)
	}
}

func TestLookup_Closed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := fakeStore(t, new(fake))
		_ = s.Close()
		begun := time.Now()
		if err := s.Check(t.Context(), someSession("s")); !errors.Is(err, errClosed) || !errors.Is(err, sso.ErrUnavailable) || time.Since(begun) != 0 {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
	})
}

func TestLookup_WorkLimit(t *testing.T) {
	client := realClient(t)
	synctest.Test(t, func(t *testing.T) {
		p := &fake{Client: client, takes: 2 * time.Second}
		s := fakeStore(t, p)
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

func TestLookup_BreakerOpen(t *testing.T) {
	client := realClient(t)
	synctest.Test(t, func(t *testing.T) {
		p := &fake{Client: client, takes: 200 * time.Millisecond}
		s := fakeStore(t, p)
		check := func(wantReads int, wantWaits time.Duration) error {
			t.Helper()
			begun := time.Now()
			err := s.Check(t.Context(), someSession("s"))
			waited := time.Since(begun)
			synctest.Wait()
			if p.reads != wantReads || waited != wantWaits {
				t.Errorf("after %v Redis has had %d reads, want %d: %v", waited, p.reads, wantReads, err)
			}
			return err
		}
		for i := range 3 {
			_ = check(i+1, lookupLimit)
		}
		time.Sleep(50 * time.Millisecond)
		if err := check(3, 0); !errors.Is(err, sso.ErrUnavailable) || !errors.Is(err, errTooLate) {
			t.Errorf("while Redis is unavailable: %v", err)
		}
		time.Sleep(50 * time.Millisecond)
		p.takes = 10 * time.Millisecond
		if err := check(4, 0); !errors.Is(err, sso.ErrUnavailable) { // the probe
			t.Errorf("while Redis is unavailable: %v", err)
		}
		time.Sleep(10 * time.Millisecond)
		synctest.Wait() // the probe has reported
		if err := check(5, 10*time.Millisecond); !errors.Is(err, sso.ErrSessionEnded) {
			t.Errorf("when it is back: %v", err)
		}
	})
}

func TestStore_Ready(t *testing.T) {
	client := realClient(t)
	synctest.Test(t, func(t *testing.T) {
		p := &fake{Client: client}
		s := fakeStore(t, p)
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

func TestLastError(t *testing.T) {
	live := t.Context()
	ended, end := context.WithCancel(live)
	end()
	first, second, few := errors.New("first"), errors.New("second"), fmt.Errorf("%w: 0 of 1", ErrNotReplicated)
	type attempt struct {
		late bool // the context has ended
		err  error
	}
	for name, test := range map[string]struct {
		attempts []attempt
		want     error // nil: no answer
	}{
		"none":                            {nil, nil},
		"one":                             {[]attempt{{false, first}}, first},
		"the last":                        {[]attempt{{false, first}, {false, second}}, second},
		"the only one, whose time was up": {[]attempt{{true, first}}, first},
		"the last whose time was not up":  {[]attempt{{false, first}, {true, second}}, first},
		"written, and too few replicas confirmed": {[]attempt{{false, few}, {false, first}}, few},
		"written by the last attempt":             {[]attempt{{false, first}, {false, few}}, few},
		"written, and later attempts timed out":   {[]attempt{{false, few}, {true, second}}, few},
	} {
		t.Run(name, func(t *testing.T) {
			var last lastError
			for _, a := range test.attempts {
				ctx := live
				if a.late {
					ctx = ended
				}
				last.record(ctx, a.err)
			}
			err := last.after(ended.Err())
			if test.want != nil && !errors.Is(err, test.want) || test.want == nil && !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			if done := errors.Is(test.want, ErrNotReplicated); errors.Is(err, sso.ErrUnavailable) == done || errors.Is(err, ErrNotReplicated) != done {
				t.Error(err)
			}
		})
	}
}

// A lookup that has no answer in time is an outage only if Redis has accepted the password before.
func TestLookup_SlowRefusal(t *testing.T) {
	server := redistest.Start(t, "--requirepass", "root")
	g := newGate(t, server.Address)
	s := open(t, g.address, 0)
	g.delayBy(lookupLimit + 20*time.Millisecond)
	for i := range 20 { // with the breaker closed and open
		if err := s.Check(t.Context(), someSession("s")); !isRefusal(err) || !errors.Is(err, sso.ErrUnavailable) {
			t.Errorf("lookup %d: %v", i, err)
		}
	}
	redistest.Wait(t, 20*time.Second, "the reason", func() bool {
		return strings.Contains(s.Check(t.Context(), someSession("s")).Error(), "Conn.Password")
	})
	server.Do("CONFIG", "SET", "requirepass", "")
	g.delayBy(0)
	redistest.Wait(t, 20*time.Second, "an answer", func() bool { return errors.Is(s.Check(t.Context(), someSession("s")), sso.ErrSessionEnded) })
	g.hold(true)
	for i := range 5 {
		if err := s.Check(t.Context(), someSession("s")); isRefusal(err) || !errors.Is(err, sso.ErrUnavailable) {
			t.Errorf("outage %d: %v", i, err)
		}
	}
	g.hold(false)
}

// A write that Redis does not have afterwards has failed.
func TestStore_WriteIsConfirmed(t *testing.T) {
	server := redistest.Start(t)
	s := connected(t, server.Address, 0)
	for script, want := range map[string]error{"return 1": nil, "return 0": errNotKept, "return false": rueidis.Nil, "return 3": errNotKept, "return 2": errOthers} {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		if err := s.write(ctx, script, []string{userKey}); !errors.Is(err, want) || errors.Is(want, errNotKept) != errors.Is(err, errNotKept) {
			t.Errorf("%s: %v", script, err)
		}
		cancel()
	}
}
