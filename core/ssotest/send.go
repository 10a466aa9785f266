package ssotest

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// Do sends a request whose URL is a path, perhaps with a query. The caller closes the response's body.
// It does not follow redirects. See [Serve], [InProcess] and [Client].
type Do func(*http.Request) (*http.Response, error)

// Serve starts a handler on a loopback listener, until the test ends. It is for [AssertProtected] and
// for package adaptertest, as are [InProcess] and [Client].
func Serve(t testing.TB, handler http.Handler) Do {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return Client(t, server.URL)
}

// InProcess passes requests to a handler without a network. The handler runs in the caller's
// goroutine. Its panics reach the caller.
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

// Client sends requests to a server over kept-alive connections, until the test ends. baseURL is
// scheme and host, such as "http://127.0.0.1:8080". It does not follow redirects.
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
		if sent.Header = r.Header; r.Host != noHost {
			sent.Host = r.Host
		}
		return client.Do(sent)
	}
}
