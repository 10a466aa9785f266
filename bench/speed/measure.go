package main

import (
	"cmp"
	"math/rand/v2"
	"runtime"
	"slices"
	"time"
)

// subject is something that is measured.
type subject struct {
	name string
	do   func() // one time
}

// ratio is what one time of a subject costs, as a multiple of the first subject's: the median
// over the rounds, and the range that holds the middle half of them.
type ratio struct {
	name           string
	median, lo, hi float64
	allocs         float64
}

// compare measures subjects in turn, the first being the anchor.
func compare(e effort, subjects []subject) []ratio {
	batches := make([]int, len(subjects))
	for i, s := range subjects {
		batches[i] = batch(s.do, e.slice)
	}
	samples := make([][]float64, len(subjects))
	for range e.rounds {
		spent := make([]time.Duration, len(subjects))
		for range e.slices {
			// In another order each time, or the garbage of one would always be collected in the
			// time of the same other.
			for _, i := range rand.Perm(len(subjects)) { //nolint:gosec // not a secret
				before := cpuTime()
				for range batches[i] {
					subjects[i].do()
				}
				spent[i] += cpuTime() - before
			}
		}
		for i := range subjects {
			each := float64(spent[i]) / float64(batches[i])
			samples[i] = append(samples[i], each/(float64(spent[0])/float64(batches[0])))
		}
	}
	ratios := make([]ratio, len(subjects))
	for i, s := range subjects {
		ratios[i] = spread(samples[i])
		ratios[i].name, ratios[i].allocs = s.name, allocations(s.do)
	}
	return ratios
}

// spread is the median of samples and their quartiles.
func spread(samples []float64) ratio {
	sorted := slices.Sorted(slices.Values(samples))
	at := func(q float64) float64 { return sorted[int(q*float64(len(sorted)-1)+0.5)] }
	return ratio{median: at(0.5), lo: at(0.25), hi: at(0.75)}
}

// batch is how often something can be done in a slice of time, at least once.
func batch(do func(), slice time.Duration) int {
	do() // what the first time makes is not measured
	n, begun := 0, cpuTime()
	for cpuTime()-begun < slice {
		do()
		n++
	}
	return n
}

// allocations is how many pieces of memory one time takes.
func allocations(do func()) float64 {
	const times = 200
	counts := make([]float64, 0, 5)
	for range cap(counts) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range times {
			do()
		}
		runtime.ReadMemStats(&after)
		counts = append(counts, float64((after.Mallocs-before.Mallocs)/times))
	}
	return slices.MinFunc(counts, cmp.Compare[float64]) // others allocate too, now and then
}
