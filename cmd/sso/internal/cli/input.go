package cli

import (
	"io"

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
		text, err := io.ReadAll(io.LimitReader(p.env.Stdin, maxInput+1))
		if err != nil {
			return input, "", err
		}
		if len(text) > maxInput {
			return input, "", usage("standard input has more than %d MiB: send one token", maxInput>>20)
		}
		if input = explain.ParseInput(string(text)); !input.Empty() {
			return input, "standard input", nil
		}
	}
	return input, "", usage("no token: send one through a pipe, such as sso mint | sso explain, or set the variable SSO_TOKEN")
}
