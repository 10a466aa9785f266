package main

import (
	"context"
	"runtime"
	"sync"
	"time"
)

// measureParallel measures how many known tokens two processors verify where one verifies so
// many. This is by the clock: there is no other way to see waiting.
func measureParallel(ctx context.Context, m *material, e effort, r *report) error {
	if runtime.NumCPU() < 2 {
		return nil // nothing to be seen
	}
	a := m.authenticator(nil)
	work := func(n int) {
		for i := range n {
			if _, err := a.ValidateToken(ctx, m.tokens[i%len(m.tokens)]); err != nil {
				panic("speed: " + err.Error())
			}
		}
	}
	const n = 20_000
	work(len(m.tokens))
	var samples []float64
	for range e.rounds {
		begun := time.Now()
		work(n)
		serial := time.Since(begun)
		begun = time.Now()
		var both sync.WaitGroup
		both.Go(func() { work(n) })
		both.Go(func() { work(n) })
		both.Wait()
		samples = append(samples, 2*float64(serial)/float64(time.Since(begun)))
	}
	r.parallel = spread(samples)
	return nil
}
