// Command conformance makes a table of the output of "go test -json" for the conformance suite: a row for each
// case, a column for each framework. It reads standard input, and exits with 1 unless all cases passed.
//
//	make conformance
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"slices"
	"strings"
)

func main() {
	log.SetFlags(0)
	out := flag.String("o", "", "also write the table between the marks of this Markdown `file`")
	flag.Parse()
	t, err := read(os.Stdin)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(t.markdown())
	if *out != "" {
		if err := t.writeInto(*out); err != nil {
			log.Fatal(err)
		}
	}
	if len(t.failed) > 0 {
		log.Fatalf("not conforming: %s", strings.Join(t.failed, "; "))
	}
}

// columns are the names under which the adapters run the suite. Some have slashes, as net/http does.
var columns = []string{
	"Gin", "Gin, in process", "Echo", "Echo, in process", "Fiber", "Fiber, in process", "net/http", "net/http, in process",
	"chi", "chi, in process", "gorilla", "gorilla, in process",
	"API Gateway REST API", "API Gateway REST API, headers in odd letter case", "API Gateway HTTP API", "function URL", "Application Load Balancer", "Application Load Balancer, multi-value headers",
}

type table struct {
	rows   []string // the cases, in the order in which they ran first
	cells  map[cell]result
	failed []string // packages
}

type cell struct{ row, column string }

type result struct{ passed, all int }

const total = "**passed**"

func read(r io.Reader) (*table, error) {
	t := &table{cells: map[cell]result{}}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e struct{ Action, Package, Test string } // see go doc test2json
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return nil, fmt.Errorf("not the output of go test -json: %q", lines.Text())
		}
		if e.Action == "fail" && e.Test == "" {
			t.failed = append(t.failed, e.Package)
		}
		test, ok := strings.CutPrefix(e.Test, "TestConformance/")
		if ok && (e.Action == "pass" || e.Action == "fail") {
			t.add(strings.ReplaceAll(test, "_", " "), e.Action == "pass")
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(t.rows) == 0 {
		return nil, fmt.Errorf("no case ran")
	}
	return t, nil
}

// add counts one case. Attacks are counted in groups.
func (t *table) add(test string, passed bool) {
	for _, column := range columns {
		name, ok := strings.CutPrefix(test, column+"/")
		if !ok {
			continue
		}
		if group, attack, found := strings.Cut(name, "/"); group == "attacks" {
			kind, _, one := strings.Cut(attack, "/")
			if !found || !one {
				return // the group itself
			}
			name = "attacks: " + kind
		}
		if !slices.Contains(t.rows, name) {
			t.rows = append(t.rows, name)
		}
		for _, row := range []string{name, total} {
			r := t.cells[cell{row, column}]
			r.all++
			if passed {
				r.passed++
			}
			t.cells[cell{row, column}] = r
		}
	}
}

func (t *table) markdown() string {
	used := slices.DeleteFunc(slices.Clone(columns), func(c string) bool { return t.cells[cell{total, c}].all == 0 })
	var b strings.Builder
	b.WriteString("| case | " + strings.Join(used, " | ") + " |\n|" + strings.Repeat(" --- |", len(used)+1) + "\n")
	for _, row := range append(slices.Clone(t.rows), total) {
		b.WriteString("| " + row)
		for _, column := range used {
			b.WriteString(" | " + t.text(cell{row, column}))
		}
		b.WriteString(" |\n")
	}
	return b.String()
}

func (t *table) text(c cell) string {
	r := t.cells[c]
	switch {
	case c.row == total:
		return fmt.Sprintf("%d of %d", r.passed, r.all)
	case r.all == 0:
		return "–"
	case r.passed < r.all:
		return fmt.Sprintf("**%d of %d**", r.passed, r.all)
	case r.all == 1:
		return "✓"
	}
	return fmt.Sprintf("✓ %d", r.all)
}

// writeInto replaces what is between the marks of a file.
func (t *table) writeInto(path string) error {
	const begin, end = "<!-- conformance: begin -->\n", "<!-- conformance: end -->\n"
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, found := strings.Cut(string(text), begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		return fmt.Errorf("%s lacks the marks %s%s", path, begin, end)
	}
	return os.WriteFile(path, []byte(before+begin+t.markdown()+end+after), 0o644) //nolint:gosec // a document
}
