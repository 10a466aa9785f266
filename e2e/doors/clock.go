package doors

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Clock is the real time and what a test adds to it. It stands in a file, so that functions in processes of
// their own go by it too.
type Clock struct {
	tb   testing.TB
	path string
}

// NewClock makes a clock that shows the real time.
func NewClock(tb testing.TB) *Clock {
	tb.Helper()
	c := &Clock{tb, filepath.Join(tb.TempDir(), "ahead")}
	c.set(0)
	return c
}

// Forward moves time on for every door that was opened with this clock. It is not for concurrent use.
func (c *Clock) Forward(d time.Duration) {
	c.tb.Helper()
	ahead, err := readAhead(c.path)
	if err != nil {
		c.tb.Fatal(err)
	}
	c.set(ahead + d)
}

// set replaces the file, so that whoever reads it at this moment finds it whole.
func (c *Clock) set(ahead time.Duration) {
	c.tb.Helper()
	next := c.path + ".next"
	if err := os.WriteFile(next, []byte(ahead.String()), 0o600); err != nil {
		c.tb.Fatal(err)
	}
	if err := os.Rename(next, c.path); err != nil {
		c.tb.Fatal(err)
	}
}

// now is for [sso.Config]; nil for no clock.
func (c *Clock) now() func() time.Time {
	if c == nil {
		return nil
	}
	return clockAt(c.path)
}

func clockAt(path string) func() time.Time {
	return func() time.Time {
		ahead, err := readAhead(path)
		if err != nil {
			panic(err)
		}
		return time.Now().Add(ahead)
	}
}

func readAhead(path string) (time.Duration, error) {
	text, err := os.ReadFile(path) //nolint:gosec // the test that started this process names the file
	if err != nil {
		return 0, err
	}
	return time.ParseDuration(string(text))
}
