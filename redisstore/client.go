package redisstore

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/redis/rueidis"
)

const (
	connLimit = time.Second // to connect, and to answer a probe
	// probeIdle is after how long without an answer a connection is probed. A connection that dies
	// silently is closed within 2*probeIdle + connLimit, which must be less than two seconds.
	probeIdle       = 400 * time.Millisecond
	bufferBytes     = 32 << 10 // for reading, and for writing
	cacheBytes      = 64 << 20 // for each connection
	writers         = 16       // connections for writes that wait for replicas
	writersIdle     = 10 * time.Second
	topologyRefresh = 5 * time.Second // how often the Sentinels are queried for the primary
	mostAttempts    = 6               // of a read on a broken connection, within 63 ms
)

// The errors that are not outages.
var (
	errReplica   = refusal("Conn.Addresses", "has an address, and this is a replica", "set Conn.Sentinel or Conn.Cluster, or the address of the primary")
	errPlaintext = refusal("Conn.TLS", "is nil, and without TLS an attacker on the network could read the password", "set it to connect to another machine")
	errTLS       = refusal("Conn.TLS", "does not fit the server", "check the certificates and versions of both")
	errRefused   = refusal("Conn", "leads to a Redis that refuses a command", "docs/SESSIONS.md says what Redis must allow")
	errNoResult  = refusal("Conn", "is unproven, since no lookup has had a result", "wait until Ready returns nil")
)

// client is a rueidis client that connects when it is first needed.
type client struct {
	options rueidis.ClientOption
	evicts  bool // is allowed
	logger  *slog.Logger
	warned  sync.Once
	open    context.Context // the connections are closed when it ends
	end     context.CancelFunc

	mu      sync.Mutex
	connect func() (rueidis.Client, error) // shared by all callers; nil before the first and after a failure
	made    rueidis.Client
	closed  bool
}

func newClient(c *Conn, cache bool) *client {
	dialer := net.Dialer{Timeout: connLimit, KeepAlive: probeIdle}
	if c.TLS == nil && !c.InsecureAllowPlaintext {
		dialer.Control = onlyLoopback
	}
	k := &client{evicts: c.InsecureAllowEviction, logger: cmp.Or(c.Logger, slog.Default())}
	k.open, k.end = context.WithCancel(context.Background())
	k.options = rueidis.ClientOption{
		InitAddress: slices.Clone(c.Addresses),
		Username:    c.Username, Password: c.Password,
		Dialer: dialer, DialCtxFn: k.dial,
		ConnWriteTimeout:   connLimit,
		ReadBufferEachConn: bufferBytes, WriteBufferEachConn: bufferBytes,
		PipelineMultiplex: -1, // one connection to each node, which has the cache
		BlockingPoolSize:  writers, BlockingPoolCleanup: writersIdle,
		ForceSingleClient: !c.Cluster && c.Sentinel == "",
		RetryDelay:        retryDelay,
		DisableCache:      !cache, CacheSizeEachConn: cacheBytes,
		AlwaysPipelining: cache, // read invalidations as they arrive
	}
	if c.TLS != nil {
		k.options.TLSConfig = c.TLS.Clone()
		k.options.TLSConfig.MinVersion = max(k.options.TLSConfig.MinVersion, tls.VersionTLS12)
	}
	if c.Sentinel != "" {
		k.options.Sentinel = rueidis.SentinelOption{
			MasterSet: c.Sentinel, Username: c.SentinelUsername, Password: c.SentinelPassword,
			Dialer: dialer, TLSConfig: k.options.TLSConfig, TopologyRefreshInterval: topologyRefresh,
		}
	}
	return k
}

// onlyLoopback refuses connections to other machines. It checks the address after name resolution,
// so it does not matter where the name comes from.
func onlyLoopback(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err == nil && to.Addr().Unmap().IsLoopback() {
		return nil
	}
	return fmt.Errorf("%s: %w", address, errPlaintext)
}

// retryDelay is how long a read on a broken connection waits before it is tried again; negative
// after mostAttempts, and after a timeout.
func retryDelay(attempts int, _ rueidis.Completed, err error) time.Duration {
	var timeout interface{ Timeout() bool }
	if attempts > mostAttempts || errors.As(err, &timeout) && timeout.Timeout() {
		return -1
	}
	return time.Millisecond << max(0, attempts-1)
}

// get returns the connected client. Concurrent callers share one attempt to connect.
func (k *client) get() (rueidis.Client, error) {
	k.mu.Lock()
	if k.closed {
		k.mu.Unlock()
		return nil, errClosed
	}
	if k.connect == nil {
		k.connect = sync.OnceValues(k.make)
	}
	connect := k.connect
	k.mu.Unlock()
	return connect()
}

func (k *client) make() (rueidis.Client, error) {
	made, err := rueidis.NewClient(k.options)
	if err == nil {
		err = k.check(context.Background(), made)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if err == nil && !k.closed {
		k.made = made
		return made, nil
	}
	k.connect = nil
	if made != nil {
		made.Close()
	}
	if k.closed {
		return nil, errClosed
	}
	return nil, fmt.Errorf("connecting: %w", explain(err))
}

// check refuses a Redis that evicts keys, and a single one that is a replica, which can be behind by any
// amount of time. In a Cluster it queries all nodes; that one of them is down is not an error.
func (k *client) check(ctx context.Context, c rueidis.Client) error {
	ctx, cancel := context.WithTimeout(ctx, workLimit)
	defer cancel()
	nodes := c.Nodes()
	results := make(chan error, len(nodes))
	for address, node := range nodes {
		go func() { results <- explain(k.checkNode(ctx, address, node)) }()
	}
	var refused error
	for range nodes {
		if err := <-results; k.options.ForceSingleClient || isRefusal(err) {
			refused = cmp.Or(refused, err)
		}
	}
	return refused
}

func (k *client) checkNode(ctx context.Context, address string, c rueidis.Client) error {
	if k.options.ForceSingleClient {
		role, err := c.Do(ctx, c.B().Role().Build()).ToArray()
		if err != nil {
			return err
		}
		if name, err := role[0].ToString(); err != nil || name != "master" {
			return errReplica
		}
	}
	info, err := c.Do(ctx, c.B().Info().Build()).ToString()
	_, policy, _ := strings.Cut(info, "\nmaxmemory_policy:")
	policy, _, _ = strings.Cut(policy, "\r")
	switch {
	case k.evicts && isRefusal(explain(err)):
	case err != nil:
		return fmt.Errorf("maxmemory-policy is unknown, because INFO failed: %w", err)
	case !k.evicts && policy != "noeviction":
		return refusal("Conn.Addresses", fmt.Sprintf("lead to %s, which has the maxmemory-policy %q", address, policy), "set noeviction; or set Conn.InsecureAllowEviction")
	case strings.Contains(info, "aof_enabled:0"):
		k.warned.Do(func() {
			k.logger.WarnContext(ctx, "Redis can lose revocations when it restarts", slog.String("address", address), slog.String("appendonly", "no"))
		})
	}
	return nil
}

// close closes the connections. A client that is being made is closed by make.
func (k *client) close() {
	k.mu.Lock()
	made := k.made
	k.made, k.closed = nil, true
	k.mu.Unlock()
	if made != nil {
		made.Close()
	}
	k.end()
}

// connection is closed when the client is. rueidis v1.0.79 forgets the connection that it is making
// while it is closed (mux._pipe).
type connection struct {
	net.Conn
	forget func() bool
}

func (k *client) dial(ctx context.Context, address string, dialer *net.Dialer, config *tls.Config) (made net.Conn, err error) {
	if config == nil {
		made, err = dialer.DialContext(ctx, "tcp", address)
	} else {
		made, err = (&tls.Dialer{NetDialer: dialer, Config: config}).DialContext(ctx, "tcp", address)
	}
	if err != nil {
		return nil, err
	}
	forget := context.AfterFunc(k.open, func() { _ = made.Close() }) //nolint:contextcheck // it outlives the dialing
	return &connection{made, forget}, nil
}

func (c *connection) Close() error {
	c.forget()
	return c.Conn.Close()
}
