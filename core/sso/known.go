package sso

import (
	"context"
	"crypto/sha256"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/more-retail/moresso-go/core/internal/compact"
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
	match            keys.Match    // with the one key
	generation       atomic.Uint64 // of the keys, as it was read before verifying, or when they were last looked at
	keyID, algorithm string        // as the token named them
}

// recall finds what is known of a token. The digest is zero if it was not even looked for: where
// nothing is remembered, and for what cannot be known, however long it is.
func (a *Authenticator) recall(ctx context.Context, token string) (credential [32]byte, known *login) {
	if len(token) > a.maxTokenBytes || !slices.ContainsFunc(a.verifiers, func(v *verifier) bool { return v.headers.begin(token) }) || !compact.Shaped(token) {
		return credential, nil
	}
	credential = digest(token)
	for _, v := range a.verifiers {
		if known = v.known.Get(credential); known != nil {
			break
		}
	}
	if known == nil || known.by != a.origin || !known.stillGood(ctx) {
		return credential, nil
	}
	return credential, known
}

// remember keeps a login for requests to come.
func (v *verifier) remember(token string, l *login) {
	if v.known == nil || !compact.Shaped(token) {
		return
	}
	if l.credential == ([32]byte{}) {
		l.credential = digest(token)
	}
	v.headers.add(token[:strings.IndexByte(token, '.')+1])
	l.proof.keyID = strings.Clone(l.proof.keyID) // not the whole header
	v.known.Put(l.credential, l, loginBytes+len(l.proof.keyID)+l.principal.claims.Size())
}

// loginBytes is about what a login takes up, with all that stands for it in the cache, beside
// its claims.
const loginBytes = 512

// stillGood reports whether a token that has been verified still is what it was: its dates
// allow it, and the key that proved it is in force.
func (l *login) stillGood(ctx context.Context) bool {
	p := &l.proof
	now := p.verifier.rules.now()
	if now.IsZero() || !p.verifier.rules.inTime(l.principal.times, now) {
		return false
	}
	last := p.match
	last.Generation = p.generation.Load()
	match, ok := p.verifier.keys.Confirm(ctx, last, p.keyID, p.algorithm)
	if ok && match.Generation != last.Generation {
		p.generation.Store(match.Generation)
	}
	return ok
}

// headers are the first segments of the tokens that are remembered, with the dot behind them. A
// provider's tokens have the same for as long as it signs by the same key, so what begins
// otherwise is not known, and need not be hashed to see that. The zero value has none.
type headers struct{ list atomic.Pointer[[]string] }

// mostHeaders bounds them. A provider that exceeds it writes something new into each, and then
// they tell nothing.
const mostHeaders = 16

// begin reports whether a token may be one that is remembered.
func (h *headers) begin(token string) bool {
	list := h.list.Load()
	return list != nil && (len(*list) == mostHeaders || slices.ContainsFunc(*list, func(header string) bool { return strings.HasPrefix(token, header) }))
}

func (h *headers) add(header string) {
	for !h.begin(header) {
		before, after := h.list.Load(), []string{strings.Clone(header)}
		if before != nil {
			after = append(after, *before...)
		}
		h.list.CompareAndSwap(before, &after)
	}
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
