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

// input takes a token from the variable SSO_TOKEN, and if that is not set from a pipe or a file that
// standard input was redirected to. Where the flag --stdin asks for standard input, the variable is
// not looked at.
func (p *program) input(stdin bool) (input explain.Input, where string, err error) {
	f, ok := p.env.Stdin.(*os.File)
	redirected := p.env.Stdin != nil && (!ok || !term.IsTerminal(f))
	if text := p.env.Lookup(tokenVariable); !stdin && text != "" {
		if input = explain.ParseInput(text); !input.Empty() {
			where = tokenVariable
			if redirected {
				where += " (--stdin takes standard input instead)"
			}
			return input, where, nil
		}
	}
	if redirected || stdin && p.env.Stdin != nil {
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
	if stdin {
		return input, "", usage("there is no token on standard input: send one through a pipe, such as sso mint | sso explain --stdin")
	}
	return input, "", usage("there is no token: send one through a pipe, such as sso mint | sso explain, or put it into the variable %s", tokenVariable)
}
