// Package cli implements the commands: it parses flags, reads input, calls the other packages and
// prints their results.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/more-retail/moresso-go/cmd/sso/internal/term"
	"github.com/more-retail/moresso-go/core/sso"
)

// Exit codes.
const (
	ExitOK      = 0 // done; the token is accepted; no red finding
	ExitRefused = 1 // the token or the permission is refused, a finding is red, or the command failed
	ExitUsage   = 2 // the command line, a setting or an input is invalid
)

// Environment is everything that a command uses of its surroundings.
type Environment struct {
	Args   []string // without the program's name
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
	// Lookup returns an environment variable, or "" if it is not set.
	Lookup func(name string) string
	// Service reads the configuration as a service does, which refuses variables that it does not know. If
	// nil, they are not looked for.
	Service func() (sso.Config, error)
	// HTTPClient connects to issuers and providers. If nil, each package uses its own.
	HTTPClient *http.Client
	// Now is the clock. If nil, time.Now is used.
	Now func() time.Time
	// Patience is how long a command that needs no token waits for one on a silent pipe. Default 5 s, which is
	// longer than sso mint waits for an issuer.
	Patience time.Duration
	// Refused, if not nil, is called each time a local issuer refuses a connection and is retried.
	Refused func()
}

// System returns the environment of the process.
func System() Environment {
	return Environment{Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Lookup: os.Getenv, Service: sso.ConfigFromEnv}
}

// Run runs one command until it ends or the context is done, and returns the exit code.
func Run(ctx context.Context, env Environment) int {
	if env.Now == nil {
		env.Now = time.Now
	}
	p := &program{env: env, out: term.NewPrinter(env.Stdout)}
	root := p.root() //nolint:contextcheck // each command gets it when it runs
	root.SetArgs(env.Args)
	root.SetIn(env.Stdin)
	root.SetOut(env.Stdout)
	root.SetErr(env.Stderr)
	command, err := root.ExecuteContextC(ctx)
	if err == nil {
		return p.code
	}
	code := ExitUsage // cobra's own errors are about usage
	if p.failed {
		code = ExitRefused
	}
	if jwt.MatchString(err.Error()) {
		err = errToken
	}
	p.printError(command, err, code)
	return code
}

// A program is one run of the command line.
type program struct {
	env    Environment
	out    *term.Printer
	json   bool
	failed bool // for another reason than usage
	code   int  // if it did not fail
}

// usageError is an error about a flag, a setting or an input.
type usageError struct{ error }

func (u *usageError) Unwrap() error { return u.error }

func usage(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

// run adapts do to cobra. An error of do is not about usage unless it is a usageError.
func (p *program) run(do func(ctx context.Context) error) func(*cobra.Command, []string) error {
	return func(command *cobra.Command, _ []string) error {
		err := do(command.Context())
		var usage *usageError
		p.failed = err != nil && !errors.As(err, &usage)
		return err
	}
}

// printError prints an error to standard error.
func (p *program) printError(command *cobra.Command, err error, code int) {
	if !p.json {
		_, _ = fmt.Fprintf(p.env.Stderr, "%s: %s\n", command.CommandPath(), term.SafeLines(term.Clip(err.Error(), 8<<10)))
		if code == ExitUsage {
			_, _ = fmt.Fprintf(p.env.Stderr, "Run \"%s --help\" for usage.\n", command.CommandPath())
		}
		return
	}
	object := map[string]any{"error": err.Error(), "exit_code": code}
	if invalid, ok := errors.AsType[*sso.ConfigError](err); ok {
		var list []map[string]string
		for _, p := range invalid.Problems {
			list = append(list, map[string]string{"setting": p.Setting, "problem": p.Problem, "remedy": p.Remedy})
		}
		object["faults"] = list
	}
	_ = term.JSON(p.env.Stderr, object)
}

// jwt matches the beginning of a JWT. An error that contains one is not printed.
var jwt = regexp.MustCompile(`\bey[AJ][A-Za-z0-9_-]*\.`)

const howToSend = "send a token through a pipe, such as sso mint | sso explain, or set the variable SSO_TOKEN; other processes and the shell's history see the command line"

var errToken = errors.New("a token was given where none is read: " + howToSend)

func (p *program) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "sso",
		Short: "Mint tokens for development, and explain why a token is refused",
		Long: `sso makes tokens for development, explains why a token is accepted or refused,
and checks a service's settings before they reach production.

A first session:

  sso serve &                                        a development issuer on this machine
  export SSO_ISSUER=http://127.0.0.1:9000 SSO_AUDIENCE=api
  sso doctor                                         checks these settings
  sso mint --permission pma.role=admin | sso explain --require 'is("pma.role", "admin")'
  curl -H "Authorization: Bearer $(sso mint --permission pma.role=admin)" http://localhost:8080/

Exit codes: 0 for success, 1 if a token or permission is refused, a finding is red or
the command failed, 2 for an invalid flag, setting or file. docs/CLI.md has more.`,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          func(command *cobra.Command, _ []string) error { return command.Help() },
	}
	root.SuggestionsMinimumDistance = 2
	root.PersistentFlags().BoolVar(&p.json, "json", false, "print JSON")
	root.AddCommand(p.serve(), p.mint(), p.explain(), p.doctor())
	// An argument that is not a command may be a secret. It is not repeated.
	root.Args = func(_ *cobra.Command, args []string) error {
		if c, _, err := root.Find(args); err == nil && c != root || len(args) == 0 {
			return nil
		}
		if similar := root.SuggestionsFor(args[0]); len(similar) > 0 {
			return errors.New("unknown command; did you mean " + strings.Join(similar, " or ") + "?")
		}
		return errors.New("unknown command; to explain a token, " + howToSend)
	}
	root.InitDefaultHelpCmd()
	if help, _, err := root.Find([]string{"help"}); err == nil {
		help.Args = root.Args
	}
	return root
}

// noArguments refuses arguments, and does not repeat them: one may be a token.
func noArguments(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return errors.New("unexpected argument: this command takes flags only; " + howToSend)
}

// version returns the module's version, if the build recorded it.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "of a working copy"
}
