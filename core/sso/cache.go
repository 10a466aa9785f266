package sso

import (
	"context"
	"crypto/sha256"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/more-retail/moresso-go/core/internal/keycache"
)

// A cached token is not verified again while the inputs of its verification are unchanged. It is
// found by the SHA-256 digest of its bytes, in the cache of its issuer, so token and rules are the
// same. The time, the keys and the session can change, so they are checked every time. The cache
// never refuses a token: in doubt, the token is verified again.

// A login is the result of verifying one credential with one authenticator. It is not valid for
// another authenticator or credential. It is shared between requests.
type login struct {
	by         *Authenticator
	credential [32]byte   // SHA-256 of the token
	principal  *Principal // nil if anonymous, else &own, to save an allocation
	own        Principal

	match      keycache.Match // the key that verified the token
	generation atomic.Uint64  // of the key set at the last check
	key        keycache.Ref   // from the token's header
	algorithm  string
}

// loginBytes is the approximate size of a cached login without its claims.
const loginBytes = 512

// cacheKey returns the digest of a token. It is zero for a text that cannot be a token, which is not
// hashed.
func (a *Authenticator) cacheKey(token string) (key [32]byte) {
	if len(token) > a.engine.MaxBytes() || strings.Count(token, ".") != 2 {
		return key
	}
	return digest(token)
}

// cached returns the login of a cached token that is still valid, else nil. An error means that its
// validity is unknown.
func (a *Authenticator) cached(ctx context.Context, key [32]byte) (*login, error) {
	for _, i := range a.issuers {
		l := i.cache.Get(key)
		if l == nil || l.by != a.origin {
			continue
		}
		if current, err := l.current(ctx); current || err != nil {
			return l, err
		}
	}
	return nil, nil //nolint:nilnil // no login is not an error
}

// current reports whether a verified token is still valid: its dates allow it and its key is in use.
// An error means that its validity is unknown.
func (l *login) current(ctx context.Context) (bool, error) {
	rules := l.own.issuer.rules
	now := rules.Now()
	if now.IsZero() || !rules.InTime(l.principal.times, now) {
		return false, nil
	}
	last := l.match
	last.Generation = l.generation.Load()
	match, ok, err := rules.Keys.Confirm(ctx, now, last, l.key, l.algorithm)
	if ok && match.Generation != last.Generation {
		l.generation.Store(match.Generation)
	}
	return ok, err
}

// digest returns the SHA-256 of a token. A pooled copy is hashed, since a conversion to bytes would
// allocate.
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

type loginKey struct{}

// A loginContext is a context with a login. It is [context.WithValue] in one allocation.
type loginContext struct {
	context.Context
	login   *login
	checked time.Time     // when the session store was called; zero without one
	token   func() string // for TokenFromContext; %v prints no function's result
}

// Value implements [context.Context].
func (c *loginContext) Value(key any) any {
	if key == (loginKey{}) {
		return c
	}
	return c.Context.Value(key)
}

// withLogin returns a context that holds a login, and its token if a is to keep it. It returns ctx if that
// already holds them.
func (a *Authenticator) withLogin(ctx context.Context, l *login, token string) context.Context {
	held := loginOf(ctx)
	if held.login == l && (held.token != nil || !a.keepsToken) {
		return ctx
	}
	c := &loginContext{Context: ctx, login: l}
	switch {
	case held.login == l:
		c.checked = held.checked
	case l.principal != nil && l.own.issuer.sessions != nil:
		c.checked = l.own.issuer.rules.Now()
	}
	if held.token != nil && held.login.credential == l.credential {
		c.token = held.token
	} else if a.keepsToken && token != "" {
		token = strings.Clone(token)
		c.token = func() string { return token }
	}
	return c
}

// sessionCheckedFor is how long the check of a session is reused within one request, so that several
// guards call the store once. A guard that runs later calls it again.
const sessionCheckedFor = time.Second

// sessionChecked reports whether the session of the login in ctx was checked within this request.
func (a *Authenticator) sessionChecked(ctx context.Context, l *login) bool {
	checked := loginOf(ctx).checked
	ago := l.own.issuer.rules.Now().Sub(checked)
	return !checked.IsZero() && ago >= 0 && ago < sessionCheckedFor
}

var noLogin loginContext

// storeKey is the key of the login in a framework's own context, which may look up strings only.
const storeKey = "github.com/more-retail/moresso-go/core/sso.login"

// loginOf returns the part of ctx with a login. It is never nil.
func loginOf(ctx context.Context) *loginContext {
	if ctx != nil {
		if c, ok := ctx.Value(loginKey{}).(*loginContext); ok {
			return c
		}
		if c, ok := ctx.Value(storeKey).(*loginContext); ok {
			return c
		}
	}
	return &noLogin
}

// FromContext returns the principal of the request that ctx belongs to. It is false before
// authentication, and for an anonymous request under an adapter's Optional.
func FromContext(ctx context.Context) (*Principal, bool) {
	if l := loginOf(ctx).login; l != nil && l.principal != nil {
		return l.principal, true
	}
	return nil, false
}

// TokenFromContext returns the token of the request that ctx belongs to, for a service that must forward
// it. It is false unless the guard has the option WithTokenInContext, and for an anonymous request. Forward
// a token only where it is intended for the receiver; docs/ADAPTERS.md says what to do elsewhere.
func TokenFromContext(ctx context.Context) (token string, ok bool) {
	if get := loginOf(ctx).token; get != nil {
		return get(), true
	}
	return "", false
}

// WithExpiry returns a context that ends with the token of the request of ctx. Use it for a
// WebSocket, server-sent events or a long download. It ends when the token expires,
// [Config.Leeway] included, by the authenticator's clock at the time of the call; [context.Cause]
// then matches [ErrInvalidToken]. Call cancel when the work is done. Without a principal in ctx it
// ends at once with the cause [ErrNoToken]. It does not end with the session: check that again if
// you need to.
func WithExpiry(ctx context.Context) (expiring context.Context, cancel context.CancelFunc) {
	principal, ok := FromContext(ctx)
	if !ok {
		expiring, end := context.WithCancelCause(ctx)
		end(ErrNoToken)
		return expiring, func() {}
	}
	rules := principal.issuer.rules
	left := principal.ExpiresAt().Add(rules.Leeway).Sub(rules.Now())
	return context.WithTimeoutCause(ctx, left, tokenError("exp", ReasonExpired, "the token expired during the request"))
}
