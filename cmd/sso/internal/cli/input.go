package cli

import (
	"io"
	"os"

	"github.com/more-retail/moresso-go/cmd/sso/internal/explain"
	"github.com/more-retail/moresso-go/cmd/sso/internal/term"
)

// maxInput bounds what is read from a pipe. The longest token that the library can be told to
// read has 1 MiB.
const maxInput = 2 << 20

// tokenVariable is where a token can stand.
const tokenVariable = "SSO_TOKEN"

// input reads a token from a pipe or a file that standard input was redirected to, and if there
// is nothing from the variable SSO_TOKEN.
func (p *program) input() (input explain.Input, where string, err error) {
	if f, ok := p.env.Stdin.(*os.File); p.env.Stdin != nil && (!ok || !term.IsTerminal(f)) {
		text, err := io.ReadAll(io.LimitReader(p.env.Stdin, maxInput+1))
		if err != nil {
			return input, "", err
		}
		if len(text) > maxInput {
			return input, "", usage("more than %d MiB came through the pipe, which is no token", maxInput>>20)
		}
		if input = explain.ParseInput(string(text)); !input.Empty() {
			return input, "standard input", nil
		}
	}
	if text := p.env.Lookup(tokenVariable); text != "" {
		if input = explain.ParseInput(text); !input.Empty() {
			return input, tokenVariable, nil
		}
	}
	return input, "", usage("there is no token: send one through a pipe, such as sso mint | sso explain, or put it into the variable %s", tokenVariable)
}
