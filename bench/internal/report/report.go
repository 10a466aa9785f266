// Package report prints what the programs of this module found and keeps it in a page of docs.
package report

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

// Table is a table in Markdown. Its first row is the heading.
type Table [][]string

func (t Table) String() string {
	var b strings.Builder
	for i, row := range t {
		b.WriteString("| " + strings.Join(row, " | ") + " |\n")
		if i == 0 {
			b.WriteString("|" + strings.Repeat(" --- |", len(row)) + "\n")
		}
	}
	return b.String()
}

// The generated part of a page is between these lines. The rest is written by hand.
const (
	begin = "<!-- generated: begin -->\n"
	end   = "<!-- generated: end -->\n"
)

// Publish prints text. If path is not empty, it also replaces the generated part of that page.
func Publish(path, text string) error {
	fmt.Print(text)
	if path == "" {
		return nil
	}
	page, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, found := strings.Cut(string(page), begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		return errors.New(path + ": no lines " + begin + end)
	}
	return os.WriteFile(path, []byte(before+begin+text+end+after), 0o644) //nolint:gosec // a page for every reader
}

// RunGrid is the main function of a grid: it publishes the text that run returns, and fails if run
// returns failures. A grid is a test, since synctest and the test kit of core need a *testing.T.
func RunGrid(name string, run func(t *testing.T) (text string, failures []string)) {
	out := flag.String("o", "", "also write the grid into the generated part of this `page`")
	flag.Parse()
	testing.Main(func(string, string) (bool, error) { return true, nil }, []testing.InternalTest{{Name: name, F: func(t *testing.T) {
		text, failures := run(t)
		if err := Publish(*out, text); err != nil {
			t.Fatal(err)
		}
		for _, failure := range failures {
			t.Error(failure)
		}
	}}}, nil, nil)
}
