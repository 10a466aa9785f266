package main

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"runtime"
	"sync"

	"github.com/more-retail/moresso-go/core/keys"
	"github.com/more-retail/moresso-go/core/sso"
)

// measureMemory measures what known tokens take up, and what is left of a flood of tokens that
// come once each. They are signed with Ed25519, since that is quicker; what is kept of a token
// are its claims, which are the reference token's.
func measureMemory(ctx context.Context, m *material, e effort, r *report) error {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return err
	}
	source, err := keys.Static(keys.Key{ID: keyID, Algorithm: "EdDSA", Public: public})
	if err != nil {
		return err
	}
	a := newAuthenticator(source, func(c *sso.Config) { c.Algorithms = []string{"EdDSA"} })
	header := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"EdDSA","kid":"` + keyID + `","typ":"JWT"}`))
	claims, err := json.Marshal(m.claims(0, 25))
	if err != nil {
		return err
	}
	present := func(i int) error {
		text := append([]byte(fmt.Sprintf(`{"n":"%012d",`, i)), claims[1:]...)
		input := header + "." + base64.RawURLEncoding.EncodeToString(text)
		token := input + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(private, []byte(input)))
		_, err := a.ValidateToken(ctx, token)
		return err
	}
	flood := func(from, n int) error {
		workers := runtime.GOMAXPROCS(0)
		failed := make([]error, workers)
		var all sync.WaitGroup
		for w := range workers {
			all.Go(func() {
				for i := w; i < n && failed[w] == nil && ctx.Err() == nil; i += workers {
					failed[w] = present(from + i)
				}
			})
		}
		all.Wait()
		for _, err := range failed {
			if err != nil {
				return err
			}
		}
		return ctx.Err()
	}
	empty := heap()
	if err := flood(0, sso.DefaultTokenCache); err != nil {
		return err
	}
	full := heap()
	if err := flood(sso.DefaultTokenCache, e.oneTime); err != nil {
		return err
	}
	r.cached, r.afterFlood, r.oneTime = full-empty, heap()-full, e.oneTime
	return a.Close()
}

// heap is how many bytes are in use once everything that can be freed is.
func heap() int64 {
	runtime.GC()
	runtime.GC() // what pools held goes with the second
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc) //nolint:gosec // no heap is that large
}
