// Package runtimeapi is the other side of a Lambda function in tests: the HTTP API, version 2018-06-01, by which
// a function's runtime asks for invocations and hands in what came of them.
package runtimeapi

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

const (
	// invocationLimit is how long an invocation may take, which the runtime is told as its deadline.
	invocationLimit = 30 * time.Second
	// payloadLimit is Lambda's own bound on a response.
	payloadLimit = 6 << 20
)

// ErrClosed is what came of an invocation if the server was closed before the function answered.
var ErrClosed = errors.New("runtimeapi: closed")

// FunctionError is what a runtime reports where the function failed.
type FunctionError struct {
	Type    string `json:"errorType"`
	Message string `json:"errorMessage"`
}

func (e *FunctionError) Error() string {
	return fmt.Sprintf("the function failed: %s: %s", e.Type, e.Message)
}

// Server is the API for one process of one function. Its methods are safe for concurrent use.
type Server struct {
	http     *http.Server
	address  string
	queue    chan *invocation
	served   chan struct{} // closed when nothing is served any more
	ended    chan struct{} // closed by end
	endOnce  sync.Once
	endCause error

	mu      sync.Mutex
	running map[string]*invocation
}

type invocation struct {
	id    string
	event []byte
	done  chan outcome // holds one
}

type outcome struct {
	response []byte
	err      error
}

// Start starts a server on a free loopback port.
func Start(ctx context.Context) (*Server, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Server{
		address: listener.Addr().String(),
		queue:   make(chan *invocation),
		served:  make(chan struct{}),
		ended:   make(chan struct{}),
		running: map[string]*invocation{},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", s.next)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", s.response)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", s.failure)
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", s.initFailure)
	s.http = &http.Server{Handler: mux, ReadHeaderTimeout: invocationLimit}
	go func() {
		defer close(s.served)
		_ = s.http.Serve(listener) // until Close
	}()
	return s, nil
}

// Address is what the function's process has to find in AWS_LAMBDA_RUNTIME_API.
func (s *Server) Address() string { return s.address }

// Invoke has the function handle an event as soon as it asks for one, and returns its response, or a
// [FunctionError].
func (s *Server) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, invocationLimit)
	defer cancel()
	call := &invocation{id: rand.Text(), event: event, done: make(chan outcome, 1)}
	select {
	case s.queue <- call:
	case <-s.ended:
		return nil, s.endCause
	case <-ctx.Done():
		return nil, fmt.Errorf("runtimeapi: the function asks for no invocation: %w", ctx.Err())
	}
	select {
	case o := <-call.done:
		return o.response, o.err
	case <-s.ended:
		return nil, s.endCause
	case <-ctx.Done():
		return nil, fmt.Errorf("runtimeapi: the function does not answer: %w", ctx.Err())
	}
}

// Close ends the server, and every invocation with [ErrClosed]. Further calls do nothing.
func (s *Server) Close() {
	s.end(ErrClosed)
	_ = s.http.Close() // of connections that end with it anyway
	<-s.served
}

func (s *Server) end(cause error) {
	s.endOnce.Do(func() {
		s.endCause = cause
		close(s.ended)
	})
}

func (s *Server) next(w http.ResponseWriter, r *http.Request) {
	select {
	case call := <-s.queue:
		s.mu.Lock()
		s.running[call.id] = call
		s.mu.Unlock()
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Lambda-Runtime-Aws-Request-Id", call.id)
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(invocationLimit).UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-central-1:123456789012:function:e2e")
		h.Set("Lambda-Runtime-Trace-Id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0")
		_, _ = w.Write(call.event) // a runtime that is gone does not answer either
	case <-s.ended:
		w.WriteHeader(http.StatusInternalServerError)
	case <-r.Context().Done():
	}
}

func (s *Server) response(w http.ResponseWriter, r *http.Request) {
	if body, ok := payload(w, r); ok {
		s.finish(w, r.PathValue("id"), outcome{response: body})
	}
}

func (s *Server) failure(w http.ResponseWriter, r *http.Request) {
	if body, ok := payload(w, r); ok {
		s.finish(w, r.PathValue("id"), outcome{err: reported(r, body)})
	}
}

// initFailure is for a function that cannot start: nothing is to be had of it.
func (s *Server) initFailure(w http.ResponseWriter, r *http.Request) {
	if body, ok := payload(w, r); ok {
		s.end(reported(r, body))
		accepted(w)
	}
}

func (s *Server) finish(w http.ResponseWriter, id string, o outcome) {
	s.mu.Lock()
	call := s.running[id]
	delete(s.running, id)
	s.mu.Unlock()
	if call == nil {
		refused(w, http.StatusBadRequest, "InvalidRequestID")
		return
	}
	call.done <- o
	accepted(w)
}

func payload(w http.ResponseWriter, r *http.Request) (body []byte, ok bool) {
	body, err := io.ReadAll(io.LimitReader(r.Body, payloadLimit+1))
	switch {
	case err != nil:
		return nil, false // the runtime is gone
	case len(body) > payloadLimit:
		refused(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge")
		return nil, false
	}
	return body, true
}

// reported reads a failure. A report that cannot be read is a failure all the same.
func reported(r *http.Request, body []byte) *FunctionError {
	e := &FunctionError{}
	if err := json.Unmarshal(body, e); err != nil {
		e.Message = string(body)
	}
	if e.Type == "" {
		e.Type = r.Header.Get("Lambda-Runtime-Function-Error-Type")
	}
	return e
}

func accepted(w http.ResponseWriter) { answer(w, http.StatusAccepted, `{"status":"OK"}`) }

func refused(w http.ResponseWriter, status int, errorType string) {
	answer(w, status, fmt.Sprintf(`{"errorType":%q,"errorMessage":%q}`, errorType, http.StatusText(status)))
}

func answer(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}
