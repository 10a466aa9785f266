package cli

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// await waits up to 3 s for a server at an address of this machine, which may have been started in the
// background just before.
func (p *program) await(ctx context.Context, address string) {
	u := local(address)
	if u == nil || p.env.HTTPClient != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	for {
		connection, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), u.Scheme)))
		if err == nil {
			_ = connection.Close() // nothing was sent
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
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// local parses a URL that names this machine, and returns nil for others. It resolves no names.
func local(address string) *url.URL {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return nil
	}
	if ip, err := netip.ParseAddr(u.Hostname()); strings.EqualFold(u.Hostname(), "localhost") || err == nil && ip.Unmap().IsLoopback() {
		return u
	}
	return nil
}
