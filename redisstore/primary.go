package redisstore

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net"
)

// errReplica is what reading from a replica comes to that was given as the one Redis: it may be
// behind by any time, and with its primary away for ever.
var errReplica = errors.New("redisstore: this is a replica: give Options.Sentinel or Cluster, or the primary's address")

// helloBytes are the most that a server's answer to HELLO, the first command on each connection,
// is looked at: it has about 200.
const helloBytes = 4 << 10

// What Redis says of itself in it, from version 6.
var (
	roleReplica = []byte("$4\r\nrole\r\n$7\r\nreplica\r\n")
	roleMaster  = []byte("$4\r\nrole\r\n$6\r\nmaster\r\n")
)

// dialPrimary connects to the one Redis, which must not be a replica. The client connects anew by
// itself, so each connection is looked at; Sentinels and Clusters tell who is the primary.
func dialPrimary(ctx context.Context, address string, dialer *net.Dialer, config *tls.Config) (net.Conn, error) {
	made, err := dial(ctx, address, dialer, config)
	if err != nil {
		return nil, err
	}
	return &toPrimary{Conn: made}, nil
}

// toPrimary is a connection on which nothing can be read once the server has said that it is a
// replica.
type toPrimary struct {
	net.Conn
	head []byte // what was read until the server has told
	told bool
	err  error
}

func (c *toPrimary) Read(b []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.Conn.Read(b)
	if c.told {
		return n, err
	}
	c.head = append(c.head, b[:n]...)
	switch {
	case bytes.Contains(c.head, roleReplica):
		c.err = errReplica
		return 0, c.err
	case bytes.Contains(c.head, roleMaster), len(c.head) > helloBytes:
		c.head, c.told = nil, true
	}
	return n, err
}
