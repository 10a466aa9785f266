package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/more-retail/moresso-go/bench/internal/peers"
	"github.com/more-retail/moresso-go/core/adaptertest"
	"github.com/more-retail/moresso-go/core/devissuer"
)

// TestOurs holds this library to the corpus by the way in which the grid is measured.
func TestOurs(t *testing.T) {
	g := run(t, peers.All[:1])
	for _, name := range g.accepted(0) {
		t.Errorf("%s is not refused", name)
	}
}

// TestTheGridTellsWhatIsAccepted has a library that accepts all and one that accepts nothing.
func TestTheGridTellsWhatIsAccepted(t *testing.T) {
	attack := adaptertest.Attack{Name: "none/at all", Source: "RFC 7518", Token: func(i *devissuer.Issuer) string { return i.MustToken(devissuer.AlgNone()) }}
	g := grid{attacks: []adaptertest.Attack{attack}, peers: []peers.Peer{always("open", nil), always("shut", peers.StatusError(401)), {Name: "crash"}}}
	row := []outcome{try(t, g.peers[0], attack, keyring{}), try(t, g.peers[1], attack, keyring{}), panicked}
	if row[0] != accepted || row[1] != unusable {
		t.Errorf("outcomes %v", row)
	}
	g.rows = [][]outcome{row}
	if got := g.accepted(0); len(got) != 1 {
		t.Errorf("accepted by the open one: %v", got)
	}
	path := filepath.Join(t.TempDir(), "grid.md")
	if err := g.writeInto(path); err == nil {
		t.Error("a document that is not there was written into")
	}
	if err := os.WriteFile(path, []byte("before\n"+begin+"STALE GRID\n"+end+"after\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := g.writeInto(path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"before\n", "after\n", "| none | 1 | 1 | 0 | 1 |", "| none/at all | RFC 7518 | A | ? | P |"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the document lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(string(text), "STALE GRID") {
		t.Error("the old grid still stands")
	}
}

func always(name string, answer error) peers.Peer {
	return peers.Peer{Name: name, Start: func(context.Context, peers.Provider) (peers.Verifier, error) {
		return func(context.Context, string) error { return answer }, nil
	}}
}
