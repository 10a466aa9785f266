// Command quickstart shows the library at work: it starts an identity provider, one service in
// each framework and a Lambda function, sends all of them the same ten requests, and prints
// what they answered.
package main

import (
	"context"
	"errors"
	"flag"
	"log"
	"os"
	"os/signal"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/examples/internal/doors"
)

func main() {
	function := flag.Bool("function", false, "be the Lambda function (used by quickstart itself)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	run := func() error { return quickstart(ctx) }
	if *function {
		run = func() error { return doors.Function(services) }
	}
	if err := run(); err != nil {
		stop()
		log.Fatal(err) //nolint:gocritic // nothing else is deferred
	}
}

func quickstart(ctx context.Context) error {
	issuer, err := devissuer.Start(devissuer.WithAudience(audience))
	if err != nil {
		return err
	}
	defer issuer.Close() //nolint:errcheck // the process ends

	list, stop, err := doors.Open(ctx, issuer, audience, services)
	defer stop()
	if err != nil {
		return err
	}
	doors.Print(os.Stdout, issuer, list, route)
	if !compare(ctx, os.Stdout, issuer, list) {
		return errors.New("the services did not all answer as expected")
	}
	return nil
}
