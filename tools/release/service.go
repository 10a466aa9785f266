package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// patience is how long a program may take until it answers.
const patience = 30 * time.Second

// issuer is a running "sso serve".
type issuer struct {
	tool, address string
	stop          func()
}

func startIssuer(ctx context.Context, tool, temp string) (*issuer, error) {
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	stop, err := start(ctx, nil, tool, "serve", "--listen", address, "--keys-file", filepath.Join(temp, "keys.pem"))
	if err != nil {
		return nil, err
	}
	i := &issuer{tool: tool, address: "http://" + address, stop: stop}
	if _, err := ask(ctx, http.MethodGet, i.address+"/jwks.json", ""); err != nil {
		stop()
		return nil, fmt.Errorf("sso serve: %w", err)
	}
	return i, nil
}

func (i *issuer) mint(ctx context.Context, args ...string) (string, error) {
	token, err := shell{}.run(ctx, i.tool, append([]string{"mint", "--issuer", i.address, "--audience", "api"}, args...)...)
	return strings.TrimSpace(token), err
}

func (i *issuer) environment() []string {
	return []string{"SSO_ISSUER=" + i.address, "SSO_AUDIENCE=api"}
}

// start starts a program, whose output is shown only where it ends by itself.
func start(ctx context.Context, env []string, name string, args ...string) (stop func(), err error) {
	ctx, cancel := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		cancel()
		return nil, err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := cmd.Wait(); err != nil && ctx.Err() == nil {
			fmt.Printf("%s ended: %v\n%s", filepath.Base(name), err, output.String())
		}
	}()
	return func() { cancel(); <-done }, nil
}

// step is one thing that is asked of an example, and the status that the answer must have.
type step struct {
	method, path, token string
	want                int
}

// steps are those of the README: nobody, somebody, somebody who may not, and a clerk.
func (v visitor) steps(ctx context.Context) ([]step, error) {
	token, err := v.issuer.mint(ctx)
	if err != nil {
		return nil, err
	}
	clerk, err := v.issuer.mint(ctx, "--permission", "orders.role=clerk")
	return []step{
		{http.MethodGet, "/orders", "", http.StatusUnauthorized},
		{http.MethodGet, "/orders", token, http.StatusOK},
		{http.MethodDelete, "/orders/7", token, http.StatusForbidden},
		{http.MethodDelete, "/orders/7", clerk, http.StatusOK},
	}, err
}

// callService starts a service and goes through the steps.
func (v visitor) callService(ctx context.Context, program, address string) (string, error) {
	steps, err := v.steps(ctx)
	if err != nil {
		return "", err
	}
	stop, err := start(ctx, v.issuer.environment(), program)
	if err != nil {
		return "", err
	}
	defer stop()
	return through(steps, func(s step) (int, error) { return ask(ctx, s.method, "http://"+address+s.path, s.token) })
}

// through takes the steps one by one and tells the statuses seen.
func through(steps []step, ask func(step) (int, error)) (string, error) {
	var seen []string
	for _, s := range steps {
		got, err := ask(s)
		if err != nil {
			return "", err
		}
		if got != s.want {
			return "", fmt.Errorf("%s %s was answered with %d, want %d", s.method, s.path, got, s.want)
		}
		seen = append(seen, fmt.Sprint(got))
	}
	return strings.Join(seen, " "), nil
}

// ask sends a request, until somebody listens, and gives the status.
func ask(ctx context.Context, method, url, token string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		r, err := http.NewRequestWithContext(ctx, method, url, http.NoBody)
		if err != nil {
			return 0, err
		}
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		response, err := http.DefaultClient.Do(r)
		if err == nil {
			return response.StatusCode, response.Body.Close()
		}
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("nobody answers: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// callFunction plays AWS Lambda's Runtime API (version 2018-06-01) to the example, which is
// guarded as a whole: without a token, without the permission, as a clerk.
func (v visitor) callFunction(ctx context.Context, program, address string) (string, error) {
	steps, err := v.steps(ctx)
	if err != nil {
		return "", err
	}
	steps = []step{steps[0], steps[2], steps[3]}
	steps[2].want = http.StatusNoContent // which is what the example answers

	events, answers := make(chan any), make(chan int)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(w http.ResponseWriter, r *http.Request) {
		select {
		case event := <-events:
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", "1")
			w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(patience).UnixMilli()))
			_ = json.NewEncoder(w).Encode(event) // should it fail, nothing is answered and patience ends
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/1/{outcome}", func(w http.ResponseWriter, r *http.Request) {
		var answer struct{ StatusCode int }
		if r.PathValue("outcome") == "response" {
			_ = json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(&answer) // no status is a wrong one
		}
		w.WriteHeader(http.StatusAccepted)
		answers <- answer.StatusCode
	})
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return "", err
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: patience}
	go func() { _ = server.Serve(listener) }() // ends with Close
	defer server.Close()                       //nolint:errcheck // nothing is left to be done about it

	stop, err := start(ctx, append(v.issuer.environment(), "AWS_LAMBDA_RUNTIME_API="+address), program)
	if err != nil {
		return "", err
	}
	defer stop()
	return through(steps, func(s step) (int, error) {
		headers := map[string]string{}
		if s.token != "" {
			headers["authorization"] = "Bearer " + s.token
		}
		event := map[string]any{
			"version": "2.0", "rawPath": s.path, "headers": headers,
			"requestContext": map[string]any{"http": map[string]any{"method": s.method, "path": s.path}},
		}
		late := time.After(patience)
		select {
		case events <- event:
		case <-late:
			return 0, errors.New("the function asks for no event")
		}
		select {
		case status := <-answers:
			return status, nil
		case <-late:
			return 0, errors.New("the function gives no answer")
		}
	})
}

// freeAddress is one of this machine that nobody listens on.
func freeAddress(ctx context.Context) (string, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}
