package main

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"syscall"
	"time"
)

// subject is a measured operation, and a row of its table.
type subject struct {
	table, name string
	base        int    // index of the subject by whose cost this one is divided
	do          func() // once; it panics if it does not do what it is measured for
}

// result is the cost of a subject, as a multiple of its base: the median over the rounds, and the
// range that holds the middle half of them.
type result struct {
	subject
	median, low, high float64
	allocations       float64
}

// sliceTime is how long a subject is measured at a time.
const sliceTime = 5 * time.Millisecond

// measure measures all subjects in turn, on one processor, for several slices of time in each round.
func measure(rounds, timeSlices int, subjects []subject) []result {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	batches := make([]int, len(subjects))
	for i, s := range subjects {
		batches[i] = batch(s.do)
	}
	samples := make([][]float64, len(subjects))
	for range rounds {
		spent := make([]float64, len(subjects))
		for range timeSlices {
			// The order changes, so that the garbage of one subject is not always collected in the
			// time of the same other one.
			for _, i := range rand.Perm(len(subjects)) { //nolint:gosec // not a secret
				before := cpuTime()
				for range batches[i] {
					subjects[i].do()
				}
				spent[i] += float64(cpuTime()-before) / float64(batches[i])
			}
		}
		for i, s := range subjects {
			samples[i] = append(samples[i], spent[i]/spent[s.base])
		}
	}
	results := make([]result, len(subjects))
	for i, s := range subjects {
		slices.Sort(samples[i])
		at := func(q float64) float64 { return samples[i][int(q*float64(rounds-1)+0.5)] }
		results[i] = result{s, at(0.5), at(0.25), at(0.75), allocations(s.do)}
	}
	return results
}

// batch returns how often something can be done in a slice of time, at least once.
func batch(do func()) int {
	do() // the first time is not measured
	n, began := 0, cpuTime()
	for cpuTime()-began < sliceTime {
		do()
		n++
	}
	return max(n, 1)
}

// allocations returns the minimum of several counts, because the runtime allocates now and then. It
// rounds, because a server may end a request after its response was read.
func allocations(do func()) float64 {
	const times = 200
	counts := make([]uint64, 5)
	for i := range counts {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range times {
			do()
		}
		runtime.ReadMemStats(&after)
		counts[i] = (after.Mallocs - before.Mallocs + times/2) / times
	}
	return float64(slices.Min(counts))
}

// cpuTime returns the processor time of this process, so that garbage collection counts.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic("speed: " + err.Error())
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
