package main

import (
	"context"
	"runtime"
	"sync"
	"time"

	"github.com/more-retail/moresso-go/core/devissuer"
)

// measureParallel returns how many times as many cached tokens two processors verify as one does.
// It goes by the clock, because waiting costs no processor time.
func measureParallel(ctx context.Context, p *provider, rounds int) float64 {
	a := p.authenticator(ctx, 0)
	work := func() {
		for i := range 20_000 {
			must(a.ValidateToken(ctx, p.tokens[i%len(p.tokens)]))
		}
	}
	var one, two time.Duration
	for range rounds {
		began := time.Now()
		work()
		one += time.Since(began)
		began = time.Now()
		var both sync.WaitGroup
		both.Go(work)
		both.Go(work)
		both.Wait()
		two += time.Since(began)
	}
	return 2 * float64(one) / float64(two)
}

// measureMemory returns the MiB that a full cache of reference tokens uses, and the MiB that 50,000
// other tokens add, which come once. They are signed with Ed25519, which is quicker.
func measureMemory(ctx context.Context) (full, added float64) {
	issuer := must(devissuer.New(devissuer.WithAlgorithm("EdDSA")))
	a := (&provider{Issuer: issuer}).authenticator(ctx, 0)
	present := func(from, n int) float64 {
		for i := range n {
			must(a.ValidateToken(ctx, issuer.MustToken(claims(from+i, 25)...)))
		}
		runtime.GC()
		runtime.GC() // the second one frees what pools held
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return float64(stats.HeapAlloc) / (1 << 20)
	}
	before := present(0, 1)
	filled := present(1, 10_000) // the default size
	flooded := present(10_001, 50_000)
	runtime.KeepAlive(a)
	return filled - before, flooded - filled
}
