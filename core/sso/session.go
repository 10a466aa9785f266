package sso

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/more-retail/moresso-go/core/internal/jsondoc"
)

// SessionStore knows which sessions live. A token is good until it expires, whatever happens; a
// session ends when somebody signs out. With [Config.Sessions] the store is asked on every
// request, of tokens that are known too; several guards on one request ask once.
//
// Module redisstore has one in Redis. A store of your own must be safe for concurrent use,
// and answer within a bound of its own, and when ctx ends: requests wait for it. To say when asking
// again makes sense, return an [UnavailableError].
type SessionStore interface {
	// Check returns nil for a session that lives, an error that matches [ErrSessionEnded] for one
	// that has ended or that nobody knows (401), and any other error where that cannot be told
	// (503, unless [SessionPolicy.InsecureIgnoreOutage]).
	Check(ctx context.Context, s Session) error
}

// ErrSessionEnded is what a [SessionStore] answers for a session that is over. Wrap it to say
// more to the operator; the client learns `invalid_token`.
var ErrSessionEnded = errors.New("sso: the session has ended")

// Session is what a verified token says of the session that it was issued in. Strings are empty,
// and times zero, where it does not say; those that the policy reads are never empty.
type Session struct {
	Issuer   string // `iss`
	Audience string // the configured one, not the token's: [SessionPolicy.Audience]
	Subject  string // `sub`
	User     string // by [SessionPolicy.UserClaim]
	ID       string // by [SessionPolicy.SessionClaim]
	TokenID  string // `jti`
	// IssuedAt is `iat`.
	IssuedAt time.Time
	// ExpiresAt is `exp`, from which on the token is refused anyhow, and GoodUntil that with the
	// leeway: what is remembered of it may be forgotten then.
	ExpiresAt, GoodUntil time.Time
}

// Is reports whether the session's ID equals an id, in a time that does not depend on where they
// differ: for stores that keep each user's current session. An empty id is nobody's, and false.
func (s Session) Is(id string) bool {
	return id != "" && subtle.ConstantTimeCompare([]byte(s.ID), []byte(id)) == 1
}

// NotRead is the value of [SessionPolicy.UserClaim] and [SessionPolicy.SessionClaim] that reads
// no claim, for stores that go by the token's id or its date alone.
const NotRead = "-"

// SessionPolicy says how a token names its session. The zero value is the Python edition's.
type SessionPolicy struct {
	// UserClaim and SessionClaim are the paths of the claims that name the user and the session;
	// see [Value.Lookup]. Default "user_id" and "session_id"; OpenID Connect's are "sub" and
	// "sid". A token without them, or where one is no string or empty, is refused with 401.
	// [NotRead] reads none.
	UserClaim, SessionClaim string

	// Audience is the audience under which the store keeps the sessions, one of
	// [Config.Audience]; needed where there are several. Default: the only one.
	Audience string

	// InsecureIgnoreOutage lets tokens pass while the store cannot be asked, with a warning in
	// the log and [EventSessionUnknown] for each: whoever has signed out gets in for so long.
	// Default false: 503.
	InsecureIgnoreOutage bool
}

// sessions is a store and how it is asked.
type sessions struct {
	store  SessionStore
	policy SessionPolicy
}

// check asks the store about a login.
func (a *Authenticator) checkSession(ctx context.Context, l *login) error {
	s := &l.proof.verifier.sessions
	if s.store == nil {
		return nil
	}
	session, err := s.session(l.principal)
	if err != nil {
		return err
	}
	err = s.store.Check(ctx, session)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrSessionEnded):
		return &TokenError{Reason: ReasonSessionEnded, Err: errors.New(err.Error())} // its text only: see unavailableSessions
	case !s.policy.InsecureIgnoreOutage || ctx.Err() != nil:
		return &sessionsUnavailableError{unavailableSessions(err)}
	}
	quietly(func() {
		a.logger.WarnContext(ctx, "sso: a session could not be looked up, and the token passes: SessionPolicy.InsecureIgnoreOutage is set", slog.Any("error", err), slog.Any("principal", l.principal))
	})
	a.observe(Event{Kind: EventSessionUnknown, Err: err})
	return nil
}

// session reads the claims that name it.
func (s *sessions) session(p *Principal) (session Session, err error) {
	session = Session{
		Issuer: p.Issuer(), Audience: s.policy.Audience, Subject: p.Subject(), TokenID: p.TokenID(),
		IssuedAt: p.IssuedAt(), ExpiresAt: p.ExpiresAt(), GoodUntil: p.ExpiresAt().Add(p.policy.leeway),
	}
	if session.User, err = named(p, s.policy.UserClaim); err != nil {
		return Session{}, err
	}
	session.ID, err = named(p, s.policy.SessionClaim)
	return session, err
}

// named reads a claim that has to be there.
func named(p *Principal, claim string) (string, error) {
	if claim == NotRead {
		return "", nil
	}
	value := p.Claim(claim)
	text, ok := value.Text()
	switch {
	case value.v.Kind() == jsondoc.Absent:
		return "", badTokenWith(ReasonNoSession, "the token has no %s, by which its session is known", claim)
	case !ok || text == "":
		return "", badTokenWith(ReasonNoSession, "%s is no string or empty, and names no session", claim)
	}
	return text, nil
}

// sessionsUnavailableError tells an outage of the sessions from one of the keys, in the log.
type sessionsUnavailableError struct{ *UnavailableError }

func (e *sessionsUnavailableError) Unwrap() error { return e.UnavailableError }

// unavailableSessions keeps what the store says of when asking again makes sense, and the text of
// its error. What else its error may stand for must not decide about the answer.
func unavailableSessions(err error) *UnavailableError {
	after := time.Second
	var theirs *UnavailableError
	if errors.As(err, &theirs) {
		after = max(after, theirs.RetryAfter)
	}
	return &UnavailableError{RetryAfter: after, Err: fmt.Errorf("the session store: %v", err)} //nolint:errorlint // as said
}
