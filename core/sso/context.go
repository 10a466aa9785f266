package sso

import "context"

type contextKey struct{}

// A login is what one authenticator established for one credential. It remembers both, so
// that another authenticator, or the same one for another credential, does not rely on it.
type login struct {
	by         *Authenticator
	credential [32]byte // SHA-256 of the token
	principal  *Principal
}

func withLogin(ctx context.Context, l *login) context.Context {
	return context.WithValue(ctx, contextKey{}, l)
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
