package redisstore

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/redis/rueidis"
)

const (
	// A connection that does not answer a probe, sent after a second without an answer, is given
	// up after another.
	keepAlive   = time.Second
	connLimit   = time.Second
	bufferBytes = 32 << 10 // for reading, and for writing
	// writers are connections for sign-ins and revocations that wait for replicas; idle ones are
	// closed.
	writers      = 16
	writersIdle  = 10 * time.Second
	seeTopology  = 5 * time.Second // how often Sentinels are asked who is the primary
	mostRetry    = 50 * time.Millisecond
	retryDoubles = 5
)

// link is the client, which is made when it is first needed: making one connects.
type link struct {
	options     rueidis.ClientOption
	connections connections

	mu      sync.Mutex
	made    rueidis.Client
	making  chan struct{} // closed when whoever makes it has ended
	closed  bool
	lastErr error
}

// errPlaintext is what connecting to a machine that Sentinels or a node of a Cluster have named
// comes to without TLS.
var errPlaintext = errors.New("is another machine, and without TLS anybody on the way reads the password: give Options.TLS")

// onlyThisMachine refuses connections to others, by the address that is connected to: names have
// been looked up by then, and whoever named it does not matter.
func onlyThisMachine(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err == nil && to.Addr().Unmap().IsLoopback() {
		return nil
	}
	return fmt.Errorf("redisstore: %s %w", address, errPlaintext)
}

func newLink(o *Options, c *cache) *link {
	dialer := net.Dialer{Timeout: connLimit, KeepAlive: keepAlive}
	if o.TLS == nil && !o.InsecureAllowPlaintext {
		dialer.Control = onlyThisMachine
	}
	options := rueidis.ClientOption{
		InitAddress: slices.Clone(o.Addresses),
		Username:    o.Username, Password: o.Password,
		Dialer:             dialer,
		ConnWriteTimeout:   connLimit,
		ReadBufferEachConn: bufferBytes, WriteBufferEachConn: bufferBytes,
		PipelineMultiplex: -1, // one connection to a node: a key is then tracked by one
		BlockingPoolSize:  writers, BlockingPoolCleanup: writersIdle,
		ForceSingleClient: !o.Cluster && o.Sentinel == "",
		RetryDelay:        retryDelay,
		DisableCache:      c == nil,
		// Invalidations are read as they come, and not with the next answer.
		AlwaysPipelining: c != nil,
	}
	l := new(link)
	options.DialCtxFn = l.connections.of(dial)
	if options.ForceSingleClient {
		options.DialCtxFn = l.connections.of(dialPrimary)
	}
	if o.TLS != nil {
		options.TLSConfig = o.TLS.Clone()
		options.TLSConfig.MinVersion = max(options.TLSConfig.MinVersion, tls.VersionTLS12)
	}
	if c != nil {
		options.NewCacheStoreFn = func(rueidis.CacheStoreOption) rueidis.CacheStore { return newTracked(c) }
	}
	if o.Sentinel != "" {
		options.Sentinel = rueidis.SentinelOption{
			MasterSet: o.Sentinel, Username: o.SentinelUsername, Password: o.SentinelPassword,
			Dialer: options.Dialer, TLSConfig: options.TLSConfig, TopologyRefreshInterval: seeTopology,
		}
	}
	if o.InsecureReadFromReplicas {
		options.SendToReplicas = func(c rueidis.Completed) bool { return c.IsReadOnly() }
	}
	l.options = options
	return l
}

// retryDelay is for reads that met with a broken connection.
func retryDelay(attempts int, _ rueidis.Completed, _ error) time.Duration {
	return min(mostRetry, time.Millisecond<<min(attempts, retryDoubles))
}

// client returns the client. If there is none it makes one, or waits for whoever does.
func (l *link) client(ctx context.Context) (rueidis.Client, error) {
	l.mu.Lock()
	made, making, closed := l.made, l.making, l.closed
	if made == nil && making == nil && !closed {
		l.making = make(chan struct{})
	}
	l.mu.Unlock()
	switch {
	case closed:
		return nil, errClosed
	case made != nil:
		return made, nil
	case making == nil:
		return l.make()
	}
	select {
	case <-making:
	case <-ctx.Done():
		return nil, fmt.Errorf("connecting: %w", ctx.Err())
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.made == nil {
		return nil, l.lastErr
	}
	return l.made, nil
}

// make connects.
func (l *link) make() (rueidis.Client, error) {
	made, err := rueidis.NewClient(l.options)
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.making) // who waits gets the lock after this has returned
	l.making = nil
	if err == nil && !l.closed {
		l.made = made
		return made, nil
	}
	if made != nil {
		made.Close()
	}
	l.lastErr = errClosed
	if err != nil {
		l.lastErr = fmt.Errorf("connecting: %w", explained(err))
	}
	return nil, l.lastErr
}

// close ends the connections; a client that is being made is closed by who makes it.
func (l *link) close() {
	l.mu.Lock()
	l.closed = true
	made := l.made
	l.made = nil
	l.mu.Unlock()
	if made != nil {
		made.Close()
	}
	l.connections.close()
}
