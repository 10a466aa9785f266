// Command keysgrid puts this library and its peers into the same situations with one identity
// provider, and prints what became of the tokens. Nothing in the grid is written down here but
// the promises of the first column.
//
//	go run ./keysgrid                            # from bench/, with GOWORK=off
//	go run ./keysgrid -o ../docs/KEYS-GRID.md    # as Markdown too
package main

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/more-retail/moresso-go/bench/internal/peers"
)

func main() {
	out := flag.String("o", "", "write the grid as Markdown to this `file` too")
	flag.Parse()
	// A bubble of testing/synctest takes a *testing.T, and package testing hands one to tests
	// only; so the grid is one.
	testing.Main(func(string, string) (bool, error) { return true, nil }, []testing.InternalTest{{Name: "keysgrid", F: func(t *testing.T) {
		g := run(t, peers.All)
		fmt.Print(g.text())
		if *out != "" {
			if err := os.WriteFile(*out, []byte(g.markdown()), 0o644); err != nil { //nolint:gosec // a document for everybody
				t.Fatal(err)
			}
		}
		for _, failure := range g.broken(0) {
			t.Errorf("%s breaks its promise: %s", peers.All[0].Name, failure)
		}
		if !t.Failed() {
			fmt.Printf("keysgrid: %s keeps its promise in all %d situations\n", peers.All[0].Name, len(g.rows))
			os.Exit(0) // or package testing would print PASS under the grid
		}
	}}}, nil, nil)
}
