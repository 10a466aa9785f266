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
	fill := func(prefix, unit string, numbered bool) string {
		var s strings.Builder
		s.WriteString(prefix)
		for i := 0; s.Len() < 11500; i++ {
			if numbered {
				fmt.Fprintf(&s, unit, i)
			} else {
				s.WriteString(unit)
			}
		}
		return s.String()
	}
	base := strings.TrimSuffix(claimsWith(), "}")
	for name, payload := range map[string]string{
		"small":               claimsWith(),
		"1000 members":        base + fillN(1000, `,"%04d":""`) + "}",
		"1000 nested members": base + `,"x":{"a":""` + fillN(1000, `,"%04d":""`) + "}}",
		"256 members":         base + fillN(240, `,"%04d":"`+strings.Repeat("x", 30)+`"`) + "}",
		"1000 arrays":         base + `,"x":[` + strings.TrimSuffix(strings.Repeat("[],", 1000), ",") + "]}",
		"1000 capitals":       base + fillN(1000, `,"%04dX":""`) + "}",
		"1000 sharp s":        base + fillN(900, `,"%04dſ":""`) + "}",
		"4000 escapes":        base + `,"x":"` + strings.Repeat(`\n`, 4000) + `"}`,
		"1900 u escapes":      base + `,"x":"` + strings.Repeat(`\u00e4`, 1900) + `"}`,
		"1000 nested":         base + `,"x":` + strings.Repeat(`{"a":[`, 15) + "1" + strings.Repeat("]}", 15) + "}",
		"arrays":              base + `,"x":[` + strings.TrimSuffix(fill("", "[],", false), ",") + "]}",
		"digits":              base + `,"x":[` + strings.TrimSuffix(fill("", "1,", false), ",") + "]}",
		"members":             base + fill("", `,"m%d":1`, true) + "}",
		"escapes":             base + `,"x":"` + fill("", `\n`, false) + `"}`,
		"escaped strings":     base + `,"x":[` + strings.TrimSuffix(fill("", `"\n",`, false), ",") + "]}",
		"long date":           strings.Replace(base, `"iat":`, `"iat":1`+strings.Repeat("0", 11000)+`,"x":`, 1) + "}",
		"fraction":            strings.Replace(base, `"iat":`, `"iat":1.`+strings.Repeat("1", 11000)+`,"x":`, 1) + "}",
		"audiences":           strings.Replace(base, `"aud":"api"`, `"aud":[`+fill("", `"a",`, false)+`"api"]`, 1) + "}",
		"scopes":              base + `,"scope":"` + fill("", "a ", false) + `"}`,
		"members upper":       base + fill("", `,"M%d":1`, true) + "}",
		"members uni":         base + fill("", `,"ſ%d":1`, true) + "}",
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

func fillN(n int, unit string) string {
	var s strings.Builder
	for i := range n {
		fmt.Fprintf(&s, unit, i)
	}
	return s.String()
}
