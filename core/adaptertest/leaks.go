package adaptertest

import (
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
)

// CheckLeaks fails the test if goroutines that were started after this call are still running
// some seconds after everything else of the test has ended. Call it first: clean-up functions
// run in reverse order. Not for tests that run in parallel, whose goroutines it would take for
// this test's. It waits up to three seconds for what is about to end.
func CheckLeaks(t testing.TB) {
	t.Helper()
	before := goroutines()
	t.Cleanup(func() {
		deadline := time.After(3 * time.Second)
		for {
			leaked := goroutines()
			for id := range before {
				delete(leaked, id)
			}
			if len(leaked) == 0 {
				return
			}
			select {
			case <-deadline:
				for _, stack := range leaked {
					t.Errorf("a goroutine was left running:\n%s", stack)
				}
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	})
}

var (
	goroutineID = regexp.MustCompile(`^goroutine (\d+) `)
	// tolerated are goroutines of others: started once for the whole process, or asleep for
	// some seconds after a server has been shut down.
	tolerated = []string{
		"fasthttp.updateServerDate", "fasthttp.(*workerPool).Start", "testing.(*T).Run", "testing.runFuzzing", "os/signal.loop",
	}
)

// goroutines returns the stacks of all goroutines but this one, by their ids.
func goroutines() map[string]string {
	buf := make([]byte, 1<<20)
	for n := runtime.Stack(buf, true); n == len(buf); n = runtime.Stack(buf, true) {
		buf = make([]byte, 2*len(buf))
	}
	buf = buf[:runtime.Stack(buf, true)]
	stacks := strings.Split(strings.TrimRight(string(buf), "\x00\n"), "\n\n")
	byID := map[string]string{}
	for _, stack := range stacks[1:] { // the first is this one
		id := goroutineID.FindStringSubmatch(stack)
		if id == nil || containsAny(stack, tolerated) {
			continue
		}
		byID[id[1]] = stack
	}
	return byID
}

func containsAny(s string, substrings []string) bool {
	for _, substring := range substrings {
		if strings.Contains(s, substring) {
			return true
		}
	}
	return false
}
