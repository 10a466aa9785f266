package redisstore

import (
	"context"
	"crypto/tls"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/more-retail/moresso-go/core/adaptertest"
	"github.com/more-retail/moresso-go/redisstore/redistest"
)

func TestAConnectionThatIsBeingMadeDoesNotOutliveTheStore(t *testing.T) {
	for name, cache := range map[string]bool{"with a cache": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			server := redistest.Start(t)
			adaptertest.CheckLeaks(t)
			g := newGate(t, server.Address)
			s := connected(t, Options{Addresses: []string{g.address}, Audience: "api", Cache: cache})
			g.hold(true)
			server.Do("CLIENT", "KILL", "TYPE", "normal")
			redistest.Wait(t, 5*time.Second, "the client connects anew", func() bool {
				_ = s.Check(t.Context(), someSession("s"))
				return server.Clients() > 0
			})
			var closing sync.WaitGroup
			closing.Go(func() { _ = s.Close() })
			<-time.After(50 * time.Millisecond) // real time: what the server says to the new connection comes when Close is under way
			g.hold(false)
			closing.Wait()
			redistest.Wait(t, 5*time.Second, "no connection is left", func() bool { return server.Clients() == 0 })
		})
	}
}

func TestAReadIsTriedAgainAfterAPauseThatGrows(t *testing.T) {
	var before time.Duration
	for attempts := range 100 {
		got := retryDelay(attempts, rueidis.Completed{}, nil)
		if got < before || got > 50*time.Millisecond || attempts < 5 && got != time.Millisecond<<attempts {
			t.Errorf("after attempt %d: %v", attempts, got)
		}
		before = got
	}
	if before < 30*time.Millisecond {
		t.Errorf("at last: %v", before)
	}
}

func TestOnlyThisMachineIsConnectedToInTheClear(t *testing.T) {
	for address, want := range map[string]bool{
		"127.0.0.1:6379": true, "127.9.9.9:1": true, "[::1]:6379": true, "[::ffff:127.0.0.1]:6379": true,
		"10.0.0.1:6379": false, "[::ffff:10.0.0.1]:6379": false, "[fe80::1]:6379": false, "0.0.0.0:6379": false, "no address": false,
	} {
		err := onlyThisMachine("tcp", address, nil)
		if (err == nil) != want || err != nil && (!errors.Is(err, errPlaintext) || !strings.Contains(err.Error(), address)) {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestTheClientIsToldWhatTheOptionsSay(t *testing.T) {
	base := Options{Addresses: []string{"localhost:1"}, Audience: "api"}
	of := func(change func(*Options)) rueidis.ClientOption {
		o := base
		change(&o)
		s, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s.link.options
	}
	plain := of(func(*Options) {})
	if !plain.ForceSingleClient || !plain.DisableCache || plain.AlwaysPipelining || plain.NewCacheStoreFn != nil || plain.TLSConfig != nil || plain.SendToReplicas != nil || plain.Sentinel.MasterSet != "" || plain.Dialer.Control == nil {
		t.Errorf("one Redis: %+v", plain)
	}
	if plain.PipelineMultiplex != -1 || plain.ReadBufferEachConn != 32_768 || plain.WriteBufferEachConn != 32_768 || plain.BlockingPoolSize != 16 || plain.BlockingPoolCleanup != 10*time.Second || plain.Dialer.KeepAlive != time.Second {
		t.Errorf("its connections: %+v", plain)
	}
	if c := of(func(o *Options) { o.Cache = true }); c.DisableCache || !c.AlwaysPipelining || c.NewCacheStoreFn == nil {
		t.Errorf("with a cache: %+v", c)
	}
	if c := of(func(o *Options) { o.InsecureAllowPlaintext = true }); c.Dialer.Control != nil {
		t.Error("other machines are refused, which were permitted")
	}
	for given, want := range map[uint16]uint16{0: tls.VersionTLS12, tls.VersionTLS12: tls.VersionTLS12, tls.VersionTLS13: tls.VersionTLS13} {
		theirs := &tls.Config{MinVersion: given}
		c := of(func(o *Options) { o.TLS = theirs })
		if c.TLSConfig.MinVersion != want || c.Dialer.Control != nil || theirs.MinVersion != given {
			t.Errorf("TLS from %#x: from %#x", given, c.TLSConfig.MinVersion)
		}
	}
	sentinel := of(func(o *Options) {
		o.Sentinel, o.SentinelUsername, o.SentinelPassword, o.TLS = "m", "u", "p", &tls.Config{}
	})
	if s := sentinel.Sentinel; sentinel.ForceSingleClient || s.MasterSet != "m" || s.Username != "u" || s.Password != "p" || s.TLSConfig != sentinel.TLSConfig || s.TopologyRefreshInterval != 5*time.Second {
		t.Errorf("with Sentinel: %+v", sentinel)
	}
	cluster := of(func(o *Options) { o.Cluster, o.InsecureReadFromReplicas = true, true })
	if cluster.ForceSingleClient || cluster.SendToReplicas == nil {
		t.Errorf("a Cluster: %+v", cluster)
	}
}

func TestWhoAsksWhileAClientIsBeingMadeWaitsForIt(t *testing.T) {
	making := make(chan struct{})
	l := &link{making: making}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.client(gone); !errors.Is(err, context.Canceled) || l.making != making {
		t.Errorf("who has gone: %v", err)
	}
	failure := errors.New("nobody answers")
	l.lastErr = failure
	close(making)
	if _, err := l.client(t.Context()); !errors.Is(err, failure) {
		t.Errorf("none was made: %v", err)
	}
	l.made, l.lastErr = new(played), nil
	if c, err := l.client(t.Context()); c != l.made || err != nil {
		t.Errorf("one was made: %v, %v", c, err)
	}
	l.making = nil
	if c, err := l.client(t.Context()); c != l.made || err != nil || l.making != nil {
		t.Errorf("there is one: %v, %v", c, err)
	}
	l.close()
	if c, err := l.client(t.Context()); c != nil || !errors.Is(err, errClosed) || l.making != nil {
		t.Errorf("it is closed: %v, %v", c, err)
	}
}
