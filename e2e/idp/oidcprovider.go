package idp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// StartOIDCProvider starts the npm package oidc-provider as a child process, until the test ends. Without node or
// the package the test is skipped, and fails if CI=true.
func StartOIDCProvider(tb testing.TB) Provider {
	tb.Helper()
	return startServer(tb)
}

func startServer(tb testing.TB) *server {
	tb.Helper()
	dir, node, err := findOIDCProvider()
	if err != nil {
		absent(tb, err)
		return nil // absent ends the test
	}
	s, _, err := startOIDCProvider(tb, node, dir)
	if err != nil {
		tb.Fatal(err)
	}
	if err := s.discover(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return s
}

func startOIDCProvider(tb testing.TB, node, dir string) (*server, *child, error) {
	tb.Helper()
	s, err := newServer("oidc-provider")
	if err != nil {
		return nil, nil, err
	}
	c, err := startChild(node, dir)
	if err != nil {
		return nil, nil, err
	}
	tb.Cleanup(func() {
		s.Close()
		if tb.Failed() {
			tb.Logf("oidc-provider wrote:\n%s", c.log.Bytes())
		}
	})
	s.stop = c.stop
	s.issuer = c.issuer
	s.tokenParams = url.Values{"resource": {"urn:moresso:e2e"}} // without a resource the token is not a JWT
	down := false                                               // guarded by s.mu
	s.apply = func() error { return c.configure(&s.keys, s.clients, down) }
	s.listen = func(up bool) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		down = !up
		return s.apply()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s, c, s.apply()
}

// absent ends a test whose provider is missing.
func absent(tb testing.TB, reason error) {
	tb.Helper()
	const message = "%v: run scripts/e2e-deps to install what this test needs"
	if os.Getenv("CI") == "true" {
		tb.Fatalf(message, reason)
	}
	tb.Skipf(message, reason)
}

// findOIDCProvider finds node and the folder that has server.mjs, from the folder of a package of this module.
func findOIDCProvider() (dir, node string, err error) {
	if node, err = exec.LookPath("node"); err != nil {
		return "", "", err
	}
	dir = filepath.Join("..", "oidcprovider")
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "oidc-provider")); err != nil {
		return "", "", fmt.Errorf("the npm package oidc-provider is not installed: %w", err)
	}
	return dir, node, nil
}

// A child is the process of oidcprovider/server.mjs, which documents the protocol. Its methods are not for concurrent
// use.
type child struct {
	issuer  string
	cmd     *exec.Cmd
	in      io.WriteCloser
	answers *json.Decoder
	log     bytes.Buffer // its stderr, to be read after wait
	wait    func() error
	kill    func()
}

// startChild starts the process and returns when it listens.
func startChild(node, dir string) (*child, error) {
	ctx, kill := context.WithCancel(context.Background())
	c := &child{cmd: exec.CommandContext(ctx, node, "server.mjs"), kill: kill}
	c.wait = sync.OnceValue(func() error { defer kill(); return c.cmd.Wait() })
	c.cmd.Dir = dir
	c.cmd.Stderr = &c.log
	in, err := c.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.in, c.answers = in, json.NewDecoder(out)
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}

	var listening struct {
		Issuer string `json:"issuer"`
	}
	if err := c.answer(&listening); err != nil {
		return nil, err
	}
	c.issuer = listening.Issuer
	return c, nil
}

// configure sets keys and clients, and starts or stops listening.
func (c *child) configure(keys *keyRing, clients map[string]client, down bool) error {
	var config struct {
		JWKS    jose.JSONWebKeySet `json:"jwks"`
		Clients []client           `json:"clients"`
		Down    bool               `json:"down"`
	}
	config.Down = down
	config.JWKS.Keys = keys.list()
	config.Clients = []client{}
	for _, known := range clients {
		config.Clients = append(config.Clients, known)
	}
	if err := json.NewEncoder(c.in).Encode(config); err != nil {
		return c.lost(err)
	}
	return c.answer(&struct{}{})
}

// answer reads an answer. It ends a process that does not answer in time.
func (c *child) answer(into any) error {
	limit := time.AfterFunc(requestLimit, c.kill)
	defer limit.Stop()
	if err := c.answers.Decode(into); err != nil {
		return c.lost(err)
	}
	return nil
}

// lost ends a process, and returns the cause with what the process wrote.
func (c *child) lost(cause error) error {
	c.kill()
	return fmt.Errorf("oidc-provider: %w\n%s", errors.Join(cause, c.wait()), c.log.Bytes())
}

// stop closes the input of the process, which ends it.
func (c *child) stop() {
	_ = c.in.Close()
	limit := time.AfterFunc(requestLimit, c.kill)
	defer limit.Stop()
	_ = c.wait()
}
