// Package cli is the command line: it reads flags and input, asks the other packages, prints what
// they answer, and says by the exit code how it went.
package cli

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/more-retail/moresso-go/cmd/sso/internal/term"
	"github.com/more-retail/moresso-go/core/sso"
)

// Exit codes.
const (
	ExitOK      = 0 // done; the token is accepted; nothing red
	ExitRefused = 1 // the token or the permission is refused, something is red, or it could not be done
	ExitUsage   = 2 // the command line, a setting or an input is wrong
)

// Environment is all that a command sees of the world.
type Environment struct {
	Args   []string // without the program's name
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
	// Lookup returns an environment variable, empty if it is not set.
	Lookup func(name string) string
	// HTTPClient reaches issuers and providers. Nil: clients of the packages' own.
	HTTPClient *http.Client
	// Now is the clock. Nil: time.Now.
	Now func() time.Time
	// Refused is called when an issuer that may yet come does not listen, before it is looked for again. Nil: nothing.
	Refused func()
}

// System is the environment that the process was started in.
func System() Environment {
	return Environment{Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Lookup: os.Getenv}
}

// Run runs one command to its end, or to that of the context, and returns the exit code.
func Run(ctx context.Context, env Environment) int {
	if env.Now == nil {
		env.Now = time.Now
	}
	p := &program{env: env}
	root := p.root() //nolint:contextcheck // each command gets it when it runs
	root.SetArgs(env.Args)
	root.SetIn(env.Stdin)
	root.SetOut(env.Stdout)
	root.SetErr(env.Stderr)
	command, err := root, errNoTokenHere
	if len(env.Args) == 0 || env.Args[0] != "help" || !slices.ContainsFunc(env.Args, isToken) { // it would repeat what is no topic
		command, err = root.ExecuteContextC(ctx)
	}
	if err == nil {
		return p.code
	}
	if repeatsToken(err, env.Args) {
		err = errNoTokenHere
	}
	code := ExitUsage // what cobra refuses by itself is a matter of usage
	var failed *failure
	if errors.As(err, &failed) {
		code = ExitRefused
	}
	p.complain(command, err, code)
	return code
}

// A program is one run of the command line.
type program struct {
	env  Environment
	json bool
	code int
}

// failure is an error of what was to be done, and not of how it was asked for.
type failure struct{ error }

func (f *failure) Unwrap() error { return f.error }

// complain tells an error where it does not mix with the output.
func (p *program) complain(command *cobra.Command, err error, code int) {
	if p.json {
		complaint := map[string]any{"error": err.Error(), "exit_code": code}
		var settings *sso.ConfigError
		if errors.As(err, &settings) {
			var list []map[string]string
			for _, f := range settings.Faults {
				list = append(list, map[string]string{"setting": f.Setting, "problem": f.Problem, "remedy": f.Remedy})
			}
			complaint["faults"] = list
		}
		_ = term.JSON(p.env.Stderr, complaint)
		return
	}
	text := term.SafeLines(term.Clip(err.Error(), 8<<10))
	_, _ = fmt.Fprintf(p.env.Stderr, "%s: %s\n", command.CommandPath(), text)
	if code == ExitUsage {
		_, _ = fmt.Fprintf(p.env.Stderr, "%s --help says how it is used.\n", command.CommandPath())
	}
}

// printer prints to the output, in colors if people see it and want them.
func (p *program) printer() *term.Printer {
	return term.NewPrinter(p.env.Stdout, p.env.Lookup("NO_COLOR") != "")
}

func (p *program) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "sso",
		Short: "Tokens to try things with, and an answer to why one was refused",
		Long: `sso makes tokens for development, explains why a token is accepted or refused,
and checks a service's settings before they reach production.

A first session:

  sso serve &                                        a development issuer on this machine
  export SSO_ISSUER=http://127.0.0.1:9000 SSO_AUDIENCE=api
  sso doctor                                         are these settings good?  (waits for sso serve)
  sso mint --permission pma.role=admin | sso explain --require 'is("pma.role", "admin")'
  curl -H "Authorization: Bearer $(sso mint --permission pma.role=admin)" http://localhost:8080/

Exit codes: 0 for yes, 1 for no (refused, red, not to be done), 2 for a mistake on
the command line or in the settings. "sso help topics" lists what else can be read.`,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          p.knownCommand,
		RunE:          func(command *cobra.Command, _ []string) error { return command.Help() },
	}
	root.SuggestionsMinimumDistance = 2
	root.PersistentFlags().BoolVar(&p.json, "json", false, "print JSON, for programs")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		if slices.ContainsFunc(words(err.Error()), looksLikeToken) { // it repeats what was given
			return errNoTokenHere
		}
		return errors.New(term.Clip(err.Error(), 120))
	})
	root.AddCommand(p.serve(), p.mint(), p.explain(), p.doctor(), p.bench())
	root.AddCommand(topics()...)
	return root
}

// knownCommand refuses what is no command. What it was it does not repeat if it may be a token.
func (p *program) knownCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if looksLikeToken(args[0]) {
		return errNoTokenHere
	}
	text := fmt.Sprintf("there is no command %q", args[0])
	if similar := root.SuggestionsFor(args[0]); len(similar) > 0 {
		text += "; did you mean " + strings.Join(similar, " or ") + "?"
	}
	return errors.New(text)
}

// noArguments is for commands that take flags only. It does not repeat what it was given.
func noArguments(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if looksLikeToken(args[0]) {
		return errNoTokenHere
	}
	return fmt.Errorf("%q is too much: this command takes flags only", term.Clip(args[0], 40))
}

var errNoTokenHere = errors.New(`a token does not belong on the command line, where every process of the machine and the shell's history can see it: send it through a pipe (pbpaste | sso explain), or put it into the variable SSO_TOKEN`)

// looksLikeToken is careful: a token must not be repeated in an error that may be logged.
func looksLikeToken(s string) bool {
	return len(s) > 60 || strings.Count(s, ".") >= 2 || strings.HasPrefix(s, "eyJ")
}

// words are those of a text that could be tokens or parts of one.
func words(text string) []string {
	list := strings.FieldsFunc(text, func(r rune) bool {
		return r != '.' && r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
	for i, word := range list {
		list[i] = strings.TrimLeft(word, "-") // of a flag
	}
	return list
}

// isToken is surer than [looksLikeToken]: the first part says that it is a JSON object.
func isToken(word string) bool {
	header, _, parts := strings.Cut(word, ".")
	if !parts {
		return false
	}
	text, err := base64.RawURLEncoding.DecodeString(header)
	return err == nil && bytes.HasPrefix(bytes.TrimSpace(text), []byte("{"))
}

// repeatsToken reports whether an error has a token in it that came by the command line.
func repeatsToken(err error, args []string) bool {
	text := err.Error()
	return slices.ContainsFunc(words(strings.Join(args, " ")), func(word string) bool {
		return isToken(word) && strings.Contains(text, word)
	})
}

// version is that of the module, where the build knows it.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "of a working copy"
}

// run makes what a command does of a function, whose errors are failures unless they are said to
// be of usage.
func (p *program) run(do func(ctx context.Context) error) func(*cobra.Command, []string) error {
	return func(command *cobra.Command, _ []string) error {
		err := do(command.Context())
		var usage *usageError
		if err == nil || errors.As(err, &usage) {
			return err
		}
		return &failure{err}
	}
}

// usageError is an error of how something was asked for.
type usageError struct{ error }

func (u *usageError) Unwrap() error { return u.error }

func usage(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }
