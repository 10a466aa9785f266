package sso

import (
	"context"
	"crypto/sha256"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/more-retail/moresso-go/core/internal/keycache"
	"github.com/more-retail/moresso-go/core/keys"
)

// A token that has been verified need not be verified again as long as everything still holds
// that its verification rested on. Its bytes cannot have changed, since it is known by their
// SHA-256 digest, nor can the rules, since each verifier remembers its own tokens only. What can
// change is the time and the keys; both are judged each time. Where either is in doubt, the
// token goes the whole way again: what is remembered never refuses anything.

// proof is what a verification rested on.
type proof struct {
	verifier         *verifier
	match            keycache.Match // with the one key
	generation       atomic.Uint64  // of the keys, as it was read before verifying, or when they were last looked at
	keyID, algorithm string         // as the token named them
}

// recall returns the cached login of a token if it is still valid, and the token's digest. An
// [UnavailableError] is what the token would get if it were new.
func (a *Authenticator) recall(ctx context.Context, token string) (credential [32]byte, known *login, err error) {
	credential = digest(token)
	for _, v := range a.verifiers {
		l := v.known.Get(credential)
		if l == nil || l.by != a.origin {
			continue
		}
		switch good, err := l.stillGood(ctx); {
		case err != nil:
			return credential, nil, err
		case good:
			return credential, l, nil
		}
	}
	return credential, nil, nil
}

// remember keeps a login for requests to come.
func (v *verifier) remember(token string, l *login) {
	if v.known == nil {
		return
	}
	if l.credential == ([32]byte{}) {
		l.credential = digest(token)
	}
	l.proof.keyID, l.proof.algorithm = strings.Clone(l.proof.keyID), strings.Clone(l.proof.algorithm) // not the whole header
	l.proof.match.Keys = append([]keys.Key(nil), l.proof.match.Keys...)                               // not the whole set
	v.known.Put(l.credential, l, int64(loginBytes+len(l.proof.keyID)+l.principal.claims.Size()))
}

// loginBytes is about what a login takes up, with all that stands for it in the cache, beside
// its claims.
const loginBytes = 512

// stillGood reports whether a token that has been verified still is what it was: its dates
// allow it, and the key that proved it is in force. An error means that nobody can tell.
func (l *login) stillGood(ctx context.Context) (bool, error) {
	p := &l.proof
	now := p.verifier.rules.now()
	if now.IsZero() || !p.verifier.rules.inTime(l.principal.times, now) {
		return false, nil
	}
	last := p.match
	last.Generation = p.generation.Load()
	match, ok, err := p.verifier.keys.Confirm(ctx, now, last, p.keyID, p.algorithm)
	if ok && match.Generation != last.Generation {
		p.generation.Store(match.Generation)
	}
	return ok, unavailable(err)
}

// headers are the first segments of tokens that have been verified, and what the rules found in
// them. A provider's tokens have the same for as long as it signs by the same key, so it need not
// be read again each time. The zero value has none.
type headers struct{ list atomic.Pointer[[]knownHeader] }

type knownHeader struct {
	raw   string // with the dot behind it
	facts headerFacts
}

// mostHeaders bounds them. A provider that exceeds it writes something new into each.
const mostHeaders = 16

func find(list []knownHeader, token string) *knownHeader {
	for i := range list {
		if strings.HasPrefix(token, list[i].raw) {
			return &list[i]
		}
	}
	return nil
}

// recall tells a candidate what is known of its header, if it is.
func (h *headers) recall(c *candidate) bool {
	list := h.list.Load()
	if list == nil {
		return false
	}
	known := find(*list, c.token.Signed)
	if known != nil {
		c.headerFacts = known.facts
	}
	return known != nil
}

// add remembers the header of a token that has been verified.
func (h *headers) add(c *candidate) {
	for {
		before := h.list.Load()
		if before == nil {
			before = &[]knownHeader{}
			h.list.CompareAndSwap(nil, before)
			continue
		}
		if len(*before) == mostHeaders || find(*before, c.token.Signed) != nil || h.replaced(before, c) {
			return
		}
	}
}

// replaced puts a list with one header more in the place of another, unless somebody else was
// quicker.
func (h *headers) replaced(before *[]knownHeader, c *candidate) bool {
	facts := c.headerFacts
	facts.algorithm, facts.keyID, facts.typ = strings.Clone(facts.algorithm), strings.Clone(facts.keyID), strings.Clone(facts.typ)
	after := append(slices.Clip(*before), knownHeader{strings.Clone(c.token.RawHeader) + ".", facts})
	return h.list.CompareAndSwap(before, &after)
}

// digest is how a token is known: by its SHA-256. What is hashed is a copy, in memory that is used
// again, which a conversion to bytes would have to find anew each time.
func digest(token string) [32]byte {
	buffer := buffers.Get().(*[]byte) //nolint:errcheck // the pool holds nothing else
	*buffer = append((*buffer)[:0], token...)
	sum := sha256.Sum256(*buffer)
	clear(*buffer)
	if cap(*buffer) <= 1<<16 {
		buffers.Put(buffer)
	}
	return sum
}

var buffers = sync.Pool{New: func() any { return new([]byte) }}
