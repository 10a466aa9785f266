package frameworks

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/sso"
)

// Clock is the real time plus an offset, which is kept in a file: functions in processes of their own read it too.
type Clock struct {
	tb   testing.TB
	path string
}

// clockVariable is the path of a Clock's file, in the environment of a function.
const clockVariable = "MORESSO_E2E_CLOCK"

// NewClock returns a clock that shows the real time.
func NewClock(tb testing.TB) *Clock {
	tb.Helper()
	c := &Clock{tb, filepath.Join(tb.TempDir(), "offset")}
	c.set(0)
	return c
}

// Forward advances the time of every server that was started with this clock. It is not for concurrent use.
func (c *Clock) Forward(d time.Duration) {
	c.tb.Helper()
	offset, err := readOffset(c.path)
	if err != nil {
		c.tb.Fatal(err)
	}
	c.set(offset + d)
}

// set replaces the file at once: a concurrent reader must not find half of it.
func (c *Clock) set(offset time.Duration) {
	c.tb.Helper()
	next := c.path + ".next"
	if err := os.WriteFile(next, []byte(offset.String()), 0o600); err != nil {
		c.tb.Fatal(err)
	}
	if err := os.Rename(next, c.path); err != nil {
		c.tb.Fatal(err)
	}
}

// now is for [sso.Config]. It is nil for a nil clock.
func (c *Clock) now() func() time.Time {
	if c == nil {
		return nil
	}
	return clockAt(c.path)
}

func (c *Clock) environment() []string {
	if c == nil {
		return nil
	}
	return []string{clockVariable + "=" + c.path}
}

// setClock configures a function.
func setClock(c *sso.Config) {
	if path := os.Getenv(clockVariable); path != "" {
		c.Now = clockAt(path)
	}
}

func clockAt(path string) func() time.Time {
	return func() time.Time {
		offset, err := readOffset(path)
		if err != nil {
			panic(err)
		}
		return time.Now().Add(offset)
	}
}

func readOffset(path string) (time.Duration, error) {
	text, err := os.ReadFile(path) //nolint:gosec // the test that started this process names the file
	if err != nil {
		return 0, err
	}
	return time.ParseDuration(string(text))
}
