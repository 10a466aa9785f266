package browser

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"regexp"
	"sync"
	"testing"
	"time"
)

var address = regexp.MustCompile(`The playground: (http://127\.0\.0\.1:\d+/)`)

// start runs a playground until the test ends, and returns its address. The playground and its Lambda function must
// end when it is interrupted; TestMain checks that no process is left.
func start(t *testing.T) string {
	t.Helper()
	needBrowser(t)
	program := exec.Command(playground)
	var stderr bytes.Buffer
	program.Stderr = &stderr
	stdout, err := program.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	var reading sync.WaitGroup
	found := make(chan string, 1)
	reading.Go(func() {
		defer close(found)
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			if match := address.FindStringSubmatch(lines.Text()); match != nil {
				found <- match[1]
				_, _ = io.Copy(io.Discard, stdout)
				return
			}
		}
	})
	t.Cleanup(func() {
		_ = program.Process.Signal(os.Interrupt)
		late := time.AfterFunc(limit, func() { t.Error("the playground did not end"); _ = program.Process.Kill() })
		reading.Wait()
		err := program.Wait()
		late.Stop()
		if err != nil {
			t.Errorf("the playground ended with %v\n%s", err, &stderr)
		}
	})
	url, ok := <-found
	if !ok {
		t.Fatal("no address printed")
	}
	return url
}
