package runtimeapi

import (
	"context"
	"net/http"
	"testing"
)

// A page in somebody's browser must neither see an event, which holds a token, nor answer it.
func TestWebPagesAreKeptOut(t *testing.T) {
	s, err := Start()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = s.Invoke(ctx, []byte("an event with a token"))
	}()
	ask := func(method, path, host string, fields ...string) int {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.Addr()+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if host != "" {
			r.Host = host
		}
		for i := 0; i < len(fields); i += 2 {
			r.Header.Set(fields[i], fields[i+1])
		}
		response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := response.Body.Close(); err != nil {
			t.Error(err)
		}
		return response.StatusCode
	}
	const next, answer = "/2018-06-01/runtime/invocation/next", "/2018-06-01/runtime/invocation/1/response"
	for _, path := range []string{next, answer} {
		method := map[string]string{next: http.MethodGet, answer: http.MethodPost}[path]
		if status := ask(method, path, "evil.example"); status != http.StatusMisdirectedRequest {
			t.Errorf("%s of another host: %d", path, status)
		}
		if status := ask(method, path, "", "Origin", "https://evil.example"); status != http.StatusForbidden {
			t.Errorf("%s of another origin: %d", path, status)
		}
		if status := ask(method, path, "", "Sec-Fetch-Site", "cross-site"); status != http.StatusForbidden {
			t.Errorf("%s by a picture: %d", path, status)
		}
		if status := ask(method, path, "", "Referer", "https://evil.example/"); status != http.StatusForbidden {
			t.Errorf("%s by an old browser: %d", path, status)
		}
	}
	if status := ask(http.MethodGet, next, ""); status != http.StatusOK {
		t.Errorf("the function itself: %d", status)
	}
	cancel()
	<-ended
}
