//go:build !race

package main

import "testing"

// What a guard takes beyond a middleware that does nothing, for a token that is known: the
// context and what the framework needs to hand it and the principal on.
func TestAllocationsForAKnownToken(t *testing.T) {
	most := map[string]float64{"net/http": 2, "Gin": 4, "Echo": 5, "Fiber": 1}
	m, err := newMaterial(1)
	if err != nil {
		t.Fatal(err)
	}
	list, err := services(m.jwks, &m.key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	without := map[string]float64{}
	for _, s := range list {
		do := s.request(m.tokens)
		do()
		n := testing.AllocsPerRun(200, do)
		switch s.guard {
		case bare:
			without[s.framework] = n
		case withOurs:
			if n-without[s.framework] > most[s.framework] {
				t.Errorf("%s: %v allocations, of which %v are the bare route's; at most %v more are wanted", s.framework, n, without[s.framework], most[s.framework])
			}
		}
	}
}
