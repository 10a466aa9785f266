//go:build !race

package jsondoc_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/more-retail/moresso-go/core/internal/jsondoc"
)

func TestReadingIntoTheSameMemoryAllocatesTheTextAlone(t *testing.T) {
	for name, text := range map[string]string{
		"without escapes":                      `{"sub":"ada","aud":["orders","invoices"],"exp":1700000000,"on":true}`,
		"with escapes":                         `{"sub":"\u0061da","aud":["orders\n"]}`,
		"objects in an object of many members": `{` + manyMembers(60) + `,"z":[` + strings.Repeat(`{"a":{"b":0}},`, 10) + `0]}`,
	} {
		t.Run(name, func(t *testing.T) {
			given := []byte(text)
			var d jsondoc.Document
			n := testing.AllocsPerRun(100, func() {
				if _, err := d.Read(given); err != nil {
					t.Fatal(err)
				}
			})
			if n > 1 {
				t.Errorf("%v allocations", n)
			}
		})
	}
}

func TestTheMemoryThatAMonstrousTextTookIsLetGo(t *testing.T) {
	for name, text := range map[string]string{
		"many values":  `[` + strings.Repeat("0,", 1<<16) + `0]`,
		"many escapes": `"` + strings.Repeat(`\n`, 1<<18) + `"`,
	} {
		t.Run(name, func(t *testing.T) {
			given := []byte(text)
			if n := allocated(t, given); n < 2*uint64(len(given)) {
				t.Errorf("reading %d bytes again allocates only %d: the memory was kept", len(given), n)
			}
		})
	}
}

// allocated is how many bytes it takes to read a text that has been read before.
func allocated(t *testing.T, text []byte) uint64 {
	t.Helper()
	var d jsondoc.Document
	least := ^uint64(0)
	for range 5 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := d.Read(text); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		least = min(least, after.TotalAlloc-before.TotalAlloc)
	}
	return least
}
