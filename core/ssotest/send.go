package ssotest

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// Do sends a request whose URL has a path and perhaps a query, and returns the response, whose body
// the caller closes. It does not follow redirects. See [Serve], [InProcess] and [Client].
type Do func(*http.Request) (*http.Response, error)

// Serve starts an http.Handler on a loopback listener, for [Adapter.Open] and [AssertProtected]. The
// server ends with the test.
func Serve(t testing.TB, handler http.Handler) Do {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return Client(t, server.URL)
}

// InProcess hands requests to an http.Handler without a network, for [AssertProtected] and for
// package adaptertest. The handler runs in the caller's goroutine, and a panic of its reaches the
// caller.
func InProcess(handler http.Handler) Do {
	return func(r *http.Request) (*http.Response, error) {
		served := httptest.NewRequestWithContext(r.Context(), r.Method, r.URL.RequestURI(), r.Body)
		served.Header = r.Header
		served.Host = r.Host
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, served)
		if r.Method == http.MethodHead {
			recorder.Body.Reset() // as a server does
		}
		return recorder.Result(), nil
	}
}

// Client sends requests to a server over kept-alive connections, for [AssertProtected] and for
// package adaptertest: baseURL is scheme and host, such as "http://127.0.0.1:8080", before the path of
// each request. It follows no redirect. The connections end with the test.
func Client(t testing.TB, baseURL string) Do {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	client := &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return func(r *http.Request) (*http.Response, error) {
		sent, err := http.NewRequestWithContext(r.Context(), r.Method, baseURL+r.URL.RequestURI(), r.Body)
		if err != nil {
			return nil, err
		}
		sent.Header = r.Header
		return client.Do(sent)
	}
}
