package main

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/more-retail/moresso-go/bench/internal/peers"
)

// grid is what a run brought: a row for each situation, a column for each subject.
type grid struct {
	subjects []peers.Peer
	rows     [][]cell
}

func run(t *testing.T, subs []peers.Peer) grid {
	g := grid{subjects: subs}
	for _, sit := range situations {
		row := make([]cell, len(subs))
		for i, sub := range subs {
			row[i] = measure(t, sub, sit)
		}
		g.rows = append(g.rows, row)
	}
	return g
}

// broken lists the promises that a column does not keep.
func (g grid) broken(column int) []string {
	var list []string
	for i, row := range g.rows {
		if c := row[column]; c.mark != kept {
			list = append(list, fmt.Sprintf("%s: promised %s, measured %s", situations[i].title, situations[i].promise, c))
		}
	}
	return list
}

var signs = map[mark]string{kept: "✓", missed: "✗", wrongRefusal: "✗R", wrongAccept: "✗A", idle: "·"}

const legend = "✓ promise kept; ✗ not kept; ✗R not kept: good tokens are refused; ✗A not kept: bad tokens are accepted; · cannot come about"

func (c cell) String() string { return signs[c.mark] + " " + c.text }

// table is the grid in words, head first; the last row sums up.
func (g grid) table() [][]string {
	head := []string{"situation", "promise"}
	sum := []string{"kept", ""}
	for i, sub := range g.subjects {
		head = append(head, sub.Name)
		n := map[mark]int{}
		for _, row := range g.rows {
			n[row[i].mark]++
		}
		sum = append(sum, fmt.Sprintf("%d of %d", n[kept], len(g.rows)-n[idle]))
	}
	table := [][]string{head}
	for i, row := range g.rows {
		line := []string{situations[i].title, situations[i].promise}
		for _, c := range row {
			line = append(line, c.String())
		}
		table = append(table, line)
	}
	return append(table, sum)
}

func (g grid) text() string {
	table := g.table()
	widths := make([]int, len(table[0]))
	for _, line := range table {
		for i, word := range line {
			widths[i] = max(widths[i], utf8.RuneCountInString(word))
		}
	}
	var b strings.Builder
	for _, line := range table {
		for i, word := range line {
			fmt.Fprintf(&b, "%-*s  ", widths[i], word)
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "\n%s\n", legend)
	for _, line := range peers.Versions(g.subjects) {
		b.WriteString(line + "\n")
	}
	return b.String()
}

// The grave accents of Markdown are written as ' here.
const preface = `# The keys grid

What becomes of tokens when the provider of the keys misbehaves: the same situations for this library and for its peers. Printed by 'make keys-grid', which runs 'go run ./keysgrid -o ../docs/KEYS-GRID.md' in 'bench' with 'GOWORK=off'; only the situations and the promises are written by hand ('bench/keysgrid').

Each library is set up as its documentation recommends, with its defaults, and given the address of the key set. The provider is 'core/devissuer' in memory. Time is simulated, but for the two situations in which many requests wait at once. A client gives up on a request after a minute.

`

const afterword = `
%s

A library that never refreshes its keys keeps every promise about outages, and breaks those about removed keys.

`

var bold = strings.NewReplacer("✗R", "**✗R**", "✗A", "**✗A**", "✗", "**✗**")

func (g grid) markdown() string {
	var b strings.Builder
	b.WriteString(strings.ReplaceAll(preface, "'", "`"))
	for i, line := range g.table() {
		b.WriteString("| " + bold.Replace(strings.Join(line, " | ")) + " |\n")
		if i == 0 {
			b.WriteString("|" + strings.Repeat(" --- |", len(line)) + "\n")
		}
	}
	fmt.Fprintf(&b, afterword, bold.Replace(legend))
	for _, line := range peers.Versions(g.subjects) {
		b.WriteString("- " + line + "\n")
	}
	return b.String()
}
