package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func (o outcome) String() string {
	return [...]string{"killed", "lived", "timed out", "uncovered", "not viable"}[o]
}

// A tally counts the mutants of one package. Those that do not compile are no mutants.
type tally struct {
	dir                         string
	killed, timedOut            int
	lived, uncovered, explained int
}

func (t *tally) add(o outcome, explained bool) {
	switch o {
	case killed:
		t.killed++
	case timedOut:
		t.timedOut++
	case lived:
		t.lived++
	case uncovered:
		t.uncovered++
	case notViable:
		return
	}
	if explained && (o == lived || o == uncovered) {
		t.explained++
	}
}

func (t *tally) plus(other *tally) {
	t.killed += other.killed
	t.timedOut += other.timedOut
	t.lived += other.lived
	t.uncovered += other.uncovered
	t.explained += other.explained
}

func (t *tally) total() int { return t.killed + t.timedOut + t.lived + t.uncovered }

func (t *tally) String() string {
	return fmt.Sprintf("%s: %d mutants, %d killed, %d timed out, %d lived, %d in code that no test comes past; %d of those explained",
		t.dir, t.total(), t.killed, t.timedOut, t.lived, t.uncovered, t.explained)
}

// row is the package's line in the report.
func (t *tally) row() string {
	return fmt.Sprintf("| %s | %d | %d | %d | %d | %d | %d |", t.dir, t.total(), t.killed, t.timedOut, t.lived, t.uncovered, t.lived+t.uncovered-t.explained)
}

const reportHead = `# Mutations: can the tests fail?

Written by ` + "`make mutants`" + ` and ` + "`make mutate-rules`" + `; do not edit.

Into each package that a service may ship, one small fault after another is put, and the package's own tests are run: a comparison
turned round (negation) or moved by one (boundary), a guard that never holds, ` + "`&&`" + ` for ` + "`||`" + `, a lost ` + "`!`" + `, a true for a
false, plus for minus, ` + "`break`" + ` for ` + "`continue`" + `. A fault that no test finds has *survived*. Either a test was missing, and then
it was written, or the fault makes no difference that a caller can see: then [tools/mutants/explained](../../tools/mutants/explained) says
why, mutant by mutant. The command fails on a survivor without an explanation, and on an explanation without a survivor.

*Timed out* are faults with which the tests never end, which fails them as well. *Not reached* are faults in lines that the package's
own tests do not come past.

| package | mutants | killed | timed out | survived | not reached | unexplained |
|---|---|---|---|---|---|---|
`

// writeReport puts the counts into the report; all else in it stays.
func writeReport(file, root string, counts *tally) error {
	r, err := readReport(file, root)
	if err != nil {
		return err
	}
	r.counts[counts.dir] = counts.row()
	return r.write(file)
}

// writeRules puts the rules into the report, which have all been found out; the counts stay.
func writeRules(file, root string, rules []rule) error {
	r, err := readReport(file, root)
	if err != nil {
		return err
	}
	r.rules = nil
	for _, rule := range rules {
		r.rules = append(r.rules, rule.row())
	}
	return r.write(file)
}

// A report has two parts, which two runs of the command write: each keeps the other's.
type report struct {
	counts map[string]string // the line of each package
	rules  []string          // the lines of the rules
}

// readReport reads what was written before, without packages that are gone.
func readReport(file, root string) (*report, error) {
	r := &report{counts: map[string]string{}}
	text, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	counts, rules, _ := strings.Cut(string(text), rulesHead)
	for line := range strings.SplitSeq(counts, "\n") {
		dir, _, _ := strings.Cut(strings.TrimPrefix(line, "| "), " |")
		if !strings.HasPrefix(line, "| ") {
			continue
		}
		if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(dir))); err == nil {
			r.counts[dir] = line
		}
	}
	if rules != "" {
		r.rules = strings.Split(strings.TrimSpace(rules), "\n")
	}
	return r, nil
}

func (r *report) write(file string) error {
	var text strings.Builder
	text.WriteString(reportHead)
	for _, dir := range slices.Sorted(maps.Keys(r.counts)) {
		text.WriteString(r.counts[dir] + "\n")
	}
	if len(r.rules) > 0 {
		text.WriteString(rulesHead + strings.Join(r.rules, "\n") + "\n")
	}
	return os.WriteFile(file, []byte(text.String()), 0o600)
}
