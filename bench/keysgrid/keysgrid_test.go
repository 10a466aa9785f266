package main

import (
	"testing"

	"github.com/more-retail/moresso-go/bench/internal/peers"
)

// TestPromises_Kept requires this library to keep its promises.
func TestPromises_Kept(t *testing.T) {
	for _, sit := range situations {
		t.Run(sit.title, func(t *testing.T) {
			if c := measure(t, peers.All[0], sit); c.mark != kept {
				t.Errorf("promised %s, measured %s", sit.promise, c.text)
			}
		})
	}
}
