// Command sso makes tokens for development, explains why a token is accepted or refused, and
// checks a service's settings before they reach production. "sso --help" says more.
package main

import (
	"context"
	"os"

	"github.com/more-retail/moresso-go/cmd/sso/internal/cli"
)

func main() { os.Exit(run()) }

// run leaves signals as they are: they end the process, also while it waits for a pipe. Only sso
// serve, which has something to end, takes them itself.
func run() int { return cli.Run(context.Background(), cli.System()) }
