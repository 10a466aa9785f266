package main

import (
	"fmt"
	"path"
	"strings"
)

// coverage is which statements the tests come past, by the name of the file.
type coverage map[string][]block

type block struct {
	startLine, startColumn, endLine, endColumn int
	covered                                    bool
}

// parseCoverage reads what go test -coverprofile writes.
func parseCoverage(profile string) (coverage, error) {
	blocks := coverage{}
	for line := range strings.SplitSeq(strings.TrimSpace(profile), "\n") {
		if strings.HasPrefix(line, "mode:") {
			continue
		}
		file, rest, _ := strings.Cut(line, ":")
		var b block
		var statements, count int
		if _, err := fmt.Sscanf(rest, "%d.%d,%d.%d %d %d", &b.startLine, &b.startColumn, &b.endLine, &b.endColumn, &statements, &count); err != nil {
			return nil, fmt.Errorf("coverage profile: %q: %w", line, err)
		}
		b.covered = count > 0
		blocks[path.Base(file)] = append(blocks[path.Base(file)], b)
	}
	return blocks, nil
}

// passed says whether the tests come past a mutant. What stands in no statement, such as a constant, is taken to be used.
func (c coverage) passed(m mutant) bool {
	missed := false
	for _, b := range c[m.File] {
		after := m.Line > b.startLine || m.Line == b.startLine && m.Column >= b.startColumn
		before := m.Line < b.endLine || m.Line == b.endLine && m.Column < b.endColumn
		if !after || !before {
			continue
		}
		if b.covered {
			return true
		}
		missed = true
	}
	return !missed
}
