package redisstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/more-retail/moresso-go/core/sso"
)

// Revoker ends sessions in this store when the identity provider says so, for
// [sso.NewBackChannelLogout] and its handler in package httpsso (OpenID Connect Back-Channel
// Logout 1.0).
//
// What it can end depends on what the store holds. A denylist ends one session with [BySession],
// and all older ones of a subject with [ByIssuedAt]: give it both. A store of the sessions that
// live ends the one that a token names together with its user, where [sso.SessionPolicy]'s
// UserClaim is "sub", and unless the user has signed in anew; not all of a subject, since it does
// not know which of them are older. What cannot be ended is answered with an error that matches
// [errors.ErrUnsupported]. Logout tokens that have done their work are remembered under keys that
// begin with [Options.Prefix].
//
// It is for the sessions of [Options.Issuer] and needs it: without, it is for nobody's, and
// [sso.NewBackChannelLogout] refuses it. Logouts of other issuers match [errors.ErrUnsupported].
//
// How long a revocation tries, and what nil means, is as with [Store.Login].
func (s *Store) Revoker() sso.IssuerRevoker { return revoker{s} }

type revoker struct{ *Store }

// RevokesFor implements [sso.IssuerRevoker].
func (r revoker) RevokesFor(issuer string) bool { return issuer != "" && issuer == r.options.Issuer }

// RevokeSession implements [sso.SessionRevoker].
func (r revoker) RevokeSession(ctx context.Context, what sso.Revocation) error {
	if what.SessionID == "" {
		return errors.New("redisstore: a logout without a session")
	}
	if err := r.concerns(what); err != nil {
		return err
	}
	if len(r.options.Denylist) == 0 {
		if what.User == "" {
			return fmt.Errorf("redisstore: sessions are kept by their user, and the logout names none that SessionPolicy.UserClaim reads: %w", errors.ErrUnsupported)
		}
		return r.Store.RevokeSession(ctx, what.User, what.SessionID)
	}
	if err := r.needs("a logout by sid", BySession); err != nil {
		return err
	}
	key, _ := r.layout.denied(BySession, what.SessionID)
	until := r.lastExpiry().Add(r.options.Leeway + margin)
	if what.Until.After(until) { // a service lets tokens live for longer
		until = what.Until
	}
	return r.write(ctx, deny, key, millis(until))
}

// RevokeSubject implements [sso.SessionRevoker].
func (r revoker) RevokeSubject(ctx context.Context, what sso.Revocation) error {
	if what.Subject == "" {
		return errors.New("redisstore: a logout without a subject")
	}
	if err := r.needs("a logout by sub", ByIssuedAt); err != nil {
		return err
	}
	if err := r.concerns(what); err != nil {
		return err
	}
	moment := what.IssuedBefore.Add(-time.Millisecond) // what is issued then is refused too
	if most := r.now().Add(r.mostAhead()); moment.After(most) {
		moment = most
	}
	return r.denyBefore(ctx, what.Subject, moment, what.Until)
}

// concerns refuses a logout whose sessions are not looked at here.
func (r revoker) concerns(what sso.Revocation) error {
	switch o := &r.options; {
	case o.Issuer == "":
		return fmt.Errorf("redisstore: whose sessions these are is not known: set Options.Issuer: %w", errors.ErrUnsupported)
	case what.Issuer != o.Issuer:
		return fmt.Errorf("redisstore: a logout by another issuer than Options.Issuer: %w", errors.ErrUnsupported)
	case len(o.Denylist) == 0 && what.Audience != o.Audience:
		return fmt.Errorf("redisstore: SessionPolicy.Audience is %q, and the store's Options.Audience %q, write the same: %w", what.Audience, o.Audience, errors.ErrUnsupported)
	}
	return nil
}

// LogoutRecorded implements [sso.SessionRevoker].
func (r revoker) LogoutRecorded(ctx context.Context, issuer, tokenID string) (bool, error) {
	answers, err := r.askAll(ctx, []query{{key: r.layout.logout(issuer, tokenID), command: get}})
	if err != nil {
		return false, err
	}
	return answers[0].found, nil
}

// RecordLogout implements [sso.SessionRevoker].
func (r revoker) RecordLogout(ctx context.Context, issuer, tokenID string, until time.Time) error {
	if !until.After(r.now()) {
		return nil // it is not good any more
	}
	return r.write(ctx, deny, r.layout.logout(issuer, tokenID), millis(until))
}

// logout is the key of a logout token that has done its work.
func (l *layout) logout(issuer, tokenID string) string {
	return l.prefix + ":logout:" + sized(issuer) + ":" + sized(tokenID)
}
