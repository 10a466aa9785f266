package keycache_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/more-retail/moresso-go/core/devissuer"
)

// A fault responds instead of the provider; see devissuer.Issuer.Fault.
type fault = func(w http.ResponseWriter, r *http.Request, healthy http.Handler)

// status responds with a status, and with headers given as names and values in turn.
func status(code int, header ...string) fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		for n := 0; n < len(header); n += 2 {
			w.Header().Add(header[n], header[n+1])
		}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, http.StatusText(code)) // fails for a status without a body
	}
}

// webPage responds as a captive portal does.
func webPage(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = io.WriteString(w, "<!DOCTYPE html><title>Sign in to the network</title>")
}

// hang sends nothing until the request is cancelled.
func hang(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
	<-r.Context().Done()
	panic(http.ErrAbortHandler)
}

// correct returns the content that the provider would send to any client.
func correct(r *http.Request, healthy http.Handler) []byte {
	r = r.Clone(r.Context())
	r.Header.Del("If-None-Match")
	right := httptest.NewRecorder()
	healthy.ServeHTTP(right, r)
	return right.Body.Bytes()
}

// truncate sends the first half of the correct content. The HTTP response is complete.
func truncate(w http.ResponseWriter, r *http.Request, healthy http.Handler) {
	content := correct(r, healthy)
	_, _ = w.Write(content[:len(content)/2])
}

// drip sends the correct content byte by byte, one a second.
func drip(w http.ResponseWriter, r *http.Request, healthy http.Handler) {
	for _, b := range correct(r, healthy) {
		select {
		case <-time.After(time.Second):
		case <-r.Context().Done():
			panic(http.ErrAbortHandler)
		}
		if _, err := w.Write([]byte{b}); err != nil || http.NewResponseController(w).Flush() != nil {
			panic(http.ErrAbortHandler)
		}
	}
}

// cacheControl adds a header to the correct response.
func cacheControl(value string) fault {
	return func(w http.ResponseWriter, r *http.Request, healthy http.Handler) {
		w.Header().Set("Cache-Control", value)
		healthy.ServeHTTP(w, r)
	}
}

// addKey publishes one more key.
func addKey(i *devissuer.Issuer, jwk string) {
	i.SetJWKS(string(bytes.TrimSuffix(i.JWKS(), []byte("]}"))) + "," + jwk + "]}")
}

// withoutKeyIDs publishes the issuer's key without an id.
func withoutKeyIDs(i *devissuer.Issuer) error {
	var set struct {
		Keys []map[string]any `json:"keys"`
	}
	if err := json.Unmarshal(i.JWKS(), &set); err != nil {
		return err
	}
	delete(set.Keys[0], "kid")
	text, err := json.Marshal(set)
	i.SetJWKS(string(text))
	return err
}
