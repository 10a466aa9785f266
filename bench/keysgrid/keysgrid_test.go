package main

import (
	"testing"

	"github.com/more-retail/moresso-go/bench/internal/peers"
)

// TestOurs holds this library's column to its promises.
func TestOurs(t *testing.T) {
	for _, sit := range situations {
		t.Run(sit.title, func(t *testing.T) {
			if c := measure(t, peers.All[0], sit); c.mark != kept {
				t.Errorf("promised %s, measured %s", sit.promise, c)
			}
		})
	}
}
