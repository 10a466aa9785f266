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
	// patience is how long the client of a request waits before it gives up.
	patience = time.Minute
	// stuckAfter is how long one trial may take by a clock on the wall.
	stuckAfter = time.Minute
	// tick is how often until asks, and forever when it gives up.
	tick    = time.Second
	forever = 2 * time.Hour
)

// situation is a row of the grid.
type situation struct {
	title   string
	promise string // of core/keys, in words
	// realTime is for several requests that wait at once: some libraries keep them waiting at a
	// mutex, and there the clock of a bubble stands still.
	realTime bool
	try      func(*trial) cell
}

// mark says what a cell means.
type mark int

const (
	kept         mark = iota // the promise is kept
	missed                   // it is not
	wrongRefusal             // it is not, and good tokens are refused
	wrongAccept              // it is not, and tokens are accepted that no key in force has signed
	idle                     // the situation cannot come about
)

// cell is what was measured.
type cell struct {
	text string
	mark mark
}

// judge makes a cell: kept if the promise was, else as marked.
func judge(kept bool, otherwise mark, format string, args ...any) cell {
	c := cell{text: fmt.Sprintf(format, args...)}
	if !kept {
		c.mark = otherwise
	}
	return c
}

// trial is one subject in one situation, with a provider of its own.
type trial struct {
	ctx      context.Context
	subject  peers.Peer
	issuer   *devissuer.Issuer
	realTime bool
	read     atomic.Int64 // bytes of key sets that the subject has read
}

// firstKey saves the generation of a key for each trial.
var firstKey = sync.OnceValues(func() ([]byte, error) {
	issuer, err := devissuer.New()
	if err != nil {
		return nil, err
	}
	return issuer.PrivateKeyPEM(), issuer.Close()
})

// measure tries a subject in a situation, in a bubble of simulated time if that will do.
func measure(t *testing.T, sub peers.Peer, sit situation) (c cell) {
	name := fmt.Sprintf("%q with %s", sit.title, sub.Name)
	stuck := time.AfterFunc(stuckAfter, func() { panic(name + " is stuck") })
	defer stuck.Stop()
	slog.SetDefault(slog.New(slog.DiscardHandler)) // where some libraries tell of every failure
	key, err := firstKey()
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
		c = sit.try(&trial{ctx: ctx, subject: sub, issuer: issuer, realTime: sit.realTime})
	}
	if sit.realTime {
		try(t)
	} else {
		synctest.Test(t, try)
	}
	return c
}

// service is a process that uses the subject.
type service struct {
	up     chan struct{} // closed once start has returned
	verify peers.Verifier
	err    error // why it did not come up
}

var errNotUp = errors.New("the service is not up yet")

func (t *trial) launch() *service {
	s := &service{up: make(chan struct{})}
	client := t.issuer.Client()
	client.Transport = counter{client.Transport, &t.read}
	p := peers.Provider{
		KeysURL: t.issuer.JWKSURL(), Issuer: t.issuer.URL(), Audience: "api", Algorithm: t.issuer.Algorithm(), Client: client,
	}
	go func() {
		defer close(s.up)
		s.verify, s.err = t.subject.Start(t.ctx, p)
	}()
	return s
}

// isUp reports whether the service takes requests by now.
func (s *service) isUp() bool {
	select {
	case <-s.up:
		return s.err == nil
	default:
		return false
	}
}

// send makes one request with a token; nil means that it was accepted.
func (s *service) send(ctx context.Context, token string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
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

// ask makes one request and tells how long the answer took.
func (t *trial) ask(s *service, token string) (wait time.Duration, err error) {
	began := time.Now()
	err = s.send(t.ctx, token)
	wait = time.Since(began)
	if !t.realTime {
		synctest.Wait() // the next request comes when all that this one began is at rest
	}
	return wait, err
}

func (t *trial) accepts(s *service, token string) bool {
	_, err := t.ask(s, token)
	return err == nil
}

// warm launches a service that has accepted a token and so has the keys.
func (t *trial) warm() (*service, bool) {
	s := t.launch()
	return s, t.accepts(s, t.good())
}

// noStart is the cell of a subject that does not even accept a good token in fair weather.
var noStart = cell{"accepts nothing", wrongRefusal}

// good is a token that must be accepted as long as the key that signs now is in force.
func (t *trial) good() string { return t.issuer.MustToken() }

// forged is a token by a key that nobody has published, under an id of its own.
func (t *trial) forged(n int) string {
	return t.issuer.MustToken(devissuer.UnknownKey(), devissuer.Header("kid", fmt.Sprintf("forged-%d", n)))
}

// busy sends one good token after another and tells how many were refused, and the longest wait.
func (t *trial) busy(s *service, span, every time.Duration) (sent, refused int, longest time.Duration) {
	token := t.good()
	for began := time.Now(); time.Since(began) < span; time.Sleep(every) {
		wait, err := t.ask(s, token)
		longest = max(longest, wait)
		sent++
		if err != nil {
			refused++
		}
	}
	return sent, refused, longest
}

// until asks again and again until a token is accepted, or no longer is, and tells how long that
// took; forever if it did not come about.
func (t *trial) until(s *service, accepted bool, token string) time.Duration {
	for began := time.Now(); time.Since(began) < forever; time.Sleep(tick) {
		if t.accepts(s, token) == accepted {
			return time.Since(began)
		}
	}
	return forever
}

// short shows a duration in seconds or minutes.
func short(d time.Duration) string {
	switch d = d.Round(time.Second); {
	case d >= forever:
		return fmt.Sprintf("over %v h", forever.Hours())
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	}
	return fmt.Sprintf("%.1f min", d.Minutes())
}

// counter counts what is read of the bodies of responses, once they are unpacked.
type counter struct {
	http.RoundTripper
	read *atomic.Int64
}

func (c counter) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := c.RoundTripper.RoundTrip(r)
	if err == nil {
		response.Body = countedBody{response.Body, c.read}
	}
	return response, err
}

type countedBody struct {
	io.ReadCloser
	read *atomic.Int64
}

func (b countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.read.Add(int64(n))
	return n, err
}
