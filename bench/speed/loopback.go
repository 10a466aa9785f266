package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// What a server is told when it starts, by its standard input.
type order struct {
	JWKS, PEM []byte
}

// serveOne is a server in a process of its own. It prints where it listens, answers how much
// processor time it has used on another port, and ends with its standard input.
func serveOne(ctx context.Context, name string) error {
	in := bufio.NewReader(os.Stdin)
	line, err := in.ReadBytes('\n')
	if err != nil {
		return err
	}
	var o order
	if err := json.Unmarshal(line, &o); err != nil {
		return err
	}
	public, err := publicKey(o.PEM)
	if err != nil {
		return err
	}
	list, err := services(o.JWKS, public)
	if err != nil {
		return err
	}
	for _, s := range list {
		if s.name() == name {
			return s.serve(ctx, in)
		}
	}
	return fmt.Errorf("no server %q", name)
}

func publicKey(text []byte) (*rsa.PublicKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("no PEM")
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	public, ok := key.(*rsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("a key of the type %T", key)
	}
	return public, nil
}

func (s service) serve(ctx context.Context, until io.Reader) error {
	listen := func() (net.Listener, error) { return (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0") }
	main, err := listen()
	if err != nil {
		return err
	}
	control, err := listen()
	if err != nil {
		return err
	}
	failed := make(chan error, 2)
	go func() {
		server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, int64(cpuTime()))
		})}
		failed <- server.Serve(control)
	}()
	go func() {
		if s.app != nil {
			failed <- s.app.Listener(main)
			return
		}
		failed <- (&http.Server{ReadHeaderTimeout: time.Minute, Handler: s.handler}).Serve(main)
	}()
	fmt.Println(main.Addr(), control.Addr())
	go func() {
		_, err := io.Copy(io.Discard, until)
		failed <- err // nil: nobody measures any more
	}()
	return <-failed
}

// running is a server and a connection to it.
type running struct {
	service
	stop    func()
	control string
	conn    net.Conn
	answers *bufio.Reader
	next    int
}

// measureLoopback measures requests over one connection that is kept. Server and client share
// one processor, so that the server's requests per second do not depend on where the system
// puts them.
func measureLoopback(ctx context.Context, m *material, e effort, r *report) error {
	list, err := services(m.jwks, &m.key.PublicKey)
	if err != nil {
		return err
	}
	release, err := pin()
	if err != nil {
		return err
	}
	defer release()
	var servers []*running
	defer func() {
		for _, s := range servers {
			s.stop()
		}
	}()
	for _, s := range list {
		started, err := s.start(ctx, m)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name(), err)
		}
		servers = append(servers, started)
	}
	requests := make([][]byte, len(m.tokens))
	for i, token := range m.tokens {
		requests[i] = []byte("GET " + route + " HTTP/1.1\r\nHost: orders.example.com\r\nAccept: */*\r\nAuthorization: Bearer " + token + "\r\n\r\n")
	}
	for _, s := range servers {
		if _, _, err := s.round(ctx, requests, len(requests)); err != nil { // warms up: each token once
			return fmt.Errorf("%s: %w", s.name(), err)
		}
	}
	const rounds = 10
	cpu, rate := make([][]float64, len(servers)), make([][]float64, len(servers))
	for range rounds {
		var bareCPU, bareRate float64
		for i, s := range servers {
			c, perSecond, err := s.round(ctx, requests, e.requests)
			if err != nil {
				return fmt.Errorf("%s: %w", s.name(), err)
			}
			if s.guard == bare {
				bareCPU, bareRate = c, perSecond
			}
			cpu[i] = append(cpu[i], c/bareCPU)
			rate[i] = append(rate[i], perSecond/bareRate)
		}
	}
	for i, s := range servers {
		r.loopback = append(r.loopback, overLoopback{s.service, spread(cpu[i]), spread(rate[i])})
	}
	return nil
}

type overLoopback struct {
	service
	cpu, rate ratio // against the bare route of the same framework, in the same round
}

func (s service) start(ctx context.Context, m *material) (*running, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, self, "-serve", s.name()) //nolint:gosec // this program
	command.Stderr = os.Stderr
	in, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	started := &running{service: s, stop: func() { _ = in.Close(); _ = command.Wait() }}
	if err := json.NewEncoder(in).Encode(order{m.jwks, m.publicPEM()}); err != nil {
		started.stop()
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		started.stop()
		return nil, err
	}
	main, control, _ := strings.Cut(strings.TrimSpace(line), " ")
	started.control = control
	if started.conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", main); err != nil {
		started.stop()
		return nil, err
	}
	stop := started.stop
	started.stop = func() { _ = started.conn.Close(); stop() }
	started.answers = bufio.NewReader(started.conn)
	return started, nil
}

// round sends n requests one after the other. It returns the server's processor time for each,
// and how many were answered in a second.
func (s *running) round(ctx context.Context, requests [][]byte, n int) (cpu, perSecond float64, err error) {
	before, err := s.used(ctx)
	if err != nil {
		return 0, 0, err
	}
	begun := time.Now()
	for range n {
		if err := s.ask(requests[s.next%len(requests)]); err != nil {
			return 0, 0, err
		}
		s.next++
	}
	took := time.Since(begun)
	after, err := s.used(ctx)
	return float64(after-before) / float64(n), float64(n) / took.Seconds(), err
}

// used asks a server for its processor time.
func (s *running) used(ctx context.Context) (time.Duration, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.control, http.NoBody)
	if err != nil {
		return 0, err
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close() //nolint:errcheck // it is read to its end
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err
	}
	ns, err := strconv.ParseInt(string(text), 10, 64)
	return time.Duration(ns), err
}

var (
	okLine        = []byte("HTTP/1.1 200 OK\r\n")
	contentLength = []byte("content-length: ")
)

// ask sends one request and reads its answer, as cheaply as can be: the client shares the
// processor.
func (s *running) ask(request []byte) error {
	if _, err := s.conn.Write(request); err != nil {
		return err
	}
	line, err := s.answers.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.Equal(line, okLine) {
		return fmt.Errorf("answered %q", line)
	}
	length := -1
	for {
		line, err := s.answers.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) == 2 {
			break
		}
		if len(line) > len(contentLength) && bytes.EqualFold(line[:len(contentLength)], contentLength) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(line[len(contentLength):]))); err != nil {
				return err
			}
		}
	}
	if length < 0 {
		return errors.New("an answer without a length")
	}
	_, err = s.answers.Discard(length)
	return err
}
