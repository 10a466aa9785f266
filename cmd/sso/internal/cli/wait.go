package cli

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"
)

const (
	// startTime is how long an issuer on this machine may take until it listens, where it was
	// started in the background just before.
	startTime = 3 * time.Second
	// startPause is between two looks.
	startPause = 50 * time.Millisecond
)

// await waits, for a while, until somebody listens at an address of this machine. Whether somebody
// does it does not say: whoever asks there next will see.
func (p *program) await(ctx context.Context, address string) {
	u, err := url.Parse(address)
	if err != nil || !isLoopback(u) || p.env.HTTPClient != nil {
		return
	}
	port := u.Port()
	if port == "" {
		port = u.Scheme // net knows those of http and https by name
	}
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	for {
		connection, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
		if err == nil {
			_ = connection.Close() // nothing was sent
			return
		}
		if !errors.Is(err, syscall.ECONNREFUSED) {
			return
		}
		if p.env.Refused != nil {
			p.env.Refused()
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(startPause):
		}
	}
}

// isLoopback tells an address of this machine without asking any name server.
func isLoopback(u *url.URL) bool {
	ip, err := netip.ParseAddr(u.Hostname())
	return (u.Scheme == "http" || u.Scheme == "https") && (strings.EqualFold(u.Hostname(), "localhost") || err == nil && ip.Unmap().IsLoopback())
}
