// Command sso makes tokens for development, explains why a token is accepted or refused, and
// checks a service's settings before they reach production. "sso --help" says more.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/more-retail/moresso-go/cmd/sso/internal/cli"
)

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return cli.Run(ctx, cli.System())
}
