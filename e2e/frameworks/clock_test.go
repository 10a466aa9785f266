package frameworks

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/core/sso"
)

// clock is the real time plus an offset. The offset is in a file, which functions in processes of their own read too.
type clock struct {
	tb     testing.TB
	path   string
	offset time.Duration
}

// clockVariable is the path of a clock's file, in the environment of a function.
const clockVariable = "MORESSO_E2E_CLOCK"

// newClock returns a clock that shows the real time.
func newClock(tb testing.TB) *clock {
	tb.Helper()
	c := &clock{tb: tb, path: filepath.Join(tb.TempDir(), "offset")}
	c.Forward(0)
	return c
}

// Forward advances the time of every server that was started with this clock. It is not for concurrent use.
func (c *clock) Forward(d time.Duration) {
	c.tb.Helper()
	c.offset += d
	next := c.path + ".next" // a concurrent reader must not find half of the file
	if err := os.WriteFile(next, []byte(c.offset.String()), 0o600); err != nil {
		c.tb.Fatal(err)
	}
	if err := os.Rename(next, c.path); err != nil {
		c.tb.Fatal(err)
	}
}

// setClock configures a function.
func setClock(c *sso.Config) {
	if path := os.Getenv(clockVariable); path != "" {
		c.Now = clockAt(path)
	}
}

func clockAt(path string) func() time.Time {
	return func() time.Time {
		text, err := os.ReadFile(path)
		if err != nil {
			panic(err)
		}
		offset, err := time.ParseDuration(string(text))
		if err != nil {
			panic(err)
		}
		return time.Now().Add(offset)
	}
}
