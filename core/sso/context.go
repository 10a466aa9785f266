package sso

import "context"

type contextKey struct{}

// A login is what one authenticator established for one credential. It remembers both, so
// that another authenticator, or the same one for another credential, does not rely on it.
// It is shared between requests.
type login struct {
	by         *Authenticator
	credential [32]byte   // SHA-256 of the token
	principal  *Principal // nil: anonymous
	proof      proof
}

// A loginContext is a context with a login. It is [context.WithValue] in one piece of memory.
type loginContext struct {
	context.Context
	login *login
}

func (c *loginContext) Value(key any) any {
	if key == (contextKey{}) {
		return c.login
	}
	return c.Context.Value(key)
}

// withLogin returns a context that holds a login; the given one if it does so already.
func withLogin(ctx context.Context, l *login) context.Context {
	if loginOf(ctx) == l {
		return ctx
	}
	return &loginContext{ctx, l}
}

func loginOf(ctx context.Context) *login {
	if ctx == nil {
		return nil
	}
	l, _ := ctx.Value(contextKey{}).(*login)
	return l
}

// FromContext returns the principal of the request that a context belongs to; false where
// there is none: before authentication, or for an anonymous request under an adapter's
// Optional.
func FromContext(ctx context.Context) (*Principal, bool) {
	if l := loginOf(ctx); l != nil && l.principal != nil {
		return l.principal, true
	}
	return nil, false
}
