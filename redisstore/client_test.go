package redisstore

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/more-retail/moresso-go/core/adaptertest"
	"github.com/more-retail/moresso-go/redisstore/redistest"
)

func TestClient_CloseWhileConnecting(t *testing.T) {
	for name, cache := range map[string]time.Duration{"with a cache": time.Second, "without": 0} {
		t.Run(name, func(t *testing.T) {
			server := redistest.Start(t)
			adaptertest.CheckLeaks(t)
			g := newGate(t, server.Address)
			s := connected(t, g.address, cache)
			g.hold(true)
			server.Do("CLIENT", "KILL", "TYPE", "normal")
			redistest.Wait(t, 5*time.Second, "the client connects again", func() bool {
				_ = s.Check(t.Context(), someSession("s"))
				return server.Clients() > 0
			})
			var closing sync.WaitGroup
			closing.Go(func() { _ = s.Close() })
			<-time.After(50 * time.Millisecond) // real time: the server answers the new connection while Close is in progress
			g.hold(false)
			closing.Wait()
			redistest.Wait(t, 5*time.Second, "no connection is left", func() bool { return server.Clients() == 0 })
		})
	}
}

func TestRetryDelay(t *testing.T) {
	var sum time.Duration
	for attempts := 1; attempts <= 6; attempts++ {
		got := retryDelay(attempts, rueidis.Completed{}, io.EOF)
		if got != time.Millisecond<<(attempts-1) {
			t.Errorf("attempt %d: %v", attempts, got)
		}
		sum += got
	}
	if sum > lookupLimit {
		t.Errorf("%v in all, so that a request does not learn the reason", sum)
	}
	if got := retryDelay(7, rueidis.Completed{}, io.EOF); got >= 0 {
		t.Errorf("attempt 7: %v", got)
	}
	if got := retryDelay(1, rueidis.Completed{}, context.DeadlineExceeded); got >= 0 {
		t.Errorf("after a timeout: %v", got)
	}
}

func TestOnlyLoopback(t *testing.T) {
	for address, want := range map[string]bool{
		"127.0.0.1:6379": true, "127.9.9.9:1": true, "[::1]:6379": true, "[::ffff:127.0.0.1]:6379": true,
		"10.0.0.1:6379": false, "[::ffff:10.0.0.1]:6379": false, "[fe80::1]:6379": false, "0.0.0.0:6379": false, "no address": false,
	} {
		err := onlyLoopback("tcp", address, nil)
		if (err == nil) != want || err != nil && (!errors.Is(err, errPlaintext) || !strings.Contains(err.Error(), address)) {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestClient_Options(t *testing.T) {
	of := func(cache bool, change func(*Conn)) rueidis.ClientOption {
		c := Conn{Addresses: []string{"localhost:1"}}
		change(&c)
		return newClient(&c, cache).options
	}
	plain := of(false, func(*Conn) {})
	if !plain.ForceSingleClient || !plain.DisableCache || plain.AlwaysPipelining || plain.TLSConfig != nil || plain.SendToReplicas != nil || plain.Sentinel.MasterSet != "" || plain.Dialer.Control == nil {
		t.Errorf("one Redis: %+v", plain)
	}
	if plain.PipelineMultiplex != -1 || plain.ReadBufferEachConn != 32_768 || plain.WriteBufferEachConn != 32_768 || plain.BlockingPoolSize != 16 || plain.BlockingPoolCleanup != 10*time.Second {
		t.Errorf("connections of one Redis: %+v", plain)
	}
	if silent := 2*plain.Dialer.KeepAlive + plain.ConnWriteTimeout; silent >= 2*time.Second {
		t.Errorf("a silent connection is closed after %v", silent)
	}
	if c := of(true, func(*Conn) {}); c.DisableCache || !c.AlwaysPipelining || c.CacheSizeEachConn != 64<<20 {
		t.Errorf("with a cache: %+v", c)
	}
	if c := of(false, func(c *Conn) { c.InsecureAllowPlaintext = true }); c.Dialer.Control != nil {
		t.Error("other machines are refused, but allowed")
	}
	for given, want := range map[uint16]uint16{0: tls.VersionTLS12, tls.VersionTLS12: tls.VersionTLS12, tls.VersionTLS13: tls.VersionTLS13} {
		theirs := &tls.Config{MinVersion: given}
		c := of(false, func(c *Conn) { c.TLS = theirs })
		if c.TLSConfig.MinVersion != want || c.Dialer.Control != nil || theirs.MinVersion != given {
			t.Errorf("TLS from %#x: from %#x", given, c.TLSConfig.MinVersion)
		}
	}
	sentinel := of(false, func(c *Conn) {
		c.Sentinel, c.SentinelUsername, c.SentinelPassword, c.TLS = "m", "u", "p", &tls.Config{}
	})
	if s := sentinel.Sentinel; sentinel.ForceSingleClient || s.MasterSet != "m" || s.Username != "u" || s.Password != "p" || s.TLSConfig != sentinel.TLSConfig || s.TopologyRefreshInterval != 5*time.Second {
		t.Errorf("with Sentinel: %+v", sentinel)
	}
	if c := of(false, func(c *Conn) { c.Cluster = true }); c.ForceSingleClient {
		t.Errorf("a Cluster: %+v", c)
	}
}

func TestClient_SharesOneAttempt(t *testing.T) {
	failure := errors.New("refused")
	calls, proceed := 0, make(chan struct{})
	k := newClient(&Conn{Addresses: []string{"localhost:1"}}, false)
	k.connect = sync.OnceValues(func() (rueidis.Client, error) { calls++; <-proceed; return nil, failure })
	var callers sync.WaitGroup
	for range 3 {
		callers.Go(func() {
			if _, err := k.get(); !errors.Is(err, failure) {
				t.Error(err)
			}
		})
	}
	close(proceed)
	callers.Wait()
	if calls != 1 {
		t.Errorf("%d attempts", calls)
	}
	k.close()
	if c, err := k.get(); c != nil || !errors.Is(err, errClosed) {
		t.Errorf("closed: %v, %v", c, err)
	}
}

func TestClient_TriesAgain(t *testing.T) {
	k := newClient(&Conn{Addresses: []string{"127.0.0.1:1"}}, false)
	t.Cleanup(k.close)
	for range 2 {
		if _, err := k.get(); err == nil || k.connect != nil {
			t.Errorf("%v", err)
		}
	}
}
