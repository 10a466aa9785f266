package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

func material1(t *testing.T) *material {
	t.Helper()
	m, err := newMaterial(3)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestTheReferenceTokenIsWhatIsSaidOfIt(t *testing.T) {
	m := material1(t)
	for i, token := range m.tokens {
		if len(token) != tokenBytes || i > 0 && token == m.tokens[i-1] {
			t.Errorf("%d bytes", len(token))
		}
	}
	if n := len(m.claims(0, 1)); n != 15 {
		t.Errorf("%d claims", n)
	}
	theirs, stop, err := m.peers(t.Context())
	defer stop()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range theirs {
		if err := p.verify(); err != nil {
			t.Errorf("%s refuses it: %v", p.name, err)
		}
	}
}

// What is compared has to do the same: let the token in, and nobody without one.
func TestEveryServiceIsGuardedButTheBareOnes(t *testing.T) {
	m := material1(t)
	list, err := services(m.jwks, &m.key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range list {
		t.Run(s.name(), func(t *testing.T) {
			ask := func(authorization string) int {
				if s.app != nil {
					ctx := &fasthttp.RequestCtx{}
					ctx.Request.SetRequestURI(route)
					ctx.Request.Header.Set("Authorization", authorization)
					s.app.Handler()(ctx)
					return ctx.Response.StatusCode()
				}
				r := httptest.NewRequest(http.MethodGet, route, http.NoBody)
				r.Header.Set("Authorization", authorization)
				w := httptest.NewRecorder()
				s.handler.ServeHTTP(w, r)
				return w.Code
			}
			for range 2 {
				if status := ask("Bearer " + m.tokens[0]); status != http.StatusOK {
					t.Errorf("a good token: %d", status)
				}
			}
			if status := ask("Bearer " + m.tokens[0][:tokenBytes-8] + "AAAAAAAA"); (status == http.StatusOK) != (s.guard == bare) {
				t.Errorf("a forged token: %d", status)
			}
		})
	}
}

func TestADearerSubjectIsFoundToBeDearer(t *testing.T) {
	work := func(n int) func() {
		return func() {
			for i := range n {
				sink += i
			}
		}
	}
	ratios := compare(effort{rounds: 9, slices: 3, slice: time.Millisecond}, []subject{{"one", work(10_000)}, {"ten", work(100_000)}, {"a tenth", work(1000)}})
	if one, ten, tenth := ratios[0].median, ratios[1].median, ratios[2].median; one != 1 || ten < 4 || ten > 25 || tenth > 0.5 {
		t.Errorf("%v", ratios)
	}
	if n := allocations(func() { held = new([1 << 10]byte) }); n != 1 {
		t.Errorf("%v allocations", n)
	}
}

var (
	sink int
	held *[1 << 10]byte
)

func TestTheReportStandsBetweenItsMarks(t *testing.T) {
	r := report{
		tokenBytes:   tokenBytes,
		verification: []ratio{{name: anchor, median: 1}, {name: digestOnly, median: 0.025}, {name: oursCold, median: 1.1, allocs: 17}, {name: oursWarm, median: 0.03}, {name: oursWarm1k, median: 0.2}, {name: "a <peer>", median: 1.5}},
		frameworks:   []measured{{service{framework: "Gin", guard: bare}, ratio{allocs: 1}}, {service{framework: "Gin", guard: withOurs}, ratio{allocs: 5}}},
		loopback:     []overLoopback{{service: service{framework: "Gin", guard: bare}, cpu: ratio{median: 1}}, {service: service{framework: "Gin", guard: withOurs}, cpu: ratio{median: 1.31}}},
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "BENCHMARKS.md")
	if err := os.Mkdir(filepath.Join(dir, "img"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("before\n"+begin+"STALE\n"+end+"after\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := r.writeInto(path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"before\n", "after\n",
		"| a new token, × one RSA verification | 1.100 | at most 1.15 | yes |",
		"| 1,000 known tokens in turn, × one RSA verification | 0.2000 | at most 0.04 | **no** |",
		"| a known token, times quicker than the quickest peer | 50 | at least 40 | yes |",
		"| Gin: allocations for a known token | 4 | at most 4 | yes |",
		"| Gin over loopback, known tokens: processor time × the bare route's | 1.31 | at most 1.3 | **no** |",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the document lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(string(text), "STALE") {
		t.Error("the old figures still stand")
	}
	chart, err := os.ReadFile(filepath.Join(dir, "img", "bench-new-token.svg"))
	if err != nil || !strings.Contains(string(chart), "a &lt;peer&gt;") || strings.Contains(string(chart), "NaN") {
		t.Errorf("%v\n%s", err, chart)
	}
	if err := r.writeInto(filepath.Join(dir, "none.md")); err == nil {
		t.Error("a document that is not there was written into")
	}
}
