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
	"slices"
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
	root   string
	dir    string // of the package, relative to the root
	tests  string // which tests to run, as for go test -run; empty for all
	work   string // for what is built
	rounds []round
	env    []string // what the tests are told besides
}

// A round is some of the tests, which run together. The quick ones come first, since they find most faults.
type round struct {
	flags []string      // which tests
	limit time.Duration // what they may take, however long the whole takes
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

// run runs the tests that were built, up to the first that fails.
func (r *runner) run(ctx context.Context) (result outcome, output string, err error) {
	for _, round := range r.rounds {
		if result, output, err = r.start(ctx, round); result != lived || err != nil {
			break
		}
	}
	return result, output, err
}

// start runs some of the tests.
func (r *runner) start(ctx context.Context, some round) (outcome, string, error) {
	// The limit of the tests themselves comes first, so that they end what they have started; the other is for tests that cannot.
	ctx, cancel := context.WithTimeout(ctx, some.limit+30*time.Second)
	defer cancel()
	// A fault may turn a loop into one that never ends and takes memory each time round.
	const limitMemory = `ulimit -v 8000000 2>/dev/null; exec "$0" "$@"`
	args := append([]string{"-c", limitMemory, r.binary(), "-test.failfast", "-test.timeout=" + some.limit.String()}, some.flags...)
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

// measure runs the tests as they are, which must pass, and deals them out to rounds. It gives back what the tests cover.
func (r *runner) measure(ctx context.Context) (coverage, error) {
	if ok, err := r.build(ctx, nil, "-cover"); !ok {
		return nil, err
	}
	profile := filepath.Join(r.work, "coverage")
	all := round{[]string{"-test.run=" + r.tests, "-test.v", "-test.coverprofile=" + profile}, 10 * time.Minute}
	begin := time.Now()
	result, output, err := r.start(ctx, all)
	if err != nil {
		return nil, err
	}
	if result != lived {
		return nil, fmt.Errorf("%s: the tests fail as they are, so they can tell nothing of mutants:\n%s", r.dir, output)
	}
	r.rounds = deal(output, r.tests, time.Since(begin))
	text, err := os.ReadFile(profile)
	if err != nil {
		return nil, err
	}
	return parseCoverage(string(text))
}

// passedTest is what go test -v says of a test that is not part of another.
var passedTest = regexp.MustCompile(`(?m)^--- PASS: (\w+) \(([0-9.]+)s\)$`)

// deal makes rounds of tests that took so long altogether: those that take next to no time, those that take less than half a
// second, and all others.
func deal(output, tests string, took time.Duration) (rounds []round) {
	var dealt []string
	for _, bound := range []time.Duration{20 * time.Millisecond, 500 * time.Millisecond} {
		var names []string
		var together time.Duration
		for _, test := range passedTest.FindAllStringSubmatch(output, -1) {
			alone, err := time.ParseDuration(test[2] + "s")
			if err == nil && alone < bound && !slices.Contains(dealt, test[1]) {
				names = append(names, test[1])
				together += alone
			}
		}
		if names != nil {
			dealt = append(dealt, names...)
			rounds = append(rounds, round{[]string{"-test.run=" + anyOf(names)}, ample(together)})
		}
	}
	rest := []string{"-test.run=" + tests}
	if dealt != nil {
		rest = append(rest, "-test.skip="+anyOf(dealt))
	}
	return append(rounds, round{rest, ample(took)})
}

// anyOf matches tests by their names.
func anyOf(names []string) string { return "^(" + strings.Join(names, "|") + ")$" }

// ample is what tests that took so long may take, so that a busy machine does not pass for a test that found something.
func ample(took time.Duration) time.Duration { return 15*time.Second + 8*took.Round(time.Second) }
