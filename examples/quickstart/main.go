// Command quickstart shows the library at work: it starts an identity provider, one service in
// each framework and a Lambda function, sends all of them the same ten requests, and prints
// what they answered. With -serve it leaves them running.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"

	"github.com/more-retail/moresso-go/core/devissuer"
)

func main() {
	serve := flag.Bool("serve", false, "leave the servers running, and print curl lines")
	function := flag.Bool("function", false, "be the Lambda function (used by quickstart itself)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	run := func() error { return quickstart(ctx, *serve) }
	if *function {
		run = lambdaFunction
	}
	if err := run(); err != nil {
		stop()
		log.Fatal(err) //nolint:gocritic // nothing else is deferred
	}
}

func quickstart(ctx context.Context, serve bool) error {
	issuer, err := devissuer.Start(devissuer.WithAudience(audience))
	if err != nil {
		return err
	}
	defer issuer.Close() //nolint:errcheck // the process ends

	doors, stop, err := openDoors(ctx, issuer)
	if err != nil {
		return err
	}
	defer stop()

	fmt.Printf("An issuer at %s, and five services that trust it:\n", issuer.URL())
	for _, d := range doors {
		fmt.Printf("  %-8s %s%s\n", d.name, d.url, route)
	}
	fmt.Println()
	agreed := compare(ctx, os.Stdout, issuer, doors)
	if serve {
		printCurls(os.Stdout, issuer, doors)
		<-ctx.Done()
		return nil
	}
	if !agreed {
		return errors.New("the services did not all answer as expected")
	}
	return nil
}
