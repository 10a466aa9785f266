// Command speed measures what the verification of a token costs, in this library and in its peers.
// `make bench` runs it.
//
// Times mean little on a shared machine. Ratios mean a lot if both sides were measured at the same
// time. So every subject is measured in turn with one RSA verification of the standard library, in
// slices of some milliseconds. The measure is the processor time of the process.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/more-retail/moresso-go/bench/internal/peers"
	"github.com/more-retail/moresso-go/bench/internal/report"
)

func main() {
	quick := flag.Bool("quick", false, "fewer rounds: about a minute")
	out := flag.String("o", "", "also write the figures into the generated part of this `page`")
	summary := flag.String("costs", "", "also write the costs by algorithm into the generated part of this `page`")
	flag.Parse()
	ctx, cancel := context.WithCancel(context.Background())
	text, costs := run(ctx, *quick)
	cancel()
	err := report.Publish(*out, text)
	if *summary != "" && err == nil {
		err = report.Publish(*summary, costs)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "speed:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, quick bool) (text, costs string) {
	began, command, rounds, slices := time.Now(), "make bench", 30, 16
	if quick {
		command, rounds, slices = "make bench QUICK=1", 10, 3
	}
	subjects, p := allSubjects(ctx, 1000)
	results := measure(rounds, slices, subjects)
	parallel := measureParallel(ctx, p, rounds)
	full, added := measureMemory(ctx)
	var b strings.Builder
	fmt.Fprintf(&b, "`%s` printed this in %.0f s on %s/%s, %d × %s.\n\n",
		command, time.Since(began).Seconds(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), processor())
	fmt.Fprintf(&b, "### Targets\n\n%s", targets(results))
	for _, title := range []string{verifications, algorithms, refusals, requests} {
		fmt.Fprintf(&b, "\n### %s\n\n%s", title, table(title, results))
	}
	fmt.Fprintf(&b, "\n### The cache\n\n%s", report.Table{
		{"what", "measured"},
		{"cached tokens on two processors, × on one", fmt.Sprintf("%.2f", parallel)},
		{"MiB of 10,000 cached tokens", fmt.Sprintf("%.1f", full)},
		{"MiB that 50,000 other tokens add, which come once", fmt.Sprintf("%.1f", added)},
	})
	fmt.Fprintf(&b, "\n### Versions\n\n%s", peers.Versions(frameworkModules...))
	return b.String(), table(algorithms, results).String()
}

// allSubjects returns everything to measure. The first subject is the base of all ratios.
func allSubjects(ctx context.Context, tokens int) ([]subject, *provider) {
	p := newProvider(tokens)
	cached, uncached := p.authenticator(ctx, 0), p.authenticator(ctx, -1)
	return addRequests(ctx, p, cached, uncached, addAlgorithms(ctx, addVerifications(ctx, p, cached, uncached))), p
}

// targets compares the figures of this library with the targets of the project.
func targets(results []result) report.Table {
	of := map[string]result{}
	for _, r := range results {
		of[r.name] = r
	}
	t := report.Table{{"what", "measured", "at most", "met"}}
	for _, row := range []struct {
		what      string
		got, most float64
	}{
		{"a new token, × golang-jwt with struct claims", of[oursNew].median / of[structClaims].median, 0.82},
		{"a cached token, × one RSA verification", of[oursCached].median, 0.035},
		{"a cached token, allocations", of[oursCached].allocations, 0},
	} {
		met := "yes"
		if row.got > row.most {
			met = "**no**"
		}
		t = append(t, []string{row.what, figure(row.got), fmt.Sprint(row.most), met})
	}
	return t
}

// table returns one table of the report, with the medians as bars too.
func table(title string, results []result) report.Table {
	unit := "× one RSA verification"
	if title == requests {
		unit = "× the bare route"
	}
	t := report.Table{{"what", unit, "middle half", "allocations", ""}}
	for _, r := range results {
		if r.table == title {
			bar := strings.Repeat("█", min(int(4*r.median+0.5), 80))
			t = append(t, []string{r.name, figure(r.median), figure(r.low) + "–" + figure(r.high), figure(r.allocations), bar})
		}
	}
	return t
}

// figure formats a number with three significant digits.
func figure(f float64) string { return fmt.Sprintf("%.3g", f) }

// processor returns the model of the processor.
func processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	_, model, _ := strings.Cut(string(text), "model name\t: ")
	model, _, _ = strings.Cut(model, "\n")
	return cmp.Or(model, "unknown processor")
}
