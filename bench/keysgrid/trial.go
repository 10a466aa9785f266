package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/more-retail/moresso-go/bench/internal/peers"
	"github.com/more-retail/moresso-go/core/devissuer"
)

const (
	// clientTimeout is how long the client of a service waits for a response.
	clientTimeout = time.Minute
	// trialTimeout bounds a trial in real time.
	trialTimeout = time.Minute
	// until sends a token every pollInterval, for pollLimit at most.
	pollInterval = time.Second
	pollLimit    = 2 * time.Hour
	// settle is the real time after which started requests are waiting for keys.
	settle = 100 * time.Millisecond
)

// situation is a row of the grid.
type situation struct {
	title   string
	promise string // of this library, in words
	// realTime is set for concurrent requests. Some libraries let them wait for a mutex, and then
	// the clock of a bubble does not advance.
	realTime bool
	try      func(*trial) cell
}

// mark is the sign in a cell.
type mark string

const (
	kept         mark = "✓"
	missed       mark = "**✗**"
	wrongRefusal mark = "**✗R**" // not kept, because valid tokens are refused
	wrongAccept  mark = "**✗A**" // not kept, because tokens of keys that are not in use are accepted
	impossible   mark = "·"      // the situation is impossible with this library
	legend            = "✓ promise kept; **✗** not kept; **✗R** not kept: valid tokens are refused; " +
		"**✗A** not kept: invalid tokens are accepted; · impossible"
)

// cell is one measured result.
type cell struct {
	mark mark
	text string
}

// check returns a cell that is marked as kept if ok, else as otherwise.
func check(ok bool, otherwise mark, format string, args ...any) cell {
	if ok {
		otherwise = kept
	}
	return cell{otherwise, fmt.Sprintf(format, args...)}
}

// trial is one library in one situation, with an issuer of its own.
type trial struct {
	ctx      context.Context
	peer     peers.Peer
	issuer   *devissuer.Issuer
	realTime bool
	fetched  int     // before the situation begins
	reads    counter // of the key sets
}

// privateKey generates the key of all trials once.
var privateKey = sync.OnceValues(func() ([]byte, error) {
	issuer, err := devissuer.New()
	if err != nil {
		return nil, err
	}
	return issuer.PrivateKeyPEM(), issuer.Close()
})

// measure tries a library in a situation, in simulated time if possible.
func measure(t *testing.T, peer peers.Peer, sit situation) (c cell) {
	stuck := time.AfterFunc(trialTimeout, func() { panic(fmt.Sprintf("%q with %s is stuck", sit.title, peer.Name)) })
	defer stuck.Stop()
	slog.SetDefault(slog.New(slog.DiscardHandler)) // some libraries log every failure
	key, err := privateKey()
	if err != nil {
		t.Fatal(err)
	}
	try := func(t *testing.T) {
		issuer, err := devissuer.New(devissuer.WithKeyPEM(key), devissuer.WithLifetime(24*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer func() {
			cancel()
			if err := issuer.Close(); err != nil {
				t.Error(err)
			}
		}()
		c = sit.try(&trial{ctx: ctx, peer: peer, issuer: issuer, realTime: sit.realTime})
	}
	if sit.realTime {
		try(t)
	} else {
		synctest.Test(t, try)
	}
	return c
}

// service is a process that uses the library.
type service struct {
	up     chan struct{} // closed when Start has returned
	verify peers.Verifier
	err    error // from Start
}

var errNotUp = errors.New("the service is not up")

// start starts a service and does not wait for it.
func (t *trial) start() *service {
	s, p := &service{up: make(chan struct{})}, peers.Of(t.issuer)
	t.reads.RoundTripper = p.Client.Transport
	p.Client.Transport = &t.reads
	go func() {
		defer close(s.up)
		s.verify, s.err = t.peer.Start(t.ctx, p)
	}()
	return s
}

// isUp reports whether the service accepts requests.
func (s *service) isUp() bool {
	select {
	case <-s.up:
		return s.err == nil
	default:
		return false
	}
}

// send makes one request with a token. It returns nil if the token was accepted.
func (s *service) send(ctx context.Context, token string) error {
	ctx, cancel := context.WithTimeout(ctx, clientTimeout)
	defer cancel()
	select {
	case <-s.up:
	case <-ctx.Done():
		return errNotUp
	}
	if s.err != nil {
		return s.err
	}
	return s.verify(ctx, token)
}

// send makes one request and returns how long the response took.
func (t *trial) send(s *service, token string) (wait time.Duration, err error) {
	began := time.Now()
	err = s.send(t.ctx, token)
	wait = time.Since(began)
	if !t.realTime {
		synctest.Wait() // the next request starts when this one has no goroutine left
	}
	return wait, err
}

func (t *trial) accepts(s *service, token string) bool {
	_, err := t.send(s, token)
	return err == nil
}

// concurrent sends n requests at once. wait returns how many were accepted.
func (t *trial) concurrent(s *service, n int, token string) (wait func() int) {
	var accepted atomic.Int32
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			if t.accepts(s, token) {
				accepted.Add(1)
			}
		})
	}
	time.Sleep(settle)
	return func() int { all.Wait(); return int(accepted.Load()) }
}

// warm returns a situation in which the service has the keys and no fetch was counted yet.
func warm(try func(*trial, *service) cell) func(*trial) cell {
	return func(t *trial) cell {
		s := t.start()
		if !t.accepts(s, t.valid()) {
			return cell{wrongRefusal, "accepts nothing"}
		}
		t.fetched = t.issuer.Stats().Fetches
		return try(t, s)
	}
}

// fetches returns how often keys have been requested since the situation began.
func (t *trial) fetches() int { return t.issuer.Stats().Fetches - t.fetched }

// valid returns a token that must be accepted while the current signing key is in use.
func (t *trial) valid() string { return t.issuer.MustToken() }

// forged returns a token with an unknown key and key id.
func (t *trial) forged(n int) string {
	return t.issuer.MustToken(devissuer.UnknownKey(), devissuer.Header("kid", fmt.Sprintf("forged-%d", n)))
}

// sendFor sends a valid token again and again, and returns the longest wait.
func (t *trial) sendFor(s *service, span, every time.Duration) (sent, refused int, longest time.Duration) {
	token := t.valid()
	for began := time.Now(); time.Since(began) < span; time.Sleep(every) {
		wait, err := t.send(s, token)
		longest = max(longest, wait)
		sent++
		if err != nil {
			refused++
		}
	}
	return sent, refused, longest
}

// until sends a token until it is accepted, or no longer is, and returns how long that took.
func (t *trial) until(s *service, accepted bool, token string) time.Duration {
	for began := time.Now(); time.Since(began) < pollLimit; time.Sleep(pollInterval) {
		if t.accepts(s, token) == accepted {
			return time.Since(began)
		}
	}
	return pollLimit
}

// short formats a duration in seconds or minutes.
func short(d time.Duration) string {
	switch d = d.Round(time.Second); {
	case d >= pollLimit:
		return fmt.Sprintf("over %v h", pollLimit.Hours())
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	}
	return fmt.Sprintf("%.1f min", d.Minutes())
}

// counter counts the bytes that are read from the bodies of responses, after decompression.
type counter struct {
	http.RoundTripper
	n atomic.Int64
}

func (c *counter) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := c.RoundTripper.RoundTrip(r)
	if err == nil {
		response.Body = struct {
			io.Reader
			io.Closer
		}{io.TeeReader(response.Body, c), response.Body}
	}
	return response, err
}

func (c *counter) Write(p []byte) (int, error) {
	c.n.Add(int64(len(p)))
	return len(p), nil
}
