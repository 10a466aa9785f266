// Command keysgrid puts this library and its peers into the same situations with one identity
// provider, and prints what became of the tokens. Only the situations and the promises are written
// by hand.
//
//	go run ./keysgrid                            # from bench/, with GOWORK=off
//	go run ./keysgrid -o ../docs/reports/KEYS-GRID.md    # also into that page
package main

import (
	"fmt"
	"testing"

	"github.com/more-retail/moresso-go/bench/internal/peers"
	"github.com/more-retail/moresso-go/bench/internal/report"
)

func main() {
	report.RunGrid("keysgrid", func(t *testing.T) (text string, failures []string) {
		heading, sum := []string{"situation", "promise"}, []string{"kept", ""}
		for _, peer := range peers.All {
			heading = append(heading, peer.Name)
		}
		table, marks := report.Table{heading}, make([]map[mark]int, len(peers.All))
		for _, sit := range situations {
			row := []string{sit.title, sit.promise}
			for i, peer := range peers.All {
				c := measure(t, peer, sit)
				if i == 0 && c.mark != kept {
					failures = append(failures, fmt.Sprintf("%s: %s: promised %s, measured %s", peer.Name, sit.title, sit.promise, c.text))
				}
				if marks[i] == nil {
					marks[i] = map[mark]int{}
				}
				marks[i][c.mark]++
				row = append(row, string(c.mark)+" "+c.text)
			}
			table = append(table, row)
		}
		for _, n := range marks {
			sum = append(sum, fmt.Sprintf("%d of %d", n[kept], len(situations)-n[impossible]))
		}
		return fmt.Sprintf("%s\n%s\n\n%s", append(table, sum), legend, peers.Versions()), failures
	})
}
