package main

import (
	"embed"
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

//go:embed page
var pageFiles embed.FS

// maxOrder bounds the body of a POST, in bytes.
const maxOrder = 64 << 10

// securityHeader is in every response: no inline script, nothing from another host, no frames, no markup from text.
var securityHeader = map[string]string{
	"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
	"X-Content-Type-Options":       "nosniff",
	"Referrer-Policy":              "no-referrer",
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Cache-Control":                "no-store",
}

// handler serves the page and its API. It hands out any token, so it is only for this machine's browser; see
// onlyThisMachine.
func (p *playground) handler() http.Handler {
	files, err := fs.Sub(pageFiles, "page")
	if err != nil {
		panic(err) // the folder is embedded
	}
	mux := http.NewServeMux()
	mux.Handle("GET /", http.FileServerFS(files))
	mux.HandleFunc("GET /api/offer", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, newOffer(time.Now())) })
	mux.HandleFunc("GET /api/state", func(w http.ResponseWriter, r *http.Request) { writeJSON(w, p.state(r.Context())) })
	mux.HandleFunc("POST /api/send", p.serveSend)
	mux.HandleFunc("POST /api/rotate", func(w http.ResponseWriter, r *http.Request) {
		p.issuer.Rotate()
		writeJSON(w, p.state(r.Context()))
	})
	mux.HandleFunc("POST /api/down", func(w http.ResponseWriter, r *http.Request) { p.setDown(true); writeJSON(w, p.state(r.Context())) })
	mux.HandleFunc("POST /api/up", func(w http.ResponseWriter, r *http.Request) { p.setDown(false); writeJSON(w, p.state(r.Context())) })
	return onlyThisMachine(http.NewCrossOriginProtection().Handler(mux))
}

// onlyThisMachine refuses requests for another host: a page elsewhere whose name resolves to 127.0.0.1 (DNS rebinding)
// would be of the same origin.
func onlyThisMachine(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range securityHeader {
			w.Header().Set(name, value)
		}
		if !isLoopback(r.Host) {
			http.Error(w, "the playground answers to localhost, 127.0.0.1 and [::1] only", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isLoopback reports whether a host, with or without a port, is this machine. It queries no name server.
func isLoopback(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && ip.Unmap().IsLoopback()
}

func (p *playground) serveSend(w http.ResponseWriter, r *http.Request) {
	var o order
	if err := readJSON(http.MaxBytesReader(w, r.Body, maxOrder), &o); err != nil {
		http.Error(w, "invalid order: "+err.Error(), http.StatusBadRequest)
		return
	}
	out, err := p.send(r.Context(), o)
	var wrong *orderError
	switch {
	case errors.As(err, &wrong):
		http.Error(w, wrong.text, http.StatusUnprocessableEntity)
	case err != nil:
		http.Error(w, err.Error(), http.StatusInternalServerError)
	default:
		writeJSON(w, out)
	}
}

func writeJSON(w http.ResponseWriter, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(text) // the browser may be gone
}
