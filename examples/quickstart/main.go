// Command quickstart shows the library at work: it starts an identity provider and the same service in every
// framework, sends all of them the same ten requests, and prints their answers.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"

	"github.com/more-retail/moresso-go/core/permission"
	"github.com/more-retail/moresso-go/core/sso"
	"github.com/more-retail/moresso-go/examples/servers"
)

const (
	audience = "orders-api"
	route    = "/orders"
)

func newService() servers.Service {
	service := servers.Routes(servers.Route{
		Path:       route,
		Permission: permission.Is("orders.role", "clerk"),
		Handle:     func(p *sso.Principal, _ bool) string { return fmt.Sprintf(`{"hello":%q}`, p.Subject()) },
	})
	service.RESTAPI = nil // one Lambda function is enough here
	return service
}

func main() {
	service := newService()
	servers.RunFunction(service.Functions(), nil)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := quickstart(ctx, os.Stdout, service); err != nil {
		stop()
		log.Fatal(err) //nolint:gocritic // nothing else is deferred
	}
}

func quickstart(ctx context.Context, w io.Writer, service servers.Service) error {
	demo, err := servers.StartDemo(ctx, audience, service)
	if err != nil {
		return err
	}
	demo.Print(w, route)
	agree := compare(ctx, w, demo)
	client.CloseIdleConnections()
	if err := demo.Stop(); err != nil {
		return err
	}
	if !agree {
		return errors.New("the services did not all answer as expected")
	}
	return nil
}
