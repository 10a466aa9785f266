// Command footprint measures what this library adds to a small service of each framework: bytes of
// the binary, packages, and modules. It fails if core adds more than it may, or if two builds of the
// same service differ.
//
//	cd tools && GOWORK=off go run ./footprint -o ../docs/FOOTPRINT.md
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"strings"

	"github.com/more-retail/moresso-go/tools/internal/repo"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("footprint: ")
	out := flag.String("o", "", "the document to write; without it the table is printed only")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, *out); err != nil {
		stop()
		log.Fatal(err) //nolint:gocritic // stop has been called
	}
}

func run(ctx context.Context, w io.Writer, out string) error {
	root, err := repo.Root()
	if err != nil {
		return err
	}
	temporary, err := os.MkdirTemp("", "footprint")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temporary) //nolint:errcheck // a folder for temporary files, which the system clears
	r, err := measureAll(ctx, root, temporary)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(w, r.table()); err != nil {
		return err
	}
	if out != "" {
		if err := os.WriteFile(out, []byte(r.document()), 0o600); err != nil {
			return err
		}
	}
	if found := r.faults(); len(found) > 0 {
		return errors.New("FAILED\n" + strings.Join(found, "\n"))
	}
	_, err = fmt.Fprintf(w, "footprint: core and httpsso add at most %s bytes; two builds of the same service are the same\n", number(limit))
	return err
}

// measureAll measures every program once.
func measureAll(ctx context.Context, root, temporary string) (*report, error) {
	shop, err := open(ctx, root, temporary)
	if err != nil {
		return nil, err
	}
	r := &report{programs: map[string]footprint{}}
	measure := func(name, adapter string) error {
		if _, done := r.programs[name]; done {
			return nil
		}
		f, err := shop.measure(ctx, name, adapter)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		r.programs[name] = f
		return nil
	}
	for _, row := range rows {
		for _, name := range []string{row.without, row.with} {
			if err := measure(name, row.module); err != nil {
				return nil, err
			}
		}
	}
	if err := measure(client, ""); err != nil {
		return nil, err
	}
	if r.same, err = shop.reproduce(ctx, reproduced); err != nil {
		return nil, err
	}
	told, err := shop.run(ctx, temporary, "env", "GOVERSION")
	r.goVersion = strings.TrimSpace(told)
	return r, err
}
