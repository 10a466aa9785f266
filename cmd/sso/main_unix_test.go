//go:build unix

package main

import (
	"bufio"
	"os"
	"strings"
	"syscall"
	"testing"
)

// The process itself: it serves until it is told to end, and then ends well.
func TestServeEndsOnASignal(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		read, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		args, stdout := os.Args, os.Stdout
		os.Args, os.Stdout = []string{"sso", "serve", "--listen", "127.0.0.1:0", "--keys-file=", "--algorithm", "ES256"}, write
		ended := make(chan int, 1)
		go func() { ended <- run() }()
		for lines := bufio.NewScanner(read); lines.Scan(); {
			if strings.Contains(lines.Text(), "Ctrl-C ends it.") {
				break
			}
		}
		if err := syscall.Kill(os.Getpid(), signal); err != nil {
			t.Fatal(err)
		}
		if code := <-ended; code != 0 {
			t.Errorf("%v: exit code %d", signal, code)
		}
		os.Args, os.Stdout = args, stdout
		_ = write.Close()
		_ = read.Close()
	}
}
