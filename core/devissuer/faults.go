package devissuer

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// faults are what is wrong with the issuer now.
type faults struct {
	down  bool
	delay time.Duration
	fault Fault
}

// A Fault answers a request for one of the published documents (key set, PEM,
// discovery) in place of the issuer; see [Issuer.Fault]. It may be called from
// several goroutines at once and has to return when the request's context is
// done. The request's URL.Path is one of [PathJWKS], [PathPEM] and
// [PathDiscovery], also if the issuer's own URL has a path. [Healthy] gives the answer it stands in for:
//
//	var calls atomic.Int32
//	issuer.Fault(func(w http.ResponseWriter, r *http.Request) {
//		if calls.Add(1) > 2 {
//			devissuer.Healthy(w, r) // two failures, then well again
//			return
//		}
//		devissuer.StatusFault(502)(w, r)
//	})
type Fault func(w http.ResponseWriter, r *http.Request)

// Fault answers every request for the key set, the PEM and the discovery
// document with f from now on, in place of the fault before; nil ends it. A
// delay of [Issuer.Slow] comes first. Tokens are minted as before.
func (i *Issuer) Fault(f Fault) { i.setFaults(func(s *faults) { s.fault = f }) }

// Slow delays the key set, the PEM and the discovery document by d, counted
// from the request's arrival; zero ends it. A request that is cancelled
// meanwhile is dropped at once. The wait is in real time, whatever [WithClock]
// says.
func (i *Issuer) Slow(d time.Duration) { i.setFaults(func(s *faults) { s.delay = d }) }

// Down makes the issuer unreachable on all paths: in memory, dialling fails
// with ECONNREFUSED; over a real server, the connection is closed instead of
// an answer. Requests under way are not touched. [Stats.Refused] counts the
// attempts.
func (i *Issuer) Down() { i.setFaults(func(s *faults) { s.down = true }) }

// Up ends [Issuer.Down], and nothing else: Slow and Fault hold as before.
func (i *Issuer) Up() { i.setFaults(func(s *faults) { s.down = false }) }

func (i *Issuer) setFaults(set func(*faults)) {
	i.mu.Lock()
	defer i.mu.Unlock()
	set(&i.faults)
}

// refuses reports whether the issuer is down, and counts the request if so.
func (i *Issuer) refuses() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.faults.down {
		i.stats.Refused++
	}
	return i.faults.down
}

// healthyKey is where a request's context keeps the right answer.
type healthyKey struct{}

func (i *Issuer) withFaults(healthy http.HandlerFunc, w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	now := i.faults
	i.mu.Unlock()
	if !pause(r.Context(), now.delay) {
		panic(http.ErrAbortHandler)
	}
	if now.fault == nil {
		healthy(w, r)
		return
	}
	now.fault(w, r.WithContext(context.WithValue(r.Context(), healthyKey{}, healthy)))
}

// Healthy answers as if there were no fault. It is for use inside a [Fault],
// with the request that the fault was given or one derived from it; anything
// else is answered 500.
func Healthy(w http.ResponseWriter, r *http.Request) {
	healthy, ok := r.Context().Value(healthyKey{}).(http.HandlerFunc)
	if !ok {
		http.Error(w, "devissuer.Healthy was called outside a Fault", http.StatusInternalServerError)
		return
	}
	healthy(w, r)
}

// StatusFault answers with a status from 200 to 999 and, as further arguments,
// header names and values in turn. It panics if that is not what it is given.
func StatusFault(code int, header ...string) Fault {
	if code < 200 || code > 999 || len(header)%2 != 0 {
		panic(fmt.Sprintf("devissuer: StatusFault(%d, %q): a status from 200 to 999, then pairs of header name and value", code, header))
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		for n := 0; n < len(header); n += 2 {
			w.Header().Add(header[n], header[n+1])
		}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, http.StatusText(code)) // refused for the statuses without body
	}
}

// TooManyRequests answers 429 (RFC 6585, section 4) with Retry-After as given:
// seconds, a date or nonsense; "" for none.
func TooManyRequests(retryAfter string) Fault {
	if retryAfter == "" {
		return StatusFault(http.StatusTooManyRequests)
	}
	return StatusFault(http.StatusTooManyRequests, "Retry-After", retryAfter)
}

// HTMLFault answers 200 with a web page, as captive portals, login walls and
// load balancers out of sorts do.
func HTMLFault() Fault {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, "<!DOCTYPE html><title>Sign in to the network</title><p>Please accept the terms.")
	}
}

// TruncatedJSON answers with the first half of the right content, in a
// response that is complete as far as HTTP can tell.
func TruncatedJSON() Fault {
	return func(w http.ResponseWriter, r *http.Request) {
		right := capture(r)
		right.header.Del("ETag") // it is of the whole
		right.send(w, right.body.Bytes()[:right.body.Len()/2])
	}
}

// WrongContentType answers with the right content as text/plain, as static
// file hosts do.
func WrongContentType() Fault {
	return func(w http.ResponseWriter, r *http.Request) {
		right := capture(r)
		right.header.Set("Content-Type", "text/plain; charset=utf-8")
		right.send(w, right.body.Bytes())
	}
}

// EmptySet answers with a key set that is in order and holds no key.
func EmptySet() Fault {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/jwk-set+json")
		_, _ = io.WriteString(w, `{"keys":[]}`)
	}
}

// RedirectTo answers 302 with this Location, unchecked and as it is.
func RedirectTo(url string) Fault { return StatusFault(http.StatusFound, "Location", url) }

// Hang does not answer, not even with a header, until the request is cancelled
// or the issuer closed; the connection is dropped then.
func Hang() Fault {
	return func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	}
}

// Drip sends the header at once and then the right content byte by byte, each
// after a wait of this length. A client that only limits the time between
// bytes never gives up on it.
func Drip(every time.Duration) Fault {
	return func(w http.ResponseWriter, r *http.Request) {
		right := capture(r)
		right.header.Set("Content-Length", strconv.Itoa(right.body.Len()))
		right.send(w, nil)
		flusher := http.NewResponseController(w)
		_ = flusher.Flush()
		for _, b := range right.body.Bytes() {
			if !pause(r.Context(), every) {
				panic(http.ErrAbortHandler)
			}
			_, err := w.Write([]byte{b})
			if err != nil || flusher.Flush() != nil {
				panic(http.ErrAbortHandler) // the client is gone
			}
		}
	}
}

// Oversized answers with a JSON object of n bytes (or somewhat more, if n is
// less than the least such object has). It looks like a key set and carries no
// Content-Length, so that the reader has to count.
func Oversized(n int) Fault {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/jwk-set+json")
		_ = writePadded(w, n) // the client may well hang up
	}
}

// GzipBomb answers with the same content as [Oversized], compressed to about a
// thousandth of it (Content-Encoding: gzip), whether or not the client asked.
// Go's own client unpacks it without being told.
func GzipBomb(n int) Fault {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/jwk-set+json")
		w.Header().Set("Content-Encoding", "gzip")
		packed := gzip.NewWriter(w)
		_ = writePadded(packed, n)
		_ = packed.Close()
	}
}

// writePadded writes n bytes of JSON without holding them in memory.
func writePadded(w io.Writer, n int) error {
	const head, tail = `{"keys":[],"padding":"`, `"}`
	if _, err := io.WriteString(w, head); err != nil {
		return err
	}
	zeros := strings.Repeat("0", 32<<10)
	for left := n - len(head) - len(tail); left > 0; left -= len(zeros) {
		if _, err := io.WriteString(w, zeros[:min(left, len(zeros))]); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, tail)
	return err
}

// pause waits for d and tells whether the context lasted that long.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// captured is an answer kept back in order to be altered.
type captured struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// capture takes down the right answer, in full even if the client has it
// already: half of a 304 would be no fault.
func capture(r *http.Request) *captured {
	full := r.Clone(r.Context())
	full.Header.Del("If-None-Match")
	full.Header.Del("Range")
	c := &captured{header: http.Header{}, status: http.StatusOK}
	Healthy(c, full)
	c.header.Del("Content-Length")
	return c
}

func (c *captured) Header() http.Header         { return c.header }
func (c *captured) WriteHeader(status int)      { c.status = status }
func (c *captured) Write(b []byte) (int, error) { return c.body.Write(b) }

// send gives the answer with another body.
func (c *captured) send(w http.ResponseWriter, body []byte) {
	maps.Copy(w.Header(), c.header)
	w.WriteHeader(c.status)
	_, _ = w.Write(body)
}
