package sso

import (
	"context"
	"time"
)

type contextKey struct{}

// A login is what one authenticator established for one credential. It remembers both, so
// that another authenticator, or the same one for another credential, does not rely on it.
// It is shared between requests.
type login struct {
	by         *Authenticator
	credential [32]byte   // SHA-256 of the token
	principal  *Principal // nil: anonymous; else own, which is here so that the two are one piece of memory
	own        Principal
	proof      proof
}

// A loginContext is a context with a login. It is [context.WithValue] in one piece of memory.
type loginContext struct {
	context.Context
	login *login
	asked time.Time // when the session store was; zero where there is none
}

type askedKey struct{}

func (c *loginContext) Value(key any) any {
	switch key {
	case contextKey{}:
		return c.login
	case askedKey{}:
		return c.asked
	}
	return c.Context.Value(key)
}

// withLogin returns a context that holds a login; the given one if it does so already.
func (a *Authenticator) withLogin(ctx context.Context, l *login) context.Context {
	if loginOf(ctx) == l {
		return ctx
	}
	c := &loginContext{Context: ctx, login: l}
	if l.principal != nil && l.proof.verifier.sessions.store != nil {
		c.asked = l.proof.verifier.rules.now()
	}
	return c
}

// sessionGoodFor is how long a session's life is taken for granted within one request, so that
// several guards on its way ask once. What goes on for longer, and asks again, is told anew.
const sessionGoodFor = time.Second

// askedLately reports whether the session of the login that a context holds was asked for within
// this very request.
func (a *Authenticator) askedLately(ctx context.Context, l *login) bool {
	asked, _ := ctx.Value(askedKey{}).(time.Time)
	if asked.IsZero() {
		return false
	}
	ago := l.proof.verifier.rules.now().Sub(asked)
	return ago >= 0 && ago < sessionGoodFor
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
