package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/more-retail/moresso-go/bench/internal/peers"
	"github.com/more-retail/moresso-go/core/adaptertest"
)

// grid is what a run brought: a row for each attack, a column for each library.
type grid struct {
	peers   []peers.Peer
	attacks []adaptertest.Attack
	rows    [][]outcome
	without int // attacks by the header field itself, which are left out
}

func run(t *testing.T, list []peers.Peer) grid {
	g := grid{peers: list}
	g.attacks, g.without = attacks()
	keys := keyring{}
	for _, attack := range g.attacks {
		row := make([]outcome, len(list))
		for i, peer := range list {
			row[i] = try(t, peer, attack, keys)
		}
		g.rows = append(g.rows, row)
	}
	return g
}

// accepted names the attacks that a column does not withstand; a library that cannot be tried is
// listed too.
func (g grid) accepted(column int) (names []string) {
	for i, row := range g.rows {
		if row[column] != refused {
			names = append(names, g.attacks[i].Name)
		}
	}
	return names
}

func (g grid) head(first ...string) []string {
	for _, peer := range g.peers {
		first = append(first, peer.Name)
	}
	return first
}

// summary counts, for each group of attacks, how many succeed.
func (g grid) summary() [][]string {
	var groups []string
	size, succeed := map[string]int{}, map[string][]int{}
	const all = "all"
	for i, attack := range g.attacks {
		name := group(attack)
		if size[name] == 0 {
			groups = append(groups, name)
		}
		for _, name := range []string{name, all} {
			size[name]++
			if succeed[name] == nil {
				succeed[name] = make([]int, len(g.peers))
			}
			for column, o := range g.rows[i] {
				if o == accepted || o == panicked {
					succeed[name][column]++
				}
			}
		}
	}
	table := [][]string{g.head("group", "attacks")}
	for _, name := range append(groups, all) {
		line := []string{name, fmt.Sprint(size[name])}
		for _, n := range succeed[name] {
			line = append(line, fmt.Sprint(n))
		}
		table = append(table, line)
	}
	return table
}

var signs = map[outcome]string{refused: "·", accepted: "A", panicked: "P", unusable: "?"}

const legend = "A: accepted; P: panics; ·: refused; ?: cannot be told, since good tokens are refused too"

// details has a row for each attack that somebody does not withstand.
func (g grid) details() [][]string {
	table := [][]string{g.head("attack", "source of the rule")}
	for i, row := range g.rows {
		line, worth := []string{shown(g.attacks[i].Name), g.attacks[i].Source}, false
		for _, o := range row {
			line = append(line, signs[o])
			worth = worth || o == accepted || o == panicked
		}
		if worth {
			table = append(table, line)
		}
	}
	return table
}

// shown escapes what would break a line or a column.
func shown(name string) string {
	return strings.ReplaceAll(name, "|", `\|`)
}

func (g grid) note() string {
	return fmt.Sprintf("%d attacks by a token; %d more by the Authorization field itself are left out here, since most peers read no header fields.", len(g.attacks), g.without)
}

func (g grid) text() string {
	var b strings.Builder
	for _, table := range [][][]string{g.summary(), g.details()} {
		widths := make([]int, len(table[0]))
		for _, line := range table {
			for i, word := range line {
				widths[i] = max(widths[i], utf8.RuneCountInString(word))
			}
		}
		for _, line := range table {
			for i, word := range line {
				fmt.Fprintf(&b, "%-*s  ", widths[i], word)
			}
			b.WriteString("\n")
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "%s\n%s\n", legend, g.note())
	for _, line := range peers.Versions(g.peers) {
		b.WriteString(line + "\n")
	}
	return b.String()
}

func (g grid) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\nHow many succeed:\n\n", g.note())
	write := func(table [][]string) {
		for i, line := range table {
			b.WriteString("| " + strings.Join(line, " | ") + " |\n")
			if i == 0 {
				b.WriteString("|" + strings.Repeat(" --- |", len(line)) + "\n")
			}
		}
	}
	write(g.summary())
	fmt.Fprintf(&b, "\nEach attack that at least one library does not withstand (%s):\n\n", legend)
	write(g.details())
	b.WriteString("\n")
	for _, line := range peers.Versions(g.peers) {
		b.WriteString("- " + line + "\n")
	}
	return b.String()
}

// The grid stands between these lines of the document; the rest of it is written by hand.
const (
	begin = "<!-- attack-grid: begin -->\n"
	end   = "<!-- attack-grid: end -->\n"
)

func (g grid) writeInto(path string) error {
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, found := strings.Cut(string(old), begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		return errors.New(path + " lacks the lines " + begin + end + "between which the grid goes")
	}
	return os.WriteFile(path, []byte(before+begin+g.markdown()+end+after), 0o644) //nolint:gosec // a document for everybody
}
