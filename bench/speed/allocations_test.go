//go:build !race

package main

import (
	"strings"
	"testing"
)

// The most allocations of a guard for a cached token, in addition to those of the bare route. They are
// the context, and the framework's allocations to pass on context and principal.
var mostAllocations = map[string]float64{"net/http": 2, "Gin": 4, "Echo": 5, "Fiber": 1}

func TestAllocations_CachedToken(t *testing.T) {
	list, _ := allSubjects(t.Context(), 3)
	bases := map[string]float64{}
	for _, s := range list {
		framework, guard, _ := strings.Cut(s.name, ": ")
		switch {
		case s.name == oursCached:
			if n := allocations(s.do); n != 0 {
				t.Errorf("without a framework: %v, want 0", n)
			}
		case s.table == requests && guard == bare:
			bases[framework] = allocations(s.do)
		case s.table == requests && guard == withCached:
			if n := allocations(s.do) - bases[framework]; n > mostAllocations[framework] {
				t.Errorf("%s: %v more than without the guard, want at most %v", framework, n, mostAllocations[framework])
			}
		}
	}
	if len(bases) != len(mostAllocations) {
		t.Errorf("frameworks %v, want those of %v", bases, mostAllocations)
	}
}
