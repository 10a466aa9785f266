package doors

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"
)

// journal takes down what a door's service logs, in lines of JSON: a function writes them to its stderr, which
// a process of its own may do some time after the answer.
type journal struct {
	reasons chan string // of refusals, each once

	mu     sync.Mutex
	text   bytes.Buffer
	line   []byte // that has not ended yet
	visits int64  // of the handler
}

// handled is what a handler logs.
const handled = "handled"

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.line = append(j.line, p...)
	for {
		line, rest, ended := bytes.Cut(j.line, []byte("\n"))
		if !ended {
			return len(p), nil
		}
		j.take(line)
		j.line = rest
	}
}

func (j *journal) take(line []byte) {
	var record struct{ Msg, Reason string }
	_ = json.Unmarshal(line, &record) // what is no JSON is somebody else's, and kept all the same
	switch record.Msg {
	case handled:
		j.visits++
		return // there are many of them
	case "sso: refused":
		select {
		case j.reasons <- record.Reason:
		default: // nobody has asked for a long time
		}
	}
	j.text.Write(line)
	j.text.WriteByte('\n')
}

// reason waits for the next refusal. That is the caller's own if it sends one bad request at a time.
func (j *journal) reason(ctx context.Context) (string, error) {
	select {
	case reason := <-j.reasons:
		return reason, nil
	case <-ctx.Done():
		return "", errors.New("the service's log tells of no refusal")
	}
}

// visited tells how often the handler has run.
func (j *journal) visited() int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.visits
}

// tell shows a failed test what the service had to say.
func (j *journal) tell(tb testing.TB, name string) {
	tb.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	if tb.Failed() {
		tb.Logf("%s logged:\n%s%s", name, j.text.Bytes(), j.line)
	}
}
