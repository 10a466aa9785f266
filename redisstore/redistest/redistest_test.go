//go:build unix

package redistest_test

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/redisstore/redistest"
)

func TestServer_Hang(t *testing.T) {
	server := redistest.Start(t)
	server.Hang()
	answered := make(chan string)
	go func() {
		out, _ := server.Try("PING") // an error is not PONG
		answered <- out
	}()
	select {
	case out := <-answered:
		t.Fatalf("answer %q while the server hung", out)
	case <-time.After(50 * time.Millisecond): // real time: Redis keeps its own
	}
	server.Resume()
	if out := <-answered; out != "PONG" {
		t.Errorf("answer %q, want PONG", out)
	}
}

func TestDurable(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"default": {nil, ""},
		"durable": {redistest.Durable(), "v"},
	} {
		t.Run(name, func(t *testing.T) {
			server := redistest.Start(t, c.args...)
			server.Do("SET", "k", "v")
			server.Kill()
			server.Kill() // has no effect
			server.Restart()
			if got := server.Do("GET", "k"); got != c.want {
				t.Errorf("after a crash it holds %q, want %q", got, c.want)
			}
		})
	}
}

func TestServer_Errors(t *testing.T) {
	server := redistest.Start(t, "--requirepass", "secret")
	if out, err := server.Try("NO-SUCH-COMMAND"); err == nil || !strings.Contains(out, "unknown command") {
		t.Errorf("an unknown command: %q, %v", out, err)
	}
	if got := end(t, func(tb testing.TB) { redistest.Start(tb).Do("NO-SUCH-COMMAND") }); !strings.Contains(got.failed, "unknown command") {
		t.Errorf("Do ended its test with %q, want what Redis said", got.failed)
	} else if !strings.Contains(got.logged, "Ready to accept connections") {
		t.Errorf("a test that failed shows %q, want the server's log", got.logged)
	}
	server.Kill()
	if out, err := server.Try("PING"); err == nil {
		t.Errorf("a stopped server answered %q", out)
	}
	if got := end(t, func(tb testing.TB) {
		dead := redistest.Start(tb)
		dead.Kill()
		dead.Hang()
	}); got.failed != "the process does not run" {
		t.Errorf("hanging a dead server ended its test with %q", got.failed)
	}
}

func TestWait_Limit(t *testing.T) {
	got := end(t, func(tb testing.TB) {
		redistest.Wait(tb, 20*time.Millisecond, "the condition holds", func() bool { return false })
	})
	if got.failed != "not within 20ms: the condition holds" {
		t.Errorf("Wait ended the test with %q", got.failed)
	}
}

func TestStart_WithoutRedis(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv("CI", "")
	const want = "scripts/e2e-deps"
	if got := end(t, func(tb testing.TB) { redistest.Start(tb) }); !strings.Contains(got.skipped, want) || got.failed != "" {
		t.Errorf("elsewhere: %+v, want it skipped, with %s", got, want)
	}
	t.Setenv("CI", "true")
	if got := end(t, func(tb testing.TB) { redistest.Start(tb) }); !strings.Contains(got.failed, want) || got.skipped != "" {
		t.Errorf("in CI: %+v, want it failed, with %s", got, want)
	}
}

// outcome is how a test ended, each field empty if it did not.
type outcome struct{ failed, skipped, logged string }

// end runs a test of its own.
func end(t *testing.T, test func(testing.TB)) outcome {
	t.Helper()
	r := &recorder{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer r.end()
		test(r)
	}()
	<-done
	return r.outcome
}

// recorder records how a test ends. Its other methods are those of its parent.
type recorder struct {
	testing.TB
	outcome  outcome
	cleanups []func()
}

func (r *recorder) Helper()          {}
func (r *recorder) Failed() bool     { return r.outcome.failed != "" }
func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Fatal(args ...any) {
	r.outcome.failed = fmt.Sprint(args...)
	runtime.Goexit()
}
func (r *recorder) Fatalf(format string, args ...any) { r.Fatal(fmt.Sprintf(format, args...)) }
func (r *recorder) Skipf(format string, args ...any) {
	r.outcome.skipped = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func (r *recorder) Logf(format string, args ...any) { r.outcome.logged += fmt.Sprintf(format, args...) }

func (r *recorder) end() {
	for _, cleanup := range slices.Backward(r.cleanups) {
		cleanup()
	}
}
