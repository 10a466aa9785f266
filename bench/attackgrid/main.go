// Command attackgrid sends the attack corpus of core/ssotest to this library and its peers, and
// prints who accepts what. Nothing in the grid is written down here.
//
//	go run ./attackgrid                                     # from bench/, with GOWORK=off
//	go run ./attackgrid -o ../docs/SECURITY-TESTING.md      # into that document too
package main

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/more-retail/moresso-go/bench/internal/peers"
)

func main() {
	out := flag.String("o", "", "write the grid between the marks of this Markdown `file` too")
	flag.Parse()
	// The corpus mints with an issuer that ends with a *testing.T, and package testing hands one
	// to tests only; so the grid is one.
	testing.Main(func(string, string) (bool, error) { return true, nil }, []testing.InternalTest{{Name: "attackgrid", F: func(t *testing.T) {
		g := run(t, peers.All)
		fmt.Print(g.text())
		if *out != "" {
			if err := g.writeInto(*out); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range g.accepted(0) {
			t.Errorf("%s accepts %s", peers.All[0].Name, name)
		}
		if !t.Failed() {
			fmt.Printf("attackgrid: %s withstands all %d attacks\n", peers.All[0].Name, len(g.rows))
			os.Exit(0) // or package testing would print PASS under the grid
		}
	}}}, nil, nil)
}
