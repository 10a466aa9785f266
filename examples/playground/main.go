// Command playground shows what the library does. It starts an identity provider, the same service in every
// framework, and a page (make demo SERVE=1). The page sends the same request to all services and shows their answers,
// with the reasons. With -table it sends ten requests and prints the answers (make demo).
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/examples/servers"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:0", "the loopback `address` of the page; port 0 takes any free one")
	table := flag.Bool("table", false, "send the ten requests of the page to every service, print the answers and exit")
	servers.RunFunction(service.Functions(), nil)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	run := func() error { return serve(ctx, *addr, os.Stdout) }
	if *table {
		run = func() error { return demo(ctx, os.Stdout) }
	}
	if err := run(); err != nil {
		stop()
		log.Fatal(err) //nolint:gocritic // nothing else is deferred
	}
}

// demo prints the answers to the ten requests.
func demo(ctx context.Context, w io.Writer) error {
	p, err := start(ctx)
	if err != nil {
		return err
	}
	defer p.close()
	p.printAddresses(w)
	return p.printTable(ctx, w)
}

// serve serves the page until ctx ends.
func serve(ctx context.Context, addr string, w io.Writer) error {
	if !isLoopback(addr) {
		return fmt.Errorf("-addr %q: the page hands out tokens, so it is for this machine only: write 127.0.0.1 and a port", addr)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	// The services outlive ctx, so that stop ends them in order.
	p, err := start(context.WithoutCancel(ctx))
	if err != nil {
		_ = listener.Close()
		return err
	}
	defer p.close()
	p.printAddresses(w)
	p.printCurls(w)
	_, _ = fmt.Fprintf(w, "\nThe playground: http://%s/\n\nCtrl-C ends it.\n", listener.Addr())

	server := &http.Server{Handler: p.handler(), ReadHeaderTimeout: 5 * time.Second}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func (p *playground) printAddresses(w io.Writer) {
	_, _ = fmt.Fprintf(w, "An issuer at %s, and five services that accept its tokens:\n", p.issuer.URL())
	for _, s := range p.services {
		_, _ = fmt.Fprintf(w, "  %-8s %s%s\n", s.Name, s.URL, routes[0].Path)
	}
	_, _ = fmt.Fprintln(w)
}

// printCurls prints lines that can be pasted one by one.
func (p *playground) printCurls(w io.Writer) {
	clerk := "Bearer " + p.issuer.MustToken(devissuer.Permission("orders.role", "clerk"))
	guest := "Bearer " + p.issuer.MustToken(devissuer.Permission("orders.role", "guest"))
	_, _ = fmt.Fprintln(w, "The tokens are valid for an hour. Paste these into another terminal:")
	for _, s := range p.services {
		url := s.URL + routes[0].Path
		_, _ = fmt.Fprintf(w, "\n# %s: a clerk gets 200\n%s\n", s.Name, curl(url, []string{clerk}))
		_, _ = fmt.Fprintf(w, "# %s: without a token you get 401\n%s\n", s.Name, curl(url, nil))
		_, _ = fmt.Fprintf(w, "# %s: a guest gets 403\n%s\n", s.Name, curl(url, []string{guest}))
	}
}
