// Package redistest starts real Redis servers for tests: alone, with Sentinels, or as a Cluster.
// They listen on free ports of this machine, keep their files in the test's folder, and end
// with the test. It needs the program redis-server, of Redis 7, and redis-cli; where they are
// missing the test is skipped, or fails if the environment says CI=true. A test of what a store
// does looks like this:
//
//	func TestASignOutEndsTheSession(t *testing.T) {
//		server := redistest.Start(t)
//		store, err := redisstore.New(redisstore.Options{Addresses: []string{server.Address}, Audience: "api"})
//		if err != nil {
//			t.Fatal(err)
//		}
//		defer store.Close()
//		…
//		server.Do("FLUSHALL") // what redis-cli does
//		server.Kill()         // an outage; Restart ends it, and Hang and Resume are the slow kind
//	}
//
// What cannot be done ends the test by t.Fatal, so all of it is called in the test's own goroutine;
// the time is the real one.
//
// Only tests import it. Hang and Resume are not there on Windows.
package redistest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// startLimit bounds everything that is waited for here.
const startLimit = 20 * time.Second

// Server is one process, which [Start] made. The fields are for reading.
type Server struct {
	Address string // host:port, of this machine
	Port    string // the port alone
	Dir     string // its working folder, where its log and what it saves are

	tb       testing.TB
	args     []string
	cli      []string
	password string

	mu  sync.Mutex
	cmd *exec.Cmd
}

// Need skips the test if there is no Redis on this machine, or fails it if the environment says
// CI=true. [Start], [StartSentinels] and [StartCluster] call it.
func Need(tb testing.TB) {
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

// Option changes a server before it starts. Options are applied in the order given, and of several
// that set the same thing Redis takes the last. StartSentinels and StartCluster give them to each of
// their servers.
type Option func(*Server)

// WithArgs adds settings, as on Redis' command line: "--maxmemory", "1mb".
func WithArgs(args ...string) Option { return func(s *Server) { s.args = append(s.args, args...) } }

// WithPassword has the default user need one.
func WithPassword(password string) Option {
	return func(s *Server) {
		s.password = password
		s.args = append(s.args, "--requirepass", password, "--masterauth", password)
	}
}

// Durable has every write on disk before it is answered, so that it is there after a Restart. By
// default nothing is.
func Durable() Option {
	return WithArgs("--appendonly", "yes", "--appendfsync", "always")
}

// WithTLS has the server speak TLS only, and want certificates of clients; see [NewCertificates].
// It is not for StartSentinels, whose Sentinels speak plainly.
func WithTLS(c Certificates) Option {
	return func(s *Server) {
		s.args = append(s.args, "--port", "0", "--tls-port", s.Port, "--tls-auth-clients", "yes",
			"--tls-cert-file", c.ServerCert, "--tls-key-file", c.ServerKey, "--tls-ca-cert-file", c.CA)
		s.cli = append(s.cli, "--tls", "--cert", c.ClientCert, "--key", c.ClientKey, "--cacert", c.CA)
	}
}

// Start starts a server and waits until it answers, for 20 s at most. It keeps nothing on disk
// unless [Durable], and ends with the test; if that failed, the end of its log is shown.
func Start(tb testing.TB, options ...Option) *Server {
	tb.Helper()
	Need(tb)
	port := FreePort(tb)
	s := &Server{
		Address: "127.0.0.1:" + port, Port: port, Dir: tb.TempDir(), tb: tb,
		args: []string{"--port", port, "--bind", "127.0.0.1", "--save", "", "--daemonize", "no", "--repl-diskless-sync-delay", "0"},
		cli:  []string{"-h", "127.0.0.1", "-p", port, "--no-auth-warning"},
	}
	for _, o := range options {
		o(s)
	}
	tb.Cleanup(s.Kill)
	s.Restart()
	return s
}

// Restart starts the process, after [Server.Kill], and waits until it answers, for 20 s at most.
func (s *Server) Restart() {
	s.tb.Helper()
	s.start()
	Wait(s.tb, startLimit, "Redis at "+s.Address+" answers", func() bool {
		out, err := s.Try("PING")
		return err == nil && out == "PONG"
	})
}

func (s *Server) start() {
	s.tb.Helper()
	log, err := os.OpenFile(s.logFile(), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		s.tb.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	cmd := exec.Command("redis-server", s.args...) //nolint:gosec,noctx // it is ended by Kill
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.Dir, log, log
	if err := cmd.Start(); err != nil {
		s.tb.Fatal(err)
	}
	s.mu.Lock()
	s.cmd = cmd
	s.mu.Unlock()
}

func (s *Server) logFile() string { return filepath.Join(s.Dir, "redis.log") }

// Kill ends the process at once, as a crash does. It may be started again by [Server.Restart].
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
		log, _ := os.ReadFile(s.logFile())
		s.tb.Logf("Redis at %s wrote:\n%s", s.Address, tail(string(log)))
	}
}

func tail(text string) string { return text[max(0, len(text)-4000):] }

// Try sends a command with redis-cli, and returns its answer without white space around it. An
// answer that is an error of Redis is an error.
func (s *Server) Try(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "redis-cli", append(append([]string{}, s.cli...), args...)...) //nolint:gosec // a test's own arguments
	if s.password != "" {
		cmd.Env = append(os.Environ(), "REDISCLI_AUTH="+s.password)
	}
	out, err := cmd.CombinedOutput()
	text := strings.TrimSpace(string(out))
	for _, code := range []string{"ERR ", "NOAUTH ", "WRONGPASS ", "LOADING ", "CLUSTERDOWN ", "MOVED ", "NOREPLICAS ", "Could not connect", "IOERR "} {
		if err == nil && strings.HasPrefix(text, code) {
			err = errors.New(text)
		}
	}
	return text, err
}

// Do is [Server.Try] that ends the test if it fails.
func (s *Server) Do(args ...string) string {
	s.tb.Helper()
	out, err := s.Try(args...)
	if err != nil {
		s.tb.Fatalf("redis-cli %v: %v %s", args, err, out)
	}
	return out
}

// Clients counts the connections to the server, but for the one that asks and those of replicas
// and Sentinels.
func (s *Server) Clients() int {
	s.tb.Helper()
	count := -1
	for _, kind := range []string{"normal", "pubsub"} {
		for line := range strings.Lines(s.Do("CLIENT", "LIST", "TYPE", kind)) {
			if strings.Contains(line, "id=") && !strings.Contains(line, " name=sentinel-") {
				count++
			}
		}
	}
	return count
}

// FreePort is a port of this machine that nobody listens on. Another program may take it before you
// do.
func FreePort(tb testing.TB) string {
	tb.Helper()
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		tb.Fatal(err)
	}
	return port
}

// Wait waits until something is so, by asking every 5 ms, and ends the test if that takes longer
// than the limit, with what as the reason.
func Wait(tb testing.TB, limit time.Duration, what string, so func() bool) {
	tb.Helper()
	over := time.After(limit)
	for !so() {
		select {
		case <-over:
			tb.Fatalf("not within %v: %s", limit, what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// Sentinels is a primary with a replica, watched by three Sentinels.
type Sentinels struct {
	Primary, Replica *Server  // as they began; see [Sentinels.Current]
	Addresses        []string // of the Sentinels
	sentinels        []*Server
}

// MasterName is what the Sentinels call the primary: the name for redisstore.Options.Sentinel.
const MasterName = "sessions"

// StartSentinels starts them, and waits until they know each other. They give a primary up after
// half a second.
func StartSentinels(tb testing.TB, options ...Option) *Sentinels {
	tb.Helper()
	primary := Start(tb, options...)
	replica := Start(tb, append(options, WithArgs("--replicaof", "127.0.0.1 "+primary.Port))...)
	s := &Sentinels{Primary: primary, Replica: replica}
	for range 3 {
		Need(tb)
		port := FreePort(tb)
		one := &Server{Address: "127.0.0.1:" + port, Port: port, Dir: tb.TempDir(), tb: tb, cli: []string{"-h", "127.0.0.1", "-p", port}}
		config := fmt.Sprintf("port %s\nbind 127.0.0.1\nsentinel monitor %[2]s 127.0.0.1 %[3]s 2\nsentinel down-after-milliseconds %[2]s 500\nsentinel failover-timeout %[2]s 3000\n", port, MasterName, primary.Port)
		if primary.password != "" {
			config += fmt.Sprintf("sentinel auth-pass %s %s\n", MasterName, primary.password)
		}
		file := filepath.Join(one.Dir, "sentinel.conf")
		if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
			tb.Fatal(err)
		}
		one.args = []string{file, "--sentinel"}
		tb.Cleanup(one.Kill)
		one.Restart()
		s.sentinels = append(s.sentinels, one)
		s.Addresses = append(s.Addresses, one.Address)
	}
	Wait(tb, startLimit, "the Sentinels know each other and the replica", func() bool {
		for _, one := range s.sentinels {
			out := one.Do("SENTINEL", "MASTER", MasterName)
			if !hasField(out, "num-other-sentinels", "2") || !hasField(out, "num-slaves", "1") {
				return false
			}
		}
		return true
	})
	Wait(tb, startLimit, "the replica follows", func() bool { return strings.Contains(primary.Do("INFO", "replication"), "state=online") })
	return s
}

// Current is the address of the primary by the first Sentinel, "host:port"; empty while it knows
// of none.
func (s *Sentinels) Current() string {
	out := strings.Fields(s.sentinels[0].Do("SENTINEL", "GET-MASTER-ADDR-BY-NAME", MasterName))
	if len(out) != 2 {
		return ""
	}
	return net.JoinHostPort(out[0], out[1])
}

func hasField(out, name, value string) bool {
	return strings.Contains(out, name+"\n"+value+"\n")
}

// Cluster is three nodes without replicas, each with a third of the slots.
type Cluster struct {
	Nodes []*Server // in the order of their slots
}

const clusterSlots = 16384

// StartCluster starts one and waits until it serves, for 20 s at most. It goes on serving what is
// left when a node is away.
func StartCluster(tb testing.TB, options ...Option) *Cluster {
	tb.Helper()
	c := &Cluster{}
	var buses []string
	for range 3 {
		bus := FreePort(tb)
		buses = append(buses, bus)
		c.Nodes = append(c.Nodes, Start(tb, append(options, WithArgs("--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--cluster-port", bus, "--cluster-require-full-coverage", "no"))...))
	}
	for i, node := range c.Nodes {
		node.Do("CLUSTER", "ADDSLOTSRANGE", strconv.Itoa(i*clusterSlots/3), strconv.Itoa((i+1)*clusterSlots/3-1))
		node.Do("CLUSTER", "SET-CONFIG-EPOCH", strconv.Itoa(i+1))
		if i > 0 {
			c.Nodes[0].Do("CLUSTER", "MEET", "127.0.0.1", node.Port, buses[i])
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

// Owner is the node that begins with the key's slot, as an index of Nodes, and that slot.
func (c *Cluster) Owner(key string) (owner int, slot string) {
	slot = c.Nodes[0].Do("CLUSTER", "KEYSLOT", key)
	number, _ := strconv.Atoi(slot)
	return min(2, number*3/clusterSlots), slot
}

// MoveSlot moves a slot and its keys from a node to another, by their indices in Nodes, as redis-cli
// --cluster reshard does.
func (c *Cluster) MoveSlot(slot string, from, to int) {
	source, target := c.Nodes[from], c.Nodes[to]
	sourceID, targetID := source.Do("CLUSTER", "MYID"), target.Do("CLUSTER", "MYID")
	target.Do("CLUSTER", "SETSLOT", slot, "IMPORTING", sourceID)
	source.Do("CLUSTER", "SETSLOT", slot, "MIGRATING", targetID)
	for {
		keys := strings.Fields(source.Do("CLUSTER", "GETKEYSINSLOT", slot, "100"))
		if len(keys) == 0 {
			break
		}
		source.Do(append([]string{"MIGRATE", "127.0.0.1", target.Port, "", "0", "5000", "KEYS"}, keys...)...)
	}
	target.Do("CLUSTER", "SETSLOT", slot, "NODE", targetID)
	source.Do("CLUSTER", "SETSLOT", slot, "NODE", targetID)
}
