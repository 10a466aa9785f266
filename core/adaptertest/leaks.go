package adaptertest

import (
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// CheckLeaks fails the test if goroutines that were started after this call are still running three
// seconds after the rest of the test has ended. Call it first: clean-up functions run in reverse order.
// It is not for parallel tests, whose goroutines it would report.
func CheckLeaks(t testing.TB) {
	t.Helper()
	before := goroutines()
	t.Cleanup(func() {
		for deadline := time.Now().Add(3 * time.Second); ; time.Sleep(5 * time.Millisecond) {
			leaked := goroutines()
			for id := range before {
				delete(leaked, id)
			}
			if len(leaked) == 0 {
				return
			}
			if time.Now().After(deadline) {
				for _, stack := range leaked {
					t.Errorf("a goroutine was left running:\n%s", stack)
				}
				return
			}
		}
	})
}

var (
	goroutineID = regexp.MustCompile(`^goroutine (\d+) `)
	// tolerated goroutines are started once for the process, or end some seconds after a server.
	tolerated = []string{
		"fasthttp.updateServerDate", "fasthttp.(*workerPool).Start", "testing.(*T).Run", "testing.runFuzzing", "os/signal.loop",
	}
)

// goroutines returns the stacks of all other goroutines by id.
func goroutines() map[string]string {
	buf := make([]byte, 1<<20)
	n := runtime.Stack(buf, true)
	for ; n == len(buf); n = runtime.Stack(buf, true) {
		buf = make([]byte, 2*len(buf))
	}
	byID := map[string]string{}
	for _, stack := range strings.Split(string(buf[:n]), "\n\n")[1:] { // the first is this one
		id := goroutineID.FindStringSubmatch(stack)
		if id != nil && !slices.ContainsFunc(tolerated, func(name string) bool { return strings.Contains(stack, name) }) {
			byID[id[1]] = stack
		}
	}
	return byID
}
