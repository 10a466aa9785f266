package sso

import "context"

// WithExpiry returns a context that ends with the token of the request that ctx belongs to, for
// what outlives the request's beginning: a WebSocket, server-sent events, a long download. It
// ends when the token is no longer accepted, [Config.Leeway] included, by the authenticator's
// clock at the time of the call; [context.Cause] then matches [ErrInvalidToken]. Call cancel
// when the work is done. Without a principal in ctx it ends at once, by the cause [ErrNoToken]. A
// session that ends earlier does not end it: ask again for that.
func WithExpiry(ctx context.Context) (expiring context.Context, cancel context.CancelFunc) {
	principal, ok := FromContext(ctx)
	if !ok || principal.policy == nil {
		expiring, end := context.WithCancelCause(ctx)
		end(ErrNoToken)
		return expiring, func() {}
	}
	left := principal.ExpiresAt().Add(principal.policy.leeway).Sub(principal.policy.now())
	return context.WithTimeoutCause(ctx, left, badToken(ReasonExpired, "the token has expired while its request went on"))
}
