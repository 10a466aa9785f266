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

// faults are the current failures of the issuer.
type faults struct {
	down  bool
	delay time.Duration
	fault Fault
}

// A Fault responds to a request for a published document (key set, PEM, discovery) instead of the
// issuer; see [Issuer.Fault]. It must be safe for concurrent use and return when the request's context
// is done. The request's URL.Path is [PathJWKS], [PathPEM] or [PathDiscovery], without the path of the
// issuer's identifier. [Healthy] sends the correct response:
//
//	var calls atomic.Int32
//	issuer.Fault(func(w http.ResponseWriter, r *http.Request) {
//		if calls.Add(1) > 2 {
//			devissuer.Healthy(w, r) // after two failures
//			return
//		}
//		devissuer.StatusFault(502)(w, r)
//	})
type Fault func(w http.ResponseWriter, r *http.Request)

// Fault makes f respond to requests for the key set, the PEM and the discovery document from now on,
// after the delay of [Issuer.Slow]. Nil ends it. The token endpoint is not affected.
func (i *Issuer) Fault(f Fault) { i.setFaults(func(s *faults) { s.fault = f }) }

// Slow delays the key set, the PEM and the discovery document by d; zero ends it. A cancelled request
// is dropped at once. The delay is in real time, not by [WithClock].
func (i *Issuer) Slow(d time.Duration) { i.setFaults(func(s *faults) { s.delay = d }) }

// Down makes the issuer unreachable: in memory, dialling fails with ECONNREFUSED; over a network, the
// connection is closed without a response. Requests in flight go on. [Stats.Refused] counts the
// attempts.
func (i *Issuer) Down() { i.setFaults(func(s *faults) { s.down = true }) }

// Up ends [Issuer.Down]. It does not change Slow and Fault.
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

// healthyKey is the context key of the correct response.
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

// Healthy responds as if there were no fault. Call it inside a [Fault], with the request of the fault
// or one derived from it. Otherwise the response is 500.
func Healthy(w http.ResponseWriter, r *http.Request) {
	healthy, ok := r.Context().Value(healthyKey{}).(http.HandlerFunc)
	if !ok {
		http.Error(w, "devissuer.Healthy was called outside a Fault", http.StatusInternalServerError)
		return
	}
	healthy(w, r)
}

// StatusFault responds with a status from 200 to 999, and with headers given as names and values in
// turn. It panics for other arguments.
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

// TooManyRequests responds with 429 (RFC 6585, section 4) and this Retry-After, which need not be valid;
// "" for none.
func TooManyRequests(retryAfter string) Fault {
	if retryAfter == "" {
		return StatusFault(http.StatusTooManyRequests)
	}
	return StatusFault(http.StatusTooManyRequests, "Retry-After", retryAfter)
}

// HTMLFault responds with 200 and a web page, as captive portals and login pages do.
func HTMLFault() Fault {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, "<!DOCTYPE html><title>Sign in to the network</title><p>Please accept the terms.")
	}
}

// TruncatedJSON responds with the first half of the correct content. The HTTP response is complete.
func TruncatedJSON() Fault {
	return func(w http.ResponseWriter, r *http.Request) {
		right := capture(r)
		right.header.Del("ETag") // of the whole content
		right.send(w, right.body.Bytes()[:right.body.Len()/2])
	}
}

// WrongContentType responds with the correct content as text/plain, as static file hosts do.
func WrongContentType() Fault {
	return func(w http.ResponseWriter, r *http.Request) {
		right := capture(r)
		right.header.Set("Content-Type", "text/plain; charset=utf-8")
		right.send(w, right.body.Bytes())
	}
}

// EmptySet responds with a valid key set without keys.
func EmptySet() Fault {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/jwk-set+json")
		_, _ = io.WriteString(w, `{"keys":[]}`)
	}
}

// RedirectTo responds with 302 and this Location, which is not checked.
func RedirectTo(url string) Fault { return StatusFault(http.StatusFound, "Location", url) }

// Hang sends nothing until the request is cancelled or the issuer is closed, and then closes the
// connection.
func Hang() Fault {
	return func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	}
}

// Drip sends the header at once and then the correct content byte by byte, each after this time. A
// client that only bounds the time between bytes never gives up.
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

// Oversized responds with a JSON object of n bytes (at least 24). It looks like a key set and has no
// Content-Length, so that the reader has to count.
func Oversized(n int) Fault {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/jwk-set+json")
		_ = writePadded(w, n) // the client may well hang up
	}
}

// GzipBomb responds with the content of [Oversized], compressed by about a thousand (Content-Encoding:
// gzip), even if the client did not accept it. Go's client decompresses it.
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

// pause waits for d and reports whether the context lasted that long.
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

// captured is a response that is recorded to be changed.
type captured struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// capture records the correct response, in full even if the client has it already.
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

// send sends the response with another body.
func (c *captured) send(w http.ResponseWriter, body []byte) {
	maps.Copy(w.Header(), c.header)
	w.WriteHeader(c.status)
	_, _ = w.Write(body)
}
