package main

import (
	"cmp"
	"context"
	"io"
	"log"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/more-retail/moresso-go/bench/internal/peers"
	"github.com/more-retail/moresso-go/core/adaptertest"
	"github.com/more-retail/moresso-go/core/devissuer"
	"github.com/more-retail/moresso-go/core/ssotest"
)

// outcome is what became of one attack with one library.
type outcome int

const (
	refused  outcome = iota
	accepted         // the attack succeeds
	panicked         // the library does not survive it by itself
	unusable         // the library accepts no good token of this issuer either, so it cannot be told
)

// patience is how long one token may take; a library that takes longer has refused it.
const patience = 10 * time.Second

// keyring makes each key once: attacks come by the hundred, and an RSA key takes long to make.
type keyring map[string][]byte

func (k keyring) issuer(t *testing.T, algorithm string) *ssotest.Issuer {
	opts := []devissuer.Option{devissuer.WithAlgorithm(algorithm)}
	if pem, ok := k[algorithm]; ok {
		opts = append(opts, devissuer.WithKeyPEM(pem))
	}
	issuer := ssotest.NewIssuer(t, opts...)
	k[algorithm] = issuer.PrivateKeyPEM()
	return issuer
}

// attacks is the part of the corpus that has a token: most peers read no header fields.
func attacks() (withToken []adaptertest.Attack, without int) {
	for _, attack := range adaptertest.Attacks() {
		if attack.Token == nil {
			without++
			continue
		}
		withToken = append(withToken, attack)
	}
	return withToken, without
}

// try sends one attack to one library, which has a process and an issuer to itself.
func try(t *testing.T, peer peers.Peer, attack adaptertest.Attack, keys keyring) outcome {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // where some libraries tell of every failure
	log.SetOutput(io.Discard)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	issuer := keys.issuer(t, cmp.Or(attack.Algorithm, "RS256"))
	token := attack.Token(issuer.Issuer) // first, since one attack publishes a key
	verify, err := peer.Start(ctx, peers.Provider{
		KeysURL: issuer.JWKSURL(), Issuer: issuer.URL(), Audience: "api", Algorithm: issuer.Algorithm(), Client: issuer.Client(),
	})
	if err != nil || send(ctx, verify, issuer.Token()) != accepted {
		return unusable
	}
	return send(ctx, verify, token)
}

func send(ctx context.Context, verify peers.Verifier, token string) (o outcome) {
	ctx, cancel := context.WithTimeout(ctx, patience)
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

// group is the part of an attack's name that it shares with others of its kind.
func group(attack adaptertest.Attack) string {
	name, _, _ := strings.Cut(attack.Name, "/")
	return name
}
