package main

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func TestProvider_Tokens(t *testing.T) {
	p := newProvider(3)
	for i, token := range p.tokens {
		if n := len(token); n > tokenBytes || n < tokenBytes-3 {
			t.Errorf("%d bytes, want %d", n, tokenBytes)
		}
		if slices.Contains(p.tokens[:i], token) {
			t.Error("two tokens are equal")
		}
	}
	_, body, _ := strings.Cut(p.tokens[0], ".")
	body, _, _ = strings.Cut(body, ".")
	text, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(text, &claims); err != nil || len(claims) != 15 {
		t.Errorf("%d claims, %v; want 15", len(claims), err)
	}
}

// Each subject panics if it does not accept, or refuse, what it is measured for.
func TestSubjects_Work(t *testing.T) {
	list, _ := allSubjects(t.Context(), 3)
	for _, s := range list {
		t.Run(s.name, func(*testing.T) { s.do(); s.do() })
	}
}

func TestRoutes_Guarded(t *testing.T) {
	p := newProvider(3)
	a := p.authenticator(t.Context(), 0)
	for _, r := range routes(p, a, a) {
		t.Run(r.framework+": "+r.guard, func(t *testing.T) {
			get := r.client(t.Context())
			if err := get(p.tokens[0]); err != nil {
				t.Errorf("valid token: %v", err)
			}
			forged := p.tokens[0][:len(p.tokens[0])-8] + "AAAAAAAA"
			if err := get(forged); (err == nil) != (r.guard == bare) {
				t.Errorf("forged token: %v", err)
			}
		})
	}
}

func TestMeasure_Ratios(t *testing.T) {
	work := func(n int) func() {
		return func() {
			for i := range n {
				sink += i
			}
		}
	}
	results := measure(9, 1, []subject{
		{do: work(10_000)}, {do: work(100_000)}, {do: work(1000), base: 1},
	})
	if one, ten, hundredth := results[0].median, results[1].median, results[2].median; one != 1 || ten < 4 || ten > 25 || hundredth > 0.05 {
		t.Errorf("ratios %v, %v, %v, want 1, 10, 0.01", one, ten, hundredth)
	}
	if n := allocations(func() { escaped = new([1 << 10]byte) }); n != 1 {
		t.Errorf("%v allocations, want 1", n)
	}
}

var (
	sink    int
	escaped *[1 << 10]byte
)

func TestReport_Tables(t *testing.T) {
	results := []result{
		{subject: subject{table: verifications, name: anchor}, median: 1},
		{subject: subject{table: verifications, name: oursNew}, median: 1.2, low: 1.1, high: 1.3, allocations: 17},
		{subject: subject{table: verifications, name: oursCached}, median: 0.036},
		{subject: subject{table: verifications, name: structClaims}, median: 1.5},
	}
	text := targets(results).String() + table(verifications, results).String()
	for _, want := range []string{
		"| a new token, × golang-jwt with struct claims | 0.8 | 0.82 | yes |",
		"| a cached token, × one RSA verification | 0.036 | 0.035 | **no** |",
		"| a cached token, allocations | 0 | 0 | yes |",
		"| moresso-go, a new token | 1.2 | 1.1–1.3 | 17 | █████ |",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
}
