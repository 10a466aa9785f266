package devissuer

import (
	"context"
	"net/http"
	"time"
)

// faults are the current failures of the issuer.
type faults struct {
	down    bool
	delay   time.Duration
	respond func(w http.ResponseWriter, r *http.Request, healthy http.Handler)
}

// Fault makes respond answer requests for the key set, the PEM and the discovery document from now on,
// after the delay of [Issuer.Slow]. Nil ends it. The token endpoint is not affected. healthy sends the
// correct response:
//
//	var calls atomic.Int32
//	issuer.Fault(func(w http.ResponseWriter, r *http.Request, healthy http.Handler) {
//		if calls.Add(1) > 2 {
//			healthy.ServeHTTP(w, r) // after two failures
//			return
//		}
//		w.WriteHeader(http.StatusBadGateway)
//	})
//
// The request's URL.Path is "/jwks.json", "/key.pem" or "/.well-known/openid-configuration", without the
// path of the issuer's identifier. respond must be safe for concurrent use and return when the request's
// context is done.
func (i *Issuer) Fault(respond func(w http.ResponseWriter, r *http.Request, healthy http.Handler)) {
	i.setFaults(func(s *faults) { s.respond = respond })
}

// Slow delays the key set, the PEM and the discovery document by d; zero ends it. A cancelled request
// is dropped at once. The delay is in real time, not by [WithClock].
func (i *Issuer) Slow(d time.Duration) { i.setFaults(func(s *faults) { s.delay = d }) }

// Down makes the issuer unreachable: in memory, dialling fails with ECONNREFUSED; over a network, the
// connection is closed without a response. Requests in flight continue. [Stats.Refused] counts the
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

func (i *Issuer) withFaults(healthy http.Handler, w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	now := i.faults
	i.mu.Unlock()
	if !pause(r.Context(), now.delay) {
		panic(http.ErrAbortHandler)
	}
	if now.respond == nil {
		healthy.ServeHTTP(w, r)
		return
	}
	now.respond(w, r, healthy)
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
