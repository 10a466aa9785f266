package redisstore

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"testing"
)

// closing is a connection to nowhere that counts how often it is closed.
type closing struct {
	net.Conn
	closed int
}

func (c *closing) Close() error { c.closed++; return nil }

func TestConnectionsAreClosedWithTheirStoreUnlessTheyAreAlready(t *testing.T) {
	var all connections
	failure := errors.New("nobody answers")
	var made []*closing
	connect := all.of(func(context.Context, string, *net.Dialer, *tls.Config) (net.Conn, error) {
		if failure != nil {
			return nil, failure
		}
		made = append(made, new(closing))
		return made[len(made)-1], nil
	})
	if c, err := connect(t.Context(), "", nil, nil); c != nil || !errors.Is(err, failure) {
		t.Errorf("%v, %v", c, err)
	}
	failure = nil
	var opened []net.Conn
	for range 3 {
		c, err := connect(t.Context(), "", nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		opened = append(opened, c)
	}
	_ = opened[1].Close()
	if len(all.open) != 2 {
		t.Errorf("%d of three are open, of which one has been closed", len(all.open))
	}
	all.close()
	for i, c := range made {
		if c.closed != 1 {
			t.Errorf("connection %d was closed %d times", i, c.closed)
		}
	}
	if c, err := connect(t.Context(), "", nil, nil); c != nil || !errors.Is(err, errClosed) || made[3].closed != 1 {
		t.Errorf("afterwards: %v, %v, closed %d times", c, err, made[3].closed)
	}
}
