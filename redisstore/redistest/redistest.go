//go:build unix

// Package redistest starts real Redis servers for tests: single ones, or a Cluster.
// They listen on free ports of this machine and end with the test. It needs redis-server and redis-cli
// of Redis 7. Without them the test is skipped, or fails if the environment has CI=true.
//
//	server := redistest.Start(t)
//	server.Do("FLUSHALL") // what redis-cli does
//	server.Kill()         // an outage, which Restart ends; or Hang, which Resume ends
//
// Errors end the test, so call everything from the goroutine of the test. Only tests import this package.
package redistest

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	startLimit   = 20 * time.Second // for everything that this package waits for
	clusterSlots = 16384
)

// Server is one process, which [Start] starts.
type Server struct {
	Address string // host:port
	Port    string

	tb   testing.TB
	args []string
	cli  []string
	env  []string // of redis-cli
	log  string   // file

	mu  sync.Mutex
	cmd *exec.Cmd
}

// Durable returns arguments for [Start] that write to disk before each answer, so that all data survives
// a Restart. By default no data does.
func Durable() []string { return []string{"--appendonly", "yes", "--appendfsync", "always"} }

// Start starts a server and waits until it answers. The arguments are those of redis-server; the first
// can be a configuration file. redis-cli uses the password of "--requirepass" and the certificate of
// "--tls-cert-file"; with the latter the server speaks TLS only.
func Start(tb testing.TB, args ...string) *Server {
	tb.Helper()
	need(tb)
	port := freePort(tb)
	s := &Server{
		Address: "127.0.0.1:" + port, Port: port, tb: tb, log: filepath.Join(tb.TempDir(), "redis.log"),
		cli: []string{"-h", "127.0.0.1", "-p", port, "--no-auth-warning"},
	}
	if len(args) > 0 && !strings.HasPrefix(args[0], "--") {
		s.args, args = args[:1:1], args[1:]
	}
	s.args = append(append(s.args, "--bind", "127.0.0.1", "--save", "", "--repl-diskless-sync-delay", "0"), args...)
	if password := value(args, "--requirepass"); password != "" {
		s.env, s.args = []string{"REDISCLI_AUTH=" + password}, append(s.args, "--masterauth", password)
	}
	if cert := value(args, "--tls-cert-file"); cert != "" {
		s.args = append(s.args, "--port", "0", "--tls-port", port)
		s.cli = append(s.cli, "--tls", "--cert", cert, "--key", value(args, "--tls-key-file"), "--cacert", value(args, "--tls-ca-cert-file"))
	} else {
		s.args = append(s.args, "--port", port)
	}
	tb.Cleanup(s.Kill)
	s.Restart()
	return s
}

// need skips the test without Redis, or fails it in CI.
func need(tb testing.TB) {
	tb.Helper()
	for _, program := range []string{"redis-server", "redis-cli"} {
		if _, err := exec.LookPath(program); err != nil {
			const message = "%v: run scripts/e2e-deps, or install Redis 7 (Debian, Ubuntu: apt-get install redis-server)"
			if os.Getenv("CI") == "true" {
				tb.Fatalf(message, err)
			}
			tb.Skipf(message, err)
		}
	}
}

// value returns the argument that follows a name.
func value(args []string, name string) string {
	if i := slices.Index(args, name); i >= 0 && i+1 < len(args) {
		return args[i+1]
	}
	return ""
}

func freePort(tb testing.TB) string {
	tb.Helper()
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	must(tb, err)
	defer func() { _ = l.Close() }()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port) //nolint:errcheck // it listens on TCP
}

// Restart starts the process, after [Server.Kill], and waits until it answers.
func (s *Server) Restart() {
	s.tb.Helper()
	log, err := os.OpenFile(s.log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	must(s.tb, err)
	defer func() { _ = log.Close() }()
	cmd := exec.Command("redis-server", s.args...) //nolint:gosec,noctx // Kill ends it
	cmd.Dir, cmd.Stdout, cmd.Stderr = filepath.Dir(s.log), log, log
	must(s.tb, cmd.Start())
	s.mu.Lock()
	s.cmd = cmd
	s.mu.Unlock()
	Wait(s.tb, startLimit, "Redis at "+s.Address+" answers", func() bool {
		out, err := s.Try("PING")
		return err == nil && out == "PONG"
	})
}

// Kill ends the process, as a crash does.
func (s *Server) Kill() {
	s.mu.Lock()
	cmd := s.cmd
	s.cmd = nil
	s.mu.Unlock()
	if cmd == nil {
		return
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if s.tb.Failed() {
		log, _ := os.ReadFile(s.log)
		s.tb.Logf("log of Redis at %s:\n%s", s.Address, log[max(0, len(log)-4000):])
	}
}

// Hang stops the process without closing its connections, until [Server.Resume].
func (s *Server) Hang() { s.signal(syscall.SIGSTOP) }

// Resume ends [Server.Hang].
func (s *Server) Resume() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(signal syscall.Signal) {
	s.tb.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		s.tb.Fatal("the process does not run")
	}
	must(s.tb, s.cmd.Process.Signal(signal))
}

// Try sends a command with redis-cli, and returns its answer without surrounding white space. It
// returns an error if the answer is one.
func (s *Server) Try(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "redis-cli", slices.Concat(s.cli, args)...) //nolint:gosec // the arguments of a test
	cmd.Env = append(os.Environ(), s.env...)
	out, err := cmd.CombinedOutput()
	text := strings.TrimSpace(string(out))
	for _, code := range []string{"ERR ", "NOAUTH ", "WRONGPASS ", "LOADING ", "CLUSTERDOWN ", "MOVED ", "NOREPLICAS ", "Could not connect", "IOERR "} {
		if err == nil && strings.HasPrefix(text, code) {
			err = errors.New(text)
		}
	}
	return text, err
}

// Do is [Server.Try], but ends the test if it fails.
func (s *Server) Do(args ...string) string {
	s.tb.Helper()
	out, err := s.Try(args...)
	if err != nil {
		s.tb.Fatalf("redis-cli %v: %v %s", args, err, out)
	}
	return out
}

// Clients counts the connections of clients to the server.
func (s *Server) Clients() int {
	s.tb.Helper()
	count := -1 // redis-cli
	for _, kind := range []string{"normal", "pubsub"} {
		for line := range strings.Lines(s.Do("CLIENT", "LIST", "TYPE", kind)) {
			if strings.Contains(line, "id=") && !strings.Contains(line, " name=sentinel-") {
				count++
			}
		}
	}
	return count
}

// Wait checks a condition every 5 ms until it is true, and ends the test if that takes longer than
// limit.
func Wait(tb testing.TB, limit time.Duration, what string, condition func() bool) {
	tb.Helper()
	over := time.After(limit)
	for !condition() {
		select {
		case <-over:
			tb.Fatalf("not within %v: %s", limit, what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// Cluster is three nodes without replicas, each with a third of the slots.
type Cluster struct {
	Nodes []*Server // in the order of their slots
}

// StartCluster starts one, with arguments of [Start] for each node. If a node is down, the others still
// answer.
func StartCluster(tb testing.TB, args ...string) *Cluster {
	tb.Helper()
	c := new(Cluster)
	for i := range 3 {
		bus := freePort(tb)
		node := Start(tb, append(args, "--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--cluster-port", bus, "--cluster-require-full-coverage", "no")...)
		node.Do("CLUSTER", "ADDSLOTSRANGE", strconv.Itoa(i*clusterSlots/3), strconv.Itoa((i+1)*clusterSlots/3-1))
		node.Do("CLUSTER", "SET-CONFIG-EPOCH", strconv.Itoa(i+1))
		if c.Nodes = append(c.Nodes, node); i > 0 {
			c.Nodes[0].Do("CLUSTER", "MEET", "127.0.0.1", node.Port, bus)
		}
	}
	Wait(tb, startLimit, "the Cluster serves", func() bool {
		for _, node := range c.Nodes {
			out := node.Do("CLUSTER", "INFO")
			if !strings.Contains(out, "cluster_state:ok") || !strings.Contains(out, "cluster_slots_ok:16384") || strings.Count(node.Do("CLUSTER", "NODES"), "connected") != 3 {
				return false
			}
		}
		return true
	})
	return c
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
