package runtimeapi

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/adaptertest"
)

// TestServer_Protocol sends what the real client does not send, or only if its function fails.
func TestServer_Protocol(t *testing.T) {
	s := start(t)

	invoked := invoke(t, s, `{"n":1}`)
	next := send(t, s, http.MethodGet, "invocation/next", "")
	id := next.header.Get("Lambda-Runtime-Aws-Request-Id")
	if next.status != http.StatusOK || next.body != `{"n":1}` || id == "" {
		t.Fatalf("next: %+v", next)
	}
	deadline, err := strconv.ParseInt(next.header.Get("Lambda-Runtime-Deadline-Ms"), 10, 64)
	if left := time.Until(time.UnixMilli(deadline)); err != nil || left <= 0 || left > invocationLimit {
		t.Errorf("%v are left for the invocation (%v)", left, err)
	}
	if got := send(t, s, http.MethodPost, "invocation/"+id+"/response", `"one"`); got.status != http.StatusAccepted {
		t.Errorf("response: %+v", got)
	}
	if got := <-invoked; got.err != nil || string(got.response) != `"one"` {
		t.Errorf("the invocation: %s (%v)", got.response, got.err)
	}
	if got := send(t, s, http.MethodPost, "invocation/"+id+"/response", `"again"`); got.status != http.StatusBadRequest {
		t.Errorf("a second response: %+v", got)
	}
	if got := send(t, s, http.MethodPost, "invocation/next", ""); got.status != http.StatusMethodNotAllowed {
		t.Errorf("POST next: %+v", got)
	}

	invoked = invoke(t, s, `{"n":2}`)
	id = send(t, s, http.MethodGet, "invocation/next", "").header.Get("Lambda-Runtime-Aws-Request-Id")
	if got := send(t, s, http.MethodPost, "invocation/"+id+"/error", `{"errorType":"Bad","errorMessage":"two"}`); got.status != http.StatusAccepted {
		t.Errorf("error: %+v", got)
	}
	wantFailure(t, <-invoked, FunctionError{Type: "Bad", Message: "two"})
}

func TestServer_LargeResponse(t *testing.T) {
	s := start(t)
	invoked := invoke(t, s, `{}`)
	id := send(t, s, http.MethodGet, "invocation/next", "").header.Get("Lambda-Runtime-Aws-Request-Id")
	large := strings.Repeat(" ", payloadLimit+1)
	if got := send(t, s, http.MethodPost, "invocation/"+id+"/response", large); got.status != http.StatusRequestEntityTooLarge {
		t.Errorf("a response of %d bytes: %d", len(large), got.status)
	}
	send(t, s, http.MethodPost, "invocation/"+id+"/error", "no JSON")
	wantFailure(t, <-invoked, FunctionError{Type: "Unreadable", Message: "no JSON"})
}

func TestServer_InitError(t *testing.T) {
	s := start(t)
	invoked := invoke(t, s, `{}`)
	if got := send(t, s, http.MethodPost, "init/error", `{"errorType":"Setup","errorMessage":"no audience"}`); got.status != http.StatusAccepted {
		t.Errorf("init/error: %+v", got)
	}
	want := FunctionError{Type: "Setup", Message: "no audience"}
	wantFailure(t, <-invoked, want)
	_, err := s.Invoke(t.Context(), []byte(`{}`))
	wantFailure(t, outcome{err: err}, want)
	if got := send(t, s, http.MethodGet, "invocation/next", ""); got.status != http.StatusInternalServerError {
		t.Errorf("next after init/error: %+v", got)
	}
}

func TestServer_Close(t *testing.T) {
	s := start(t)
	waiting := invoke(t, s, `{}`)
	s.Close()
	s.Close() // has no effect
	if got := <-waiting; !errors.Is(got.err, ErrClosed) {
		t.Errorf("an invocation that waits: %v", got.err)
	}
	if _, err := s.Invoke(t.Context(), []byte(`{}`)); !errors.Is(err, ErrClosed) {
		t.Errorf("a later invocation: %v", err)
	}
}

func TestServer_InvokeCanceled(t *testing.T) {
	s := start(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Invoke(ctx, []byte(`{}`)); !errors.Is(err, context.Canceled) {
		t.Errorf("before the function requests: %v", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() {
		_, err := s.Invoke(ctx, []byte(`{}`))
		done <- err
	}()
	send(t, s, http.MethodGet, "invocation/next", "")
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("before the function answers: %v", err)
	}
}

func start(t *testing.T) *Server {
	t.Helper()
	adaptertest.CheckLeaks(t)
	s, err := Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func invoke(t *testing.T, s *Server, event string) <-chan outcome {
	t.Helper()
	done := make(chan outcome, 1)
	go func() {
		response, err := s.Invoke(t.Context(), []byte(event))
		done <- outcome{response, err}
	}()
	return done
}

func wantFailure(t *testing.T, got outcome, want FunctionError) {
	t.Helper()
	var failure *FunctionError
	if !errors.As(got.err, &failure) || *failure != want {
		t.Errorf("the invocation: %q (%v), want %v", got.response, got.err, &want)
	}
}

type answered struct {
	status int
	header http.Header
	body   string
}

// send sends a request as a runtime does.
func send(t *testing.T, s *Server, method, path, body string) answered {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.Address()+"/2018-06-01/runtime/"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Lambda-Runtime-Function-Error-Type", "Unreadable")
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	read, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answered{res.StatusCode, res.Header, string(read)}
}

// An event holds a token, so a web page in the user's browser must neither read nor answer one.
func TestServer_WebPages(t *testing.T) {
	s := start(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = s.Invoke(ctx, []byte("an event with a token"))
	}()
	send := func(method, path, host string, fields ...string) int {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.Address()+path, http.NoBody)
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
	for path, method := range map[string]string{next: http.MethodGet, answer: http.MethodPost} {
		if status := send(method, path, "evil.example"); status != http.StatusMisdirectedRequest {
			t.Errorf("%s of another host: %d", path, status)
		}
		for name, field := range map[string][]string{
			"another origin": {"Origin", "https://evil.example"}, "an image": {"Sec-Fetch-Site", "cross-site"}, "an old browser": {"Referer", "https://evil.example/"},
		} {
			if status := send(method, path, "", field...); status != http.StatusForbidden {
				t.Errorf("%s of %s: %d", path, name, status)
			}
		}
	}
	if status := send(http.MethodGet, next, ""); status != http.StatusOK {
		t.Errorf("the function itself: %d", status)
	}
	cancel()
	<-ended
}
