package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/more-retail/moresso-go/bench/internal/peers"
)

// report is what a run brought.
type report struct {
	tokenBytes             int
	verification, refusals []ratio
	frameworks             []measured
	parallel               ratio
	loopback               []overLoopback
	cached, afterFlood     int64
	oneTime, fetches       int
	quick                  bool
	took                   time.Duration
}

// find is a ratio by its name.
func find(list []ratio, name string) ratio {
	for _, r := range list {
		if r.name == name {
			return r
		}
	}
	return ratio{}
}

// goal is a figure that this library is meant to reach.
type goal struct {
	what     string
	got      float64
	most     bool // got may be at most limit, else at least
	limit    float64
	decimals int
}

func (g goal) met() bool {
	if g.most {
		return g.got <= g.limit
	}
	return g.got >= g.limit
}

// goals are judged by the medians.
func (r *report) goals() []goal {
	v := r.verification
	cold, warm := find(v, oursCold), find(v, oursWarm)
	quickest := 0.0
	for _, peer := range r.peers() {
		if quickest == 0 || peer.median < quickest {
			quickest = peer.median
		}
	}
	goals := []goal{
		{"bytes of the reference token", float64(r.tokenBytes), true, tokenBytes, 0},
		{"a new token, × one RSA verification", cold.median, true, 1.15, 3},
		{"a new token, allocations", cold.allocs, true, 18, 0},
		{"a new token, × the quickest peer", cold.median / quickest, true, 1, 2},
		{"a known token, × its SHA-256", warm.median / find(v, digestOnly).median, true, 1.25, 2},
		{"a known token, × one RSA verification", warm.median, true, 0.035, 4},
		{"a known token, allocations", warm.allocs, true, 0, 0},
		{"a known token, times quicker than the quickest peer", quickest / warm.median, false, 40, 0},
		{"1,000 known tokens in turn, × one RSA verification", find(v, oursWarm1k).median, true, 0.04, 4},
		{"known tokens on two processors, × on one", r.parallel.median, false, 1.8, 2},
	}
	for _, refusal := range r.refusals {
		limit := 0.05
		if strings.Contains(refusal.name, forged) {
			limit = 1.15
		}
		goals = append(goals, goal{refusal.name + ", × one RSA verification", refusal.median, true, limit, 4})
		if limit < 1 {
			goals = append(goals, goal{refusal.name + ", allocations", refusal.allocs, true, 2, 0})
		}
	}
	goals = append(goals, goal{"fetches of keys for all of these", float64(r.fetches), true, 1, 0})
	allocs := map[string]float64{"net/http": 2, "Gin": 4, "Echo": 5, "Fiber": 1}
	base := map[string]float64{}
	for _, f := range r.frameworks {
		switch f.guard {
		case bare:
			base[f.framework] = f.allocs
		case withOurs:
			goals = append(goals, goal{f.framework + ": allocations for a known token", f.allocs - base[f.framework], true, allocs[f.framework], 0})
		}
	}
	coldRate := map[string]float64{}
	for _, s := range r.loopback {
		switch s.guard {
		case withOurs:
			goals = append(goals, goal{s.framework + " over loopback, known tokens: processor time × the bare route's", s.cpu.median, true, 1.3, 2})
		case withCold:
			coldRate[s.framework] = s.rate.median
		case bare:
		default:
			goals = append(goals, goal{s.framework + " over loopback, new tokens: requests a second × " + s.guard + "'s", coldRate[s.framework] / s.rate.median, false, 1.25, 2})
		}
	}
	return append(goals,
		goal{"10,000 known tokens, MiB", float64(r.cached) / (1 << 20), true, 40, 1},
		goal{"MiB left of " + thousands(r.oneTime) + " tokens that came once", float64(r.afterFlood) / (1 << 20), true, 1, 1},
	)
}

// peers are the libraries that are compared without a framework.
func (r *report) peers() (list []ratio) {
	for _, v := range r.verification {
		switch v.name {
		case anchor, digestOnly, oursCold, oursWarm, oursWarm1k:
		default:
			list = append(list, v)
		}
	}
	return list
}

// text is the report in Markdown.
func (r *report) text() string {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format, args...) }
	how := "make bench"
	if r.quick {
		how = "make bench QUICK=1"
	}
	p("Printed by `%s` in %.0f s on %s/%s, %d × %s.\n\n", how, r.took.Seconds(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), processor())
	p("### What is wanted of this library\n\n| what | measured | wanted | |\n|---|---|---|---|\n")
	for _, g := range r.goals() {
		sign, mark := "at least", "yes"
		if g.most {
			sign = "at most"
		}
		if !g.met() {
			mark = "**no**"
		}
		p("| %s | %.*f | %s %v | %s |\n", g.what, g.decimals, g.got, sign, g.limit, mark)
	}
	table := func(title, unit string, rows []ratio) {
		p("\n### %s\n\n| | %s | middle half | allocations |\n|---|---|---|---|\n", title, unit)
		for _, row := range rows {
			p("| %s | %s | %s–%s | %.0f |\n", row.name, figure(row.median), figure(row.lo), figure(row.hi), row.allocs)
		}
	}
	table("One verification", "× one RSA verification", r.verification)
	table("Refusals", "× one RSA verification", r.refusals)
	p("\n### A request within the process\n\n| | × one RSA verification | middle half | allocations |\n|---|---|---|---|\n")
	for _, f := range r.frameworks {
		p("| %s: %s | %s | %s–%s | %.0f |\n", f.framework, f.guard, figure(f.median), figure(f.lo), figure(f.hi), f.allocs)
	}
	p("\n### A request over loopback\n\n| | processor time of the server, × the bare route's | middle half | requests a second, × the bare route's | middle half |\n|---|---|---|---|---|\n")
	for _, s := range r.loopback {
		p("| %s: %s | %.2f | %.2f–%.2f | %.2f | %.2f–%.2f |\n", s.framework, s.guard, s.cpu.median, s.cpu.lo, s.cpu.hi, s.rate.median, s.rate.lo, s.rate.hi)
	}
	p("\n### What was measured\n\n")
	for _, line := range peers.Versions(versioned) {
		p("- %s\n", line)
	}
	return b.String()
}

// versioned are the modules whose versions matter, by the names under which they are measured.
var versioned = []peers.Peer{
	{Name: "moresso-go", Modules: []string{"github.com/more-retail/moresso-go/core"}},
	{Name: "golang-jwt", Modules: []string{"github.com/golang-jwt/jwt/v5"}},
	{Name: "kataras", Modules: []string{"github.com/kataras/jwt"}},
	{Name: "go-jose", Modules: []string{"github.com/go-jose/go-jose/v4"}},
	{Name: "auth0", Modules: []string{"github.com/auth0/go-jwt-middleware/v2"}},
	{Name: "keyfunc", Modules: []string{"github.com/MicahParks/keyfunc/v3"}},
	{Name: "go-oidc", Modules: []string{"github.com/coreos/go-oidc/v3"}},
	{Name: "cap", Modules: []string{"github.com/hashicorp/cap"}},
	{Name: "zitadel", Modules: []string{"github.com/zitadel/oidc/v3"}},
	{Name: "jwx", Modules: []string{"github.com/lestrrat-go/jwx/v3"}},
	{Name: "chi jwtauth", Modules: []string{"github.com/go-chi/jwtauth/v5"}},
	{Name: "gin-jwt", Modules: []string{"github.com/appleboy/gin-jwt/v3", "github.com/gin-gonic/gin"}},
	{Name: "echo-jwt", Modules: []string{"github.com/labstack/echo-jwt/v4", "github.com/labstack/echo/v4"}},
	{Name: "fiber jwt", Modules: []string{"github.com/gofiber/contrib/jwt", "github.com/gofiber/fiber/v2"}},
}

// figure shows small and large ratios alike.
func figure(f float64) string {
	if f < 0.1 {
		return fmt.Sprintf("%.4f", f)
	}
	return fmt.Sprintf("%.2f", f)
}

func thousands(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// processor is the model as the system tells it.
func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "a processor of unknown make"
	}
	for line := range bytes.Lines(text) {
		if name, ok := bytes.CutPrefix(line, []byte("model name")); ok {
			_, model, _ := bytes.Cut(name, []byte(":"))
			return string(bytes.TrimSpace(model))
		}
	}
	return "a processor of unknown make"
}

const (
	begin = "<!-- begin: written by make bench -->\n"
	end   = "<!-- end -->\n"
)

// writeInto puts the figures into a document, between two marks, and the charts beside it.
func (r *report) writeInto(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	head, rest, ok := strings.Cut(string(text), begin)
	_, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		return errors.New(path + " has not the two marks between which the figures stand")
	}
	for name, chart := range r.charts() {
		if err := os.WriteFile(filepath.Join(filepath.Dir(path), "img", name), []byte(chart), 0o600); err != nil {
			return err
		}
	}
	return os.WriteFile(path, []byte(head+begin+r.text()+end+tail), 0o600)
}
