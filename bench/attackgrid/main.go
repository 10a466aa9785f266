// Command attackgrid sends the attack corpus to this library and its peers, and prints which of
// them accepts which attack.
//
//	go run ./attackgrid                                     # from bench/, with GOWORK=off
//	go run ./attackgrid -o ../docs/reports/SECURITY-TESTING.md      # also into that page
package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/bench/internal/peers"
	"github.com/more-retail/moresso-go/bench/internal/report"
	"github.com/more-retail/moresso-go/core/adaptertest"
	"github.com/more-retail/moresso-go/core/devissuer"
)

func main() {
	report.RunGrid("attackgrid", func(t *testing.T) (text string, failures []string) {
		g := run(t, attacks(), peers.All)
		for _, name := range g.failed(0) {
			failures = append(failures, peers.All[0].Name+" does not refuse "+name)
		}
		return g.text() + "\n" + peers.Versions(), failures
	})
}

// outcome is a library's result for an attack. Its text is the cell of the grid.
type outcome string

const (
	refused    outcome = "·"
	accepted   outcome = "A"
	panicked   outcome = "P"
	incapable  outcome = "?" // the library refuses valid tokens of this issuer too
	legend             = "A: accepted; P: panicked; ·: refused; ?: refuses valid tokens of this issuer too"
	timeLimit          = 10 * time.Second // for one token; a library that takes longer has refused it
	allAttacks         = "all"
)

// grid has a row for each attack and a column for each library.
type grid struct {
	peers   []peers.Peer
	attacks []adaptertest.Attack
	rows    [][]outcome
}

// attacks returns the attacks by a token. Most peers do not read the header, so attacks by the
// header are left out.
func attacks() (list []adaptertest.Attack) {
	for _, attack := range adaptertest.Attacks("") {
		if !strings.HasPrefix(attack.Name, "Authorization/") {
			list = append(list, attack)
		}
	}
	return list
}

func run(t *testing.T, list []adaptertest.Attack, columns []peers.Peer) grid {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // some libraries log every failure
	log.SetOutput(io.Discard)
	g, keys := grid{peers: columns, attacks: list}, keyring{}
	for _, attack := range list {
		row := make([]outcome, len(columns))
		for i, peer := range columns {
			row[i] = try(t, peer, attack, keys)
		}
		g.rows = append(g.rows, row)
	}
	return g
}

// keyring holds one private key for each algorithm, because generating an RSA key is slow.
type keyring map[string][]byte

func (k keyring) issuer(t *testing.T, algorithm string) *devissuer.Issuer {
	options := []devissuer.Option{devissuer.WithAlgorithm(algorithm)}
	if pem, ok := k[algorithm]; ok {
		options = append(options, devissuer.WithKeyPEM(pem))
	}
	issuer, err := devissuer.New(options...)
	if err != nil {
		t.Fatal(err)
	}
	k[algorithm] = issuer.PrivateKeyPEM()
	return issuer
}

// try sends one attack to a new instance of one library, which has accepted a valid token.
func try(t *testing.T, peer peers.Peer, attack adaptertest.Attack, keys keyring) outcome {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	issuer := keys.issuer(t, cmp.Or(attack.Algorithm, "RS256"))
	defer issuer.Close()                                                    //nolint:errcheck // nothing listens
	token := strings.TrimPrefix(attack.Authorization(issuer)[0], "Bearer ") // first, because one attack publishes a key
	verify, err := peer.Start(ctx, peers.Of(issuer))
	if err != nil || send(ctx, verify, issuer.MustToken()) != accepted {
		return incapable
	}
	return send(ctx, verify, token)
}

func send(ctx context.Context, verify peers.Verifier, token string) (o outcome) {
	ctx, cancel := context.WithTimeout(ctx, timeLimit)
	defer cancel()
	defer func() {
		if recover() != nil {
			o = panicked
		}
	}()
	if verify(ctx, token) == nil {
		return accepted
	}
	return refused
}

// failed names the attacks that one library does not refuse.
func (g grid) failed(column int) (names []string) {
	for i, row := range g.rows {
		if row[column] != refused {
			names = append(names, g.attacks[i].Name)
		}
	}
	return names
}

// text is the grid in Markdown: how many attacks of each group succeed, and which attacks do.
func (g grid) text() string {
	groups := []string{}
	size, succeeded := map[string]int{}, map[string][]int{}
	summary := report.Table{g.heading("group", "attacks")}
	details := report.Table{g.heading("attack", "source of the rule")}
	for i, attack := range g.attacks {
		group, _, _ := strings.Cut(attack.Name, "/")
		if size[group] == 0 {
			groups = append(groups, group)
		}
		line, listed := []string{strings.ReplaceAll(attack.Name, "|", `\|`), attack.Source}, false
		for _, name := range []string{group, allAttacks} {
			size[name]++
			if succeeded[name] == nil {
				succeeded[name] = make([]int, len(g.peers))
			}
		}
		for column, o := range g.rows[i] {
			line = append(line, string(o))
			if o == accepted || o == panicked {
				listed = true
				succeeded[group][column]++
				succeeded[allAttacks][column]++
			}
		}
		if listed {
			details = append(details, line)
		}
	}
	for _, name := range append(groups, allAttacks) {
		line := []string{name, fmt.Sprint(size[name])}
		for _, n := range succeeded[name] {
			line = append(line, fmt.Sprint(n))
		}
		summary = append(summary, line)
	}
	return fmt.Sprintf("%d attacks by a token. How many of them succeed:\n\n%s\nThe attacks that succeed with at least one library (%s):\n\n%s",
		len(g.attacks), summary, legend, details)
}

func (g grid) heading(first ...string) []string {
	for _, peer := range g.peers {
		first = append(first, peer.Name)
	}
	return first
}
