package redisstore_test

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/more-retail/moresso-go/redisstore"
	"github.com/more-retail/moresso-go/redisstore/redistest"
)

// outside is an address of this machine under which others reach it.
func outside(t *testing.T) string {
	t.Helper()
	addresses, err := net.InterfaceAddrs()
	do(t, err)
	for _, a := range addresses {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() && !p.Addr().IsLoopback() {
			return p.Addr().String()
		}
	}
	t.Skip("this machine has no address but loopback")
	return ""
}

func TestConn_PlaintextToNamedMachine(t *testing.T) {
	away := outside(t)
	primary := redistest.Start(t, "--requirepass", "secret", "--bind", "127.0.0.1", away, "--protected-mode", "no")
	file := filepath.Join(t.TempDir(), "sentinel.conf")
	do(t, os.WriteFile(file, []byte("sentinel monitor sessions "+away+" "+primary.Port+" 1\nsentinel auth-pass sessions secret\n"), 0o600))
	sentinel := redistest.Start(t, file, "--sentinel")
	named := func(c *config) { c.Sentinel, c.Password = "sessions", "secret" }
	open := func(changes ...change) *redisstore.Sessions {
		return openSessions(t, append(changes, at(sentinel.Address), named)...)
	}
	redistest.Wait(t, limit, "the connection is allowed", func() bool {
		return open(func(c *config) { c.InsecureAllowPlaintext = true }).Ready(t.Context()) == nil
	})
	if err := open().Ready(t.Context()); err == nil || !strings.Contains(err.Error(), "without TLS") {
		t.Errorf("%v", err)
	}
	wants(t, open(), session("ada", "s1"), "unavailable")
}
