//go:build !race

package jsondoc_test

import (
	"strings"
	"testing"

	"github.com/more-retail/moresso-go/core/internal/jsondoc"
)

func TestParse_Allocations(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		most float64
	}{
		"without escapes": {`{"sub":"ada","aud":["orders","invoices"],"exp":1700000000,"on":true}`, 3},
		"with escapes":    {`{"sub":"\u0061da","aud":["orders\n"]}`, 6},
		"many members":    {`{` + manyMembers(60) + `,"z":[` + strings.Repeat(`{"a":{"b":0}},`, 10) + `0]}`, 3},
	} {
		t.Run(name, func(t *testing.T) {
			given := []byte(test.text)
			n := testing.AllocsPerRun(100, func() {
				if _, err := jsondoc.Parse(given); err != nil {
					t.Fatal(err)
				}
			})
			if n > test.most {
				t.Errorf("%v allocations", n)
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	text := []byte(`{"iss":"https://login.example.com/realms/shop","sub":"248289761001-0000-4000-8000","aud":["orders-api","invoices-api"],` +
		`"exp":1767225900,"iat":1767225600,"nbf":1767225600,"jti":"0f8fad5b-d9cb-469f-a165-70867728950e","azp":"shop-frontend","scope":"openid profile orders:read orders:write",` +
		`"realm_access":{"roles":["clerk","offline_access","uma_authorization"]},"permissions":{"orders":{"read":true,"write":["de","fr"],"limit":500},"invoices":{"read":true}},` +
		`"name":"Ada Lovelace","email":"ada@example.com","email_verified":true,"locale":"en-GB","session_state":"b7a7f9e2-6f3e-4f5d-8b0a-3d2f1c9e8a77"}`)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := jsondoc.Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}
