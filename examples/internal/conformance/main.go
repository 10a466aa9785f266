// Command conformance makes a table of what "go test -json" printed of the conformance suite: a row
// for each case, a column for each front door. It reads standard input, and exits with 1 unless
// all passed.
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
	out := flag.String("o", "", "write the table between the marks of this Markdown `file` too")
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

// result is what became of a case, or of a group of cases, behind one front door.
type result struct{ passed, all int }

type table struct {
	doors  []string
	cases  []string // in the order in which they ran first
	cells  map[string]map[string]result
	failed []string
}

// event is what go test -json prints (go doc test2json).
type event struct{ Action, Package, Test string }

func read(r io.Reader) (*table, error) {
	t := &table{cells: map[string]map[string]result{}}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return nil, fmt.Errorf("this is not what go test -json prints: %q", lines.Text())
		}
		if e.Action == "fail" && e.Test == "" {
			t.failed = append(t.failed, e.Package)
		}
		if e.Action == "pass" || e.Action == "fail" {
			t.add(e)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(t.cases) == 0 {
		return nil, fmt.Errorf("no case ran")
	}
	return t, nil
}

// add counts one case. Attacks are counted in groups; a front door's name may hold slashes, as
// net/http's does.
func (t *table) add(e event) {
	path, ok := strings.CutPrefix(e.Test, "TestConformance/")
	if !ok {
		return
	}
	path = strings.ReplaceAll(path, "_", " ")
	door, name := "", ""
	for _, known := range doors {
		if rest, found := strings.CutPrefix(path, known+"/"); found {
			door, name = known, rest
		}
	}
	if group, attack, found := strings.Cut(name, "/"); found && group == "attacks" {
		kind, _, one := strings.Cut(attack, "/")
		if !one {
			return // the group's own line
		}
		name = "attacks: " + kind
	} else if name == "attacks" {
		return
	}
	if door == "" || name == "" {
		return
	}
	if !slices.Contains(t.doors, door) {
		t.doors = append(t.doors, door)
	}
	if t.cells[name] == nil {
		t.cells[name] = map[string]result{}
		t.cases = append(t.cases, name)
	}
	cell := t.cells[name][door]
	cell.all++
	if e.Action == "pass" {
		cell.passed++
	}
	t.cells[name][door] = cell
}

// doors are the names under which the adapters run the suite.
var doors = []string{
	"Gin", "Gin, in process", "Echo", "Echo, in process", "Fiber", "Fiber, in process", "net/http", "net/http, in process",
	"chi", "chi, in process", "gorilla", "gorilla, in process",
	"API Gateway REST API", "API Gateway REST API, headers in odd letter case", "API Gateway HTTP API", "function URL", "Application Load Balancer", "Application Load Balancer, multi-value headers",
}

func (t *table) markdown() string {
	var b strings.Builder
	columns := slices.DeleteFunc(slices.Clone(doors), func(door string) bool { return !slices.Contains(t.doors, door) })
	b.WriteString("| case | " + strings.Join(columns, " | ") + " |\n|" + strings.Repeat(" --- |", len(columns)+1) + "\n")
	totals := map[string]result{}
	for _, name := range t.cases {
		b.WriteString("| " + name)
		for _, door := range columns {
			cell := t.cells[name][door]
			b.WriteString(" | " + cell.String())
			totals[door] = result{totals[door].passed + cell.passed, totals[door].all + cell.all}
		}
		b.WriteString(" |\n")
	}
	b.WriteString("| **passed**")
	for _, door := range columns {
		fmt.Fprintf(&b, " | %d of %d", totals[door].passed, totals[door].all)
	}
	b.WriteString(" |\n")
	return b.String()
}

func (r result) String() string {
	switch {
	case r.all == 0:
		return "–"
	case r.passed < r.all:
		return fmt.Sprintf("**%d of %d**", r.passed, r.all)
	case r.all == 1:
		return "✓"
	}
	return fmt.Sprintf("✓ %d", r.all)
}

const (
	begin = "<!-- conformance: begin -->\n"
	end   = "<!-- conformance: end -->\n"
)

func (t *table) writeInto(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, found := strings.Cut(string(text), begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		return fmt.Errorf("%s lacks the lines %s%sbetween which the table goes", path, begin, end)
	}
	return os.WriteFile(path, []byte(before+begin+t.markdown()+end+after), 0o644) //nolint:gosec // a document for everybody
}
