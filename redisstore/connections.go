package redisstore

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
)

// connections are those of a client that have not ended. The client forgets the one that it is
// making while it is closed (rueidis v1.0.79, mux._pipe), which would then be open for as long as
// the server is: close ends whatever is left.
type connections struct {
	mu     sync.Mutex
	open   map[*connection]struct{}
	closed bool
}

type connection struct {
	net.Conn
	all *connections
}

// dialing is how the client makes a connection.
type dialing func(ctx context.Context, address string, dialer *net.Dialer, config *tls.Config) (net.Conn, error)

// of is a way of dialing that keeps what it makes among the connections.
func (c *connections) of(dial dialing) dialing {
	return func(ctx context.Context, address string, dialer *net.Dialer, config *tls.Config) (net.Conn, error) {
		made, err := dial(ctx, address, dialer, config)
		if err != nil {
			return nil, err
		}
		kept := &connection{made, c}
		if !c.add(kept) {
			_ = made.Close()
			return nil, errClosed
		}
		return kept, nil
	}
}

// add is false once they are closed.
func (c *connections) add(made *connection) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	if c.open == nil {
		c.open = map[*connection]struct{}{}
	}
	c.open[made] = struct{}{}
	return true
}

// Close ends the connection.
func (c *connection) Close() error {
	c.all.mu.Lock()
	delete(c.all.open, c)
	c.all.mu.Unlock()
	return c.Conn.Close()
}

// close ends all of them, and those that are made from now on at once.
func (c *connections) close() {
	c.mu.Lock()
	left := c.open
	c.open, c.closed = nil, true
	c.mu.Unlock()
	for each := range left {
		_ = each.Conn.Close()
	}
}

// dial connects to a server.
func dial(ctx context.Context, address string, dialer *net.Dialer, config *tls.Config) (net.Conn, error) {
	if config == nil {
		return dialer.DialContext(ctx, "tcp", address)
	}
	return (&tls.Dialer{NetDialer: dialer, Config: config}).DialContext(ctx, "tcp", address)
}
