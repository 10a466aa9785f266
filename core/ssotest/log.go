package ssotest

import (
	"io"
	"log/slog"
	"sync"
	"testing"
)

// mostLogLines bounds what one [Logger] writes: a test of a flood of bad tokens is not to be one of
// the test's log.
const mostLogLines = 1000

// Logger is a logger whose lines go to the test's log, where they are seen when the test fails or
// runs verbosely: why a token was refused, and the whole of a decision. [Issuer.Config] has one.
//
// Nothing is logged after the test has ended, when package testing would panic, whatever still
// runs; nor in benchmarks, which would measure it, nor in the function of a fuzz test, which has a
// log of its own. A logger writes a thousand lines at most, of every level, without the time. It is
// safe for concurrent use. Without a t (nil) it writes nothing.
func Logger(t testing.TB) *slog.Logger {
	switch t.(type) {
	case nil, *testing.B, *testing.F:
		return slog.New(slog.DiscardHandler)
	}
	t.Helper()
	w := &testWriter{out: t.Output()}
	t.Cleanup(w.end)
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) == 0 && a.Key == slog.TimeKey {
				return slog.Attr{} // go test tells how long things take
			}
			return a
		},
	}))
}

// testWriter writes to a test's log until the test ends. A [slog.Handler] writes a line at a time.
type testWriter struct {
	mu    sync.Mutex // held while writing, so that the test cannot end meanwhile
	out   io.Writer  // nil: it has ended
	lines int
}

func (w *testWriter) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.out == nil || w.lines > mostLogLines {
		return len(line), nil
	}
	w.lines++
	if w.lines > mostLogLines {
		_, err := io.WriteString(w.out, "ssotest: further lines are left out\n")
		return len(line), err
	}
	return w.out.Write(line)
}

func (w *testWriter) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.out = nil
}
