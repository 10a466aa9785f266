//go:build unix

package main

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The process serves until it gets a signal, and then exits with 0.
func TestServe_Signal(t *testing.T) {
	for _, kind := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		read, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		args, stdout := os.Args, os.Stdout
		os.Args, os.Stdout = []string{"sso", "serve", "--listen", "127.0.0.1:0", "--keys-file=", "--algorithm", "ES256"}, write
		ended := make(chan int, 1)
		go func() { ended <- run() }()
		for lines := bufio.NewScanner(read); lines.Scan(); {
			if strings.Contains(lines.Text(), "Press Ctrl-C to stop.") {
				break
			}
		}
		if err := syscall.Kill(os.Getpid(), kind); err != nil {
			t.Fatal(err)
		}
		if code := <-ended; code != 0 {
			t.Errorf("%v: exit code %d", kind, code)
		}
		os.Args, os.Stdout = args, stdout
		_ = write.Close()
		_ = read.Close()
	}
}

// TestMain runs the program for a test that starts the test binary again.
func TestMain(m *testing.M) {
	if os.Getenv("SSO_TEST_IS_THE_PROGRAM") != "" {
		os.Exit(run())
	}
	os.Exit(m.Run())
}

func TestExplain_SignalWhileReading(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// A background job may ignore these signals, and its children inherit that. They do not inherit caught signals.
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGINT, syscall.SIGTERM)
	defer signal.Stop(caught)
	for _, kind := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		command := exec.CommandContext(t.Context(), self, "explain", "--decode")
		command.Env = append(os.Environ(), "SSO_TEST_IS_THE_PROGRAM=1", "SSO_TOKEN=")
		pipe, err := command.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		// This is more than a pipe holds: once it is written, it is being read.
		if _, err := pipe.Write(bytes.Repeat([]byte("x"), 256<<10)); err != nil {
			t.Fatal(err)
		}
		if err := command.Process.Signal(kind); err != nil {
			t.Fatal(err)
		}
		late := time.AfterFunc(10*time.Second, func() { _ = command.Process.Kill() })
		err = command.Wait()
		late.Stop()
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			t.Fatalf("%v: %v", kind, err)
		}
		if status, ok := exit.Sys().(syscall.WaitStatus); !ok || status.Signal() != kind {
			t.Errorf("%v: it ended with %v", kind, err)
		}
		_ = pipe.Close()
	}
}
