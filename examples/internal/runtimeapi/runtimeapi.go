// Package runtimeapi is a small AWS Lambda Runtime API (version 2018-06-01), so that a
// function with the real aws-lambda-go client can be invoked on a developer's machine.
package runtimeapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Server hands invocations to one function. It is safe for concurrent use.
type Server struct {
	listener net.Listener
	server   *http.Server
	queue    chan *invocation
	mu       sync.Mutex
	running  map[string]*invocation
	count    int
}

type invocation struct {
	id      string
	payload []byte
	done    chan result
}

type result struct {
	payload []byte
	err     error
}

// Start listens on a free port of loopback.
func Start() (*Server, error) {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Server{listener: listener, queue: make(chan *invocation), running: map[string]*invocation{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", s.next)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", s.response)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", s.failure)
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", s.failure)
	s.server = &http.Server{Handler: s.functionsOnly(mux), ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = s.server.Serve(listener) }() // ends with Close
	return s, nil
}

// functionsOnly keeps web pages out: events hold tokens, and whoever answers one answers for the
// function. The Lambda client names this very address, and none of what browsers send along.
func (s *Server) functionsOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Host != s.Addr(): // DNS rebinding
			w.WriteHeader(http.StatusMisdirectedRequest)
		case r.Header.Get("Origin") != "" || r.Header.Get("Sec-Fetch-Site") != "" || r.Header.Get("Referer") != "":
			w.WriteHeader(http.StatusForbidden)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// Addr is what AWS_LAMBDA_RUNTIME_API is to hold in the function's environment.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Close ends the server.
func (s *Server) Close() error { return s.server.Close() }

// Invoke runs the function once, as soon as it asks for work.
func (s *Server) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	s.mu.Lock()
	s.count++
	call := &invocation{id: strconv.Itoa(s.count), payload: payload, done: make(chan result, 1)}
	s.running[call.id] = call
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.running, call.id)
		s.mu.Unlock()
	}()
	select {
	case s.queue <- call:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	select {
	case r := <-call.done:
		return r.payload, r.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (s *Server) next(w http.ResponseWriter, r *http.Request) {
	select {
	case call := <-s.queue:
		w.Header().Set("Lambda-Runtime-Aws-Request-Id", call.id)
		w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(time.Minute).UnixMilli(), 10))
		w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:local")
		_, _ = w.Write(call.payload)
	case <-r.Context().Done():
	}
}

func (s *Server) response(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	s.finish(w, r, result{payload: body, err: err})
}

func (s *Server) failure(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = fmt.Errorf("the function failed: %s", strings.TrimSpace(string(body)))
	}
	s.finish(w, r, result{err: err})
}

var errUnknown = errors.New("no such invocation")

func (s *Server) finish(w http.ResponseWriter, r *http.Request, outcome result) {
	s.mu.Lock()
	call := s.running[r.PathValue("id")]
	s.mu.Unlock()
	if call == nil {
		http.Error(w, errUnknown.Error(), http.StatusNotFound)
		return
	}
	call.done <- outcome
	w.WriteHeader(http.StatusAccepted)
}
