package sso

import (
	"context"
	"maps"
	"net/http"
)

// Draw is for adapters whose users may draw refusals themselves (their option WithDenied). It
// calls custom; if that panics, which is logged, or leaves nothing written, it calls standard:
// a refusal is never lost. Written reports whether there is an answer, a status alone included;
// after a panic a status is none, and only what sent tells counts, which cannot be taken back.
// Adapters over net/http use [Authenticator.DrawHTTP].
func (a *Authenticator) Draw(ctx context.Context, custom func(), written, sent func() bool, standard func()) {
	finished := a.attempt(custom)
	if finished && written() || sent() {
		return
	}
	standard()
}

// attempt runs a user's function, whose panic is logged.
func (a *Authenticator) attempt(custom func()) (done bool) {
	defer func() {
		if v := recover(); !done {
			a.report("WithDenied: the standard answer was sent, if none was under way", v)
		}
	}()
	custom()
	done = true
	return done
}

// Write sends a denial as it is. Header fields that w has already stay, but for those of the same
// names.
func (d Denial) Write(w http.ResponseWriter) {
	maps.Copy(w.Header(), d.Header)
	w.WriteHeader(d.Status)
	_, _ = w.Write(d.Body) // a client that has gone away is no fault of ours
}

// DrawHTTP is [Authenticator.Draw] over net/http. The denial's headers but Content-Type are
// set beforehand, and its status goes out with the first byte that custom writes, unless
// custom sends another.
func (a *Authenticator) DrawHTTP(ctx context.Context, w http.ResponseWriter, d Denial, custom func(http.ResponseWriter)) {
	maps.Copy(w.Header(), d.Header)
	w.Header().Del("Content-Type")
	drawn := &drawnWriter{ResponseWriter: w, status: d.Status}
	written := func() bool { return drawn.written }
	a.Draw(ctx, func() { custom(drawn) }, written, written, func() { d.Write(w) })
}

// drawnWriter sends a denial's status where nobody has set another.
type drawnWriter struct {
	http.ResponseWriter
	status  int
	written bool
}

func (w *drawnWriter) WriteHeader(status int) {
	w.written = w.written || status >= http.StatusOK // what is below only announces a response
	w.ResponseWriter.WriteHeader(status)
}

func (w *drawnWriter) Write(body []byte) (int, error) {
	if !w.written {
		w.WriteHeader(w.status)
	}
	return w.ResponseWriter.Write(body)
}
