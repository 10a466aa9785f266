package redisstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/more-retail/moresso-go/core/logout"
)

// Revoker ends sessions at the request of the identity provider, for [logout.New]. It requires
// [SessionsOptions.Issuer]. It ends the session that a logout token names by `sid` and `sub`, if
// UserClaim is "sub" and SessionClaim is "sid"; otherwise it ends nothing, and [logout.New] refuses it.
// It does not end a newer session of the user. It does not know which sessions of a user are older, so
// a logout of all of them matches [errors.ErrUnsupported].
func (s *Sessions) Revoker() logout.Revoker {
	ends := s.options.UserClaim == "sub" && s.options.SessionClaim == "sid"
	return sessionsRevoker{logouts{s.store, s.options.Issuer, ends, "session:" + s.options.Audience}, s}
}

type sessionsRevoker struct {
	logouts
	sessions *Sessions
}

func (r sessionsRevoker) RevokeSession(ctx context.Context, what logout.Revocation) error {
	if err := r.check(what); err != nil {
		return err
	}
	if audience := r.sessions.options.Audience; what.Audience != audience {
		return fmt.Errorf("redisstore: a logout for the audience %q, and SessionsOptions.Audience is %q: %w", what.Audience, audience, errors.ErrUnsupported)
	}
	if what.User == "" {
		return fmt.Errorf("redisstore: a logout without a user: %w", errors.ErrUnsupported)
	}
	return r.sessions.RevokeSession(ctx, what.User, what.SessionID)
}

func (r sessionsRevoker) RevokeSubject(context.Context, logout.Revocation) error {
	return fmt.Errorf("redisstore: a logout of all sessions of a subject requires a Denylist: %w", errors.ErrUnsupported)
}

// Revoker ends sessions at the request of the identity provider, for [logout.New]. With
// [BySession] it ends one session, if SessionClaim is "sid", with [ByIssuedAt] all of a subject: set
// both. With neither it ends nothing, and [logout.New] refuses it.
func (d *Denylist) Revoker() logout.Revoker {
	policy := d.SessionPolicy()
	ends := policy.SessionClaim == "sid" || policy.UserClaim == "sub"
	return denylistRevoker{logouts{d.store, d.options.Issuer, ends, "denied:" + d.field}, d}
}

type denylistRevoker struct {
	logouts
	list *Denylist
}

func (r denylistRevoker) RevokeSession(ctx context.Context, what logout.Revocation) error {
	if err := r.check(what); err != nil {
		return err
	}
	return r.list.revokeSession(ctx, what.SessionID, what.Until.Sub(r.now()))
}

func (r denylistRevoker) RevokeSubject(ctx context.Context, what logout.Revocation) error {
	if err := r.check(what); err != nil {
		return err
	}
	moment := what.IssuedBefore.Add(-time.Millisecond) // IssuedBefore is exclusive
	return r.list.denyBefore(ctx, "a logout by sub", what.Subject, moment, what.Until)
}

// logouts records logout tokens, and checks whose sessions they end.
type logouts struct {
	*store
	issuer string
	ends   bool   // any session
	scope  string // of the records: services whose sessions are kept apart receive the same token
}

// RevokesFor implements [logout.Revoker].
func (l logouts) RevokesFor(issuer string) bool {
	return l.ends && issuer != "" && issuer == l.issuer
}

func (l logouts) check(what logout.Revocation) error {
	if !l.RevokesFor(what.Issuer) {
		return fmt.Errorf("redisstore: a logout by %q, and the store's Issuer is %q, or it looks up neither sid nor sub: %w", what.Issuer, l.issuer, errors.ErrUnsupported)
	}
	return nil
}

// LogoutRecorded implements [logout.Revoker].
func (l logouts) LogoutRecorded(ctx context.Context, issuer, tokenID string) (bool, error) {
	answers, err := l.query(ctx, query{key: l.key(issuer, tokenID)})
	return err == nil && answers[0].found, err
}

// RecordLogout implements [logout.Revoker].
func (l logouts) RecordLogout(ctx context.Context, issuer, tokenID string, until time.Time) error {
	keep := max(until.Sub(l.now()), clockSkew)
	return l.write(ctx, deny, []string{l.key(issuer, tokenID)}, "1", milliseconds(keep), "0", "0")
}

func (l logouts) key(issuer, tokenID string) string {
	return ownKeys + "logout:" + sized(l.scope) + ":" + sized(issuer) + ":" + sized(tokenID)
}
