//go:build !race

package compact_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/more-retail/moresso-go/core/internal/compact"
)

func TestATokenIsTakenApartInMemoryThatServesAgain(t *testing.T) {
	text := token(`{"alg":"EdDSA","kid":"one"}`, strings.Repeat("x", 2000), "signature")
	n := testing.AllocsPerRun(100, func() {
		opened, err := compact.Open(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := opened.ReadHeader(); err != nil {
			t.Fatal(err)
		}
		if _, err := opened.ReadPayload(); err != nil {
			t.Fatal(err)
		}
		opened.Release()
	})
	if n > 3 { // the header: its text, its nodes, and what holds them
		t.Errorf("%v allocations", n)
	}
}

func TestTheMemoryThatAMonstrousTokenTookIsLetGo(t *testing.T) {
	const length = 1 << 20
	text := token(`{}`, strings.Repeat("x", length), "s")
	for range 5 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		opened, err := compact.Open(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := opened.ReadPayload(); err != nil {
			t.Fatal(err)
		}
		opened.Release()
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; took < length {
			t.Fatalf("to decode %d bytes again takes only %d of new memory: the old one was kept", length, took)
		}
	}
}
