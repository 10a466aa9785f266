package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// The outcome of the tests for one mutant.
type outcome int

const (
	killed    outcome = iota // a test failed, as it should
	lived                    // all tests passed
	timedOut                 // the tests never ended, which fails them too, though more slowly
	uncovered                // no test comes past the place
	notViable                // it does not compile
)

// A runner builds and runs the tests of one package with some of its files replaced. It uses the overlay of the go command:
// nothing in the tree is touched, nothing is copied, and the tests find the files round them as always.
type runner struct {
	root    string
	dir     string // of the package, relative to the root
	tests   string // which tests to run, as for go test -run; empty for all
	slow    string // which of them are slow, and run last; empty for none
	work    string // for what is built
	timeout time.Duration
	env     []string // what the tests are told besides
}

// beside is a runner of the same tests with a folder of its own, so that both can build and run at once.
func (r *runner) beside(name string) (*runner, error) {
	other := *r
	other.work = filepath.Join(r.work, name)
	return &other, os.Mkdir(other.work, 0o700)
}

func (r *runner) binary() string { return filepath.Join(r.work, "package.test") }

// build builds the tests with sources in the place of files. A text that does not compile gives ok false.
func (r *runner) build(ctx context.Context, sources map[string][]byte, flags ...string) (ok bool, err error) {
	replace := map[string]string{}
	for file, text := range sources {
		name := fmt.Sprintf("overlay-%d.go", len(replace))
		if err := os.WriteFile(filepath.Join(r.work, name), text, 0o600); err != nil {
			return false, err
		}
		replace[filepath.Join(r.root, filepath.FromSlash(file))] = filepath.Join(r.work, name)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return false, err
	}
	list := filepath.Join(r.work, "overlay.json")
	if err := os.WriteFile(list, overlay, 0o600); err != nil {
		return false, err
	}
	// Some faults are such that vet sees them; whether a test does is the question here.
	args := append([]string{"test", "-c", "-vet=off", "-o", r.binary(), "-overlay", list}, flags...)
	output, err := r.command(ctx, "go", append(args, ".")...).CombinedOutput()
	if err == nil {
		return true, nil
	}
	// The compiler names the file it cannot compile, by either name. Whatever else stops the build must not pass for a found fault.
	for file, instead := range replace {
		if strings.Contains(string(output), filepath.Base(file)+":") || strings.Contains(string(output), instead+":") {
			return false, nil
		}
	}
	return false, fmt.Errorf("%s: the tests do not build: %w\n%s", r.dir, err, output)
}

// run runs the tests that were built, up to the first that fails. The slow ones come last, since most faults are found without them.
func (r *runner) run(ctx context.Context) (outcome, string, error) {
	if r.slow == "" {
		return r.start(ctx, "-test.run="+r.tests)
	}
	if result, output, err := r.start(ctx, "-test.run="+r.tests, "-test.skip="+r.slow); result != lived || err != nil {
		return result, output, err
	}
	return r.start(ctx, "-test.run="+r.slow)
}

// start runs some of the tests.
func (r *runner) start(ctx context.Context, flags ...string) (outcome, string, error) {
	// The limit of the tests themselves comes first, so that they end what they have started; the other is for tests that cannot.
	ctx, cancel := context.WithTimeout(ctx, r.timeout+30*time.Second)
	defer cancel()
	// A fault may turn a loop into one that never ends and takes memory each time round.
	const limitMemory = `ulimit -v 8000000 2>/dev/null; exec "$0" "$@"`
	args := append([]string{"-c", limitMemory, r.binary(), "-test.failfast", "-test.timeout=" + r.timeout.String()}, flags...)
	cmd := r.command(ctx, "sh", args...)
	cmd.WaitDelay = 5 * time.Second
	output, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return lived, string(output), nil
	case ctx.Err() != nil || strings.Contains(string(output), "panic: test timed out after"):
		return timedOut, string(output), nil
	case errors.As(err, &exit) || errors.Is(err, exec.ErrWaitDelay):
		return killed, string(output), nil
	}
	return killed, "", err
}

// command is run in the package's folder, as go test does it.
func (r *runner) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = filepath.Join(r.root, filepath.FromSlash(r.dir))
	cmd.Env = append(append(os.Environ(), "GOWORK="+filepath.Join(r.root, "go.work")), r.env...)
	return cmd
}

// measure runs the tests as they are, which must pass, and sets the time that a mutant gets. It gives back what the tests cover.
func (r *runner) measure(ctx context.Context) (coverage, error) {
	r.timeout = 10 * time.Minute
	if ok, err := r.build(ctx, nil, "-cover"); !ok {
		return nil, err
	}
	profile := filepath.Join(r.work, "coverage")
	begin := time.Now()
	result, output, err := r.start(ctx, "-test.run="+r.tests, "-test.v", "-test.coverprofile="+profile)
	if err != nil {
		return nil, err
	}
	if result != lived {
		return nil, fmt.Errorf("%s: the tests fail as they are, so they can tell nothing of mutants:\n%s", r.dir, output)
	}
	// Ample, so that a busy machine does not pass for a test that found something.
	r.timeout = 15*time.Second + 8*time.Since(begin).Round(time.Second)
	r.slow = slowTests(output)
	text, err := os.ReadFile(profile)
	if err != nil {
		return nil, err
	}
	return parseCoverage(string(text))
}

// passedTest is what go test -v says of a test that is not part of another.
var passedTest = regexp.MustCompile(`(?m)^--- PASS: (\w+) \(([0-9.]+)s\)$`)

// slowTests matches the tests that took half a second or more; it is empty if there are none.
func slowTests(output string) string {
	var names []string
	for _, test := range passedTest.FindAllStringSubmatch(output, -1) {
		if seconds, err := strconv.ParseFloat(test[2], 64); err == nil && seconds >= 0.5 {
			names = append(names, test[1])
		}
	}
	if names == nil {
		return ""
	}
	return "^(" + strings.Join(names, "|") + ")$"
}
