package sso_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/more-retail/moresso-go/core/sso"
)

// BenchmarkRefused measures tokens of 16 KiB with a wrong signature that cost the most.
func BenchmarkRefused(b *testing.B) {
	key := rsaKey()
	auth := newAuth(b, func(c *sso.Config) {
		c.Keys = static(b, "ada", "RS256", key.Public())
		c.Algorithms = []string{"RS256"}
	})
	base := strings.TrimSuffix(claimsWith(), "}")
	many := func(n int, unit string) string { // with a number in each
		var s strings.Builder
		for i := range n {
			fmt.Fprintf(&s, unit, i)
		}
		return s.String()
	}
	for name, payload := range map[string]string{
		"small":               claimsWith(),
		"500 claims":          base + many(500, `,"%04d":"xxxxxxxxxx"`) + "}",
		"1000 nested members": base + `,"x":{"a":""` + many(990, `,"%04d":""`) + "}}",
		"500 capitals":        base + many(500, `,"%04dX":""`) + "}",
		"500 long s":          base + many(500, `,"%04dſ":""`) + "}",
		"1000 values":         base + `,"x":[0` + many(1000, ",%d") + "]}",
		"4000 escapes":        base + `,"x":"` + strings.Repeat(`\n`, 4000) + `"}`,
		"one long text":       base + `,"x":"` + strings.Repeat("a ", 5700) + `"}`,
		"a date of 11 KiB":    strings.Replace(base, `"iat":`, `"iat":1`+strings.Repeat("0", 11000)+`,"x":`, 1) + "}",
	} {
		token := signedWith(b, jwt.SigningMethodRS256, key, headerWith("alg", `"RS256"`), payload)
		token = token[:len(token)-8] + "AAAAAAAA"
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_, _ = auth.ValidateToken(b.Context(), token)
			}
		})
	}
}
