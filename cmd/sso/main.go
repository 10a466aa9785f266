// Command sso makes tokens for development, explains why a token is accepted or refused, and
// checks a service's settings before they reach production.
//
// "make sso" builds it into bin/. docs/CLI.md describes the commands, with examples.
package main

import (
	"context"
	"os"

	"github.com/more-retail/moresso-go/cmd/sso/internal/cli"
)

func main() { os.Exit(run()) }

// run does not catch signals, so that they end the process even while it reads a pipe. Only sso
// serve catches them.
func run() int { return cli.Run(context.Background(), cli.System()) }
