package main

import (
	"context"
	"strings"
	"testing"

	"github.com/more-retail/moresso-go/bench/internal/peers"
	"github.com/more-retail/moresso-go/core/adaptertest"
)

func TestAttacks_Refused(t *testing.T) {
	for _, name := range run(t, attacks(), peers.All[:1]).failed(0) {
		t.Errorf("%s is not refused", name)
	}
}

func TestGrid_Outcomes(t *testing.T) {
	attack := attacks()[0]
	attack.Name, attack.Source = "none/at all", "RFC 7518"
	calls := 0
	g := run(t, []adaptertest.Attack{attack}, []peers.Peer{
		peer("accepts", func() error { return nil }),
		peer("refuses", func() error { return peers.StatusError(401) }),
		peer("panics", func() error {
			calls++
			if calls > 1 {
				panic("by the attack")
			}
			return nil
		}),
	})
	if got := len(g.failed(0)) + len(g.failed(1)) + len(g.failed(2)); got != 3 {
		t.Errorf("%d failures, want 3", got)
	}
	for _, want := range []string{"| none | 1 | 1 | 0 | 1 |", "| none/at all | RFC 7518 | A | ? | P |"} {
		if text := g.text(); !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
}

func peer(name string, verify func() error) peers.Peer {
	return peers.Peer{Name: name, Start: func(context.Context, peers.Provider) (peers.Verifier, error) {
		return func(context.Context, string) error { return verify() }, nil
	}}
}
