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

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// What the real client does not do, or only with a function that fails, is done here by hand.
func TestProtocol(t *testing.T) {
	t.Parallel()
	s := start(t)

	invoked := invoke(t, s, `{"n":1}`)
	next := ask(t, s, http.MethodGet, "invocation/next", "")
	id := next.header.Get("Lambda-Runtime-Aws-Request-Id")
	if next.status != http.StatusOK || next.body != `{"n":1}` || id == "" {
		t.Fatalf("next: %+v", next)
	}
	deadline, err := strconv.ParseInt(next.header.Get("Lambda-Runtime-Deadline-Ms"), 10, 64)
	if left := time.Until(time.UnixMilli(deadline)); err != nil || left <= 0 || left > invocationLimit {
		t.Errorf("%v are left for the invocation (%v)", left, err)
	}
	if got := ask(t, s, http.MethodPost, "invocation/"+id+"/response", `"one"`); got.status != http.StatusAccepted {
		t.Errorf("response: %+v", got)
	}
	if got := <-invoked; got.err != nil || string(got.response) != `"one"` {
		t.Errorf("the invocation: %s (%v)", got.response, got.err)
	}
	if got := ask(t, s, http.MethodPost, "invocation/"+id+"/response", `"again"`); got.status != http.StatusBadRequest {
		t.Errorf("a second response: %+v", got)
	}
	if got := ask(t, s, http.MethodPost, "invocation/next", ""); got.status != http.StatusMethodNotAllowed {
		t.Errorf("POST next: %+v", got)
	}

	invoked = invoke(t, s, `{"n":2}`)
	id = ask(t, s, http.MethodGet, "invocation/next", "").header.Get("Lambda-Runtime-Aws-Request-Id")
	if got := ask(t, s, http.MethodPost, "invocation/"+id+"/error", `{"errorType":"Bad","errorMessage":"two"}`); got.status != http.StatusAccepted {
		t.Errorf("error: %+v", got)
	}
	wantFailure(t, <-invoked, FunctionError{Type: "Bad", Message: "two"})
}

func TestTooLarge(t *testing.T) {
	t.Parallel()
	s := start(t)
	invoked := invoke(t, s, `{}`)
	id := ask(t, s, http.MethodGet, "invocation/next", "").header.Get("Lambda-Runtime-Aws-Request-Id")
	large := strings.Repeat(" ", payloadLimit+1)
	if got := ask(t, s, http.MethodPost, "invocation/"+id+"/response", large); got.status != http.StatusRequestEntityTooLarge {
		t.Errorf("a response of %d bytes: %d", len(large), got.status)
	}
	ask(t, s, http.MethodPost, "invocation/"+id+"/error", "no JSON")
	wantFailure(t, <-invoked, FunctionError{Type: "Unreadable", Message: "no JSON"})
}

func TestInitError(t *testing.T) {
	t.Parallel()
	s := start(t)
	invoked := invoke(t, s, `{}`)
	if got := ask(t, s, http.MethodPost, "init/error", `{"errorType":"Setup","errorMessage":"no audience"}`); got.status != http.StatusAccepted {
		t.Errorf("init/error: %+v", got)
	}
	want := FunctionError{Type: "Setup", Message: "no audience"}
	wantFailure(t, <-invoked, want)
	_, err := s.Invoke(t.Context(), []byte(`{}`))
	wantFailure(t, outcome{err: err}, want)
	if got := ask(t, s, http.MethodGet, "invocation/next", ""); got.status != http.StatusInternalServerError {
		t.Errorf("next after init/error: %+v", got)
	}
}

func TestClose(t *testing.T) {
	t.Parallel()
	s := start(t)
	waiting := invoke(t, s, `{}`)
	s.Close()
	s.Close()
	if got := <-waiting; !errors.Is(got.err, ErrClosed) {
		t.Errorf("an invocation that waits: %v", got.err)
	}
	if _, err := s.Invoke(t.Context(), []byte(`{}`)); !errors.Is(err, ErrClosed) {
		t.Errorf("a later invocation: %v", err)
	}
}

func TestGivenUp(t *testing.T) {
	t.Parallel()
	s := start(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Invoke(ctx, []byte(`{}`)); !errors.Is(err, context.Canceled) {
		t.Errorf("nobody asks for it: %v", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() {
		_, err := s.Invoke(ctx, []byte(`{}`))
		done <- err
	}()
	ask(t, s, http.MethodGet, "invocation/next", "")
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("nobody answers it: %v", err)
	}
}

func start(t *testing.T) *Server {
	t.Helper()
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

// ask does what a runtime does.
func ask(t *testing.T, s *Server, method, path, body string) answered {
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
