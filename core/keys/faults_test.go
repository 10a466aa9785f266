package keys_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"time"
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

// page responds with a content.
func page(contentType, body string) fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Content-Type", contentType)
		_, _ = io.WriteString(w, body)
	}
}

// hang sends nothing until the request is cancelled.
func hang(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
	<-r.Context().Done()
	panic(http.ErrAbortHandler)
}

// drip sends the correct content byte by byte, one a second.
func drip(w http.ResponseWriter, r *http.Request, healthy http.Handler) {
	right := httptest.NewRecorder()
	healthy.ServeHTTP(right, r)
	for _, b := range right.Body.Bytes() {
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
