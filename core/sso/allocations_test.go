//go:build !race

package sso_test

import (
	"strings"
	"testing"

	"github.com/more-retail/moresso-go/core/sso"
)

func TestValidateToken_CachedAllocations(t *testing.T) {
	a := newAuth(t)
	valid := token()
	ctx := t.Context()
	if _, err := a.ValidateToken(ctx, valid); err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(200, func() { _, _ = a.ValidateToken(ctx, valid) }); n > 0 {
		t.Errorf("ValidateToken: %v allocations", n)
	}
	var r sso.Request = bearer(valid)
	if n := testing.AllocsPerRun(200, func() { _, _ = a.Authorize(ctx, r, granting) }); n > 1 { // the context
		t.Errorf("Authorize: %v allocations", n)
	}
}

func TestValidateToken_RefusalAllocations(t *testing.T) {
	a := newAuth(t)
	valid := token()
	parts := strings.Split(valid, ".")
	forms := map[string]string{
		"8 KiB of letters":          strings.Repeat("x", 8<<10),
		"a hundred thousand dots":   strings.Repeat(".", 100_000),
		"alg none":                  b64([]byte(`{"alg":"none"}`)) + "." + parts[1] + "." + parts[2],
		"an unknown key":            b64([]byte(headerWith("kid", `"unknown"`))) + "." + parts[1] + "." + parts[2],
		"one that is too long":      valid + strings.Repeat("A", 20_000),
		"three segments of letters": strings.Repeat("abcd", 900) + "." + strings.Repeat("abcd", 900) + ".abcd",
		"an encrypted one":          "a.b.c.d.e",
	}
	if _, err := a.ValidateToken(t.Context(), valid); err != nil {
		t.Fatal(err)
	}
	for name, invalid := range forms {
		t.Run(name, func(t *testing.T) {
			if n := testing.AllocsPerRun(100, func() { _, _ = a.ValidateToken(t.Context(), invalid) }); n > 16 {
				t.Errorf("%v allocations", n)
			}
		})
	}
}
