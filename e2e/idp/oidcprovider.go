package idp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// StartOIDCProvider starts the npm package oidc-provider as a child process, until the test ends. Where node or
// the package is missing the test is skipped, or fails if the environment says CI=true.
func StartOIDCProvider(tb testing.TB) Provider {
	tb.Helper()
	return startServer(tb)
}

func startServer(tb testing.TB) *server {
	tb.Helper()
	dir, node, err := findOIDCProvider()
	if err != nil {
		absent(tb, err)
		return nil // not reached: absent ends the test
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
	s.tokenParams = url.Values{"resource": {"urn:moresso:e2e"}} // without a resource the token is no JWT
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

// absent ends a test that cannot have its provider.
func absent(tb testing.TB, reason error) {
	tb.Helper()
	const message = "%v: run scripts/e2e-deps to install what this test needs"
	if os.Getenv("CI") == "true" {
		tb.Fatalf(message, reason)
	}
	tb.Skipf(message, reason)
}

// findOIDCProvider finds node and the folder that has server.mjs, beside the nearest go.mod up from the test's.
func findOIDCProvider() (dir, node string, err error) {
	if node, err = exec.LookPath("node"); err != nil {
		return "", "", err
	}
	root, err := os.Getwd()
	if err != nil {
		return "", "", err
	}
	for !exists(filepath.Join(root, "go.mod")) {
		if root == filepath.Dir(root) {
			return "", "", errors.New("no go.mod above the working directory")
		}
		root = filepath.Dir(root)
	}
	dir = filepath.Join(root, "oidcprovider")
	if !exists(filepath.Join(dir, "node_modules", "oidc-provider")) {
		return "", "", errors.New("the npm package oidc-provider is not installed")
	}
	return dir, node, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// A child is the process of oidcprovider/server.mjs, which tells the protocol. Calls take turns: the caller sees
// to that.
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

// configure puts keys and clients into force, and ends or begins listening.
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

// answer reads one. A process that gives none in time is ended.
func (c *child) answer(into any) error {
	limit := time.AfterFunc(requestLimit, c.kill)
	defer limit.Stop()
	if err := c.answers.Decode(into); err != nil {
		return c.lost(err)
	}
	return nil
}

// lost ends a process that does not answer as it should, and tells what it wrote about that.
func (c *child) lost(cause error) error {
	c.kill()
	return fmt.Errorf("oidc-provider: %w\n%s", errors.Join(cause, c.wait()), c.log.Bytes())
}

// stop ends the process by the end of its input.
func (c *child) stop() {
	_ = c.in.Close()
	limit := time.AfterFunc(requestLimit, c.kill)
	defer limit.Stop()
	_ = c.wait()
}
