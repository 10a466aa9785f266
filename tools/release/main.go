// Command release checks that the modules of this repository can be required from outside, and
// releases them together. It is called by make release-check and by scripts/release.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"

	"github.com/more-retail/moresso-go/tools/internal/repo"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop has been called
	}
}

func run(ctx context.Context, args []string) error {
	root, err := repo.Root()
	if err != nil {
		return err
	}
	switch {
	case len(args) == 1 && args[0] == "check":
		_, _, err := checked(root)
		return err
	case len(args) == 1 && args[0] == "rehearse":
		return rehearse(ctx, root)
	case len(args) == 2 && args[0] == "tag":
		return release(ctx, root, args[1])
	}
	return errors.New("usage: release check | rehearse | tag vX.Y.Z")
}
