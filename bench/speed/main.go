// Command speed measures what the verification of a token costs, in this library and in its peers,
// and writes docs/BENCHMARKS.md. `make bench` runs it.
//
// On a machine that others use too, times mean little, and ratios a lot if both sides of them
// were measured at the same time. So everything is measured in turn with one RSA verification of
// the standard library, in slices of some milliseconds, by the processor time of the whole
// process (the garbage collector's included), and what is told is the median over many rounds.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

func main() {
	quick := flag.Bool("quick", false, "fewer rounds: under two minutes")
	out := flag.String("o", "", "the document to write the figures into, and its charts beside it")
	serve := flag.String("serve", "", "be one of the servers that are measured over loopback (this program starts them itself)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *quick, *out, *serve); err != nil {
		fmt.Fprintln(os.Stderr, "speed:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, quick bool, out, serve string) error {
	if serve != "" {
		return serveOne(ctx, serve)
	}
	begun := time.Now()
	e := effort{rounds: 30, slices: 6, slice: 5 * time.Millisecond, requests: 3000, oneTime: 1_000_000}
	if quick {
		e = effort{rounds: 10, slices: 3, slice: 5 * time.Millisecond, requests: 800, oneTime: 50_000}
	}
	m, err := newMaterial(1000)
	if err != nil {
		return err
	}
	var r report
	for _, step := range []struct {
		name string
		do   func(context.Context, *material, effort, *report) error
	}{
		{"verification", measureVerification},
		{"frameworks", measureFrameworks},
		{"parallel", measureParallel},
		{"loopback", measureLoopback},
		{"memory", measureMemory},
	} {
		fmt.Fprintf(os.Stderr, "%6.0f s  %s\n", time.Since(begun).Seconds(), step.name)
		if err := step.do(ctx, m, e, &r); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	r.quick, r.took = quick, time.Since(begun)
	fmt.Print(r.text())
	if out == "" {
		return nil
	}
	return r.writeInto(out)
}

// effort is how much is measured.
type effort struct {
	rounds, slices int
	slice          time.Duration
	requests       int // over loopback, for each server in each round
	oneTime        int // tokens that come once
}
