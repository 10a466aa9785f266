// Package adapter helps to implement the adapter of a framework. It has requests over net/http and
// over data, and the rules for services that write refusals themselves.
//
// An adapter implements [sso.Request] over its framework's request, calls an [sso.Authenticator],
// and writes the response of [sso.DenialOf]. It decides nothing. Package adaptertest has the
// conformance suite for adapters.
//
// # Several guards on one route
//
// Each guard on the route of a request decides for itself, the outermost first. The first refusal
// is the response; a later guard cannot override it. Optional outside and Require inside requires
// the permission; Require inside Authenticate verifies the token once. A guard of another
// [sso.Authenticator] requires a token that is valid for it, and handlers see the principal of the
// innermost guard.
package adapter

import (
	"bufio"
	"maps"
	"net"
	"net/http"

	"github.com/more-retail/moresso-go/core/sso"
)

// HeaderViewer is a [sso.Request] of a framework that reuses its memory, so that Header must copy.
// Tokens are read by HeaderView and not kept; permissions and renderers get copies.
type HeaderViewer interface {
	// HeaderView is Header without the copy: first is valid until the call that was given the
	// request returns.
	HeaderView(name string) (first string, n int)
}

// Draw lets a service write a refusal, for the option WithDenied. It calls custom. If custom writes
// nothing or panics, it calls standard, so a refusal is never lost. It logs a panic. Written reports
// whether custom has set at least a status. Sent reports whether a response was sent, which cannot
// be replaced; after a panic only sent counts.
func Draw(a *sso.Authenticator, custom func(), written, sent func() bool, standard func()) {
	finished := a.Extension().Protect("WithDenied", custom)
	if finished && written() || sent() {
		return
	}
	standard()
}

// DrawHTTP is [Draw] for net/http. The denial's headers except Content-Type are set before custom is
// called. The denial's status is sent with the first byte, unless custom sends another.
func DrawHTTP(a *sso.Authenticator, w http.ResponseWriter, d sso.Denial, custom func(http.ResponseWriter)) {
	maps.Copy(w.Header(), d.Header)
	w.Header().Del("Content-Type")
	drawn := &responseWriter{ResponseWriter: w, status: d.Status}
	written := func() bool { return drawn.written }
	Draw(a, func() { custom(drawn) }, written, written, func() { d.Write(w) })
}

// responseWriter sends a denial's status unless another is set. [http.ResponseController] works with it.
type responseWriter struct {
	http.ResponseWriter
	status  int
	written bool
}

func (w *responseWriter) WriteHeader(status int) {
	w.written = w.written || status >= http.StatusOK // 1xx only announces a response
	w.ResponseWriter.WriteHeader(status)
}

func (w *responseWriter) Write(body []byte) (int, error) {
	if !w.written {
		w.WriteHeader(w.status)
	}
	return w.ResponseWriter.Write(body)
}

func (w *responseWriter) FlushError() error {
	if !w.written {
		w.WriteHeader(w.status)
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}

func (w *responseWriter) Flush() { _ = w.FlushError() }

func (w *responseWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(w.ResponseWriter).Hijack()
	w.written = w.written || err == nil
	return conn, buffered, err
}

// Unwrap gives [http.ResponseController] the deadlines and the full duplex of the connection.
func (w *responseWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
