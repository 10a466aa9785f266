package devissuer

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
)

// memoryTransport reaches the issuer without a network. A connection of DialTLSContext counts as
// encrypted, so https URLs work without certificates.
func (i *Issuer) memoryTransport() *http.Transport {
	return &http.Transport{
		DialContext: func(_ context.Context, network, addr string) (net.Conn, error) {
			return i.dial("http", network, addr)
		},
		DialTLSContext: func(_ context.Context, network, addr string) (net.Conn, error) {
			return i.dial("https", network, addr)
		},
		DisableKeepAlives: true,
	}
}

// dial returns one end of a pipe. The issuer's server has the other end.
func (i *Issuer) dial(scheme, network, addr string) (net.Conn, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if scheme != i.base.Scheme || !strings.EqualFold(addr, hostPort(i.base)) {
		i.stats.Strays = append(i.stats.Strays, addr)
		host, _, _ := net.SplitHostPort(addr)
		return nil, dialError(network, addr, &net.DNSError{
			Err:        "no such host (the in-memory client reaches " + i.base.String() + " only)",
			Name:       host,
			IsNotFound: true,
		})
	}
	if i.faults.down {
		i.stats.Refused++
	}
	if i.faults.down || i.closed {
		return nil, dialError(network, addr, os.NewSyscallError("connect", syscall.ECONNREFUSED))
	}
	server, client := net.Pipe()
	// Serve starts a goroutine for the only connection and returns. The lock is held, as in Close, so that
	// Close waits for every connection.
	_ = i.server.Serve(&oneConn{conn: server})
	return client, nil
}

// oneConn is a listener that accepts one connection and then reports its end.
type oneConn struct{ conn net.Conn }

func (l *oneConn) Accept() (net.Conn, error) {
	if l.conn == nil {
		return nil, io.EOF
	}
	conn := l.conn
	l.conn = nil
	return conn, nil
}

func (*oneConn) Close() error   { return nil }
func (*oneConn) Addr() net.Addr { return &net.UnixAddr{Name: "memory"} }

// dialError returns an error like that of a failed dial of package net.
func dialError(network, addr string, err error) error {
	return &net.OpError{Op: "dial", Net: network, Addr: &net.UnixAddr{Name: addr, Net: network}, Err: err}
}

// hostPort returns the address that an http.Transport dials for u.
func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}
