// Package runtimeapi serves the AWS Lambda Runtime API (version 2018-06-01) to one function. It invokes functions
// with the real aws-lambda-go client outside of Lambda.
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
	invocationLimit = 30 * time.Second // the deadline that the runtime is given
	payloadLimit    = 6 << 20          // Lambda's bound on a response, in bytes
)

// ErrClosed is the result of an invocation if the server was closed before the function answered.
var ErrClosed = errors.New("runtimeapi: closed")

// FunctionError is a runtime's report of a failed function.
type FunctionError struct {
	Type    string `json:"errorType"`
	Message string `json:"errorMessage"`
}

func (e *FunctionError) Error() string {
	return fmt.Sprintf("the function failed: %s: %s", e.Type, e.Message)
}

// Server is the API for one process of one function. It is safe for concurrent use.
type Server struct {
	http    *http.Server
	address string
	queue   chan *invocation
	served  chan struct{}
	ctx     context.Context // ends with the cause of End
	end     context.CancelCauseFunc

	mu      sync.Mutex
	running map[string]*invocation
}

type invocation struct {
	id    string
	event []byte
	done  chan outcome // has room for one
}

type outcome struct {
	response []byte
	err      error
}

// Start starts a server on a free port of the loopback interface.
func Start(ctx context.Context) (*Server, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Server{
		address: listener.Addr().String(),
		queue:   make(chan *invocation),
		served:  make(chan struct{}),
		running: map[string]*invocation{},
	}
	s.ctx, s.end = context.WithCancelCause(context.WithoutCancel(ctx))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", s.next)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", s.response)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", s.failure)
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", s.initFailure)
	s.http = &http.Server{Handler: s.functionsOnly(mux), ReadHeaderTimeout: invocationLimit}
	go func() {
		defer close(s.served)
		_ = s.http.Serve(listener) // until Close
	}()
	return s, nil
}

// functionsOnly refuses requests of web pages: events hold tokens. The Lambda client names this very address, and
// sends none of the fields that browsers send.
func (s *Server) functionsOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Host != s.address: // DNS rebinding
			w.WriteHeader(http.StatusMisdirectedRequest)
		case r.Header.Get("Origin") != "" || r.Header.Get("Sec-Fetch-Site") != "" || r.Header.Get("Referer") != "":
			w.WriteHeader(http.StatusForbidden)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// Address is the value of AWS_LAMBDA_RUNTIME_API in the function's environment.
func (s *Server) Address() string { return s.address }

// Invoke has the function handle an event as soon as it requests one. It returns the response, or a
// [FunctionError].
func (s *Server) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, invocationLimit)
	defer cancel()
	call := &invocation{id: rand.Text(), event: event, done: make(chan outcome, 1)}
	select {
	case s.queue <- call:
	case <-s.ctx.Done():
		return nil, context.Cause(s.ctx)
	case <-ctx.Done():
		return nil, fmt.Errorf("runtimeapi: the function requested no invocation: %w", ctx.Err())
	}
	select {
	case o := <-call.done:
		return o.response, o.err
	case <-s.ctx.Done():
		return nil, context.Cause(s.ctx)
	case <-ctx.Done():
		return nil, fmt.Errorf("runtimeapi: the function does not answer: %w", ctx.Err())
	}
}

// End fails every invocation with this error, now and later. Only the first call has an effect.
func (s *Server) End(cause error) { s.end(cause) }

// Close ends the server, and fails every invocation with [ErrClosed] unless [Server.End] was called.
func (s *Server) Close() {
	s.end(ErrClosed)
	_ = s.http.Close()
	<-s.served
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
		h.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-central-1:123456789012:function:local")
		h.Set("Lambda-Runtime-Trace-Id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0")
		_, _ = w.Write(call.event)
	case <-s.ctx.Done():
		w.WriteHeader(http.StatusInternalServerError)
	case <-r.Context().Done():
	}
}

func (s *Server) response(w http.ResponseWriter, r *http.Request) {
	if body, ok := payload(w, r); ok {
		s.finish(w, r, outcome{response: body})
	}
}

func (s *Server) failure(w http.ResponseWriter, r *http.Request) {
	if body, ok := payload(w, r); ok {
		s.finish(w, r, outcome{err: reported(r, body)})
	}
}

// initFailure ends a function that cannot start.
func (s *Server) initFailure(w http.ResponseWriter, r *http.Request) {
	if body, ok := payload(w, r); ok {
		s.end(reported(r, body))
		answer(w, http.StatusAccepted, `{"status":"OK"}`)
	}
}

func (s *Server) finish(w http.ResponseWriter, r *http.Request, o outcome) {
	s.mu.Lock()
	call := s.running[r.PathValue("id")]
	delete(s.running, r.PathValue("id"))
	s.mu.Unlock()
	if call == nil {
		answer(w, http.StatusBadRequest, `{"errorType":"InvalidRequestID"}`)
		return
	}
	call.done <- o
	answer(w, http.StatusAccepted, `{"status":"OK"}`)
}

func payload(w http.ResponseWriter, r *http.Request) (body []byte, ok bool) {
	body, err := io.ReadAll(io.LimitReader(r.Body, payloadLimit+1))
	if err == nil && len(body) > payloadLimit {
		answer(w, http.StatusRequestEntityTooLarge, `{"errorType":"RequestEntityTooLarge"}`)
	}
	return body, err == nil && len(body) <= payloadLimit
}

// reported reads the report of a failure. An unreadable report is a failure too.
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

func answer(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}
