package ssotest

import (
	"io"
	"log/slog"
	"sync"
	"testing"
)

// maxLogLines bounds what one logger writes, in case a test sends many invalid tokens.
const maxLogLines = 1000

// newLogger returns a logger that writes to the test's log, which is printed if the test fails or is
// verbose.
//
// It writes nothing after the test has ended, when package testing would panic. It also writes nothing
// in benchmarks, in the function of a fuzz test, and if t is nil. It writes at most a thousand lines,
// without the time. It is safe for concurrent use.
func newLogger(t testing.TB) *slog.Logger {
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
				return slog.Attr{}
			}
			return a
		},
	}))
}

// testWriter writes to a test's log until the test ends. A [slog.Handler] writes one line at a time.
type testWriter struct {
	mu    sync.Mutex // held while writing, so that the test does not end meanwhile
	out   io.Writer  // nil when the test has ended
	lines int
}

func (w *testWriter) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.out == nil || w.lines > maxLogLines {
		return len(line), nil
	}
	w.lines++
	if w.lines > maxLogLines {
		_, err := io.WriteString(w.out, "ssotest: further lines are omitted\n")
		return len(line), err
	}
	return w.out.Write(line)
}

func (w *testWriter) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.out = nil
}
