package redisstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/more-retail/moresso-go/core/sso"
)

const mostSessionTTL = 366 * 24 * time.Hour

// SessionsOptions configures [Sessions]. All programs that share sessions must have the same
// Audience, Key and SeveralSessions.
type SessionsOptions struct {
	// Audience is the audience of the tokens, one of [sso.Config.Audience]. It is part of the keys.
	// Required.
	Audience string

	// Issuer is the `iss` of the tokens. Tokens of another issuer are rejected. Required for
	// [Sessions.Revoker]. If empty, sessions of all issuers share the keys.
	Issuer string

	// UserClaim and SessionClaim are the claims that name the user and the session. Default "sub" and
	// "sid".
	UserClaim, SessionClaim string

	// InsecureIgnoreOutage accepts tokens while Redis is unavailable, also those of sessions that
	// have ended. It does not apply to errors that match [sso.ConfigError]. Default false: 503.
	InsecureIgnoreOutage bool

	// Key returns the key of a user's session, to share sessions with other programs. It must return
	// different keys for different users, and none that begins with "moresso:". A user is refused
	// whose key is such a key, or could be that of another audience, as "api:eu:ada" could be that of
	// "ada" of "api:eu". If nil, the keys are those of this package, which cannot collide.
	Key func(audience, user string) string

	// SeveralSessions allows a user up to 100 sessions at a time, in a sorted set. Signing in again
	// then ends the one that expires first. Default false: signing in ends the previous session.
	SeveralSessions bool

	// CacheTTL keeps answers in memory for at most this long, from 100 ms to 30 s; 2 s suits most
	// services. See the package documentation. Default 0: every lookup is a round trip.
	CacheTTL time.Duration
}

// Sessions keeps the current sessions of users. Create it with [NewSessions], once for each process
// and audience. Its methods may be called concurrently.
type Sessions struct {
	*store
	options SessionsOptions
}

var _ sso.SessionStore = (*Sessions)(nil)

// NewSessions checks the options and does not connect: the first lookup does, or Ready. Everything
// that is wrong is in one [*sso.ConfigError].
func NewSessions(c Conn, o SessionsOptions) (*Sessions, error) {
	var f faults
	c.check(&f)
	f.addCacheTTL("SessionsOptions.CacheTTL", o.CacheTTL)
	if o.Audience == "" || strings.TrimSpace(o.Audience) != o.Audience {
		f.add("SessionsOptions.Audience", "is "+redact(o.Audience), "set the audience of the tokens, as in sso.Config")
	} else if o.Key != nil && strings.HasPrefix(o.Key(o.Audience, ""), ownKeys) { // a user could be "logout:…"
		f.add("SessionsOptions.Audience", "is "+redact(o.Audience)+", so that keys begin with \""+ownKeys+"\", as those of this package",
			"set another audience, or remove Key")
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	o.UserClaim, o.SessionClaim = cmp.Or(o.UserClaim, "sub"), cmp.Or(o.SessionClaim, "sid")
	return &Sessions{newStore(&c, o.CacheTTL), o}, nil
}

// SessionPolicy returns how tokens name their session.
func (s *Sessions) SessionPolicy() sso.SessionPolicy {
	return sso.SessionPolicy{
		UserClaim: s.options.UserClaim, SessionClaim: s.options.SessionClaim,
		Audience: s.options.Audience, InsecureIgnoreOutage: s.options.InsecureIgnoreOutage,
	}
}

// key returns the key of a user, or an error if Key returns one that could belong to another store.
func (s *Sessions) key(user string) (string, error) {
	audience, keyOf := s.options.Audience, s.options.Key
	if keyOf == nil {
		return ownKeys + "session:" + sized(audience) + ":{" + sized(user) + "}", nil
	}
	key := keyOf(audience, user)
	first, rest, colon := strings.Cut(user, ":")
	if strings.HasPrefix(key, ownKeys) || colon && key == keyOf(audience+":"+first, rest) {
		return "", refusal("SessionsOptions.Key", "returns "+redact(key)+", which could be the key of another store", "remove Key, or use it for users without a colon")
	}
	return key, nil
}

// Check implements [sso.SessionStore]. It ends within 100 ms, and does not end early with ctx, since
// other requests may wait for the same answer.
func (s *Sessions) Check(ctx context.Context, session sso.Session) error {
	if session.Audience != s.options.Audience {
		return unavailable(refusal("SessionsOptions.Audience", fmt.Sprintf("is %q, and the session is of %q", s.options.Audience, session.Audience), "set the same"))
	}
	if s.options.Issuer != "" && session.Issuer != s.options.Issuer {
		return fmt.Errorf("%w: the issuer is not SessionsOptions.Issuer", sso.ErrSessionEnded)
	}
	if session.User == "" || session.ID == "" {
		return fmt.Errorf("%w: the token has no user or no session", sso.ErrSessionEnded)
	}
	key, err := s.key(session.User)
	if err != nil {
		return fmt.Errorf("%w: %w", sso.ErrSessionEnded, err)
	}
	q := query{key: key}
	if s.options.SeveralSessions {
		q.member = strings.Clone(session.ID) // the lookup can outlive the request
	}
	answers, err := s.query(ctx, q)
	switch {
	case err != nil:
		return err
	case !answers[0].found:
		return fmt.Errorf("%w: the user has no such session", sso.ErrSessionEnded)
	case s.options.SeveralSessions && answers[0].score <= float64(s.now().UnixMilli()):
		return fmt.Errorf("%w: the session has expired", sso.ErrSessionEnded)
	case !s.options.SeveralSessions && !session.Is(answers[0].text):
		return fmt.Errorf("%w: the user has another session", sso.ErrSessionEnded)
	}
	return nil
}

// Login records that the user has signed in, for the lifetime of the session: from a second to
// 366 days. It ends the user's previous session, unless [SessionsOptions.SeveralSessions]. Call it
// before you issue the token.
//
// Like all writes of this package it tries for up to 5 s, or until ctx ends. Nil means that Redis has
// done it and [Conn.WaitReplicas] have confirmed it. After an error that matches [ErrNotReplicated] or
// [sso.ErrUnavailable] it may or may not be done: repeat it, which is safe.
func (s *Sessions) Login(ctx context.Context, user, session string, ttl time.Duration) error {
	if user == "" || session == "" {
		return errors.New("redisstore: Login without a user or a session")
	}
	if ttl < time.Second || ttl > mostSessionTTL {
		return fmt.Errorf("redisstore: Login for %v, want one second to 366 days", ttl)
	}
	script := login
	if s.options.SeveralSessions {
		script = loginAlso
	}
	return s.writeTo(ctx, script, user, session, milliseconds(ttl))
}

// Revoke ends all sessions of the user. Its errors are those of [Sessions.Login].
func (s *Sessions) Revoke(ctx context.Context, user string) error {
	if user == "" {
		return errors.New("redisstore: Revoke without a user")
	}
	return s.writeTo(ctx, revokeAll, user)
}

// RevokeSession ends this session of the user, and not one that has replaced it. Its errors are
// those of [Sessions.Login].
func (s *Sessions) RevokeSession(ctx context.Context, user, session string) error {
	if user == "" || session == "" {
		return errors.New("redisstore: RevokeSession without a user or a session")
	}
	script := revokeThis
	if s.options.SeveralSessions {
		script = revokeOneOf
	}
	return s.writeTo(ctx, script, user, session)
}

// writeTo runs a script on the key of a user.
func (s *Sessions) writeTo(ctx context.Context, script, user string, args ...string) error {
	key, err := s.key(user)
	if err != nil {
		return fmt.Errorf("redisstore: %w", err)
	}
	return s.write(ctx, script, []string{key}, args...)
}
