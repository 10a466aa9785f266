package cli

import (
	"cmp"
	"io"
	"time"

	"github.com/more-retail/moresso-go/cmd/sso/internal/explain"
	"github.com/more-retail/moresso-go/cmd/sso/internal/term"
)

// maxInput bounds what is read from a pipe. The library accepts tokens of at most 1 MiB.
const maxInput = 2 << 20

// input reads a token from SSO_TOKEN or, if that is not set or with --stdin, from standard input.
func (p *program) input(stdin bool) (input explain.Input, where string, err error) {
	redirected := p.env.Stdin != nil && !term.IsTerminal(p.env.Stdin)
	if input = explain.ParseInput(p.env.Lookup("SSO_TOKEN")); !stdin && !input.Empty() {
		where = "SSO_TOKEN"
		if redirected {
			where += " (--stdin reads standard input instead)"
		}
		return input, where, nil
	}
	if redirected || stdin && p.env.Stdin != nil {
		if input, err = p.read(); err != nil || !input.Empty() {
			return input, "standard input", err
		}
	}
	return input, "", usage("no token: send one through a pipe, such as sso mint | sso explain, or set the variable SSO_TOKEN")
}

// read reads a token from standard input. It is empty if the input is.
func (p *program) read() (explain.Input, error) {
	text, err := io.ReadAll(io.LimitReader(p.env.Stdin, maxInput+1))
	if len(text) > maxInput {
		err = usage("standard input has more than %d MiB: send one token", maxInput>>20)
	}
	return explain.ParseInput(string(text)), err
}

// piped reads a token that a command does not need. It is empty if nothing is written to the pipe for a
// while, as where ssh runs the command.
func (p *program) piped() (explain.Input, error) {
	type result struct {
		explain.Input
		error
	}
	if p.env.Stdin == nil || term.IsTerminal(p.env.Stdin) {
		return explain.Input{}, nil
	}
	done := make(chan result, 1)
	go func() {
		input, err := p.read()
		done <- result{input, err}
	}()
	select {
	case r := <-done:
		return r.Input, r.error
	case <-time.After(cmp.Or(p.env.Patience, 5*time.Second)):
		return explain.Input{}, nil
	}
}
