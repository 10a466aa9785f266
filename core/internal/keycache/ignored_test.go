package keycache_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/more-retail/moresso-go/core/internal/keycache"
	"github.com/more-retail/moresso-go/core/keys"
)

// deaf is a source that ignores its context while wait is set.
type deaf struct {
	calls atomic.Int64
	wait  atomic.Pointer[chan struct{}]
}

func (s *deaf) Fetch(context.Context, *keys.Set) (*keys.Set, error) {
	s.calls.Add(1)
	if wait := s.wait.Load(); wait != nil {
		<-*wait
	}
	return keys.NewSet(ecKey("a"))
}
func (*deaf) String() string { return "a deaf source" }

// A source that ignores its context blocks neither callers nor Close, and is called once at a time.
func TestCache_SourceIgnoresContext(t *testing.T) {
	for _, inline := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var log logbook
			source := &deaf{}
			cache := keycache.New(source, keycache.Options{Inline: inline, FetchTimeout: 2 * time.Second, Logger: newLogger(&log)})
			hang := make(chan struct{})
			source.wait.Store(&hang)
			began := time.Now()
			if _, _, err := find(cache, "a"); !isUnavailable(err) {
				t.Errorf("got %v", err)
			}
			if waited := time.Since(began); waited > 4*time.Second {
				t.Errorf("a caller waited for %v", waited)
			}
			for range 100 { // the calls of some minutes
				time.Sleep(3 * time.Second)
				_, _, _ = find(cache, "a")
			}
			if n := source.calls.Load(); n != 1 {
				t.Errorf("%d calls while the first has not returned", n)
			}
			if log.lines("fetching keys failed", "does not return when its context ends") == 0 {
				t.Error("nothing in the log")
			}
			if text := cache.Status().LastError; !strings.Contains(text, "does not return") {
				t.Errorf("the status says %q", text)
			}
			source.wait.Store(nil)
			close(hang)
			time.Sleep(time.Minute)
			served(t, cache, "a", 0)

			hang = make(chan struct{})
			source.wait.Store(&hang)
			time.Sleep(time.Until(cache.Status().RefreshDue))
			go func() { _, _, _ = find(cache, "a") }()
			synctest.Wait()
			began = time.Now()
			if err := cache.Close(); err != nil || time.Since(began) > time.Second {
				t.Errorf("Close took %v: %v", time.Since(began), err)
			}
			close(hang)
		})
	}
}

// Long RSA keys are skipped and reported: each forged token would cost as much as a valid one.
func TestCache_MaxRSABits(t *testing.T) {
	list := []keys.Key{{ID: "2048", Public: rsaPublic(2048)}, {ID: "4096", Public: rsaPublic(4096)}, {ID: "4104", Public: rsaPublic(4104)}, ecKey("ec")}
	for most, want := range map[int]string{0: "2048 4096 4104 ec", 8192: "2048 4096 4104 ec", 4096: "2048 4096 ec", 2048: "2048 ec", 1024: "ec"} {
		cache := newCache(t, having(list...), keycache.Options{MaxRSABits: most})
		if err := cache.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		status := cache.Status()
		if got := strings.Join(status.KeyIDs, " "); got != want || len(status.KeyIDs)+len(status.Skipped) != len(list) {
			t.Errorf("with at most %d bits: %s, skipped %v; want %s", most, got, status.Skipped, want)
		}
		for _, s := range status.Skipped {
			if !strings.Contains(s.Reason, "Config.MaxRSABits") {
				t.Errorf("%s: %s", s.ID, s.Reason)
			}
		}
	}
	cache := newCache(t, having(list[2]), keycache.Options{MaxRSABits: 4096})
	if err := cache.Ready(t.Context()); !isUnavailable(err) {
		t.Errorf("without another key: %v", err)
	}
}
