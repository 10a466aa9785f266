package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// switchVariable is the environment variable that says which fault is switched on, by the number of the mutant.
const switchVariable = "MORESSO_MUTANT"

// switchFile declares what the conditions with switches look at. 0 is no mutant.
const switchFile = `package %s

import (
	"os"
	"strconv"
)

var mutantInForce, _ = strconv.Atoi(os.Getenv("` + switchVariable + `"))
`

// withSwitches is a source with the faults of several mutants in it, of which the tests are built once instead of once for each:
//
//	a < b    becomes    (mutantInForce == 7 && (a <= b) || mutantInForce == 8 && (a >= b) || mutantInForce != 7 && mutantInForce != 8 && (a < b))
//
// Comparisons are untyped, so that this has the type that the condition had. The mutants must be conditions, by number.
func withSwitches(source []byte, mutants map[int]mutant) []byte {
	numbers := slices.SortedFunc(maps.Keys(mutants), func(i, j int) int {
		a, b := mutants[i], mutants[j]
		switch { // what is outside comes before what is inside of it
		case a.start != b.start:
			return a.start - b.start
		case a.end != b.end:
			return b.end - a.end
		}
		return i - j
	})
	var text bytes.Buffer
	var write func(from, to int)
	write = func(from, to int) {
		for len(numbers) > 0 && mutants[numbers[0]].start < to {
			outer := mutants[numbers[0]]
			text.Write(source[from:outer.start])
			var on, off strings.Builder
			for len(numbers) > 0 && mutants[numbers[0]].start == outer.start && mutants[numbers[0]].end == outer.end {
				fmt.Fprintf(&on, "mutantInForce == %d && (%s) || ", numbers[0], mutants[numbers[0]].new)
				fmt.Fprintf(&off, "mutantInForce != %d && ", numbers[0])
				numbers = numbers[1:]
			}
			text.WriteString("(" + on.String() + off.String() + "(")
			write(outer.start, outer.end)
			text.WriteString("))")
			from = outer.end
		}
		text.Write(source[from:to])
	}
	write(0, len(source))
	return text.Bytes()
}

// buildSwitches builds the tests with every fault in them that can be switched on, and gives back what runs them. It gives nil if there
// is none, or if the tests do not pass as long as all are off: they may count allocations, say.
func (r *runner) buildSwitches(ctx context.Context, name string, trials []*trial) (*runner, error) {
	files := map[string]map[int]mutant{}
	sources := map[string][]byte{}
	for i, t := range trials {
		if !t.condition {
			continue
		}
		file := r.dir + "/" + t.File
		if files[file] == nil {
			files[file] = map[int]mutant{}
		}
		files[file][i+1] = t.mutant
		sources[file] = t.source
	}
	if len(files) == 0 {
		return nil, nil
	}
	for file, mutants := range files {
		sources[file] = withSwitches(sources[file], mutants)
	}
	sources[r.dir+"/mutant_in_force.go"] = fmt.Appendf(nil, switchFile, name)
	all, err := r.beside("switches")
	if err != nil {
		return nil, err
	}
	if ok, err := all.build(ctx, sources); err != nil || !ok {
		fmt.Printf("%s: with switches the tests do not compile, so every fault is built by itself\n", r.dir)
		return nil, err
	}
	if result, output, err := all.run(ctx); err != nil || result != lived {
		fmt.Printf("%s: with switches that are all off the tests do not pass, so every fault is built by itself:\n%s\n", r.dir, output)
		return nil, err
	}
	return all, nil
}

// switched is the runner with one fault switched on.
func (r *runner) switched(number int) *runner {
	other := *r
	other.env = append(slices.Clip(r.env), switchVariable+"="+strconv.Itoa(number))
	return &other
}
